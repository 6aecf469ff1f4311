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
    END_OF_DAY,
    PREAUTH_REVERSAL,
    PREAUTHORISE,
    PRINT_BLOCK,
    REFUND,
    REGISTER,
    REPEAT,
    REVERSE,
    STATUS_ENQUIRY,
)
from .options import Options
from .tlv import COMMAND, COMMANDS, PARTIAL, make

MAX_AMOUNT = 10**12 - 1  # BMP 04 has twelve digits
_PRINTS_PAYMENTS, _PRINTS_REST, _TELLS, _NO_ENTRY, _NO_MENU, _AS_LINES = 0x02, 0x04, 0x08, 0x10, 0x20, 0x80
#: Service byte of 06 20: tell the result of the last transaction again, and print nothing (P15 2.14).
_LAST, _NO_PRINT = 0x01, 0x02
#: Service byte of 05 01: tell more in a container (P15 2.56).
_MORE = 0x04

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
    if request.forced:
        raise InvalidRequest("This terminal takes no authorisation given by telephone.", code="not_supported")
    return _COMMANDS[request.kind](request, options)


def _sale(request: Request, options: Options) -> bytes:
    data = _money(request)
    if options.payment_type:
        data += fields.one(fields.PAYMENT_TYPE, bytes.fromhex(options.payment_type))
    if options.partial_approval and options.containers:
        data += fields.one(fields.TLV, make(PARTIAL, b"\x01"))
    return apdu.build(AUTHORISE, data)


def _refund(request: Request, options: Options) -> bytes:
    return apdu.build(REFUND, _password(options) + _money(request))


def _preauth(request: Request, options: Options) -> bytes:
    return apdu.build(PREAUTHORISE, _money(request))


def _completion(request: Request, options: Options) -> bytes:
    return apdu.build(BOOK_TOTAL, _receipt_of(request) + _money(request))


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


_COMMANDS: Mapping[Kind, Callable[[Request, Options], bytes]] = {
    Kind.SALE: _sale,
    Kind.REFUND: _refund,
    Kind.REVERSAL: _reversal,
    Kind.PREAUTH: _preauth,
    Kind.COMPLETION: _completion,
    Kind.SETTLEMENT: _settlement,
    Kind.REPRINT: _reprint,
    Kind.IDENTIFY: _identify,
}


def _money(request: Request) -> bytes:
    return fields.one(fields.AMOUNT, bytes.fromhex(f"{request.amount:012d}")) + fields.one(
        fields.CURRENCY, _number(request.currency)
    )


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
