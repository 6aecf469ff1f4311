"""ZVT in virtual time: the link dies at every message boundary, whichever side learns of it, and every kind of dialog.

Driver's code, journal and virtual terminal are the real ones, the wires are those of the simulation: that one side
hears nothing for minutes costs nothing here. Real sockets and pseudo-terminals: runtime/test_zvt_cut.py.
"""

from __future__ import annotations

import asyncio
import dataclasses
import random
import uuid
from collections.abc import Callable, Mapping
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from hw_driver.clock import iso
from hw_driver.journal import Journal
from hw_driver.protocols.registry import PROTOCOLS
from hw_driver.protocols.states import State
from hw_driver.protocols.zvt.line.frame import ACK, NAK
from hw_driver.terminal import Terminal
from hw_driver.transaction import Transaction
from hw_driver.virtual.zvt import VirtualZvt
from hw_driver.virtual.zvt_on_line import OnZvtLine
from hw_driver.virtual.zvt_talk import ZvtSettings
from torture.history import Notes
from torture.simulation import terminals
from torture.simulation.cable import Cable
from torture.simulation.clockwork import BEGINNING, VirtualClock, VirtualLoop
from torture.simulation.disk import Disk, mounted
from torture.simulation.terminals import STANDS, Box, Cardholder, Stand
from torture.simulation.wire import TO_TERMINAL, Connection, Wire, laid

#: What is asked, and whether an approval holds before the till has answered it.
DIALOGS = [*product(("sale", "reversal", "refund"), (False, True)), ("settlement", False)]
#: Which side learns at once that the link is dead; the other hears nothing more.
SIDES = {"zvt": ("both", "till", "terminal"), "zvt serial": ("neither",)}
CONTROLS = (bytes((ACK,)), bytes((NAK,)))


class Cut:
    """Where a link dies: after so many messages; `passed` counts them."""

    def __init__(self) -> None:
        self.passed, self.at, self.side, self.dead = 0, -1, "", False

    def arm(self, at: int, side: str) -> None:
        self.passed, self.at, self.side, self.dead = 0, at, side, False

    def dies(self) -> bool:
        """Count a message; whether the link dies before it."""
        if self.at == self.passed and not self.dead:
            self.at, self.dead = -1, True
            return True
        self.passed += not self.dead
        return False


class CutConnection(Connection):
    """A connection that dies; what is written to it afterwards is gone."""

    deaf = False

    def send(self, direction: int, data: bytes) -> None:
        cut: Cut = self._wire.cut  # type: ignore[attr-defined]
        if self.deaf:
            return
        if not cut.dies():
            super().send(direction, data)
            return
        self.deaf = True
        self._later(0, {"both": self._both, "till": self._till, "terminal": self._far_gone}[cut.side])

    def _both(self) -> None:
        self.lose("reset")

    def _till(self) -> None:
        near, self._near = self._near, None
        if near is not None:
            near.lost("reset")


class CutWire(Wire):
    def open(self, near: Any) -> Connection:
        self._count += 1
        connection = CutConnection(self, self._count, near, None)
        connection._split = False
        self.cut.dead = False  # type: ignore[attr-defined]
        self.connections[self._count] = connection
        return connection


class CutCable(Cable):
    """A cable that is pulled, which nobody is told, and in again when the till begins anew."""

    def send(self, direction: int, data: bytes, uuid: str, arrive: Callable[[bytes], None]) -> None:
        cut: Cut = self.cut  # type: ignore[attr-defined]
        if direction == TO_TERMINAL and data.startswith(b"\x10\x02\x06\x00"):
            cut.dead = False
        if data not in CONTROLS and cut.dies():
            return
        if not cut.dead:
            super().send(direction, data, uuid, arrive)


def stand_of(name: str, *, keeps: bool, reports: bool) -> Stand:
    def make(faults: Any, clock: Any, chance: random.Random, options: Mapping[str, Any]) -> Any:
        settings = ZvtSettings(auto="contactless", keeps_unacknowledged=keeps, duplicata=reports)
        inside = VirtualZvt(settings, faults, clock, chance)
        return OnZvtLine(inside) if STANDS[name].transport == "serial" else inside

    return dataclasses.replace(STANDS[name], terminal=make)


