"""What can be set for a serial line beside its port. Described here, where nothing is needed to read it; used by
`transports/serial.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .options import Option, option, options_of


@dataclass(frozen=True, slots=True)
class SerialLine:
    """The line of a terminal. `preset` stands for what is usual on its kind of cable; the rest overrules it."""

    preset: str = option(
        "usb",
        "What is usual on this kind of cable; the settings below overrule it.",
        "PTM PYP (usb); PX PTM DEL (rs232); P16 2.1 (zvt)",
        choices={
            "usb": "USB cable: 9600 baud, 8N1",
            "rs232": "RS-232 cable: 9600 baud, 7E1",
            "zvt": "ZVT on RS-232: 9600 baud, 8N2",
        },
    )
    speed: int = option(
        9600,
        "Baud: the speed set in the terminal's menu; on USB it does not matter.",
        "PX",
        choices={speed: str(speed) for speed in (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)},
    )
    bits: int = option(
        8, "Data bits, as in the terminal's menu.", "PX PTM DEL LI", choices={7: "7", 8: "8"}, title="Data bits"
    )
    parity: str = option(
        "none",
        "The parity bit, as in the terminal's menu.",
        "PX PTM DEL LI",
        choices={"none": "none", "even": "even", "odd": "odd"},
    )
    stop: int = option(
        1, "Stop bits, as in the terminal's menu.", "PTM DEL", choices={1: "1", 2: "2"}, title="Stop bits"
    )
    flow: str = option(
        "none",
        "Flow control, where the terminal or its cable insists on it.",
        "DEL",
        choices={"none": "none", "rtscts": "RTS/CTS", "dsrdtr": "DSR/DTR", "xonxoff": "XON/XOFF"},
        title="Flow control",
    )


OPTIONS: dict[str, Option] = options_of(SerialLine)

#: Line settings by preset.
PRESETS: dict[str, dict[str, Any]] = {
    "usb": {"speed": 9600, "bits": 8, "parity": "none", "stop": 1, "flow": "none"},
    "rs232": {"speed": 9600, "bits": 7, "parity": "even", "stop": 1, "flow": "none"},
    "zvt": {"speed": 9600, "bits": 8, "parity": "none", "stop": 2, "flow": "none"},
}


def settings_of(transport: Mapping[str, Any]) -> dict[str, Any]:
    """Return speed, bits, parity, stop and flow of a serial transport: what is set, else what its preset says."""
    preset = PRESETS[transport.get("preset", SerialLine().preset)]
    return {name: transport.get(name, value) for name, value in preset.items()}
