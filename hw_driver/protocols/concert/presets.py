"""Families of terminals seen in the field, and what each needs (concert.md 1.10, 2.10, 4). A family is one entry."""

from __future__ import annotations

from ..options import Preset

_USB = {"kind": "serial", "preset": "usb"}
_RS232 = {"kind": "serial", "preset": "rs232"}

PRESETS: dict[str, tuple[Preset, ...]] = {
    "concert-v3": (
        Preset(
            "ingenico-tetra",
            "Ingenico Tetra (Desk/5000, Move, Lane) with the application Concert V3.",
            "AK OCA",
            {"version": "0300", "tickets": False},  # newer software rejects fields it does not expect
            {"kind": "tcp", "port": 8888},
        ),
        Preset(
            "ingenico-cheque",
            "Ingenico i2200 cheque reader and printer with the application Concert V3.",
            "AK",
            {"accepts": "cheque"},
            {"kind": "tcp", "port": 8888},
        ),
        Preset(
            "verifone-nepting",
            "Verifone V240m with Nepting, as HiPay delivers it.",
            "HP: the copy of the last result was tried on this model",
            {"tickets": True, "duplicata": True, "reversal": False},
            {"kind": "tcp", "port": 8888},
        ),
        Preset(
            "pax-nepting",
            "PAX A920 Pro, A80, A50, A35 with Nepting.",
            "HP: the copy of the last result was not tried on these",
            {"tickets": True, "reversal": False},
            {"kind": "tcp", "port": 8888},
        ),
        Preset(
            "payxpress",
            "Castles S1F2, S1P and SUNMI P2 with PayXpress.",
            "PX",
            {"version": "0320", "register_length": 1, "register": "1", "tickets": True, "settlement": True},
            {"kind": "tcp", "port": 8888},
        ),
        Preset(
            "pax-viva",
            "PAX (Android) with Viva.",
            "VIVA",
            {"tickets": True},
            {"kind": "tcp", "port": 8888},
        ),
    ),
    "concert-v3-serial": (
        Preset("usb", "Terminals that speak V3 on a USB cable.", "DEL FIDE; OCA/pos#701", {"keep_alive": 300}, _USB),
        Preset("rs232", "Terminals that speak V3 on an RS-232 cable.", "DEL FIDE", {}, _RS232),
    ),
    "concert-v2": (
        Preset(
            "ingenico-telium-usb",
            "Ingenico Telium (iCT220, iCT250, iWL250) on USB, Telium Manager 37783600 or later.",
            "PTM PYP",
            {"dialect": "E+"},
            _USB,
        ),
        Preset(
            "ingenico-telium-rs232",
            "Ingenico Telium on RS-232 (COM1, COM2).",
            "PTM DEL",
            {"dialect": "E+"},
            _RS232,
        ),
        Preset(
            "ingenico-telium-1200",
            "Ingenico iCT250 on RS-232 at 1200 baud.",
            "LI",
            {"dialect": "E+"},
            {**_RS232, "speed": 1200},
        ),
        Preset(
            "ingenico-older",
            "Ingenico that refuses E+: Telium Manager before 37783600, iPP3xx.",
            "PYP PTM",
            {"dialect": "E"},
            _USB,
        ),
        Preset(
            "ingenico-cheque",
            "Ingenico i2200 cheque reader and printer on USB.",
            "PYP",
            {"dialect": "E+", "accepts": "cheque"},
            _USB,
        ),
        Preset(
            "pax-nepting",
            "PAX A920 with Nepting: V2 over the network, with the customer's slip.",
            "LI YZ",
            {"dialect": "E", "ticket": True},
            {"kind": "tcp", "port": 8888},
        ),
        Preset(
            "payxpress-rs232",
            "Castles and SUNMI with PayXpress, Concert V2 on RS-232.",
            "PX",
            {},
            _RS232,
        ),
    ),
}
