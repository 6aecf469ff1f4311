"""CONCERT V2 messages, parsed and built; and as JSON: what `card-terminal decode` prints and `encode` takes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from operator import itemgetter
from string import digits
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

#: Codes whose meaning is known, by part.
_KNOWN: dict[str, dict[str, frozenset[str]]] = {
    "request": {"means": frozenset(MEANS), "operation": frozenset(OPERATION_NAMES)},
    "reply": {"means": frozenset(MEANS), "status": frozenset((*STATUSES, "9"))},
}

CONTROLS: dict[str, int] = {"ENQ": ENQ, "ACK": ACK, "NAK": NAK, "EOT": EOT}
_CONTROL_NAMES = {bytes((byte,)): name for name, byte in CONTROLS.items()}
_SPOKEN = {name: letter for letter, name in OPTIONS.items()}
_REPLIES = ("short_reply", "full_reply")
_PARTS: dict[str, tuple[Part, ...]] = {"request": REQUEST, "short_reply": SHORT_REPLY, "full_reply": FULL_REPLY}
_NAMES = {kind: frozenset(part.name for part in parts) for kind, parts in _PARTS.items()}
_values = {kind: itemgetter(*(part.name for part in parts)) for kind, parts in _PARTS.items()}
_read = {
    kind: re.compile(matcher(parts) + ("(?P<options>.*)" if kind == "request" else ""), re.DOTALL).fullmatch
    for kind, parts in _PARTS.items()
}
#: No part can hold it, so values joined by it match only if each value matches its own part.
_SEAM = "\x02"
_fit = {kind: re.compile(_SEAM.join(part.pattern for part in parts)).fullmatch for kind, parts in _PARTS.items()}
_CARDS = {part.name for parts in _PARTS.values() for part in parts if part.keep is Keep.CARD}
_option = re.compile(OPTION).match
#: An option of one digit, as they nearly all are -> as it is sent.
_usual = {(name, digit): f"{letter}01{digit}" for letter, name in OPTIONS.items() for digit in digits}
_letter = re.compile("[A-Z]").fullmatch


def parse_request(message: bytes) -> Fields:
    """Return the parts and options of a request; raise `MalformedMessage`."""
    found = _read["request"](message.decode("latin-1"))
    if not found:
        raise MalformedMessage("not a request: 26 positions, then options of letter, length and value")
    fields: Fields = found.groupdict()
    options = fields.pop("options")
    at = 0
    while at < len(options):
        head = _option(options, at)
        value = options[at + 3 : (after := at + 3 + int(head[2]))] if head else ""
        if not head or not value or after > len(options):
            raise MalformedMessage("an option is a letter, two digits of length and the value")
        name = OPTIONS.get(head[1], head[1])
        if name in fields:
            raise MalformedMessage(f"option {head[1]} comes twice")
        fields[name] = value
        at = after
    return fields


def parse_reply(message: bytes) -> tuple[str, Fields]:
    """Return ``short_reply`` or ``full_reply``, and its parts; raise `MalformedMessage`."""
    if found := _read_reply(message):
        return found
    raise MalformedMessage("not a reply: 25 positions, or 80 and a slip")


def _read_reply(message: bytes) -> tuple[str, Fields] | None:
    text = message.decode("latin-1")
    for kind in _REPLIES:
        if found := _read[kind](text):
            return kind, found.groupdict()
    return None


def build(kind: str, fields: Mapping[str, Any]) -> bytes:
    """Return the message of ``request``, ``short_reply`` or ``full_reply`` with these fields."""
    names = _NAMES.get(kind)
    if names is None:
        raise MalformedMessage(f"there are {', '.join(_PARTS)}, and the control bytes {', '.join(CONTROLS)}")
    try:
        joined = _SEAM.join(_values[kind](fields))
    except (KeyError, TypeError):
        raise _misfit(kind, fields) from None
    if not _fit[kind](joined):
        raise _misfit(kind, fields)
    text = joined.replace(_SEAM, "")
    if len(fields) > len(names):
        others = [name for name in fields if name not in names]
        if kind != "request":
            raise MalformedMessage(f"a {kind} has no {', '.join(map(str, others))}")
        try:
            text += "".join([_usual.get((name, fields[name])) or _optional(name, fields[name]) for name in others])
        except TypeError:
            raise MalformedMessage(f"the options {', '.join(map(str, others))} must be texts") from None
    return text.encode("latin-1")


def decode(data: bytes) -> dict[str, Any]:
    """Return `{message, fields, warnings}` of a frame or a control byte. Raises `MalformedMessage`.

    A full card number is masked, and a warning says so.
    """
    if control := _CONTROL_NAMES.get(data):
        return {"message": control, "fields": {}, "warnings": []}
    message = unframe(data)
    name, fields = _read_reply(message) or ("request", parse_request(message))
    warnings = _oddities(name, fields)
    shown = {part: scrub_certain(value) if part in _CARDS else value for part, value in fields.items()}
    if shown != fields:
        warnings.append("a card number was masked: this is not what came")
    return {"message": name, "fields": shown, "warnings": warnings}


def encode(message: Mapping[str, Any]) -> bytes:
    """Return the bytes of what `decode` gives. Raises `MalformedMessage`."""
    try:
        name, fields = message["message"], message["fields"]
    except (KeyError, TypeError):
        name = fields = None
    if not isinstance(name, str) or not isinstance(fields, dict):
        raise MalformedMessage("a message is an object with `message` and `fields`")
    if name in CONTROLS:
        return bytes((CONTROLS[name],))
    return frame(build(name, fields))


def _fits(part: Part, value: Any) -> bool:
    return isinstance(value, str) and part.fits(value) is not None


def _misfit(kind: str, fields: Mapping[str, Any]) -> MalformedMessage:
    """Return the error that names the first part whose value does not fit."""
    part = next(part for part in _PARTS[kind] if not _fits(part, fields.get(part.name)))
    return MalformedMessage(f"{part.name} must match {part.pattern}")


def _optional(name: Any, value: Any) -> str:
    letter = _SPOKEN.get(name) or name
    if not isinstance(letter, str) or not _letter(letter):
        raise MalformedMessage(f"{name!r} is no part of a request and no option")
    if not isinstance(value, str) or not 0 < len(value) < 100 or not value.isascii():
        raise MalformedMessage(f"option {name} is 1 to 99 ASCII characters")
    return f"{letter}{len(value):02d}{value}"


def _oddities(name: str, fields: Fields) -> list[str]:
    """Return what people should know that the layout allows."""
    known = _KNOWN["request" if name == "request" else "reply"]
    return [f"{part} {fields[part]} is not known" for part, values in known.items() if fields[part] not in values]
