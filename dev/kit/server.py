"""A real Odoo server on a database of its own, as a context manager, for the demo and the live tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from kit.database import options, run_odoo
from kit.errors import SetupError
from kit.odoo import problems, write_config
from kit.ports import LOOPBACK, claim
from kit.postgres import Postgres
from kit.setup import Workplace
from kit.shell import end_with_parent

START_SECONDS = 90
STOP_SECONDS = 15


class OdooServer:
    """Odoo for one database, on 127.0.0.1 only.

    >>> with OdooServer(workplace, postgres, database).running() as server:
    ...     server.url
    'http://127.0.0.1:40123'

    `workers=2` serves from processes, with the bus in one of its own; otherwise one process does all. With workers, or
    with `front`, a proxy stands before it on `port` (kit.front), which can cut websockets.
    """

    def __init__(
        self,
        workplace: Workplace,
        postgres: Postgres,
        database: str,
        *,
        port: int = 0,
        workers: int = 0,
        front: bool = False,
        cron_threads: int = 1,
        more_options: dict[str, object] | None = None,
    ) -> None:
        self.workplace = workplace
        self.postgres = postgres
        self.database = database
        self.workers = workers
        self.port = claim(port, "Odoo")
        self.gevent_port = claim(0, "Odoo's bus")
        self._has_front = front or workers > 0
        self._http_port = claim(0, "Odoo") if self._has_front else self.port
        self.log: Path = workplace.cache.log(f"server-{database}")
        self._config = workplace.cache.path("config", f"server-{database}.conf")
        self._options = {
            **options(workplace, postgres, database),
            "http_port": self._http_port,
            "gevent_port": self.gevent_port,
            "workers": workers,
            "max_cron_threads": cron_threads,
            **(more_options or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._front: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @contextmanager
    def running(self) -> Iterator[Self]:
        """Started and answering inside the block, stopped after it."""
        try:
            self.start()
            yield self
        finally:
            self.stop()
            if self._front is not None:
                self._front.kill()
                self._front.wait()
                self._front = None

    def start(self) -> None:
        """Start and wait until it answers. It ends with this process, however this process ends."""
        if self._has_front and self._front is None:
            self._start_front()
        write_config(self._config, self._options)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.workplace.odoo_command(self._config),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.workplace.environment,
                start_new_session=True,
                preexec_fn=end_with_parent,  # noqa: PLW1509  (it only makes one system call)
            )
        try:
            self._wait_until_it_answers()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ask Odoo to end, and end it when it does not."""
        if self._process is None:
            return
        process, self._process = self._process, None
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self._config.unlink(missing_ok=True)

    def kill(self) -> None:
        """End it at once, as a power cut would; `start` may follow."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def run_inside(self, script: str) -> None:
        """Run Python with Odoo's `env` at hand, in a process beside the running server."""
        launcher = [str(self.workplace.python), str(self.workplace.odoo.launcher), "shell"]
        result = subprocess.run(
            [*launcher, "--config", str(self._config), "--no-http", "--database", self.database],
            input=script,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            env={**self.workplace.environment, "PYTHONDONTWRITEBYTECODE": "1"},
            preexec_fn=end_with_parent,
        )
        if result.returncode:
            log = self.workplace.cache.log(f"inside-{self.database}")
            log.write_text(result.stdout)
            raise SetupError(f"a script inside Odoo failed: {result.stdout.splitlines()[-1]} (see {log})")

    def cut_bus(self) -> None:
        """Cut every websocket, and let none in until `mend_bus`."""
        assert self._front is not None
        self._front.send_signal(signal.SIGUSR1)

    def mend_bus(self) -> None:
        """Let websockets in again."""
        assert self._front is not None
        self._front.send_signal(signal.SIGUSR2)

    def kill_bus(self) -> None:
        """End the process of the bus at once; Odoo starts another one."""
        assert self._process is not None
        process = Path(f"/proc/{self._process.pid}")
        for child in (process / "task" / process.name / "children").read_text().split():
            if b"gevent" in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0"):
                os.kill(int(child), signal.SIGKILL)

    def _start_front(self) -> None:
        bus_port = self.gevent_port if self.workers else self._http_port
        ports = map(str, (self.port, self._http_port, bus_port))
        self._front = subprocess.Popen(
            [sys.executable, "-m", "kit.front", *ports],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(self.workplace.checkout / "dev")},
            preexec_fn=end_with_parent,  # noqa: PLW1509  (it only makes one system call)
        )
        assert self._front.stdout is not None
        if not self._front.stdout.readline():
            raise SetupError(f"the proxy before Odoo did not start on port {self.port}")

    def problems(self) -> list[str]:
        """The warnings and errors in its log."""
        return problems(self.log.read_text(errors="replace"))

    def _wait_until_it_answers(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                tail = self.log.read_text(errors="replace").splitlines()[-1:]
                raise SetupError(f"Odoo ended while starting: {' '.join(tail)} (see {self.log})")
            try:
                with urllib.request.urlopen(f"{self.url}/web/health", timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        raise SetupError(f"Odoo did not answer within {START_SECONDS} s: see {self.log}")


def run_in_odoo(workplace: Workplace, postgres: Postgres, database: str, script: str) -> str:
    """Run Python lines with `env` at hand (`odoo shell`) and return what they print; commit with `env.cr.commit()`."""
    config = write_config(
        workplace.cache.path("config", f"shell-{database}.conf"), options(workplace, postgres, database)
    )
    try:
        result = subprocess.run(
            [
                *workplace.odoo_command(config)[:2],
                "shell",
                "--config",
                str(config),
                "--no-http",
                "--log-level",
                "error",
            ],
            input=script,
            capture_output=True,
            text=True,
            check=False,
            env=workplace.environment,
        )
    finally:
        config.unlink()
    if result.returncode or "Traceback (most recent call last)" in result.stderr:
        raise SetupError(f"a script in Odoo failed: {result.stderr[-2000:]}")
    return result.stdout


def set_password(workplace: Workplace, postgres: Postgres, database: str, password: str, login: str = "admin") -> None:
    """Give a user a password."""
    run_in_odoo(
        workplace,
        postgres,
        database,
        f"env['res.users'].search([('login', '=', {login!r})]).password = {password!r}\nenv.cr.commit()\n",
    )


__all__ = ["OdooServer", "end_with_parent", "run_in_odoo", "run_odoo", "set_password"]
