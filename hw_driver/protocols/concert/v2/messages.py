"""CONCERT V2 messages, parsed and built; and as JSON: what `card-terminal decode` prints and `encode` takes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...machine import MalformedMessage
from ...scrub import scrub_certain
from ..line.frame import ACK, ENQ, EOT, NAK, frame, unframe
from .tables import (
    FULL_REPLY,
    MEANS,
    OPERATION_NAMES,
    OPTION,
    OPTIONS,
    REQUEST,
    SHORT_REPLY,
    STATUSES,
    Keep,
    Part,
    matcher,
)

#: Names of parts or options -> values, as text.
Fields = dict[str, str]

CONTROLS: dict[str, int] = {"ENQ": ENQ, "ACK": ACK, "NAK": NAK, "EOT": EOT}
_CONTROL_NAMES = {bytes((byte,)): name for name, byte in CONTROLS.items()}
_SPOKEN = {name: letter for letter, name in OPTIONS.items()}
_read_request = matcher(REQUEST, rf"(?P<options>(?:{OPTION}.*)?)").fullmatch
_REPLIES: tuple[tuple[str, tuple[Part, ...], Any], ...] = (
    ("short_reply", SHORT_REPLY, matcher(SHORT_REPLY).fullmatch),
    ("full_reply", FULL_REPLY, matcher(FULL_REPLY).fullmatch),
)
_PARTS: dict[str, tuple[Part, ...]] = {"request": REQUEST, **{name: parts for name, parts, _ in _REPLIES}}
_KEPT = {part.name: part.keep for parts in _PARTS.values() for part in parts}
_option = re.compile(OPTION).fullmatch


def parse_request(message: bytes) -> Fields:
    """Return the parts and options of a request; raise `MalformedMessage`."""
    found = _read_request(_text(message))
    if not found:
        raise MalformedMessage("not a request: 26 positions, then options of letter, length and value")
    fields: Fields = found.groupdict()
    rest = fields.pop("options")
    while rest:
        head, value = rest[:3], rest[3 : 3 + int(rest[1:3])] if _option(rest[:3]) else ""
        if not value or len(value) != int(head[1:]):
            raise MalformedMessage("an option is a letter, two digits of length and the value")
        name = OPTIONS.get(head[0], head[0])
        if name in fields:
            raise MalformedMessage(f"option {head[0]} comes twice")
        fields[name] = value
        rest = rest[3 + len(value) :]
    return fields


def parse_reply(message: bytes) -> tuple[str, Fields]:
    """Return ``short_reply`` or ``full_reply``, and its parts; raise `MalformedMessage`."""
    text = _text(message)
    for name, _, read in _REPLIES:
        if found := read(text):
            return name, found.groupdict()
    raise MalformedMessage("not a reply: 25 positions, or 80 and a slip")


def build(kind: str, fields: Mapping[str, Any]) -> bytes:
    """Return the message of ``request``, ``short_reply`` or ``full_reply`` with these fields."""
    parts = _PARTS.get(kind)
    if parts is None:
        raise MalformedMessage(f"there are {', '.join(_PARTS)}, and the control bytes {', '.join(CONTROLS)}")
    left = dict(fields)
    values = [left.pop(part.name, "") for part in parts]
    if not all(map(_fits, parts, values)):
        raise _misfit(parts, values)
    text = "".join(values)
    if left and kind != "request":
        raise MalformedMessage(f"a {kind} has no {', '.join(map(str, left))}")
    return (text + "".join(_optional(name, value) for name, value in left.items())).encode("latin-1")


def decode(data: bytes) -> dict[str, Any]:
    """Return `{message, fields, warnings}` of a frame or a control byte. Raises `MalformedMessage`.

    A full card number is masked, and a warning says so.
    """
    if control := _CONTROL_NAMES.get(data):
        return {"message": control, "fields": {}, "warnings": []}
    message = unframe(data)
    try:
        name, fields = parse_reply(message)
    except MalformedMessage:
        name, fields = "request", parse_request(message)
    warnings = _oddities(name, fields)
    shown = {part: scrub_certain(value) if _KEPT.get(part) is Keep.CARD else value for part, value in fields.items()}
    if shown != fields:
        warnings.append("a card number was masked: this is not what came")
    return {"message": name, "fields": shown, "warnings": warnings}


def encode(message: Mapping[str, Any]) -> bytes:
    """Return the bytes of what `decode` gives. Raises `MalformedMessage`."""
    name = message.get("message") if isinstance(message, Mapping) else None
    fields = message.get("fields") if isinstance(message, Mapping) else None
    if not isinstance(name, str) or not isinstance(fields, Mapping):
        raise MalformedMessage("a message is an object with `message` and `fields`")
    if name in CONTROLS:
        return bytes((CONTROLS[name],))
    return frame(build(name, fields))


def _fits(part: Part, value: Any) -> bool:
    return isinstance(value, str) and part.fits(value) is not None


def _text(message: bytes) -> str:
    return message.decode("latin-1")


def _misfit(parts: tuple[Part, ...], values: list[Any]) -> MalformedMessage:
    """Return the error that names the first part whose value does not fit."""
    part = next(part for part, value in zip(parts, values, strict=True) if not _fits(part, value))
    return MalformedMessage(f"{part.name} must match {part.pattern}")


def _optional(name: Any, value: Any) -> str:
    letter = _SPOKEN.get(name, name)
    if not isinstance(letter, str) or not re.fullmatch("[A-Z]", letter):
        raise MalformedMessage(f"{name!r} is no part of a request and no option")
    if not isinstance(value, str) or not 0 < len(value) < 100 or not value.isascii():
        raise MalformedMessage(f"option {name} is 1 to 99 ASCII characters")
    return f"{letter}{len(value):02d}{value}"


def _oddities(name: str, fields: Fields) -> list[str]:
    """Return what people should know that the layout allows."""
    known: tuple[tuple[str, Mapping[str, Any]], ...] = (("means", MEANS),)
    known += (("operation", OPERATION_NAMES),) if name == "request" else (("status", {**STATUSES, "9": ""}),)
    return [f"{part} {fields[part]} is not known" for part, values in known if fields[part] not in values]
