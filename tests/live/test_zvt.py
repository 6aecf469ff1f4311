"""A day at a till with a ZVT terminal: the virtual one, the real driver, a real browser. The scenes share one session.

The terminal's ledger is the truth about charges; each scene begins and ends with an empty order.
"""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from checker import Checker, journal_events
from playwright.sync_api import expect
from scenes import PRICE, PRODUCT, sell
from shopfloor import Counter, Shop

from demokit import processes
from demokit.pairing import wait_for_configuration
from demokit.processes import wait_until
from demokit.shop import add_terminal, add_till
from demokit.till import Till
from kit.ports import claim

CARD = "contactless"
OTHER_PRODUCT, OTHER_PRICE = "Honey 500 g", 860
_numbers = count(1)


class ZvtTerminal:
    """The virtual ZVT terminal as a cardholder and a bank treat it, through its web face."""

    def __init__(self, folder: Path) -> None:
        self.port, self.web = claim(0, "the ZVT terminal"), claim(0, "its face")
        self.ledger = folder / f"zvt{next(_numbers)}.jsonl"
        self.program = processes.virtual_terminal(
            "zvt", ["--port", str(self.port)], self.web, self.ledger, self.ledger.with_suffix(".log")
        )

    def card(self, name: str = CARD) -> None:
        """Present a card, once the terminal asks for one."""
        wait_until(lambda: self._get("state")["screen"]["phase"] == "card", "the terminal to ask for a card")
        self._post("card", {"card": name})

    def key(self, name: str) -> None:
        wait_until(lambda: self._get("state")["screen"]["phase"] == "card", "the terminal to ask for a card")
        self._post("key", {"key": name})

    def fault(self, name: str, value: int | None = None, mode: str = "once") -> None:
        """Let something happen once, or until it is mended (`mode` always)."""
        self._post("faults", {name: mode if value is None else {"mode": mode, "value": value}})

    def standalone(self, amount: int) -> None:
        """Take a payment of which no till knows."""
        before = len(self.entries)
        self._post("standalone", {"amount": amount})
        self.card()
        wait_until(lambda: len(self.entries) > before, "the payment to be done")

    @property
    def entries(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.ledger.read_text().splitlines()] if self.ledger.exists() else []

    @property
    def charges(self) -> list[int]:
        """What it charged and gave back, in cents."""
        back = {"refund": -1, "reversal": -1}
        return [entry["amount"] * back.get(entry["kind"], 1) for entry in self.entries if entry["amount"]]

    def _get(self, what: str) -> dict[str, Any]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.web}/api/{what}", timeout=10) as answer:
            return dict(json.load(answer))

    def _post(self, what: str, body: dict[str, Any]) -> None:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.web}/api/{what}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            answer.read()


@dataclass
class Day:
    """The till with its terminal; `before` is what the ledger had when the scene began."""

    counter: Counter
    terminal: ZvtTerminal
    till: Till
    checker: Checker
    record: int
    before: int = 0

    @property
    def charges(self) -> list[int]:
        """What the terminal charged in this scene."""
        return self.terminal.charges[self.before :]

    def order(self) -> dict[str, Any]:
        """The last order that Odoo has, once its payments have their evidence."""

        def matched() -> dict[str, Any] | None:
            (order,) = self.checker.orders()[-1:]
            lines = [line for line in self.payments(order) if line["method"] == "Card"]
            good = all(line["card_evidence"] == "matched" for line in lines)
            return order if lines and good and order["state"] == "paid" else None

        order = wait_until(matched, "the order's evidence")
        assert order is not None
        return order

    def payments(self, order: dict[str, Any]) -> list[dict[str, Any]]:
        return [line for line in self.checker.payments() if line["pos_order_id"] == order["id"]]

    def amounts(self) -> list[float]:
        """What the card payments of the last order are worth."""
        return [float(line["amount"]) for line in self.payments(self.order())]

    def pay_what_is_due(self) -> None:
        """Press Card once more and present a card."""
        self.till.pay_by_card()
        self.terminal.card()

    def show_paid(self, reference: str) -> None:
        """Choose a paid order under Orders."""
        page = self.till.page
        page.locator(".pos-leftheader .orders-button").click()
        page.locator(".pos-search-bar .filter").click()
        page.locator(".pos-search-bar .filter ul li", has_text="Paid").click()
        page.locator(".ticket-screen .order-row", has_text=reference).first.click()

    def finished(self) -> None:
        """The receipt is there; begin the next order."""
        expect(self.till.receipt).to_be_visible()
        self.till.next_order()


