"""A shop of real processes: the driver as it is started in a shop, its virtual terminals, and an Odoo of our own."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from .odoo import Odoo
from .signed import DATABASE, DRIVER, KEY

ROOT = Path(__file__).resolve().parents[2]
INSIDE = Path(__file__).with_name("inside")
START_SECONDS = 60


@dataclass
class Terminal:
    """A virtual terminal process; `ledger` is the truth about what it charged."""

    id: str
    port: int
    web: str = ""
    ledger_file: Path | None = None

    def ledger(self) -> list[dict[str, Any]]:
        """Return what it did; nothing where it never does anything."""
        lines = self.ledger_file.read_text().splitlines() if self.ledger_file else ()
        return [json.loads(line) for line in lines]


@dataclass
class Driver:
    """The driver's process: `python -m hw_driver serve`.

    `ready` collects the seconds from start to listening, `worked` the processor's seconds among them: what is left
    went by because others were at work on this machine.
    """

    folder: Path
    port: int
    wrapper: list[str] = field(default_factory=list)
    ready: list[float] = field(default_factory=list)
    worked: list[float] = field(default_factory=list)
    _process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / "driver.log"

    async def start(self, environment: Mapping[str, str] | None = None) -> bool:
        """Start it; True when it listens, False when it died before (as it may, when told to)."""
        began = time.monotonic()
        command = [sys.executable, "-m", "hw_driver", "serve", "--config", str(self.folder / "driver.toml"), "--ready"]
        path = os.pathsep.join([str(INSIDE), str(ROOT)] if environment else [str(ROOT)])
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self.wrapper, *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=log,
                env={**os.environ, "PYTHONPATH": path, **(environment or {})},
            )  # fmt: skip
        assert self._process.stdout
        async with asyncio.timeout(START_SECONDS):
            line = await self._process.stdout.readline()
        if not line:
            await self._process.wait()
            return False
        self.ready.append(time.monotonic() - began)
        self.worked.append(_worked(self._process.pid))
        return True

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def died(self) -> int:
        """Wait for its end and return its exit status, negative for a signal."""
        assert self._process
        return await self._process.wait()

    async def kill(self) -> None:
        """SIGKILL, whatever it is doing."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """Ask it to end."""
        await self._end(signal.SIGTERM)

    async def _end(self, number: int) -> None:
        if self._process and self._process.returncode is None:
            self._process.send_signal(number)
            await self._process.wait()


class World:
    """The shop: `odoo`, `driver`, `terminals`, and `http` for the tills."""

    def __init__(self, folder: Path, odoo: Odoo, terminals: list[Terminal], http: aiohttp.ClientSession) -> None:
        self.folder, self.odoo, self.terminals, self.http = folder, odoo, terminals, http
        folder.mkdir(parents=True, exist_ok=True)
        self.driver = Driver(folder, free_port())
        self.state = folder / "state"
        toml = f"""
[driver]
state = "{self.state}"
port = {self.driver.port}
[odoo]
url = "http://127.0.0.1:{odoo.port}"
database = "shop"
database_uuid = "{DATABASE}"
driver = "{DRIVER}"
key = "{KEY.hex()}"
heartbeat = 0.2
"""
        file = folder / "driver.toml"
        file.touch(0o600)
        file.write_text(toml)

    def forget(self) -> None:
        """Put the driver back to before its first start."""
        shutil.rmtree(self.state, ignore_errors=True)
        self.odoo.journals.clear()

    async def delivered(self, seconds: float = 60) -> None:
        """Wait until Odoo has every event of the running driver, and nothing is under way."""
        async with asyncio.timeout(seconds):
            while True:
                try:
                    async with self.http.get(f"{self.driver.url}/v1/health", headers=self.headers()) as response:
                        health = await response.json()
                    if response.status != 200:
                        raise RuntimeError(str(health))
                    if len(self.odoo.journals.get(health["journal_id"], [])) == health["last"]:
                        return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.02)

    def headers(self) -> dict[str, str]:
        """Return the headers of a good till."""
        from .tills import session_grant

        grant = session_grant([terminal.id for terminal in self.terminals])
        return {"Authorization": f"Bearer {grant}"}


@asynccontextmanager
async def open_world(
    folder: Path, *, terminals: int, delay: float = 0.02, more: Sequence[tuple[str, int, dict[str, Any]]] = ()
) -> AsyncIterator[World]:
    """Start terminals and Odoo; the driver is started by whoever tortures it. All has ended afterwards.

    `more` are terminals of the caller's own: id, port, options.
    """
    async with AsyncExitStack() as stack:
        folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - nothing runs yet
        machines = [await _terminal(stack, folder, f"terminal-{n}", delay) for n in range(terminals)]
        options = {machine.id: {} for machine in machines} | {id_: settings for id_, _, settings in more}
        machines += [Terminal(id_, port) for id_, port, _ in more]
        entries = [
            {
                "id": machine.id,
                "name": machine.id,
                "protocol": "concert-v3",
                "transport": {"kind": "tcp", "host": "127.0.0.1", "port": machine.port},
                "options": {"drain": 0.02, **options[machine.id]},
                "exclusive": True,
                "questions": [0.1, 0.3],
            }
            for machine in machines
        ]
        odoo = await stack.enter_async_context(Odoo(entries).open())
        timeout = aiohttp.ClientTimeout(total=30)
        http = await stack.enter_async_context(aiohttp.ClientSession(timeout=timeout))
        world = World(folder, odoo, machines, http)
        stack.push_async_callback(world.driver.kill)
        yield world


async def _terminal(stack: AsyncExitStack, folder: Path, id_: str, delay: float) -> Terminal:
    ledger = folder / f"{id_}.jsonl"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hw_driver", "virtual", "concert-v3", "--port", "0", "--web", "0", "--ready",
        "--ledger", str(ledger), "--auto", "contactless", "--delay", str(delay),
        cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip

    async def end() -> None:
        process.kill()
        await process.wait()

    stack.push_async_callback(end)
    assert process.stdout
    ready = json.loads(await process.stdout.readline())
    return Terminal(id_, ready["port"], f"http://127.0.0.1:{ready['web']}", ledger)


def _worked(pid: int) -> float:
    """Return the processor's seconds that a process has taken (user and system: fields 14 and 15 of proc(5))."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """Return a port that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
