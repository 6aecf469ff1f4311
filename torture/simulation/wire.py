"""The network between driver and terminals: bytes in order or not at all, as TCP has it, and every way it breaks.

A `Wire` leads to one terminal. Each connection may carry one `Trouble`; what it did to a transaction is noted under
the transaction's uuid at the moment it happens, so that the checker knows what the faults left possible.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from hw_driver.line import Line
from hw_driver.transports import TRANSPORTS, Listener

from ..history import REPAIRED, Notes

#: Seconds between two deliveries on a connection: keeps them in order.
TICK = 1e-6
TO_TERMINAL, TO_DRIVER = 0, 1
#: Seconds of delay that a driver still waits for, on top of any cardholder.
SHORT = 30.0


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with one connection: a name of `TROUBLES`, after how many bytes, for how many seconds."""

    name: str
    byte: int = 0
    seconds: float = 0.0


class Speech(Protocol):
    """What a wire has to know of the protocol on it.

    `corrupt(data, place)` damages the byte at this place so that the protocol can see it; `repairs(data, place)` says
    whether the protocol then asks for these bytes again, `refuses(data)` whether the terminal does so; with `checked` a
    changed digit can be seen as well. `takes(heard, said)`: whether `said` tells the terminal that the result in
    `heard` is safe.
    """

    @property
    def checked(self) -> bool: ...
    def moves_money(self, data: bytes) -> bool: ...
    def corrupt(self, data: bytes, place: int) -> bytes: ...
    def repairs(self, data: bytes, place: int) -> bool: ...
    def refuses(self, data: bytes) -> bool: ...
    def takes(self, heard: bytes, said: bytes) -> bool: ...


class Far(Protocol):
    """The terminal's end."""

    on: bool
    name: str

    def connected(self, connection: Any) -> None: ...
    def received(self, connection: Any, data: bytes, uuid: str) -> None: ...
    def gone(self, connection: Any) -> None: ...


class Wire:
    """The way to one terminal. While it is unplugged nothing passes and nobody is told; the systems at both ends keep
    trying, so that what was written arrives when it is plugged in again, unless its end was aborted meanwhile.
    """

    def __init__(self, far: Far, chance: random.Random, notes: Notes, speech: Speech) -> None:
        self.far = far
        self.chance = chance
        self.notes = notes
        self.speech = speech
        self.plugged = True
        self.next_trouble: Callable[[], Trouble | None] = lambda: None
        self.at_boundary: Callable[[str], None] = lambda what: None
        self.connections: dict[int, Connection] = {}
        self.held: list[Callable[[], None]] = []
        self._count = 0

    def unplug(self) -> None:
        """Let nothing pass."""
        self.plugged = False

    def plug(self) -> None:
        """Let what had to wait pass, in order."""
        self.plugged = True
        held, self.held = self.held, []
        for arrive in held:
            arrive()

    def open(self, near: SimulatedTransport) -> Connection:
        self._count += 1
        connection = Connection(self, self._count, near, self.next_trouble())
        self.connections[self._count] = connection
        return connection

    def driver_died(self) -> None:
        """The system closes what the process had open."""
        for connection in list(self.connections.values()):
            connection.let_go()

    def power_cut(self) -> None:
        """The terminal forgets its connections; whoever writes to it next is told so."""
        for connection in list(self.connections.values()):
            connection.lose("reset")