@pytest.fixture(scope="module")
def opened(shop: Shop) -> Iterator[Day]:
    """A till that takes tips, with a ZVT terminal that makes its end of day when the till closes."""
    with ExitStack() as stack:
        terminal = ZvtTerminal(shop.folder)
        stack.enter_context(terminal.program)
        client = shop.client
        name = f"ZVT {next(_numbers)}"
        record = add_terminal(client, shop.driver_id, name, "zvt", terminal.port)
        client.write(
            "card.terminal", [record], {"settle_at_close": True, "options": {"partial_approval": True, "tip": True}}
        )
        config = add_till(client, name, [record])
        tips = client.id_of("product.product", [("default_code", "=", "TIPS")])
        client.write("pos.config", [config], {"iface_tipproduct": True, "tip_product_id": tips})
        wait_for_configuration(client, shop.driver_id)
        (told,) = client.call("card.terminal", "read", [record], ["uuid"])
        counter = Counter(shop, config, name, [terminal], [told["uuid"]])
        till = counter.till()
        yield Day(counter, terminal, till, Checker(counter), record)
        for context in counter.contexts:
            context.close()


@pytest.fixture
def day(opened: Day) -> Day:
    """The till with an empty order, whatever became of the scene before."""
    opened.till.page.evaluate("""
        const order = posmodel.getOrder()?.isEmpty() ? posmodel.getOrder() : posmodel.addNewOrder();
        posmodel.navigate("ProductScreen", { orderUuid: order.uuid });
    """)
    opened.before = len(opened.terminal.charges)
    return opened


def test_a_sale_with_what_the_terminal_says_meanwhile_and_both_slips(day):
    sell(day.till)
    expect(day.till.card("sent")).to_contain_text("Waiting for the customer's card")
    day.terminal.fault("late", 2)
    day.terminal.card()
    expect(day.till.card("sent")).to_contain_text("The terminal is at work")
    expect(day.till.receipt).to_contain_text("Kundenbeleg")
    expect(day.till.receipt).not_to_contain_text("Händlerbeleg")
    day.finished()

    assert day.charges == [PRICE]
    assert day.amounts() == [12.40]
    transaction = day.checker.transactions()[-1]
    entry = day.terminal.entries[-1]
    assert "Händlerbeleg" in transaction["merchant_receipt"]
    assert transaction["trace"] == entry["references"]["trace"]
    assert transaction["terminal_ref"] == entry["references"]["receipt"]
    assert (transaction["contract"], transaction["terminal_number"]) == (entry["contract"], "29001006")
    assert (transaction["aid"], transaction["brand"]) == ("a0000000041010", "Mastercard")
    assert (transaction["entry_mode"], transaction["verification"]) == ("contactless", "none")
    events = [event.type for event in journal_events(day.counter.shop.journal) if event.uuid == transaction["uuid"]]
    assert events == ["requested", "sent", "heard", "approved"]


def test_declined_then_given_up_at_the_till_then_on_the_terminal(day):
    day.terminal.fault("decline")
    sell(day.till)
    day.terminal.card()
    expect(day.till.card("declined")).to_be_visible()
    day.till.retry()
    expect(day.till.card("sent")).to_contain_text("Waiting for the customer's card")
    day.till.page.locator(".card-terminal-cancel").click()
    expect(day.till.card("cancelled")).to_be_visible()
    day.till.retry()
    day.terminal.key("red")
    expect(day.till.card("cancelled")).to_contain_text("Given up on the terminal")
    assert day.charges == []
    day.till.retry()
    day.terminal.card()
    day.finished()
    assert day.charges == [PRICE]
    assert [t["state"] for t in day.checker.transactions()[-4:]] == ["declined", "cancelled", "cancelled", "approved"]


