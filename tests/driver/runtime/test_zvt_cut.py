"""The link dies at every message boundary, over TCP and on a cable: nothing lost, nothing doubled, nothing left open.

Real sockets and pseudo-terminals; the cuts of one dialog are made side by side, each in a shop of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from runtime_kit import MovableClock, body
from zvt_tap import Tap

from hw_driver.journal import Journal
from hw_driver.protocols import recovery
from hw_driver.protocols.registry import PROTOCOLS
from hw_driver.protocols.states import State
from hw_driver.terminal import Terminal
from hw_driver.transaction import Transaction
from hw_driver.virtual.cable import CableServer
from hw_driver.virtual.concert import PowerOff, PowerOn, Write
from hw_driver.virtual.faults import Faults
from hw_driver.virtual.ledger import Ledger
from hw_driver.virtual.server import Server
from hw_driver.virtual.zvt import VirtualZvt
from hw_driver.virtual.zvt_on_line import OnZvtLine
from hw_driver.virtual.zvt_talk import ZvtSettings

#: What may take five seconds on a network is here at once, or never.
IN_FLIGHT, QUESTIONS = 0.5, (0.1, 0.6, 2.0, 5.0)


class Unplugged:
    """A terminal on a USB cable that is pulled after so many frames, and plugged in again at once."""

    def __init__(self, inside: OnZvtLine) -> None:
        self.inside = inside
        self.passed, self._left = 0, None
        self._in_again: float | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inside, name)

    @property
    def wake_at(self) -> float | None:
        return min((at for at in (self._in_again, self.inside.wake_at) if at is not None), default=None)

    def cut_at(self, frames: int | None) -> None:
        self.passed, self._left = 0, frames

    def received(self, connection: int, data: bytes, now: float) -> list[Any]:
        return self._out(self.inside.received(connection, data, now), now) if self._passes(data) else self._pull(now)

    def tick(self, now: float) -> list[Any]:
        effects = self._out(self.inside.tick(now), now)
        if self._in_again is None or self._in_again > now:
            return effects
        self._in_again = None
        return [*effects, PowerOn()]

    def _out(self, effects: list[Any], now: float) -> list[Any]:
        out: list[Any] = []
        for effect in effects:
            passes = not isinstance(effect, Write) or self._passes(b"".join(effect.chunks))
            out += [effect] if passes else self._pull(now)
        return out

    def _passes(self, data: bytes) -> bool:
        if self._left == self.passed and FRAME in data:
            return False
        self.passed += data.count(FRAME)
        return self._in_again is None

    def _pull(self, now: float) -> list[Any]:
        if self._left is None:
            return []
        self._left, self._in_again = None, now + 0.02
        booked = [effect for effect in self.inside.gone(1, now) if not isinstance(effect, Write)]
        return [*booked, PowerOff()]


FRAME = b"\x10\x02"


class Counter:
    """A shop of its own: `link` can be cut."""

    def __init__(self, terminal: Terminal, server: Server, link: Tap | Unplugged, clock: MovableClock) -> None:
        self.terminal, self.server, self.link, self._clock = terminal, server, link, clock

    async def begin(self, **asked: Any) -> Transaction:
        transaction = await self.terminal.start(body(self._clock, **asked))
        async with asyncio.timeout(30):
            while not transaction.ended:
                await transaction.changed(transaction.rev, 30)
        return transaction

    async def settle_again(self) -> Transaction:
        async with asyncio.timeout(30):
            while True:
                transaction = await self.begin(kind="settlement", amount=0, currency="")
                if transaction.outcome is None or transaction.outcome.code != "unreachable":
                    return transaction
                await asyncio.sleep(0.05)  # the cable is not in yet

    async def after_a_sale(self, kind: str, cut_at: int | None) -> tuple[Transaction, list[str]]:
        """Sell, then do this with a link that dies; return it, and the kinds that the terminal booked since."""
        sale = await self.begin(amount=1250)
        assert sale.state is State.APPROVED, sale.outcome
        asked: dict[str, Any] = {"kind": kind, "amount": 1250}
        if kind == "reversal":
            asked["original"] = {"uuid": sale.uuid}
        if kind == "settlement":
            asked |= {"amount": 0, "currency": ""}
        self.link.cut_at(cut_at)
        transaction = await self.begin(**asked)
        entries = self.server.ledger.entries[1:]
        return transaction, [entry.kind for entry in entries if entry.outcome == "approved"]


@asynccontextmanager
async def counter(wire: str, keeps: bool, folder: Path, clock: MovableClock) -> AsyncIterator[Counter]:
    inside = VirtualZvt(ZvtSettings(auto="contactless", keeps_unacknowledged=keeps), Faults())
    ledger = Ledger(folder / "ledger")
    if wire == "tcp":
        server = Server(inside, ledger, protocol="zvt")
        await server.start()
        link: Tap | Unplugged = Tap(server.port)
        await link.start()
        place: dict[str, Any] = {"kind": "tcp", "host": "127.0.0.1", "port": link.own_port}
    else:
        link = Unplugged(OnZvtLine(inside))
        server = CableServer(link, ledger, folder / "port", protocol="zvt-serial")
        await server.start()
        place = {"kind": "serial", "device": str(folder / "port")}
    journal = Journal.open(folder / "journal.sqlite", clock=clock)
    info = PROTOCOLS["zvt" if wire == "tcp" else "zvt-serial"]
    terminal = Terminal(
        "counter", "Counter", info, place, {}, journal, clock=clock, exclusive=True, questions=QUESTIONS
    )
    await terminal.recover()
    yield Counter(terminal, server, link, clock)
    await terminal.close()
    await server.stop()
    if isinstance(link, Tap):
        await link.stop()
    journal.close()


@pytest.mark.parametrize(
    ("wire", "kind", "keeps"),
    [
        ("tcp", "sale", False),
        ("tcp", "sale", True),
        ("tcp", "reversal", False),
        ("serial", "sale", False),
        ("serial", "refund", True),
        ("serial", "settlement", False),
    ],
)
async def test_the_link_dies_at_every_boundary(
    wire: str, kind: str, keeps: bool, tmp_path: Path, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "IN_FLIGHT", IN_FLIGHT)

    def folder(name: str) -> Path:
        (made := tmp_path / name).mkdir()
        return made

    async def one(place: int | None) -> tuple[int, str]:
        async with counter(wire, keeps, folder(str(place)), clock) as shop:
            transaction, booked = await shop.after_a_sale(kind, place)
            told = f"{transaction.state} {transaction.outcome and transaction.outcome.code}"
            assert booked in ([], [kind]), (place, booked)
            if kind == "settlement" and transaction.state is State.FAILED:
                assert (await shop.settle_again()).state is State.APPROVED, "it can be started again"
            else:
                assert transaction.state is (State.APPROVED if booked else State.FAILED), (place, booked, told)
            return shop.link.passed, transaction.state.value

    messages, state = await one(None)
    assert (messages > 8, state) == (True, "approved")
    async with asyncio.TaskGroup() as side_by_side:
        tasks = [side_by_side.create_task(one(place)) for place in range(messages + 1)]
    assert {task.result()[1] for task in tasks} == {"approved", "failed"}
