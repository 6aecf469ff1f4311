"""What a long day brings: impatience, outages, two tills at one terminal. Whatever happens, each sale is charged once
and arrives in Odoo once.

How long it takes until everything goes on is printed, not asserted: it depends on the machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from checker import Checker
from playwright.sync_api import expect
from scenes import PRICE, PRODUCT, lose_answer, sell

from demokit.processes import wait_until

RELOADS = 100


def printed(what: str, since: float) -> None:
    """Print what was measured, for whoever reads the log (`-s`, or a failure)."""
    print(f"{what}: {time.monotonic() - since:.2f} s")


def everything_arrived(checker: Checker, sales: int) -> bool:
    """Whether Odoo has every sale as a paid order whose card payment is matched with its approval."""
    payments = checker.payments()
    return (
        [order["state"] for order in checker.orders()] == ["paid"] * sales
        and [payment["card_evidence"] for payment in payments if payment["method"] == "Card"] == ["matched"] * sales
        and all(transaction["exception"] == "none" for transaction in checker.transactions())
    )


def test_a_hundred_reloads_while_the_customer_pays(counter, checker):
    till = counter.till()
    terminal = counter.terminal
    terminal.card_presented.clear()
    sell(till)
    expect(till.card("sent")).to_be_visible()
    began = time.monotonic()
    for number in range(RELOADS):
        till.page.reload(wait_until="commit")
        if number == RELOADS // 2:
            terminal.card_presented.set()
        if number % 20 == 0:  # now and then the page comes to its end
            expect(till.page.locator(".pos .pos-content")).to_be_visible()
        else:
            till.page.wait_for_timeout(number % 10 * 25)
    till.open()
    printed(f"{RELOADS} reloads", began)
    wait_until(lambda: everything_arrived(checker, 1), "the sale to be in Odoo")
    assert checker.charges() == [PRICE]
    assert checker.requests() == 1
    assert [states[-1] for states in checker.journal().values()] == ["approved"]


def test_without_odoo_the_till_goes_on_selling_and_all_is_joined_later(counter, checker):
    shop = counter.shop
    till = counter.till()
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
    wait_until(lambda: everything_arrived(checker, 2), "both sales to be in Odoo", 60)
    printed("Odoo back until both sales are joined", back)
    assert checker.charges() == [PRICE] * 2
    assert checker.requests() == 2


def test_a_driver_that_comes_back_is_heard_at_once(counter, checker):
    till = counter.till()
    terminal = counter.terminal
    terminal.answer_let_out.clear()
    sell(till)
    wait_until(lambda: checker.charges() == [PRICE], "the terminal to charge the card")
    counter.shop.driver.kill()
    terminal.answer_let_out.set()
    expect(till.card("sent")).to_contain_text("does not answer")
    counter.shop.driver.start()
    back = time.monotonic()
    expect(till.card("unknown")).to_be_visible()  # its journal says that nobody knows
    printed("driver back until the till has heard it", back)
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
    wait_until(lambda: everything_arrived(checker, 1), "the sale to be in Odoo")
    assert checker.charges() == [PRICE]
    assert checker.requests() == 1


# Closing over an open question, as people press it in the browser -----------------------------------------------------


def menu_of_the_till(lost):
    lost.till.menu("Close Register")
    lost.till.dismiss(lost.till.alert("Card payments are not settled"))


def menu_of_another_till(lost):
    other = lost.counter.till()
    other.menu("Close Register")
    other.dismiss(other.alert("Card payments are not settled"))


def menu_after_a_reload(lost):
    lost.till.reload()
    menu_of_the_till(lost)


ROADS: dict[str, Callable] = {
    "the till's menu": menu_of_the_till,
    "the menu after a reload": menu_after_a_reload,
    "another till's menu": menu_of_another_till,
}


def test_no_road_in_the_browser_closes_a_session_over_an_open_question(new_counter):
    lost = lose_answer(new_counter())
    for road in ROADS.values():
        road(lost)
        lost.assert_nothing_charged_and_nothing_lost()
        assert [session["state"] for session in lost.checker.sessions()] == ["opened"]
