"""What a terminal says of its last transaction (06 20), and whether that is the one whose answer was lost.

A transaction is known by the terminal's own numbers: terminal id, trace, receipt, time. Those that the terminal had
told before the link was lost, or of the transaction before, prove which one it speaks of (zvt.md 6.3).
"""

from __future__ import annotations

from dataclasses import replace

from ..currency import LETTERS
from ..machine import Evidence, Outcome
from ..recovery import Last, Lost, believe
from ..states import Kind, State
from . import fields
from .codes import DONE
from .messages import Taken
from .options import Options
from .verdict import evidence, numbers


def last_of(status: Taken | None, options: Options, *, idle: bool) -> Last | None:
    """Return what a status information says of the last transaction, None where it says nothing of a payment."""
    result = status.value(fields.RESULT) if status else b""
    if status is None or not result or status.value(fields.SUMS):
        return None
    said = evidence(status, None, options.charset)
    currency = LETTERS.get(status.value(fields.CURRENCY).hex()[1:], "") or options.currency
    kind = Kind.REVERSAL if status.value(fields.ORIGINAL_TRACE) else None
    amount = status.value(fields.AMOUNT).hex()
    if result[0] != DONE:
        text = "The terminal's last payment was not completed."
        outcome = Outcome(State.DECLINED, "not_completed", text, **said)
    elif amount.isdigit():
        text = "The terminal's last payment was approved."
        outcome = Outcome(State.APPROVED, "approved", text, amount_approved=int(amount), **said)
    else:
        return None
    tip = int(said["details"].get("tip", 0))
    return Last(outcome, currency=currency, kind=kind, idle=idle, in_part=options.partial_approval, tip=tip)


def tell(lost: Lost, last: Last, longest: float) -> Outcome | Evidence:
    """Return how the lost transaction ended, or the evidence where that is not proven."""
    mine = _as_asked(lost, last)
    if lost.said is not None and same(lost.said, last.outcome):
        return believe(lost, replace(mine, reference=lost.uuid), longest)
    if lost.previous is not None and same(lost.previous, last.outcome) and _as_much(lost.previous, last.outcome):
        return believe(lost, replace(last, reference=lost.previous_uuid), longest)
    told_another = lost.said is not None and _named(lost.said)
    told = lost.previous is not None and _named(lost.previous) and _named(last.outcome)
    newer = _is_after(last.outcome, lost.previous) if told and lost.previous else None
    return believe(lost, replace(mine, elsewhere=told_another, newer=newer), longest)


def _as_asked(lost: Lost, last: Last) -> Last:
    """Return the last transaction as what it would be if it were the lost one.

    A tip is told with its sale (SM), and a completion perhaps with what was released (06 23): other amounts than the
    till asked with, so what only looks like less than was asked is not taken for it.
    """
    if lost.kind is Kind.TIP and last.tip == lost.amount:
        return replace(last, outcome=replace(last.outcome, amount_approved=lost.amount), tip=0)
    if lost.kind is Kind.TIP or (lost.kind is Kind.COMPLETION and last.amount != lost.amount):
        return replace(last, kind=last.kind or Kind.SALE)
    return last


def _as_much(one: Outcome, other: Outcome) -> bool:
    """Whether both come to the same: a tip changes what a payment comes to, under the numbers it has."""
    return one.amount_approved == other.amount_approved


def same(one: Outcome, other: Outcome) -> bool:
    """Whether these are certainly the same transaction of the same terminal."""
    return _named(one) and _named(other) and numbers(one) == numbers(other)


def _is_after(one: Outcome, other: Outcome) -> bool:
    """Whether the same terminal counted on from one to the other; its counters begin again after their last digit."""
    (terminal, *mine, _), (known, *its, _) = numbers(one), numbers(other)
    if terminal != known or not terminal:
        return False
    pairs = [(new, old) for new, old in zip(mine, its, strict=True) if new.isdigit() and old.isdigit()]
    return bool(pairs) and all(_counted_on(new, old) for new, old in pairs)


def _counted_on(new: str, old: str) -> bool:
    half = int("5" + "0" * (max(len(new), len(old)) - 1))
    return 0 < (int(new) - int(old)) % (2 * half) < half


def _named(outcome: Outcome) -> bool:
    terminal, trace, receipt, time = numbers(outcome)
    return bool(terminal and (trace or receipt) and time)
