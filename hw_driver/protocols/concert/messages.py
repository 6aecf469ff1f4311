"""CONCERT V3 messages as JSON and back: what `card-terminal decode` prints and `encode` takes."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from ..machine import MalformedMessage
from ..scrub import scrub, scrub_certain
from .tables import ACTIONS, FIELDS, Charset, Field, Keep
from .tlv import Fields, build, parse
from .verdict import ticket_text

#: What is shown as it came, where it fits: most fields.
_PLAIN = {tag: field.fits for tag, field in FIELDS.items() if field.keep is Keep.PLAIN}
_UNKNOWN = Field("", "unknown", 1, 999, Charset.TEXT, Keep.TEXT, "")


def decode(data: bytes) -> dict[str, Any]:
    """Return `{message, fields: {tag: value}, warnings}`; a constructed field is an object.

    Raises `MalformedMessage`. A full card number is masked, and a warning says so.
    """
    fields = parse(data)
    warnings: list[str] = []
    return {"message": message_name(fields), "fields": _shown(fields, warnings), "warnings": warnings}


def encode(message: Mapping[str, Any]) -> bytes:
    """Return the bytes of what `decode` gives; only `fields` counts. Raises `MalformedMessage`."""
    fields = message.get("fields") if isinstance(message, Mapping) else None
    if not isinstance(fields, Mapping):
        raise MalformedMessage("a message is an object with `fields`")
    return build(fields)


def message_name(fields: Fields) -> str:
    """Return `<action>_request`, or `<action>_reply` where there is a result (AE)."""
    side = "reply" if "AE" in fields else "request"
    return f"{ACTIONS.get(fields.get('CD', ''), 'unknown')}_{side}" if "CD" in fields else side


def _shown(fields: Fields, warnings: list[str]) -> Fields:
    """Return the fields for people to read; add what is odd about them to `warnings`."""
    shown: Fields = {}
    for tag, value in fields.items():
        fits = _PLAIN.get(tag)
        shown[tag] = value if fits and fits(value) else _shown_field(tag, value, warnings)
    return shown


def _shown_field(tag: str, value: Any, warnings: list[str]) -> Any:
    known = FIELDS.get(tag, _UNKNOWN)
    if known is _UNKNOWN:
        warnings.append(f"{tag} is not a known tag")
    if isinstance(value, dict):
        return _shown(value, warnings)
    if not known.fits(value):
        warnings.append(f"{tag} ({known.name}) does not have the length or the characters it should")
    shown = _masked(known.keep, value)
    if shown != value:
        warnings.append(f"a card number in {tag} was masked: this is not what came")
    return shown


def _masked(keep: Keep, value: str) -> str:
    """Return a value as it came, but for full card numbers in it."""
    match keep:
        case Keep.LAST4:
            return scrub(value) if value.isdigit() else scrub_certain(value)
        case Keep.TICKET:
            text = ticket_text(value)
            masked = scrub_certain(text)
            if masked == text:
                return value
            return masked if text == value else base64.b64encode(masked.encode("latin-1")).decode()
    return scrub_certain(value)
