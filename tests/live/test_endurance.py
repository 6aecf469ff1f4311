"""What a long day brings: impatience, outages, two tills at one terminal. Whatever happens, each sale is charged once
and arrives in Odoo once.

How long it takes until everything goes on is told at the end of the run, not asserted: it depends on the machine.
"""

from __future__ import annotations

import time

from checker import Checker
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import expect
from scenes import PRICE, PRODUCT, lose_answer, sell

from demokit.processes import wait_until
from demokit.till import Till
from kit.errors import SetupError

RELOADS = 100


def wait_for_sales(checker: Checker, sales: int) -> None:
    """Wait until Odoo has every sale as a paid order whose card payment is matched with its approval."""

    def arrived() -> bool:
        return [order["state"] for order in checker.orders()] == ["paid"] * sales

    try:
        wait_until(arrived, "the orders to be in Odoo", 60)
    except SetupError:
        raise AssertionError(f"orders {checker.orders()}, transactions {checker.transactions()}") from None
    checker.wait_for_evidence(*["matched"] * sales)
    assert [transaction["exception"] for transaction in checker.transactions()] == ["none"] * sales


def press_reload(till: Till) -> None:
    """Press the browser's reload button, also where the page before is not yet in its place."""
    try:
        till.page.reload(wait_until="commit")
    except PlaywrightError as error:
        if "Not attached to an active page" not in str(error):
            raise
        till.page.wait_for_load_state("domcontentloaded")
        till.page.reload(wait_until="commit")


def test_a_hundred_reloads_while_the_customer_pays(counter, checker, measured):
    till = counter.till()
    terminal = counter.terminal
    terminal.card_presented.clear()
    sell(till)
    expect(till.card("sent")).to_be_visible()
    began = time.monotonic()
    for number in range(RELOADS):
        press_reload(till)
        if number == RELOADS // 2:
            terminal.card_presented.set()
        if number % 20 == 0:  # now and then the page comes to its end
            expect(till.page.locator(".pos .pos-content")).to_be_visible()
        else:
            till.page.wait_for_timeout(number % 10 * 25)
    till.open()
    measured(f"{RELOADS} reloads", began)
    wait_for_sales(checker, 1)
    assert checker.charges() == [PRICE]
    assert checker.requests() == 1
    assert [states[-1] for states in checker.journal().values()] == ["approved"]


def test_without_odoo_the_till_goes_on_selling_and_all_is_joined_later(counter, checker, measured):
    shop = counter.shop
    till = counter.till()
    opened = [("config_id", "=", counter.config), ("state", "=", "opened")]
    wait_until(lambda: shop.client.call("pos.session", "search_count", opened), "Odoo to open the register")
    shop.server.kill()
    try:
        for number in (1, 2):
            sell(till)
            expect(till.receipt).to_be_visible()
            assert checker.charges() == [PRICE] * number
            if number == 1:
                till.dismiss(till.alert("Connection Lost"))  # Odoo's own word
            till.next_order()
        assert [states[-1] for states in checker.journal().values()] == ["approved"] * 2
        assert checker.payments() == []
    finally:
        shop.server.start()
    back = time.monotonic()
    wait_for_sales(checker, 2)
    measured("Odoo answers again until both sales are joined", back)
    assert checker.charges() == [PRICE] * 2
    assert checker.requests() == 2


def test_a_driver_that_comes_back_is_heard_at_once(counter, checker, measured):
    till = counter.till()
    terminal = counter.terminal
    terminal.answer_let_out.clear()
    sell(till)
    wait_until(lambda: checker.charges() == [PRICE], "the terminal to charge the card")
    counter.shop.driver.kill()
    terminal.answer_let_out.set()
    expect(till.card("sent")).to_contain_text("does not answer")
    asked = []
    till.page.on("request", lambda request: asked.append(request.url) if "/v1/transactions/" in request.url else None)
    counter.shop.driver.start()
    back, asked_before = time.monotonic(), len(asked)
    expect(till.card("unknown")).to_be_visible()  # its journal says that nobody knows
    measured("the driver answers again until the till has heard it", back)
    assert len(asked) - asked_before <= 2, "the first questions that can be answered are"
    assert checker.charges() == [PRICE]
    assert checker.requests() == 1
    wait_until(lambda: [t["state"] for t in checker.transactions()] == ["unknown"], "the question to reach Odoo")


