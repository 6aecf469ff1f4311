"""Checkers of the files other accounting programs read, by the rules of their publishers and nothing of ours."""

import csv
import re
from datetime import date
from decimal import Decimal

#: Rules of developer.datev.de for the 31 fields of the header, in order; quotes belong to the field.
DATEV_HEADER = (
    '"EXTF"',
    "700",
    "21",
    '"Buchungsstapel"',
    "13",
    r"20\d{15}",
    "",
    '"[A-Z]{0,2}"',
    '".{0,25}"',
    '".{0,25}"',
    r"(1[0-9]{3}|[1-9]\d{3,6})",
    r"[1-9]\d{0,4}",
    r"20\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])",
    "[4-8]",
    r"20\d{6}",
    r"20\d{6}",
    '".{0,30}"',
    '"([A-Z]{2})?"',
    "[12]",
    "(0|30|40|50|64)",
    "[01]",
    '"[A-Z]{3}"',
    "",
    '""',
    "",
    "",
    r'"(\d{2,4})?"',
    "",
    "",
    '""',
    '".{0,16}"',
)
#: The same for the columns that are filled, by their number; every other column is empty.
DATEV_COLUMNS = {
    1: r"(?!0+,00)\d{1,10},\d{2}",
    2: '"[SH]"',
    3: '"[A-Z]{3}"',
    4: r"([1-9]\d{0,3},\d{2,6})?",
    5: r"((?!0+,00)\d{1,10},\d{2})?",
    6: '("[A-Z]{3}")?',
    7: r"(?!0{1,9}$)\d{1,9}",
    8: r"(?!0{1,9}$)\d{1,9}",
    9: r'("\d{4}")?',
    10: r"(0[1-9]|[12]\d|3[01])(0[1-9]|1[0-2])",
    11: r'"[A-Za-z0-9$&%*+/-]{0,36}"',
    12: r'"[A-Za-z0-9$&%*+/-]{0,12}"',
    14: '".{0,60}"',
    114: "[01]",
}
MOST_ROWS = 99_999
FIELD = re.compile(r'("(?:[^"]|"")*"|[^;"]*);')


def _fields(line):
    """Return the fields of a line, each with its quotes."""
    found = FIELD.findall(f"{line};")
    plain = next(csv.reader([line], delimiter=";", strict=True))
    assert [field[1:-1].replace('""', '"') if field[:1] == '"' else field for field in found] == plain
    return found


def check_datev(content):
    """Return (header, rows); else AssertionError.

    Rows are (amount in the company's currency, side, account, counter, day, reference, text, key, and the amount as it
    was paid, its currency, the rate).
    """
    text = content.decode("cp1252")
    assert text.endswith("\r\n"), "the last line ends"
    assert "\n" not in text.replace("\r\n", ""), "lines end with CR LF"
    header, titles, *lines = text.removesuffix("\r\n").split("\r\n")
    said = _fields(header)
    assert len(said) == len(DATEV_HEADER) == 31, len(said)
    for number, (field, rule) in enumerate(zip(said, DATEV_HEADER, strict=True), 1):
        assert re.fullmatch(rule, field), f"header field {number}: {field}"
    names = titles.split(";")
    assert len(names) == len(set(names)) == 125, "125 columns"
    assert (names[0], names[6], names[9], names[13]) == (
        "Umsatz (ohne Soll/Haben-Kz)",
        "Konto",
        "Belegdatum",
        "Buchungstext",
    )
    year, first, last = said[12], said[14], said[15]
    assert year <= first <= last
    assert int(last) < int(year) + 10000, "one file for each fiscal year"
    assert len(lines) <= MOST_ROWS
    rows = []
    for line in lines:
        cells = _fields(line)
        assert len(cells) == 125, len(cells)
        for number, cell in enumerate(cells, 1):
            assert re.fullmatch(DATEV_COLUMNS.get(number, ""), cell), f"column {number}: {cell}"
        day = cells[9]
        dated = {f"{first[:4]}{day[2:]}{day[:2]}", f"{last[:4]}{day[2:]}{day[:2]}"}
        assert any(first <= moment <= last for moment in dated), f"{day} is outside the period"
        assert all(len(account) <= int(said[13]) + 1 for account in cells[6:8]), cells[6:8]
        plain = [cell.strip('"') for cell in cells]
        foreign = [bool(cell) for cell in plain[3:6]]
        assert foreign in ([False] * 3, [True] * 3), "rate, base amount and its currency come together"
        assert (plain[2] == said[21].strip('"')) != foreign[0], "another currency has a rate, the company's has none"
        assert plain[5] in ("", said[21].strip('"'))
        base = plain[4] or plain[0]
        rows.append((base, *(plain[place] for place in (1, 6, 7, 9, 10, 13, 8, 0, 2, 3))))
    return said, rows


