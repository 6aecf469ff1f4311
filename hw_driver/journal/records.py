"""What the journal holds: numbered events, one current row per transaction, and which state may follow which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any

from ..protocols.machine import Outcome
from ..protocols.states import ENDED, Kind, State

#: Which state may follow which (design: laws 2 and 3). An ended transaction never changes again: a terminal's later
#: word about it is kept as an event `late_answer`.
TRANSITIONS: dict[State, frozenset[State]] = {
    State.REQUESTED: frozenset({State.SENT, State.FAILED, State.CANCELLED}),
    State.SENT: frozenset({State.APPROVED, State.DECLINED, State.CANCELLED, State.FAILED, State.UNKNOWN}),
    State.UNKNOWN: frozenset({State.APPROVED, State.DECLINED, State.CANCELLED, State.FAILED, State.SETTLED_BY_HAND}),
    **{state: frozenset() for state in ENDED},
}

#: Members of a request that are not kept: its own name, its deadline, and where a customer wants the slip sent.
NOT_KEPT = frozenset({"uuid", "not_after", "receipt"})

#: Event of a terminal that speaks about a transaction which has already ended, and says something else.
LATE_ANSWER = "late_answer"
#: Event of a terminal that has told its result and waits to hear that it is safe: its state stays `sent`.
HEARD = "heard"
#: Event of a terminal that was asked about a lost transaction and told its last one, which may be another.
EVIDENCE = "evidence"
#: Event of the journal: who a terminal says it is, when it says so first and when it says something else.
IDENTITY = "identity"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the journal, as Odoo receives it (docs/api.md 2.1). `uuid` is empty for events of the journal."""

    seq: int
    uuid: str
    type: str
    at: str
    body: dict[str, Any]
    prev: str
    hash: str

    def as_json(self) -> dict[str, Any]:
        """Return the event as it goes to Odoo."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Record:
    """A transaction as it stands. `body` is what was asked, without `not_after`; `seq` its latest event's number.

    `settled` is Odoo's word about an unknown one, ``{"paid": bool, "by": name, "at": time}``, empty otherwise.
    """

    uuid: str
    state: State
    body: dict[str, Any]
    outcome: Outcome | None
    settled: dict[str, Any]
    requested_at: str
    ended_at: str
    seq: int

    @property
    def terminal(self) -> str:
        return str(self.body["terminal"])

    @property
    def kind(self) -> Kind:
        return Kind(self.body["kind"])


def outcome_body(outcome: Outcome | None) -> dict[str, Any]:
    """Return the members of an outcome that say something, ready for JSON."""
    if outcome is None:
        return {}
    return {
        name: value if type(value) in _AS_IT_IS else _plain(value)
        for name, value in zip(_MEMBERS, _values(outcome), strict=True)
        if value or type(value) in (int, tuple)
    }


def outcome_of(body: Mapping[str, Any]) -> Outcome | None:
    """Return the outcome that `outcome_body` wrote."""
    if not body:
        return None
    totals = body.get("totals")
    return Outcome(**{**body, "state": State(body["state"]), "totals": None if totals is None else tuple(totals)})


_MEMBERS = tuple(field.name for field in fields(Outcome))
_values = attrgetter(*_MEMBERS)
_AS_IT_IS = frozenset({str, int, bool})


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return dict(value) if isinstance(value, Mapping) else str(value) if isinstance(value, State) else value
