"""A till that loses answers, its driver, and a terminal that can be asked what became of the last payment.

The terminal shares no code with the driver; it keeps its ledger and tells its last result when asked (CD 3).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from plain_terminal import PlainTerminal
from runtime_kit import MovableClock, body, ended

from hw_driver.journal import Journal
from hw_driver.protocols import recovery
from hw_driver.protocols.info import ProtocolInfo
from hw_driver.protocols.registry import PROTOCOLS
from hw_driver.terminal import Terminal
from hw_driver.transaction import Transaction

CONCERT = PROTOCOLS["concert-v3"]
TELLS = {"drain": 0.02, "answer_timeout": 0.3, "duplicata": True}
NAMED = TELLS | {"reference_tag": "CF"}
STRICT = TELLS | {"duplicata_idle": True, "duplicata_refused": "07"}


class Shop:
    """The terminal, and a driver that can be started again."""

    def __init__(self, journal: Journal, clock: MovableClock, plain: PlainTerminal) -> None:
        self.journal, self.clock, self.plain = journal, clock, plain
        self.terminal = self.driver()

    def driver(self, info: ProtocolInfo = CONCERT, options: dict[str, Any] = TELLS, **settings: Any) -> Terminal:
        where = {"kind": "tcp", "host": "127.0.0.1", "port": self.plain.port}
        settings = {"questions": (0.02, 0.02, 0.02), **settings}
        self.terminal = Terminal("counter", "Counter", info, where, options, self.journal, clock=self.clock, **settings)
        return self.terminal

    async def sale(self, behaviour: str = "approve", **other: Any) -> Transaction:
        self.plain.behaviour = behaviour
        return await ended(await self.terminal.start(body(self.clock, **other)))

    def events(self, transaction: Transaction) -> list[str]:
        return [event.type for event in self.journal.events() if event.uuid == transaction.uuid]

    def evidence(self, transaction: Transaction) -> list[dict[str, Any]]:
        mine = [event for event in self.journal.events() if event.uuid == transaction.uuid]
        return [event.body for event in mine if event.type == "evidence"]


@asynccontextmanager
async def opened(journal: Journal, clock: MovableClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shop]:
    monkeypatch.setattr(recovery, "IN_FLIGHT", 0.0)
    async with PlainTerminal("approve") as plain:
        shop = Shop(journal, clock, plain)
        yield shop
        await shop.terminal.close()
