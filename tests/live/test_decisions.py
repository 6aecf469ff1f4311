"""A manager decides at the till about card money: the browser asks, Odoo checks, the terminal is not touched."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from caller import Caller, session_grant
from playwright.sync_api import Locator, expect
from scenes import CUT, PRICE, sell
from shopfloor import Counter, Shop

from demokit.processes import wait_until
from demokit.till import Till

PIN = "4711"
CASHIER = "casey"


@pytest.fixture(scope="module")
def cashier(shop: Shop) -> str:
    """A user who may sell and nothing else; the administrator has a PIN."""
    client = shop.client
    groups = client.read("ir.model.data", [("name", "in", ["group_pos_user", "group_user"])], ["res_id", "model"])
    ids = [group["res_id"] for group in groups if group["model"] == "res.groups"]
    values = {"name": "Casey", "login": CASHIER, "password": CASHIER, "group_ids": [(6, 0, ids)]}
    client.create("res.users", values)
    client.write("res.users", [client.uid], {"card_approval_pin": PIN})
    return CASHIER


def till_of(counter: Counter, cashier: str) -> Till:
    till = Till(counter.browser().new_page(), counter.shop.server.url, counter.config)
    till.open(cashier, cashier)
    return till


def lose(counter: Counter, till: Till) -> None:
    """Sell with an answer that is cut after the charge."""
    counter.terminal.behaviour = CUT
    sell(till)
    expect(till.card("unknown")).to_be_visible()
    till.dismiss(till.question)
    counter.terminal.behaviour = "approve"


def dialog(till: Till, button: str) -> Locator:
    till.page.locator(button).click()
    opened = till.page.locator(".card-terminal-manager")
    expect(opened).to_be_visible()
    return opened


def approve(opened: Locator, pin: str) -> None:
    """Choose the manager, type the PIN on the pad, and confirm."""
    opened.locator(".card-terminal-person").first.click()
    for digit in pin:
        opened.locator(f".card-terminal-pad [data-key='{digit}']").click()
    opened.locator(".card-terminal-confirm").click()


def test_a_cashier_needs_the_pin_of_a_manager(counter, checker, cashier):
    till = till_of(counter, cashier)
    lose(counter, till)
    opened = dialog(till, ".card-terminal-decide")
    expect(opened.locator(".card-terminal-person")).to_have_count(1)
    opened.locator("[data-action=force_done]").click()
    opened.locator(".card-terminal-reason").first.click()
    approve(opened, "0000")
    expect(opened.locator(".card-terminal-refusal")).to_contain_text("PIN")
    assert [t["state"] for t in checker.transactions()] == ["unknown"]
    assert [order["state"] for order in checker.orders()] == ["draft"]

    approve(opened, PIN)
    expect(till.receipt).to_be_visible()
    wait_until(lambda: [order["state"] for order in checker.orders()] == ["paid"], "the order to reach Odoo")
    (transaction,) = checker.transactions()
    assert (transaction["state"], transaction["settled_paid"]) == ("settled_by_hand", True)
    assert transaction["settled_by"] == counter.shop.client.uid
    assert checker.charges() == [PRICE]
    assert checker.requests() == 1


def test_the_browser_cannot_decide_by_itself(counter, checker, cashier):
    """What a cashier can do from the console: call Odoo without a PIN, or as somebody else, or write the line."""
    till = till_of(counter, cashier)
    lose(counter, till)
    wait_until(checker.transactions, "the question to reach Odoo")
    refused: list[Any] = till.page.evaluate(
        """async (manager) => {
            const line = posmodel.models["pos.payment"].find((l) => l.card_state === "unknown");
            const request = { action: "force_done", uuid: line.card_transaction_uuid, reason: "x", line: line.uuid,
                order: line.pos_order_id.uuid, values: { amount_minor: 1240 } };
            const ask = (more) => posmodel.cardPayments.terminals.rpc("card_terminal_decide", { ...request, ...more })
                .then(() => "decided", (error) => error.data.message);
            const answers = [await ask({ manager: null, pin: null }), await ask({ manager, pin: "" }),
                await ask({ manager, pin: null })];
            const users = posmodel.models["res.users"].getAll().map((user) => JSON.stringify(user.raw));
            return [answers, users.join()];
        }""",
        counter.shop.client.uid,
    )
    assert "decided" not in refused[0]
    assert "pbkdf2" not in refused[1]
    assert [t["state"] for t in checker.transactions()] == ["unknown"]


def test_the_desk_shows_what_is_open_and_a_manager_settles_it_there(counter, checker):
    till = counter.till()
    lose(counter, till)
    badge = till.page.locator(".card-terminal-desk-button .card-terminal-badge")
    expect(badge).to_have_text("1")
    badge.click()
    desk = till.page.locator(".card-terminal-desk")
    expect(desk.locator(".card-terminal-exception")).to_have_attribute("data-exception", "unknown")
    expect(desk.locator(".card-terminal-details")).to_contain_text("12.40")
    desk.locator("button[data-action=force_cancel]").click()
    opened = till.page.locator(".card-terminal-manager")
    opened.locator(".card-terminal-reason").first.click()
    opened.locator(".card-terminal-person", has_text="(you)").click()
    opened.locator(".card-terminal-confirm").click()
    expect(opened).to_be_hidden()
    expect(desk.locator(".card-terminal-none")).to_be_visible()
    till.dismiss(desk)
    expect(badge).to_be_hidden()
    till.pay_with("Cash")
    till.validate()
    expect(till.receipt).to_be_visible()
    (transaction,) = checker.transactions()
    assert (transaction["state"], transaction["settled_paid"]) == ("settled_by_hand", False)


def test_without_a_driver_the_card_is_typed_on_the_terminal_alone(counter, checker, cashier):
    till = till_of(counter, cashier)
    counter.shop.driver.stop()
    try:
        sell(till)
        expect(till.card("failed")).to_be_visible()
        opened = dialog(till, ".card-terminal-by-hand")
        expect(opened.locator(".card-terminal-confirm")).to_be_disabled()
        opened.locator("[name=slip]").fill("000123")
        opened.locator("[name=last4]").fill("4242")
        opened.locator(".card-terminal-reason").first.click()
        approve(opened, PIN)
        expect(till.receipt).to_be_visible()
    finally:
        counter.shop.driver.start()
    wait_until(lambda: [order["state"] for order in checker.orders()] == ["paid"], "the order to reach Odoo")
    (transaction,) = checker.transactions()
    assert (transaction["origin"], transaction["slip"], transaction["last4"]) == ("typed", "000123", "4242")
    assert transaction["amount_approved_minor"] == PRICE
    (payment,) = checker.payments()
    assert payment["card_transaction_uuid"] == transaction["uuid"]
    assert checker.requests() == 0


def test_without_odoo_nobody_decides_and_the_next_customer_is_served(counter, checker):
    till = counter.till()
    lose(counter, till)
    counter.shop.server.kill()
    try:
        till.page.locator(".card-terminal-decide").click()
        told = till.alert("Nobody can decide now")
        expect(told).to_contain_text("serve the next customer")
        till.dismiss(told)
        expect(till.card("unknown")).to_be_visible()
        till.page.locator(".card-terminal-park").click()
        sell(till)
        till.question.locator(".answer-park").click()  # the open question comes first, and can wait
        expect(till.receipt).to_be_visible()
    finally:
        counter.shop.server.start()
    assert checker.charges() == [PRICE, PRICE]


def test_money_without_an_order_goes_back_to_its_card(counter, checker):
    """An approval whose order never came: the manager decides at the till, and the terminal gives it back."""
    till = counter.till()
    session = checker.sessions()[0]["id"]
    call = Caller(counter.shop, session_grant(counter, session))
    assert call("PUT", f"/v1/transactions/{uuid.uuid4()}", call.transaction(counter, amount=PRICE)).status == 201
    wait_until(lambda: [t["state"] for t in checker.transactions()] == ["approved"], "the approval to reach Odoo")
    long_ago = "UPDATE card_transaction SET ended_at = ended_at - interval '1 hour' WHERE uuid = %s"
    shop = counter.shop
    shop.postgres.query(long_ago, [checker.transactions()[0]["uuid"]], database=shop.database)
    till.menu("Card exceptions")
    desk = till.page.locator(".card-terminal-desk")
    desk.locator("button[data-action=refund]").click()
    opened = till.page.locator(".card-terminal-manager")
    opened.locator(".card-terminal-reason").first.click()
    opened.locator(".card-terminal-person", has_text="(you)").click()
    opened.locator(".card-terminal-confirm").click()
    refund = till.page.locator(".card-terminal-refund")
    expect(refund.locator("[data-state=approved]")).to_contain_text("Refunded")
    till.dismiss(refund)
    wait_until(lambda: [t["exception"] for t in checker.transactions()] == ["none"] * 2, "Odoo to hear of it")
    expect(desk.locator(".card-terminal-none")).to_be_visible()
    assert [entry["action"] for entry in counter.terminal.ledger] == ["0", "1"]
    assert checker.charges() == [PRICE, PRICE]
    assert checker.requests() == 2
