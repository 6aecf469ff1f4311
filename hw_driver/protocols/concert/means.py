"""What a payment can be made with, in the words of the till: V3 says it with an application (CC), V2 with MODE.

Sources: HiPay "Local API for Nepting" for CC (00C, 001, 002 also OCA AK DEL), pyTeliumManager for MODE. Whether forcing
the contact application keeps a card from being tapped is not published.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Means(NamedTuple):
    """One of them: its name for people, CC of V3 and MODE of V2, '' where the version has none."""

    label: str
    application: str
    mode: str


#: "card" leaves the choice to the terminal (V3), or to its option `means` (V2).
MEANS: dict[str, Means] = {
    "card": Means("Card", "", ""),
    "cheque": Means("Cheque", "00C", "C"),
    "cb": Means("CB", "001", "1"),
    "amex": Means("American Express", "002", "2"),
    "conecs": Means("Meal voucher (CONECS)", "00E", ""),
    "cetelem": Means("Cetelem", "004", "3"),
    "cofinoga": Means("Cofinoga", "005", "5"),
    "diners": Means("Diners", "006", "6"),
    "pass": Means("Pass", "007", ""),
    "franfinance": Means("Franfinance", "008", "8"),
    "jcb": Means("JCB", "009", "9"),
    "accord": Means("Banque Accord", "00A", "A"),
    "sofinco": Means("Sofinco", "00S", ""),
    "unionpay": Means("UnionPay", "00U", "U"),
    "keyed": Means("Card at a distance, number typed", "101", ""),
    "qr": Means("QR code", "607", ""),
    "moneo": Means("Moneo", "", "O"),
    "fintrax": Means("Fintrax", "", "F"),
}
V3 = {word: means.application for word, means in MEANS.items() if means.application or word == "card"}
V2 = {word: means.mode for word, means in MEANS.items() if means.mode or word == "card"}


def accepted(words: dict[str, str]) -> dict[str, str]:
    """Return how an option must look that lists some of these words."""
    word = "|".join(map(re.escape, words))
    return {"pattern": f"(?:{word})(?: (?:{word}))*", "wanted": f"words among {', '.join(words)}, with blanks between"}


def labels(words: dict[str, str]) -> dict[str, str]:
    """Return the words with their names for people."""
    return {word: MEANS[word].label for word in words}
