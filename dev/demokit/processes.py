"""Programs that the demo and the live tests start beside Odoo: each ends with this process, whatever ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Self, TypeVar

from kit.cache import CHECKOUT
from kit.errors import SetupError
from kit.server import end_with_parent

T = TypeVar("T")
START_SECONDS = 20
STOP_SECONDS = 5


class Program:
    """One program, started on entering the block and ended on leaving it; `log` keeps what it prints."""

    def __init__(self, name: str, command: list[str], log: Path, ready: str) -> None:
        self.name = name
        self.log = log
        self._command = command
        self._ready = ready
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until the address `ready` answers."""
        environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), "PYTHONUNBUFFERED": "1"}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
                preexec_fn=end_with_parent,  # noqa: PLW1509  (it only makes one system call)
            )
        wait_until(self._answers, f"{self.name} to start (see {self.log})", START_SECONDS)

    def stop(self) -> None:
        """Ask it to end, and end it when it does not."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def kill(self) -> None:
        """End it at once, as a power cut would; `start` may follow."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            last = self.log.read_text(errors="replace").splitlines()[-1:]
            raise SetupError(f"{self.name} ended while starting: {' '.join(last)} (see {self.log})")
        try:
            with urllib.request.urlopen(self._ready, timeout=2):
                return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False


def driver(configuration: Path, port: int, log: Path) -> Program:
    """The driver service with its own file."""
    return Program(
        "the driver",
        [sys.executable, "-m", "hw_driver", "serve", "--config", str(configuration)],
        log,
        f"http://127.0.0.1:{port}/v1/health",
    )


def virtual_terminal(protocol: str, place: list[str], web: int, ledger: Path, log: Path) -> Program:
    """A virtual terminal with its web face; `place` are its arguments that say where tills reach it."""
    return Program(
        "the virtual terminal",
        [
            *(sys.executable, "-m", "hw_driver", "virtual", protocol, *place),
            *("--web", str(web), "--ledger", str(ledger)),
        ],
        log,
        f"http://127.0.0.1:{web}/api/state",
    )


def wait_until(condition: Callable[[], T | None], what: str, seconds: float = 30) -> T:
    """Return the first true value of `condition`."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise SetupError(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.05)
    return value
