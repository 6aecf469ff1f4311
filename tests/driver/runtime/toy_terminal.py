"""A terminal that waits for an acknowledgement before it holds a payment for done, as ZVT terminals do, and its till.

It charges, says ``P``, waits for ``A`` and says ``D``; without ``A`` it takes the payment back when the link goes. The
till's side is a machine that tests vary.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from runtime_kit import MovableClock, body, until

from hw_driver.journal import Journal, NotRecorded
from hw_driver.protocols.info import ProtocolInfo
from hw_driver.protocols.machine import Close, Effect, Open, Outcome, Persist, Request, Result, Send, StartTimer
from hw_driver.protocols.registry import PROTOCOLS
from hw_driver.protocols.states import State
from hw_driver.terminal import Terminal
from hw_driver.transaction import Transaction

PAID = Outcome(State.APPROVED, "approved", amount_approved=1250)
TAKEN_BACK = Outcome(State.UNKNOWN, "not_acknowledged", "The terminal may have taken the payment back.")


class Acknowledging:
    """The till's side."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        """Nothing can be set."""

    def start(self, request: Request) -> list[Effect]:
        return [Open()]

    def connected(self) -> list[Effect]:
        return [Persist(State.SENT), Send(b"R")]

    def receive(self, data: bytes) -> list[Effect]:
        return self._answer() if data == b"P" else [Result(PAID), Close()]

    def _answer(self) -> list[Effect]:
        return [Persist(State.APPROVED, PAID), Send(b"A"), StartTimer("done", 5)]

    def timer(self, name: str) -> list[Effect]:
        return [Result(PAID), Close()]

    def lost(self, reason: str) -> list[Effect]:
        return [Persist(State.UNKNOWN, TAKEN_BACK), Result(TAKEN_BACK), Close()]

    def cancel(self) -> list[Effect]:
        return []

    def persist_failed(self) -> list[Effect]:
        return self._answer()

    def resume(self, record: Mapping[str, Any], lost: Any = None) -> list[Effect]:
        return []


class Toy:
    """The terminal, and a journal whose disk can be full: with `works` off, nothing but an intent is stored."""

    def __init__(self, journal: Journal, clock: MovableClock) -> None:
        self.journal, self.clock = journal, clock
        self.heard = b""
        self.links: list[asyncio.StreamWriter] = []
        self.works = True
        self.port = 0
        record = journal.record

        def refusing(uuid: str, state: State, outcome: Outcome | None = None) -> Any:
            if not self.works and state is not State.SENT:
                raise NotRecorded("The disk is full.")
            return record(uuid, state, outcome)

        journal.record = refusing  # type: ignore[method-assign]

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Toy]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        yield self
        server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.links.append(writer)
        try:
            while data := await reader.read(1):
                self.heard += data
                writer.write(b"P" if data == b"R" else b"D")
        except ConnectionError:
            pass
        writer.close()

    def terminal(self, machine: type = Acknowledging, *, can_cancel: bool = False) -> Terminal:
        info: ProtocolInfo = dataclasses.replace(
            PROTOCOLS["concert-v3"], machine=machine, options={}, recovery=None, abilities=None, can_cancel=can_cancel
        )
        where = {"kind": "tcp", "host": "127.0.0.1", "port": self.port}
        return Terminal("counter", "Counter", info, where, {}, self.journal, clock=self.clock)

    async def storing(self, machine: type = Acknowledging) -> tuple[Terminal, Transaction]:
        """Sell until what the machine ends with waits for the disk."""
        self.works = False
        terminal = self.terminal(machine)
        sale = await terminal.start(body(self.clock))
        await until(lambda: (sale.as_json("j")["progress"] or {}).get("code") == "storing")
        return terminal, sale

    def stored(self, uuid: str) -> State:
        record = self.journal.get(uuid)
        assert record is not None
        return record.state
