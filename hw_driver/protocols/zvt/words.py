"""What a dialog says to the till while it runs, and where nothing could be asked."""

from __future__ import annotations

import math

from ..machine import Progress
from ..states import Kind
from .options import Options

CANCELLING = Progress("cancelling", "Asking the terminal to give up.")
CANNOT_CANCEL = Progress("cannot_cancel", "The terminal cannot be stopped any more. Wait for its result.")
CALLING = Progress("waiting_for_terminal", "Calling the terminal.")
UNREACHABLE = (
    "The terminal cannot be reached. Check that it is switched on, its network address, and that no other till uses it."
)
SILENT = (
    "The terminal does not answer. Check that its cash register interface (ZVT) is switched on, and that it is idle. "
    "Nothing was charged."
)
#: What a cardholder must be there for.
_WITH_CARD = frozenset({Kind.SALE, Kind.REFUND, Kind.PREAUTH, Kind.CARD})


def waiting(kind: Kind, options: Options) -> Progress:
    """Return what the till shows once the terminal has the request."""
    limit = math.ceil(options.dialog_timeout)
    if kind in _WITH_CARD:
        return Progress("waiting_for_card", "Waiting for the customer's card.", limit)
    return Progress("waiting_for_terminal", "Waiting for the terminal.", limit)
