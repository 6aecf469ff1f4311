"""A day with a ZVT terminal: tips, sums, what it wants before it takes payments, what it is asked besides."""

from __future__ import annotations

from typing import Any

import pytest
from zvt_shop import Open, Shop

from hw_driver.protocols.states import State
from hw_driver.virtual.faults import parse

NOTHING: dict[str, Any] = {"amount": 0, "currency": ""}


async def test_a_tip_on_the_terminal_and_one_afterwards(shop: Open) -> None:
    counter = await shop("tip=150", options={"tip": True})
    on_it = await counter.pay(amount=1250)
    assert (on_it.outcome.amount_approved, on_it.outcome.details["tip"]) == (1400, "150")
    sale = await counter.pay(amount=1000)
    assert sale.outcome.details["tippable"] == "yes"
    tip = await counter.pay(kind="tip", amount=200, original={"uuid": sale.uuid})
    assert (tip.state, tip.outcome.amount_approved) == (State.APPROVED, 200), tip.outcome
    assert counter.charged == [1400, 1000, 200]
    twice = await counter.pay(kind="tip", amount=200, original={"uuid": sale.uuid})
    assert twice.state is State.FAILED
    part = await counter.pay(kind="reversal", amount=1000, original={"uuid": sale.uuid})
    assert (part.state, part.outcome.code) == (State.DECLINED, "reversal_not_possible")
    whole = await counter.pay(kind="reversal", amount=1200, original={"uuid": sale.uuid})
    assert whole.state is State.APPROVED, whole.outcome
    assert counter.charged == [1400, 1000, 200, 1200]


async def test_a_payment_that_may_have_no_tip(shop: Open) -> None:
    counter = await shop(options={"tip": False})
    sale = await counter.pay(amount=1000)
    assert "tippable" not in sale.outcome.details


async def test_the_sums_so_far_and_then_the_end_of_day(shop: Open) -> None:
    counter = await shop()
    await counter.pay(amount=1250)
    so_far = await counter.pay(kind="totals", **NOTHING)
    again = await counter.pay(kind="totals", **NOTHING)
    assert so_far.outcome.totals == ({"brand": "Mastercard", "count": 1, "amount": 1250, "currency": "EUR"},)
    assert again.outcome.totals == so_far.outcome.totals
    assert "Umsatzabfrage" in so_far.outcome.merchant_receipt
    day = await counter.pay(kind="settlement", **NOTHING)
    assert day.outcome.totals == so_far.outcome.totals
    assert (await counter.pay(kind="totals", **NOTHING)).outcome.totals == ()
    assert "totals" not in [event.body.get("kind") for event in counter.journal.events()]


#: What the terminal wants -> what is offered, and whether that mends it.
WANTS = {
    "locked=240,always": "settlement",
    "locked=177,always": "settlement",
    "locked=194,always": "diagnosis",
    "locked=81,always": "initialisation",
}


@pytest.mark.parametrize("fault", WANTS)
async def test_a_terminal_that_wants_something_first_says_what_and_is_mended_by_it(shop: Open, fault: str) -> None:
    counter = await shop(fault)
    refused = await counter.pay()
    assert (refused.state, refused.outcome.details["remedy"]) == (State.FAILED, WANTS[fault]), refused.outcome
    who = await counter.pay(kind="identify", **NOTHING)
    assert who.outcome.details["remedy"] == WANTS[fault]
    mended = await counter.pay(kind=refused.outcome.details["remedy"], **NOTHING)
    assert mended.state is State.APPROVED
    assert mended.outcome.merchant_receipt
    assert (await counter.pay(kind="identify", **NOTHING)).outcome.details["condition"] == "ready"
    assert (await counter.pay()).state is State.APPROVED


@pytest.mark.parametrize("fault", ["locked=192,always", "locked=224,always"])
async def test_a_terminal_that_nobody_here_can_mend(shop: Open, fault: str) -> None:
    counter = await shop(fault)
    refused = await counter.pay()
    assert refused.state is State.FAILED
    assert "remedy" not in refused.outcome.details
    assert counter.charged == []


async def test_a_text_a_card_and_logging_off(shop: Open) -> None:
    counter = await shop()
    await counter.pay(kind="display", text="Grüß\nGott", **NOTHING)
    assert counter.server.terminal.screen.text == "Grüß\nGott"
    card = await counter.pay(kind="card", **NOTHING)
    assert (card.outcome.last4, card.outcome.brand) == ("7306", "Mastercard")
    assert (await counter.pay(kind="logoff", **NOTHING)).outcome.code == "logged_off"
    assert counter.server.ledger.entries == []
    nobody = await shop(auto="", options={"card_timeout": 1})
    assert (await nobody.pay(kind="card", **NOTHING)).state is State.CANCELLED


async def test_an_authorisation_given_by_telephone(shop: Open) -> None:
    counter = await shop(options={"telephone": True})
    paid = await counter.pay(amount=1250, forced="A1234")
    assert (paid.state, paid.outcome.auth_code) == (State.APPROVED, "A1234")


async def test_what_is_not_used_of_an_amount_is_released(shop: Open) -> None:
    counter = await shop(options={"preauth": True, "completion": "partial"})
    held = await counter.pay(kind="preauth", amount=5000)
    used = await counter.pay(kind="completion", amount=1800, original={"uuid": held.uuid})
    assert (used.state, used.outcome.amount_approved) == (State.APPROVED, 1800), used.outcome
    assert counter.charged == [5000, 1800]


async def test_lines_to_print_may_end_with_a_container(shop: Open) -> None:
    counter = await shop("print_container", options={"slips": "lines", "containers": False})
    paid = await counter.pay()
    assert "Händlerbeleg" in paid.outcome.merchant_receipt
    assert "Kundenbeleg" in paid.outcome.receipt
    assert "\x1f" not in paid.outcome.receipt + paid.outcome.merchant_receipt


async def test_a_terminal_that_is_silent_while_the_pin_is_typed(shop: Open) -> None:
    patient = await shop("pin_silence=1")
    assert (await patient.pay()).state is State.APPROVED
    patient.server.terminal.faults.arm(*parse("pin_silence=2"))  # longer than T4
    late = await patient.pay()
    assert (late.state, patient.charged) == (State.APPROVED, [1250, 1250]), late.outcome


async def test_a_terminal_that_never_ends(shop: Open) -> None:
    counter = await shop(options={"longest": 1.5})
    await counter.pay(amount=999)
    counter.server.terminal.faults.arm(*parse("never_ends"))
    transaction = await counter.pay()
    # it is given up, and then asked: its last payment is still the one before
    assert (transaction.state, transaction.outcome.code) == (State.FAILED, "not_received"), transaction.outcome
    assert counter.charged == [999]


async def test_it_is_asked_now_and_then_how_it_is(shop: Open) -> None:
    counter: Shop = await shop(options={"keep_alive": 0.2})
    await counter.until(lambda: bool(counter.terminal.describe()["identity"]))
    assert (await counter.pay()).state is State.APPROVED
