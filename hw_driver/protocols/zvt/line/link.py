"""The link: each frame is answered at once by ACK or NAK, and repeated after a NAK, or silence.

A pure, long-lived machine, the same for till and terminal: one per line. ACK says that a frame arrived whole; that a
message is safe is said by the message's own answer (80 00), so nothing waits for `acknowledge()` here.

Permitted repeats: any frame after an explicit NAK of it; after silence all but the requests for money, which are sent
once unless `line_repeat_payments` says otherwise. A frame that comes again because its ACK was lost is told once: the
other side cannot have gone on before something of ours was acknowledged.

A frame whose beginning was lost looks like noise in which any byte can be a NAK, and a request for money must not go
again for that. So ACK and NAK count only where nothing but whole frames was heard since our own frame.

An answer (80 00, 84 xx) does not say what it answers. One that is still owed when a dialog is given up (a 06 B0 that
crossed the end) would be taken for the next dialog's, and all after it for the one before theirs. So the next command
waits until what is owed has come, which is told to nobody, or T2 is over.

Source: P16 2.1, 3, P15 2.21 (zvt.md 1.2).
"""

from __future__ import annotations

from collections import deque

from ...link import Delivered, LinkEffect, Opened, Received, Refused
from ...machine import Send, StartTimer, StopTimer
from ..apdu import is_answer
from ..commands import MONEY_COMMANDS
from .frame import ACK, DLE, NAK, STX, FrameReader, frame
from .settings import LinkSettings

BYTE, ANSWER, OWED = "line_t1", "line_t2", "line_owed"


class ZvtLink:
    """One side of one line. Raises `MalformedMessage` from `send` for a message no frame can hold."""

    def __init__(self, settings: LinkSettings) -> None:
        self._settings = settings
        self._waiting: deque[tuple[bytes, bytes]] = deque()  # messages, each with its frame
        self._sent = b""  # the message whose ACK is awaited
        self._frame = b""
        self._sends = 0
        self._owed = 0  # commands of ours that left and are not answered
        self._nobodys = 0  # … whose dialog was given up
        self._begun = False  # a DLE was heard outside a frame
        self._in_step = True  # nothing but whole frames was heard since our last one
        self._reader: FrameReader | None = None
        self._timed = False  # T1 runs
        self._last = b""  # the message heard last, until something of ours is acknowledged
        self._effects: list[LinkEffect] = []

    @property
    def idle(self) -> bool:
        """Whether nothing is under way on the line."""
        return not (self._sent or self._waiting or self._reader)

    # -- what stands above

    def open(self) -> list[LinkEffect]:
        """There is no session on this line: messages may go at once."""
        self._effects.append(Opened())
        return self._told()

    def send(self, message: bytes) -> list[LinkEffect]:
        """Send a message, after those before it."""
        self._waiting.append((message, frame(message)))
        self._next()
        return self._told()

    def acknowledge(self) -> list[LinkEffect]:
        """Nothing: a frame's ACK has gone already."""
        return []

    def release(self) -> list[LinkEffect]:
        """Forget commands that have not been acknowledged; answers still go out, or the terminal stays blocked."""
        self._waiting = deque(waiting for waiting in self._waiting if _is_answer(waiting[0]))
        if self._sent and not _is_answer(self._sent):
            self._done()
        if self._owed > self._nobodys:
            self._nobodys = self._owed
            self._effects.append(StartTimer(OWED, self._settings.line_answer))
        return self._told()

    # -- what happens on the line

    def receive(self, data: bytes) -> list[LinkEffect]:
        at = 0
        while at < len(data):
            if self._reader is not None:
                at = self._read(self._reader, data, at)
                continue
            self._hear(data[at])
            at += 1
        if self._reader is not None:
            self._timed = True
            self._effects.append(StartTimer(BYTE, self._settings.line_byte))
        elif self._timed:
            self._timed = False
            self._effects.append(StopTimer(BYTE))
        return self._told()

    def _hear(self, byte: int) -> None:
        """Take a byte between frames."""
        begun, self._begun = self._begun, False
        if begun and byte == STX:
            self._reader = FrameReader()
        elif byte == DLE:
            self._begun = True
            self._in_step &= not begun
        elif self._sent and self._in_step and not begun and byte in (ACK, NAK):
            self._delivered() if byte == ACK else self._again()
        else:
            self._in_step = False

    def timer(self, name: str) -> list[LinkEffect]:
        if name == BYTE and self._reader is not None:
            self._reader, self._timed = None, False
            self._in_step = False
            self._write(NAK)
        elif name == ANSWER and self._sent:
            self._silence()
        elif name == OWED:
            self._owed = self._nobodys = 0
            self._next()
        return self._told()

    def lost(self) -> None:
        """The line is gone: forget what was under way."""
        self._waiting.clear()
        self._owed = self._nobodys = 0
        self._sent, self._reader, self._timed, self._begun, self._last = b"", None, False, False, b""

    # -- reading

    def _read(self, reader: FrameReader, data: bytes, at: int) -> int:
        after = reader.feed(data, at)
        if not reader.ended:
            return after
        self._reader = None
        self._in_step = reader.unit is not None
        if reader.unit is None:
            self._write(NAK)
            return after
        self._write(ACK)
        if self._sent and _is_answer(reader.unit):
            self._delivered()  # it answers what we sent: the ACK before was lost
        if reader.unit != self._last:
            self._last = reader.unit
            if not (_is_answer(reader.unit) and self._answers_nobody()):
                self._effects.append(Received(reader.unit))
        return after

    def _answers_nobody(self) -> bool:
        """Take an answer off what is owed; return whether it is to a dialog that was given up."""
        self._owed = max(self._owed - 1, 0)
        if not self._nobodys:
            return False
        self._nobodys -= 1
        if not self._nobodys:
            self._effects.append(StopTimer(OWED))
            self._next()
        return True

    # -- sending

    def _next(self) -> None:
        if self._sent:
            return
        for waiting in self._waiting:
            if not self._nobodys or _is_answer(waiting[0]):
                self._waiting.remove(waiting)
                (self._sent, self._frame), self._sends = waiting, 0
                self._owed += not _is_answer(self._sent)
                self._send_frame()
                return

    def _send_frame(self) -> None:
        self._sends += 1
        self._in_step = True
        self._effects += [Send(self._frame), StartTimer(ANSWER, self._settings.line_answer)]

    def _delivered(self) -> None:
        self._last = b""
        self._effects.append(Delivered())
        self._done()

    def _again(self) -> None:
        if self._sends < self._settings.line_sends:
            self._send_frame()
            return
        self._waiting.clear()  # whoever stands above gives up: nothing more may leave
        self._owed -= not _is_answer(self._sent)
        self._effects.append(Refused())
        self._done()

    def _silence(self) -> None:
        """No ACK: the other side may have taken it. Whoever stands above waits for the answer, and gives up."""
        money = self._sent[:2] in MONEY_COMMANDS and not self._settings.line_repeat_payments
        if self._sends < self._settings.line_sends and not money:
            self._send_frame()
            return
        if not money:
            self._last = b""  # nobody is there: what comes next is no repeat, but somebody who begins anew
        self._done()

    def _done(self) -> None:
        self._sent = b""
        self._effects.append(StopTimer(ANSWER))
        self._next()

    def _write(self, byte: int) -> None:
        self._effects.append(Send(bytes((byte,))))

    def _told(self) -> list[LinkEffect]:
        effects, self._effects = self._effects, []
        return effects


def _is_answer(message: bytes) -> bool:
    return is_answer(message[0] << 8)
