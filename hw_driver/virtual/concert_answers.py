"""What a CONCERT V3 terminal demands of a request and puts into its answers.

Sources: HiPay "Local API for Nepting" (tags, AE and AF tables), OCA l10n_fr_pos_caisse_ap_ip (what real Ingenico
terminals return), PayXpert "Concert V3" (CK and ZT).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from ..protocols.concert.tlv import Fields, Reader, build
from ..protocols.machine import MalformedMessage
from .cards import CARDS, CardProfile
from .faults import Faults
from .ledger import Entry
from .receipt import receipt

KINDS = {
    "0": "sale", "1": "refund", "2": "reversal", "3": "duplicate", "4": "preauth", "B": "settlement", "I": "identify",
}  # fmt: skip
WITHOUT_MONEY = frozenset({"identify", "duplicate", "settlement"})
MONEY = frozenset(KINDS.values()) - WITHOUT_MONEY
REFERENCES = ("CH", "CF")
CHEQUE = "00C"
VIRTUAL_TAG = "VT"  # docs/api.md 5: no real terminal sends it


class Reason(StrEnum):
    """AF: why it was not done."""

    UNKNOWN = "00"
    REFUSED = "04"
    NOT_COMPLETED = "07"
    INPUT_TIMEOUT = "08"
    FORMAT = "09"
    OPERATOR_ABANDON = "11"
    UNKNOWN_ACTION = "12"
    CURRENCY = "13"


#: What each mandatory field must look like. CA of one digit: PayXpert's examples; CB of one: HiPay's.
_SHAPES = {
    tag: re.compile(shape).fullmatch
    for tag, shape in {"CZ": r"[0-9]{4}", "CJ": r"[0-9]{12}", "CA": r"[0-9]{1,2}", "CD": r"[0-9A-Z]"}.items()
}
_MONEY_SHAPES = {tag: re.compile(shape).fullmatch for tag, shape in {"CB": r"[0-9]{1,12}", "CE": r"[0-9]{3}"}.items()}
#: AF in 29 bytes: code, response code (2), message (21), two fields of 2 (HiPay, AF).
_LONG_REASON = {Reason.REFUSED: ("51", "PROVISION INSUFFISANTE")}
_COPIES = {"0": ("customer",), "1": ("merchant",), "2": ("merchant", "customer")}


@dataclass(frozen=True, slots=True)
class Request:
    """A till's request as it was understood. `problem` says why it must be refused, `amount` is in minor units."""

    fields: Fields
    kind: str = ""
    amount: int = 0
    currency: str = ""
    problem: Reason | None = None
    register: str = ""

    @property
    def wants_cheque(self) -> bool:
        """Whether the till asks for a cheque: CC of V3, MODE of V2."""
        return self.fields.get("CC") == CHEQUE or self.fields.get("means") == "C"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the terminal has to say. `entry`, `card` and `at` (local time) are there when a dialog was held."""

    request: Request
    done: bool = False
    reason: Reason | None = None
    entry: Entry | None = None
    card: CardProfile | None = None
    at: datetime = field(default_factory=datetime.now)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a terminal reads and says messages.

    `complete(data)`: whether a request is whole; `read(data, currencies, refuse_bf)`: what it says;
    `encode(reply, faults)`: an answer's bytes; `duplicate(request, last, numbers)`: the copy of the last result.
    `traits` are ``stream`` or ``line``, and ``v2`` or ``v3``.
    """

    complete: Callable[[bytes], bool]
    read: Callable[[bytes, Mapping[str, str], bool], Request]
    encode: Callable[[Reply, Faults | None], bytes]
    duplicate: Callable[[Request, Entry | None, Mapping[str, str]], tuple[Reply, bytes]]
    traits: frozenset[str]

    @property
    def framed(self) -> bool:
        """Whether a line below keeps messages whole."""
        return "line" in self.traits


def complete(data: bytes) -> bool:
    """Whether `data` holds all a request must have, or can become no request any more. More may still follow."""
    reader = _parse(data)
    if reader is None:
        return True
    fields = reader.fields
    money = _MONEY_SHAPES if KINDS.get(str(fields.get("CD", "0"))) in MONEY else ()
    return reader.whole and all(tag in fields for tag in (*_SHAPES, *money))


def read(data: bytes, currencies: Mapping[str, str], refuse_bf: bool) -> Request:
    """Understand a request, or say in `problem` why not."""
    reader = _parse(data)
    if reader is None:
        return Request({}, problem=Reason.FORMAT)
    fields = reader.fields
    if not reader.whole or not _fit(fields, _SHAPES) or (refuse_bf and "BF" in fields):
        return Request(fields, problem=Reason.FORMAT)
    kind = KINDS.get(fields["CD"])
    if kind is None:
        return Request(fields, problem=Reason.UNKNOWN_ACTION)
    if kind in WITHOUT_MONEY:
        return Request(fields, kind, register=str(fields["CA"]))
    if not _fit(fields, _MONEY_SHAPES) or int(fields["CB"]) == 0 or fields.get("BA", "0") != "0":
        return Request(fields, kind, problem=Reason.FORMAT)
    if fields["CE"] not in currencies:
        return Request(fields, kind, problem=Reason.CURRENCY)
    return Request(fields, kind, int(fields["CB"]), currencies[fields["CE"]], register=str(fields["CA"]))


