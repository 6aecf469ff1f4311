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

from demokit.pairing import wait_for_configuration
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

    @property
    def package(self) -> Path:
        return self.folder / "card-terminal.pyz"

    def is_refusing(self, package: Path) -> bool:
        """Whether the driver here says that it sells nothing."""
        return bool(json.loads(self.good(package, "status", "--json"))["status"] == "refusing")

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
    program: Program
    driver_id: int
    used_code: str
    pressed: int

    def driver(self, *fields: str) -> dict[str, Any]:
        return self.counter.shop.client.one("card.terminal.driver", [("id", "=", self.driver_id)], list(fields))

    def code(self, driver: int) -> str:
        """Press the button of a driver's form, and return the code of the line it shows."""
        action = self.counter.shop.client.call("card.terminal.driver", "action_connect", [driver])
        return str(action["context"]["card_code"])

    def pair(self, code: str, machine: Machine) -> subprocess.CompletedProcess[str]:
        return machine.run(self.machine.package, "pair", self.counter.shop.server.url, code, "--replace")


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
    with machine.driver(port) as program, Terminal() as terminal:
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
        wait_for_configuration(client, driver)
        counter = Counter(shop, config, "Bar", [terminal], [uuid])
        yield Connected(counter, machine, program, driver, words.split()[2], 3)
        for opened in counter.contexts:
            opened.close()
    context.close()


def test_the_first_sale(connected: Connected) -> None:
    checker = Checker(connected.counter)
    paid_by_card(connected.counter.till(), checker)
    assert checker.charges() == [PRICE]
    assert connected.pressed == 3


@pytest.fixture
def other_machine(tmp_path: Path) -> Machine:
    """Another PC, which nobody has connected yet."""
    return Machine(tmp_path)


@pytest.fixture
def spare_driver(connected: Connected) -> int:
    """A driver in Odoo that no machine is paired as."""
    return int(connected.counter.shop.client.create("card.terminal.driver", {"name": "Spare PC"}))


def test_a_code_is_spent(connected: Connected) -> None:
    url = connected.counter.shop.server.url
    refused = connected.machine.run("card-terminal.pyz", "pair", url, "AAAA-AAAA")
    assert (refused.returncode, "paired already" in refused.stderr) == (1, True)
    again = connected.pair(connected.used_code, connected.machine)
    assert (again.returncode, "this code is wrong" in again.stderr) == (1, True)


def test_five_wrong_tries_end_a_code(connected: Connected, spare_driver: int, other_machine: Machine) -> None:
    code = connected.code(spare_driver)
    wrong = code[:-1] + ("2" if code[-1] != "2" else "3")
    for _ in range(5):
        assert "this code is wrong" in connected.pair(wrong, other_machine).stderr
    assert "this code is wrong" in connected.pair(code, other_machine).stderr
    assert "Paired with" in connected.pair(connected.code(spare_driver), other_machine).stdout


def test_a_code_ends_after_five_minutes(connected: Connected, spare_driver: int, other_machine: Machine) -> None:
    shop, code = connected.counter.shop, connected.code(spare_driver)
    ends = "UPDATE card_terminal_pairing SET expires = expires - interval '%s seconds' WHERE used_at IS NULL"
    shop.postgres.query(ends % 301, database=shop.database)
    assert "this code is wrong" in connected.pair(code, other_machine).stderr
    assert not (other_machine.state / "driver.toml").exists()


def test_what_odoo_offers_is_what_runs(connected: Connected) -> None:
    machine = connected.machine
    assert "is in use already" in machine.good("card-terminal.pyz", "upgrade")
    assert "no version before this one" in machine.run("card-terminal.pyz", "rollback").stderr
    assert connected.driver("update_state")["update_state"] == "current"
    shown = machine.good("card-terminal.pyz", "install", "--user", "--print")
    assert str(machine.state / "program" / "supervisor.py") in shown
    assert "uninstall" not in machine.good("card-terminal.pyz", "uninstall", "--user", "--print")


def test_the_key_changes_while_the_shop_sells(connected: Connected) -> None:
    checker, till = Checker(connected.counter), connected.counter.till()
    charged = len(checker.charges())
    connected.counter.shop.client.call("card.terminal.driver", "action_rotate_key", [connected.driver_id])
    wait_until(lambda: not connected.driver("next_key_rides")["next_key_rides"], "the new key's first use")
    sell(till)
    expect(till.receipt).to_be_visible()
    assert len(checker.charges()) == charged + 1


def test_a_pc_that_breaks_while_a_customer_pays_is_replaced(
    connected: Connected, spare_driver: int, other_machine: Machine
) -> None:
    counter, client = connected.counter, connected.counter.shop.client
    checker, terminal = Checker(counter), counter.terminal
    charged = len(checker.charges())
    terminal.card_presented.clear()
    till = counter.till()
    sell(till)
    wait_until(lambda: "sent" in [t["state"] for t in checker.transactions()], "Odoo to hear of the sale")
    connected.program.kill()
    terminal.card_presented.set()

    port = claim(0, "the driver")
    client.write("card.terminal.driver", [spare_driver], {"url": f"http://127.0.0.1:{port}"})
    assert "Paired with" in connected.pair(connected.code(spare_driver), other_machine).stdout
    other_machine.good(connected.machine.package, "install", "--no-service")
    with other_machine.driver(port):
        is_there = [("id", "=", spare_driver), ("last_seen", "!=", False)]
        wait_until(lambda: client.call("card.terminal.driver", "search_count", is_there), "the new PC to be there")
        wizard = client.create("card.driver.replace", {"old_id": connected.driver_id, "new_id": spare_driver})
        client.call("card.driver.replace", "action_replace", [wizard])
        (left,) = [t for t in checker.transactions() if t["state"] == "unknown"]
        assert (left["code"], left["exception"], left["needs_attention"]) == ("driver_replaced", "unknown", True)
        wait_for_configuration(client, spare_driver)
        expect(till.card("unknown")).to_be_visible()
        till.dismiss(till.question)
        till.pay_with("Cash")
        till.dismiss(till.alert("The order is frozen"))
        till.page.locator(".card-terminal-park").click()
        expect(till.page.locator(".product-screen")).to_be_visible()

        till.reload()  # the till learns of its new driver
        if till.payment_screen.is_visible():
            till.page.locator(".card-terminal-park").click()
        sell(till)
        till.question.locator(".answer-park").click()  # the open question comes first
        expect(till.receipt).to_be_visible()
        assert len(checker.charges()) == charged + 2
        assert checker.requests() == len(checker.charges())

        client.call("card.terminal.driver", "action_revoke", [spare_driver])
        wait_until(
            lambda: other_machine.is_refusing(connected.machine.package), "the new PC to hear that it is revoked"
        )
        till.next_order()
        sell(till)
        till.question.locator(".answer-park").click()
        expect(till.card("failed")).to_be_visible()
        assert checker.requests() == charged + 2


def test_the_old_pc_that_comes_back_sells_nothing_and_says_why(connected: Connected) -> None:
    machine = connected.machine
    with connected.program:
        wait_until(lambda: machine.is_refusing(machine.package), "the driver to hear of it")
        said = machine.run("card-terminal.pyz", "doctor")
        assert "Another card driver has taken this one's place" in said.stdout
