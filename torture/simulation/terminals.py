"""Virtual terminals on simulated wires, and how each protocol joins: one entry in `STANDS`."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from hw_driver.virtual.cards import CARDS
from hw_driver.virtual.concert import Book, HangUp, Phase, PowerOff, PowerOn, Settings, VirtualConcert, Write
from hw_driver.virtual.faults import FAULTS, Faults

from ..history import Charge, Notes
from .clockwork import BEGINNING
from .wire import TO_DRIVER, Connection, Wire


@dataclass(frozen=True)
class Stand:
    """How a protocol stands in the harness.

    `terminal(faults, clock, chance)` makes its virtual terminal; `settings` are ways to configure it, of which each
    terminal draws one: options of the driver. `corrupt(data, chance)` damages bytes so that the protocol can detect it;
    `moves_money(data)` tells requests that move money from questions;
    `provable(options, exclusive)` says whether what a terminal tells of its last result can be told from any other's.
    """

    terminal: Callable[[Faults, Callable[[], datetime], random.Random, Mapping[str, Any]], VirtualConcert]
    settings: tuple[Mapping[str, Any], ...]
    corrupt: Callable[[bytes, random.Random], bytes]
    moves_money: Callable[[bytes], bool]
    provable: Callable[[Mapping[str, Any], bool], bool]


def _concert(
    faults: Faults, clock: Callable[[], datetime], chance: random.Random, options: Mapping[str, Any]
) -> VirtualConcert:
    busy = chance.choice(("refuse", "refuse", "wait"))
    return VirtualConcert(Settings(while_busy=busy, duplicata=bool(options.get("duplicata"))), faults, clock, chance)


def _high_bit(data: bytes, chance: random.Random) -> bytes:
    """CONCERT V3 is ASCII without a checksum: what it can detect is a byte that is not."""
    place = chance.randrange(len(data))
    return data[:place] + bytes([data[place] | 0x80]) + data[place + 1 :]


_SALE, _REFUND = b"CD0010", b"CD0011"
_COPIES = {"duplicata": True, "duplicata_idle": True, "duplicata_refused": "07"}

STANDS: dict[str, Stand] = {
    "concert-v3": Stand(
        _concert,
        (
            {},
            {"tickets": True, "crlf": True},
            _COPIES,
            _COPIES | {"reference_tag": "CF"},
            _COPIES | {"reference_tag": "CH", "tickets": True},
        ),
        _high_bit,
        lambda data: _SALE in data or _REFUND in data,
        lambda options, exclusive: exclusive and "reference_tag" in options,
    ),
}


@dataclass(slots=True)
class Cardholder:
    """What the next person at the terminal will do: hold `card` to it after `thinks` seconds, press red, or nothing."""

    card: str
    thinks: float


@dataclass
class Box:
    """One terminal where it stands: power, cardholders, and a ledger that is beyond every part's reach."""

    name: str
    protocol: str
    options: Mapping[str, Any]
    chance: random.Random
    notes: Notes
    cardholder: Callable[[], Cardholder]
    on: bool = True
    faults: Faults = field(default_factory=Faults)
    lines: dict[int, Connection] = field(default_factory=dict)
    asked: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        stand = STANDS[self.protocol]
        self._loop = asyncio.get_running_loop()
        self.terminal = stand.terminal(self.faults, self._clock, self.chance, self.options)
        self.moves_money = stand.moves_money
        self.wire = Wire(self, self.chance, self.notes, stand.corrupt)
        self._timer: asyncio.TimerHandle | None = None
        self._phase = Phase.IDLE

    @property
    def idle(self) -> bool:
        return self._phase not in (Phase.CARD, Phase.PIN, Phase.AUTHORISING)

    # -- the wire

    def connected(self, connection: Connection) -> None:
        self.lines[connection.number] = connection

    def received(self, connection: Connection, data: bytes) -> None:
        self.asked[connection.number] = connection.uuid
        self._do(partial(self.terminal.received, connection.number, data))

    def gone(self, connection: Connection) -> None:
        self.lines.pop(connection.number, None)
        self._do(partial(self.terminal.gone, connection.number))

    # -- people

    def power_cut(self, seconds: float) -> None:
        for connection in self.lines.values():
            self.notes.struck(connection.uuid, "terminal_restarted")
        self._do(lambda now: self.terminal.power_off(now, seconds))

    def _act(self, who: Cardholder) -> None:
        if self._phase is Phase.CARD:
            pays = who.card in CARDS
            self._do(partial(self.terminal.present, who.card) if pays else partial(self.terminal.press, "red"))
        if self._phase is Phase.PIN:
            for key in ("1", "2", "3", "4", "green"):
                self._do(partial(self.terminal.press, key))

    # -- running it

    def _clock(self) -> datetime:
        return BEGINNING

    def _do(self, happen: Callable[[float], list[Any]]) -> None:
        now = self._loop.time()
        armed = self.faults.armed.copy() if self.faults.armed else {}
        dialog = self.terminal.serving
        self._carry_out(happen(now))
        while (wake_at := self.terminal.wake_at) is not None and wake_at <= now:
            self._carry_out(self.terminal.tick(now))
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(wake_at, self._do, self.terminal.tick) if wake_at is not None else None
        if armed:
            self._blame(armed, dialog)
        if (phase := self.terminal.phase) is not self._phase:
            self._phase = phase
            if phase is Phase.CARD:
                who = self.cardholder()
                if who.card != "nobody":
                    self._loop.call_later(who.thinks, self._act, who)

    def _blame(self, armed: Mapping[str, Any], before: int | None) -> None:
        """Note the faults that have just happened under whoever was served."""
        serving = self.terminal.serving if before is None else before
        for name in armed:
            if name not in self.faults.armed:
                uuid = self.asked.get(serving if serving is not None else self._last_asked, "")
                self.notes.struck(uuid, f"terminal:{name}")

    @property
    def _last_asked(self) -> int:
        return max(self.asked, default=0)

    def _carry_out(self, effects: Iterable[Any]) -> None:
        for effect in effects:
            match effect:
                case Book(entry, asked_by):
                    self._book(entry, self.asked.get(asked_by, ""))
                case Write(connection, chunks):
                    if line := self.lines.get(connection):
                        for chunk in chunks:
                            line.send(TO_DRIVER, chunk)
                case HangUp(connection):
                    if line := self.lines.pop(connection, None):
                        line.hang_up()
                case PowerOff():
                    self.on = False
                    lines = list(self.lines.values())
                    self.lines.clear()
                    for line in lines:
                        self.notes.struck(line.uuid, "terminal_restarted")
                        line.lose("reset")
                case PowerOn():
                    self.on = True

    def _book(self, entry: Any, uuid: str) -> None:
        charge = Charge(
            self.name, uuid, entry.kind, entry.asked, entry.amount, entry.outcome, entry.auth_code, self._loop.time()
        )
        self.notes.charges.append(charge)
        done = f"{entry.outcome} {entry.kind} {entry.amount} of {entry.asked}"
        self.notes.tell(uuid, f"terminal {self.name} booked: {done}")


#: Faults of virtual terminals, each as often as the others. An answer in another version is its own kind of terminal.
AT_THE_TERMINAL: dict[str, int] = {name: 1 for name in FAULTS if name != "version"}
