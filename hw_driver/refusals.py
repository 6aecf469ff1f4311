"""Why a terminal does not do what a till asks. Nothing was sent."""

from __future__ import annotations

from .protocols.machine import SafeError

NO_ABORT = "This terminal cannot be stopped from the till. Ask the customer to press the red key."
OVER = "This transaction is over already."


class TerminalBusy(SafeError):
    """A dialog is under way on this terminal. `holder` is ``{till, operator, uuid, since}`` (`since` ISO 8601 UTC)."""

    def __init__(self, holder: dict[str, str]) -> None:
        super().__init__(f"The terminal is in use by {holder['till'] or 'another till'}.")
        self.holder = holder


class NotSupported(SafeError):
    """This terminal's protocol has no such kind of transaction."""


class CannotCancel(SafeError):
    """The terminal cannot be asked to give up; the text says what the cashier can do instead."""
