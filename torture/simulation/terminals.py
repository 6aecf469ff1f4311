"""Virtual terminals on simulated wires, and how each protocol joins: one entry in `STANDS`."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from hw_driver.protocols.zvt.commands import MONEY_COMMANDS
from hw_driver.protocols.zvt.machine import YES
from hw_driver.virtual.cards import CARDS
from hw_driver.virtual.concert import Book, HangUp, Phase, PowerOff, PowerOn, Settings, VirtualConcert, Write
from hw_driver.virtual.concert_answers import V3, V3_ON_LINE, Dialect
from hw_driver.virtual.concert_v2_answers import V2
from hw_driver.virtual.faults import Faults, faults_of
from hw_driver.virtual.on_line import OnLine
from hw_driver.virtual.zvt import VirtualZvt
from hw_driver.virtual.zvt_on_line import OnZvtLine
from hw_driver.virtual.zvt_talk import ZvtSettings

from ..history import REPAIRED, Charge, Notes
from .cable import Cable
from .clockwork import BEGINNING
from .wire import TO_DRIVER, Wire


@dataclass(frozen=True)
class Stand:
    """How a protocol stands in the harness.

    `transport` is the kind of way to it. `terminal(faults, clock, chance, options)` makes its virtual terminal;
    `settings` are ways to configure it, of which each terminal draws one: options of the driver.
    `moves_money(data)` tells requests that move money from questions; `corrupt(data, place)` damages a byte so that the
    protocol can see it; with `checked` it sees a changed digit as well. `repairs(data, place)` says whether it then
    asks for these bytes again, `refuses(data)` whether the terminal does; `repaired` names the terminal's faults that
    do no more than that. `takes(heard, said)`: whether `said` tells the terminal that the result in `heard` is safe.
    `provable(options, exclusive)`: whether what it tells of its last result can be told from any other. `share`: how
    often it stands in a shop, beside the shares of the others; what says much in a sale takes long to simulate.
    """

    protocol: str
    transport: str
    terminal: Callable[[Faults, Callable[[], datetime], random.Random, Mapping[str, Any]], Any]
    settings: tuple[Mapping[str, Any], ...]
    moves_money: Callable[[bytes], bool]
    corrupt: Callable[[bytes, int], bytes]
    provable: Callable[[Mapping[str, Any], bool], bool] = lambda options, exclusive: False
    checked: bool = False
    repairs: Callable[[bytes, int], bool] = lambda data, place: False
    refuses: Callable[[bytes], bool] = lambda data: False
    repaired: frozenset[str] = frozenset()
    share: int = 2
    takes: Callable[[bytes, bytes], bool] = lambda heard, said: False


def _concert(dialect: Dialect) -> Callable[..., Any]:
    def make(faults: Faults, clock: Callable[[], datetime], chance: random.Random, options: Mapping[str, Any]) -> Any:
        busy = chance.choice(("refuse", "refuse", "wait"))
        settings = Settings(while_busy=busy, duplicata=bool(options.get("duplicata")))
        terminal = VirtualConcert(settings, faults, clock, chance, dialect=dialect)
        return OnLine(terminal) if dialect.framed else terminal

    return make


def _high_bit(data: bytes, place: int) -> bytes:
    """CONCERT is ASCII: a byte that is not can be seen, with a check byte or without."""
    return data[:place] + bytes([data[place] | 0x80]) + data[place + 1 :]


def _in_frame(data: bytes, place: int) -> bool:
    """Whether this is a byte between STX and ETX: the check byte then says at once that something is wrong."""
    return data[:1] == b"\x02" and 0 < place < len(data) - 2


def _asks_for_money(data: bytes) -> bool:
    return b"CD0010" in data or b"CD0011" in data or b"CD0012" in data


_COPIES = {"duplicata": True, "duplicata_idle": True, "duplicata_refused": "07"}
_NAMED = {"private": "reference", "private_echoed": True}
#: What a line repairs, or does without.
_BY_THE_LINE = frozenset({"no_ack", "wrong_lrc"})


def _has_reference(options: Mapping[str, Any], exclusive: bool) -> bool:
    return exclusive and "reference_tag" in options


def _on_line(
    name: str, transport: str, dialect: Dialect, settings: tuple[Mapping[str, Any], ...], **more: Any
) -> Stand:
    """A stand of frames: the session on the line is the same for all."""
    return Stand(
        name,
        transport,
        _concert(dialect),
        settings,
        corrupt=_high_bit,
        checked=True,
        repairs=_in_frame,
        refuses=lambda data: b"\x15" in data,
        **more,
    )


def _v2(transport: str, *settings: Mapping[str, Any]) -> Stand:
    return _on_line(
        "concert-v2",
        transport,
        V2,
        settings,
        moves_money=lambda data: data[:1] == b"\x02",
        repaired=_BY_THE_LINE | {"corrupt"},
    )


def _zvt(faults: Faults, clock: Callable[[], datetime], chance: random.Random, options: Mapping[str, Any]) -> Any:
    """What makes an approval hold is the till's answer, or nothing more: both are in the specification (P15 2.2, 4)."""
    told = bool(options.get("last_result", True))
    settings = ZvtSettings(duplicata=told, keeps_unacknowledged=chance.random() < 0.5)
    return VirtualZvt(settings, faults, clock, chance)


