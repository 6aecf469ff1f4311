"""Objects in the container (BMP 06): tag, length, value, as BER has it; some hold further objects.

Tags whose low five bits are set go on; lengths are one byte, or 81 and one, or 82 and two (high byte first). Unknown
tags are skipped. Source: P15 9 (zvt.md 2.4).
"""

from __future__ import annotations

from dataclasses import dataclass

from .fields import length_at, length_bytes
from .values import AID as IDENTIFIER
from .values import BCD, HEX, SECRET, TEXT, Codec

CONSTRUCTED = 0x20
_MORE, _LONG = 0x80, 0x1F

DISPLAY_TEXTS, PRINT_TEXTS, LINE, ATTRIBUTE = 0x24, 0x25, 0x07, 0x09
PAYMENT, VERIFICATION, ONLINE, ENTRY = 0x2F, 0x1F10, 0x1F11, 0x1F12
AID, CARD_TYPE_ID, LABEL, PREFERRED_NAME = 0x43, 0x41, 0x42, 0x44
EXTENDED_ERROR, EXTENDED_TEXT, LONG_TRACE = 0x1F16, 0x1F17, 0x1F2B
TIP, CASHBACK, RECEIPT_TYPE, PARTIAL = 0x1F36, 0x1F25, 0x1F07, 0x1F70
COMMANDS, COMMAND, CHARACTER_SET, TIPPABLE = 0x26, 0x0A, 0x14, 0x1F3B
SERIAL, DEVICE, SOFTWARE = 0x1F42, 0x1F40, 0x1F41
#: What this product's virtual terminal adds to its answers; no real one does.
VIRTUAL = 0xDF56
OPEN_PREAUTHS, RECEIPT_NUMBER, RESERVATION = 0x23, 0x08, 0x1F06


@dataclass(frozen=True, slots=True)
class Tag:
    """A known tag. Constructed ones need no codec."""

    tag: int
    name: str
    codec: Codec = HEX


TAGS: dict[int, Tag] = {
    tag.tag: tag
    for tag in (
        Tag(0x07, "line", TEXT),
        Tag(0x08, "receipt_number"),
        Tag(0x09, "attribute"),
        Tag(0x0A, "command"),
        Tag(0x10, "merchant_display"),
        Tag(0x11, "customer_display"),
        Tag(0x12, "printer_width", BCD),
        Tag(0x13, "extra_result", TEXT),
        Tag(0x14, "character_set"),
        Tag(0x15, "language", TEXT),
        Tag(0x1A, "max_apdu"),
        Tag(0x1B, "diagnosis"),
        Tag(0x23, "open_preauthorisations"),
        Tag(0x24, "display_texts"),
        Tag(0x25, "print_texts"),
        Tag(0x26, "permitted_commands"),
        Tag(0x27, "character_sets"),
        Tag(0x28, "languages"),
        Tag(0x2E, "timestamp"),
        Tag(0x2F, "payment"),
        Tag(0x32, "input"),
        Tag(0x34, "date_time"),
        Tag(0x35, "end_date_time"),
        Tag(0x40, "emv_configuration"),
        Tag(0x41, "card_type_id"),
        Tag(0x42, "label", TEXT),
        Tag(0x43, "aid", IDENTIFIER),
        Tag(0x44, "preferred_name", TEXT),
        Tag(0x45, "receipt_parameter", BCD),
        Tag(0x46, "emv_print_customer", TEXT),
        Tag(0x47, "emv_print_merchant", TEXT),
        Tag(0x49, "operator_card_id"),
        Tag(0x4A, "product", TEXT),
        Tag(0x4C, "uid", SECRET),
        Tag(0x60, "application"),
        Tag(0x61, "magstripe_applications"),
        Tag(0x62, "chip_applications"),
        Tag(0x64, "header"),
        Tag(0x65, "advertisement"),
        Tag(0x66, "customer_copy"),
        Tag(0x67, "merchant_copy"),
        Tag(0x68, "outcome_text", TEXT),
        Tag(0x69, "reference"),
        Tag(0xDF56, "virtual"),
        Tag(0xE2, "currency_conversion"),
        Tag(0xE4, "device"),
        Tag(0xE9, "own_references"),
        Tag(0x1F01, "receipt_id"),
        Tag(0x1F02, "from_number", BCD),
        Tag(0x1F03, "to_number", BCD),
        Tag(0x1F04, "receipt_options"),
        Tag(0x1F05, "transaction_options"),
        Tag(0x1F06, "reservation"),
        Tag(0x1F07, "receipt_type"),
        Tag(0x1F0D, "order_number", TEXT),
        Tag(0x1F0E, "date", BCD),
        Tag(0x1F0F, "time", BCD),
        Tag(0x1F10, "verification"),
        Tag(0x1F11, "online"),
        Tag(0x1F12, "entry"),
        Tag(0x1F14, "card_hash", SECRET),
        Tag(0x1F15, "card_read_control"),
        Tag(0x1F16, "extended_error", TEXT),
        Tag(0x1F17, "extended_text", TEXT),
        Tag(0x1F1F, "synchronisation"),
        Tag(0x1F25, "cashback", BCD),
        Tag(0x1F26, "day_end_mode"),
        Tag(0x1F2B, "long_trace", BCD),
        Tag(0x1F36, "tip", BCD),
        Tag(0x1F37, "receipt_information"),
        Tag(0x1F3B, "afterwards"),
        Tag(0x1F40, "device_name", TEXT),
        Tag(0x1F41, "software", TEXT),
        Tag(0x1F42, "serial", BCD),
        Tag(0x1F43, "device_state"),
        Tag(0x1F44, "terminal_id", BCD),
        Tag(0x1F5B, "poll_timeout"),
        Tag(0x1F60, "card_technology"),
        Tag(0x1F62, "reference_1", TEXT),
        Tag(0x1F63, "reference_2", TEXT),
        Tag(0x1F70, "partial_approval"),
        Tag(0x1F71, "known_tags"),
        Tag(0x1F73, "sequence_number", BCD),
    )
}

