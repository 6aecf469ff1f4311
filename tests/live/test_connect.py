"""From a point of sale without cards to its first sale, the way a shop goes: a button, a line, an address.

Odoo, browser, driver and terminal are real; only systemd is left out, because it belongs to the machine.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from checker import Checker
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as TookTooLong
from scenes import PRICE, paid_by_card, sell
from shopfloor import Counter, Shop, Terminal

from demokit.processes import Program, wait_until
from demokit.shop import LOGIN, PASSWORD
from kit.ports import claim

COMMAND = re.compile(r"curl -fsSLO (\S+) && python3 (card-terminal\.pyz) (pair \S+ [0-9A-Z]{4}-[0-9A-Z]{4}) --install")


@dataclass
class Machine:
    """A till PC with nothing on it but Python."""

    folder: Path

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def run(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *map(str, words), "--state", str(self.state)]
        return subprocess.run(command, capture_output=True, text=True, cwd=self.folder, timeout=120, check=False)

    def good(self, *words: str | Path) -> str:
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    @contextmanager
    def driver(self, port: int) -> Iterator[Program]:
        words = [sys.executable, str(self.state / "program" / "supervisor.py"), "serve"]
        with Program("the driver", words, self.folder / "log", f"http://127.0.0.1:{port}/v1/health") as program:
            yield program


@dataclass
class Connected:
    """The till that was connected."""

    counter: Counter
    machine: Machine
    driver_id: int
    pressed: int

    def driver(self, *fields: str) -> dict[str, Any]:
        return self.counter.shop.client.one("card.terminal.driver", [("id", "=", self.driver_id)], list(fields))


def log_in(page: Page, url: str) -> None:
    page.goto(f"{url}/web/login")
    page.fill("input[name=login]", LOGIN)
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url("**/odoo**")


@pytest.fixture(scope="module")
def connected(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connected]:
    """Walk the way; all its steps are here."""
    client = shop.client
    journal = client.create("account.journal", {"name": "Cash Bar", "type": "cash", "code": "CSHB"})
    cash = client.create("pos.payment.method", {"name": "Cash", "journal_id": journal})
    config = client.create("pos.config", {"name": "Bar", "payment_method_ids": [(6, 0, [cash])]})
    machine, port = Machine(tmp_path_factory.mktemp("till")), claim(0, "the driver")
    context = shop.browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    page = context.new_page()
    log_in(page, shop.server.url)
    page.goto(f"{shop.server.url}/odoo/pos.config/{config}")
    # 1. the button
    page.get_by_role("button", name="Connect This Till").click()
    dialog = page.locator(".modal")
    line = dialog.locator("[name=command]").first
    expect(line).to_contain_text("card-terminal.pyz")
    driver = client.id_of("card.terminal.driver", [("name", "=", "Bar")])
    client.write("card.terminal.driver", [driver], {"url": f"http://127.0.0.1:{port}"})  # others run on this machine
    # 2. the line
    found = COMMAND.fullmatch(line.inner_text().strip())
    assert found, line.inner_text()
    fetched, name, words = found.groups()
    (machine.folder / name).write_bytes(client.download(fetched.removeprefix(shop.server.url)))
    assert "Paired with" in machine.good(name, *words.split())
    assert "Keep this running" in machine.good(name, "install", "--no-service")
    with machine.driver(port), Terminal() as terminal:
        wait_until(lambda: client.one("card.terminal.driver", [("id", "=", driver)], ["has_key"])["has_key"], "contact")
        # 3. the terminal's address
        dialog.locator("[name=host] input").fill("127.0.0.1")
        dialog.locator("[name=port] input").fill(str(terminal.port))
        dialog.get_by_role("button", name="Look Again").last.click()
        expect(dialog).to_contain_text("The driver is here")
        page.screenshot(path=machine.folder / "page.png")
        done = dialog.get_by_role("button", name="Done")
        while dialog.is_visible():  # the page is opened anew after a look
            with suppress(TookTooLong):
                done.click(timeout=2000)
        uuid = client.one("card.terminal", [("driver_id", "=", driver)], ["uuid"])["uuid"]
        numbers = ["configuration_number", "configuration_reported"]
        wait_until(
            lambda: (
                len(set(list(client.one("card.terminal.driver", [("id", "=", driver)], numbers).values())[-2:])) == 1
            ),
            "the configuration",
        )
        counter = Counter(shop, config, "Bar", [terminal], [uuid])
        yield Connected(counter, machine, driver, 3)
        for opened in counter.contexts:
            opened.close()
    context.close()


def test_the_first_sale(connected: Connected) -> None:
    checker = Checker(connected.counter)
    paid_by_card(connected.counter.till(), checker)
    assert checker.charges() == [PRICE]
    assert connected.pressed == 3


def test_a_code_is_spent(connected: Connected) -> None:
    shop, machine = connected.counter.shop, connected.machine
    again = machine.run("card-terminal.pyz", "pair", shop.server.url, "AAAA-AAAA", "--replace")
    assert (again.returncode, "this code is wrong" in again.stderr) == (1, True)
    assert "paired already" in machine.run("card-terminal.pyz", "pair", shop.server.url, "AAAA-AAAA").stderr


def test_what_odoo_offers_is_what_runs(connected: Connected) -> None:
    assert "is in use already" in connected.machine.good("card-terminal.pyz", "upgrade")
    assert connected.driver("update_state")["update_state"] == "current"


def test_the_key_changes_while_the_shop_sells(connected: Connected) -> None:
    checker, till = Checker(connected.counter), connected.counter.till()
    charged = len(checker.charges())
    connected.counter.shop.client.call("card.terminal.driver", "action_rotate_key", [connected.driver_id])
    wait_until(lambda: not connected.driver("next_key_rides")["next_key_rides"], "the new key's first use")
    sell(till)
    expect(till.receipt).to_be_visible()
    assert len(checker.charges()) == charged + 1


def test_a_retired_driver_sells_nothing_and_says_why(connected: Connected) -> None:
    client, machine = connected.counter.shop.client, connected.machine
    client.call("card.terminal.driver", "action_retire", [connected.driver_id])

    def refusing() -> bool:
        health = json.loads(machine.good("card-terminal.pyz", "status", "--json"))
        return bool(health["status"] == "refusing")

    wait_until(refusing, "the driver to hear of it")
    said = machine.run("card-terminal.pyz", "doctor")
    assert "Another card driver has taken this one's place" in said.stdout
