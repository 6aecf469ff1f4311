"""`card-terminal ports`: what is plugged in, what it looks like, and how to name it in a configuration."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from serial.tools import list_ports

from .transports.serial import usb_name

#: USB vendors of payment terminals, by their number in the USB ID list (usb.ids), and what else a name gives away.
VENDORS: dict[str, str] = {
    "0b00": "an Ingenico terminal",
    "079b": "a Sagem (Ingenico) terminal",
    "11ca": "a Verifone terminal",
    "2fb8": "a PAX terminal",
    "0ca6": "a Castles terminal",
}
#: USB vendors of adapters: what hangs on them cannot be told.
ADAPTERS: dict[str, str] = {
    "0403": "a USB-to-serial adapter (FTDI)",
    "067b": "a USB-to-serial adapter (Prolific)",
    "10c4": "a USB-to-serial adapter (Silicon Labs)",
    "1a86": "a USB-to-serial adapter (WCH)",
}
STABLE_NAMES = Path("/dev/serial/by-id")


@dataclass(frozen=True, slots=True)
class Port:
    """A serial port. `device` is today's path, `stable` the one that stays, `usb` what `usb =` takes; '' where none."""

    device: str
    stable: str
    usb: str
    description: str
    looks_like: str


def plugged_in() -> list[Port]:
    """Return the serial ports of this machine."""
    stable = _stable_names()
    return [
        Port(port.device, stable.get(port.device, ""), usb_name(port), port.description or "", _looks_like(port))
        for port in sorted(list_ports.comports())
    ]


def show(*, as_json: bool) -> int:
    """Print the ports; return the exit status."""
    ports = plugged_in()
    if as_json:
        print(json.dumps([asdict(port) for port in ports], ensure_ascii=False))
        return 0
    if not ports:
        print("No serial port. Plug the terminal in, and switch its cash register link on in its menu.")
    for port in ports:
        print(f"{port.device}  {port.looks_like}")
        print(f"    {port.description}")
        name = f'usb = "{port.usb}"' if port.usb else f'device = "{port.stable or port.device}"'
        print(f"    in a configuration: {name}")
    return 0


def _looks_like(port: object) -> str:
    vendor = usb_name(port)[:4]
    if not vendor:
        return "a serial port of this machine"
    return VENDORS.get(vendor) or ADAPTERS.get(vendor) or "a USB device with a serial port"


def _stable_names() -> dict[str, str]:
    if not STABLE_NAMES.is_dir():
        return {}
    return {str(link.resolve()): str(link) for link in STABLE_NAMES.iterdir()}