class Connection:
    """One TCP connection with whatever befalls it."""

    stays = False

    def __init__(self, wire: Wire, number: int, near: SimulatedTransport, trouble: Trouble | None) -> None:
        self.number = number
        self.trouble = trouble
        self._uuid = near.uuid
        self._wire = wire
        self._near: SimulatedTransport | None = near
        self._up = False
        self._aborted = False
        self._last = [0.0, 0.0]
        self._seen = [0, 0]
        self._loop = asyncio.get_running_loop()
        self._split = wire.chance.random() < 0.15

    @property
    def uuid(self) -> str:
        """The transaction it serves, or served last."""
        return self._uuid if self._near is None else self._near.uuid

    # -- opening

    def dial(self, timeout: float) -> None:
        name = self.trouble.name if self.trouble else ""
        if name == "connect_refused" or not self._wire.far.on:
            self._strike("connect_refused")
            self._later(self._latency(), self.lose, "refused")
        elif name == "connect_unreachable":
            self._strike(name)
            self._later(self._latency(), self.lose, "unreachable")
        elif name == "connect_timeout" or not self._wire.plugged:
            self._strike("connect_timeout")
            self._later(timeout, self.lose, "timeout")
        else:
            self._later(2 * self._latency(), self._connected)

    def _connected(self) -> None:
        if self._near is None:
            return
        if not self._wire.far.on:
            self.lose("refused")
            return
        self._up = True
        trouble = self.trouble
        self._wire.far.connected(self)
        if trouble and trouble.name == "reset":
            self._later(trouble.seconds, self._reset)
        if trouble and trouble.name == "junk_at_once":
            self._strike("junk_at_once")
            self._near.heard(self._junk())
            return
        self._near.connected()

    # -- bytes

    def send(self, direction: int, data: bytes) -> None:
        """Take bytes at one end; what arrives at the other, and when, is the trouble's business."""
        if self.trouble is not None:
            data = self._meddle(self.trouble, direction, data)
        uuid, loop, last = self.uuid, self._loop, self._last
        for piece in self._pieces(data) if self._split else (data,):
            if piece:
                last[direction] = at = max(loop.time() + self._delay(direction), last[direction] + TICK)
                loop.call_at(at, self._arrive, direction, piece, uuid)

    def _arrive(self, direction: int, data: bytes, uuid: str) -> None:
        if not self._wire.plugged:
            self._strike("unplugged")
            self._wire.held.append(partial(self._arrive, direction, data, uuid))
        elif direction == TO_TERMINAL:
            if self._up and self._wire.far.on and not self._aborted:
                self._wire.far.received(self, data, uuid)
        elif self._near is not None:
            self._near.heard(data)

    def _meddle(self, trouble: Trouble, direction: int, data: bytes) -> bytes:
        """Return what of these bytes gets through, after the trouble had its way."""
        seen, self._seen[direction] = self._seen[direction], self._seen[direction] + len(data)
        way = _WAYS.get((trouble.name, direction))
        return data if way is None else way(self, data, seen)

    def _silence(self, data: bytes, seen: int) -> bytes:
        self._strike(self._name)
        return b""

    def _cut(self, data: bytes, seen: int) -> bytes:
        assert self.trouble is not None
        left = self.trouble.byte - seen
        if left >= len(data):
            return data
        if left >= 0:
            self._strike(self._name)
            self._later(self._delay(TO_DRIVER) + 0.01, self._reset)
        return data[: max(left, 0)]

    def _corrupted(self, data: bytes, seen: int) -> bytes:
        assert self.trouble is not None
        place = self.trouble.byte - seen
        return self._damaged(data, place) if 0 <= place < len(data) else data

    def _damaged(self, data: bytes, place: int) -> bytes:
        speech = self._wire.speech
        self._strike(f"{REPAIRED}{self._name}" if speech.repairs(data, place) else self._name)
        return speech.corrupt(data, place)

    def _garbage(self, data: bytes, seen: int) -> bytes:
        self._strike(self._name)
        return self._junk()

    def _digit(self, data: bytes, seen: int) -> bytes:
        """Change a digit into another: no protocol without a check can see that."""
        places = [place for place, byte in enumerate(data) if 48 <= byte <= 57]
        if not places:
            return data
        if self._wire.speech.checked:
            return self._corrupted(data, seen)
        self._strike(self._name)
        place = self._wire.chance.choice(places)
        other = 48 + (data[place] - 48 + self._wire.chance.randrange(1, 10)) % 10
        return data[:place] + bytes([other]) + data[place + 1 :]

    @property
    def _name(self) -> str:
        return self.trouble.name if self.trouble else ""

    def _junk(self) -> bytes:
        return self._wire.chance.randbytes(self._wire.chance.randrange(1, 60)) + b"\xff"

    def _pieces(self, data: bytes) -> list[bytes]:
        chance = self._wire.chance
        if len(data) > 1:
            places = sorted(chance.sample(range(1, len(data)), min(len(data) - 1, chance.randrange(1, 6))))
            return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]
        return [data]

    def _latency(self) -> float:
        return 0.0005 + self._wire.chance.random() * 0.01

    def _delay(self, direction: int) -> float:
        trouble = self.trouble
        if trouble and trouble.name == "late_answer" and direction == TO_DRIVER:
            self._strike("delayed" if trouble.seconds < SHORT else "late_answer")
            return self._latency() + trouble.seconds
        return self._latency()

    # -- ends

    def hang_up(self) -> None:
        """The terminal closes, after what it wrote."""
        at = max(self._loop.time() + self._delay(TO_DRIVER), self._last[TO_DRIVER] + TICK)
        self._last[TO_DRIVER] = at
        self._up = False
        self._loop.call_at(at, self._closed)

    def _closed(self) -> None:
        if not self._wire.plugged:
            self._wire.held.append(self._closed)
        elif self._name not in _DEAF:
            self.lose("closed")

    def abort(self) -> None:
        """The driver resets: its system forgets what has not arrived."""
        self._aborted = True
        self.let_go()

    def let_go(self) -> None:
        """The driver closes: the terminal hears of it, after what was written."""
        if self._near is None:
            return
        self._uuid, self._near = self.uuid, None
        at = max(self._loop.time() + self._latency(), self._last[TO_TERMINAL] + TICK)
        self._loop.call_at(at, self._far_gone)

    def lose(self, reason: str) -> None:
        """The link is no more, and the driver is told."""
        self._uuid, near, self._near = self.uuid, self._near, None
        self._far_gone()
        if near is not None:
            near.lost(reason)

    def _reset(self) -> None:
        if self._up and self._near is not None:
            self._strike("reset")
        self.lose("reset")

    def _far_gone(self) -> None:
        if not self._wire.plugged:
            self._wire.held.append(self._far_gone)
            return
        self._wire.connections.pop(self.number, None)
        if self._up:
            self._up = False
            self._wire.far.gone(self)

    def _strike(self, name: str) -> None:
        if self.uuid:
            self._wire.notes.struck(self.uuid, name)

    def _later(self, seconds: float, call: Callable[..., None], *args: Any) -> None:
        self._loop.call_later(seconds, call, *args)


