"""Families of ZVT terminals and what each needs, as far as public sources tell (zvt.md 1.1, 2.2, 3.1, 6.4)."""

from __future__ import annotations

from ..options import Preset

_DEFAULT = Preset(
    "zvt",
    "A ZVT terminal on the network: port 20007, slips printed by the till.",
    "P15 2.1, P16 4",
    transport={"kind": "tcp", "port": 20007},
)
TCP = (
    _DEFAULT,
    Preset(
        "card_complete",
        "Austria, card complete: Worldline VALINA, Ingenico Telium; texts in ISO 8859-1, currency always told.",
        "SM; PO (README); MEMO",
        {"charset": "iso-8859-1", "menu_blocked": True, "password": "123456"},
        {"kind": "tcp", "port": 20007},
    ),
    Preset(
        "ingenico",
        "Ingenico Desk/3500, Desk/5000, Move/3500, Move/5000: ZVT is switched on in its menu, after an update again.",
        "PO 10 (answers glued together), 42, 54 (ZVT off after an update), 59 (a connection for each payment)",
        transport={"kind": "tcp", "port": 20007},
    ),
    Preset(
        "verifone",
        "Verifone VX820 and its successors.",
        "PO 8 (messages in pieces; an idle connection is closed)",
        transport={"kind": "tcp", "port": 20007},
    ),
    Preset(
        "ccv",
        "CCV: end of day and reservations by the till, busy during updates.",
        "PO 49 (84 1E with the code behind it); CCV OPM-C60 manual",
        transport={"kind": "tcp", "port": 20007},
    ),
    Preset(
        "feig",
        "Feig cVEND: port 22000, or 22001 with TLS; texts in ISO 8859-1; it is told what of an amount was not used.",
        "PO 16; EV (06 22, 06 23, 06 25)",
        {"charset": "iso-8859-1", "slips": "lines", "password": "123456", "preauth": True, "completion": "partial"},
        {"kind": "tcp", "port": 22000},
    ),
    Preset(
        "clover",
        "Clover Flex (Telecash): slips in blocks; it skips the signature on its screen.",
        "PO 55 (06 D0 is not offered)",
        {"slips": "blocks"},
        {"kind": "tcp", "port": 20007},
    ),
    Preset(
        "hobex",
        "Austria, Hobex: slips in blocks only.",
        "PO (README: no 06 D1, containers unasked, long trace numbers)",
        {"slips": "blocks"},
        {"kind": "tcp", "port": 20007},
    ),
    Preset(
        "pax",
        "PAX A80 (Global Payments): takes back the last payment only, cannot be stopped by the till.",
        "PO 24",
        {"reversal": False},
        {"kind": "tcp", "port": 20007},
    ),
)
SERIAL = (
    Preset(
        "zvt",
        "A ZVT terminal on RS-232: 9600 baud, 8 bits, two stop bits.",
        "P16 2.1",
        transport={"kind": "serial", "preset": "zvt"},
    ),
    Preset(
        "usb",
        "A ZVT terminal on USB, which is a serial port of its own.",
        "P16 2.1 (a virtual COM port)",
        transport={"kind": "serial", "preset": "usb"},
    ),
)
