"""One sale, played by a headless browser: cashier in the real point of sale, cardholder before the virtual terminal."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from demokit import till as tills
from demokit.cardholder import Cardholder
from demokit.shop import LOGIN, PASSWORD
from demokit.stage import Stage
from kit.progress import Progress
from kit.setup import Workplace

PATIENCE = 30_000
expect.set_options(timeout=PATIENCE)
WHOLE_RECEIPT: Any = {"width": 1280, "height": 1150}
BACK_OFFICE: Any = {"width": 1750, "height": 460}
SCALE = 2
"""Pixels of a picture per pixel of the page."""
COLOURS = 128
"""In a picture: it stays small."""


@contextmanager
def people(workplace: Workplace) -> Iterator[BrowserContext]:
    """A browser for both; everything they see is theirs together, as if they stood at the same counter."""
    with sync_playwright() as playwright:
        browser: Browser = tills.launch(playwright, workplace.chromium)
        with browser.new_context(viewport=tills.VIEWPORT, device_scale_factor=SCALE, locale="en-GB") as context:
            context.set_default_timeout(PATIENCE)
            try:
                yield context
            except KeyboardInterrupt:
                logging.disable()  # Playwright would log the answers that nobody waits for any more
                raise
        browser.close()


def play(stage: Stage, context: BrowserContext, pictures: Path) -> None:
    """Sell the country's basket by card."""
    with Progress("Playing a sale") as progress:
        cardholder = Cardholder(context.new_page(), stage.face)
        cardholder.open()
        till = stage.till(context.new_page())
        progress.update(0.1, "opening the register")
        till.open(LOGIN, PASSWORD)
        progress.update(0.6, "ringing up")
        for product in stage.country.basket:
            till.add(product)
        till.to_payment()
        till.pay_by_card()
        expect(cardholder.screen("card")).to_be_visible()
        expect(till.card("sent")).to_be_visible()
        progress.update(0.7, "waiting for the card")
        photograph(till.page, pictures / "pos-waiting.png")
        cardholder.pay(stage.terminal.card)
        photograph(cardholder.page, pictures / "virtual-terminal.png")
        progress.update(0.9, "receipt")
        expect(till.receipt).to_be_visible()
        till.page.set_viewport_size(WHOLE_RECEIPT)
        photograph(till.page, pictures / "receipt.png")
        till.page.set_viewport_size(tills.VIEWPORT)
        till.next_order()


def close_register(stage: Stage, context: BrowserContext) -> None:
    """Close the session, as the cashier does in the evening."""
    with Progress("Closing the register"):
        till = stage.till(context.new_page())
        till.open()
        till.close_register()


def photograph_unknown(workplace: Workplace, stage: Stage, pictures: Path) -> None:
    """Lose a terminal's answer, and take a picture of what the till asks then."""
    with people(workplace) as context, Progress("Losing an answer"):
        cardholder = Cardholder(context.new_page(), stage.face)
        cardholder.open()
        cardholder.go_wrong("lost")
        till = stage.till(context.new_page())
        till.open(LOGIN, PASSWORD)
        till.add(stage.country.basket[0])
        till.to_payment()
        till.pay_by_card()
        cardholder.present(stage.terminal.card)
        expect(till.question).to_be_visible(timeout=tills.LOAD)
        photograph(till.page, pictures / "unknown.png")


def photograph_transactions(stage: Stage, context: BrowserContext, pictures: Path) -> None:
    """Take a picture of the list of card transactions in the back office."""
    page = context.new_page()
    page.set_viewport_size(BACK_OFFICE)
    page.goto(f"{stage.server.url}/odoo/action-pos_card_terminal.action_card_transaction")
    expect(page.locator(".o_list_view .o_data_row").first).to_be_visible()
    photograph(page, pictures / "transactions.png")


def photograph(page: Page, path: Path) -> None:
    """Take a picture once everything that moves has come to rest."""
    page.screenshot(path=path, animations="disabled")
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
