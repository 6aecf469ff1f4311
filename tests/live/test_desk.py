"""The exceptions desk in a manager's browser, and a manager's PIN against a real server: tries survive the errors."""

import uuid

import pytest
from playwright.sync_api import Page, expect
from scenes import AUTHORISATION, PRICE, Lost, lose_answer

from demokit.client import OdooClient, OdooError
from demokit.processes import wait_until
from demokit.shop import LOGIN, PASSWORD

PIN = "246810"
REASON = "The slip says that it was charged."


@pytest.fixture
def lost(counter) -> Lost:
    return lose_answer(counter)


@pytest.fixture
def desk(lost: Lost) -> Page:
    """The list of exceptions in a manager's browser."""
    page = lost.counter.browser().new_page()
    page.goto(f"{lost.counter.shop.server.url}/odoo/action-pos_card_terminal.action_card_exception")
    page.locator("input[name=login]").fill(LOGIN)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("form.oe_login_form button[type=submit]").click()
    expect(page.locator(".o_list_view")).to_be_visible()
    return page


def open_row(desk: Page, lost: Lost) -> None:
    desk.locator(".o_data_row", has_text=lost.order["pos_reference"]).click()
    expect(desk.locator(".o_card_comparison")).to_be_visible()


def cashier(lost: Lost) -> OdooClient:
    """A cashier's own login."""
    client, login = lost.counter.shop.client, f"cashier-{uuid.uuid4()}"
    groups = [
        client.one("ir.model.data", [("module", "=", module), ("name", "=", name)], ["res_id"])["res_id"]
        for module, name in (("base", "group_user"), ("point_of_sale", "group_pos_user"))
    ]
    client.create("res.users", {"name": "Cashier", "login": login, "password": login, "group_ids": [(6, 0, groups)]})
    return OdooClient(client.url, lost.counter.shop.database, login, login)


def test_a_manager_settles_what_is_not_known_and_the_till_goes_on(lost, desk):
    open_row(desk, lost)
    expect(desk.locator(".o_card_timeline")).to_contain_text("Sent to the terminal")
    desk.get_by_role("button", name="It was paid").click()
    dialog = desk.locator(".modal")
    dialog.locator("[name=auth_code] input").fill(AUTHORISATION)
    dialog.locator("[name=reason] textarea").fill(REASON)
    dialog.get_by_role("button", name="Decide").click()
    expect(desk.locator(".o_list_view")).to_be_visible()
    expect(desk.locator(".o_data_row", has_text=lost.order["pos_reference"])).to_be_hidden()
    expect(lost.till.receipt).to_be_visible()
    lost.checker.wait_for_evidence("matched")
    (transaction,) = lost.checker.transactions()
    assert (transaction["state"], transaction["settled_paid"]) == ("settled_by_hand", True)
    assert (transaction["settled_reason"], transaction["amount_approved_minor"]) == (REASON, PRICE)
    (kept,) = lost.checker.sql(
        "SELECT action, result, reason FROM card_approval WHERE transaction_id = %s", transaction["id"]
    )
    assert kept == {"action": "force_done", "result": "done", "reason": REASON}
    assert lost.checker.charges() == [PRICE]


def test_wrong_pins_are_counted_although_each_ends_in_an_error(lost):
    shop = lost.counter.shop
    shop.client.write("res.users", [shop.client.uid], {"card_approval_pin": PIN})
    till = cashier(lost)
    managers = till.call("pos.session", "card_terminal_managers", [lost.session])
    assert [manager["id"] for manager in managers] == [shop.client.uid]
    (transaction,) = lost.checker.transactions()

    def ask(pin: str) -> str:
        request = {
            "action": "force_done", "manager": shop.client.uid, "pin": pin, "reason": REASON,
            "order": lost.order["uuid"], "line": transaction["payment_uuid"], "uuid": transaction["uuid"],
        }  # fmt: skip
        with pytest.raises(OdooError) as refusal:
            till.call("pos.session", "card_terminal_decide", [lost.session], request)
        return str(refusal.value)

    assert [ask("0000")[:9] for _ in range(5)] == ["Wrong PIN"] * 4 + ["Too many "]
    assert "cannot approve until" in ask(PIN)
    tries = lost.checker.sql(
        "SELECT result FROM card_approval WHERE transaction_uuid = %s ORDER BY id", transaction["uuid"]
    )
    assert [each["result"] for each in tries] == ["pin_wrong"] * 5 + ["locked"]
    lost.assert_nothing_charged_and_nothing_lost()


def test_a_session_closed_in_the_back_office_leads_to_the_desk(lost, desk):
    lost.counter.shop.client.write("pos.session", [lost.session], {"state": "closing_control"})
    desk.goto(f"{lost.counter.shop.server.url}/odoo/pos.session/{lost.session}")
    desk.get_by_role("button", name="Close Session & Post Entries").click()
    warning = desk.locator(".modal", has_text="Result not known")
    expect(warning).to_be_visible()
    warning.get_by_role("button", name="Open the Exceptions").click()
    expect(desk.locator(".o_data_row", has_text=lost.order["pos_reference"])).to_be_visible()
    wait_until(lambda: lost.checker.sessions()[0]["state"] != "closed", "the session to stay open")