def test_less_than_asked_leaves_the_rest_due_and_can_be_taken_back(day):
    day.terminal.fault("partial", 500)
    sell(day.till)
    day.terminal.card()
    expect(day.till.card("approved")).to_be_visible()
    expect(day.till.page.locator(".payment-screen")).to_contain_text("7.40")
    day.till.page.locator(".card-terminal-give-back[data-way=reversal]").click()
    day.till.page.locator(".modal-footer .btn-primary").click()
    expect(day.till.page.locator(".card-terminal-line", has_text="The money went back")).to_be_visible()
    day.terminal.fault("partial", 1000)
    day.pay_what_is_due()
    expect(day.till.card("approved")).to_have_count(3)
    day.pay_what_is_due()
    day.finished()
    assert day.charges == [500, -500, 1000, 240]
    assert sorted(day.amounts()) == [-5.0, 2.4, 5.0, 10.0]


def test_a_tip_is_an_article_and_part_of_the_payment(day):
    day.terminal.fault("tip", 200)
    sell(day.till)
    day.terminal.card()
    day.finished()
    assert day.charges == [PRICE + 200]
    assert day.amounts() == [14.40]
    order = day.order()
    assert (float(order["tip_amount"]), order["is_tipped"], float(order["amount_total"])) == (2.0, True, 14.40)
    assert day.checker.transactions()[-1]["amount_tip_minor"] == 200
    closing = day.counter.shop.client.call("pos.session", "get_closing_control_data", [order["session_id"]])
    assert closing["card_terminal"]["tips"] == {"card": 2.0, "cash": 0.0, "other": 0.0}


def test_a_tip_afterwards_is_an_order_of_its_own_and_goes_back_with_its_payment(day):
    till, page = day.till, day.till.page
    sell(till)
    day.terminal.card()
    expect(till.receipt).to_be_visible()
    sold = day.order()
    page.locator(".receipt-screen .card-terminal-add-tip").click()
    page.locator(".modal .numpad button", has_text="2").first.click()
    page.locator(".modal-footer .btn-primary").click()
    expect(till.receipt).to_contain_text("darin Trinkgeld")
    expect(till.receipt.locator(".oldPrice")).to_have_count(0)  # of a price that a cashier has changed
    expect(page.locator(".receipt-screen .card-terminal-add-tip")).to_be_hidden()
    assert day.charges == [PRICE, 200]
    order = day.order()
    assert (float(order["amount_total"]), float(order["tip_amount"]), order["is_tipped"]) == (2.0, 2.0, True)
    assert day.amounts() == [2.0]
    sale, tip = day.checker.transactions()[-2:]
    assert (tip["kind"], tip["original_uuid"], tip["exception"]) == ("tip", sale["uuid"], "none")
    day.finished()

    day.show_paid(sold["pos_reference"])
    expect(page.locator(".ticket-screen .card-terminal-slip-button")).to_be_visible()
    expect(page.locator(".ticket-screen .card-terminal-add-tip")).to_be_hidden()
    page.locator(".ticket-screen .card-terminal-give-back").click()
    expect(page.locator(".modal-body")).to_contain_text("14.40")
    page.locator(".modal-footer .btn-primary").click()
    day.finished()
    assert day.charges == [PRICE, 200, -PRICE - 200]
    assert day.amounts() == [-14.40]


def test_what_the_terminal_wants_first_is_offered_and_done(day):
    day.terminal.fault("locked", 194, mode="always")
    sell(day.till)
    expect(day.till.card("failed")).to_contain_text("wants a diagnosis first")
    page = day.till.page
    page.locator(".card-terminal-line .card-terminal-remedy[data-remedy=diagnosis]").click()
    errand = page.locator(".card-terminal-errand")
    expect(errand.locator("[data-level=good]")).to_contain_text("The diagnosis is done.")
    errand.locator(".modal-footer button").last.click()
    day.till.retry()
    day.terminal.card()
    day.finished()
    assert day.charges == [PRICE]


