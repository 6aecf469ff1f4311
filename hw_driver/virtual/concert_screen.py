"""What a virtual terminal is doing, and what its display says of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """What the terminal is doing."""

    IDLE = "idle"
    CARD = "card"
    PIN = "pin"
    AUTHORISING = "authorising"
    COLLECTING = "collecting"
    APPROVED = "approved"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    OFF = "off"


#: The display of each phase: what it says on a sale, and on anything else, which is named.
DISPLAY: dict[Phase, tuple[str, str]] = {
    Phase.IDLE: ("BONJOUR", "BONJOUR"),
    Phase.CARD: ("PRESENTEZ CARTE", "{what}\nPRESENTEZ CARTE"),
    Phase.PIN: ("SAISISSEZ CODE", "SAISISSEZ CODE"),
    Phase.AUTHORISING: ("AUTORISATION\nPATIENTEZ SVP", "PATIENTEZ SVP"),
    Phase.COLLECTING: ("", "{what}\nPATIENTEZ SVP"),
    Phase.APPROVED: ("PAIEMENT ACCEPTE", "{what}\nACCEPTE"),
    Phase.DECLINED: ("PAIEMENT REFUSE", "{what}\nREFUSE"),
    Phase.CANCELLED: ("ABANDON", "ABANDON"),
    Phase.OFF: ("REDEMARRAGE", "REDEMARRAGE"),
}
WHAT = {
    "refund": "REMBOURSEMENT",
    "reversal": "ANNULATION",
    "preauth": "PREAUTORISATION",
    "settlement": "TELECOLLECTE",
}


def display(phase: Phase, kind: str) -> str:
    """Return what the display says."""
    return DISPLAY[phase][kind in WHAT].format(what=WHAT.get(kind, ""))


@dataclass(frozen=True, slots=True)
class Screen:
    """What a cardholder sees.

    `contact` says that the card is in the slot, `pin` counts the digits typed, which are kept nowhere, `receipt` is the
    last slip and `receipt_number` tells it from one before that reads the same.
    """

    phase: Phase = Phase.IDLE
    text: str = DISPLAY[Phase.IDLE][0]
    amount: str = ""
    kind: str = ""
    card: str = ""
    contact: bool = False
    pin: int = 0
    receipt: str = ""
    receipt_number: int = 0
