"""CONCERT V3 on a cable: the messages of V3 inside the frames and sessions of V2 (concert.md 2.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ..machine import Acknowledge, Effect, MalformedMessage, Outcome, Result
from ..options import Option, check
from ..recovery import Last
from ..states import State
from .duplicate import last_of
from .line import frame, unframe
from .line import settings as line
from .line.words import NO_LINE, NOT_OPENED, NOT_TAKEN
from .machine import ConcertV3, Phase
from .messages import decode as decode_message
from .messages import encode as encode_message
from .options import OPTIONS as OWN
from .options import Options
from .tlv import parse

#: A frame ends, so there is nothing to drain; ENQ is tried several times before a line is given up.
_FRAMED = {"drain": 0}
OPTIONS: dict[str, Option] = {
    **{name: OWN[name] for name in OWN if name not in _FRAMED},
    "connect_timeout": replace(OWN["connect_timeout"], default=15.0),
    **line.OPTIONS,
}


class ConcertV3OnLine(ConcertV3):
    """One dialog. What it hears are whole messages; each is acknowledged once it is durable."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(own_options(options))

    def receive(self, data: bytes) -> list[Effect]:
        if self._phase is not Phase.ASKED:
            return [Acknowledge()]
        effects = super().receive(data) or self._doubt("reply_cut")
        at = next((place for place, effect in enumerate(effects) if isinstance(effect, Result)), len(effects))
        return [*effects[:at], Acknowledge(), *effects[at:]]

    def _not_sent(self, code: str, text: str, reason: str = "") -> list[Effect]:
        code, text = NOT_OPENED.get(reason or "line_silent", NO_LINE)
        return super()._not_sent(code, text, reason)

    def lost(self, reason: str) -> list[Effect]:
        if self._phase is Phase.ASKED and reason in NOT_TAKEN and not self._lost:
            code, text = NOT_TAKEN[reason]
            return self._end(Outcome(State.FAILED, code, text), "answer")
        return super().lost(reason)


def own_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of V3 among those of a cable; raise `InvalidRequest` for a wrong one."""
    check(OPTIONS, options)
    own = {name: value for name, value in options.items() if name not in line.OPTIONS}
    return {"connect_timeout": OPTIONS["connect_timeout"].default, **own, **_FRAMED}


def decode(data: bytes) -> dict[str, Any]:
    """Return what `messages.decode` says of the message in a frame. Raises `MalformedMessage`."""
    return decode_message(unframe(data))


def encode(message: Mapping[str, Any]) -> bytes:
    """Return the frame of what `decode` gives. Raises `MalformedMessage`."""
    return frame(encode_message(message))


def overheard(options: Mapping[str, Any], message: bytes, uuids: Iterable[str]) -> Last | None:
    """Return what an answer brought on its own says of the terminal's last transaction."""
    try:
        return last_of(parse(message), Options.of(own_options(options)))
    except MalformedMessage:
        return None