def _zvt_on_line(*what: Any) -> Any:
    return OnZvtLine(_zvt(*what))


def _wrong_head(data: bytes, place: int) -> bytes:
    """ZVT over TCP has no check: only a message that is none, or is longer than it can be, is seen to be wrong."""
    at = 2 if place % 2 and len(data) > 2 else 0
    return data[:at] + bytes([data[at] ^ 0x40]) + data[at + 1 :]


def _eighth_bit(data: bytes, place: int) -> bytes:
    """A frame of ZVT has a check."""
    return data[:place] + bytes([data[place] ^ 0x80]) + data[place + 1 :]


def _can_be_told(options: Mapping[str, Any], exclusive: bool) -> bool:
    return exclusive and bool(options.get("last_result", True))


_ZVT_SETTINGS: tuple[Mapping[str, Any], ...] = (
    {},
    {"slips": "lines"},
    {"slips": "none", "partial_approval": True},
    {"slips": "none", "containers": False, "payment_type": "40"},
    {"slips": "none", "last_result": False},
)
_FRAME = b"\x10\x02"
#: The keys of a cardholder who has to type one.
PIN = ("1", "2", "3", "4", "green")


STANDS: dict[str, Stand] = {
    "concert-v3": Stand(
        "concert-v3",
        "tcp",
        _concert(V3),
        (
            {},
            {"tickets": True, "crlf": True},
            _COPIES,
            _COPIES | {"reference_tag": "CF"},
            _COPIES | {"reference_tag": "CH", "tickets": True},
        ),
        _asks_for_money,
        _high_bit,
        _has_reference,
        share=4,
    ),
    "concert-v3-serial": _on_line(
        "concert-v3-serial",
        "serial",
        V3_ON_LINE,
        ({}, _COPIES, _COPIES | {"reference_tag": "CF"}, _COPIES | {"reference_tag": "CH"}),
        moves_money=_asks_for_money,
        repaired=_BY_THE_LINE,
        provable=_has_reference,
    ),
    "concert-v2 serial": _v2("serial", {}, {"dialect": "E"}, _NAMED),
    "concert-v2 tcp": _v2("tcp", {}, {"dialect": "E", "ticket": True}, _NAMED),
    "zvt": Stand(
        "zvt",
        "tcp",
        _zvt,
        _ZVT_SETTINGS,
        moves_money=lambda data: data[:2] in MONEY_COMMANDS,
        corrupt=_wrong_head,
        provable=_can_be_told,
        takes=lambda heard, said: heard[:2] == b"\x04\x0f" and said == YES,
        share=1,
    ),
    "zvt serial": Stand(
        "zvt-serial",
        "serial",
        _zvt_on_line,
        _ZVT_SETTINGS,
        moves_money=lambda data: data[:2] == _FRAME and data[2:4] in MONEY_COMMANDS,
        corrupt=_eighth_bit,
        provable=_can_be_told,
        checked=True,
        repairs=lambda data, place: data[:2] == _FRAME and place >= 2,
        refuses=lambda data: data == b"\x15",
        repaired=_BY_THE_LINE,
        share=1,
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
    stand: Stand
    options: Mapping[str, Any]
    chance: random.Random
    notes: Notes
    cardholder: Callable[[], Cardholder]
    on: bool = True
    faults: Faults = field(default_factory=Faults)
    lines: dict[int, Any] = field(default_factory=dict)
    asked: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        stand = self.stand
        self._loop = asyncio.get_running_loop()
        self.terminal = stand.terminal(self.faults, self._clock, self.chance, self.options)
        #: Every fault it can have, each as often as the others; an answer in another version is its own kind.
        self.may_have = [name for name in faults_of(self.terminal.traits) if name != "version"]
        self.wire: Wire | Cable
        if stand.transport == "serial":
            self.wire = Cable(self, self.chance, self.notes, stand)
            self.connected(self.wire.end)
        else:
            self.wire = Wire(self, self.chance, self.notes, stand)
        self._inside = getattr(self.terminal, "inside", self.terminal)  # the line has no say in what it does
        self._timer: asyncio.TimerHandle | None = None
        self._wake_at: float | None = None
        self._phase = Phase.IDLE

    @property
    def idle(self) -> bool:
        return self._phase not in (Phase.CARD, Phase.PIN, Phase.AUTHORISING)

    # -- the wire

    def connected(self, connection: Any) -> None:
        self.lines[connection.number] = connection

    def received(self, connection: Any, data: bytes, uuid: str) -> None:
        number = connection.number
        if uuid and self._inside.serving != number:  # what comes meanwhile is not what it is doing
            self.asked[number] = uuid
        self._do(partial(self.terminal.received, number, data))

    def gone(self, connection: Any) -> None:
        self.lines.pop(connection.number, None)
        self._do(partial(self.terminal.gone, connection.number))

    # -- people

    def power_cut(self, seconds: float) -> None:
        self._do(lambda now: self.terminal.power_off(now, seconds))

    def typed(self, amount: int) -> None:
        """Somebody types an amount on the terminal itself."""
        self._do(partial(self.terminal.standalone, amount))

    def _act(self, who: Cardholder) -> None:
        if self._phase is Phase.CARD:
            pays = who.card in CARDS
            self._do(partial(self.terminal.present, who.card) if pays else partial(self.terminal.press, "red"))
        if self._phase is Phase.PIN:
            self._do(self._type_pin)

    def _type_pin(self, now: float) -> list[Any]:
        return [effect for key in PIN for effect in self.terminal.press(key, now)]

    # -- running it

    def _clock(self) -> datetime:
        return BEGINNING

    def _do(self, happen: Callable[[float], list[Any]]) -> None:
        now = self._loop.time()
        terminal = self.terminal
        armed = self.faults.armed.copy() if self.faults.armed else {}
        dialog = self._inside.serving
        self._carry_out(happen(now))
        while (wake_at := terminal.wake_at) is not None and wake_at <= now:
            self._carry_out(terminal.tick(now))
        if wake_at != self._wake_at or happen == terminal.tick:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_at(wake_at, self._do, terminal.tick) if wake_at is not None else None
            self._wake_at = wake_at
        if armed:
            self._blame(armed, dialog)
        if (phase := self._inside.phase) is not self._phase:
            self._phase = phase
            if phase is Phase.CARD:
                who = self.cardholder()
                if who.card != "nobody":
                    self._loop.call_later(who.thinks, self._act, who)

    def _blame(self, armed: Mapping[str, Any], before: int | None) -> None:
        """Note the faults that have just happened under whoever was served."""
        serving = self._inside.serving if before is None else before
        for name in armed:
            if name not in self.faults.armed:
                uuid = self.asked.get(serving if serving is not None else self._last_asked, "")
                repaired = REPAIRED if name in self.stand.repaired else ""
                self.notes.struck(uuid, f"{repaired}terminal:{name}")

    @property
    def _last_asked(self) -> int:
        return max(self.asked, default=0)

    def _carry_out(self, effects: Iterable[Any]) -> None:
        for effect in effects:
            match effect:
                case Write(connection, chunks):
                    if line := self.lines.get(connection):
                        for chunk in chunks:
                            line.send(TO_DRIVER, chunk)
                case Book(entry, asked_by):
                    self._book(entry, self.asked.get(asked_by, ""))
                case HangUp(connection):
                    if line := self.lines.get(connection):
                        self._forget(line)
                        line.hang_up()
                case PowerOff():
                    self.on = False
                    for line in list(self.lines.values()):
                        self._forget(line)
                        if line.uuid:
                            self.notes.struck(line.uuid, "terminal_restarted")
                        self._loop.call_soon(line.lose, "reset")  # what the driver does then is not the terminal's
                case PowerOn():
                    self.on = True

    def _forget(self, line: Any) -> None:
        if not line.stays:
            del self.lines[line.number]

    def _book(self, entry: Any, uuid: str) -> None:
        charge = Charge(
            self.name, uuid, entry.kind, entry.asked, entry.amount, entry.outcome, entry.auth_code, self._loop.time()
        )
        self.notes.charges.append(charge)
        done = f"{entry.outcome} {entry.kind} {entry.amount} of {entry.asked}"
        self.notes.tell(uuid, f"terminal {self.name} booked: {done}")
