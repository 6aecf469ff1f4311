"""XLSX of an acquirer, as rows of texts written the way the mapping of its CSV says: one mapping reads both.

Formulas count with the value that was saved with them. Source: ECMA-376, SpreadsheetML, read by openpyxl (Odoo has it).
"""

import io
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

from odoo.tools import LazyTranslate

from .archive import is_zip, members, too_large
from .statement import BankFileError

_lt = LazyTranslate(__name__)

MOST_ROWS = 200_000
#: A calculated amount such as 0.1 + 0.2 is kept with more digits than anybody wrote.
DIGITS = 6


def looks_like(content: bytes) -> bool:
    """Tell whether this is a workbook."""
    return is_zip(content) and b"xl/workbook.xml" in content


def sheets(content: bytes, sign: str, dates: str) -> list[list[list[str]]]:
    """Return the rows of each sheet, with this decimal sign and form of dates; `BankFileError` where it is damaged."""
    from openpyxl import load_workbook

    for name, part in members(content):
        if _defines_entities(part):
            raise BankFileError(
                _lt("%(name)s in the workbook defines its own abbreviations (DOCTYPE): it is not read.", name=name)
            )
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        return [list(_rows(sheet, sign, dates)) for sheet in book.worksheets]
    except BankFileError:
        raise
    except Exception as error:  # openpyxl raises whatever its parsers and its own slips do
        raise BankFileError(_lt("The workbook is damaged: %(why)s", why=error)) from error


def _rows(sheet, sign, dates) -> Iterator[list[str]]:
    for place, row in enumerate(sheet.iter_rows(values_only=True), 1):
        if place > MOST_ROWS:
            raise too_large()
        yield [_text(value, sign, dates) for value in row]


def _text(value, sign, dates):
    match value:
        case None:
            return ""
        case bool():
            return str(int(value))
        case int():
            return str(value)
        case float():
            said = format(Decimal(repr(round(value, DIGITS))), "f")
            return (said.rstrip("0").rstrip(".") if "." in said else said).replace(".", sign)
        case datetime() | date():
            return value.strftime(dates)
        case _:
            return str(value).strip()


def _defines_entities(part):
    return any("<!DOCTYPE".encode(encoding) in part for encoding in ("ascii", "utf-16-le", "utf-16-be"))
