"""A shop for the live tests: one Odoo server, one driver process, and as many tills as tests ask for.

Each till has its own point of sale and its own terminals, so that tests can share the server. The terminals are the
independent ones of tests/driver/replay, which import nothing from the driver.
"""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, expect

from demokit import processes
from demokit.client import OdooClient
from demokit.pairing import driver_file, use_addresses, wait_for_configuration
from demokit.processes import Program
from demokit.shop import LOGIN, PASSWORD, add_terminal, add_till, shop_template
from demokit.till import VIEWPORT, Till
from kit.cache import CHECKOUT
from kit.database import fresh_database
from kit.ports import claim, free_port
from kit.postgres import Postgres
from kit.server import OdooServer
from kit.setup import Workplace

sys.path.insert(0, str(CHECKOUT / "tests" / "driver" / "replay"))
from terminal import ReplayTerminal

HEARTBEAT = 0.5
PATIENCE = 45_000
"""Milliseconds; longer than a till waits for a silent driver before it says that it does not know."""
expect.set_options(timeout=PATIENCE)


class Terminal(ReplayTerminal):
    """A replay terminal whose cardholder and whose answer wait for these events."""

    def __init__(self) -> None:
        super().__init__(port=free_port())
        self.card_presented = threading.Event()
        self.answer_let_out = threading.Event()
        self.card_presented.set()
        self.answer_let_out.set()

    def charge(self, asked: dict[str, str], amount: int) -> None:
        self.card_presented.wait()
        super().charge(asked, amount)
        self.answer_let_out.wait()

    @property
    def charges(self) -> list[int]:
        """What it charged, in cents."""
        return [entry["amount"] for entry in self.ledger]

    @property
    def asked(self) -> list[dict[str, str]]:
        """The requests for money that reached it."""
        return [request for request in self.requests if request["CD"] != "I"]


@dataclass
class Counter:
    """One point of sale with its terminals; `terminals[0]` is the default one."""

    shop: Shop
    config: int
    name: str
    terminals: list[Terminal]
    uuids: list[str]
    contexts: list[BrowserContext] = field(default_factory=list)

    @property
    def terminal(self) -> Terminal:
        return self.terminals[0]

    def browser(self) -> BrowserContext:
        """A browser of its own, as on another machine."""
        context = self.shop.browser.new_context(viewport=VIEWPORT, locale="en-GB")
        context.set_default_timeout(PATIENCE)
        self.contexts.append(context)
        return context

    def till(self, context: BrowserContext | None = None) -> Till:
        """A tab with the point of sale open, in a browser of its own or the one given."""
        till = Till((context or self.browser()).new_page(), self.shop.server.url, self.config)
        till.open(LOGIN, PASSWORD)
        return till


@dataclass
class Shop:
    """The running shop. `client` is Odoo as its administrator sees it."""

    workplace: Workplace
    postgres: Postgres
    database: str
    browser: Browser
    server: OdooServer
    client: OdooClient
    driver: Program
    driver_id: int
    driver_port: int
    folder: Path
    stack: ExitStack

    @property
    def journal(self) -> Path:
        return self.folder / "journal.sqlite"

    @property
    def driver_url(self) -> str:
        return f"http://127.0.0.1:{self.driver_port}"

    def counter(
        self, name: str, *, terminals: int = 1, training: bool = False, beside: Counter | None = None
    ) -> Counter:
        """Open one more till; the driver knows its terminals when this returns.

        `beside` another one it shares that one's terminals, and each trusts the other with its orders.
        """
        if beside:
            ids = self.client.call("card.terminal", "search", [("uuid", "in", beside.uuids)])
            config = add_till(self.client, name, ids, training=training)
            self.client.write("pos.config", [config], {"trusted_config_ids": [(4, beside.config)]})
            return Counter(self, config, name, beside.terminals, beside.uuids)
        machines = [self.stack.enter_context(Terminal()) for _ in range(terminals)]
        ids = [
            add_terminal(self.client, self.driver_id, f"{name} {number}", "concert-v3", machine.port)
            for number, machine in enumerate(machines, 1)
        ]
        config = add_till(self.client, name, ids, training=training)
        wait_for_configuration(self.client, self.driver_id)
        uuids = [record["uuid"] for record in self.client.call("card.terminal", "read", ids, ["uuid"])]
        return Counter(self, config, name, machines, uuids)


@contextmanager
def open_shop(
    workplace: Workplace, postgres: Postgres, browser: Browser, *, workers: int = 0, front: bool = False
) -> Iterator[Shop]:
    """Start server and driver; all has ended when the block is left. `workers` and `front` are OdooServer's."""
    with ExitStack() as stack:
        database = stack.enter_context(fresh_database(workplace, postgres, "live", shop_template(workplace, postgres)))
        folder = workplace.cache.path("live", database)
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        port = claim(0, "the driver")
        server = stack.enter_context(OdooServer(workplace, postgres, database, workers=workers, front=front).running())
        client = OdooClient(server.url, database, LOGIN, PASSWORD)
        driver_id = client.id_of("card.terminal.driver", [])
        use_addresses(client, driver_id, port)
        configuration = driver_file(client, driver_id, folder, heartbeat=HEARTBEAT)
        driver = stack.enter_context(processes.driver(configuration, port, folder / "driver.log"))
        shop = Shop(workplace, postgres, database, browser, server, client, driver, driver_id, port, folder, stack)
        wait_for_configuration(client, driver_id)
        yield shop
