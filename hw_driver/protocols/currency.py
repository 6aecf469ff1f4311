"""ISO 4217: the numeric code of each currency a card terminal in Europe or the French territories may be asked for."""

from __future__ import annotations

#: Letters to the three digits that go over the wire. The terminal itself refuses a currency it has no contract for.
NUMERIC: dict[str, str] = {
    "AED": "784", "ALL": "008", "AUD": "036", "BAM": "977", "BGN": "975", "BRL": "986", "CAD": "124", "CHF": "756",
    "CNY": "156", "CZK": "203", "DKK": "208", "DZD": "012", "EUR": "978", "GBP": "826", "HKD": "344", "HUF": "348",
    "ILS": "376", "INR": "356", "ISK": "352", "JPY": "392", "KRW": "410", "MAD": "504", "MDL": "498", "MKD": "807",
    "MUR": "480", "MXN": "484", "NOK": "578", "NZD": "554", "PLN": "985", "RON": "946", "RSD": "941", "SAR": "682",
    "SEK": "752", "SGD": "702", "THB": "764", "TND": "788", "TRY": "949", "UAH": "980", "USD": "840", "XAF": "950",
    "XCD": "951", "XOF": "952", "XPF": "953", "ZAR": "710",
}  # fmt: skip

LETTERS: dict[str, str] = {digits: letters for letters, digits in NUMERIC.items()}
