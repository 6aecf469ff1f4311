"""The cashier: Odoo's own point of sale in a real browser, driven by what a person sees and clicks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Locator, Page, expect

VIEWPORT: Any = {"width": 1280, "height": 800}
SCREENS = ("product", "payment", "ticket", "receipt")
LOAD = 60_000
"""Milliseconds for a page of Odoo to appear on a slow machine; everything else has Playwright's own patience."""


@dataclass(frozen=True, slots=True)
class Words:
    """What is written on the till where nothing else tells its parts: the card's method, the menu's last entry."""

    card: str = "Card"
    close_register: str = "Close Register"


ENGLISH = Words()


def launch(playwright: Any, executable: object) -> Browser:
    """Start the browser that cashier and cardholder share."""
    browser: Browser = playwright.chromium.launch(
        executable_path=str(executable), handle_sigint=False, args=["--headless"]
    )
    return browser


class Till:
    """One browser tab on one point of sale.

    >>> till = Till(page, "http://127.0.0.1:8069", 1)
    >>> till.open("admin", "admin")
    >>> till.add("Baguette")
    >>> till.pay_with("Card")
    """

    def __init__(self, page: Page, url: str, config: int, words: Words = ENGLISH) -> None:
        self.page = page
        self.url = url
        self.config = config
        self.words = words

    # Opening ------------------------------------------------------------------------------------------------------

    def open(self, login: str = "", password: str = "") -> None:
        """Log in where Odoo asks for it, open the register where it is closed, and wait for the products."""
        self.page.goto(f"{self.url}/pos/ui/{self.config}", wait_until="commit")
        form = self.page.locator("form.oe_login_form input[name=login]")
        ready = self.page.locator(", ".join(f".pos .{name}-screen" for name in SCREENS))
        register = self.page.locator(".screen-login .open-register-btn")
        expect(form.or_(register).or_(ready).first).to_be_visible(timeout=LOAD)
        if form.is_visible():
            form.fill(login)
            self.page.locator("input[name=password]").fill(password)
            self.page.locator("form.oe_login_form button[type=submit]").click()
            expect(register.or_(ready).first).to_be_visible(timeout=LOAD)
        if register.is_visible():
            register.click()
        expect(ready.first).to_be_visible(timeout=LOAD)
        # Asked over the products, a moment after they are there.
        if self.page.evaluate("window.posmodel.session.state") == "opening_control":
            asked = self.page.locator(".modal", has=self.page.locator(".opening-notes"))
            asked.locator(".modal-footer .btn-primary").click(timeout=LOAD)
            expect(asked).to_be_hidden(timeout=LOAD)

    def reload(self) -> None:
        """Press the browser's reload button, in the middle of whatever goes on."""
        self.page.reload(wait_until="commit")
        self.open()

    # Selling ------------------------------------------------------------------------------------------------------

    def add(self, product: str) -> None:
        """Put one of a product into the order."""
        self.page.locator("article.product", has_text=product).first.click()
        expect(self.page.locator(".order-container .orderline", has_text=product).first).to_be_visible()

    def to_payment(self) -> None:
        """Go from the products to the payment screen."""
        self.page.locator(".product-screen .pay-order-button").click()
        expect(self.payment_screen).to_be_visible()

    def pay_by_card(self) -> None:
        """Press the card's payment method."""
        self.pay_with(self.words.card)

    def pay_with(self, method: str) -> None:
        """Press a payment method on the payment screen."""
        self.page.locator(".paymentmethods .paymentmethod", has_text=re.compile(rf"^\s*{method}\b")).first.click()

    def validate(self) -> None:
        """Press Validate."""
        self.page.locator(".payment-screen .validation-button.next").first.click()

    def next_order(self) -> None:
        """Leave the receipt for a new order."""
        self.page.locator(".receipt-screen .button.next[name=done], .feedback-screen").first.click()
        expect(self.page.locator(".product-screen")).to_be_visible()

    def menu(self, entry: str) -> None:
        """Choose an entry of the menu at the top right."""
        self.page.locator(".pos-rightheader button:has(.fa-bars)").click()
        self.page.locator(".pos-burger-menu-items .dropdown-item", has_text=entry).click()

    def ask_to_close(self) -> None:
        """Count the cash and press Close Register; Odoo may refuse."""
        self.menu(self.words.close_register)
        popup = self.page.locator(".close-pos-popup")
        expect(popup).to_be_visible()
        popup.locator(".fa-clone").first.click()
        popup.locator(".modal-footer .btn-primary").first.click()

    def close_register(self) -> None:
        """Close the session; Odoo then offers to open the next one."""
        self.ask_to_close()
        expect(self.page.locator(".screen-login")).to_be_visible(timeout=LOAD)

    def retry(self) -> None:
        """Start another attempt after one that charged nothing."""
        self.page.locator(".card-terminal-retry").click()

    def show_order(self, reference: str) -> None:
        """Find an order under Orders and go on with it."""
        self.page.locator(".pos-leftheader .orders-button").click()
        self.page.locator(".ticket-screen .order-row", has_text=reference).first.click()
        self.page.locator(".ticket-screen .load-order-button").click()
        expect(self.payment_screen).to_be_visible()

    # What is to be seen -------------------------------------------------------------------------------------------

    @property
    def payment_screen(self) -> Locator:
        return self.page.locator(".pos .payment-screen")

    @property
    def receipt(self) -> Locator:
        return self.page.locator(".receipt-screen .pos-receipt").first

    def card(self, state: str) -> Locator:
        """What is said of a card payment in this state (docs/api.md: sent, approved, declined, unknown …)."""
        return self.page.locator(f".card-terminal-line[data-state={state}]")

    @property
    def question(self) -> Locator:
        """The dialog that asks what the terminal's slip says."""
        return self.page.locator(".card-terminal-unknown")

    def alert(self, title: str) -> Locator:
        """A dialog with this title."""
        return self.page.locator(".modal-dialog", has=self.page.locator(".modal-title", has_text=title))

    def dismiss(self, dialog: Locator) -> None:
        """Close a dialog by its last button."""
        dialog.locator(".modal-footer button").last.click()
        expect(dialog).to_be_hidden()
