"""The copy of its last result that a terminal gives when asked (CD 3), and references that come back with a result.

Sources: HiPay "Tablet Connector", Duplicata (what it answers: the last success with its own amount, or a failure;
tested there on one model only), PayXpert "Concert V3" (CD 3; CF and CH). What is not documented is an option.
"""

from __future__ import annotations

import re
from dataclasses import replace
from uuid import UUID

from ..currency import LETTERS
from ..machine import Outcome
from ..recovery import Last
from ..states import MONEY_KINDS, Kind, State
from .options import Options
from .tables import DONE, DUPLICATE, EXCHANGES, FIELDS, NOT_DONE, REASONS_OF_SUCCESS
from .tlv import Fields
from .verdict import evidence, reason, text_of

_KINDS = {exchange.action: kind for kind, exchange in EXCHANGES.items() if kind in MONEY_KINDS}
_token = re.compile(r"[0-9a-f]{32}").fullmatch


def token(uuid: str) -> str:
    """Return a transaction's uuid as it goes out with the request: 32 characters, which every reply has room for."""
    return uuid.replace("-", "")


def reference_in(reply: Fields, options: Options) -> str:
    """Return the uuid of the transaction that a reply names, or ''."""
    value = text_of(reply, options.reference_tag) if options.reference_tag else ""
    return str(UUID(value)) if _token(value) else value


def last_of(reply: Fields, options: Options) -> Last | None:
    """Return what a reply to CD 3 says of the terminal's last transaction, None where it says nothing of it."""
    said = evidence(reply)
    result, why = text_of(reply, "AE"), reason(reply)
    last = Last(
        Outcome(State.DECLINED, "not_completed", "The terminal's last payment was not completed.", **said),
        reference=reference_in(reply, options),
        elsewhere="CA" in reply and text_of(reply, "CA").lstrip("0") != options.register_number.lstrip("0"),
        idle=options.duplicata_idle,
    )
    if result == NOT_DONE:
        return last if why and why == options.duplicata_refused else None
    if result != DONE or why not in REASONS_OF_SUCCESS or text_of(reply, "BA") not in ("", "0"):
        return None
    action = text_of(reply, "CD")
    if action not in ("", DUPLICATE.action, *_KINDS) or not FIELDS["CB"].fits(text_of(reply, "CB")):
        return None
    outcome = replace(last.outcome, state=State.APPROVED, code="approved", amount_approved=int(text_of(reply, "CB")))
    kind: Kind | None = _KINDS.get(action)
    text = "The terminal's last payment was approved."
    return replace(last, outcome=replace(outcome, text=text), currency=LETTERS.get(text_of(reply, "CE"), ""), kind=kind)
