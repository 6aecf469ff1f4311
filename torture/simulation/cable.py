"""A serial line between driver and terminal: there is nothing to connect to, and what nobody hears is gone.

Noise strikes single writes: a byte is lost or has its eighth bit set, a piece comes twice, late, or in pieces. It is
drawn as `trouble.NOISE` says, which has quiet hours and bad minutes.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator

from ..history import REPAIRED, Notes
from .wire import TICK, TO_DRIVER, TO_TERMINAL, Far, SimulatedTransport, Speech

#: The terminal's number of the only connection there is.
ONLY = 1
#: Seconds until a port is open, and until what is written comes out at the other end.
OPENING, TRAVEL = 0.03, 0.02
#: What noise does to a write, and how often in comparison.
NOISES: dict[str, int] = {"byte_lost": 3, "byte_changed": 3, "twice": 2, "late": 2, "split": 3}
#: Longest delay in seconds: some of it outlasts the line's patience.
LONGEST_DELAY = 6.0


class Cable:
    """The cable to one terminal. A USB cable (`tells`) shows both ends that the other is gone; RS-232 shows nothing."""

    def __init__(self, far: Far, chance: random.Random, notes: Notes, speech: Speech) -> None:
        self.far = far
        self.chance = chance
        self.notes = notes
        self.speech = speech
        self.plugged = True
        self.tells = chance.random() < 0.5
        self.noise: Callable[[], float] = lambda: 0.0
        self.at_boundary: Callable[[str], None] = lambda what: None
        self.port: Port | None = None
        self.end = End(self)
        self.last = [0.0, 0.0]
        self._loop = asyncio.get_running_loop()

    @property
    def there(self) -> bool:
        """Whether a port can be opened."""
        return not self.tells or (self.plugged and self.far.on)

    def open(self, near: SimulatedTransport) -> Port:
        self.port = Port(self, near)
        return self.port

    def driver_died(self) -> None:
        """The system closes the port."""
        if self.port is not None:
            self.port.let_go()

    def unplug(self) -> None:
        self.plugged = False
        self.vanished()

    def plug(self) -> None:
        self.plugged = True

    def vanished(self) -> None:
        """Nothing passes any more; a USB port is gone as well."""
        if self.port is not None:
            self.strike(self.port.uuid, "unplugged")
            if self.tells:
                asyncio.get_running_loop().call_soon(self.port.lose, "unplugged")

    def strike(self, uuid: str, name: str) -> None:
        if uuid:
            self.notes.struck(uuid, name)

    # -- bytes

    def send(self, direction: int, data: bytes, uuid: str, arrive: Callable[[bytes], None]) -> None:
        """Carry bytes in one direction, as well as the noise lets them."""
        loop = self._loop
        struck = self.chance.random() < self.noise()
        for seconds, piece in self._struck(data, uuid) if struck else ((TRAVEL, data),):
            at = max(loop.time() + seconds, self.last[direction] + TICK)
            self.last[direction] = at
            loop.call_at(at, self._arrive, piece, uuid, arrive)

    def _arrive(self, data: bytes, uuid: str, arrive: Callable[[bytes], None]) -> None:
        if self.plugged and self.far.on:
            arrive(data)
        else:
            self.strike(uuid, "unplugged")

    def _struck(self, data: bytes, uuid: str) -> Iterator[tuple[float, bytes]]:
        """Yield (seconds, bytes) as they come out at the other end, where noise strikes them."""
        chance = self.chance
        name = chance.choices(list(NOISES), list(NOISES.values()))[0]
        place = chance.randrange(len(data))
        after = data[place + 1 :]
        if name == "split":
            yield TRAVEL, data[: place + 1]
            if after:
                yield TRAVEL + 0.2, after
            return
        damage = name in ("byte_lost", "byte_changed")
        repaired = damage and self.speech.repairs(data, place)
        self.strike(uuid, f"{REPAIRED}{name}" if repaired else name)
        if damage:
            data = data[:place] + after if name == "byte_lost" else self.speech.corrupt(data, place)
        if data:
            yield (chance.random() * LONGEST_DELAY if name == "late" else TRAVEL), data
            if name == "twice":
                yield TRAVEL, data[place:]


class Port:
    """The driver's end, while it has the port open."""

    def __init__(self, cable: Cable, near: SimulatedTransport) -> None:
        self._cable = cable
        self._near: SimulatedTransport | None = near

    @property
    def uuid(self) -> str:
        """The transaction whose dialog is under way, or nothing."""
        return self._near.uuid if self._near is not None else ""

    def dial(self, timeout: float) -> None:
        asyncio.get_running_loop().call_later(OPENING, self._opened)

    def _opened(self) -> None:
        if not self._cable.there:
            self.lose("no_port")
        elif self._near is not None:
            self._near.connected()

    def send(self, direction: int, data: bytes) -> None:
        cable, uuid = self._cable, self.uuid
        cable.send(TO_TERMINAL, data, uuid, lambda piece: cable.far.received(cable.end, piece, uuid))

    def heard(self, data: bytes) -> None:
        if self._near is not None:
            self._near.heard(data)

    def let_go(self) -> None:
        self._near = None

    abort = let_go

    def lose(self, reason: str) -> None:
        self._cable.strike(self.uuid, reason)
        near, self._near = self._near, None
        if near is not None:
            near.lost(reason)


class End:
    """The terminal's end: always there, whoever listens."""

    number = ONLY
    stays = True

    def __init__(self, cable: Cable) -> None:
        self._cable = cable

    @property
    def uuid(self) -> str:
        return self._cable.port.uuid if self._cable.port is not None else ""

    def send(self, direction: int, data: bytes) -> None:
        self._cable.send(TO_DRIVER, data, self.uuid, self._heard)

    def _heard(self, data: bytes) -> None:
        if self._cable.port is not None:
            self._cable.port.heard(data)

    def hang_up(self) -> None:
        """A cable stays where it is."""

    def lose(self, reason: str) -> None:
        self._cable.vanished()
