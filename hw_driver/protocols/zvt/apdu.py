"""Application protocol data units: two bytes of control field, a length, that many bytes.

`CLASS INSTR LEN data`; LEN ``FF`` means that two more bytes hold the length, low byte first. On TCP they come back to
back, split and glued as the network likes, so the reader takes any split. Source: P16 5.2 (zvt.md 2.1).
"""

from __future__ import annotations

from typing import NamedTuple

from ..machine import MalformedMessage

MAX_DATA = 0xFFFF
_EXTENDED = 0xFF
#: First bytes of a control field: commands (04 to 08), positive and negative answers (80, 84).
CLASSES = frozenset((0x04, 0x05, 0x06, 0x08, 0x0F, 0x80, 0x84))


class Apdu(NamedTuple):
    """One unit. `extended` says that a length which fits one byte came in three."""

    control: int
    data: bytes
    extended: bool = False


class Reader:
    """Collects units from a stream."""

    def __init__(self) -> None:
        self._rest = b""

    @property
    def empty(self) -> bool:
        """Whether nothing waits for its end."""
        return not self._rest

    def feed(self, data: bytes) -> list[Apdu]:
        """Take the next bytes and return what is whole; raise `MalformedMessage` where no unit can begin."""
        stream, at = self._rest + data, 0
        end, units = len(stream), list[Apdu]()
        while at < end:
            if stream[at] not in CLASSES:
                raise MalformedMessage(f"no control field begins with {stream[at]:02x}")
            if at + 3 > end:
                break
            length, start, extended = stream[at + 2], at + 3, False
            if length == _EXTENDED:
                if at + 5 > end:
                    break
                length, start, extended = stream[at + 3] | stream[at + 4] << 8, at + 5, True
            if start + length > end:
                break
            control = stream[at] << 8 | stream[at + 1]
            units.append(Apdu(control, stream[start : start + length], extended and length < _EXTENDED))
            at = start + length
        self._rest = stream[at:]
        return units


def parse(data: bytes) -> Apdu:
    """Return the one unit that `data` is; raise `MalformedMessage`."""
    reader = Reader()
    units = reader.feed(data)
    if not units:
        raise MalformedMessage("ends in the middle of a message" if data else "no bytes")
    if len(units) > 1 or not reader.empty:
        raise MalformedMessage("bytes after the end of the message: its length is wrong, or there are two")
    return units[0]


def build(control: int, data: bytes = b"", *, extended: bool = False) -> bytes:
    """Return the bytes of a unit; raise `MalformedMessage` for more than it can hold."""
    size = len(data)
    if size > MAX_DATA:
        raise MalformedMessage(f"a message holds {MAX_DATA} bytes at most")
    length = bytes((_EXTENDED, size & 0xFF, size >> 8)) if extended or size >= _EXTENDED else bytes((size,))
    return control.to_bytes(2, "big") + length + data


ACK = 0x8000
"""Positive answer."""


def is_answer(control: int) -> bool:
    """Whether a unit answers a command: positively (80 00) or negatively (84 xx)."""
    return control >> 8 in (0x80, 0x84)


def is_positive(control: int) -> bool:
    """Whether it says yes: 80 00, and 84 00 as well (P16 5.2)."""
    return control in (ACK, 0x8400)
