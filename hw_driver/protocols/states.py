"""The words every part uses: kinds of transaction, their states, and what each state says about the money.

Driver, Odoo addon and the till's JavaScript use the same words; the addon builds its selections from these tables.
"""

from __future__ import annotations

from enum import StrEnum


class Money(StrEnum):
    """What is known of the customer's money."""

    SAFE = "safe"  # certainly not charged
    UNKNOWN = "unknown"  # may have been charged
    FINAL = "final"  # the terminal has spoken


class Kind(StrEnum):
    """What is asked of the terminal."""

    SALE = "sale"
    REFUND = "refund"
    REVERSAL = "reversal"
    PREAUTH = "preauth"
    COMPLETION = "completion"
    SETTLEMENT = "settlement"
    REPRINT = "reprint"
    IDENTIFY = "identify"
    STATUS = "status"
    TIP = "tip"
    TOTALS = "totals"
    DIAGNOSIS = "diagnosis"
    INITIALISATION = "initialisation"
    LOGOFF = "logoff"
    CARD = "card"
    DISPLAY = "display"


class State(StrEnum):
    """Where a transaction stands."""

    REQUESTED = "requested"
    SENT = "sent"
    APPROVED = "approved"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SETTLED_BY_HAND = "settled_by_hand"


MONEY_OF_STATE: dict[State, Money] = {
    State.REQUESTED: Money.SAFE,
    State.SENT: Money.UNKNOWN,
    State.APPROVED: Money.FINAL,
    State.DECLINED: Money.FINAL,
    State.CANCELLED: Money.FINAL,
    State.FAILED: Money.FINAL,
    State.UNKNOWN: Money.UNKNOWN,
    State.SETTLED_BY_HAND: Money.FINAL,
}

#: Kinds that move money, and so need a journalled intent, an amount and a currency.
MONEY_KINDS = frozenset({Kind.SALE, Kind.REFUND, Kind.REVERSAL, Kind.PREAUTH, Kind.COMPLETION, Kind.TIP})
#: Kinds that move none, but are journalled all the same: Odoo must hear how they ended. They are never `unknown`.
KEPT_KINDS = frozenset({Kind.SETTLEMENT, Kind.REPRINT})
JOURNALLED_KINDS = MONEY_KINDS | KEPT_KINDS
#: What is asked of a terminal itself, and told to who asks: nothing of it is kept.
ASKED_KINDS = frozenset(Kind) - JOURNALLED_KINDS - {Kind.STATUS}
#: Kinds that take up an earlier transaction, often on the very line that paid -> the kinds that it may have been.
EARLIER_KINDS: dict[Kind, frozenset[Kind]] = {
    Kind.REVERSAL: frozenset({Kind.SALE, Kind.PREAUTH, Kind.COMPLETION}),
    Kind.COMPLETION: frozenset({Kind.PREAUTH}),
    Kind.TIP: frozenset({Kind.SALE}),
}
#: Kinds that only Odoo may allow, by a one-time grant.
GRANTED_KINDS = frozenset({Kind.REFUND, Kind.REVERSAL, Kind.COMPLETION, Kind.SETTLEMENT, Kind.TIP})
#: Nothing more will be asked of the terminal about these.
ENDED = frozenset({State.APPROVED, State.DECLINED, State.CANCELLED, State.FAILED, State.SETTLED_BY_HAND})
#: Ended, and certainly nothing was charged: another attempt may follow.
ENDED_WITHOUT_CHARGE = frozenset({State.DECLINED, State.CANCELLED, State.FAILED})
#: Not ended: the order is frozen while a transaction is in one of these.
OPEN = frozenset({State.REQUESTED, State.SENT, State.UNKNOWN})
