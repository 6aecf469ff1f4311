"""Backups are put back, machines replaced, databases copied: every charge is in Odoo once, or is a question for people.

Sales are made over the driver's API, as a till makes them; where the till's own memory counts, in a browser.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any
from uuid import uuid4

import pytest
from caller import Caller, open_session, session_grant
from checker import Checker
from playwright.sync_api import expect
from scenes import PRICE, lose_answer, sell
from shopfloor import Counter, Shop, open_shop

from demokit.client import OdooClient, OdooError
from demokit.pairing import wait_for_configuration
from demokit.processes import wait_until
from demokit.shop import LOGIN, PASSWORD
from kit.database import clone, drop
from kit.errors import SetupError
from kit.server import OdooServer

JOURNAL = "journal.sqlite*"


@pytest.fixture(scope="module")
def shop(workplace, postgres, browser) -> Iterator[Shop]:
    """A shop of this file's own: what happens to it would surprise other tests."""
    with open_shop(workplace, postgres, browser) as shop:
        yield shop


@dataclass
class Yesterday:
    """A backup of the shop: a copy of Odoo's database, and one of the driver's folder."""

    shop: Shop
    database: str
    folder: Path

    def put_back_database(self) -> None:
        shop = self.shop
        shop.server.stop()
        drop(shop.workplace, shop.postgres, shop.database)
        clone(shop.workplace, shop.postgres, self.database, shop.database)

    def put_back_journal(self) -> None:
        remove_journal(self.shop)
        for part in self.folder.glob(JOURNAL):
            shutil.copy(part, self.shop.folder)


@pytest.fixture
def take_backup(shop: Shop) -> Iterator[Any]:
    made: list[Yesterday] = []

    def take() -> Yesterday:
        """Copy database and folder; server and driver run again afterwards."""
        name = f"card_yesterday_{os.getpid()}_{token_hex(4)}"
        folder = shop.workplace.cache.path("live", name)
        shop.driver.stop()
        shop.server.stop()
        clone(shop.workplace, shop.postgres, shop.database, name)
        shutil.copytree(shop.folder, folder)
        made.append(Yesterday(shop, name, folder))
        shop.server.start()
        shop.driver.start()
        return made[-1]

    yield take
    for backup in made:
        drop(shop.workplace, shop.postgres, backup.database)
        shutil.rmtree(backup.folder)


def remove_journal(shop: Shop) -> None:
    """Kill the driver and take its journal away."""
    shop.driver.kill()
    for part in shop.folder.glob(JOURNAL):
        part.unlink()


class ApiTill:
    """A till without a browser: it has its session's grant and presses Card over the driver's API."""

    def __init__(self, counter: Counter) -> None:
        self.counter, self.checker = counter, Checker(counter)
        self.call = Caller(counter.shop, session_grant(counter, open_session(counter)))

    def press(self, amount: int) -> str:
        """Start a sale and return its uuid."""
        uuid = str(uuid4())
        answer = self.call("PUT", f"/v1/transactions/{uuid}", self.call.transaction(self.counter, amount=amount))
        assert answer.status == 201, answer
        return uuid

    def sell(self, amount: int) -> str:
        """Sell, and return the uuid once it is approved."""
        uuid = self.press(amount)
        wait_until(lambda: self.state(uuid) == "approved", "the approval")
        return uuid

    def state(self, uuid: str) -> str:
        return str(self.call("GET", f"/v1/transactions/{uuid}").body.get("state"))

    def in_odoo(self) -> dict[str, str]:
        """The states that Odoo has, by uuid."""
        return {row["uuid"]: row["state"] for row in self.checker.transactions()}

    def wait_for(self, states: dict[str, str]) -> None:
        """Wait until Odoo has exactly these; nothing that is not booked is without an exception."""
        try:
            wait_until(lambda: self.in_odoo() == states, "Odoo to have it all", 60)
        except SetupError:
            raise AssertionError(f"expected {states}, Odoo has {self.in_odoo()}") from None
        for row in self.checker.transactions():
            assert row["needs_attention"], row
            assert row["exception"] == ("unknown" if row["state"] == "unknown" else "approved_without_payment")


@pytest.fixture
def till(counter: Counter) -> ApiTill:
    return ApiTill(counter)


def alarm(shop: Shop) -> str:
    """What the driver's record in Odoo says to a manager."""
    (row,) = shop.client.call("card.terminal.driver", "read", [shop.driver_id], ["alarm"])
    return row["alarm"] or ""


def no_alarm_yet(shop: Shop) -> None:
    shop.client.call("card.terminal.driver", "action_clear_alarm", [shop.driver_id])
    assert alarm(shop) == ""


def test_the_drivers_journal_is_lost_in_the_middle_of_a_sale(shop, till):
    before = till.sell(101)
    till.counter.terminal.answer_let_out.clear()
    under_way = till.press(102)
    wait_until(lambda: 102 in till.checker.charges(), "the terminal to charge")
    wait_until(lambda: till.in_odoo().get(under_way) == "sent", "Odoo to hear of the sale")
    no_alarm_yet(shop)
    remove_journal(shop)
    till.counter.terminal.answer_let_out.set()
    shop.driver.start()
    till.wait_for({before: "approved", under_way: "unknown"})
    assert "another journal" in alarm(shop)
    after = till.sell(103)
    till.wait_for({before: "approved", under_way: "unknown", after: "approved"})
    assert till.checker.charges() == [101, 102, 103]
    assert till.checker.requests() == 3


