"""Live tests run outside Odoo (dev/test live). This folder is no package, so that the addon's root stays out."""

import os
import time
from collections.abc import Callable, Iterator
from itertools import count

import pytest
from checker import Checker
from shopfloor import Counter, Shop, open_shop

pytest_plugins = ["kit.live", "kit.unsteady"]
_numbers = count(1)


@pytest.fixture(scope="session")
def shop(workplace, postgres, browser) -> Iterator[Shop]:
    """One Odoo server and one driver for all tests."""
    with open_shop(workplace, postgres, browser) as shop:
        yield shop


@pytest.fixture
def new_counter(shop: Shop) -> Iterator[Callable[..., Counter]]:
    """Open tills of a test's own."""
    counters = []

    def open_counter(**wishes) -> Counter:
        counters.append(shop.counter(f"Till {next(_numbers)}", **wishes))
        return counters[-1]

    yield open_counter
    for counter in counters:
        for context in counter.contexts:
            context.close()


@pytest.fixture
def counter(new_counter) -> Counter:
    """A till with one terminal."""
    return new_counter()


@pytest.fixture
def checker(counter) -> Checker:
    return Checker(counter)


@pytest.fixture
def measured(record_property) -> Callable[[str, float], None]:
    """Note how long something took since a moment of `time.monotonic`: told at the end of the run, never asserted."""
    return lambda what, since: record_property("measured", f"{time.monotonic() - since:8.2f} s  {what}")


def pytest_terminal_summary(terminalreporter) -> None:
    ended = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    told = [text for report in ended for name, text in report.user_properties if name == "measured"]
    if told:
        terminalreporter.section(f"measured, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        terminalreporter.write_line("\n".join(told))
