"""Entries in the form of the "fichier des écritures comptables": an extract, never the legal FEC of a year.

Source: article A47 A-1 LPF (18 columns in this order, tab or |, CR/LF, dates AAAAMMJJ, decimal comma).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from .text import comma, one_line

COLUMNS = (
    "JournalCode", "JournalLib", "EcritureNum", "EcritureDate", "CompteNum", "CompteLib", "CompAuxNum", "CompAuxLib",
    "PieceRef", "PieceDate", "EcritureLib", "Debit", "Credit", "EcritureLet", "DateLet", "ValidDate",
    "Montantdevise", "Idevise",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of an entry; `debit` and `credit` in minor units of the company's currency (two decimals)."""

    journal: str
    journal_name: str
    number: str
    date: date
    account: str
    account_name: str
    reference: str
    reference_date: date
    text: str
    debit: int
    credit: int
    validated: date
    partner: str = ""
    partner_name: str = ""
    matching: str = ""
    matched: date | None = None
    foreign: int | None = None
    foreign_digits: int = 2
    foreign_currency: str = ""


def write(entries: Iterable[Entry]) -> bytes:
    """Return the file, in UTF-8."""
    rows = [COLUMNS, *(_row(entry) for entry in entries)]
    return "".join("\t".join(row) + "\r\n" for row in rows).encode()


def _row(entry):
    texts = (
        entry.journal, entry.journal_name, entry.number, f"{entry.date:%Y%m%d}", entry.account, entry.account_name,
        entry.partner, entry.partner_name, entry.reference or entry.number, f"{entry.reference_date:%Y%m%d}",
        entry.text or entry.number, comma(entry.debit), comma(entry.credit), entry.matching,
        f"{entry.matched:%Y%m%d}" if entry.matched else "", f"{entry.validated:%Y%m%d}",
        "" if entry.foreign is None else comma(entry.foreign, entry.foreign_digits), entry.foreign_currency,
    )  # fmt: skip
    return [one_line(text).replace("|", "/") for text in texts]
