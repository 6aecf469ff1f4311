"""The session on the line: ENQ, ACK, a frame, ACK, EOT; then the other side does the same with its answer.

A pure, long-lived machine, the same for till and terminal: one per line, not one per dialog, so that an answer is heard
whenever it comes. It is fed bytes and timers and answers with what to write and what has become of messages.

Permitted repeats: ENQ, as long as no frame was sent; a frame only after an explicit NAK of it. Silence after a frame
repeats nothing: the dialog above goes on waiting for the other side's own session. A received message is acknowledged
only when `acknowledge()` is called: whoever stands above makes it durable first.

Source: concert.md 1.4 and 1.5 (traces of pyTeliumManager; pypostelium; a Delphi bridge from the field; PayXpert).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import ClassVar

from ...link import Delivered, LinkEffect, NotOpened, Opened, Received, Refused
from ...machine import Send, StartTimer, StopTimer
from .frame import ACK, ENQ, EOT, NAK, STX, FrameReader, frame
from .settings import LinkSettings


class Phase(Enum):
    """Where the session stands, seen from one side."""

    IDLE = auto()
    OPENING = auto()  # ENQ sent
    PAUSING = auto()  # between two ENQ
    OPEN = auto()  # we are master
    SENDING = auto()  # frame sent, ACK awaited
    LISTENING = auto()  # the other side is master
    READING = auto()  # inside its frame
    HOLDING = auto()  # its message waits for `acknowledge`
    TAKEN = auto()  # acknowledged, EOT awaited


#: The machine has one clock at a time, and one for the silence before an answer.
CLOCK, TURN = "line", "line_turn"

_NAK = bytes((NAK,))


class EnqLink:
    """One side of one line. `yields` says who gives way when both open at once: the till does.

    Raises `MalformedMessage` from `send` for a message no frame can hold.
    """

    def __init__(self, settings: LinkSettings, *, yields: bool = True) -> None:
        self._settings = settings
        self._yields = yields
        self._phase = Phase.IDLE
        self._wanted = False
        self._tries = 0
        self._refused = False
        self._frame = b""
        self._sends = 0
        self._noisy = False
        self._reader = FrameReader()
        self._last = b""
        self._answer = b""
        self._effects: list[LinkEffect] = []

    @property
    def idle(self) -> bool:
        """Whether nothing is under way on the line."""
        return self._phase is Phase.IDLE and not self._wanted

    # -- what stands above

    def open(self) -> list[LinkEffect]:
        """Ask for a session; answered by `Opened` or `NotOpened`. Waits until a session of the other side is over."""
        self._wanted, self._tries, self._refused, self._frame = True, 0, False, b""
        if self._phase is Phase.IDLE:
            self._enquire()
        return self._told()

    def send(self, message: bytes) -> list[LinkEffect]:
        """Send the one message of the session; answered by `Delivered`, `Refused`, or nothing at all.

        Where the other side has taken the line meanwhile, it leaves in the next session, or `NotOpened` says that none
        could be had. Raises `ConnectionError` where no session was asked for.
        """
        if not self._wanted:
            raise ConnectionError("there is no session on the line")
        self._frame, self._sends = frame(message), 0
        if self._phase is Phase.OPEN:
            self._send_frame()
        return self._told()

    def acknowledge(self) -> list[LinkEffect]:
        """Say that the message received last is safe."""
        if self._phase is Phase.HOLDING:
            self._reply(ACK)
            self._go(Phase.TAKEN, self._settings.line_byte)
        return self._told()

    def refuse(self) -> list[LinkEffect]:
        """Say that the message received last cannot be understood."""
        if self._phase is Phase.HOLDING:
            self._last = b""
            self._refuse()
        return self._told()

    def release(self) -> list[LinkEffect]:
        """Give up a session that was asked for, and any repeat of its frame. The other side is still heard."""
        self._wanted, self._frame = False, b""
        if self._phase in (Phase.OPENING, Phase.OPEN):
            self._write(EOT)
            self._go(Phase.IDLE)
        elif self._phase is Phase.PAUSING:
            self._go(Phase.IDLE)
        return self._told()

    # -- what happens on the line

    def receive(self, data: bytes) -> list[LinkEffect]:
        at, sends = 0, self._sends
        if self._phase is Phase.SENDING and data.strip(_NAK):
            self._noisy = True
        while at < len(data) and self._sends == sends:  # what came together was said before the frame was sent
            if self._phase is Phase.READING:
                at = self._read(data, at)
                continue
            if action := self._ON_BYTE.get((self._phase, data[at])):
                action(self)
            at += 1
        return self._told()

    def timer(self, name: str) -> list[LinkEffect]:
        if name == TURN:
            answer, self._answer = self._answer, b""
            if answer:
                self._effects.append(Send(answer))
        elif action := self._ON_SILENCE.get(self._phase):
            action(self)
        return self._told()

    def lost(self) -> None:
        """The line is gone: forget the session. No effects; timers are the caller's to stop."""
        self._phase, self._wanted, self._answer, self._frame = Phase.IDLE, False, b"", b""

    # -- opening

    def _enquire(self) -> None:
        self._tries += 1
        self._write(ENQ)
        self._go(Phase.OPENING, self._settings.line_answer)

    def _enquire_again(self) -> None:
        """No ACK: close with EOT, pause, try again; give up after the last try."""
        self._write(EOT)
        if self._tries < self._settings.line_tries:
            self._go(Phase.PAUSING, self._settings.line_pause)
            return
        self._wanted, self._frame = False, b""
        self._go(Phase.IDLE)
        self._effects.append(NotOpened("line_busy" if self._refused else "line_silent"))

    def _not_now(self) -> None:
        self._refused = True
        self._enquire_again()

    def _opened(self) -> None:
        if self._frame:
            self._send_frame()
            return
        self._go(Phase.OPEN)
        self._effects.append(Opened())

    def _collided(self) -> None:
        """Both want the line, usually because the terminal has a late answer. The till hears it first."""
        if self._yields:
            self._tries = max(0, self._tries - 1)  # not a failed try
            self._listen()

    # -- sending

    def _send_frame(self) -> None:
        self._sends += 1
        self._wanted = self._noisy = False
        self._effects.append(Send(self._frame))
        self._go(Phase.SENDING, self._settings.line_answer)

    def _delivered(self) -> None:
        self._frame = b""
        self._reply(EOT)
        self._idle()
        self._effects.append(Delivered())

    def _send_again(self) -> None:
        """Refused, if it is said plainly: a NAK among other bytes may be noise, and the frame may have been taken."""
        if self._noisy:
            return
        if self._frame and self._sends < self._settings.line_sends:
            self._send_frame()
            return
        refused, self._frame = bool(self._frame), b""
        self._reply(EOT)
        self._idle()
        if refused:
            self._effects.append(Refused())

    def _unanswered(self) -> None:
        """Silence after a frame: it may have been taken, so it is never sent again."""
        self._frame = b""
        self._write(EOT)
        self._idle()

    # -- listening

    def _listen(self) -> None:
        self._reply(ACK)
        self._last = b""
        self._go(Phase.LISTENING, self._settings.line_byte)

    def _begin_reading(self) -> None:
        self._reader = FrameReader()
        self._go(Phase.READING, self._settings.line_byte)

    def _read(self, data: bytes, at: int) -> int:
        """Take what belongs to the frame, from position `at` on; return the position after it."""
        after = self._reader.feed(data, at)
        if not self._reader.ended:
            self._effects.append(StartTimer(CLOCK, self._settings.line_byte))
            return after
        message = self._reader.message
        if message is None:
            self._refuse()
        elif message == self._last:  # our ACK was lost: said again, told once
            self._reply(ACK)
            self._go(Phase.TAKEN, self._settings.line_byte)
        else:
            self._last = message
            self._go(Phase.HOLDING)
            self._effects.append(Received(message))
        return after

    def _refuse(self) -> None:
        self._reply(NAK)
        self._go(Phase.LISTENING, self._settings.line_byte)

    def _idle(self) -> None:
        """The session is over; one that was asked for meanwhile begins."""
        if self._wanted:
            self._go(Phase.PAUSING, self._settings.line_turnaround)
        else:
            self._go(Phase.IDLE)

    # -- tools

    def _go(self, phase: Phase, seconds: float | None = None) -> None:
        self._phase = phase
        self._effects.append(StopTimer(CLOCK) if seconds is None else StartTimer(CLOCK, seconds))

    def _write(self, byte: int) -> None:
        """Write at once, after what still waits for its turn."""
        waiting, self._answer = self._answer, b""
        self._effects.append(Send(waiting + bytes((byte,))))

    def _reply(self, byte: int) -> None:
        """Answer after the silence the other side needs to turn round."""
        if not self._settings.line_turnaround:
            self._write(byte)
            return
        self._answer += bytes((byte,))
        self._effects.append(StartTimer(TURN, self._settings.line_turnaround))

    def _told(self) -> list[LinkEffect]:
        effects, self._effects = self._effects, []
        return effects

    #: What a byte means by where the session stands; any other byte is noise.
    _ON_BYTE: ClassVar[dict[tuple[Phase, int], Callable[[EnqLink], None]]] = {
        (Phase.IDLE, ENQ): _listen,
        (Phase.OPENING, ACK): _opened,
        (Phase.OPENING, NAK): _not_now,
        (Phase.OPENING, ENQ): _collided,
        (Phase.PAUSING, ENQ): _listen,
        (Phase.OPEN, ENQ): _collided,
        (Phase.SENDING, ACK): _delivered,
        (Phase.SENDING, NAK): _send_again,
        (Phase.SENDING, ENQ): _listen,  # it answers already: the ACK before was lost
        (Phase.LISTENING, ENQ): _listen,
        (Phase.LISTENING, STX): _begin_reading,
        (Phase.LISTENING, EOT): _idle,
        (Phase.HOLDING, EOT): _idle,
        (Phase.TAKEN, ENQ): _listen,
        (Phase.TAKEN, STX): _begin_reading,
        (Phase.TAKEN, EOT): _idle,
    }
    _ON_SILENCE: ClassVar[dict[Phase, Callable[[EnqLink], None]]] = {
        Phase.OPENING: _enquire_again,
        Phase.PAUSING: _enquire,
        Phase.SENDING: _unanswered,
        Phase.LISTENING: _idle,
        Phase.READING: _refuse,
        Phase.TAKEN: _idle,
    }
