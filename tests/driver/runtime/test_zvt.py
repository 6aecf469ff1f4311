"""ZVT through the driver's own runtime: journal, TCP and cable, against the virtual terminal."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from zvt_shop import Open

from hw_driver.protocols.states import ENDED, State
from hw_driver.virtual.faults import parse


async def test_a_sale_with_both_slips(shop: Open) -> None:
    counter = await shop()
    transaction = await counter.pay(amount=1250)
    outcome = transaction.outcome
    assert transaction.state is State.APPROVED, outcome
    assert (outcome.amount_approved, outcome.brand, outcome.last4) == (1250, "Mastercard", "7306")
    assert "Kundenbeleg" in outcome.receipt
    assert "Händlerbeleg" in outcome.merchant_receipt
    assert outcome.virtual
    assert counter.charged == [1250]
    assert [event.type for event in counter.journal.events() if event.uuid] == [
        "requested",
        "sent",
        "heard",
        "approved",
    ]


async def test_decline_and_abort(shop: Open) -> None:
    counter = await shop("decline")
    assert (await counter.pay()).state is State.DECLINED
    counter.server.terminal.faults.arm("abort")
    assert (await counter.pay()).state is State.CANCELLED
    assert counter.charged == []


async def test_the_till_gives_up_while_the_terminal_waits_for_a_card(shop: Open) -> None:
    counter = await shop(auto="")
    transaction = await counter.begin()
    await counter.until(lambda: counter.server.terminal.screen.phase == "card")
    await counter.terminal.cancel(transaction.uuid)
    await counter.over(transaction)
    assert (transaction.state, transaction.outcome.code) == (State.CANCELLED, "aborted")
    assert counter.charged == []


async def test_reversal_refund_end_of_day_and_reprint(shop: Open) -> None:
    counter = await shop()
    sale = await counter.pay(amount=1250)
    original = {"original": {"uuid": sale.uuid}}
    reversal = await counter.pay(kind="reversal", amount=1250, **original)
    assert reversal.state is State.APPROVED, reversal.outcome
    refused = await counter.pay(kind="reversal", amount=1250, **original)
    assert (refused.state, refused.outcome.code) == (State.DECLINED, "already_reversed")
    refund = await counter.pay(kind="refund", amount=300)
    assert refund.state is State.APPROVED
    assert counter.charged == [1250, 1250, 300]
    copy = await counter.pay(kind="reprint", amount=0, currency="")
    assert "Gutschrift" in copy.outcome.receipt
    day = await counter.pay(kind="settlement", amount=0, currency="")
    assert day.state is State.APPROVED, day.outcome
    assert [(part["brand"], part["count"]) for part in day.outcome.totals] == [("Mastercard", 3)]
    assert "Kassenschnitt" in day.outcome.merchant_receipt


async def test_an_amount_held_used_and_released(shop: Open) -> None:
    counter = await shop(options={"preauth": True})
    held = await counter.pay(kind="preauth", amount=5000)
    assert held.state is State.APPROVED
    used = await counter.pay(kind="completion", amount=4000, original={"uuid": held.uuid})
    assert (used.state, used.outcome.amount_approved) == (State.APPROVED, 4000)
    again = await counter.pay(kind="completion", amount=4000, original={"uuid": held.uuid})
    assert again.state is State.DECLINED
    other = await counter.pay(kind="preauth", amount=2000)
    released = await counter.pay(kind="reversal", amount=2000, original={"uuid": other.uuid})
    assert released.state is State.APPROVED, released.outcome
    assert counter.charged == [5000, 4000, 2000, 2000]


async def test_who_the_terminal_is(shop: Open) -> None:
    counter = await shop()
    transaction = await counter.terminal.identify(str(uuid.uuid4()))
    await counter.over(transaction)
    assert transaction.outcome.serial == "00000815"
    assert counter.terminal.describe()["identity"]["serial"] == "00000815"
    assert "password" not in counter.terminal.describe()["options"]


#: What goes wrong -> how it ends, and what was charged for a sale of 12.50.
HARMLESS = {
    "busy": (State.FAILED, []),
    "locked": (State.FAILED, []),
    "timeout=0": (State.CANCELLED, []),
    "paper_out": (State.DECLINED, []),
    "partial=700": (State.APPROVED, [700]),
    "twice": (State.APPROVED, [1250]),
    "data_in_ack": (State.APPROVED, [1250]),
    "no_minutes": (State.APPROVED, [1250]),
    "unknown_field": (State.APPROVED, [1250]),
    "split": (State.APPROVED, [1250]),
    "glued": (State.APPROVED, [1250]),
    "no_ack": (State.APPROVED, [1250]),  # on a cable; over TCP there is none
    "wrong_lrc": (State.APPROVED, [1250]),
}


@pytest.mark.parametrize("fault", HARMLESS)
async def test_a_fault_that_leaves_no_doubt(shop: Open, fault: str) -> None:
    state, charged = HARMLESS[fault]
    counter = await shop(fault)
    transaction = await counter.pay()
    assert (transaction.state, counter.charged) == (state, charged), transaction.outcome


#: On a cable nobody hangs up: the till waits as long as the terminal has said. Here it says nothing of that.
NO_MINUTES = "no_minutes=always"

#: Faults after which the answer is lost; the terminal tells by its last result what became of it.
LOST = {
    "lost": (State.APPROVED, [1250]),
    "restart_before=0": (State.FAILED, []),
    "restart_after=0": (State.APPROVED, [1250]),
    "cut=20": (State.APPROVED, [1250]),
    "corrupt": (State.FAILED, []),
    "completion_lost": (State.APPROVED, [1250]),
    "result_lost": (State.APPROVED, [1250]),
    "no_answer": (State.FAILED, []),
    "silent": (State.FAILED, []),
}


@pytest.mark.parametrize("fault", LOST)
async def test_a_lost_answer_is_learned_from_the_terminal(shop: Open, fault: str) -> None:
    state, charged = LOST[fault]
    counter = await shop(NO_MINUTES)
    await counter.pay(amount=999)
    counter.server.terminal.faults.arm(*parse(fault))
    transaction = await counter.pay()
    assert (transaction.state, counter.charged[1:]) == (state, charged), transaction.outcome


async def test_without_a_payment_before_only_its_own_numbers_prove_it(shop: Open) -> None:
    counter = await shop("completion_lost", NO_MINUTES)
    assert (await counter.pay()).state is State.APPROVED
    counter.server.terminal.faults.arm("lost")
    assert (await counter.pay(amount=1250)).state is State.APPROVED  # the one before is known now
    assert counter.charged == [1250, 1250]


async def test_a_result_that_is_not_durable_is_refused_and_taken_back(shop: Open) -> None:
    counter = await shop()
    heard = counter.journal.heard

    def full(*args: Any) -> Any:
        from hw_driver.journal import NotRecorded

        counter.journal.heard = heard  # type: ignore[method-assign]
        raise NotRecorded("The disk is full.")

    counter.journal.heard = full  # type: ignore[method-assign]
    transaction = await counter.pay()
    assert transaction.state in ENDED - {State.APPROVED}, transaction.outcome
    assert counter.charged == []
