"""What a till says: the registration, and the command of each kind of request (P15 2; zvt.md 3.1 to 3.3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from ..currency import NUMERIC
from ..machine import InvalidRequest, Request
from ..states import MONEY_KINDS, Kind
from . import apdu, fields
from .commands import (
    AUTHORISE,
    BOOK_TOTAL,
    DIAGNOSE,
    DISPLAY,
    END_OF_DAY,
    INITIALISE,
    LOG_OFF,
    PARTIAL_REVERSAL,
    PREAUTH_REVERSAL,
    PREAUTHORISE,
    PRINT_BLOCK,
    READ_CARD,
    REFUND,
    REGISTER,
    REPEAT,
    REVERSE,
    STATUS_ENQUIRY,
    TELEPHONIC,
    TIP,
    TOTALS,
)
from .options import Options
from .tlv import COMMAND, COMMANDS, PARTIAL, make
from .values import CHARSETS
from .verdict import Asked

MAX_AMOUNT = 10**12 - 1  # BMP 04 has twelve digits
_PRINTS_PAYMENTS, _PRINTS_REST, _TELLS, _NO_ENTRY, _NO_MENU, _AS_LINES = 0x02, 0x04, 0x08, 0x10, 0x20, 0x80
#: Service byte of 06 20: tell the result of the last transaction again, and print nothing (P15 2.14).
_LAST, _NO_PRINT = 0x01, 0x02
#: Service byte of 05 01: tell more in a container (P15 2.56).
_MORE = 0x04
#: Payment type (BMP 19): the terminal decides; and that a tip may be added (P15 2, 06 01).
_ANY_TYPE, _TIPPABLE = 0x40, 0x08
#: How long a text stays on the display, in seconds (BMP F0), and how much a line holds.
_SHOWN, _WIDTH = 30, 24

_receipt = re.compile(r"[0-9]{4}").fullmatch


def registration(options: Options, currency: str) -> bytes:
    """Return the registration (06 00): what the till wants to print, to hear, and what stays closed on the terminal."""
    config = _TELLS
    config |= _PRINTS_PAYMENTS | _PRINTS_REST | _AS_LINES if options.till_prints else 0
    config |= _NO_ENTRY if options.entry_blocked else 0
    config |= _NO_MENU if options.menu_blocked else 0
    data = bytes.fromhex(options.password) + bytes((config,)) + _number(currency or options.currency)
    if options.containers:
        wanted = [make(COMMAND, PRINT_BLOCK.to_bytes(2, "big"))] if options.slips == "blocks" else []
        data += fields.one(fields.TLV, make(COMMANDS, b"".join(wanted)) if wanted else b"")
    return apdu.build(REGISTER, data)


def status_enquiry(options: Options) -> bytes:
    """Return the question how the terminal is (05 01)."""
    more = fields.one(fields.SERVICE, bytes((_MORE,))) if options.containers else b""
    return apdu.build(STATUS_ENQUIRY, _password(options) + more)


def last_result(options: Options) -> bytes:
    """Return the question for the last transaction's result (06 20), with nothing printed."""
    return apdu.build(REPEAT, _password(options) + fields.one(fields.SERVICE, bytes((_LAST | _NO_PRINT,))))


def command(request: Request, options: Options) -> bytes:
    """Return the command that says a request; raise `InvalidRequest` where it cannot be said."""
    if request.kind not in _COMMANDS:
        raise InvalidRequest(f"ZVT has no {request.kind} here.", code="bad_kind")
    if request.kind in MONEY_KINDS:
        if type(request.amount) is not int or not 0 < request.amount <= MAX_AMOUNT:
            raise InvalidRequest("The amount must be above zero and have 12 digits at most.", code="bad_amount")
        if request.currency not in NUMERIC:
            raise InvalidRequest(f"Currency {request.currency or '(none)'} is not known.", code="bad_currency")
    if request.means != "card":
        raise InvalidRequest(f"This terminal does not take this: {request.means}.", code="not_supported")
    if request.forced and not (options.telephone and request.kind is Kind.SALE):
        raise InvalidRequest("This terminal takes no authorisation given by telephone.", code="not_supported")
    return _COMMANDS[request.kind](request, options)


def asked(request: Request, options: Options) -> Asked:
    """Return what the verdict needs to know of a request that `command` can say."""
    held, otherwise = _amount_before(request), None
    if request.kind is Kind.TIP:
        otherwise = held + request.amount  # SM: the sale and its tip
    elif request.kind is Kind.COMPLETION and options.completion == "partial":
        otherwise = held - request.amount
    return Asked(request.kind, request.amount, request.currency or options.currency, options.charset, otherwise)


def _amount_before(request: Request) -> int:
    """What the earlier transaction came to, in minor units."""
    original = request.original or {}
    return int(original.get("amount_approved") or original.get("amount") or 0)