def test_two_tills_race_for_one_terminal(new_counter):
    first = new_counter()
    second = new_counter(beside=first)
    tills = [first.till(), second.till()]
    checkers = [Checker(first), Checker(second)]
    terminal = first.terminal
    for round_number in (1, 2, 3):
        terminal.card_presented.clear()
        for till in tills:
            till.add(PRODUCT)
            till.to_payment()
        at = int(time.time() * 1000) + 700
        for till in tills:  # both press in the same millisecond, as far as browsers can
            till.page.evaluate(
                """(at) => setTimeout(() => [...document.querySelectorAll(".paymentmethods .paymentmethod")]
                    .find((button) => button.textContent.includes("Card")).click(), at - Date.now())""",
                at,
            )
        for till in tills:
            expect(till.card("sent").or_(till.card("failed"))).to_be_visible()
        winner, loser = sorted(tills, key=lambda till: not till.card("sent").is_visible())
        holder = first if winner is tills[0] else second
        expect(loser.card("failed")).to_contain_text(f"in use by {holder.name}")
        assert len(terminal.asked) == round_number * 2 - 1
        terminal.card_presented.set()
        expect(winner.receipt).to_be_visible()
        loser.retry()
        expect(loser.receipt).to_be_visible()
        assert terminal.charges == [PRICE] * (round_number * 2)
        for till in tills:
            till.next_order()
    for checker in checkers:
        wait_until(lambda checker=checker: [o["state"] for o in checker.orders()] == ["paid"] * 3, "orders in Odoo")
        checker.wait_for_evidence(*["matched"] * 3)


def test_another_till_that_is_trusted_sees_the_frozen_order(new_counter):
    lost = lose_answer(new_counter())
    lost.counter.terminal.behaviour = "approve"
    other = new_counter(beside=lost.counter).till()
    other.show_order(lost.order["pos_reference"])
    expect(other.card("unknown")).to_be_visible()
    for method in ("Card", "Cash"):
        other.pay_with(method)
        other.dismiss(other.alert("The order is frozen"))
    assert (
        other.page.evaluate(
            "(uuid) => posmodel.deleteOrders([posmodel.models['pos.order'].getBy('uuid', uuid)])", lost.order["uuid"]
        )
        is False
    )
    lost.assert_nothing_charged_and_nothing_lost()


def test_settings_changed_while_the_card_is_out_do_not_lose_the_order(counter, checker):
    """Odoo then deletes the browser's database, where this order alone is."""
    context = counter.browser()
    till = counter.till(context)
    terminal = counter.terminal
    terminal.card_presented.clear()
    sell(till)
    expect(till.card("sent")).to_be_visible()
    assert checker.orders() == []
    shop = counter.shop
    time.sleep(1.1)  # Odoo compares whole seconds
    category = shop.client.id_of("pos.category", [("name", "=", "Groceries")])
    limits = {"limit_categories": True, "iface_available_categ_ids": [(6, 0, [category])]}
    shop.client.write("pos.config", [counter.config], limits)
    till.page.goto(f"{shop.server.url}/pos/ui/{counter.config}?from_backend=True")
    expect(till.page.locator(".pos .product-screen").or_(till.payment_screen).first).to_be_visible()
    assert till.page.evaluate("posmodel.config.limit_categories") is True
    terminal.card_presented.set()
    wait_for_sales(checker, 1)
    assert checker.charges() == [PRICE]
    assert checker.requests() == 1
