"""What a reply means for the money. The rule for "paid" is here and nowhere else; what it does not cover is unknown.

Sources: OCA l10n_fr_pos_caisse_ap_ip (echo checked on success only), HiPay "Local API for Nepting" (AE, AF, lower CB).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

from ..machine import Outcome
from ..scrub import last_four, scrub, scrub_reference
from ..states import KEPT_KINDS, MONEY_KINDS, Kind, State
from .tables import (
    APPLICATIONS,
    AUTHORISED,
    BOTH,
    DONE,
    EXCHANGES,
    FIELDS,
    MERCHANT,
    NO_REASON,
    NOT_DONE,
    READ_MODES,
    REASONS,
    REASONS_OF_SUCCESS,
    UNKNOWN_REASON,
    Application,
    Keep,
)
from .tlv import Fields

#: The line of a slip that says whose it is, and what still belongs to that slip: a line that asks to keep it.
_whose_slip = re.compile(
    r"^[^\n]*TICKET\s+(?P<whose>CLIENT|COMMERCANT)[^\n]*\n?(?:[^\nA-Za-z]*\n)*(?:[^\n]*CONSERVER[^\n]*\n?)?",
    re.IGNORECASE | re.MULTILINE,
).finditer
_own_reference = re.compile(r"[0-9a-f]{32}").fullmatch  # what the till sent: says nothing new

#: Why a result is not known: the word for programs, and for people what happened.
DOUBTS: dict[str, str] = {
    "no_answer": "The terminal did not answer in time.",
    "link_lost": "The connection to the terminal was lost before it answered.",
    "reply_cut": "The terminal's answer broke off.",
    "reply_malformed": "The terminal's answer cannot be read.",
    "reply_incomplete": "The terminal's answer lacks a field that proves the payment.",
    "reply_mismatch": "The terminal's answer belongs to another request.",
    "reply_contradictory": "The terminal's answer contradicts itself.",
    "amount_above": "The terminal says more than was asked for.",
    "amount_below": "The terminal says less than was asked for.",
    "amount_zero": "The terminal says it took nothing, and that it succeeded.",
    "not_a_result": "The terminal took the request and told no result.",
    "not_told": "The terminal does not say what became of this payment.",
    "driver_restarted": "The driver was restarted while the terminal was at work.",
    "journal_unavailable": "The terminal's answer could not be written to the journal.",
}
#: What is added where no money moves, but something may have been done.
MAYBE_DONE = "It may have been done all the same: look at the terminal's slip. It can be started again."
#: Kinds that move no money: the word for programs and the sentence for people when they are done.
DONE_WORDS: dict[Kind, tuple[str, str]] = {
    Kind.IDENTIFY: ("identified", "The terminal answers."),
    Kind.SETTLEMENT: ("settled", "The terminal has sent off its payments. It tells no totals: they are on its slip."),
    Kind.REPRINT: ("reprinted", "The terminal prints its last slip once more."),
}
#: HP: "DERNIERE TRANSACTION NON ABOUTIE PAS DE DUPLICATA", "DUPLICATA IMPOSSIBLE".
NO_COPY = (
    State.DECLINED,
    "no_copy",
    "The terminal has no slip to print again: its last payment was not completed, or was sent off already.",
)


def judge(kind: Kind, request: Mapping[str, str], reply: Fields) -> Outcome:
    """Return the outcome of a whole, well-formed reply to the fields of a request."""
    result = text_of(reply, "AE")
    if text_of(reply, "CH") == request.get("CH"):
        reply = {tag: value for tag, value in reply.items() if tag != "CH"}  # ours: says nothing new
    if result == DONE:
        code = _doubt_about_success(kind, request, reply)
        return doubt(kind, code, reply) if code else _approved(kind, request, reply)
    if result == NOT_DONE and reason(reply) != AUTHORISED:
        state, code, text = REASONS.get(reason(reply), UNKNOWN_REASON if reason(reply) else NO_REASON)
        if kind is Kind.REPRINT and state is not State.FAILED:
            state, code, text = NO_COPY
        issuer = _issuer_words(reply)
        return Outcome(state, code, f"{text} ({issuer})" if issuer else text, **evidence(reply))
    return doubt(kind, "reply_contradictory" if result == NOT_DONE else "not_a_result", reply)


def doubt(kind: Kind, code: str, reply: Fields | None = None) -> Outcome:
    """Return the outcome of a dialog that ended without a trustworthy answer after the request may have left."""
    said = evidence(reply or {})
    if kind not in MONEY_KINDS:
        text = f"{DOUBTS[code]} {MAYBE_DONE}" if kind in KEPT_KINDS else DOUBTS[code]
        return Outcome(State.FAILED, code, text, **said)
    text = f"{DOUBTS[code]} Do not take the card again: read the terminal's slip."
    return Outcome(State.UNKNOWN, code, text, **said)


def _doubt_about_success(kind: Kind, request: Mapping[str, str], reply: Fields) -> str:
    """Return why AE=10 does not prove that `request` was done, or '' where it does: the rule for "paid"."""
    if any(text_of(fields, "BA") not in ("", "0") for fields in (dict(request), reply)):
        return "not_a_result"  # with BA=1, AE=10 only says that the request has arrived (PX)
    if reason(reply) not in REASONS_OF_SUCCESS:
        return "reply_contradictory"
    echo = EXCHANGES[kind].echo
    if not all(tag in reply for tag in echo):
        return "reply_incomplete"
    if any(_canonical(tag, request[tag]) != _canonical(tag, text_of(reply, tag)) for tag in echo):
        return "reply_mismatch"
    if kind not in MONEY_KINDS:
        return ""
    if not FIELDS["CB"].fits(text_of(reply, "CB")):
        return "reply_incomplete"
    done, asked = int(text_of(reply, "CB")), int(request["CB"])
    if kind is Kind.REVERSAL and 0 < done < asked:
        return "amount_below"  # a payment is taken back as a whole, or nobody knows how
    return "amount_zero" if done == 0 else "amount_above" if done > asked else ""


def _approved(kind: Kind, request: Mapping[str, str], reply: Fields) -> Outcome:
    if kind not in MONEY_KINDS:
        code, text = DONE_WORDS[kind]
        said = evidence(reply)
        if kind is Kind.SETTLEMENT and "receipt" in said:  # what it prints then is for the shop
            said.setdefault("merchant_receipt", said.pop("receipt"))
        return Outcome(State.APPROVED, code, text, **said)
    done, asked = int(text_of(reply, "CB")), int(request["CB"])
    code, text = ("approved", "Approved.") if done == asked else ("partial", "Approved in part: the rest is still due.")
    return Outcome(State.APPROVED, code, text, amount_approved=done, **evidence(reply))


def evidence(reply: Fields) -> dict[str, Any]:
    """Return what is kept of a reply whatever its result: the named members of `Outcome`, and the rest as details."""
    application = APPLICATIONS.get(text_of(reply, "CC"), Application(""))
    kept = _kept(reply)
    ticket = kept.pop("ZT", {})
    receipt = ticket.pop("AK", "") if isinstance(ticket, dict) else ""
    customers, shops = slips(receipt, text_of(reply.get("ZT", {}), "CK")[1:2])
    reference = kept.pop("CH", "")
    said = {
        "brand": application.brand,
        "application": application.name or application.brand,
        "entry_mode": READ_MODES.get(text_of(reply, "CI"), application.entry_mode),
        "last4": kept.pop("AA", ""),
        "auth_code": kept.pop("AC", ""),
        "aid": kept.pop("AI", ""),
        "contract": kept.pop("CG", ""),
        "serial": kept.pop("AQ", ""),
        "terminal_ref": "" if _own_reference(reference) else reference,
        "terminal_time": kept.pop("AP", ""),
        "receipt": customers,
        "merchant_receipt": shops,
        "virtual": "VT" in reply,
        "details": {_name(tag): value for tag, value in {**kept, **({"ZT": ticket} if ticket else {})}.items()},
    }
    return {name: value for name, value in said.items() if value}


def slips(text: str, whose: str) -> tuple[str, str]:
    """Return the customer's and the shop's slip of a ticket's text; `whose` is the second digit of CK (PX).

    How two slips come in one text is not published: each says whose it is, near its end. A text in which that is not
    plain is both.
    """
    if whose != BOTH:
        return ("", text) if whose == MERCHANT else (text, "")
    found = list(_whose_slip(text))
    if {match["whose"].upper() for match in found} != {"CLIENT", "COMMERCANT"} or len(found) != 2:
        return text, text
    first, second = text[: found[0].end()], text[found[0].end() :]
    return (first, second) if found[0]["whose"].upper() == "CLIENT" else (second, first)


def _kept(fields: Fields) -> Fields:
    """Return what may be kept of received fields (law: four digits of a card number at most)."""
    kept = {tag: _kept(value) if isinstance(value, dict) else _kept_value(tag, value) for tag, value in fields.items()}
    return {tag: value for tag, value in kept.items() if value}


def _kept_value(tag: str, value: str) -> str:
    field = FIELDS.get(tag)
    keep = field.keep if field else Keep.TEXT
    match keep:
        case Keep.PLAIN if field and field.fits(value):
            return value
        case Keep.REFERENCE:
            return scrub_reference(value)
        case Keep.TICKET:
            return scrub(ticket_text(value))
        case Keep.LAST4:
            return last_four(value)
        case Keep.NOTHING:
            return ""
    return scrub(value)


def ticket_text(value: str) -> str:
    """Return the text of a ticket (AK): base64 of Latin-1 lines (HP PX). What is not base64 is taken as it is."""
    if value.isdigit():
        return value
    try:
        return base64.b64decode("".join(value.split()), validate=True).decode("latin-1")
    except binascii.Error:
        return value


def text_of(fields: Fields, tag: str) -> str:
    """Return a field's text, '' where it is not there or not a text."""
    value = fields.get(tag, "")
    return value if isinstance(value, str) else ""


def reason(reply: Fields) -> str:
    """Return why it was not done. AF can be 29 bytes with the issuer's words (HP); the first two are the reason."""
    return text_of(reply, "AF")[:2]


def _issuer_words(reply: Fields) -> str:
    """AF of 29 bytes (HP): code, 2 of the result, 21 of the message, 4 more; a shorter one: words after the code."""
    words = text_of(reply, "AF")
    return scrub(words[4:25] if len(words) == 29 else words[2:]).strip(" \r\n0123456789")


def _canonical(tag: str, value: str) -> str:
    """Registers are compared as numbers: one digit or two (PX)."""
    return value.lstrip("0") if tag == "CA" else value


def _name(tag: str) -> str:
    return FIELDS[tag].name if tag in FIELDS else tag
