"""How a driver comes to know its Odoo: by the file that Odoo makes for it."""

from __future__ import annotations

from pathlib import Path

from demokit.client import OdooClient
from demokit.processes import wait_until


def driver_file(client: OdooClient, driver: int, folder: Path, *, heartbeat: float | None = None) -> Path:
    """Make a new key for a driver, download its file, and let it keep its state in `folder`."""
    client.call("card.terminal.driver", "action_new_key", [driver])
    text = client.download(f"/card_terminal/driver/{driver}/driver.toml").decode()
    text = text.replace("[driver]\n", f'[driver]\nstate = "{folder}"\n', 1)
    if heartbeat is not None:
        text += f"heartbeat = {heartbeat}\n"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / "driver.toml"
    path.touch(0o600)
    path.write_text(text)
    return path


def use_addresses(client: OdooClient, driver: int, driver_port: int) -> None:
    """Tell Odoo under which addresses tills reach it and the driver."""
    client.call("ir.config_parameter", "set_param", "web.base.url", client.url)
    client.write("card.terminal.driver", [driver], {"url": f"http://127.0.0.1:{driver_port}"})


def wait_for_configuration(client: OdooClient, driver: int) -> None:
    """Wait until the driver works with the configuration that Odoo has now."""
    numbers = ["configuration_number", "configuration_reported"]

    def caught_up() -> bool:
        (record,) = client.call("card.terminal.driver", "read", [driver], numbers)
        return bool(record[numbers[0]] == record[numbers[1]])

    wait_until(caught_up, "the driver to take its configuration from Odoo")
