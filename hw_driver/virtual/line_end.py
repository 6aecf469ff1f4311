"""A virtual terminal at the end of a line: what every session protocol has around the terminal's messages.

It has the face of the terminal inside: bytes, keys, cards and time in, effects out.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from ..protocols.link import Link, LinkEffect
from ..protocols.machine import Send, StartTimer, StopTimer
from .concert import Effect, HangUp, PowerOff, Write

L = TypeVar("L", bound=Link)


@dataclass(slots=True)
class Wire(Generic[L]):
    """One connection: its link, the answers still to bring, and when its timers fire."""

    link: L
    answers: list[bytes] = field(default_factory=list)
    timers: dict[str, float] = field(default_factory=dict)
    hang_up: bool = False


class LineEnd(ABC, Generic[L]):
    """`inside` at the end of a line of links that `link` makes. What is not of the line is asked of it."""

    def __init__(self, inside: Any, link: Callable[[], L]) -> None:
        self.inside = inside
        self._link = link
        self._wires: dict[int, Wire[L]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inside, name)

    @property
    def wake_at(self) -> float | None:
        """When `tick` has something to do."""
        soonest: float | None = self.inside.wake_at
        for wire in self._wires.values():
            for at in wire.timers.values():
                if soonest is None or at < soonest:
                    soonest = at
        return soonest

    def received(self, connection: int, data: bytes, now: float) -> list[Effect]:
        """Take bytes from a till."""
        return self._carry_out(connection, self._wire(connection).link.receive(data), now)

    def gone(self, connection: int, now: float) -> list[Effect]:
        """Forget a connection; its dialog goes on."""
        self._wires.pop(connection, None)
        return self._bring(self.inside.gone(connection, now), now)

    def present(self, name: str, now: float) -> list[Effect]:
        """A cardholder holds a card to the terminal."""
        return self._bring(self.inside.present(name, now), now)

    def press(self, key: str, now: float) -> list[Effect]:
        """A key of the terminal is pressed."""
        return self._bring(self.inside.press(key, now), now)

    def standalone(self, amount: int, now: float) -> list[Effect]:
        """Somebody types an amount on the terminal itself."""
        return self._bring(self.inside.standalone(amount, now), now)

    def power_off(self, now: float, seconds: float) -> list[Effect]:
        """Lose power for `seconds`."""
        return self._bring(self.inside.power_off(now, seconds), now)

    def tick(self, now: float) -> list[Effect]:
        """Do what is due."""
        effects = self._bring(self.inside.tick(now), now)
        for connection, wire in list(self._wires.items()):
            for name in [name for name, at in wire.timers.items() if at <= now] if wire.timers else ():
                if wire.timers.pop(name, None) is not None:
                    effects += self._carry_out(connection, wire.link.timer(name), now)
        return effects

    def _bring(self, effects: Iterable[Effect], now: float) -> list[Effect]:
        """Turn the terminal's messages into what the line carries; the rest is carried out as it is."""
        out: list[Effect] = []
        for effect in effects:
            match effect:
                case Write(connection, chunks):
                    out += self._say(connection, b"".join(chunks), now)
                case HangUp(connection):
                    out += self._hang_up(connection)
                case PowerOff():
                    self._wires.clear()
                    out.append(effect)
                case _:
                    out.append(effect)
        return out

    def _carry_out(self, connection: int, effects: Iterable[LinkEffect], now: float) -> list[Effect]:
        wire = self._wire(connection)
        out: list[Effect] = []
        for effect in effects:
            match effect:
                case Send(data):
                    out += self._send(connection, data)
                case StartTimer(name, seconds):
                    wire.timers[name] = now + seconds
                case StopTimer(name):
                    wire.timers.pop(name, None)
                case _:
                    out += self._happened(connection, effect, now)
        return out

    @abstractmethod
    def _say(self, connection: int, message: bytes, now: float) -> list[Effect]:
        """Bring a message to the till."""

    @abstractmethod
    def _hang_up(self, connection: int) -> list[Effect]:
        """Do what stands for closing the connection."""

    @abstractmethod
    def _happened(self, connection: int, event: LinkEffect, now: float) -> list[Effect]:
        """Take what the link tells: a message that came, one that was delivered or not."""

    @abstractmethod
    def _send(self, connection: int, data: bytes) -> list[Effect]:
        """Write bytes, as badly as the faults want it."""

    def _wire(self, connection: int) -> Wire[L]:
        if connection not in self._wires:
            self._wires[connection] = Wire(self._link())
        return self._wires[connection]
