"""An open question ends by a person: the cashier says what the slip says, a manager confirms it, the till goes on."""

import pytest
from checker import Checker
from playwright.sync_api import expect
from scenes import PRICE, Lost, lose_answer

from demokit.processes import wait_until

REASON = "The terminal's own report of the day."


@pytest.fixture
def lost(counter) -> Lost:
    return lose_answer(counter)


def answer(lost: Lost, choice: str, authorisation: str = "") -> None:
    """Answer the till's question as the cashier."""
    lost.till.page.locator(".card-terminal-ask").click()
    lost.till.question.locator(f".answer-{choice}").click()
    if authorisation:
        lost.till.question.locator(".authorisation").fill(authorisation)
        lost.till.question.locator(".answer-paid-confirm").click()
    expect(lost.till.question).to_be_hidden()
    wait_until(lambda: answers(lost.checker), "the answer to reach Odoo")


def answers(checker: Checker) -> list[dict[str, str]]:
    """The cashier's answers that Odoo has."""
    (transaction,) = [t for t in checker.transactions() if t["state"] in ("unknown", "settled_by_hand")]
    return checker.sql(
        "SELECT answer, authorisation, state FROM card_terminal_answer WHERE transaction_id = %s", transaction["id"]
    )


def journal_ends(lost: Lost) -> list[str]:
    """How the driver's journal says that each transaction ended."""
    return [states[-1] for states in lost.checker.journal().values()]


def confirm(lost: Lost) -> None:
    """Open the cashier's answer in the back office and confirm it, as a manager."""
    client = lost.counter.shop.client
    record = client.id_of("card.terminal.answer", [("transaction_uuid", "=", lost.checker.transactions()[0]["uuid"])])
    action = client.call("card.terminal.answer", "action_settle", [record])
    defaults = client.call(
        "card.transaction.settle",
        "default_get",
        ["transaction_id", "verdict", "amount", "auth_code"],
        context=action["context"],
    )
    wizard = client.create("card.transaction.settle", {**defaults, "reason": REASON})
    client.call("card.transaction.settle", "action_settle", [wizard])


def test_paid_stays_open_until_a_manager_confirms_it_and_then_completes_the_order(lost):
    answer(lost, "paid", "966149")
    lost.assert_nothing_charged_and_nothing_lost()
    assert answers(lost.checker) == [{"answer": "paid", "authorisation": "966149", "state": "provisional"}]

    confirm(lost)
    expect(lost.till.receipt).to_be_visible()
    lost.checker.wait_for_evidence("matched")
    (transaction,) = lost.checker.transactions()
    assert (transaction["state"], transaction["settled_paid"]) == ("settled_by_hand", True)
    assert transaction["exception"] == "none"
    assert transaction["amount_approved_minor"] == PRICE
    assert transaction["settled_reason"] == REASON
    assert answers(lost.checker)[0]["state"] == "confirmed"
    assert lost.checker.charges() == [PRICE]
    assert lost.checker.requests() == 1
    wait_until(lambda: journal_ends(lost) == ["settled_by_hand"], "the driver to be told")

    lost.till.next_order()
    lost.till.close_register()
    assert lost.checker.sessions()[0]["state"] == "closed"


def test_not_paid_frees_the_order_for_another_attempt(lost):
    answer(lost, "not-paid")
    lost.assert_nothing_charged_and_nothing_lost()

    confirm(lost)
    expect(lost.till.card("settled_by_hand")).to_be_visible()
    wait_until(lambda: journal_ends(lost) == ["settled_by_hand"], "the driver to be told")
    lost.counter.terminal.behaviour = "approve"
    lost.till.retry()
    expect(lost.till.receipt).to_be_visible()
    lost.checker.wait_for_evidence("matched")
    first, second = lost.checker.transactions()
    assert (first["state"], first["settled_paid"], first["payment_id"]) == ("settled_by_hand", False, None)
    assert (second["state"], second["exception"]) == ("approved", "none")

    lost.till.next_order()
    lost.till.close_register()
    assert lost.checker.sessions()[0]["state"] == "closed"


def test_the_next_sale_on_the_terminal_shows_the_open_question_first(lost):
    lost.till.page.locator(".card-terminal-park").click()
    lost.counter.terminal.behaviour = "approve"
    lost.till.add("Honey 500 g")
    lost.till.to_payment()
    lost.till.pay_with("Card")
    expect(lost.till.question).to_contain_text(lost.order["pos_reference"])
    assert lost.checker.requests() == 1
    lost.till.question.locator(".answer-park").click()
    expect(lost.till.receipt).to_be_visible()
    assert lost.checker.charges() == [PRICE, 860]
    assert [order["state"] for order in lost.checker.orders()] == ["draft", "paid"]
