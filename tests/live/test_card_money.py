"""The accountant's pages in a browser: the dashboard, open money as of a date, and a file that is downloaded."""

import re
import zipfile
from datetime import date, timedelta

import pytest
from playwright.sync_api import expect

from demokit.shop import LOGIN, PASSWORD

DAY = timedelta(days=1)


@pytest.fixture
def money(shop) -> None:
    """A contract on an account of its own: 50.00 wait since ten days, 100.00 since today, 30.00 were paid."""
    client = shop.client
    group = client.one("ir.model.data", [("name", "=", "group_card_settlement")], ["res_id"])["res_id"]
    client.write("res.users", [client.uid], {"group_ids": [(4, group)]})
    waits = client.create(
        "account.account",
        {"code": "511599", "name": "Cards to Collect", "account_type": "asset_current", "reconcile": True},
    )
    client.create("card.contract", {"name": "Live Cards", "outstanding_account_id": waits})
    journal = client.one("account.journal", [("type", "=", "bank")], ["id", "default_account_id"])
    bank, today = journal["default_account_id"][0], date.today()  # noqa: DTZ011 - the shop is on this machine
    for ago, amount in ((10, 50.0), (0, 100.0), (6, 30.0), (2, -30.0)):
        move = client.create(
            "account.move",
            {
                "journal_id": journal["id"],
                "date": (today - ago * DAY).isoformat(),
                "line_ids": [
                    (0, 0, {"account_id": waits, "balance": amount, "name": f"money {amount}"}),
                    (0, 0, {"account_id": bank, "balance": -amount, "name": "bank"}),
                ],
            },
        )
        client.call("account.move", "action_post", [move])
    lines = client.read("account.move.line", [("account_id", "=", waits)], ["id", "balance"])
    client.call("account.move.line", "reconcile", [line["id"] for line in lines if abs(line["balance"]) == 30])


@pytest.mark.usefixtures("money")
def test_an_accountant_looks_clicks_and_takes_a_file(shop, page):
    page.goto(f"{shop.server.url}/web/login")
    page.fill("input[name=login]", LOGIN)
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    expect(page.locator(".o_main_navbar")).to_be_visible()

    page.goto(f"{shop.server.url}/odoo/action-pos_card_terminal.action_card_dashboard")
    card = page.locator(".o_kanban_record", has_text="Live Cards")
    expect(card.locator("[name=open_amount]")).to_contain_text("150.00")
    expect(card.locator("[name=late_amount]")).to_contain_text("50.00")
    expect(card.locator("canvas")).to_be_visible()

    card.get_by_text("Late", exact=True).click()
    expect(page.locator(".o_graph_renderer canvas")).to_be_visible()
    page.locator(".o_switch_view.o_list").click()
    expect(page.locator(".o_data_row")).to_have_count(1)
    expect(page.locator(".o_data_row")).to_contain_text("money 50.0")

    page.goto(f"{shop.server.url}/odoo/action-pos_card_terminal.action_card_ledger_export")
    form = page.locator(".o_form_view")
    expect(form).to_contain_text("511599")
    expect(form).to_contain_text("every posted journal item on the accounts of card money")
    with page.expect_download() as download:
        page.locator("button[name=action_export]").click()
    assert re.fullmatch(r"card_journal_\d{4}-\d\d-\d\d_\d{4}-\d\d-\d\d\.xlsx", download.value.suggested_filename)
    with zipfile.ZipFile(download.value.path()) as book:
        told = book.read("xl/sharedStrings.xml").decode()
    assert "511599" in told
    assert "money 100.0" in told
