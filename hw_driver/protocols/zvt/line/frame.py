"""`DLE STX unit DLE ETX CRC`: frames, and the reader that finds the end of one in a stream.

A DLE inside the unit is doubled. The check is over the unit as it was before doubling and the byte ETX; its low byte
goes first, and its bytes are not doubled. P16 calls it "XModem", but its polynomial is that one bit-reversed: what goes
over the line is CRC-16/KERMIT (zvt.md 1.2, proven there by captured frames).
"""

from __future__ import annotations

import binascii
from enum import Enum, auto

from ...machine import MalformedMessage
from ..apdu import MAX_DATA

DLE, STX, ETX, ACK, NAK = 0x10, 0x02, 0x03, 0x06, 0x15
_LONGEST = MAX_DATA + 5
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_DLE = bytes((DLE,))
_BEGIN, _END = bytes((DLE, STX)), bytes((DLE, ETX))


def crc(data: bytes) -> bytes:
    """Return the check of a unit, which ends with ETX here, as it goes over the line."""
    turned = binascii.crc_hqx(data.translate(_REVERSED), 0)
    return turned.to_bytes(2, "big").translate(_REVERSED)


def frame(unit: bytes) -> bytes:
    """Return a unit as it goes over the line; raise `MalformedMessage` where no frame can hold it."""
    if not 0 < len(unit) <= _LONGEST:
        raise MalformedMessage(f"a frame holds 1 to {_LONGEST} bytes")
    return _BEGIN + unit.replace(_DLE, _DLE + _DLE) + _END + crc(unit + bytes((ETX,)))


def unframe(data: bytes) -> bytes:
    """Return the unit in one whole frame; raise `MalformedMessage`."""
    if data[:2] != _BEGIN:
        raise MalformedMessage("a frame begins with DLE STX (10 02)")
    reader = FrameReader()
    end = reader.feed(data, 2)
    if not reader.ended:
        raise MalformedMessage("ends in the middle of a frame")
    if end != len(data):
        raise MalformedMessage("bytes after the end of the frame")
    if reader.unit is None:
        raise MalformedMessage(reader.why)
    return reader.unit


class _Place(Enum):
    UNIT = auto()
    ESCAPED = auto()
    CHECK = auto()


class FrameReader:
    """Reads what follows DLE STX. Once it has `ended`, `unit` is what a good frame held, or `why` what is wrong."""

    def __init__(self) -> None:
        self.ended = False
        self.unit: bytes | None = None
        self.why = ""
        self._place = _Place.UNIT
        self._unit = bytearray()
        self._check = b""

    def feed(self, data: bytes, at: int) -> int:
        """Take bytes from position `at` on; return the position after the last one taken."""
        while at < len(data) and not self.ended:
            if self._place is _Place.CHECK:
                self._check += data[at : at + 1]
                at += 1
                if len(self._check) == 2:
                    self._judge()
            elif self._place is _Place.ESCAPED:
                self._escaped(data[at])
                at += 1
            else:
                dle = data.find(DLE, at)
                stop = len(data) if dle < 0 else dle
                self._unit += data[at:stop]
                at = stop
                if dle >= 0:
                    self._place = _Place.ESCAPED
                    at += 1
                if len(self._unit) > _LONGEST:
                    self._end("a frame without an end")
        return at

    def _escaped(self, byte: int) -> None:
        self._place = _Place.UNIT
        if byte == DLE:
            self._unit.append(DLE)
        elif byte == ETX:
            self._place = _Place.CHECK
        elif byte == STX:
            self._unit.clear()  # another frame begins: the end of this one was lost
        else:
            self._end("a DLE (10) that is not doubled")

    def _judge(self) -> None:
        unit = bytes(self._unit)
        if self._check != crc(unit + bytes((ETX,))):
            self._end("the check (CRC) is wrong")
        elif not unit:
            self._end("an empty frame")
        else:
            self._end("")
            self.unit = unit

    def _end(self, why: str) -> None:
        self.ended, self.why = True, why
