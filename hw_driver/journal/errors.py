"""What can go wrong with the journal, split by what it means for the money."""

from __future__ import annotations

from ..protocols.machine import CardTerminalError, SafeError
from ..protocols.states import Money


class JournalUnavailable(SafeError):
    """The journal cannot be opened, or an intent cannot be made durable: nothing was sent. The text says what to do."""


class JournalLocked(JournalUnavailable):
    """Another process holds the journal."""


class KnownTransaction(SafeError):
    """This uuid is already in the journal. `record` is what became of it."""

    def __init__(self, record: object) -> None:
        super().__init__("this transaction is known already")
        self.record = record


class NoSuchTransaction(SafeError):
    """The journal has never seen this uuid."""


class IllegalTransition(CardTerminalError):
    """A state that cannot follow the one before: a fault of the program, so nothing is known of the money."""

    money = Money.UNKNOWN


class NotRecorded(CardTerminalError):
    """What happened could not be made durable, so it must not be acted upon or told to anyone yet."""

    money = Money.UNKNOWN
