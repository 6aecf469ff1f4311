"""DATEV-Format, Buchungsstapel: header version 700, category 21, format version 13.

Source: developer.datev.de, "DATEV-Format", pages Einstieg, Header and Buchungsstapel (31 header fields, 125 columns).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from odoo.tools import LazyTranslate

from .text import comma, one_line

_lt = LazyTranslate(__name__)


def _pairs(name, count, gap=" "):
    return [f"{name} - Art {number}§{name}{gap}- Inhalt {number}" for number in range(1, count + 1)]


#: The columns in order; all are written, few are filled.
COLUMNS = tuple(
    "§".join(
        (
            "Umsatz (ohne Soll/Haben-Kz)§Soll/Haben-Kennzeichen§WKZ Umsatz§Kurs§Basis-Umsatz§WKZ Basis-Umsatz§Konto",
            "Gegenkonto (ohne BU-Schlüssel)§BU-Schlüssel§Belegdatum§Belegfeld 1§Belegfeld 2§Skonto§Buchungstext",
            "Postensperre§Diverse Adressnummer§Geschäftspartnerbank§Sachverhalt§Zinssperre§Beleglink",
            *_pairs("Beleginfo", 8),
            "KOST1 - Kostenstelle§KOST2 - Kostenstelle§Kost-Menge§EU-Land u. UStID (Bestimmung)",
            "EU-Steuersatz (Bestimmung)§Abw. Versteuerungsart§Sachverhalt L+L§Funktionsergänzung L+L",
            "BU 49 Hauptfunktionstyp§BU 49 Hauptfunktionsnummer§BU 49 Funktionsergänzung",
            *_pairs("Zusatzinformation", 20, ""),
            "Stück§Gewicht§Zahlweise§Forderungsart§Veranlagungsjahr§Zugeordnete Fälligkeit§Skontotyp§Auftragsnummer",
            "Buchungstyp§USt-Schlüssel (Anzahlungen)§EU-Land (Anzahlungen)§Sachverhalt L+L (Anzahlungen)",
            "EU-Steuersatz (Anzahlungen)§Erlöskonto (Anzahlungen)§Herkunft-Kz§Buchungs GUID§KOST-Datum",
            "SEPA-Mandatsreferenz§Skontosperre§Gesellschaftername§Beteiligtennummer§Identifikationsnummer",
            "Zeichnernummer§Postensperre bis§Bezeichnung SoBil-Sachverhalt§Kennzeichen SoBil-Buchung§Festschreibung",
            "Leistungsdatum§Datum Zuord. Steuerperiode§Fälligkeit§Generalumkehr (GU)§Steuersatz§Land",
            "Abrechnungsreferenz§BVV-Position§EU-Land u. UStID (Ursprung)§EU-Steuersatz (Ursprung)§Abw. Skontokonto",
        )
    ).split("§")
)
#: What Belegfeld 1 may hold, and how long texts may be.
NOT_IN_REFERENCE = re.compile(r"[^A-Za-z0-9$&%*+/-]")
REFERENCE, TEXT, LABEL = 36, 60, 30
#: Umsatz: ten digits before the comma.
MOST = 10**12 - 1
#: Postings in one file (page "Format description", transaction data).
MOST_ROWS = 99_999
#: Kurs: digits before the comma, and not below 1; other rates cannot be said.
RATES = (Decimal(1), Decimal(10**4) - Decimal("0.000001"))
#: BU-Schlüssel that takes an automatic account's tax off.
NO_AUTOMATIC_TAX = "0040"


class DatevError(Exception):
    """What cannot be written, and why: `text` is a translatable sentence."""

    def __init__(self, text):
        super().__init__(text)
        self.text = text


@dataclass(frozen=True, slots=True)
class Header:
    """Whose postings, of which days. `chart` is "03" or "04" for SKR03 and SKR04, empty for others."""

    consultant: int
    client: int
    year_start: date
    first: date
    last: date
    created: datetime
    label: str = "Kartenumsätze"
    account_digits: int = 4
    locked: bool = False
    currency: str = "EUR"
    chart: str = ""


@dataclass(frozen=True, slots=True)
class Posting:
    """One row: `amount` (minor units, never 0) is debited to `account` and credited to `counter`; negative turns it.

    `key` is the BU-Schlüssel (four digits), which goes by `counter`. `foreign` is what `amount` was in
    `foreign_currency`; it is left out where the format cannot say the rate.
    """

    amount: int
    account: str
    counter: str
    day: date
    reference: str
    text: str
    second_reference: str = ""
    key: str = ""
    foreign: Decimal | None = None
    foreign_currency: str = ""


def files(header: Header, postings: Sequence[Posting], label: str = "") -> list[tuple[str, bytes]]:
    """Return [(name, content)]: as many files as hold the postings; `label` is put into their names."""
    starts = range(0, len(postings), MOST_ROWS)
    found = []
    for part, start in enumerate(starts, 1):
        said = [label, str(part) if len(starts) > 1 else ""]
        name = "_".join(filter(None, [file_name(header).removesuffix(".csv"), *said]))
        found.append((f"{name}.csv", write(header, postings[start : start + MOST_ROWS])))
    return found


def write(header: Header, postings: Iterable[Posting]) -> bytes:
    """Return the file in cp1252; `DatevError` where a value cannot be said in this format."""
    rows = [_header(header), list(COLUMNS), *(_row(header, posting) for posting in postings)]
    return "".join(";".join(row) + "\r\n" for row in rows).encode("cp1252", errors="replace")


def file_name(header: Header) -> str:
    """Return the name such a file must begin with."""
    return f"EXTF_Buchungsstapel_{header.first:%Y%m%d}_{header.last:%Y%m%d}.csv"


def _header(header):
    if not 1001 <= header.consultant <= 9999999 or not 1 <= header.client <= 99999:
        raise DatevError(
            _lt(
                "DATEV wants a consultant number (Berater) of 1001 to 9999999, a client number (Mandant) of 1 to 99999."
            )
        )
    return [
        *(_text("EXTF"), "700", "21", _text("Buchungsstapel"), "13"),
        *(f"{header.created:%Y%m%d%H%M%S}000", "", _text("RE"), _text(""), _text("")),  # created, imported, by whom
        *(str(header.consultant), str(header.client), f"{header.year_start:%Y%m%d}", str(header.account_digits)),
        *(f"{header.first:%Y%m%d}", f"{header.last:%Y%m%d}", _text(one_line(header.label)[:LABEL]), _text("")),
        *("1", "0", str(int(header.locked)), _text(header.currency)),  # Finanzbuchführung, independent, locked
        *("", _text(""), "", "", _text(header.chart), "", "", _text(""), _text("")),
    ]


def _row(header, posting):
    if not posting.amount or abs(posting.amount) > MOST:
        raise DatevError(_lt("DATEV takes no posting of %(amount)s.", amount=comma(posting.amount)))
    for account in (posting.account, posting.counter):
        if not account.isdecimal() or len(account) > header.account_digits + 1:
            raise DatevError(
                _lt("Account %(account)s has no number that DATEV takes: map it in the settings.", account=account)
            )
    if not header.first <= posting.day <= header.last:
        raise DatevError(_lt("A posting of %(day)s is outside the period of the file.", day=posting.day))
    filled = {
        "Umsatz (ohne Soll/Haben-Kz)": comma(abs(posting.amount)),
        "WKZ Umsatz": _text(header.currency),
        **_foreign(header, posting),
        "Soll/Haben-Kennzeichen": _text("S" if posting.amount > 0 else "H"),
        "Konto": posting.account,
        "Gegenkonto (ohne BU-Schlüssel)": posting.counter,
        "BU-Schlüssel": _text(posting.key) if posting.key else "",
        "Belegdatum": f"{posting.day:%d%m}",
        "Belegfeld 1": _text(NOT_IN_REFERENCE.sub("", posting.reference)[:REFERENCE]),
        "Belegfeld 2": _text(NOT_IN_REFERENCE.sub("", posting.second_reference)[:12]),
        "Buchungstext": _text(one_line(posting.text)[:TEXT]),
        "Festschreibung": str(int(header.locked)),
    }
    return [filled.get(column, "") for column in COLUMNS]


def _foreign(header, posting):
    """Return the columns of an amount in another currency: Umsatz in it, Basis-Umsatz in the company's.

    Kurs is units of the other currency for one of the company's; Umsatz has two decimals whatever the currency.
    """
    if not posting.foreign or posting.foreign % Decimal("0.01"):
        return {}
    rate = (posting.foreign / Decimal(abs(posting.amount)).scaleb(-2)).quantize(Decimal("0.000001"))
    if not RATES[0] <= rate <= RATES[1]:
        return {}
    return {
        "Umsatz (ohne Soll/Haben-Kz)": f"{posting.foreign:.2f}".replace(".", ","),
        "WKZ Umsatz": _text(posting.foreign_currency),
        "Kurs": f"{rate:f}".replace(".", ","),
        "Basis-Umsatz": comma(abs(posting.amount)),
        "WKZ Basis-Umsatz": _text(header.currency),
    }


def _text(value):
    return '"' + value.replace('"', '""') + '"'
