"""What a terminal's words mean where no money moves: end of day, sums, copies, states of the terminal, cards read.

Source: P15 2, 13 (BMP 60); zvt.md 2.3, 3.3.
"""

from __future__ import annotations

from typing import Any

from ..machine import Outcome
from ..scrub import scrub
from ..states import Kind, State
from . import fields, tlv
from .conditions import READY, condition_of
from .messages import Taken
from .slips import Slips
from .values import GROUPS, text_of

#: What is over once the terminal has said yes (P15 3: no completion follows).
ENDS_WITH_ANSWER = frozenset({Kind.LOGOFF, Kind.DISPLAY})
#: What is over once the terminal has told its result (P15 2, 06 C0: no completion follows).
ENDS_WITH_RESULT = frozenset({Kind.CARD})

#: Code and sentence of each kind that was done.
_DONE: dict[Kind, tuple[str, str]] = {
    Kind.SETTLEMENT: ("settled", "End of day done."),
    Kind.TOTALS: ("totals", "The terminal has told its totals. Nothing was sent off."),
    Kind.REPRINT: ("reprinted", "Printed again."),
    Kind.DIAGNOSIS: ("diagnosed", "Diagnosis done."),
    Kind.INITIALISATION: ("initialised", "The terminal is initialised."),
    Kind.LOGOFF: ("logged_off", "The terminal works on its own again, until the next request."),
    Kind.DISPLAY: ("shown", "The terminal shows it."),
    Kind.CARD: ("card_read", "The card was read. Nothing was charged."),
}
_WITH_TOTALS = frozenset({Kind.SETTLEMENT, Kind.TOTALS})
#: Their slips are the shop's, however they are marked.
_OF_THE_SHOP = _WITH_TOTALS | {Kind.DIAGNOSIS, Kind.INITIALISATION}


def done(kind: Kind, currency: str, status: Taken | None, slips: Slips, said: dict[str, Any]) -> Outcome:
    """Return the outcome of what was done; `said` are the members that the result brought."""
    code, text = _DONE[kind]
    if kind in _OF_THE_SHOP:
        said = {**said, "receipt": "", "merchant_receipt": slips.all}
    totals = totals_of(status, currency) if kind in _WITH_TOTALS else None
    return Outcome(State.APPROVED, code, text, totals=totals, **said)


def identified(end: Taken, registered: Taken | None, said: dict[str, Any], charset: str) -> Outcome:
    """Return what a status report, and the registration before it, say of the terminal itself."""
    objects, first = end.objects, registered or Taken({}, [])
    status = end.parts.get("status", b"")
    found = condition_of(status, first.value(fields.STATUS))
    details = {
        "status": status.hex(),
        "condition": found.word,
        "remedy": found.remedy or "",
        "software": text_of(end.parts.get("software", b"") or tlv.find(objects, tlv.SOFTWARE) or b"", charset),
        "device": text_of(tlv.find(objects, tlv.DEVICE) or b"", charset),
    }
    terminal_id = first.value(fields.TERMINAL_ID).hex()
    virtual = (*objects, *first.objects)
    members = {
        **said,
        "serial": (tlv.find(objects, tlv.SERIAL) or b"").hex().strip("f"),
        "terminal_id": terminal_id if terminal_id.isdigit() else "",
        "virtual": tlv.find(list(virtual), tlv.VIRTUAL) is not None,
        "details": {name: scrub(str(value)) for name, value in details.items() if value},
    }
    text = "The terminal answers." if found is READY else f"The terminal answers. {found.text}"
    return Outcome(State.APPROVED, "identified", text, **members)


def totals_of(status: Taken | None, currency: str) -> tuple[dict[str, Any], ...] | None:
    """Return the sums by group of cards (BMP 60), without groups that had nothing; None where none are told."""
    value = status.value(fields.SUMS) if status else b""
    if len(value) != 4 + 7 * len(GROUPS):
        return None
    sums = [value[at : at + 7] for at in range(4, len(value), 7)]
    if not all(part[1:].hex().isdigit() for part in sums):
        return None
    groups = zip(GROUPS, sums, strict=True)
    return tuple(
        {"brand": brand, "count": part[0], "amount": int(part[1:].hex()), "currency": currency}
        for brand, part in groups
        if part[0] or int(part[1:].hex())
    )
