"""Four weeks of card money behind a demo (demokit/month.py), and the pages on which an accountant looks at it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from demokit import month
from demokit.sale import people, photograph
from demokit.shop import LOGIN, PASSWORD
from demokit.stage import Stage
from kit.progress import Progress
from kit.setup import Workplace

WIDE: Any = {"width": 1400, "height": 620}
PAGES = {
    "dashboard": ("action_card_dashboard", ".o_kanban_record canvas"),
    "payouts": ("action_card_match", ".o_data_row"),
    "batches": ("action_card_batch_matrix", ".o_graph_renderer canvas"),
}
"""Picture: page, and what is on it once it is there."""


def fill(stage: Stage) -> None:
    """Trade for four weeks."""
    with Progress("Filling the books of four weeks"):
        folder = str(Path(month.__file__).parent.parent)
        stage.server.run_inside(
            f"import sys; sys.path.append({folder!r})\nfrom demokit.month import trade\ntrade(env)\n"
        )


def photograph_books(workplace: Workplace, stage: Stage, pictures: Path) -> None:
    """Take pictures of the accountant's pages, and of one payout."""
    with people(workplace) as context, Progress("Photographing the books"):
        page = context.new_page()
        page.set_viewport_size(WIDE)
        page.goto(f"{stage.server.url}/web/login")
        page.fill("input[name=login]", LOGIN)
        page.fill("input[name=password]", PASSWORD)
        page.click("button[type=submit]")
        expect(page.locator(".o_main_navbar")).to_be_visible()
        for name, (action, there) in PAGES.items():
            page.goto(f"{stage.server.url}/odoo/action-pos_card_terminal.{action}")
            expect(page.locator(there).first).to_be_visible()
            photograph(page, pictures / f"{name}.png")
        page.goto(f"{stage.server.url}/odoo/action-pos_card_terminal.action_card_match")
        page.locator(".o_data_row").first.locator("td.o_data_cell").nth(1).click()
        expect(page.locator(".o_form_view .oe_title")).to_be_visible()
        photograph(page, pictures / "payout.png")
