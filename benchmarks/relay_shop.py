"""What the relay's measurements share: a real Odoo with a driver, tills that are no browsers, terminals that note."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import terminal
from demokit import processes
from demokit.bus_till import BusTill
from demokit.client import OdooClient
from demokit.pairing import driver_file, use_addresses, wait_for_configuration
from demokit.processes import wait_until
from demokit.shop import LOGIN, PASSWORD, add_terminal, add_till, shop_template
from kit.database import fresh_database
from kit.ports import claim
from kit.server import OdooServer
from kit.setup import Workplace

HEARTBEAT = 5.0
"""Seconds between two words of the driver, as in a shop."""


@dataclass
class RelayShop:
    """A running shop. `tills[i]` sells at the terminal on `ports[i]`."""

    client: OdooClient
    tills: list[BusTill]
    ports: list[int]
    driver_port: int
    grant: str
    """Session grant of the first till, for the direct road."""


@contextlib.contextmanager
def relay_shop(workplace: Workplace, folder: Path, *, workers: int, tills: int, think: float) -> Iterator[RelayShop]:
    """Run Odoo (with `workers` behind a proxy, or in one process), a driver, and tills; a terminal takes `think` s."""
    with contextlib.ExitStack() as stack:
        postgres = stack.enter_context(workplace.postgres())
        template = shop_template(workplace, postgres)
        database = stack.enter_context(fresh_database(workplace, postgres, "bench", template))
        server = stack.enter_context(OdooServer(workplace, postgres, database, workers=workers).running())
        client = OdooClient(server.url, database, LOGIN, PASSWORD)
        driver = client.id_of("card.terminal.driver", [])
        port = claim(0, "the driver")
        use_addresses(client, driver, port)
        ports = [stack.enter_context(terminal(think)) for _ in range(tills)]
        configs = []
        for number, terminal_port in enumerate(ports, 1):
            record = add_terminal(client, driver, f"Terminal {number}", "concert-v3", terminal_port)
            configs.append(add_till(client, f"Till {number}", [record], training=False))
        file = driver_file(client, driver, folder / "driver", heartbeat=HEARTBEAT)
        stack.enter_context(processes.driver(file, port, folder / "driver.log"))
        wait_for_configuration(client, driver)

        def listens() -> bool:
            (row,) = client.call("card.terminal.driver", "read", [driver], ["relay_connected"])
            return bool(row["relay_connected"])

        wait_until(listens, "the driver to listen to Odoo's bus", 90)
        sessions = [_open(client, config) for config in configs]
        each = [
            stack.enter_context(BusTill(user, config, session, socket=True))
            for config, session in zip(configs, sessions, strict=True)
            for user in [OdooClient(server.url, database, LOGIN, PASSWORD)]
        ]
        (given,) = client.call("pos.session", "card_terminal_grants", [sessions[0]])
        yield RelayShop(client, each, ports, port, given["grant"])


def _open(client: OdooClient, config: int) -> int:
    client.call("pos.config", "open_ui", [config])
    session = client.id_of("pos.session", [("config_id", "=", config), ("state", "!=", "closed")])
    client.call("pos.session", "set_opening_control", [session], 0, "")
    return session
