"""The fields of messages ("BMPs"): a number, then as many bytes as this table says.

A field has no length of its own, so nothing behind an unknown one can be read: what came before it is kept.
Source: P15 13, unless an entry says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..machine import MalformedMessage
from .values import BCD, HEX, PAN, SECRET, TEXT, TOTALS, Codec

#: Sizes that stand in the message: two or three digits (one in the low half of each byte, F in the high half), or a
#: length as in BER.
LL, LLL, BER = -2, -3, -1

TLV = 0x06
RESULT, AMOUNT, CURRENCY, PAYMENT_TYPE = 0x27, 0x04, 0x49, 0x19
TRACE, ORIGINAL_TRACE, RECEIPT, TURNOVER = 0x0B, 0x37, 0x87, 0x88
TIME, DATE, TERMINAL_ID, CONTRACT, APPROVAL = 0x0C, 0x0D, 0x29, 0x2A, 0x3B
CARD, CARD_TYPE, CARD_NAME, TEXT_FIELD, SUMS, HOST_RESULT = 0x22, 0x8A, 0x8B, 0x3C, 0x60, 0xA0
SERVICE, TIMEOUT, MAX_STATUS, STATUS = 0x03, 0x01, 0x02, 0x19
DISPLAY_SECONDS, FIRST_LINE, LINES = 0xF0, 0xF1, 8


@dataclass(frozen=True, slots=True)
class Field:
    """One BMP. `size` in bytes, or `LL`, `LLL`, `BER`."""

    number: int
    name: str
    size: int
    codec: Codec = BCD
    source: str = ""


FIELDS: dict[int, Field] = {
    field.number: field
    for field in (
        Field(0x01, "timeout", 1),
        Field(0x02, "max_status_informations", 1),
        Field(0x03, "service", 1, HEX),
        Field(0x04, "amount", 6),
        Field(0x05, "pump", 1),
        Field(0x06, "tlv", BER, HEX),
        Field(0x0B, "trace", 3),
        Field(0x0C, "time", 3),
        Field(0x0D, "date", 2),
        Field(0x0E, "expiry", 2),
        Field(0x17, "card_sequence", 2),
        Field(0x19, "status", 1, HEX, "also payment type and card type, by message"),
        Field(0x22, "card_number", LL, PAN),
        Field(0x23, "track_2", LL, SECRET),
        Field(0x24, "track_3", LLL, SECRET),
        Field(0x27, "result", 1, HEX),
        Field(0x29, "terminal_id", 4),
        Field(0x2A, "contract", 15, TEXT),
        Field(0x2D, "track_1", LL, SECRET),
        Field(0x2E, "synchronous_chip", LLL, SECRET),
        Field(0x37, "original_trace", 3),
        Field(0x3A, "cvv", 2, SECRET),
        Field(0x3B, "authorisation", 8, TEXT),
        Field(0x3C, "text", LLL, TEXT),
        Field(0x3D, "password", 3),
        Field(0x49, "currency", 2),
        Field(0x4C, "blocked_goods", LL, HEX),
        Field(0x60, "totals", LLL, TOTALS),
        Field(0x70, "image_size", 4, HEX),
        Field(0x71, "image_position", 4, HEX),
        Field(0x72, "image_x", 1, HEX),
        Field(0x73, "image_y", 1, HEX),
        Field(0x74, "image_format", 1, HEX),
        Field(0x75, "image_option", 1, HEX),
        Field(0x87, "receipt", 2, HEX, "FFFF: none, or all"),
        Field(0x88, "turnover", 3),
        Field(0x8A, "card_type", 1, HEX),
        Field(0x8B, "card_name", LL, TEXT),
        Field(0x8C, "operator_card_type", 1, HEX),
        Field(0x92, "offline_chip", LLL, SECRET, "EC"),
        Field(0x9A, "geldkarte", LLL, SECRET),
        Field(0xA0, "host_result", 1, HEX),
        Field(0xA7, "ef_id", LL, SECRET),
        Field(0xAA, "full_date", 3),
        Field(0xAF, "ef_info", LLL, SECRET),
        Field(0xBA, "aid_parameter", 5, HEX),
        Field(0xD0, "d0", 1, HEX),
        Field(0xD1, "d1", LL, HEX),
        Field(0xD2, "card_output", 1, HEX),
        Field(0xD3, "d3", 1, HEX),
        Field(0xE0, "e0", 1, HEX),
        *(Field(0xE0 + line, f"second_text_{line}", LL, TEXT) for line in range(1, 9)),
        Field(0xE9, "e9", 1, HEX),
        Field(0xEA, "ea", 1, HEX),
        Field(0xEB, "eb", 8, HEX),
        Field(0xF0, "display_seconds", 1, HEX),
        *(Field(0xF0 + line, f"text_{line}", LL, TEXT) for line in range(1, 9)),
        Field(0xF9, "beeps", 1, HEX),
        Field(0xFA, "reader", 1, HEX),
        Field(0xFB, "ok_required", 1, HEX),
        Field(0xFC, "dialog", 1, HEX),
        Field(0xFD, "display_option", 1, HEX),
    )
}
NUMBERS: dict[str, int] = {field.name: number for number, field in FIELDS.items()}
_SIZES = [FIELDS[number].size if number in FIELDS else 0 for number in range(256)]

Values = list[tuple[int, bytes]]


def split(data: bytes, at: int = 0) -> tuple[Values, int, str]:
    """Return the fields from position `at` on, where reading ended, and why it did before the end ('' if it did not).

    The length of the container (06) is not part of its value.
    """
    values: Values = []
    end, sizes = len(data), _SIZES
    while at < end:
        number = data[at]
        size, start = sizes[number], at + 1
        if size <= 0:
            if size == 0:
                return values, at, f"{number:02x} is not a known field"
            try:
                start, size = length_at(data, start) if size == BER else counted(data, start, -size)
            except (IndexError, ValueError):
                return values, at, f"{FIELDS[number].name} has no length"
        stop = start + size
        if stop > end:
            return values, at, f"{FIELDS[number].name} is cut"
        values.append((number, data[start:stop]))
        at = stop
    return values, at, ""


def length_at(data: bytes, at: int) -> tuple[int, int]:
    """Return where the value begins and its size, from a length as in BER at `at`; raise `ValueError`, `IndexError`."""
    first = data[at]
    if first < 0x80:
        return at + 1, first
    if first == 0x81:
        return at + 2, data[at + 1]
    if first == 0x82:
        return at + 3, data[at + 1] << 8 | data[at + 2]
    raise ValueError("no such length")


def length_bytes(size: int, more: int = 0) -> bytes:
    """Return a length as in BER, the shortest one, or with `more` bytes behind the first."""
    more = max(more, 0 if size < 0x80 else 1 if size < 0x100 else 2)
    if more == 0:
        return bytes((size,))
    if size > 0xFFFF:
        raise MalformedMessage("a container holds 65535 bytes at most")
    return bytes((0x80 + more,)) + size.to_bytes(more, "big")


_HEADS = [{LL: 3, LLL: 4}.get(size, 1) for size in _SIZES]


def written_size(values: Values) -> int:
    """Return how many bytes fields take, the container with the shortest length."""
    containers = sum(len(length_bytes(len(value))) for number, value in values if number == TLV)
    return sum([_HEADS[number] + len(value) for number, value in values]) + containers


def join(values: Values) -> bytes:
    """Return the bytes of fields; raise `MalformedMessage` for a value that has not the size it must have."""
    return b"".join(one(number, value) for number, value in values)


def one(number: int, value: bytes, more: int = 0) -> bytes:
    """Return the bytes of one field. `more` is for a container's length that is longer than it needs be."""
    known = FIELDS[number]
    if known.size == BER:
        head = length_bytes(len(value), more)
    elif known.size < 0:
        digits = f"{len(value):0{-known.size}d}"
        if len(digits) > -known.size:
            raise MalformedMessage(f"{known.name} holds {'9' * -known.size} bytes at most")
        head = bytes(0xF0 | int(digit) for digit in digits)
    else:
        head = b""
        if len(value) != known.size:
            raise MalformedMessage(f"{known.name} has {known.size} bytes, not {len(value)}")
    return bytes((number,)) + head + value


def counted(data: bytes, at: int, digits: int) -> tuple[int, int]:
    """Return where the value begins and its size, from `digits` bytes of length at `at`; raise `ValueError`."""
    size = 0
    for byte in data[at : at + digits]:
        if byte < 0xF0 or byte > 0xF9:
            raise ValueError("no such length")
        size = size * 10 + byte - 0xF0
    if at + digits > len(data):
        raise ValueError("cut")
    return at + digits, size
