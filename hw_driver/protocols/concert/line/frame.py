"""`STX message ETX LRC`, and the reader that finds the end of one in a stream.

LRC is the exclusive or of every byte after STX up to and including ETX. It is often a control byte itself, so exactly
one byte is read after the first ETX and nothing inside a frame is taken for a control byte. Source: concert.md 1.2,
1.3 (pyTeliumManager, pypostelium, a Delphi bridge from the field, PayXpert "Concert V2").
"""

from __future__ import annotations

from ...machine import MalformedMessage

ENQ, ACK, NAK, STX, ETX, EOT = 0x05, 0x06, 0x15, 0x02, 0x03, 0x04
MAX_DATA = 512  # bytes between STX and ETX (PayXpert)

_CONTROLS = bytes((ENQ, ACK, NAK, STX, ETX, EOT))
_STX, _ETX = bytes((STX,)), bytes((ETX,))
#: Bits by which data of up to 2, 4, 8 … bytes are folded: half of them, a quarter …, the last byte.
_FOLDS = [tuple(8 << fold for fold in reversed(range(folds))) for folds in range(MAX_DATA.bit_length() + 1)]


def lrc(data: bytes) -> int:
    """Return the check of `data`, which ends with ETX: its bytes folded onto each other by exclusive or."""
    folded = int.from_bytes(data, "big")
    for bits in _FOLDS[(len(data) - 1).bit_length()]:
        folded ^= folded >> bits
    return folded & 0xFF


def frame(message: bytes) -> bytes:
    """Return a message as it goes over the line; raise `MalformedMessage` where it cannot."""
    if not 0 < len(message) <= MAX_DATA:
        raise MalformedMessage(f"a frame holds 1 to {MAX_DATA} bytes")
    if _has_control(message):
        raise MalformedMessage("a message cannot hold a control byte of the line")
    checked = message + _ETX
    return b"%b%b%c" % (_STX, checked, lrc(checked))


def unframe(data: bytes) -> bytes:
    """Return the message in one whole frame; raise `MalformedMessage`."""
    if data[:1] != _STX:
        raise MalformedMessage("a frame begins with STX (02)")
    end = data.find(_ETX, 1) + 1
    if end == 0 or end == len(data):
        raise MalformedMessage("ends in the middle of a frame")
    if end + 1 != len(data):
        raise MalformedMessage("bytes after the end of the frame")
    if why := _fault(data[1:end], data[end]):
        raise MalformedMessage(why)
    return data[1 : end - 1]


def _fault(checked: bytes, check: int) -> str:
    """Say what is wrong with what stood between STX and the check byte; '' where nothing is."""
    if len(checked) > MAX_DATA + 1:
        return f"longer than {MAX_DATA} bytes"
    if check != lrc(checked):
        return "the check byte (LRC) is wrong"
    message = checked[:-1]
    if not message:
        return "an empty frame"
    # The check byte cannot tell a frame that begins inside another.
    return "a control byte inside the frame" if _has_control(message) else ""


def _has_control(message: bytes) -> bool:
    return len(message.translate(None, _CONTROLS)) != len(message)


class FrameReader:
    """Reads what follows STX. Once it has `ended`, `message` is what a good frame held, or `why` says what is wrong."""

    def __init__(self) -> None:
        self.ended = False
        self.message: bytes | None = None
        self.why = ""
        self._data = b""

    def feed(self, data: bytes, at: int) -> int:
        """Take bytes from position `at` on; return the position after the last one taken."""
        if not self._data.endswith(_ETX):
            etx = data.find(ETX, at)
            after = etx + 1 or len(data)
            self._data += data[at:after]
            if len(self._data) > MAX_DATA + 1:
                self._end(f"longer than {MAX_DATA} bytes")
                return after
            at = after
            if etx < 0:
                return at
        if at < len(data):
            self._check(data[at])
            at += 1
        return at

    def _check(self, check: int) -> None:
        self._end(_fault(self._data, check))
        if not self.why:
            self.message = self._data[:-1]

    def _end(self, why: str) -> None:
        self.ended, self.why = True, why