class Shop:
    """One terminal whose link can be cut, and the driver's side of it."""

    def __init__(self, name: str, folder: Path, *, keeps: bool, reports: bool) -> None:
        self.loop = asyncio.get_running_loop()
        stand, clock = stand_of(name, keeps=keeps, reports=reports), VirtualClock(self.loop)  # type: ignore[arg-type]
        self.notes = Notes(self.loop.time, lambda: 0)
        chance = random.Random(1)
        self.box = Box("A", stand, {}, chance, self.notes, lambda: Cardholder("nobody", 0.0))
        self.cut, self.passed = Cut(), 0
        self.box.wire.cut = self.cut  # type: ignore[union-attr]
        self.journal = Journal.open(folder / "journal.sqlite", clock=clock, allow_tmpfs=True)
        transport = {"kind": stand.transport, "wire": self.box.wire}
        info = PROTOCOLS[stand.protocol]
        self.terminal = Terminal("A", "A", info, transport, {}, self.journal, clock=clock, exclusive=True)

    async def ask(self, **asked: Any) -> Transaction:
        late = BEGINNING + timedelta(seconds=self.loop.time() + 30)
        place = {name: str(uuid.uuid4()) for name in ("uuid", "order", "line")}
        body = {"terminal": "A", "amount": 1250, "currency": "EUR", "not_after": iso(late), **place, **asked}
        if asked["kind"] == "settlement":
            body |= {"amount": 0, "currency": ""}
        transaction = await self.terminal.start(body)
        while not transaction.ended:
            await transaction.changed(transaction.rev, 1000)
        return transaction

    async def at_rest(self) -> None:
        """Let both sides come to their ends, and the last questions be asked."""
        await asyncio.sleep(2400)

    @property
    def charged(self) -> list[str]:
        return [charge.kind for charge in self.notes.charges if charge.outcome == "approved"]


async def after_a_sale(shop: Shop, kind: str, at: int, side: str) -> State:
    """Sell, then do this on a link that dies; return how it ended at last."""
    await shop.terminal.recover()
    sale = await shop.ask(kind="sale")
    assert (sale.state, shop.charged) == (State.APPROVED, ["sale"]), sale.outcome
    shop.cut.arm(at, side)
    transaction = await shop.ask(kind=kind, original={"uuid": sale.uuid} if kind == "reversal" else None)
    shop.cut.at, shop.passed = -1, shop.cut.passed
    await shop.at_rest()
    money = [written.uuid for written in shop.notes.written if written.uuid == transaction.uuid and not written.again]
    assert len(money) <= 1, "asked for once"
    record = shop.journal.get(transaction.uuid)
    assert record is not None
    if kind == "settlement":
        assert record.state in (State.APPROVED, State.FAILED), "an end of day keeps nobody waiting"
        assert (await shop.ask(kind=kind)).state is State.APPROVED
        await asyncio.sleep(1)
    after = await shop.ask(kind="sale")
    assert after.state is State.APPROVED, f"the next customer can pay: {after.outcome}"
    await shop.terminal.close()
    return record.state


def played(name: str, kind: str, at: int, side: str, folder: Path, **settings: bool) -> tuple[State, list[str], int]:
    """Return how it ended, what the terminal charged for it, and how many messages passed."""
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)

    async def play() -> tuple[State, list[str], int]:
        shop = Shop(name, folder, **settings)
        state = await after_a_sale(shop, kind, at, side)
        return state, shop.charged[1:-1], shop.passed

    try:
        with mounted(Disk()), laid():
            return loop.run_until_complete(play())
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        asyncio.set_event_loop(None)
        loop.close()


@pytest.fixture(autouse=True)
def wires(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminals, "Wire", CutWire)
    monkeypatch.setattr(terminals, "Cable", CutCable)


@pytest.mark.parametrize(("kind", "keeps"), DIALOGS)
@pytest.mark.parametrize(("name", "side"), [(name, side) for name, sides in SIDES.items() for side in sides])
def test_a_link_that_dies_at_every_boundary(name: str, side: str, kind: str, keeps: bool, tmp_path: Path) -> None:
    state, charged, messages = played(name, kind, -1, side, tmp_path, keeps=keeps, reports=True)
    assert (state, charged[:1]) == (State.APPROVED, [kind])
    ends = set()
    for at in range(messages):
        state, charged, _ = played(name, kind, at, side, tmp_path, keeps=keeps, reports=True)
        if kind == "settlement":
            assert charged in (["settlement"], ["settlement"] * 2), at
        else:
            assert charged == ([kind] if state is State.APPROVED else []), (at, state, charged)
            assert state in (State.APPROVED, State.FAILED), (at, state)
        ends.add(state)
    assert ends == {State.APPROVED, State.FAILED}


@pytest.mark.parametrize("name", SIDES)
def test_a_terminal_that_cannot_tell_leaves_what_is_not_known(name: str, tmp_path: Path) -> None:
    """So what resolves itself above does so by the terminal's word alone."""
    side = SIDES[name][0]
    ends = [played(name, "sale", at, side, tmp_path, keeps=True, reports=False)[:2] for at in range(20)]
    assert {state for state, _ in ends} == {State.FAILED, State.UNKNOWN, State.APPROVED}
    assert not [charged for state, charged in ends if state is State.FAILED and charged]
    assert {tuple(charged) for state, charged in ends if state is State.UNKNOWN} == {(), ("sale",)}
