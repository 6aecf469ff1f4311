"""What is believed of a terminal's word about its last transaction, over everything that can have happened there."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw_driver.protocols.machine import Evidence, Outcome
from hw_driver.protocols.recovery import IN_FLIGHT, Last, Lost, believe
from hw_driver.protocols.states import Kind, State

MINE, BEFORE, OTHER = "mine", "before", "other"
LONGEST = 180.0

results = st.builds(
    Outcome,
    state=st.just(State.APPROVED),
    amount_approved=st.sampled_from([1250, 1250, 300]),
    auth_code=st.sampled_from(["", "000000", "111111", "222222"]),
    last4=st.sampled_from(["", "4242", "1005"]),
    terminal_time=st.sampled_from(["", "t1", "t2"]),
)
refusals = st.just(Outcome(State.DECLINED, "not_completed"))


@st.composite
def shops(draw):
    """A terminal's history, and what is asked of it: (lost, last, whether the lost one was charged)."""
    exclusive, named = draw(st.booleans()), draw(st.booleans())
    previous = draw(st.none() | results)
    history = [(BEFORE, previous)] if previous else []

    def alone():  # a sale typed on the terminal itself, which an exclusive one does not have
        if not exclusive and draw(st.booleans()):
            history.append(("", draw(results | refusals)))

    alone()
    charged = None
    if draw(st.booleans()):  # the request arrived
        mine = draw(results | refusals)
        if mine.state is State.APPROVED:
            mine = replace(mine, amount_approved=min(mine.amount_approved, 1250))
            charged = mine.amount_approved
            if previous and exclusive and not named and mine.auth_code == previous.auth_code:
                mine = replace(mine, terminal_time=previous.terminal_time + "later")  # one number twice: another time
        history.append((MINE, mine))
    alone()
    if not history:
        history.append((OTHER, draw(results)))
    uuid, outcome = history[-1]
    idle = draw(st.booleans())
    waited = draw(st.sampled_from([0.0, IN_FLIGHT, LONGEST]))
    known = previous if not history or history[0][0] == BEFORE else None
    lost = Lost("mine", Kind.SALE, 1250, "EUR", exclusive, known, BEFORE if known else "", waited)
    return lost, Last(outcome, "EUR", None, uuid if named else "", idle=idle), charged


@given(shops())
def test_only_what_happened_is_believed(shop):
    lost, last, charged = shop
    word = believe(lost, last, LONGEST)
    if isinstance(word, Evidence):
        assert word.outcome == last.outcome
    elif word.state is State.APPROVED:
        assert word.amount_approved == charged
    else:
        assert (word.state, charged) == (State.FAILED, None)


SALE = Outcome(State.APPROVED, amount_approved=1250, auth_code="111111", last4="4242", terminal_time="t1")
PREVIOUS = Outcome(State.APPROVED, amount_approved=1250, auth_code="000000", last4="4242", terminal_time="t0")
LOST = Lost(MINE, Kind.SALE, 1250, "EUR", True, PREVIOUS, BEFORE, LONGEST)
LAST = Last(SALE, "EUR")


def code(lost=LOST, last=LAST):
    word = believe(lost, last, LONGEST)
    return "evidence" if isinstance(word, Evidence) else word.code


def said(outcome=SALE, **changes):
    return replace(LAST, outcome=outcome, **changes)


@pytest.mark.parametrize(
    ("lost", "last", "expected"),
    [
        (LOST, LAST, "approved"),
        (replace(LOST, exclusive=False), LAST, "evidence"),
        (replace(LOST, previous=None), LAST, "evidence"),
        (replace(LOST, exclusive=False, previous=None), said(reference=MINE), "approved"),
        (LOST, said(reference=OTHER), "evidence"),
        (LOST, said(elsewhere=True), "evidence"),
        (LOST, said(kind=Kind.SALE), "approved"),
        (LOST, said(kind=Kind.REFUND), "evidence"),
        (LOST, said(reference=MINE, kind=Kind.REFUND), "evidence"),
        (LOST, said(currency="USD"), "evidence"),
        (LOST, said(currency="USD", reference=MINE), "evidence"),
        (LOST, said(replace(SALE, amount_approved=1000)), "evidence"),
        (LOST, said(replace(SALE, amount_approved=1000), reference=MINE), "partial"),
        (LOST, said(replace(SALE, amount_approved=9900), reference=MINE), "evidence"),
        (LOST, said(replace(SALE, amount_approved=0), reference=MINE), "evidence"),
        (LOST, said(replace(SALE, auth_code="000000")), "evidence"),  # the time alone may be the copy's
        (LOST, said(PREVIOUS), "not_received"),
        (replace(LOST, waited=IN_FLIGHT - 1), said(PREVIOUS, idle=True), "evidence"),
        (replace(LOST, waited=IN_FLIGHT), said(PREVIOUS, idle=True), "not_received"),
        (replace(LOST, waited=LONGEST - 1), said(PREVIOUS), "evidence"),
        (replace(LOST, exclusive=False), said(PREVIOUS), "evidence"),
        (replace(LOST, exclusive=False), said(PREVIOUS, reference=BEFORE), "not_received"),
        (LOST, said(PREVIOUS, reference=OTHER), "evidence"),
        (LOST, said(replace(PREVIOUS, terminal_time="")), "evidence"),
        (LOST, said(Outcome(State.DECLINED)), "not_completed"),
        (LOST, said(Outcome(State.DECLINED), elsewhere=True), "evidence"),
        (LOST, said(Outcome(State.DECLINED), reference=OTHER), "evidence"),
        (replace(LOST, exclusive=False), said(Outcome(State.DECLINED)), "evidence"),
        (replace(LOST, exclusive=False, waited=0), said(Outcome(State.DECLINED), reference=MINE), "not_completed"),
        (replace(LOST, waited=0), said(Outcome(State.DECLINED)), "evidence"),
        (replace(LOST, kind=Kind.REVERSAL), LAST, "approved"),
        (replace(LOST, kind=Kind.REVERSAL), said(PREVIOUS), "evidence"),  # what took it back may look like the sale
        (replace(LOST, kind=Kind.REVERSAL), said(PREVIOUS, reference=BEFORE), "not_received"),
        (replace(LOST, kind=Kind.REVERSAL), said(reference=MINE), "approved"),
        (replace(LOST, kind=Kind.REVERSAL), said(replace(SALE, amount_approved=1000), reference=MINE), "evidence"),
    ],
)
def test_the_terminals_word(lost, last, expected):
    assert code(lost, last) == expected


def test_what_agrees_is_named():
    word = believe(replace(LOST, exclusive=False), said(kind=Kind.SALE), LONGEST)
    assert word.matches == ("kind", "amount", "currency", "newer")


def sold(amount, **more):
    return Last(replace(SALE, amount_approved=amount), "EUR", **more)


@pytest.mark.parametrize(
    ("last", "word"),
    [
        (sold(700), "evidence"),
        (sold(700, in_part=True), "evidence"),  # it may be somebody else's, of another amount
        (sold(700, newer=True), "evidence"),  # it was not told that less is understood
        (sold(700, in_part=True, newer=True), "partial"),
        (sold(1400, in_part=True, newer=True), "evidence"),
        (sold(1400, tip=150, newer=True), "approved"),
        (sold(1400, tip=100, newer=True), "evidence"),
        (sold(1250, tip=150, newer=True), "evidence"),
    ],
)
def test_less_than_asked_and_more(last, word):
    assert code(last=last) == word
    assert code(lost=replace(LOST, exclusive=False), last=last) == "evidence"