Objects = list[tuple[int, bytes]]
Written = list[tuple[int, bytes, int]]


def is_constructed(tag: int) -> bool:
    """Whether a tag holds further objects."""
    return bool((tag if tag < 0x100 else tag >> 8 if tag < 0x10000 else tag >> 16) & CONSTRUCTED)


def split(data: bytes) -> Objects:
    """Return the objects; raise `ValueError` where these are none."""
    return [(tag, value) for tag, value, _ in written(data)]


def written(data: bytes) -> Written:
    """Return the objects, each with how many bytes its length has behind the first; raise the same."""
    objects: Written = []
    at, end = 0, len(data)
    try:
        while at < end:
            tag = data[at]
            if tag & _LONG == _LONG:
                tag, at = tag_at(data, at)
            else:
                at += 1
            size, start = data[at], at + 1
            if size >= _MORE:
                start, size = length_at(data, at)
            stop = start + size
            if stop > end:
                raise ValueError("an object is cut")
            objects.append((tag, data[start:stop], start - at - 1))
            at = stop
    except IndexError as error:
        raise ValueError("an object is cut") from error
    return objects


def tag_at(data: bytes, at: int) -> tuple[int, int]:
    """Return the tag at a position and where it ends; raise `IndexError` where it is cut."""
    tag = data[at]
    at += 1
    if tag & _LONG == _LONG:
        tag = tag << 8 | data[at]
        at += 1
        if tag & _MORE:
            tag = tag << 8 | data[at]
            at += 1
    return tag, at


def lenient(data: bytes) -> Objects:
    """Return what objects there are, none where these are none: nobody's payment fails on them."""
    try:
        return split(data)
    except ValueError:
        return []


def make(tag: int, value: bytes) -> bytes:
    """Return the bytes of one object."""
    return tag.to_bytes((tag.bit_length() + 7) // 8, "big") + length_bytes(len(value)) + value


def find(objects: Objects, *path: int) -> bytes | None:
    """Return the first value under these tags, each inside the one before; None where there is none.

    Terminals put some objects inside a container and some beside it (1F10 in 2F, or not), so the last tag counts
    wherever it stands.
    """
    *outer, wanted = path
    for tag, value in objects:
        if tag == wanted:
            return value
        if tag in outer and (inner := find(lenient(value), *path)) is not None:
            return inner
    return None
