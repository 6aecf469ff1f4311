"""What a bank's file says, whatever its format: the booked lines of accounts, amounts in signed minor units.

Facts that a format does not carry are None or empty, never zero.
"""

import hmac
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from odoo.tools import LazyTranslate

from ..hw_driver.money import decimals, readable

_lt = LazyTranslate(__name__)

#: No account holds more; a longer number is a damaged file.
MOST_DIGITS = 18


class BankFileError(Exception):
    """A file that is not taken, and why: `text` is a translatable sentence for who imports it."""

    def __init__(self, text):
        super().__init__(text)
        self.text = text


@dataclass(frozen=True, slots=True)
class Charge:
    """What the bank or acquirer kept: `amount` is negative where it was taken; `included` in the line's amount."""

    amount: int
    included: bool
    text: str = ""


@dataclass(frozen=True, slots=True)
class Detail:
    """One transaction inside a line: evidence, never a line of its own."""

    amount: int
    reference: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One booked line; `amount` is positive where money came in. `place` is where the file has it, counted from 1."""

    amount: int
    booked: date
    label: str
    place: int
    valued: date | None = None
    #: The bank's own reference (CAMT AcctSvcrRef, OFX FITID, CFONB columns 105 to 120).
    reference: str = ""
    #: What kind of movement, in the format's own words (CAMT ``PMNT/MCRD/POSP``, CFONB operation code, OFX TRNTYPE).
    code: str = ""
    #: Takes back an earlier line (CAMT RvslInd).
    reversal: bool = False
    #: Before charges, where the file says so.
    gross: int | None = None
    #: What was paid in another currency, where the bank changed it: (currency, minor units).
    foreign: tuple[str, int] | None = None
    charges: tuple[Charge, ...] = ()
    #: The payer's name of the batch (CAMT PmtInfId) and how many transactions are in it.
    batch: str = ""
    count: int | None = None
    details: tuple[Detail, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """The lines of one account in one file. `evidence`: tells of lines that another file books (camt.054)."""

    account: str
    currency: str
    lines: tuple[Line, ...]
    name: str = ""
    opening: int | None = None
    closing: int | None = None
    evidence: bool = False
    warnings: tuple[object, ...] = ()


def minor(text: str, currency: str, place: int, *, digits: int | None = None, sign: str = ".") -> int:
    """Return the minor units of an amount as a file writes it; `digits` are its decimals where the file says them.

    Raises `BankFileError` where it is no amount, or has more decimals than the currency.
    """
    digits = decimals(currency) if digits is None else digits
    try:
        scaled = Decimal(text.strip().replace(sign, ".")).scaleb(digits)
    except InvalidOperation:
        scaled = None
    if scaled is None or not scaled.is_finite() or scaled.adjusted() >= MOST_DIGITS or scaled % 1:
        said = _lt(
            "Line %(place)s: “%(said)s” is not an amount in %(currency)s.", place=place, said=text, currency=currency
        )
        raise BankFileError(said)
    return int(scaled)


def check_balance(statement: Statement) -> Statement:
    """Return the statement, or raise `BankFileError` where its lines do not lead from one balance to the other."""
    if statement.opening is None or statement.closing is None:
        return statement
    reached = statement.opening + sum(line.amount for line in statement.lines)
    if reached == statement.closing:
        return statement
    opening, reached, closing = (
        readable(amount, statement.currency) for amount in (statement.opening, reached, statement.closing)
    )
    raise BankFileError(
        _lt(
            "Account %(account)s: the lines lead from %(opening)s to %(reached)s, but the file ends with %(closing)s. "
            "Lines are missing or were changed; ask the bank for the file again.",
            account=statement.account,
            opening=opening,
            reached=reached,
            closing=closing,
        )
    )


def keys(statement: Statement, seen: Counter[str] | None = None, secret: bytes = b"") -> Iterator[tuple[str, Line]]:
    """Give each line a key that is the same in every file that has it.

    Lines that say the same are told apart by their order within the day, which overlapping files share. Statements of
    one file (its pages) share `seen`, which is counted on. The secret keeps what a line says, which may be a card
    number, from being found out by trying.
    """
    seen = Counter() if seen is None else seen
    for line in statement.lines:
        said = (statement.account, line.booked, line.valued, line.amount, line.reference, line.code, line.label)
        digest = hmac.digest(secret, "\0".join(map(str, said)).encode(), "sha256").hex()[:32]
        seen[digest] += 1
        yield f"{digest}#{seen[digest]}", line
