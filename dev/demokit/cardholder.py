"""The cardholder: a person before the web face of a virtual terminal, in a real browser."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

PIN = "1234"
VIEWPORT = {"width": 1280, "height": 860}


class Cardholder:
    """Looks at the display, presents cards and presses keys.

    >>> cardholder = Cardholder(page, "http://127.0.0.1:8889")
    >>> cardholder.open()
    >>> cardholder.pay("contactless")
    """

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url

    def open(self) -> None:
        """Step before the terminal."""
        self.page.goto(self.url)
        expect(self.screen("idle")).to_be_visible()

    def screen(self, phase: str) -> Locator:
        """The display while it shows a phase: idle, card, pin, authorising, approved, declined, cancelled."""
        return self.page.locator(f"#screen[data-phase={phase}]")

    def pay(self, card: str) -> None:
        """Present a card and wait for the terminal's word."""
        self.present(card)
        expect(self.screen("approved")).to_be_visible()

    def present(self, card: str) -> None:
        """Present a card when the terminal asks for one; type the PIN where it wants it."""
        expect(self.screen("card")).to_be_visible()
        self.page.locator(f"#cards [data-card={card}]").click()
        expect(self.page.locator("#screen:not([data-phase=card])")).to_be_visible()
        if self.screen("pin").is_visible():
            for key in (*PIN, "green"):
                self.press(key)

    def go_wrong(self, fault: str) -> None:
        """Let something go wrong at the next payment."""
        row = self.page.locator(f"#faults [data-fault={fault}]")
        row.locator("[data-mode=once]").click()
        expect(row).to_have_attribute("data-mode", "once")

    def press(self, key: str) -> None:
        """Press a key: a digit, green, yellow or red."""
        self.page.locator(f"#keypad [data-key='{key}']").click()
