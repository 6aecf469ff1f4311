"""Tables for people: CSV and XLSX in which no text is a formula.

CSV: UTF-8 with a byte order mark, semicolons, CR/LF, ISO dates: what a spreadsheet opens by a double click.
"""

import codecs
import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

#: First characters that make a spreadsheet take text for a formula (OWASP, CSV injection).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
#: What a spreadsheet takes as the name of a sheet.
SHEET_NAME = 31


@dataclass(frozen=True, slots=True)
class Amount:
    """Minor units with the digits of their currency."""

    minor: int
    digits: int = 2

    def decimal(self) -> Decimal:
        return Decimal(self.minor).scaleb(-self.digits)


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet; cells are texts, whole numbers, `Amount`, dates, moments, or None."""

    name: str
    titles: Sequence[str]
    rows: Iterable[Sequence]


def plain_cell(value):
    """Return text that no spreadsheet runs."""
    text = value or ""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def write_csv(table: Table, sign: str = ".") -> bytes:
    """Return one table, amounts with this decimal sign."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(table.titles)
    writer.writerows([_as_text(cell, sign) for cell in row] for row in table.rows)
    return codecs.BOM_UTF8 + text.getvalue().encode()


def write_xlsx(tables: Iterable[Table]) -> bytes:
    """Return a workbook with a sheet for each table: amounts and dates are numbers, texts are texts."""
    import xlsxwriter

    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True, "strings_to_formulas": False}) as book:
        title = book.add_format({"bold": True, "bottom": 1})
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        money = {}
        for table in tables:
            sheet = book.add_worksheet(table.name[:SHEET_NAME])
            sheet.freeze_panes(1, 0)
            sheet.set_column(0, max(len(table.titles) - 1, 0), 18)
            for column, name in enumerate(table.titles):
                sheet.write_string(0, column, name, title)
            for line, row in enumerate(table.rows, 1):
                for column, cell in enumerate(row):
                    if isinstance(cell, Amount):
                        shape = "#,##0" + ("." + "0" * cell.digits if cell.digits else "")
                        if shape not in money:
                            money[shape] = book.add_format({"num_format": shape})
                        sheet.write_number(line, column, cell.decimal(), money[shape])
                    elif isinstance(cell, datetime):
                        sheet.write_datetime(line, column, cell, moment)
                    elif isinstance(cell, date):
                        sheet.write_datetime(line, column, cell, day)
                    elif isinstance(cell, int) and not isinstance(cell, bool):
                        sheet.write_number(line, column, cell)
                    elif cell:
                        sheet.write_string(line, column, plain_cell(str(cell)))
    return stream.getvalue()


def _as_text(cell, sign):
    if isinstance(cell, Amount):
        return f"{cell.decimal():f}".replace(".", sign)
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M:%S}"
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, int) and not isinstance(cell, bool):
        return str(cell)
    return plain_cell(cell)