def datev_movement(rows):
    """Return {account: net cents} of the rows."""
    moved = {}
    for amount, side, account, counter, *_rest in rows:
        minor = int(amount.replace(",", "")) * (1 if side == "S" else -1)
        moved[account] = moved.get(account, 0) + minor
        moved[counter] = moved.get(counter, 0) - minor
    return moved


FEC_COLUMNS = [
    "JournalCode",
    "JournalLib",
    "EcritureNum",
    "EcritureDate",
    "CompteNum",
    "CompteLib",
    "CompAuxNum",
    "CompAuxLib",
    "PieceRef",
    "PieceDate",
    "EcritureLib",
    "Debit",
    "Credit",
    "EcritureLet",
    "DateLet",
    "ValidDate",
    "Montantdevise",
    "Idevise",
]
FEC_FILLED = {
    "JournalCode",
    "JournalLib",
    "EcritureNum",
    "EcritureDate",
    "CompteNum",
    "CompteLib",
    "PieceRef",
    "PieceDate",
    "EcritureLib",
    "Debit",
    "Credit",
    "ValidDate",
}


def check_fec(content):
    """Return the rows as {column: text}; else AssertionError (article A47 A-1 LPF)."""
    text = content.decode("utf-8")
    assert text.endswith("\r\n")
    assert "\n" not in text.replace("\r\n", "")
    titles, *lines = text.removesuffix("\r\n").split("\r\n")
    assert titles.split("\t") == FEC_COLUMNS
    rows, entries = [], {}
    for line in lines:
        assert "|" not in line
        row = dict(zip(FEC_COLUMNS, line.split("\t"), strict=True))
        for column in FEC_FILLED:
            assert row[column].strip() == row[column] != "", (column, row)
        for column in ("EcritureDate", "PieceDate", "ValidDate", "DateLet"):
            if row[column]:
                assert re.fullmatch(r"\d{8}", row[column]), row[column]
                date.fromisoformat(row[column])
        for column in ("Debit", "Credit"):
            assert re.fullmatch(r"\d+,\d{2}", row[column]), row[column]
        assert bool(row["EcritureLet"]) == bool(row["DateLet"]), row
        assert bool(row["Montantdevise"]) == bool(row["Idevise"]), row
        assert re.fullmatch(r"(-?\d+(,\d{1,3})?)?", row["Montantdevise"]), row
        assert re.fullmatch(r"([A-Z]{3})?", row["Idevise"]), row
        assert bool(row["CompAuxNum"]) == bool(row["CompAuxLib"]), row
        assert re.match(r"\d{3}", row["CompteNum"]), "accounts begin with three digits of the chart"
        assert row["Debit"] == "0,00" or row["Credit"] == "0,00", row
        key = row["JournalCode"], row["EcritureNum"]
        balance = money(row["Debit"]) - money(row["Credit"])
        entries.setdefault(key, []).append((balance, row["EcritureDate"], row["PieceRef"], row["PieceDate"]))
        rows.append(row)
    for key, found in entries.items():
        assert len(found) > 1 and not sum(balance for balance, *_rest in found), f"{key} does not balance: {found}"
        assert len({said[1:] for said in found}) == 1, f"{key} is of one day and one piece"
    dates = [row["ValidDate"] for row in rows]
    assert dates == sorted(dates), "in the order of validation"
    return rows


def money(text):
    return Decimal(text.replace(",", "."))


def fec_movement(rows):
    """Return {account: net amount} of the rows."""
    moved = {}
    for row in rows:
        moved[row["CompteNum"]] = moved.get(row["CompteNum"], 0) + money(row["Debit"]) - money(row["Credit"])
    return moved
