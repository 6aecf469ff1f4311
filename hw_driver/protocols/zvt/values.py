"""How values are written: packed digits, text, card numbers, sums; each both ways.

A `Codec` turns bytes into what JSON can hold and back, and raises `ValueError` for bytes or values it does not fit.
Source: P15 1.4 and 13, P16 5.2 (zvt.md 2.2).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

#: Character sets by option name -> Python's name. 7-bit is ISO 646 with the German letters (zvt.md 2.2).
CHARSETS: dict[str, str] = {
    "cp437": "cp437",
    "iso-8859-1": "latin-1",
    "iso-8859-2": "iso-8859-2",
    "iso-8859-15": "iso-8859-15",
    "utf-8": "utf-8",
    "7-bit": "ascii",
}
_GERMAN = str.maketrans("[\\]{|}~", "ÄÖÜäöüß")
MASK = "*"

_digits = re.compile(r"[0-9]+").fullmatch
_pan = re.compile(r"[0-9e]+(?:d[0-9e]*)?f?").fullmatch
_shown_pan = re.compile(r"[0-9*]+(?:D[0-9*]*)?").fullmatch


def text_of(data: bytes, charset: str) -> str:
    """Return text in one of `CHARSETS`; what does not belong to it is replaced, never refused."""
    text = data.decode(CHARSETS[charset], errors="replace")
    return text.translate(_GERMAN) if charset == "7-bit" else text


@dataclass(frozen=True, slots=True)
class Codec:
    """One way to write a value. `secret` values are never shown: only that they are there, and how long."""

    name: str
    decode: Callable[[bytes], Any]
    encode: Callable[[Any], bytes]
    secret: bool = False


def _bcd(data: bytes) -> str:
    digits = data.hex()
    if not digits.isdigit():
        raise ValueError("not digits")
    return digits


def _to_bcd(value: Any) -> bytes:
    if not isinstance(value, str) or not _digits(value):
        raise ValueError("digits in quotes")
    return bytes.fromhex(value)


def _to_hex(value: Any) -> bytes:
    if not isinstance(value, str):
        raise ValueError("hexadecimal in quotes")
    return bytes.fromhex(value)


def _text(data: bytes) -> str:
    return data.decode("cp437")


def _to_text(value: Any) -> bytes:
    if not isinstance(value, str):
        raise ValueError("text")
    return value.encode("cp437")  # UnicodeEncodeError is a ValueError


def pan_of(data: bytes) -> str:
    """Return a card number as the terminal shows it: ``*`` where it hides a digit, ``D`` for the separator."""
    digits = data.hex()
    if not _pan(digits):
        raise ValueError("not a card number")
    return digits.removesuffix("f").replace("e", MASK).upper()


def _to_pan(value: Any) -> bytes:
    if not isinstance(value, str) or not _shown_pan(value):
        raise ValueError("digits and * in quotes")
    digits = value.replace(MASK, "e").lower()
    return bytes.fromhex(digits + "f" * (len(digits) % 2))


def _hidden(data: bytes) -> str:
    return MASK * len(data)


def _from_hidden(value: Any) -> bytes:
    if not isinstance(value, str) or set(value) - {MASK}:
        raise ValueError("only its length is kept: * for each byte")
    return b"*" * len(value)


#: BMP 60: the groups of cards of an end of day, in their order (P15 13).
GROUPS = ("girocard", "JCB", "Mastercard", "American Express", "Visa", "Diners", "others")
_TOTALS_SIZE = 4 + 7 * len(GROUPS)


def _totals(data: bytes) -> dict[str, Any]:
    if len(data) != _TOTALS_SIZE:
        raise ValueError("not the seven groups")
    sums = [data[at : at + 7] for at in range(4, _TOTALS_SIZE, 7)]
    return {
        "receipts": [_bcd(data[:2]), _bcd(data[2:4])],
        "groups": {name: [part[0], _bcd(part[1:])] for name, part in zip(GROUPS, sums, strict=True)},
    }


def _to_totals(value: Any) -> bytes:
    try:
        first, last = value["receipts"]
        sums = [value["groups"][name] for name in GROUPS]
        return _to_bcd(first) + _to_bcd(last) + b"".join(bytes((count,)) + _to_bcd(amount) for count, amount in sums)
    except (TypeError, KeyError) as error:
        raise ValueError("receipts and groups") from error


BCD = Codec("digits", _bcd, _to_bcd)
HEX = Codec("bytes", bytes.hex, _to_hex)
AID = Codec("application identifier", bytes.hex, _to_hex)
TEXT = Codec("text", _text, _to_text)
PAN = Codec("card number", pan_of, _to_pan)
SECRET = Codec("hidden", _hidden, _from_hidden, secret=True)
TOTALS = Codec("totals", _totals, _to_totals)


def shown(codec: Codec, data: bytes) -> Any:
    """Return the value, or ``{"hex": …}`` where it is not what it should be."""
    try:
        return codec.decode(data)
    except ValueError:
        return {"hex": data.hex()}


def written(codec: Codec, name: str, value: Any) -> bytes:
    """Return the bytes of what `shown` gives; raise `ValueError` that names the field."""
    try:
        if isinstance(value, Mapping) and "hex" in value:
            return _to_hex(value["hex"])
        return codec.encode(value)
    except ValueError as error:
        raise ValueError(f"{name} does not fit: {codec.name}") from error
