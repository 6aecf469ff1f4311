"""What a CONCERT V2 terminal demands of a request and puts into its answers (concert.md 1.6, 1.7 and 1.10).

A reply of V2 has no field that says "virtual". The card's field, behind its number, says it, else the private
positions where the till left them empty; where neither is free, nothing is approved.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..protocols.concert.v2.messages import build, parse_request
from ..protocols.concert.v2.tables import MEANS, OPERATION_NAMES, VIRTUAL
from ..protocols.machine import MalformedMessage
from .concert_answers import Dialect, Reason, Reply, Request, slip
from .faults import Faults
from .ledger import Entry

_MEANS_OF = {brand: code for code, brand in MEANS.items()}


def read(data: bytes, currencies: Mapping[str, str], refuse_bf: bool) -> Request:
    """Understand a request, or say in `problem` why not."""
    fields = parse_request(data)
    kind = OPERATION_NAMES.get(fields["operation"], "")
    amount = int(fields["amount"])
    currency = currencies.get(fields["currency"], "")
    problem = None if kind and amount and currency and _can_be_marked(fields) else Reason.FORMAT
    return Request(dict(fields), kind, amount, currency, problem, fields["register"])


def encode(reply: Reply, faults: Faults | None) -> bytes:
    """Return an answer: status 0 where it was done, else 7."""
    asked = reply.request.fields
    status = "0" if reply.done else "7"
    if faults and reply.done and (other := faults.take("status")):
        status = str(other.value)[:1]
    amount = reply.entry.amount if reply.done and reply.entry else int(asked["amount"])
    fields = {
        "register": asked["register"],
        "status": status,
        "amount": f"{amount:08d}",
        "means": _means(reply),
        "currency": asked["currency"],
        "private": _private(asked),
    }
    if asked["answer"] == "0":
        return build("short_reply", fields)
    ticket = slip(reply, "customer") if reply.entry and asked.get("ticket") else ""
    return build("full_reply", {**fields, "card": _card(reply), "ticket": ticket})


def duplicate(request: Request, last: Entry | None, numbers: Mapping[str, str]) -> tuple[Reply, bytes]:
    """V2 has no such question (concert.md 1.9)."""
    raise NotImplementedError


def _can_be_marked(fields: Mapping[str, str]) -> bool:
    return fields["answer"] != "0" or not fields["private"].strip(" 0")


def _private(asked: Mapping[str, str]) -> str:
    """The till's own data come back as they came."""
    marked = asked["answer"] == "0" and not asked["private"].strip(" 0")
    return VIRTUAL[:10].ljust(10) if marked else str(asked["private"])


def _means(reply: Reply) -> str:
    asked = str(reply.request.fields["means"])
    brand = reply.entry.card.brand if reply.entry and reply.entry.card else ""
    return asked if asked == "C" else _MEANS_OF.get(brand, asked)


def _card(reply: Reply) -> str:
    card = reply.card
    number = "" if card is None else card.line.strip() or f"{card.prefix}000000{card.last4}"
    return f"{number} {VIRTUAL}".ljust(55)


def _is_request(data: bytes) -> bool:
    try:
        parse_request(data)
    except MalformedMessage:
        return False
    return True


V2 = Dialect(_is_request, read, encode, duplicate, frozenset({"line", "v2"}))
