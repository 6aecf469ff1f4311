"""What may be believed of a terminal's word when the answer to a money request was lost.

Terminals that can be asked usually tell their *last* transaction, whoever began it. It ends an unknown one only when it
is the terminal's word about this very transaction (laws 3 and 4 of the design):

* it carries the reference the request went out with; or
* the terminal is used by this driver alone (`exclusive`), and the result is not the one that was known before.

The terminal's last transaction being an earlier one proves that the request never arrived, but only once it can neither
arrive any more nor be under way. Everything else is evidence, for a person to judge.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .machine import Evidence, Outcome
from .states import Kind, State

#: Seconds after which a request that was let go cannot reach the terminal any more.
IN_FLIGHT = 5.0

#: Codes of `failed` that say for certain that nothing was sent, so the terminal's last transaction is another one.
NOT_SENT_CODES = frozenset({"unreachable", "unexpected_data", "journal_unavailable", "expired", "driver_restarted"})


@dataclass(frozen=True, slots=True)
class Recovery:
    """What terminals of a protocol can be asked after an answer was lost.

    `supported(options)` says whether this terminal can; `pauses` are the seconds before each question while the
    terminal is held for it, `later` those before each further one, asked only while nobody uses the terminal.
    `refusals` are codes of `failed` by which a terminal refuses before it begins: its last is still the one before.
    """

    supported: Callable[[Mapping[str, Any]], bool]
    pauses: tuple[float, ...] = (2, 8, 20)
    later: tuple[float, ...] = (60, 240, 900)
    refusals: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Lost:
    """A money request whose answer was lost, and what is known around it.

    `exclusive` says that nobody but this driver uses the terminal. `previous` is the last
    result this terminal gave before, of the transaction `previous_uuid`; None where there was none or the one before
    is unknown itself. `waited` is the time in seconds since the request left, at least. `said` is what the terminal had
    told of this one before it was lost, where it tells a result before it is over.
    """

    uuid: str
    kind: Kind
    amount: int
    currency: str
    exclusive: bool = False
    previous: Outcome | None = None
    previous_uuid: str = ""
    waited: float = 0.0
    said: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Last:
    """What a terminal says of its last transaction.

    `outcome` is `approved` with its amount, or a state without charge when the terminal says that the last attempt did
    not succeed. `kind` is None where it is not told; `reference` is the uuid that went out with the request, or ''.
    `elsewhere` says that the terminal names another till for it. `idle` says that this terminal answers so only while
    nothing is under way. `newer` says whether its numbers come after those of the previous one; None: it told none.
    `in_part` says that it may have approved less than was asked; `tip` is what the amount holds above that.
    """

    outcome: Outcome
    currency: str = ""
    kind: Kind | None = None
    reference: str = ""
    elsewhere: bool = False
    idle: bool = False
    newer: bool | None = None
    in_part: bool = False
    tip: int = 0

    @property
    def amount(self) -> int:
        """What it approved of what was asked."""
        return (self.outcome.amount_approved or 0) - self.tip


def believe(lost: Lost, last: Last, longest: float) -> Outcome | Evidence:
    """Return how the lost transaction ended, or the evidence where that is not proven.

    `longest` is how many seconds a transaction can take on the terminal.
    """
    agrees = _agreement(lost, last)
    quiet = lost.waited >= IN_FLIGHT and (last.idle or lost.waited >= longest)
    if last.outcome.state is State.APPROVED:
        if _is_this(lost, last, agrees):
            return _approved(lost, last, agrees)
        if quiet and _is_previous(lost, last):
            return Outcome(State.FAILED, "not_received", _NOT_RECEIVED)
    elif "reference" in agrees or (lost.exclusive and quiet and not last.reference and not last.elsewhere):
        return replace(last.outcome, state=State.FAILED, code="not_completed", text=_NOT_COMPLETED)
    return Evidence(last.outcome, agrees)


_NOT_RECEIVED = "The terminal's last payment is an earlier one: this request never reached it. Nothing was charged."
_NOT_COMPLETED = "The terminal says that its last payment was not completed. Nothing was charged."


def _agreement(lost: Lost, last: Last) -> tuple[str, ...]:
    """Return what of the last transaction agrees with the lost one, in words for people and programs."""
    agrees = {
        "reference": last.reference == lost.uuid,
        "kind": last.kind is lost.kind,
        "amount": last.amount == lost.amount,
        "currency": last.currency == lost.currency,
        "newer": lost.previous is not None and _is_newer(last, lost.previous),
    }
    return tuple(word for word, true in agrees.items() if true)


def _is_this(lost: Lost, last: Last, agrees: tuple[str, ...]) -> bool:
    if "currency" not in agrees or not 0 < last.amount <= lost.amount or last.kind not in (None, lost.kind):
        return False
    if lost.kind is Kind.REVERSAL and "amount" not in agrees:
        return False  # a payment is taken back as a whole
    if "reference" in agrees:
        return True
    told_another = last.reference or last.elsewhere
    enough = "amount" in agrees or (last.in_part and last.newer is True)  # less than asked: its own numbers must say so
    return lost.exclusive and not told_another and enough and "newer" in agrees


def _approved(lost: Lost, last: Last, agrees: tuple[str, ...]) -> Outcome:
    proof = "reference" if "reference" in agrees else "newer"
    partial = last.amount != lost.amount
    return replace(
        last.outcome,
        code="partial" if partial else "approved",
        text="Approved in part: the rest is still due." if partial else "Approved.",
        details={**last.outcome.details, "recovered_by": proof},
    )


def _is_newer(last: Last, previous: Outcome) -> bool:
    return _differ(last.outcome, previous) if last.newer is None else last.newer


def _differ(one: Outcome, other: Outcome) -> bool:
    """Whether these are certainly two transactions. Times do not count: a copy may carry the time it was made."""
    pairs = (
        (one.amount_approved, other.amount_approved),
        (one.auth_code, other.auth_code),
        (one.last4, other.last4),
    )
    return any(mine and its and mine != its for mine, its in pairs)


def _is_previous(lost: Lost, last: Last) -> bool:
    """Whether this is certainly the transaction before: by its reference, or by all it says, its time included."""
    if lost.previous is None:
        return False
    if last.reference:
        return last.reference == lost.previous_uuid
    if lost.kind is Kind.REVERSAL:
        return False  # a copy of what took the sale back may look like the sale
    mine, its = last.outcome, lost.previous
    named = lost.exclusive and not last.elsewhere and mine.terminal_time and mine.auth_code
    same = (mine.terminal_time, mine.auth_code) == (its.terminal_time, its.auth_code)
    return bool(named and same and not _differ(mine, its))
