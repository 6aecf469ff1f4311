"""The fields of a request in CONCERT V3. What is not asked for leaves no field: some terminals refuse it then.

Sources: OCA l10n_fr_pos_caisse_ap_ip and akretion/caisse-ap-ip (the six fields a real terminal needs), HiPay "Local API
for Nepting" (CC, BB, BH, BI, CF), PayXpert "Concert V3" (CK, CH).
"""

from __future__ import annotations

from ..currency import NUMERIC
from ..machine import InvalidRequest, Request
from ..recovery import Lost
from ..states import MONEY_KINDS, Kind
from . import means
from .duplicate import token
from .options import Options
from .tables import ANYTHING, DUPLICATE, EXCHANGES, FIELDS, REFERENCE_TAGS, TICKETS

MAX_AMOUNT = 10**12 - 1  # CB has 12 digits at most
OPTIONAL = ("CC", "BB", "BH", "BI", "CK", *REFERENCE_TAGS)


def request_fields(request: Request, options: Options) -> dict[str, str]:
    """Return the fields that say a request; raise `InvalidRequest` where it cannot be said."""
    if request.kind not in EXCHANGES:
        raise InvalidRequest(f"CONCERT V3 has no {request.kind} here.", code="bad_kind")
    exchange = EXCHANGES[request.kind]
    values = {"CZ": options.version, "CJ": options.ipc, "CA": options.register_number, "CD": exchange.action}
    if request.kind in MONEY_KINDS:
        values |= _money(request) | _payment(request, options) | _references(request, options)
    if request.kind is Kind.REPRINT:
        values |= ANYTHING
    if options.tickets and (request.kind in MONEY_KINDS or request.kind is Kind.REPRINT):
        values["CK"] = TICKETS[options.ticket_copies]
    return {tag: values[tag] for tag in (*exchange.request, *OPTIONAL) if values.get(tag)}


def duplicate_fields(lost: Lost, options: Options) -> dict[str, str]:
    """Return the fields that ask for the last result. No reference: one that comes back is then the terminal's own."""
    asked = request_fields(Request(lost.uuid, lost.kind, lost.amount, lost.currency), options)
    return {tag: DUPLICATE.action if tag == "CD" else asked[tag] for tag in DUPLICATE.request}


def _money(request: Request) -> dict[str, str]:
    if type(request.amount) is not int or not 0 < request.amount <= MAX_AMOUNT:
        raise InvalidRequest("The amount must be above zero and have 12 digits at most.", code="bad_amount")
    if request.currency not in NUMERIC:
        raise InvalidRequest(f"Currency {request.currency or '(none)'} is not known.", code="bad_currency")
    return {"CB": f"{request.amount:02d}", "CE": NUMERIC[request.currency]}  # two digits at least (AK, OCA)


def _payment(request: Request, options: Options) -> dict[str, str]:
    """What it is paid with, and where the customer's slip goes."""
    refuse_unsayable(request, means.V3)
    contacts = {"BH": request.receipt.get("phone", ""), "BI": request.receipt.get("email", "")}
    for tag, value in contacts.items():
        if value and not FIELDS[tag].fits(value):
            raise InvalidRequest(f"The {FIELDS[tag].name} for the slip has the wrong length or characters.")
    return {"CC": means.V3[request.means], "BB": "1" if options.authorise else "", **contacts}


def refuse_unsayable(request: Request, words: dict[str, str]) -> None:
    """Refuse what neither version of CONCERT has a word for; `words` are the means that this one has."""
    if request.means not in words:
        raise InvalidRequest(f"This terminal does not take this: {request.means}.", code="not_supported")
    if request.means == "cheque" and request.kind is not Kind.SALE:
        raise InvalidRequest("A cheque cannot be taken back by the terminal: give it back.", code="not_supported")
    if request.kind is Kind.REVERSAL and (request.original or {}).get("kind") == Kind.PREAUTH:
        raise InvalidRequest("Release the held amount on the terminal: it cannot be asked to.", code="not_supported")
    if request.forced:
        raise InvalidRequest("This terminal takes no authorisation given by telephone.", code="not_supported")


def _references(request: Request, options: Options) -> dict[str, str]:
    """What is sent to come back, or to be printed. Last wins nowhere: options never fill a field twice."""
    values = {"CF": options.private_data}
    if options.order_tag:
        values[options.order_tag] = "".join(char for char in request.reference if " " <= char <= "~")[:99]
    if options.reference_tag:
        values[options.reference_tag] = token(request.uuid)
    return values
