"""A virtual terminal at the end of a line: the session of CONCERT around its messages, with what lines do to them.

It has the face of the terminal inside: bytes, keys, cards and time in, effects out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ..protocols.concert.line import EnqLink, LinkSettings
from ..protocols.link import Delivered, LinkEffect, NotOpened, Opened, Received, Refused
from ..protocols.machine import Send, StartTimer, StopTimer
from .concert import Effect, HangUp, PowerOff, VirtualConcert, Write

ACK, STX = 0x06, 0x02
BUSY_SECONDS = 15.0  # longer than a till calls


@dataclass(slots=True)
class _Wire:
    """One connection: its link, the answers still to bring, and when its timers fire."""

    link: EnqLink
    answers: list[bytes] = field(default_factory=list)
    timers: dict[str, float] = field(default_factory=dict)
    hang_up: bool = False


class OnLine:
    """`inside` at the end of a line. What is not of the line is asked of it."""

    def __init__(self, inside: VirtualConcert, settings: LinkSettings | None = None) -> None:
        self.inside = inside
        self._settings = settings or LinkSettings()
        self._wires: dict[int, _Wire] = {}
        self._busy_until = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inside, name)

    @property
    def wake_at(self) -> float | None:
        """When `tick` has something to do."""
        soonest = self.inside.wake_at
        for wire in self._wires.values():
            for at in wire.timers.values():
                if soonest is None or at < soonest:
                    soonest = at
        return soonest

    def received(self, connection: int, data: bytes, now: float) -> list[Effect]:
        """Take bytes from a till."""
        link = self._wire(connection).link
        if link.idle and self._deaf(now):
            return []
        return self._carry_out(connection, link.receive(data), now)

    def _deaf(self, now: float) -> bool:
        """Whether it is busy: then it answers no call at all (concert.md 1.5)."""
        if self.inside.faults.take("busy"):
            self._busy_until = now + BUSY_SECONDS
        return now < self._busy_until or self.inside.at_work

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

    # What the terminal says, brought over the line

    def _bring(self, effects: Iterable[Effect], now: float) -> list[Effect]:
        """Turn the terminal's messages into sessions; the rest is carried out as it is."""
        out: list[Effect] = []
        for effect in effects:
            match effect:
                case Write(connection, chunks):
                    wire = self._wire(connection)
                    wire.answers.append(b"".join(chunks))
                    if len(wire.answers) == 1:
                        out += self._carry_out(connection, wire.link.open(), now)
                case HangUp(connection):
                    wire = self._wire(connection)
                    wire.hang_up = bool(wire.answers)
                    out += [] if wire.hang_up else [effect]
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
                    out += self._take(connection, message, now)
                case Opened():
                    out += self._carry_out(connection, wire.link.send(wire.answers[0]), now)
                case Delivered() | NotOpened() | Refused():
                    out += self._next(connection, now)
        if wire.answers and wire.link.idle:  # silence after its frame: it is not said again
            out += self._next(connection, now)
        return out

    def _take(self, connection: int, message: bytes, now: float) -> list[Effect]:
        """Acknowledge a request and hand it in; one of another protocol is refused on the line."""
        link = self._wire(connection).link
        if not self.inside.understands(message):
            return self._carry_out(connection, link.refuse(), now)
        taken = self._carry_out(connection, link.acknowledge(), now)
        return taken + self._bring(self.inside.received(connection, message, now), now)

    def _next(self, connection: int, now: float) -> list[Effect]:
        """An answer was brought, or nobody took it: go on with the next."""
        wire = self._wire(connection)
        del wire.answers[:1]
        if wire.answers:
            return self._carry_out(connection, wire.link.open(), now)
        return [HangUp(connection)] if wire.hang_up else []

    def _send(self, connection: int, data: bytes) -> list[Effect]:
        """Write bytes, as badly as the faults want it."""
        take = self.inside.faults.take
        if data == bytes((ACK,)) and take("no_ack"):
            return []
        if data[:1] != bytes((STX,)):
            return [Write(connection, (data,))]
        if take("wrong_lrc"):
            data = data[:-1] + bytes((data[-1] ^ 1,))
        if cut := take("cut"):
            return [Write(connection, (data[: cut.value],))]
        if take("corrupt"):
            data = data[:1] + bytes((data[1] | 0x80,)) + data[2:]
        if take("split"):
            return [Write(connection, tuple(data[i : i + 1] for i in range(len(data))))]
        return [Write(connection, (data,))]

    def _wire(self, connection: int) -> _Wire:
        if connection not in self._wires:
            self._wires[connection] = _Wire(EnqLink(self._settings, yields=False))
        return self._wires[connection]
