"""The TLV grammar of CONCERT V3 (Caisse-AP): two capital letters, three digits of length, that many ASCII bytes.

There is no frame, header or terminator around it on TCP: the reader takes any split of the stream and says when
a whole number of fields is there. Source: OCA l10n_fr_pos_caisse_ap_ip; HiPay "Local API for Nepting".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import product
from string import ascii_uppercase
from typing import Any

from ..machine import MalformedMessage

#: A value is text; the value of a constructed (Z*) tag is itself a message of fields.
Fields = dict[str, Any]

MAX_BYTES = 64 * 1024
_HEADER = 5
_TAGS = frozenset(map("".join, product(ascii_uppercase, repeat=2)))
_LENGTHS = {f"{length:03d}": length for length in range(1000)}
_unfinished_header = re.compile(r"[A-Z]{1,2}|[A-Z]{2}[0-9]{1,2}").fullmatch


class Reader:
    """Collects fields from a stream. `fields` holds what is whole so far, in the order it came.

    `first` is the tag a message must begin with: CZ, the protocol version.
    """

    def __init__(self, first: str = "CZ") -> None:
        self.fields: Fields = {}
        self._first = first
        self._rest = ""
        self._size = 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes; raise `MalformedMessage` where they cannot continue a message."""
        self._size += len(data)
        if self._size > MAX_BYTES:
            raise MalformedMessage(f"longer than {MAX_BYTES} bytes")
        text = self._rest + data.decode("latin-1")
        position, end, fields, ascii_only = 0, len(text), self.fields, text.isascii()
        while (tag := text[position : position + 2]) in _TAGS and (
            length := _LENGTHS.get(text[position + 2 : position + _HEADER])
        ) is not None:
            value_at = position + _HEADER
            after = value_at + length
            if not length:
                raise MalformedMessage(f"{tag} has length 000")
            if after > end:
                break
            value = text[value_at:after]
            if not ascii_only and not value.isascii():
                raise MalformedMessage(f"{tag} is not ASCII")
            if tag in fields:
                raise MalformedMessage(f"{tag} comes twice")
            if not fields and self._first and tag != self._first:
                raise MalformedMessage(f"begins with {tag}, not with {self._first}")
            fields[tag] = parse(value.encode(), first="") if tag[0] == "Z" else value
            position = after
        else:
            if position < end and not _unfinished_header(text, position):
                raise MalformedMessage(f"no tag and length where field {len(fields) + 1} should begin")
        self._rest = text[position:]

    @property
    def whole(self) -> bool:
        """Whether the bytes so far are a whole number of fields, one at least."""
        return not self._rest and bool(self.fields)

    @property
    def empty(self) -> bool:
        """Whether nothing came yet."""
        return not self._size


def parse(data: bytes, first: str = "CZ") -> Fields:
    """Return the fields of one whole message; raise `MalformedMessage`."""
    reader = Reader(first)
    reader.feed(data)
    if not reader.whole:
        raise MalformedMessage("ends in the middle of a field" if data else "no bytes")
    return reader.fields


def build(fields: Mapping[str, Any], first: str = "CZ") -> bytes:
    """Return the bytes of a message: `first` first, the other fields in the order given."""
    if first and first not in fields:
        raise MalformedMessage(f"{first} is missing")
    tags = [first, *(tag for tag in fields if tag != first)] if first else fields
    return "".join([_field(tag, fields[tag]) for tag in tags]).encode()


def _field(tag: str, value: Any) -> str:
    if tag not in _TAGS:
        raise MalformedMessage(f"{tag!r} is not a tag: two capital letters")
    if tag[0] == "Z":
        if not isinstance(value, Mapping):
            raise MalformedMessage(f"{tag} holds fields, so its value is an object")
        value = build(value, first="").decode()
    if not isinstance(value, str) or not value.isascii() or not 1 <= len(value) <= 999:
        raise MalformedMessage(f"{tag} is not 1 to 999 ASCII characters")
    return f"{tag}{len(value):03d}{value}"
