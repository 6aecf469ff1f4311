"""ZVT on a cable: the same units and dialogs inside the frames of `line`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from ..machine import MalformedMessage
from ..options import Option, check
from . import line
from . import messages as units
from .line.frame import ACK, NAK
from .machine import Zvt
from .options import OPTIONS as OWN

_CONTROLS = {bytes((ACK,)): "ACK", bytes((NAK,)): "NAK"}
_BYTES = {name: data for data, name in _CONTROLS.items()}
#: A command that was lost on the way is repeated once before it is given up: T2, and a little.
_LONGER = {"answer_timeout": 8.0}

OPTIONS: dict[str, Option] = {
    **{name: dataclasses.replace(known, default=_LONGER.get(name, known.default)) for name, known in OWN.items()},
    **line.OPTIONS,
}


class ZvtOnLine(Zvt):
    """One dialog. What it hears are whole units: the link has acknowledged their frames already."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        check(OPTIONS, options)
        own = {name: value for name, value in options.items() if name not in line.OPTIONS}
        super().__init__({**_LONGER, **own})


def decode(data: bytes) -> dict[str, Any]:
    """Return what `messages.decode` says of the unit in a frame, or an ACK or NAK. Raises `MalformedMessage`."""
    if data in _CONTROLS:
        return {"message": _CONTROLS[data], "fields": {}, "warnings": []}
    return units.decode(line.unframe(data))


def encode(message: Mapping[str, Any]) -> bytes:
    """Return the frame of what `decode` gives. Raises `MalformedMessage`."""
    name = message.get("message") if isinstance(message, Mapping) else None
    if not isinstance(name, str):
        raise MalformedMessage("a message is an object with `message` and `fields`")
    return _BYTES[name] if name in _BYTES else line.frame(units.encode(message))
