"""Pytest fixtures for tests/live: PostgreSQL, and a Chromium driven from outside.

`workplace`, `postgres`, `browser`: for the whole run. `page`: a new tab with no cookies for each test; a page that
logged an error to the console fails its test, but for those in `page_errors_expected`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from kit.postgres import Postgres
from kit.setup import Workplace

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage

PATIENCE = 30_000
"""Milliseconds that Playwright waits for something to appear: the first page of a database builds its assets."""


@pytest.fixture(scope="session")
def workplace() -> Workplace:
    return Workplace()


@pytest.fixture(scope="session")
def postgres(workplace: Workplace) -> Iterator[Postgres]:
    with workplace.postgres() as postgres:
        yield postgres


@pytest.fixture(scope="session")
def browser(workplace: Workplace) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(workplace.chromium))
        yield browser
        browser.close()


@pytest.fixture
def page_errors_expected() -> list[str]:
    """Parts of console errors that a test expects."""
    return []


@pytest.fixture
def page(browser: Browser, page_errors_expected: list[str]) -> Iterator[Page]:
    errors: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(message.text)

    with browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB") as context:
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.on("console", on_console)
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield page
    unexpected = [text for text in errors if not any(expected in text for expected in page_errors_expected)]
    assert not unexpected, f"the page logged errors: {unexpected}"
