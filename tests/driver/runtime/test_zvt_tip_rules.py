"""What the journal allows about a payment with a tip: one tip, none once something went back, and both go back."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from runtime_kit import MovableClock, body

from hw_driver.journal import Journal
from hw_driver.protocols.machine import Outcome
from hw_driver.protocols.states import State
from hw_driver.service.problems import Problem
from hw_driver.service.transactions import check_rules


class Counter:
    """Requests of one order, as the journal has them."""

    def __init__(self, journal: Journal, clock: MovableClock) -> None:
        self.journal, self.clock = journal, clock
        self.sale = self.done("sale", 1000)

    def asked(self, kind: str, amount: int) -> dict[str, Any]:
        original = {} if kind == "sale" else {"original": {"uuid": self.sale}}
        return body(self.clock, kind=kind, amount=amount, line=str(uuid4()), order=str(uuid4()), **original)

    def done(self, kind: str, amount: int, state: State = State.APPROVED) -> str:
        asked = {**self.asked(kind, amount), "terminal": "counter"}
        self.journal.intend(asked)
        self.journal.record(asked["uuid"], State.SENT)
        approved = amount if state is State.APPROVED else None
        self.journal.record(asked["uuid"], state, Outcome(state, "x", amount_approved=approved))
        return str(asked["uuid"])

    def refused(self, kind: str, amount: int) -> str:
        """Return the code with which this is refused, '' where it is not."""
        try:
            check_rules(self.journal, {**self.asked(kind, amount), "terminal": "counter"})
        except Problem as problem:
            return problem.code
        return ""


@pytest.fixture
def counter(journal: Journal, clock: MovableClock) -> Counter:
    return Counter(journal, clock)


@pytest.mark.parametrize("state", [State.APPROVED, State.UNKNOWN])
def test_one_tip(counter: Counter, state: State) -> None:
    assert counter.refused("tip", 200) == ""
    counter.done("tip", 200, state)
    assert counter.refused("tip", 200) == "bad_kind"


def test_a_tip_that_was_declined_may_be_tried_again(counter: Counter) -> None:
    counter.done("tip", 200, State.DECLINED)
    assert counter.refused("tip", 200) == ""


def test_no_tip_once_something_went_back(counter: Counter) -> None:
    counter.done("refund", 1)
    assert counter.refused("tip", 200) == "bad_kind"


def test_both_go_back(counter: Counter) -> None:
    counter.done("tip", 200)
    assert counter.refused("reversal", 1000) == "bad_amount"
    assert counter.refused("reversal", 1200) == ""
    assert counter.refused("refund", 1200) == ""
    assert counter.refused("refund", 1201) == "over_refund"


def test_a_tip_of_nobody_knows_what_does_not_raise_what_may_go_back(counter: Counter) -> None:
    counter.done("tip", 200, State.UNKNOWN)
    assert counter.refused("refund", 1001) == "over_refund"


def test_a_tip_is_for_a_sale_alone(counter: Counter) -> None:
    counter.sale = counter.done("refund", 500)
    assert counter.refused("tip", 200) == "bad_kind"
