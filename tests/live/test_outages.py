"""Odoo or the driver goes away in the middle of a sale: what the terminal did arrives in Odoo all the same."""

from playwright.sync_api import expect
from scenes import PRICE, Lost, sell

from demokit.processes import wait_until


def test_odoo_stopped_during_a_sale_learns_of_it_when_it_is_back(counter, checker):
    context = counter.browser()
    till = counter.till(context)
    terminal = counter.terminal
    terminal.card_presented.clear()
    sell(till)
    expect(till.card("sent")).to_be_visible()
    wait_until(lambda: len(terminal.asked) == 1, "the request to reach the terminal")

    counter.shop.server.kill()
    try:
        terminal.card_presented.set()
        expect(till.card("approved").or_(till.receipt)).to_be_visible()
        assert checker.charges() == [PRICE]
        assert [states[-1] for states in checker.journal().values()] == ["approved"]
    finally:
        counter.shop.server.start()

    wait_until(lambda: [t["state"] for t in checker.transactions()] == ["approved"], "the events to reach Odoo", 60)
    till.reload()
    wait_until(lambda: [order["state"] for order in checker.orders()] == ["paid"], "the order to reach Odoo", 60)
    checker.wait_for_evidence("matched")
    assert checker.transactions()[0]["exception"] == "none"
    assert checker.charges() == [PRICE]
    assert checker.requests() == 1


def test_a_driver_killed_between_approval_and_answer_does_not_know_and_loses_nothing(counter, checker):
    context = counter.browser()
    till = counter.till(context)
    terminal = counter.terminal
    terminal.answer_let_out.clear()
    sell(till)
    wait_until(lambda: checker.charges() == [PRICE], "the terminal to charge the card")

    counter.shop.driver.kill()
    terminal.answer_let_out.set()
    counter.shop.driver.start()

    expect(till.card("unknown")).to_be_visible()
    till.dismiss(till.question)
    wait_until(lambda: [t["state"] for t in checker.transactions()] == ["unknown"], "the question to reach Odoo")
    wait_until(checker.payments, "the draft to reach Odoo")
    assert list(checker.journal().values()) == [["requested", "sent", "unknown"]]
    lost = Lost(counter, checker, context, till, checker.orders()[0])
    lost.assert_nothing_charged_and_nothing_lost()
    till.pay_with("Cash")
    till.dismiss(till.alert("The order is frozen"))
    lost.assert_nothing_charged_and_nothing_lost()


def test_a_driver_that_stays_away_is_shown_as_unknown_and_its_journal_says_how_it_ended(counter, checker):
    till = counter.till()
    terminal = counter.terminal
    terminal.card_presented.clear()
    sell(till)
    expect(till.card("sent")).to_be_visible()
    counter.shop.driver.kill()
    try:
        expect(till.card("unknown")).to_be_visible()
        till.dismiss(till.question)
        till.pay_with("Cash")
        till.dismiss(till.alert("The order is frozen"))
    finally:
        terminal.card_presented.set()
        counter.shop.driver.start()
    wait_until(lambda: [t["state"] for t in checker.transactions()] == ["unknown"], "the question to reach Odoo")
    expect(till.card("unknown")).to_be_visible()
    assert checker.charges() == [PRICE]
    assert checker.requests() == 1


def test_without_a_driver_nothing_is_sent_and_cash_still_works(counter, checker):
    till = counter.till()
    counter.shop.driver.stop()
    try:
        sell(till)
        expect(till.card("failed")).to_be_visible()
        till.pay_with("Cash")
        till.validate()
        expect(till.receipt).to_be_visible()
    finally:
        counter.shop.driver.start()
    wait_until(lambda: [order["state"] for order in checker.orders()] == ["paid"], "the order to reach Odoo")
    assert [payment["method"] for payment in checker.payments()] == ["Cash"]
    assert checker.requests() == 0
