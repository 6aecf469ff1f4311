"""The slip of a virtual terminal, 24 columns wide like a CB terminal's. It says on every copy that no money moved."""

from __future__ import annotations

from datetime import datetime

from .cards import CardProfile
from .ledger import Entry

WIDTH = 24
_WHAT = {"sale": "DEBIT", "refund": "CREDIT", "reversal": "ANNULATION", "preauth": "PREAUTORISATION"}
_SETTLED = {"approved": "TELECOLLECTE TERMINEE", "declined": "TELECOLLECTE REFUSEE", "cancelled": "ABANDON"}
_COPY = {"customer": "TICKET CLIENT", "merchant": "TICKET COMMERCANT"}


def receipt(entry: Entry, card: CardProfile | None, at: datetime, copy: str) -> str:
    """Return the slip's text (lines ended by LF); `copy` is ``customer`` or ``merchant``, `at` local time."""
    lines = ["TERMINAL VIRTUEL".center(WIDTH), "SANS VALEUR".center(WIDTH)]
    if card is not None:
        lines += [line for line in (card.receipt_name, card.aid) if line]
    lines += [f"le {at:%d/%m/%y} a {at:%H:%M:%S}", f"CONTRAT {entry.contract} C{entry.register}"]
    if card is not None and card.last4:
        lines.append(f"************{card.last4}")
    if entry.kind == "settlement":
        lines.append(_SETTLED[entry.outcome])
    elif entry.outcome == "approved":
        lines += [f"No AUTO : {entry.auth_code}", "MONTANT", euros(entry.amount, entry.currency).rjust(WIDTH)]
        lines.append(_WHAT[entry.kind])
    else:
        lines.append({"declined": "PAIEMENT REFUSE", "cancelled": "ABANDON"}[entry.outcome])
    lines.append(_COPY[copy])
    return "".join(f"{line.rstrip()[:WIDTH]}\n" for line in lines)


def euros(amount: int, currency: str) -> str:
    """Return an amount of minor units as the display shows it: ``1 234,50 EUR``."""
    whole, cents = divmod(amount, 100)
    return f"{whole:,}".replace(",", " ") + f",{cents:02d} {currency}"