def test_a_signature_is_asked_for_until_it_is_answered(day):
    day.terminal.fault("signature")
    sell(day.till)
    day.terminal.card()
    asked = day.till.card("signature_wanted")
    expect(asked).to_be_visible()
    expect(day.till.page.locator(".payment-screen .validation-button.next").first).to_have_class(re.compile("disabled"))
    day.till.reload()
    day.till.page.evaluate("posmodel.navigate('PaymentScreen', {orderUuid: posmodel.getOrder().uuid})")
    expect(asked).to_be_visible()
    day.till.page.locator(".card-terminal-not-signed").click()
    expect(day.till.page.locator(".card-terminal-line", has_text="The money went back")).to_be_visible()
    assert day.charges == [PRICE, -PRICE]

    day.terminal.fault("signature")
    day.pay_what_is_due()
    expect(asked).to_be_visible()
    day.till.page.locator(".card-terminal-signed").click()
    day.finished()
    assert day.charges == [PRICE, -PRICE, PRICE]
    order = day.order()
    assert [line["card_signature"] for line in day.payments(order)] == ["bad", None, "good"]
    assert [t["signature"] for t in day.checker.transactions()[-3:]] == ["bad", None, "good"]


def test_a_refund_onto_the_card(day):
    """A part of an order goes back: the card is presented again."""
    till = day.till
    till.add(PRODUCT)
    till.add(OTHER_PRODUCT)
    till.to_payment()
    day.pay_what_is_due()
    expect(till.receipt).to_be_visible()
    reference = day.order()["pos_reference"]
    till.next_order()
    page = till.page
    day.show_paid(reference)
    page.locator(".ticket-screen .orderline", has_text=OTHER_PRODUCT).click()
    page.locator(".ticket-screen .numpad button", has_text="1").first.click()
    page.locator(".ticket-screen .pay-order-button").click()
    expect(till.payment_screen).to_be_visible()
    till.pay_by_card()
    page.locator(".paymentlines .send_refund_request").click()
    day.terminal.card()
    day.finished()
    assert day.charges == [PRICE + OTHER_PRICE, -OTHER_PRICE]
    assert day.checker.transactions()[-1]["kind"] == "refund"
    assert day.amounts() == [-8.60]


def test_the_end_of_day_at_closing_that_agrees_and_one_that_does_not(day):
    till, page = day.till, day.till.page
    sell(till)
    day.terminal.card()
    day.finished()
    till.menu("Close Register")
    compared = page.locator(".card-terminal-compared")
    expect(compared).to_have_attribute("data-difference", "0")
    page.locator(".card-terminal-not-yet").click()
    expect(page.locator(".close-pos-popup")).to_be_hidden()

    sell(till)
    day.terminal.card()
    day.finished()
    day.terminal.standalone(2510)
    till.menu("Close Register")
    expect(compared).to_have_attribute("data-difference", "2510")
    page.locator(".card-terminal-go-on").click()
    popup = page.locator(".close-pos-popup")
    expect(popup.locator(".card-terminal-day-lines")).to_contain_text("25.10")
    expect(popup.locator(".card-terminal-tips[data-way=card]")).to_contain_text("2.00")
    popup.locator(".fa-clone").first.click()
    popup.locator(".modal-footer .btn-primary").first.click()
    expect(page.locator(".screen-login")).to_be_visible()

    assert day.checker.sessions()[0]["state"] == "closed"
    settlements = day.checker.sql(
        "SELECT * FROM card_terminal_settlement WHERE terminal_id = %s ORDER BY id", day.record
    )
    assert float(settlements[0]["amount"]) * 100 == sum(entry_sum(day, before=1))
    assert [each["source"] for each in settlements] == ["terminal", "terminal"]
    assert float(settlements[1]["amount"]) == (PRICE + 2510) / 100
    notices = day.checker.sql(
        "SELECT res_id FROM card_notice WHERE code = 'settlement_differs' AND res_model = 'card.terminal.settlement'"
    )
    assert [notice["res_id"] for notice in notices] == [settlements[1]["id"]]


def entry_sum(day: Day, before: int) -> list[int]:
    """What the ledger says was charged before its settlement of that number."""
    found: list[int] = []
    for entry in day.terminal.entries:
        if entry["kind"] == "settlement":
            before -= 1
            if not before:
                return found
        elif entry["outcome"] == "approved":
            found.append(entry["amount"] * (-1 if entry["kind"] in ("refund", "reversal") else 1))
    return found
