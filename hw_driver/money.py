"""Amounts as people write them, to and from minor units. No float."""

from __future__ import annotations

import re
from decimal import Decimal

from .protocols.machine import InvalidRequest

#: ISO 4217 currencies whose minor unit is not a hundredth: letters -> decimals.
DECIMALS: dict[str, int] = {
    **dict.fromkeys(("CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV"), 0),
    **dict.fromkeys(("XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}


def minor_units(text: str, currency: str) -> int:
    """Return the minor units of an amount such as ``12.50`` or ``12,50``; `InvalidRequest` says what is wrong."""
    if not re.fullmatch("[A-Z]{3}", currency):
        raise InvalidRequest(f"{currency!r} is not a currency: write three capital letters such as EUR", "bad_currency")
    if not re.fullmatch(r"[0-9]{1,12}([.,][0-9]+)?", text):
        raise InvalidRequest(f"{text!r} is not an amount: write it like 12.50", "bad_amount")
    scaled = Decimal(text.replace(",", ".")).scaleb(decimals(currency))
    if scaled != scaled.to_integral_value():
        raise InvalidRequest(f"{text} has more decimals than {currency} has ({decimals(currency)})", "bad_amount")
    if not scaled:
        raise InvalidRequest("the amount must be more than zero", "bad_amount")
    return int(scaled)


def readable(amount: int, currency: str) -> str:
    """Return an amount of minor units as people write it: ``12.50 EUR``."""
    return f"{Decimal(amount).scaleb(-decimals(currency)):f} {currency}".strip()


def decimals(currency: str) -> int:
    """Return how many decimals a currency has."""
    return DECIMALS.get(currency, 2)
