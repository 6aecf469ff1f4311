"""CFONB 120, "relevé de compte sur support informatique": records of 120 characters, with or without line breaks.

Source: CFONB, Relevé de comptes 120 caractères; columns below count from 0.
"""

from datetime import date

from odoo.tools import LazyTranslate

from .statement import BankFileError, Charge, Line, Statement, check_balance, minor

_lt = LazyTranslate(__name__)

LENGTH = 120
OLD_BALANCE, MOVEMENT, DETAIL, NEW_BALANCE = "01", "04", "05", "07"
#: The last digit of an amount carries its sign ("over-punched").
SIGNED_DIGIT = {
    **{letter: (str(digit), 1) for digit, letter in enumerate("{ABCDEFGHI")},
    **{letter: (str(digit), -1) for digit, letter in enumerate("}JKLMNOPQR")},
}
#: Details (record 05) that say more of what the line was: qualifier -> it belongs to the label.
LABELS = frozenset({"LIB", "LCC", "LC2", "LCS", "NPY", "NBE", "RCN", "REF"})


def looks_like(content: bytes) -> bool:
    """Tell whether these are CFONB records: the first is an old balance with a decimals digit where it belongs."""
    head = content.lstrip()[:LENGTH]
    return head[:2] == b"01" and len(head) == LENGTH and head[19:20].isdigit() and head[16:19].isalpha()


def read(content: bytes) -> list[Statement]:
    """Return the statements of a file; `BankFileError` where a record is damaged or the balances do not meet."""
    statements, records = [], []
    for place, record in enumerate(_records(content), 1):
        kind = record[:2]
        if kind == OLD_BALANCE and records:
            raise _unfinished(records)
        if kind != OLD_BALANCE and not records:
            raise BankFileError(
                _lt("Line %(place)s: a statement begins with record 01, not with %(kind)s.", place=place, kind=kind)
            )
        records.append((place, record))
        if kind == NEW_BALANCE:
            statements.append(check_balance(_statement(records)))
            records = []
    if records:
        raise _unfinished(records)
    return statements


def _records(content):
    text = content.decode("cp1252", errors="replace").replace("\r", "\n").rstrip("\n\x1a \0")
    if "\n" in text:
        lines = [line.ljust(LENGTH) for line in text.split("\n") if line.strip()]
    else:
        lines = [text[start : start + LENGTH].ljust(LENGTH) for start in range(0, len(text), LENGTH)]
    for place, line in enumerate(lines, 1):
        if len(line) != LENGTH or line[:2] not in (OLD_BALANCE, MOVEMENT, DETAIL, NEW_BALANCE):
            raise BankFileError(_lt("Line %(place)s is not a CFONB record of 120 characters.", place=place))
    return lines


def _statement(records):
    (place, first), (last_place, last) = records[0], records[-1]
    account, currency = first[2:7] + first[11:16] + first[21:32], first[16:19]
    lines = []
    for number, record in records[1:-1]:
        if record[2:7] + record[11:16] + record[21:32] != account:
            raise BankFileError(_lt("Line %(place)s belongs to another account than its statement.", place=number))
        if record[:2] == MOVEMENT:
            lines.append([(number, record)])
        elif not lines:
            raise BankFileError(_lt("Line %(place)s: a detail without its line.", place=number))
        else:
            lines[-1].append((number, record))
    return Statement(
        account=account.strip(),
        currency=currency,
        lines=tuple(_line(own, currency) for own in lines),
        name=_day(last[34:40], last_place).isoformat(),
        opening=_amount(first[90:104], first[19], currency, place),
        closing=_amount(last[90:104], last[19], currency, last_place),
    )


def _line(records, currency):
    (place, record), details = records[0], records[1:]
    said = [(detail[45:48].strip(), detail[48:118].strip()) for _place, detail in details]
    fees = [
        Charge(-abs(_amount(text[4:18], text[3:4], text[:3], number)), included=True, text="FEE")
        for (qualifier, text), (number, _record) in zip(said, details, strict=True)
        if qualifier == "FEE" and text[:3] == currency
    ]
    texts = [record[48:79].strip(), *(text for qualifier, text in said if qualifier in LABELS)]
    return Line(
        amount=_amount(record[90:104], record[19], currency, place),
        booked=_day(record[34:40], place),
        valued=_day(record[42:48], place) if record[42:48].strip("0 ") else None,
        label=" ".join(" ".join(text.split()) for text in texts if text),
        place=place,
        reference=record[104:120].strip(),
        code=record[32:34].strip(),
        charges=tuple(fees),
    )


def _amount(field, digits, currency, place):
    digit, sign = SIGNED_DIGIT.get(field[-1:], ("?", 1))
    number = field[:-1].strip() + digit
    if not number.isdecimal() or not digits.isdecimal():
        raise BankFileError(_lt("Line %(place)s: the amount cannot be read.", place=place))
    return sign * minor(f"{number}e-{digits}", currency, place)


def _day(field, place):
    try:
        return date(2000 + int(field[4:6]), int(field[2:4]), int(field[:2]))
    except ValueError as error:
        raise BankFileError(_lt("Line %(place)s: “%(said)s” is not a date.", place=place, said=field)) from error


def _unfinished(records):
    place, _record = records[0]
    return BankFileError(
        _lt("The statement that begins in line %(place)s has no end (record 07): the file is cut off.", place=place)
    )
