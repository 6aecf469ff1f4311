"""CSV or XLSX of any bank or acquirer, by a mapping: which column holds what, and how numbers and dates are written."""

import csv
import io
import time
from dataclasses import dataclass, field
from datetime import date

from odoo.tools import LazyTranslate

from . import workbook
from .statement import BankFileError, Charge, Line, Statement, check_balance, minor

_lt = LazyTranslate(__name__)

#: What a column can hold. `amount`, or `debit` and `credit`, or (an acquirer's payout) `gross`, `fee` and `net`.
FIELDS = (
    "booked", "valued", "amount", "debit", "credit", "gross", "fee", "net",
    "label", "reference", "code", "batch", "count", "balance",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mapping:
    """How to read one bank's or acquirer's CSV. `columns`: a field of `FIELDS` -> titles of the columns that hold it.

    Several titles are only for `label`: their texts are put together. `skip` lines stand before the titles.
    """

    account: str
    currency: str
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    delimiter: str = ";"
    encoding: str = "utf-8-sig"
    sign: str = ","
    thousands: str = " "
    dates: str = "%d/%m/%Y"
    skip: int = 0


def titles(content: bytes, mapping: Mapping) -> list[str]:
    """Return the titles of a file's columns, to choose from."""
    return next(iter(_rows(content, mapping)), (0, []))[1]


def read(content: bytes, mapping: Mapping) -> list[Statement]:
    """Return the statement of a file; `BankFileError` names the line and what is wrong with it."""
    rows = _rows(content, mapping)
    _place, names = next(rows, (0, []))
    where = {}
    for what, wanted in mapping.columns.items():
        if missing := [title for title in wanted if title not in names]:
            raise BankFileError(
                _lt(
                    "The file has no column “%(title)s”; it has: %(titles)s.", title=missing[0], titles=", ".join(names)
                )
            )
        where[what] = [names.index(title) for title in wanted]
    if "booked" not in where or not where.keys() & {"amount", "net", "credit"}:
        raise BankFileError(_lt("The mapping names no column for the date, or none for the amount."))
    lines, balances = [], []
    for place, row in rows:
        if any(cell.strip() for cell in row):
            cells = _Row(place, row, where, mapping)
            lines.append(_line(cells))
            balances.append(cells.money("balance"))
    opening = closing = None
    if balances and None not in balances:  # newest line first, or last
        newest_first = lines[0].booked > lines[-1].booked
        first, last = (-1, 0) if newest_first else (0, -1)
        opening, closing = balances[first] - lines[first].amount, balances[last]
    return [check_balance(Statement(mapping.account, mapping.currency, tuple(lines), opening=opening, closing=closing))]


def _rows(content, mapping):
    if workbook.looks_like(content):
        yield from enumerate(_rows_of_workbook(content, mapping), mapping.skip + 1)
        return
    try:
        text = content.decode(mapping.encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise BankFileError(_lt("The file is not written in %(encoding)s.", encoding=mapping.encoding)) from error
    try:
        for place, row in enumerate(
            csv.reader(io.StringIO(text, newline=""), delimiter=mapping.delimiter, strict=True), 1
        ):
            if place > mapping.skip:
                yield place, [cell.strip() for cell in row]
    except csv.Error as error:
        raise BankFileError(_lt("The file is damaged: %(why)s", why=error)) from error


def _rows_of_workbook(content, mapping):
    """Return the rows of the first sheet that has the columns, from their titles on; else of the first sheet."""
    wanted = {title for titles in mapping.columns.values() for title in titles}
    found = [rows[mapping.skip :] for rows in workbook.sheets(content, mapping.sign, mapping.dates)]
    return next((rows for rows in found if rows and wanted <= set(rows[0])), found[0] if found else [])


@dataclass(frozen=True, slots=True)
class _Row:
    """One row, its cells by field."""

    place: int
    cells: list[str]
    where: dict[str, list[int]]
    mapping: Mapping

    def text(self, what: str) -> str:
        if self.where.get(what) and max(self.where[what]) >= len(self.cells):
            raise BankFileError(_lt("Line %(place)s has fewer columns than the titles.", place=self.place))
        return " ".join(filter(None, (self.cells[index] for index in self.where.get(what, ()))))

    def money(self, what: str) -> int | None:
        said = self.text(what).replace("\xa0", "").replace("\u202f", "").replace(" ", "").replace("'", "")
        said = said.replace(self.mapping.thousands.strip(), "") if self.mapping.thousands.strip() else said
        said = f"-{said[:-1]}" if said.endswith("-") else said
        return minor(said, self.mapping.currency, self.place, sign=self.mapping.sign) if said else None

    def day(self, what: str) -> date | None:
        said = self.text(what)
        try:
            return date(*time.strptime(said, self.mapping.dates)[:3]) if said else None
        except ValueError as error:
            raise BankFileError(
                _lt("Line %(place)s: “%(said)s” is not a date.", place=self.place, said=said)
            ) from error


def _line(row):
    credit, debit, gross, fee = (row.money(what) for what in ("credit", "debit", "gross", "fee"))
    amount = next((money for money in (row.money("amount"), row.money("net")) if money is not None), None)
    if amount is None and (credit is not None or debit is not None):
        amount = (credit or 0) - abs(debit or 0)
    if amount is None:
        raise BankFileError(_lt("Line %(place)s has no amount.", place=row.place))
    if gross is not None and fee is not None and gross - abs(fee) != amount:
        raise BankFileError(_lt("Line %(place)s: gross less fee is not net.", place=row.place))
    booked = row.day("booked")
    if booked is None:
        raise BankFileError(_lt("Line %(place)s has no date.", place=row.place))
    count = row.text("count")
    return Line(
        amount=amount,
        booked=booked,
        valued=row.day("valued"),
        label=row.text("label"),
        place=row.place,
        reference=row.text("reference"),
        code=row.text("code"),
        gross=gross,
        charges=(Charge(-abs(fee), included=True),) if fee else (),
        batch=row.text("batch"),
        count=int(count) if count.isdecimal() else None,
    )
