"""The processes that are measured: the real driver, and a terminal that answers at once and notes the time."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hw_driver.service.grants import local_grant

ROOT = Path(__file__).resolve().parent.parent
TERMINAL = "bench"


@dataclass(frozen=True)
class DriverProcess:
    """A running driver. `seconds` from its start until it listened; `grant` opens its API."""

    pid: int
    port: int
    seconds: float
    grant: str


@contextlib.contextmanager
def driver(folder: Path, terminal_port: int) -> Iterator[DriverProcess]:
    """Run `card-terminal serve` with one CONCERT V3 terminal."""
    state = folder / "state"
    config = folder / "driver.toml"
    config.write_text(
        f'[driver]\nstate = "{state}"\nport = 0\n\n'
        f'[[terminal]]\nid = "{TERMINAL}"\nname = "Bench"\nprotocol = "concert-v3"\n'
        f'host = "127.0.0.1"\nport = {terminal_port}\n'
    )
    command = [sys.executable, "-m", "hw_driver", "serve", "--config", str(config), "--port", "0", "--ready"]
    with (folder / "driver.log").open("a") as log:
        started = time.monotonic()
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)
        assert process.stdout is not None
        line = process.stdout.readline()
        seconds = time.monotonic() - started
    try:
        if not line:
            raise SystemExit(f"the driver did not start: {(folder / 'driver.log').read_text()}")
        note = json.loads(line)
        key = bytes.fromhex((state / "local.key").read_text())
        grant = local_grant(key, note["driver"], note["database_uuid"], int(time.time()) + 3600)
        yield DriverProcess(process.pid, note["port"], seconds, grant)
    finally:
        process.terminate()
        process.communicate()


@contextlib.contextmanager
def terminal(think: float) -> Iterator[int]:
    """Run the noting terminal; yields its port."""
    command = [sys.executable, "-m", "benchmarks.noting_terminal", str(think)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.communicate()


def noted(port: int) -> dict[int, tuple[float, float]]:
    """Return what the terminal noted, by amount: (first byte of the request came, last byte of the answer left)."""
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.sendall(b"?")
        with sock.makefile() as file:
            return {int(amount): (first, last) for amount, (first, last) in json.load(file).items()}
