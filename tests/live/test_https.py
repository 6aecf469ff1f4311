"""Odoo on the internet, behind TLS, and the driver on the till: what the browser asks, allows and refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from scenes import PRICE, sell
from shopfloor import PATIENCE
from tls_proxy import NAME, tls_proxy

from demokit.pairing import wait_for_configuration
from demokit.shop import LOGIN, PASSWORD
from demokit.till import VIEWPORT, Till
from kit.ports import claim

PERMISSION = "local-network-access"
OpenTill = Callable[..., Till]


@pytest.fixture(scope="module")
def public_address(shop) -> Iterator[tuple[str, int]]:
    """The address under which the internet knows this Odoo; the driver lets its pages in."""
    port = claim(0, "the TLS proxy")
    with tls_proxy(shop.server.port, port, shop.folder) as url:
        # Odoo takes the address of an administrator's login for its own; the other tests' tills come from another one.
        shop.client.call("ir.config_parameter", "set_param", "web.base.url.freeze", "True")
        shop.client.write("card.terminal.driver", [shop.driver_id], {"origins": url})
        wait_for_configuration(shop.client, shop.driver_id)
        yield url, port
        shop.client.write("card.terminal.driver", [shop.driver_id], {"origins": False})
        wait_for_configuration(shop.client, shop.driver_id)


@pytest.fixture(scope="module")
def internet_browser(workplace, browser, public_address) -> Iterator[Any]:
    """A browser for which the proxy is a machine on the internet, and 127.0.0.1 is itself."""
    rules = [
        f"--host-resolver-rules=MAP {NAME} 127.0.0.1",
        f"--ip-address-space-overrides=127.0.0.1:{public_address[1]}=public",
        "--ignore-certificate-errors",  # the service worker's script is fetched outside of Playwright's contexts
    ]
    launched = browser.browser_type.launch(executable_path=str(workplace.chromium), args=rules)
    yield launched
    launched.close()


@pytest.fixture
def open_till(counter, internet_browser, public_address) -> Iterator[OpenTill]:
    """Opens the counter's till from the internet; `permissions` are what the user allowed before."""
    contexts = []

    def open_it(permissions: list[str] | None = None) -> Till:
        context = internet_browser.new_context(viewport=VIEWPORT, locale="en-GB")
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        if permissions is not None:
            context.grant_permissions(permissions)
        till = Till(context.new_page(), public_address[0], counter.config)
        till.open(LOGIN, PASSWORD)
        return till

    yield open_it
    for context in contexts:
        context.close()


def calls_to_driver(page: Page, driver_url: str) -> list[str]:
    """What the page asks of the driver from now on."""
    calls: list[str] = []
    page.on("request", lambda request: calls.append(request.url) if request.url.startswith(driver_url) else None)
    return calls


def finding(till: Till, part: str) -> Any:
    """A line of the diagnostics page, which this opens."""
    till.menu("Card terminal diagnostics")
    return till.page.locator(f".card-terminal-diagnostics [data-part={part}]")


def test_allowed_before_a_sale_goes_straight_to_the_driver(open_till, counter, checker):
    till = open_till([PERMISSION])
    calls = calls_to_driver(till.page, counter.shop.driver_url)
    sell(till)
    expect(till.receipt).to_be_visible()
    assert any("/v1/transactions/" in call for call in calls)
    assert checker.charges() == [PRICE]
    checker.wait_for_evidence("matched")


def test_the_browser_asks_only_after_the_till_has_said_why(open_till, counter, checker):
    till = open_till()
    calls = calls_to_driver(till.page, counter.shop.driver_url)
    sell(till)
    explanation = till.page.locator(".card-terminal-local-access")
    expect(explanation).to_contain_text("Your browser now asks")
    expect(explanation).to_contain_text(counter.shop.driver_url)
    assert calls == []
    till.page.context.grant_permissions([PERMISSION])
    explanation.locator(".card-terminal-allow").click()
    expect(till.receipt).to_be_visible()
    assert checker.charges() == [PRICE]

    till.next_order()
    sell(till)
    expect(till.receipt).to_be_visible()  # without another word
    assert checker.charges() == [PRICE, PRICE]


def test_refused_by_the_user_the_till_says_so_and_how_to_undo_it(open_till, counter, checker):
    till = open_till(["geolocation"])  # whatever is not granted is denied
    direct = finding(till, "direct")
    expect(direct).to_have_attribute("data-code", "denied")
    expect(direct).to_contain_text("open the site's settings")
    till.dismiss(till.page.locator(".card-terminal-diagnostics"))
    assert checker.requests() == 0


def test_refused_by_the_user_payments_go_through_odoo(open_till, counter, checker):
    till = open_till(["geolocation"])
    calls = calls_to_driver(till.page, counter.shop.driver_url)
    sell(till)
    expect(till.receipt).to_be_visible()
    assert calls == []
    assert checker.charges() == [PRICE]
    checker.wait_for_evidence("matched")