def encode(reply: Reply, faults: Faults | None = None) -> bytes:
    """Return the bytes of an answer, in the dialect and with the damage that `faults` ask for."""
    faults = faults or Faults()
    request = reply.request.fields
    answer: Fields = {tag: request[tag] for tag in ("CZ", "CJ", "CA") if tag in request}
    answer.setdefault("CZ", "0300")
    answer["AE"] = "10" if reply.done else "01"
    if reply.reason:
        reason = Reason.REFUSED if request.get("CC") == CHEQUE else reply.reason  # Ingenico: 04 for every cheque
        answer["AF"] = _long(reason) if faults.take("long_reason") else reason
    answer |= {tag: request[tag] for tag in ("CB", "CD", "CE") if tag in request}
    if reply.done and reply.entry:
        answer["CB"] = f"{reply.entry.amount:0{12 if faults.take('zero_padded') else 2}d}"
    elif "CB" in answer and faults.take("no_amount"):
        del answer["CB"]
    answer |= _card(reply)
    answer |= references(reply.request)
    if reply.entry and request.get("CK", "0")[0] == "1":
        answer["ZT"] = _ticket(reply, request["CK"])
    if version := faults.take("version"):
        answer["CZ"] = f"{version.value:04d}"
    if faults.take("extra_tags"):
        answer |= {"QX": "UNKNOWN", "ZQ": {"QY": "1"}}
    answer[VIRTUAL_TAG] = "1"
    data = build(answer)
    if faults.take("corrupt"):
        data = data.replace(b"AE002", b"\xc1E002", 1)
    if faults.take("malformed"):
        data = data.replace(b"AE002", b"AE0O2", 1)
    return data


def references(request: Request) -> dict[str, str]:
    """Return what the till calls this payment, by tag."""
    return {tag: str(request.fields[tag]) for tag in REFERENCES if tag in request.fields}


def duplicate(request: Request, last: Entry | None, numbers: Mapping[str, str]) -> tuple[Reply, bytes]:
    """Return the answer to "what was the last one?" (CD 3), and its bytes; `numbers` are the currencies'.

    As HiPay's "Duplicata" has it: the last success with its own amount; a failure when the last one was not completed,
    or when there is none. Which reasons (AF) a terminal gives is not published.
    """
    if last is None or last.outcome != "approved":
        reply = Reply(request, reason=Reason.NOT_COMPLETED if last else Reason.UNKNOWN)
        return reply, encode(reply)
    card = next((card for card in CARDS.values() if last.card and card.last4 == last.card.last4), None)
    original = {**request.fields, "CB": "0", "CE": numbers[last.currency], **last.references}
    reply = Reply(Request(original, request.kind), True, entry=last, card=card)
    return reply, encode(reply)


def slip(reply: Reply, copy: str) -> str:
    """Return the text of a dialog's slip."""
    assert reply.entry is not None
    return receipt(reply.entry, reply.card, reply.at, copy)


def _parse(data: bytes) -> Reader | None:
    """Read a request; None where it is malformed. Some tills end it with CR LF (HiPay), which belongs to no field."""
    for end in (len(data), len(data.removesuffix(b"\r\n"))):
        reader = Reader()
        try:
            reader.feed(data[:end])
            return reader
        except MalformedMessage:
            pass
    return None


def _is_message(data: bytes) -> bool:
    reader = _parse(data)
    return reader is not None and reader.whole


def _fit(fields: Fields, shapes: Mapping[str, Callable[[str], object]]) -> bool:
    return all(shape(str(fields.get(tag, ""))) for tag, shape in shapes.items())


def _card(reply: Reply) -> Fields:
    """What the terminal read from the card, and the bank's number."""
    if reply.card is None or reply.entry is None:
        return {}
    forced = reply.request.fields.get("CC", "000")
    if reply.card.line:
        approved = reply.entry.outcome == "approved"
        told = {"CC": reply.card.application, "AD": reply.card.line, "AC": reply.entry.auth_code}
        return {**{tag: value for tag, value in told.items() if value}, **({"AG": "0000"} if approved else {})}
    fields = {
        "CC": reply.card.application if forced == "000" else forced,
        "CI": reply.card.entry,
        "AA": reply.card.masked,
        "AL": "1",
        "AC": reply.entry.auth_code,
        "AI": reply.card.aid,
        "CG": reply.entry.contract,
    }
    return {tag: value for tag, value in fields.items() if value}


def _ticket(reply: Reply, wanted: str) -> Fields:
    """CK: wanted, whose copy (0 customer, 1 merchant, 2 both), 1 for HTML. AK is base64 of Latin-1 lines."""
    text = "".join(slip(reply, copy) for copy in _COPIES.get(wanted[1:2], _COPIES["0"]))
    if wanted[2:3] == "1":
        text = f"<pre>{text}</pre>"
    return {"CK": wanted, "AK": base64.b64encode(text.encode("latin-1")).decode()}


def _long(reason: Reason) -> str:
    code, message = _LONG_REASON.get(reason, ("", ""))
    return f"{reason}{code:2}{message[:21]:21}    "


V3 = Dialect(complete, read, encode, duplicate, frozenset({"stream", "v3"}))
V3_ON_LINE = replace(V3, complete=_is_message, traits=frozenset({"line", "v3"}))
