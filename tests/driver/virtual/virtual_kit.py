"""A till that knows nothing of CONCERT but the published grammar, and the terminal it talks to."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from hw_driver.virtual.concert import VirtualConcert
from hw_driver.virtual.faults import Faults
from hw_driver.virtual.server import Server

SALE = b"CZ0040300CJ012247300123456CA00201CB0042500CD0010CE003978"
REFUND = SALE.replace(b"CD0010", b"CD0011")
IDENTIFY = b"CZ0040300CJ012247300123456CA00201CD001I"


def fields(answer: bytes) -> dict[str, str]:
    """Read an answer by the grammar: two letters, three digits, that many bytes."""
    found, rest = {}, answer.decode("ascii")
    while rest:
        tag, length = rest[:2], int(rest[2:5])
        assert tag.isalpha(), rest
        assert tag.isupper(), rest
        assert 0 < length <= len(rest) - 5, rest
        found[tag], rest = rest[5 : 5 + length], rest[5 + length :]
    return found


@dataclass
class Bench:
    """A terminal on its port, the ledger's file and the switches."""

    server: Server
    path: Path

    @property
    def terminal(self) -> VirtualConcert:
        return self.server.terminal

    @property
    def faults(self) -> Faults:
        return self.server.terminal.faults

    @property
    def port(self) -> int:
        return self.server.port

    def ledger(self) -> list[dict]:
        """Read the ledger's file, as another program would."""
        return [json.loads(line) for line in self.path.read_text().splitlines()]

    def charged(self) -> list[int]:
        return [entry["amount"] for entry in self.ledger() if entry["outcome"] == "approved"]

    async def ask(self, request: bytes, chunks: int = 1) -> bytes:
        """Send a request on a connection of its own and return all that comes until the terminal closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            step = -(-len(request) // chunks)
            for start in range(0, len(request), step):
                writer.write(request[start : start + step])
                await asyncio.sleep(0)
            return await asyncio.wait_for(reader.read(), 5)
        finally:
            writer.close()

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for something the terminal does by itself."""
        changed = asyncio.Event()
        self.server.watchers.append(changed.set)
        async with asyncio.timeout(5):
            while not true():
                changed.clear()
                await changed.wait()
        self.server.watchers.remove(changed.set)


Start = Callable[..., Awaitable[Bench]]