def test_yesterdays_journal_is_told_whole_and_sells_on(shop, till, take_backup):
    before = till.sell(201)
    backup = take_backup()
    today = till.sell(202)
    till.wait_for({before: "approved", today: "approved"})
    no_alarm_yet(shop)
    backup.put_back_journal()
    shop.driver.start()
    wait_until(lambda: "another story" in alarm(shop), "the alarm")
    after = till.sell(203)
    till.wait_for({before: "approved", today: "approved", after: "approved"})
    assert till.checker.charges() == [201, 202, 203]


def test_yesterdays_journal_that_sold_before_odoo_could_object_tells_it_all(shop, till, take_backup):
    before = till.sell(301)
    backup = take_backup()
    today = [till.sell(amount) for amount in (302, 303, 304)]
    till.wait_for(dict.fromkeys([before, *today], "approved"))
    no_alarm_yet(shop)
    shop.server.kill()
    backup.put_back_journal()
    shop.driver.start()
    offline = till.sell(305)
    shop.server.start()
    till.wait_for(dict.fromkeys([before, *today, offline], "approved"))
    assert "another story" in alarm(shop)
    assert till.checker.charges() == [301, 302, 303, 304, 305]


def test_odoos_database_of_yesterday_is_told_today_again(shop, till, take_backup, new_counter):
    before = till.sell(401)
    till.wait_for({before: "approved"})
    backup = take_backup()
    today = till.sell(402)
    new_counter()  # the driver's configuration has a higher number than yesterday's Odoo
    till.wait_for({before: "approved", today: "approved"})
    backup.put_back_database()
    shop.server.start()
    till.wait_for({before: "approved", today: "approved"})
    wait_for_configuration(shop.client, shop.driver_id)
    after = till.sell(403)
    till.wait_for({before: "approved", today: "approved", after: "approved"})
    assert till.checker.charges() == [401, 402, 403]


def test_both_of_yesterday_and_the_till_remembers_what_it_sold_today(shop, counter, take_backup):
    """Nobody else does: the line it booked is an exception until a person has the terminal's own record."""
    checker = Checker(counter)
    counter.terminal.answer_let_out.clear()
    api = ApiTill(counter)
    open_yesterday = api.press(501)
    wait_until(lambda: api.in_odoo().get(open_yesterday) == "sent", "Odoo to hear of the sale")
    backup = take_backup()  # ends the sale's dialog: it is not known
    counter.terminal.answer_let_out.set()
    wait_until(lambda: api.in_odoo().get(open_yesterday) == "unknown", "Odoo to hear that it is not known")
    till = counter.till()
    shop.server.kill()
    sell(till)
    expect(till.receipt.or_(till.card("approved"))).to_be_visible()
    assert checker.charges() == [501, PRICE]
    backup.put_back_database()
    backup.put_back_journal()
    shop.server.start()
    shop.driver.start()
    wait_until(lambda: api.in_odoo().get(open_yesterday) == "unknown", "yesterday's question to be open again")
    till.reload()
    wait_until(checker.payments, "the till to send its order", 60)
    (payment,) = checker.payments()
    assert (payment["method"], float(payment["amount"])) == ("Card", 12.40)
    assert payment["card_evidence"] in ("pending", "exception")
    assert checker.requests() == 2


def test_the_till_is_replaced_and_its_open_question_is_there_on_the_new_one(shop, counter):
    lost = lose_answer(counter)
    no_alarm_yet(shop)
    lost.context.close()
    shop.driver.kill()
    for part in shop.folder.iterdir():
        if part.name != "driver.toml":
            shutil.rmtree(part) if part.is_dir() else part.unlink()
    shop.driver.start()
    wait_until(lambda: "another journal" in alarm(shop), "the alarm")
    wait_for_configuration(shop.client, shop.driver_id)
    lost.assert_nothing_charged_and_nothing_lost()
    counter.terminal.behaviour = "approve"
    till = counter.till()
    till.show_order(lost.order["pos_reference"])
    till.pay_with("Cash")
    till.dismiss(till.alert("The order is frozen"))
    lost.assert_nothing_charged_and_nothing_lost()


def test_a_copy_for_staging_charges_nobody(shop, till):
    """The copy is neutralized as Odoo does it; then it gives no grant, and believes no driver."""
    till.sell(701)
    name = f"card_staging_{os.getpid()}_{token_hex(4)}"
    shop.server.stop()
    try:
        clone(shop.workplace, shop.postgres, shop.database, name)
    finally:
        shop.server.start()
    try:
        with (Path(__file__).parents[2] / "data" / "neutralize.sql").open() as statements:
            shop.postgres.query(statements.read(), database=name)
        with OdooServer(shop.workplace, shop.postgres, name).running() as server:
            client = OdooClient(server.url, name, LOGIN, PASSWORD)
            session = client.id_of("pos.session", [("config_id", "=", till.counter.config), ("state", "!=", "closed")])
            try:
                given = client.call("pos.session", "card_terminal_grants", [session])
            except OdooError:
                given = []
            assert not any(entry.get("grant") for entry in given)
            seen = shop.postgres.query("SELECT last_seen FROM card_terminal_driver", database=name)
            toml = shop.folder / "driver.toml"
            paired = toml.read_text()
            shop.driver.stop()
            toml.write_text(paired.replace(shop.server.url, server.url).replace(shop.database, name))
            try:
                log, refused = shop.folder / "driver.log", "Odoo does not know this driver"
                before = log.read_text().count(refused)
                shop.driver.start()
                try:
                    wait_until(lambda: log.read_text().count(refused) > before, "the copy to refuse", 90)
                except SetupError:
                    raise AssertionError(log.read_text()[-1500:]) from None
            finally:
                shop.driver.stop()
                toml.write_text(paired)
                shop.driver.start()
            assert shop.postgres.query("SELECT last_seen FROM card_terminal_driver", database=name) == seen
    finally:
        drop(shop.workplace, shop.postgres, name)
    assert till.checker.charges() == [701]
