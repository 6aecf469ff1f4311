"""A virtual ZVT terminal at the end of a cable: frames and their acknowledgements around its messages."""

from __future__ import annotations

from ..protocols.link import LinkEffect, Received
from ..protocols.zvt.line import LinkSettings, ZvtLink
from ..protocols.zvt.line.frame import ACK
from .concert import Effect, Write
from .line_end import LineEnd
from .zvt import VirtualZvt


class OnZvtLine(LineEnd[ZvtLink]):
    """`inside` at the end of a cable."""

    def __init__(self, inside: VirtualZvt, settings: LinkSettings | None = None) -> None:
        super().__init__(inside, lambda: ZvtLink(settings or LinkSettings()))

    @property
    def traits(self) -> frozenset[str]:
        """What kind of terminal it is, for the faults that only some can have."""
        return frozenset(self.inside.traits | {"line"})

    def _say(self, connection: int, message: bytes, now: float) -> list[Effect]:
        return self._carry_out(connection, self._wire(connection).link.send(message), now)

    def _hang_up(self, connection: int) -> list[Effect]:
        return []  # a cable has no connection to close

    def _happened(self, connection: int, event: LinkEffect, now: float) -> list[Effect]:
        if isinstance(event, Received):
            return self._bring(self.inside.received(connection, event.message, now), now)
        return []

    def _send(self, connection: int, data: bytes) -> list[Effect]:
        take = self.inside.faults.take
        if data == bytes((ACK,)) and take("no_ack"):
            return []
        if len(data) > 1 and take("wrong_lrc"):
            data = data[:-1] + bytes((data[-1] ^ 1,))
        return [Write(connection, (data,))]