_DEAF = frozenset({"half_open", "answer_swallowed"})
_WAYS: dict[tuple[str, int], Callable[[Connection, bytes, int], bytes]] = {
    ("half_open", TO_TERMINAL): Connection._silence,
    ("half_open", TO_DRIVER): Connection._silence,
    ("answer_swallowed", TO_DRIVER): Connection._silence,
    ("request_cut", TO_TERMINAL): Connection._cut,
    ("answer_cut", TO_DRIVER): Connection._cut,
    ("answer_corrupted", TO_DRIVER): Connection._corrupted,
    ("request_corrupted", TO_TERMINAL): Connection._corrupted,
    ("answer_garbage", TO_DRIVER): Connection._garbage,
    ("digit_changed", TO_DRIVER): Connection._digit,
    ("digit_changed_in_request", TO_TERMINAL): Connection._digit,
}


class Road(Protocol):
    """What the driver has open: a connection, or a port."""

    def dial(self, timeout: float) -> None: ...
    def send(self, direction: int, data: bytes) -> None: ...
    def let_go(self) -> None: ...
    def abort(self) -> None: ...


class SimulatedTransport:
    """The driver's end (hw_driver.transports.Transport). Settings: `wire`."""

    def __init__(self, settings: Mapping[str, Any], listener: Listener) -> None:
        self._wire: Any = settings["wire"]
        self._listener = listener
        self._road: Road | None = None
        self._asked = self._refused = ""
        self._heard = b""

    @property
    def uuid(self) -> str:
        """The transaction whose dialog is under way here, or nothing: a line lives longer than its dialogs."""
        listener: Any = self._listener
        if type(listener) is Line:
            if listener._dialog is None:
                return ""
            listener = listener._dialog.listener
        uuid: str = listener.transaction.uuid
        return uuid

    def open(self, timeout: float) -> None:
        self.close()
        self._road = self._wire.open(self)
        self._road.dial(timeout)

    def write(self, data: bytes) -> None:
        if self._road is None:
            raise ConnectionError("not connected")
        wire, uuid = self._wire, self.uuid
        wire.at_boundary("before write")
        money = wire.speech.moves_money(data)
        wire.notes.wrote(uuid, wire.far.name, data, money, again=money and self._refused == uuid)
        if money:
            self._asked, self._refused = uuid, ""
        elif self._asked and wire.speech.takes(self._heard, data):
            wire.notes.took(uuid, wire.far.name)
        self._road.send(TO_TERMINAL, data)
        wire.at_boundary("after write")

    def acknowledge(self) -> None:
        """A bare wire has no word for it."""

    def close(self) -> None:
        if self._road is not None:
            self._road.let_go()
            self._road = None

    def abort(self) -> None:
        if self._road is not None:
            self._road.abort()
            self._road = None

    # what the connection tells

    def connected(self) -> None:
        self._listener.on_connected()

    def heard(self, data: bytes) -> None:
        if self._road is not None:
            if self._wire.speech.refuses(data):
                self._refused = self._asked
            self._heard = data
            self._listener.on_data(data)

    def lost(self, reason: str) -> None:
        self._road = None
        self._listener.on_lost(reason)


@contextlib.contextmanager
def laid() -> Iterator[None]:
    """Have every way to a terminal simulated while this lasts."""
    before = dict(TRANSPORTS)
    TRANSPORTS.update(dict.fromkeys(TRANSPORTS, SimulatedTransport))
    try:
        yield
    finally:
        TRANSPORTS.update(before)