def _sale(request: Request, options: Options) -> bytes:
    data = _money(request)
    if request.forced:
        number = fields.one(fields.APPROVAL, request.forced.encode().ljust(8, b"\0"))
        return apdu.build(TELEPHONIC, _password(options) + data + number)
    if options.payment_type or options.tip:
        paid = bytes.fromhex(options.payment_type)[0] if options.payment_type else _ANY_TYPE
        data += fields.one(fields.PAYMENT_TYPE, bytes((paid | (_TIPPABLE if options.tip else 0),)))
    if options.partial_approval and options.containers:
        data += fields.one(fields.TLV, make(PARTIAL, b"\x01"))
    return apdu.build(AUTHORISE, data)


def _refund(request: Request, options: Options) -> bytes:
    return apdu.build(REFUND, _password(options) + _money(request))


def _preauth(request: Request, options: Options) -> bytes:
    return apdu.build(PREAUTHORISE, _money(request))


def _completion(request: Request, options: Options) -> bytes:
    if options.completion == "partial":  # the terminal is told what was not used
        left = _amount_before(request) - request.amount
        if left < 0:
            raise InvalidRequest("More is used than was held.", code="bad_amount")
        return apdu.build(PARTIAL_REVERSAL, _receipt_of(request) + _money(request, left))
    return apdu.build(BOOK_TOTAL, _receipt_of(request) + _money(request))


def _tip(request: Request, options: Options) -> bytes:
    return apdu.build(TIP, _receipt_of(request) + _money(request))


def _reversal(request: Request, options: Options) -> bytes:
    if (request.original or {}).get("kind") == Kind.PREAUTH:
        return apdu.build(PREAUTH_REVERSAL, _receipt_of(request) + _money(request))
    return apdu.build(REVERSE, _password(options) + _receipt_of(request) + _money(request))


def _settlement(request: Request, options: Options) -> bytes:
    return apdu.build(END_OF_DAY, _password(options))


def _reprint(request: Request, options: Options) -> bytes:
    return apdu.build(REPEAT, _password(options))


def _identify(request: Request, options: Options) -> bytes:
    return status_enquiry(options)


def _totals(request: Request, options: Options) -> bytes:
    return apdu.build(TOTALS, _password(options))


def _diagnosis(request: Request, options: Options) -> bytes:
    return apdu.build(DIAGNOSE, b"")


def _initialisation(request: Request, options: Options) -> bytes:
    return apdu.build(INITIALISE, _password(options))


def _logoff(request: Request, options: Options) -> bytes:
    return apdu.build(LOG_OFF, b"")


def _card(request: Request, options: Options) -> bytes:
    return apdu.build(READ_CARD, bytes((options.card_timeout,)))


def _display(request: Request, options: Options) -> bytes:
    lines = [line[:_WIDTH].encode(CHARSETS[options.charset], "replace") for line in request.text.splitlines()]
    if not 0 < len(lines) <= fields.LINES:
        raise InvalidRequest(f"A text to show has one line at least, and {fields.LINES} at most.", code="malformed")
    shown = [fields.one(fields.FIRST_LINE + number, line) for number, line in enumerate(lines)]
    return apdu.build(DISPLAY, fields.one(fields.DISPLAY_SECONDS, bytes((_SHOWN,))) + b"".join(shown))


_COMMANDS: Mapping[Kind, Callable[[Request, Options], bytes]] = {
    Kind.SALE: _sale,
    Kind.REFUND: _refund,
    Kind.REVERSAL: _reversal,
    Kind.PREAUTH: _preauth,
    Kind.COMPLETION: _completion,
    Kind.SETTLEMENT: _settlement,
    Kind.REPRINT: _reprint,
    Kind.IDENTIFY: _identify,
    Kind.TIP: _tip,
    Kind.TOTALS: _totals,
    Kind.DIAGNOSIS: _diagnosis,
    Kind.INITIALISATION: _initialisation,
    Kind.LOGOFF: _logoff,
    Kind.CARD: _card,
    Kind.DISPLAY: _display,
}


def _money(request: Request, amount: int | None = None) -> bytes:
    digits = f"{request.amount if amount is None else amount:012d}"
    return fields.one(fields.AMOUNT, bytes.fromhex(digits)) + fields.one(fields.CURRENCY, _number(request.currency))


def _number(currency: str) -> bytes:
    return bytes.fromhex(f"0{NUMERIC[currency]}")


def _password(options: Options) -> bytes:
    return bytes.fromhex(options.password)


def _receipt_of(request: Request) -> bytes:
    number = str((request.original or {}).get("terminal_ref", ""))
    if not _receipt(number):
        raise InvalidRequest(
            "The terminal's receipt number of that payment is not known. Make a refund instead.", code="not_supported"
        )
    return fields.one(fields.RECEIPT, bytes.fromhex(number))
