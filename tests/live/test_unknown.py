"""The answer is cut after the terminal has charged the card: nobody knows, and whatever is tried then charges nothing
and loses nothing.

Each attempt is made as a cashier or a manager would make it, and then again behind the screen's back (browser console,
RPC, the driver's own API), where something could be forced. Each says that it was refused; the ledger, the journal and
Odoo must bear that out.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from scenes import Lost, lose_answer

from demokit.client import OdooError
from demokit.processes import wait_until

FROZEN = "The order is frozen"


def delete_the_line(lost: Lost) -> None:
    lost.till.page.locator(".paymentlines .delete-button").click()
    lost.till.dismiss(lost.till.alert("The card payment cannot be deleted"))
    assert lost.console("return order.removePaymentline(line) || line.delete({ backend: true })") is False
    (payment,) = lost.checker.payments()
    with pytest.raises(OdooError, match="cannot be deleted"):
        lost.counter.shop.client.call("pos.payment", "unlink", [payment["id"]])


def press_card_again(lost: Lost) -> None:
    lost.till.pay_with("Card")
    lost.till.dismiss(lost.till.alert(FROZEN))
    assert lost.console("return order.addPaymentline(line.payment_method_id).status") is False
    assert lost.console("return await posmodel.cardPayments.pay(line)") is False
    assert put_to_driver(lost, lost.counter.uuids[0])["code"] == "line_not_ended"


def another_terminal(lost: Lost) -> None:
    lost.till.page.locator(".card-terminal-switch").click()
    lost.till.page.locator(".selection-item", has_text=f"{lost.counter.name} 2").click()
    expect(lost.till.page.locator(".card-terminal-current")).to_have_text(f"{lost.counter.name} 2")
    lost.till.pay_with("Card")
    lost.till.dismiss(lost.till.alert(FROZEN))
    assert put_to_driver(lost, lost.counter.uuids[1])["code"] == "line_not_ended"


def cash(lost: Lost) -> None:
    lost.till.pay_with("Cash")
    lost.till.dismiss(lost.till.alert(FROZEN))
    expect(lost.till.page.locator(".payment-screen .validation-button.next").first).to_contain_class("disabled")
    method = lost.checker.sql(
        "SELECT m.id FROM pos_payment_method m JOIN pos_config_pos_payment_method_rel r"
        " ON r.pos_payment_method_id = m.id WHERE r.pos_config_id = %s AND m.is_cash_count",
        lost.counter.config,
    )[0]["id"]
    with pytest.raises(OdooError, match="Do not take the money another way"):
        lost.counter.shop.client.create(
            "pos.payment", {"pos_order_id": lost.order["id"], "amount": 12.40, "payment_method_id": method}
        )
    with pytest.raises(OdooError):
        lost.counter.shop.client.call("pos.order", "action_pos_order_paid", [lost.order["id"]])
    refused = lost.console(
        """
        const cash = posmodel.models["pos.payment.method"].find((method) => method.is_cash_count);
        posmodel.models["pos.payment"].create({ pos_order_id: order, payment_method_id: cash, amount: line.amount });
        order.state = "paid";
        return posmodel.syncAllOrders({ orders: [order], throw: true }).then(() => "", (error) => error.data.message);
        """
    )
    assert "Do not take" in refused


def delete_the_order(lost: Lost) -> None:
    lost.till.page.locator(".pos-leftheader .orders-button").click()
    row = lost.till.page.locator(".ticket-screen .order-row", has_text=lost.order["pos_reference"])
    expect(row).to_be_visible()
    expect(row.locator(".text-danger")).to_have_count(0)
    assert lost.console("return await posmodel.onDeleteOrder(order)") is False
    assert lost.console("return await posmodel.deleteOrders([order])") is False
    assert lost.console("return posmodel.removeOrder(order)") is False
    for method in ("remove_from_ui", "action_pos_order_cancel", "unlink"):
        with pytest.raises(OdooError):
            lost.counter.shop.client.call("pos.order", method, [lost.order["id"]])


def reload(lost: Lost) -> None:
    lost.till.reload()
    lost.till.show_order(lost.order["pos_reference"])
    expect(lost.till.card("unknown")).to_be_visible()
    press_card_again(lost)


def second_tab(lost: Lost) -> None:
    tab = lost.counter.till(lost.context)
    tab.show_order(lost.order["pos_reference"])
    expect(tab.card("unknown")).to_be_visible()
    for method in ("Card", "Cash"):
        tab.pay_with(method)
        tab.dismiss(tab.alert(FROZEN))


def second_till(lost: Lost) -> None:
    other = lost.counter.till()
    other.show_order(lost.order["pos_reference"])
    expect(other.card("unknown")).to_be_visible()
    for method in ("Card", "Cash"):
        other.pay_with(method)
        other.dismiss(other.alert(FROZEN))
    delete_all = "posmodel.deleteOrders(posmodel.models['pos.order'].filter((order) => !order.finalized))"
    assert other.page.evaluate(delete_all) is False


def restart_the_driver(lost: Lost) -> None:
    lost.counter.shop.driver.stop()
    lost.counter.shop.driver.start()
    reload(lost)


def empty_the_journal(lost: Lost) -> None:
    """A driver whose disk was replaced: same key, other journal."""
    shop = lost.counter.shop
    shop.driver.stop()
    set_aside = shop.folder / "set-aside"
    set_aside.mkdir()
    for part in shop.folder.glob("journal.sqlite*"):
        part.rename(set_aside / part.name)
    shop.driver.start()
    wait_until(lambda: shop.client.read("card.terminal.driver", [("alarm", "!=", False)], ["alarm"]), "the alarm")
    lost.till.reload()
    lost.till.show_order(lost.order["pos_reference"])
    expect(lost.till.card("unknown")).to_be_visible()
    lost.till.pay_with("Card")
    lost.till.dismiss(lost.till.alert(FROZEN))
    assert lost.checker.journal() == {}


ATTEMPTS: dict[str, tuple[Callable[[Lost], None], int]] = {
    "X on the line": (delete_the_line, 1),
    "Card again": (press_card_again, 1),
    "another terminal": (another_terminal, 2),
    "cash": (cash, 1),
    "delete the order": (delete_the_order, 1),
    "reload": (reload, 1),
    "a second tab": (second_tab, 1),
    "a second till": (second_till, 1),
    "restart the driver": (restart_the_driver, 1),
    "a driver with an empty journal": (empty_the_journal, 1),
}
"""What is tried, and how many terminals the till needs for it."""


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_after_a_lost_answer_nothing_charges_and_nothing_is_lost(attempt, new_counter):
    carry_out, terminals = ATTEMPTS[attempt]
    lost = lose_answer(new_counter(terminals=terminals))
    carry_out(lost)
    lost.assert_nothing_charged_and_nothing_lost()


def put_to_driver(lost: Lost, terminal: str) -> dict[str, str]:
    """Ask the driver, from the till's page and with its grant, for another transaction on the same order."""
    return lost.console(
        """
        const client = posmodel.cardPayments.terminals.client(line.card_driver_ref);
        const health = await client.health();
        const answer = await client.start(crypto.randomUUID(), {
            terminal: argument, kind: "sale", amount: 1240, currency: "EUR", till: "x", session: "x", operator: "x",
            order: order.uuid, line: line.uuid, not_after: new Date(Date.parse(health.body.now) + 30000).toISOString(),
        });
        return answer.problem;
        """,
        terminal,
    )
