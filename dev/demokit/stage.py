"""Everything that runs in a demo: Odoo with the shop, its driver, a virtual terminal. All on 127.0.0.1 only."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page

from demokit import processes
from demokit.client import OdooClient
from demokit.countries import Country
from demokit.pairing import driver_file, use_addresses, wait_for_configuration
from demokit.shop import LOGIN, PASSWORD, shop_template
from demokit.terminals import DemoTerminal
from demokit.till import Till
from kit.database import fresh_database
from kit.ports import LOOPBACK, claim
from kit.progress import Progress
from kit.server import OdooServer
from kit.setup import Workplace

KEPT_FOLDERS = 3
DEVICE = "cable"
"""What the end of a cable is called in the folder of a demo."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where things listen; 0 takes any free port."""

    odoo: int = 0
    driver: int = 0
    terminal: int = 0
    face: int = 0

    def claimed(self) -> Ports:
        """The ports to use; `SetupError` when one that was asked for is taken."""
        return Ports(
            claim(self.odoo, "Odoo"),
            claim(self.driver, "the driver"),
            claim(self.terminal, "the virtual terminal"),
            claim(self.face, "the virtual terminal's face"),
        )


@dataclass(frozen=True, slots=True)
class Stage:
    """A running demo. `client` is Odoo as its administrator sees it; `folder` keeps journal, ledger and pictures."""

    server: OdooServer
    client: OdooClient
    database: str
    country: Country
    terminal: DemoTerminal
    config: int
    folder: Path
    face: str

    @property
    def pos(self) -> str:
        return f"{self.server.url}/pos/ui/{self.config}"

    def till(self, page: Page) -> Till:
        """The point of sale in a tab, its register closed or open."""
        return Till(page, self.server.url, self.config, self.country.words)

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger.jsonl"


@contextmanager
def running(
    workplace: Workplace, terminal: DemoTerminal, ports: Ports, country: Country, chart: str
) -> Iterator[Stage]:
    """Start all of it; everything has ended when the block has been left, however it was left."""
    ports = ports.claimed()
    with ExitStack() as stack:
        postgres = stack.enter_context(workplace.postgres())
        template = shop_template(workplace, postgres, country, chart)
        progress = stack.enter_context(ExitStack())
        bar = progress.enter_context(Progress("Starting the shop"))
        database = stack.enter_context(fresh_database(workplace, postgres, "demo", template))
        folder = _folder(workplace, database)
        bar.update(0.2, "virtual terminal")
        stack.enter_context(
            processes.virtual_terminal(
                terminal.protocol,
                ["--device", str(folder / DEVICE)] if terminal.cable else ["--port", str(ports.terminal)],
                ports.face,
                folder / "ledger.jsonl",
                folder / "terminal.log",
            )
        )
        bar.update(0.3, "Odoo")
        server = stack.enter_context(OdooServer(workplace, postgres, database, port=ports.odoo).running())
        client = OdooClient(server.url, database, LOGIN, PASSWORD)
        bar.update(0.8, "driver")
        config, driver = _connect(client, terminal, ports, folder, country)
        stack.enter_context(
            processes.driver(driver_file(client, driver, folder / "driver"), ports.driver, folder / "driver.log")
        )
        wait_for_configuration(client, driver)
        progress.close()
        yield Stage(server, client, database, country, terminal, config, folder, f"http://{LOOPBACK}:{ports.face}/")


def _connect(
    client: OdooClient, terminal: DemoTerminal, ports: Ports, folder: Path, country: Country
) -> tuple[int, int]:
    """Tell Odoo what the virtual terminal speaks, and where it and the driver are; return the till and the driver."""
    record = client.one("card.terminal", [], ["driver_id"])
    driver = int(record["driver_id"][0])
    place = terminal.place(ports.terminal, str(folder / DEVICE))
    client.write("card.terminal", [record["id"]], {"protocol": terminal.protocol, **place})
    client.write("card.terminal", [record["id"]], {"options": terminal.options_in(country.code)})
    use_addresses(client, driver, ports.driver)
    return client.id_of("pos.config", []), driver


def _folder(workplace: Workplace, database: str) -> Path:
    """A folder for this run on a real disk; those of earlier runs are removed but for the last few."""
    parent = workplace.cache.path("demo")
    parent.mkdir(exist_ok=True)
    for old in sorted(parent.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)[KEPT_FOLDERS:]:
        shutil.rmtree(old, ignore_errors=True)
    folder = parent / database
    folder.mkdir()
    return folder
