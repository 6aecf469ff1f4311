"""A virtual ZVT terminal at the end of a cable: frames and their acknowledgements around its messages.

It has the face of the terminal inside: bytes, keys, cards and time in, effects out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ..protocols.link import LinkEffect, Received
from ..protocols.machine import Send, StartTimer, StopTimer
from ..protocols.zvt.line import LinkSettings, ZvtLink
from ..protocols.zvt.line.frame import ACK
from .concert import Effect, HangUp, PowerOff, Write
from .zvt import VirtualZvt


@dataclass(slots=True)
class _Wire:
    """One connection: its link, and when its timers fire."""

    link: ZvtLink
    timers: dict[str, float] = field(default_factory=dict)


class OnZvtLine:
    """`inside` at the end of a cable. What is not of the line is asked of it."""

    def __init__(self, inside: VirtualZvt, settings: LinkSettings | None = None) -> None:
        self.inside = inside
        self._settings = settings or LinkSettings()
        self._wires: dict[int, _Wire] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inside, name)

    @property
    def traits(self) -> frozenset[str]:
        """What kind of terminal it is, for the faults that only some can have."""
        return self.inside.traits | {"line"}

    @property
    def wake_at(self) -> float | None:
        """When `tick` has something to do."""
        times = [at for wire in self._wires.values() for at in wire.timers.values()]
        inside = self.inside.wake_at
        return min(times if inside is None else [*times, inside], default=None)

    def received(self, connection: int, data: bytes, now: float) -> list[Effect]:
        """Take bytes from a till."""
        return self._carry_out(connection, self._wire(connection).link.receive(data), now)

    def gone(self, connection: int, now: float) -> list[Effect]:
        """Forget a connection."""
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
            for name in [name for name, at in wire.timers.items() if at <= now]:
                if wire.timers.pop(name, None) is not None:
                    effects += self._carry_out(connection, wire.link.timer(name), now)
        return effects

    def _bring(self, effects: Iterable[Effect], now: float) -> list[Effect]:
        """Put the terminal's messages into frames; the rest is carried out as it is."""
        out: list[Effect] = []
        for effect in effects:
            match effect:
                case Write(connection, chunks):
                    out += self._carry_out(connection, self._wire(connection).link.send(b"".join(chunks)), now)
                case HangUp():
                    pass  # a cable has no connection to close
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
                case Received(message):
                    out += self._bring(self.inside.received(connection, message, now), now)
        return out

    def _send(self, connection: int, data: bytes) -> list[Effect]:
        """Write bytes, as badly as the faults want it."""
        take = self.inside.faults.take
        if data == bytes((ACK,)) and take("no_ack"):
            return []
        if len(data) > 1 and take("wrong_lrc"):
            data = data[:-1] + bytes((data[-1] ^ 1,))
        return [Write(connection, (data,))]

    def _wire(self, connection: int) -> _Wire:
        if connection not in self._wires:
            self._wires[connection] = _Wire(ZvtLink(self._settings))
        return self._wires[connection]
