"""The demo from start to end."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import playwright.sync_api

from demokit import books, evidence, report, sale, stage
from demokit.client import OdooError
from demokit.countries import COUNTRIES
from demokit.evidence import Evidence
from demokit.shop import LOGIN, PASSWORD
from demokit.stage import Stage
from demokit.terminals import TERMINALS
from kit.errors import SetupError
from kit.progress import note
from kit.setup import Workplace


def perform(workplace: Workplace, options: argparse.Namespace) -> int:
    """Carry out `dev/demo` with its options; 0 when everything that was found agrees."""
    if options.terminal not in TERMINALS:
        raise SetupError(f"no terminal {options.terminal!r}; there are {', '.join(TERMINALS)}")
    country = COUNTRIES[options.country]
    chart = options.chart or next(iter(country.charts), "")
    if chart and chart not in country.charts:
        raise SetupError(f"no chart {chart!r} here; there are {', '.join(country.charts) or 'none to choose from'}")
    ports = stage.Ports(options.odoo_port, options.driver_port, options.tpe_port, options.face_port)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with stage.running(workplace, TERMINALS[options.terminal], ports, country, chart) as shop:
        pictures = (options.shots or shop.folder / "pictures").absolute()
        pictures.mkdir(parents=True, exist_ok=True)
        with _failures_explained(shop):
            found = _act(workplace, shop, pictures, once=options.once)
            if options.month:
                books.fill(shop)
                books.photograph_books(workplace, shop, pictures)
            if options.once and options.shots:
                sale.photograph_unknown(workplace, shop, pictures)
        wrong = evidence.problems(found)
        for problem in wrong:
            note(f"dev/demo: {problem}")
        print("Agreed    Odoo, the driver's events and the terminal's ledger" if not wrong else "Not agreed: see above")
        if not options.once:
            _stay(shop)
    return 1 if wrong else 0


def _act(workplace: Workplace, shop: Stage, pictures: Path, *, once: bool) -> Evidence:
    """Play the sale, read back what came of it, and print it; `once` closes the register as well."""
    with sale.people(workplace) as context:
        sale.play(shop, context, pictures)
        found = evidence.wait_for(shop.client, shop.ledger)
        sale.photograph_transactions(shop, context, pictures)
        print(report.story(found))
        if once:
            sale.close_register(shop, context)
    if once:
        found = evidence.collect(shop.client, shop.ledger)
        evidence.add_books(found, shop.client)
        found.export = evidence.export(shop.client, pictures / "card-transactions.csv")
        print(report.books(found))
        print(f"Export    {found.export}")
    print(f"Pictures  {pictures}")
    return found


@contextmanager
def _failures_explained(shop: Stage) -> Iterator[None]:
    """Say in one line what did not happen, and where more is to be read."""
    try:
        yield
    except (playwright.sync_api.Error, AssertionError, OdooError, LookupError) as error:
        what = " ".join(str(error).split())[:300]
        raise SetupError(f"the sale did not go as planned: {what} (see {shop.folder} and {shop.server.log})") from error


def _stay(shop: Stage) -> None:
    """Leave everything open until Ctrl-C."""
    addresses = f"""
Point of sale      {shop.pos}
Back office        {shop.server.url}/odoo
Virtual terminal   {shop.face}
Login              {LOGIN}, password {PASSWORD}

Ring up an order, press Card, and present a card on the virtual terminal. Ctrl-C ends it all."""
    try:
        print(addresses, flush=True)
        while True:
            signal.pause()
    except KeyboardInterrupt:
        note("")
