"""Closing a session over a payment whose result is not known: every road is tried, and none closes it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from checker import Checker
from playwright.sync_api import expect
from scenes import CUT, PRICE, Lost, lose_answer, sell

from demokit.client import OdooError
from demokit.processes import wait_until
from demokit.till import Till

BUTTONS = ("action_pos_session_closing_control", "action_pos_session_validate", "action_pos_session_close")


def menu_of_the_till(lost: Lost) -> None:
    lost.till.menu("Close Register")
    lost.till.dismiss(lost.till.alert("Card payments are not settled"))


def cancel_orders(lost: Lost) -> None:
    """What the button "Cancel Orders" of the closing dialog does."""
    refused = lost.console(
        "return await posmodel.deleteOrders([], [order.id]).then(() => '', (error) => error.data.message)"
    )
    assert "not known" in refused


def menu_after_a_reload(lost: Lost) -> None:
    lost.till.reload()
    menu_of_the_till(lost)


def menu_of_another_till(lost: Lost) -> None:
    other = lost.counter.till()
    other.menu("Close Register")
    other.dismiss(other.alert("Card payments are not settled"))


def the_tills_last_call(lost: Lost) -> None:
    answer = lost.counter.shop.client.call("pos.session", "close_session_from_ui", [lost.session])
    assert answer["successful"] is False
    assert "must be settled" in answer["message"]


def buttons_of_the_back_office(lost: Lost) -> None:
    """Odoo itself refuses over a draft, and a draft with an open question cannot be cancelled."""
    for button in BUTTONS:
        with pytest.raises(OdooError, match=r"must be settled|draft orders"):
            lost.counter.shop.client.call("pos.session", button, [lost.session])


def writing_the_state(lost: Lost) -> None:
    with pytest.raises(OdooError, match="must be settled"):
        lost.counter.shop.client.write("pos.session", [lost.session], {"state": "closed"})


def a_rescue_session(lost: Lost) -> None:
    """Odoo lets those be closed without counting cash."""
    lost.counter.shop.client.write("pos.session", [lost.session], {"rescue": True})
    buttons_of_the_back_office(lost)
    lost.counter.shop.client.write("pos.session", [lost.session], {"rescue": False})


def deleting_the_session(lost: Lost) -> None:
    with pytest.raises(OdooError):
        lost.counter.shop.client.call("pos.session", "unlink", [lost.session])


ROADS: tuple[Callable[[Lost], None], ...] = (
    menu_of_the_till,
    cancel_orders,
    menu_after_a_reload,
    menu_of_another_till,
    the_tills_last_call,
    buttons_of_the_back_office,
    writing_the_state,
    a_rescue_session,
    deleting_the_session,
)


def test_no_road_closes_a_session_over_an_open_question(counter):
    lost = lose_answer(counter)
    for road in ROADS:
        road(lost)
        lost.assert_nothing_charged_and_nothing_lost()
        assert [session["state"] for session in lost.checker.sessions()] == ["opened"], road.__name__


def test_what_a_closed_session_could_not_know_stops_the_next_one(counter, checker):
    """Till and driver are cut off from Odoo with an open question, and a manager closes the session meanwhile."""
    shop = counter.shop
    context = counter.browser()
    till = counter.till(context)
    counter.terminal.behaviour = CUT
    shop.server.kill()
    sell(till)
    expect(till.card("unknown")).to_be_visible()
    assert checker.charges() == [PRICE]
    shop.driver.kill()
    context.route(f"{shop.server.url}/**", lambda route: route.abort())
    context.route_web_socket("**/websocket*", lambda socket: socket.close())
    shop.server.start()
    (session,) = checker.sessions()
    shop.client.call("pos.session", "action_pos_session_closing_control", [session["id"]])
    assert [each["state"] for each in checker.sessions()] == ["closed"]
    assert checker.orders() == []

    shop.driver.start()
    wait_until(lambda: [t["state"] for t in checker.transactions()] == ["unknown"], "the question to reach Odoo")
    next_session = open_next(counter, checker)
    refuse(counter, next_session)
    context.unroute_all()
    till.reload()
    wait_until(checker.orders, "the order to reach Odoo", 60)
    (order,) = checker.orders()
    assert (order["state"], order["session_id"]) == ("draft", next_session)
    (transaction,) = checker.transactions()
    assert (transaction["state"], transaction["order_uuid"]) == ("unknown", order["uuid"])
    refuse(counter, next_session)
    assert checker.requests() == 1


def open_next(counter, checker: Checker) -> int:
    """Open the register again, as somebody does on another till; return the session."""
    Till(counter.browser().new_page(), counter.shop.server.url, counter.config).open("admin", "admin")
    return int(checker.sessions()[-1]["id"])


def refuse(counter, session: int) -> None:
    """See that no button closes the session."""
    for button in BUTTONS:
        with pytest.raises(OdooError, match=r"must be settled|draft orders"):
            counter.shop.client.call("pos.session", button, [session])
