"""CONCERT V3 messages as JSON and back, for the command line: what `card-terminal decode` and `encode` print and take."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any

from ..machine import MalformedMessage
from ..scrub import scrub_numbers
from .tables import ACTIONS, FIELDS, Keep
from .tlv import Fields, build, parse
from .verdict import ticket_text


def decode(data: bytes) -> dict[str, Any]:
    """Return `{message, fields: {tag: value}, warnings}`; a constructed field is an object. Raises `MalformedMessage`."""
    fields = parse(data)
    warnings = list(_oddities(fields))
    shown = _without_card_numbers(fields)
    if shown != fields:
        warnings.append("a card number was masked: these are not the bytes that came")
    return {"message": message_name(fields), "fields": shown, "warnings": warnings}


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


def _oddities(fields: Fields) -> Iterator[str]:
    for tag, value in fields.items():
        field = FIELDS.get(tag)
        if field is None:
            yield f"{tag} is not a known tag"
        elif isinstance(value, dict):
            yield from _oddities(value)
        elif not field.fits(value):
            yield f"{tag} ({field.name}) does not have the length or the characters it should"


def _without_card_numbers(fields: Fields) -> Fields:
    return {
        tag: _without_card_numbers(value) if isinstance(value, dict) else _shown(tag, value)
        for tag, value in fields.items()
    }


def _shown(tag: str, value: str) -> str:
    field = FIELDS.get(tag)
    if field and field.keep is Keep.PLAIN and field.fits(value):
        return value
    text = ticket_text(value)
    if scrub_numbers(text) == text:
        return value
    return base64.b64encode(scrub_numbers(text).encode("latin-1")).decode() if text != value else scrub_numbers(value)
