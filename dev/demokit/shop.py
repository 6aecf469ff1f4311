"""A demo shop, set up as a person would set it up in the back office, and kept as a template database.

`make_shop` fills a database that has the addon; `add_till` adds a point of sale with its own cash
drawer to a shop, all tills sharing one payment method for cards.
"""

from __future__ import annotations

import re
from base64 import b64encode
from pathlib import Path

from demokit.client import OdooClient
from demokit.countries import FRANCE, Country
from kit.cache import CHECKOUT, digest
from kit.database import TEMPLATE_PREFIX, addon_template, clone, drop, under_construction
from kit.postgres import Postgres
from kit.progress import Progress
from kit.server import OdooServer
from kit.setup import Workplace

LOGIN = PASSWORD = "admin"  # noqa: S105  (Odoo's own in a new database)
LOGO = CHECKOUT / "static" / "description" / "icon.png"
MAKES_IT = (Path(__file__), Path(__file__).with_name("countries.py"))
"""The template is made again when these files change, or the addon."""
ASSET_LINK = re.compile(rb'(?:src|href)="(/web/assets/[^"]+)"')


def shop_template(workplace: Workplace, postgres: Postgres, country: Country = FRANCE, chart: str = "") -> str:
    """The name of the template with the shop and this checkout's addon, as both are now."""
    source = addon_template(workplace, postgres)
    mine = f"{TEMPLATE_PREFIX}shop_{country.code}{chart}_{digest(workplace.checkout)}_"
    name = mine + digest(source, *(each.read_bytes() for each in MAKES_IT))
    with workplace.cache.lock(name, "another run that makes the same database"):
        if not postgres.exists(name):
            with Progress("Opening the demo shop") as progress:
                with under_construction(workplace, postgres, name) as database:
                    clone(workplace, postgres, source, database)
                    progress.update(0.1, "starting Odoo")
                    with OdooServer(workplace, postgres, database, cron_threads=0).running() as server:
                        client = OdooClient(server.url, database, LOGIN, PASSWORD)
                        progress.update(0.2, "products and tills")
                        make_shop(client, country, chart)
                        progress.update(0.3, "pages")
                        make_pages(client)
    for old in [each for each in postgres.databases(mine) if each != name and "_new_" not in each]:
        drop(workplace, postgres, old)
    return name


def make_shop(client: OdooClient, country: Country, chart: str) -> None:
    """Company, products, payment methods, and one till with a driver and a terminal."""
    country.settle_in(client, chart)
    company = client.id_of("res.company", [])
    client.write("res.company", [company], {"logo": b64encode(LOGO.read_bytes()).decode()})
    categories = {
        name: client.create("pos.category", {"name": name, "color": color})
        for name, color in country.categories.items()
    }
    taxes = {rate: country.tax(client, rate) for rate in sorted({product[3] for product in country.products})}
    for name, category, price, rate in country.products:
        client.create(
            "product.template",
            {
                "name": name,
                "list_price": price,
                "type": "consu",
                "available_in_pos": True,
                "pos_categ_ids": [(6, 0, [categories[category]])],
                "taxes_id": [(6, 0, [taxes[rate]])],
                "supplier_taxes_id": [(6, 0, [])],
            },
        )
    client.create(
        "pos.payment.method",
        {
            "name": country.card,
            "journal_id": client.id_of("account.journal", [("type", "=", "bank")]),
            "payment_method_type": "terminal",
            "use_payment_terminal": "card_terminal",
        },
    )
    if country.charts:
        country.make_contract(client)
    driver = client.create("card.terminal.driver", {"name": "Till"})
    add_till(client, country.till, [add_terminal(client, driver, country.till, "concert-v3", 8888)], cash=country.cash)
    country.speak(client)


def add_till(
    client: OdooClient, name: str, terminals: list[int], *, training: bool = True, cash: str = FRANCE.cash
) -> int:
    """Add a point of sale with its own cash drawer; the first terminal is its default, the others are spares."""
    number = client.call("pos.config", "search_count", [])
    journal = client.create("account.journal", {"name": f"{cash} {name}", "type": "cash", "code": f"CSH{number + 1}"})
    drawer = client.create("pos.payment.method", {"name": cash, "journal_id": journal})
    card = client.id_of("pos.payment.method", [("use_payment_terminal", "=", "card_terminal")])
    return client.create(
        "pos.config",
        {
            "name": name,
            "payment_method_ids": [(6, 0, [drawer, card])],
            "card_terminal_id": terminals[0],
            "card_terminal_spare_ids": [(6, 0, terminals[1:])],
            "card_terminal_training": training,
        },
    )


def add_terminal(client: OdooClient, driver: int, name: str, protocol: str, port: int) -> int:
    """Add a terminal on this machine to a driver."""
    return client.create(
        "card.terminal", {"name": name, "driver_id": driver, "protocol": protocol, "host": "127.0.0.1", "port": port}
    )


def make_pages(client: OdooClient) -> None:
    """Ask for the scripts and styles of the back office and of the point of sale once, so that Odoo keeps them."""
    config = client.read("pos.config", [], ["id"])[0]["id"]
    for page in ("/odoo", f"/pos/ui/{config}"):
        for link in dict.fromkeys(ASSET_LINK.findall(client.download(page))):
            client.download(link.decode())
