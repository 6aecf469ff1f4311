"""The happy line: what the terminal, the driver's journal and Odoo say about a sale and a decline is the same."""

from playwright.sync_api import expect
from scenes import AUTHORISATION, PRICE, paid_by_card, sell


def test_a_sale_is_charged_once_and_joined_with_its_evidence(counter, checker):
    paid_by_card(counter.till(), checker)

    (payment,) = checker.payments()
    (transaction,) = checker.transactions()
    (order,) = checker.orders()
    assert checker.charges() == [PRICE]
    assert checker.requests() == 1
    assert checker.journal() == {transaction["uuid"]: ["requested", "sent", "approved"]}
    assert order["state"] == "paid"
    assert float(payment["amount"]) == 12.40
    assert transaction["state"] == "approved"
    assert transaction["exception"] == "none"
    assert transaction["payment_id"] == payment["id"]
    assert transaction["order_uuid"] == order["uuid"]
    assert transaction["amount_approved_minor"] == PRICE
    # As the replayed vector has it: AC, AA 596617######7903, CG 424242
    assert (payment["payment_method_authcode"], payment["card_no"]) == (AUTHORISATION, "7903")
    assert transaction["contract"] == "424242"


def test_a_decline_charges_nothing_and_the_next_attempt_is_another_transaction(counter, checker):
    counter.terminal.behaviour = "decline"
    till = counter.till()
    sell(till)
    expect(till.card("declined")).to_be_visible()
    assert checker.charges() == []
    counter.terminal.behaviour = "approve"
    till.retry()
    expect(till.receipt).to_be_visible()
    checker.wait_for_evidence("matched")

    assert checker.charges() == [PRICE]
    assert sorted(checker.journal().values()) == [["requested", "sent", "approved"], ["requested", "sent", "declined"]]
    assert [t["state"] for t in checker.transactions()] == ["declined", "approved"]
    (payment,) = checker.payments()
    assert payment["card_transaction_uuid"] == checker.transactions()[1]["uuid"]


def test_the_session_closes_with_the_card_money_in_the_books(counter, checker):
    till = counter.till()
    paid_by_card(till, checker)
    till.next_order()
    till.close_register()
    session = checker.sessions()[0]
    assert session["state"] == "closed"
    booked = checker.sql(
        "SELECT sum(l.debit) AS debit FROM account_payment p JOIN account_move_line l ON l.move_id = p.move_id"
        " WHERE p.pos_session_id = %s",
        session["id"],
    )
    assert float(booked[0]["debit"]) == 12.40
