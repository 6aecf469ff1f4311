"""A shop with a virtual ZVT terminal: the driver's own runtime, its journal, and TCP or a cable."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from runtime_kit import MovableClock, body

from hw_driver.journal import Journal
from hw_driver.protocols import recovery
from hw_driver.protocols.registry import PROTOCOLS
from hw_driver.protocols.states import ASKED_KINDS
from hw_driver.terminal import Terminal
from hw_driver.transaction import Transaction
from hw_driver.virtual.cable import CableServer
from hw_driver.virtual.faults import Faults, parse
from hw_driver.virtual.ledger import Ledger
from hw_driver.virtual.server import Server
from hw_driver.virtual.zvt import VirtualZvt
from hw_driver.virtual.zvt_on_line import OnZvtLine
from hw_driver.virtual.zvt_talk import ZvtSettings

FAST = {"answer_timeout": 0.6, "dialog_timeout": 1.2}
FAST_LINE = {"line_answer": 0.4}
QUICKLY = (0.1, 0.3, 0.7, 1.5, 3)
#: What may take five seconds on a network is here at once, or never.
IN_FLIGHT = 0.5


class Shop:
    """A virtual terminal with its ledger, and the driver's side of it."""

    def __init__(self, server: Server, terminal: Terminal, journal: Journal, clock: MovableClock) -> None:
        self.server, self.terminal, self.journal, self.clock = server, terminal, journal, clock

    @property
    def charged(self) -> list[int]:
        return [entry.amount for entry in self.server.ledger.entries if entry.outcome == "approved"]

    async def pay(self, **other: Any) -> Transaction:
        transaction = await self.begin(**other)
        await self.over(transaction)
        return transaction

    async def begin(self, **other: Any) -> Transaction:
        asked = body(self.clock, **other)
        return await (self.terminal.ask if asked["kind"] in ASKED_KINDS else self.terminal.start)(asked)

    async def over(self, transaction: Transaction) -> None:
        async with asyncio.timeout(20):
            while not transaction.ended:
                await transaction.changed(transaction.rev, 20)

    async def until(self, true: Callable[[], bool]) -> None:
        changed = asyncio.Event()
        self.server.watchers.append(changed.set)
        async with asyncio.timeout(20):
            while not true():
                changed.clear()
                await changed.wait()


Open = Callable[..., Any]


@pytest.fixture(params=["tcp", "serial"])
def wire(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def shop(
    tmp_path: Path, journal: Journal, clock: MovableClock, wire: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Open]:
    """Return a function that opens a shop: `await shop("lost", auto="cb", exclusive=True)`."""
    monkeypatch.setattr(recovery, "IN_FLIGHT", IN_FLIGHT)
    stack = contextlib.AsyncExitStack()

    async def begin(
        *faults: str, options: dict[str, Any] | None = None, exclusive: bool = True, **settings: Any
    ) -> Shop:
        armed = Faults()
        for text in faults:
            armed.arm(*parse(text))
        inside = VirtualZvt(ZvtSettings(**{"auto": "contactless", "answer": 0.6, **settings}), armed)
        ledger = Ledger(tmp_path / "ledger.jsonl")
        if wire == "tcp":
            server: Server = Server(inside, ledger, protocol="zvt")
        else:
            server = CableServer(OnZvtLine(inside), ledger, tmp_path / "port", protocol="zvt-serial")
        await server.start()
        stack.push_async_callback(server.stop)
        place: dict[str, Any] = {"kind": "tcp", "host": "127.0.0.1", "port": server.port}
        if isinstance(server, CableServer):
            place = {"kind": "serial", "device": str(server.link)}
        info = PROTOCOLS["zvt" if wire == "tcp" else "zvt-serial"]
        fast = FAST if wire == "tcp" else FAST | FAST_LINE
        terminal = Terminal(
            "counter", "Counter", info, place, {**fast, **(options or {})}, journal, clock=clock, exclusive=exclusive,
            questions=QUICKLY,
        )  # fmt: skip
        await terminal.recover()
        stack.push_async_callback(terminal.close)
        return Shop(server, terminal, journal, clock)

    async with stack:
        yield begin
