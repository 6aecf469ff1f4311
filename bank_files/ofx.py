"""OFX 1 (SGML, tags that are not closed) and OFX 2 (XML), as banks offer them to small shops.

Source: Open Financial Exchange 1.6 and 2.2, chapter 11.4 (STMTRS, STMTTRN) and 2.2 (headers).
"""

import re
from datetime import date
from html import unescape

from odoo.tools import LazyTranslate

from .statement import BankFileError, Line, Statement, minor

_lt = LazyTranslate(__name__)

TOKEN = re.compile(r"<(/?)([A-Za-z0-9_.]+)[^<>]*>([^<]*)")
#: Aggregates that are looked into; every other tag is a value.
ACCOUNTS = ("STMTRS", "CCSTMTRS")
CHARSETS = {"1252": "cp1252", "UTF-8": "utf-8", "USASCII": "cp1252", "8859-1": "cp1252", "NONE": "cp1252"}


def looks_like(content: bytes) -> bool:
    """Tell whether this is OFX, by its header or root."""
    return b"OFXHEADER" in content[:200].upper() or b"<OFX" in content[:2000].upper()


def read(content: bytes) -> list[Statement]:
    """Return the statements of a file; `BankFileError` where a line lacks its amount, date or identity."""
    text = _text(content)
    if "</OFX" not in text.upper():
        raise BankFileError(_lt("The file is cut off: its end is missing."))
    statements, account, line, place = [], None, None, 0
    for closing, name, said in TOKEN.findall(text):
        tag, value = name.upper(), unescape(said).strip()
        if tag in ACCOUNTS:
            if closing:
                statements.append(_statement(account or {}))
            account = None if closing else {"lines": []}
        elif tag == "STMTTRN" and account is not None:
            if closing:
                account["lines"].append(_line(line or {}, place, account.get("CURDEF", "")))
            place, line = (place, None) if closing else (place + 1, {})
        elif not closing and value and account is not None:
            (account if line is None else line).setdefault(tag, value)
    if account is not None or line is not None or not statements:
        raise BankFileError(_lt("The file is damaged: it holds no whole account."))
    return statements


def _text(content):
    head = content[:1000].decode("ascii", errors="replace")
    named = re.search(r"CHARSET:\s*([\w-]+)", head) or re.search(r"encoding=[\"']([\w-]+)", head)
    encoding = "utf-8" if "ENCODING:UTF-8" in head.upper() or not named else CHARSETS.get(named[1].upper(), named[1])
    try:
        return content.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise BankFileError(
            _lt("The file says it is written in %(encoding)s, and is not.", encoding=encoding)
        ) from error


def _statement(account):
    if "ACCTID" not in account or "CURDEF" not in account:
        raise BankFileError(_lt("A statement in the file does not say which account it is for."))
    number = "".join(account.get(tag, "") for tag in ("BANKID", "BRANCHID", "ACCTID"))
    return Statement(
        account=number, currency=account["CURDEF"], lines=tuple(account["lines"]), name=account.get("DTEND", "")[:8]
    )


def _line(said, place, currency):
    if missing := [tag for tag in ("TRNAMT", "DTPOSTED", "FITID") if tag not in said]:
        raise BankFileError(_lt("Line %(place)s lacks %(tags)s.", place=place, tags=", ".join(missing)))
    return Line(
        amount=minor(said["TRNAMT"], currency, place, sign=","),
        booked=_day(said["DTPOSTED"], place),
        valued=_day(said["DTAVAIL"], place) if "DTAVAIL" in said else None,
        label=" ".join(dict.fromkeys(filter(None, (said.get("NAME"), said.get("MEMO"))))),
        place=place,
        reference=said["FITID"],
        code=said.get("TRNTYPE", ""),
    )


def _day(text, place):
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError as error:
        raise BankFileError(_lt("Line %(place)s: “%(said)s” is not a date.", place=place, said=text)) from error
