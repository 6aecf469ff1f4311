"""A virtual CONCERT terminal at the end of a line: a session for each message, with what lines do to them."""

from __future__ import annotations

from collections.abc import Iterable

from ..protocols.concert.line import EnqLink, LinkSettings
from ..protocols.link import Delivered, LinkEffect, NotOpened, Opened, Received, Refused
from .concert import Effect, HangUp, VirtualConcert, Write
from .line_end import LineEnd

ACK, STX = 0x06, 0x02
BUSY_SECONDS = 15.0  # longer than a till calls


class OnLine(LineEnd[EnqLink]):
    """`inside` at the end of a line."""

    def __init__(self, inside: VirtualConcert, settings: LinkSettings | None = None) -> None:
        super().__init__(inside, lambda: EnqLink(settings or LinkSettings(), yields=False))
        self._busy_until = 0.0

    def received(self, connection: int, data: bytes, now: float) -> list[Effect]:
        """Take bytes from a till."""
        if self._wire(connection).link.idle and self._deaf(now):
            return []
        return super().received(connection, data, now)

    def _deaf(self, now: float) -> bool:
        """Whether it is busy: then it answers no call at all (concert.md 1.5)."""
        if self.inside.faults.take("busy"):
            self._busy_until = now + BUSY_SECONDS
        return now < self._busy_until or self.inside.at_work

    def _say(self, connection: int, message: bytes, now: float) -> list[Effect]:
        wire = self._wire(connection)
        wire.answers.append(message)
        return self._carry_out(connection, wire.link.open(), now) if len(wire.answers) == 1 else []

    def _hang_up(self, connection: int) -> list[Effect]:
        """Let go once all answers are brought."""
        wire = self._wire(connection)
        wire.hang_up = bool(wire.answers)
        return [] if wire.hang_up else [HangUp(connection)]

    def _carry_out(self, connection: int, effects: Iterable[LinkEffect], now: float) -> list[Effect]:
        out = super()._carry_out(connection, effects, now)
        wire = self._wire(connection)
        if wire.answers and wire.link.idle:  # silence after its frame: it is not said again
            out += self._next(connection, now)
        return out

    def _happened(self, connection: int, event: LinkEffect, now: float) -> list[Effect]:
        match event:
            case Received(message):
                return self._take(connection, message, now)
            case Opened():
                wire = self._wire(connection)
                return self._carry_out(connection, wire.link.send(wire.answers[0]), now)
            case Delivered() | NotOpened() | Refused():
                return self._next(connection, now)
        return []

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
