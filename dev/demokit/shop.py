"""A French demo shop, set up as a person would set it up in the back office, and kept as a template database.

Prices include VAT. `make_shop` fills a database that has the addon; `add_till` adds a point of sale with its own cash
drawer to a shop, all tills sharing one "Card" payment method.
"""

from __future__ import annotations

import re
from base64 import b64encode
from pathlib import Path

from demokit.client import OdooClient
from kit.cache import CHECKOUT, digest
from kit.database import TEMPLATE_PREFIX, addon_template, clone, drop, under_construction
from kit.postgres import Postgres
from kit.progress import Progress
from kit.server import OdooServer
from kit.setup import Workplace

LOGIN = PASSWORD = "admin"  # noqa: S105  (Odoo's own in a new database)
TILL = "Counter"
LOGO = CHECKOUT / "static" / "description" / "icon.png"
COMPANY = {
    "name": "Demo shop",
    "street": "1 place du Marché",
    "zip": "75001",
    "city": "Paris",
    "phone": "+33 1 99 00 00 00",
}
CATEGORIES = {"Bakery": 3, "Pastry": 9, "Groceries": 10, "House": 4}
"""Name and colour."""
PRODUCTS = (
    ("Baguette", "Bakery", 1.20, 5.5),
    ("Country bread", "Bakery", 3.40, 5.5),
    ("Croissant", "Bakery", 1.30, 5.5),
    ("Lemon tart", "Pastry", 4.20, 5.5),
    ("Chocolate éclair", "Pastry", 3.60, 5.5),
    ("Macarons, box of 6", "Pastry", 9.90, 5.5),
    ("Honey 500 g", "Groceries", 8.60, 5.5),
    ("Olive oil 75 cl", "Groceries", 12.40, 5.5),
    ("Coffee beans 250 g", "Groceries", 7.90, 5.5),
    ("Orange juice", "Groceries", 3.10, 5.5),
    ("Tea towel", "House", 9.00, 20.0),
    ("Gift basket", "House", 39.00, 20.0),
)
"""Name, category, price with VAT, VAT in per cent."""
MAKES_IT = (Path(__file__),)
"""The template is made again when this file changes, or the addon."""
ASSET_LINK = re.compile(rb'(?:src|href)="(/web/assets/[^"]+)"')


def shop_template(workplace: Workplace, postgres: Postgres) -> str:
    """The name of the template with the shop and this checkout's addon, as both are now."""
    source = addon_template(workplace, postgres)
    mine = f"{TEMPLATE_PREFIX}shop_{digest(workplace.checkout)}_"
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
                        make_shop(client)
                        progress.update(0.3, "pages")
                        make_pages(client)
    for old in [each for each in postgres.databases(mine) if each != name and "_new_" not in each]:
        drop(workplace, postgres, old)
    return name


def make_shop(client: OdooClient) -> None:
    """Company, products, payment methods, and one till with a driver and a terminal."""
    company = client.id_of("res.company", [])
    client.write("res.company", [company], {**COMPANY, "logo": b64encode(LOGO.read_bytes()).decode()})
    categories = {
        name: client.create("pos.category", {"name": name, "color": color}) for name, color in CATEGORIES.items()
    }
    taxes = {rate: _tax(client, rate) for rate in sorted({product[3] for product in PRODUCTS})}
    for name, category, price, rate in PRODUCTS:
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
            "name": "Card",
            "journal_id": client.id_of("account.journal", [("type", "=", "bank")]),
            "payment_method_type": "terminal",
            "use_payment_terminal": "card_terminal",
        },
    )
    driver = client.create("card.terminal.driver", {"name": "Till"})
    add_till(client, TILL, [add_terminal(client, driver, TILL, "concert-v3", 8888)])


def add_till(client: OdooClient, name: str, terminals: list[int], *, training: bool = True) -> int:
    """Add a point of sale with its own cash drawer; the first terminal is its default, the others are spares."""
    number = client.call("pos.config", "search_count", [])
    journal = client.create("account.journal", {"name": f"Cash {name}", "type": "cash", "code": f"CSH{number + 1}"})
    cash = client.create("pos.payment.method", {"name": "Cash", "journal_id": journal})
    card = client.id_of("pos.payment.method", [("use_payment_terminal", "=", "card_terminal")])
    return client.create(
        "pos.config",
        {
            "name": name,
            "payment_method_ids": [(6, 0, [cash, card])],
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


def _tax(client: OdooClient, rate: float) -> int:
    """The chart's VAT on goods that is included in the price; most are inactive at first."""
    found = client.call(
        "account.tax",
        "search",
        [
            *(("amount", "=", rate), ("name", "like", "G INC"), ("type_tax_use", "=", "sale")),
            *(("price_include_override", "=", "tax_included"), ("active", "in", [True, False])),
        ],
        limit=1,
    )
    client.write("account.tax", found, {"active": True})
    return int(found[0])
