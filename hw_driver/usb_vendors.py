"""What a USB device looks like by its vendor's number, as far as names give it away."""

from __future__ import annotations

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


def looks_like(vendor: str) -> str:
    """Return what a device with this vendor number (four hex digits) is, in words."""
    return VENDORS.get(vendor) or ADAPTERS.get(vendor) or "a USB device with a serial port"
