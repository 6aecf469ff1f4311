"""`card-terminal ports`: what is plugged in, what it looks like, and how to name it in a configuration."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from serial.tools import list_ports

from .transports.serial import usb_name
from .usb_vendors import looks_like

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
    return looks_like(vendor)


def _stable_names() -> dict[str, str]:
    if not STABLE_NAMES.is_dir():
        return {}
    return {str(link.resolve()): str(link) for link in STABLE_NAMES.iterdir()}
