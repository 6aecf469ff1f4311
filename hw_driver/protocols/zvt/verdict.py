"""What a terminal's words mean for the money. The rule for "paid" is here and nowhere else; the rest is unknown.

Paid: the last status information (04 0F) says result 00 and an amount that fits, and the dialog ends with a completion
(06 0F). An abort (06 1E) says that it was not done, or was taken back. Source: P15 2.2, 3 (zvt.md 3, 6).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..currency import LETTERS
from ..machine import Outcome
from ..scrub import last_four, scrub
from ..states import KEPT_KINDS, MONEY_KINDS, Kind, State
from . import errands, fields, tlv
from .codes import (
    APPLICATIONS,
    BRANDS,
    DONE,
    ENTRIES,
    PROVIDERS,
    SIGNATURES,
    UPDATE_FOLLOWS,
    VERIFICATIONS,
    result_of,
)
from .conditions import CONDITIONS, READY, condition_of, remedy_of
from .messages import Taken
from .slips import CUSTOMER, MERCHANT, Slips
from .values import text_of

#: Why a result is not known: the word for programs, and for people what happened.
DOUBTS: dict[str, str] = {
    "no_answer": "The terminal did not answer in time.",
    "link_lost": "The connection to the terminal was lost before it had finished.",
    "reply_malformed": "The terminal's answer cannot be read.",
    "reply_incomplete": "The terminal's answer lacks a field that proves the payment.",
    "reply_mismatch": "The terminal's answer belongs to another request.",
    "reply_contradictory": "The terminal's answer contradicts itself.",
    "amount_above": "The terminal says more than was asked for.",
    "amount_zero": "The terminal says it took nothing, and that it succeeded.",
    "not_a_result": "The terminal finished and told no result.",
    "not_told": "The terminal does not say what became of this payment.",
    "driver_restarted": "The driver was restarted while the terminal was at work.",
    "journal_unavailable": "The terminal's answer could not be written to the journal, so it was refused.",
}
_LOOK = "Do not take the card again: look at the terminal's slip."
_AGAIN = "It may have been done all the same: look at the terminal's slip. It can be started again."


@dataclass(frozen=True, slots=True)
class Asked:
    """What the till asked for, as far as the verdict needs it. Amounts in minor units.

    `otherwise` is another amount with which a terminal may say the same: the sale with its tip, what is released.
    """

    kind: Kind
    amount: int
    currency: str
    charset: str
    otherwise: int | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it is done with exactly this amount, or not at all."""
        return self.kind is Kind.REVERSAL or self.otherwise is not None


def judge(
    asked: Asked,
    status: Taken | None,
    end: Taken,
    slips: Slips,
    *,
    refused: bool = False,
    registered: Taken | None = None,
) -> Outcome:
    """Return the outcome of a dialog that ended well.

    `refused` says that the till did not take the result, `registered` is how its registration was completed.
    """
    said = evidence(status, slips, asked.charset)
    if asked.kind not in MONEY_KINDS:
        return _asked_of_itself(asked, status, end, registered, slips, said)
    result = _code(status)
    if result is None:
        return doubt(asked.kind, "not_a_result", said)
    if result != DONE:
        return _not_done(result, said)
    if refused or _code(end) not in (None, DONE, UPDATE_FOLLOWS):
        return doubt(asked.kind, "journal_unavailable" if refused else "reply_contradictory", said)
    assert status is not None
    return _done(asked, status, said)


def aborted(asked: Asked, status: Taken | None, end: Taken, slips: Slips, registered: Taken | None = None) -> Outcome:
    """Return the outcome of a dialog that ended with an abort: nothing was charged, or it was taken back.

    A terminal that said when it was registered what it wants first says it again: the same number from a bank means
    something else, but comes with a result.
    """
    said = evidence(status, slips, asked.charset)
    first, last = _code(status), _code(end, "result")
    if last == DONE:
        return doubt(asked.kind, "reply_contradictory", said)
    more = tlv.find(end.objects, tlv.EXTENDED_TEXT)
    if more and "text" not in said["details"]:
        said["details"]["text"] = scrub(text_of(more, asked.charset))
    if first == DONE:
        text = "The terminal took the payment back. Nothing was charged."
        return Outcome(State.DECLINED, "taken_back", text, **said)
    wants = condition_of(b"", registered.value(fields.STATUS)) if registered else READY
    if status is None and wants is not READY and CONDITIONS.get(last or 0) is wants:
        said["details"] |= {"result": f"{last:02x}", "remedy": str(wants.remedy)}
        return Outcome(State.FAILED, wants.word, wants.text, **said)
    return _not_done(first or last or 0xFF, said)


def refusal(code: int, text: str = "") -> Outcome:
    """Return the outcome of a command that the terminal refused (84 xx): it has not begun."""
    found = result_of(code)
    state = State.FAILED if found.state is State.DECLINED else found.state
    return Outcome(state, found.code, text or found.text, details=_with_remedy(code, {"result": f"{code:02x}"}))


def doubt(kind: Kind, code: str, said: Mapping[str, Any] | None = None) -> Outcome:
    """Return the outcome of a dialog without a trustworthy answer after the request may have left."""
    said = said or {}
    if kind in MONEY_KINDS:
        return Outcome(State.UNKNOWN, code, f"{DOUBTS[code]} {_LOOK}", **said)
    return Outcome(State.FAILED, code, f"{DOUBTS[code]} {_AGAIN}" if kind in KEPT_KINDS else DOUBTS[code], **said)


def _done(asked: Asked, status: Taken, said: dict[str, Any]) -> Outcome:
    """Result 00: how much it was, if what the terminal says is about this request."""
    currency = _digits(status.value(fields.CURRENCY))
    if currency and LETTERS.get(currency[1:]) != asked.currency:
        return doubt(asked.kind, "reply_mismatch", said)
    amount = _digits(status.value(fields.AMOUNT))
    if not amount:
        if asked.kind is not Kind.REVERSAL:  # a reversal names its receipt, and is all or nothing
            return doubt(asked.kind, "reply_incomplete", said)
        amount = str(asked.amount)
    done, tip = int(amount), int(said["details"].get("tip", 0))
    if done == asked.otherwise:
        done, tip = asked.amount, 0
    if done == 0:
        return doubt(asked.kind, "amount_zero", said)
    if done > asked.amount + tip:
        return doubt(asked.kind, "amount_above", said)
    if done - tip < asked.amount:
        if asked.is_whole:
            return doubt(asked.kind, "reply_mismatch", said)
        return Outcome(
            State.APPROVED, "partial", "Approved in part: the rest is still due.", amount_approved=done, **said
        )
    return Outcome(State.APPROVED, "approved", "Approved.", amount_approved=done, **said)


def _with_remedy(code: int, details: dict[str, Any]) -> dict[str, Any]:
    """Add what to ask of the terminal next, where that mends it."""
    remedy = remedy_of(code)
    return {**details, "remedy": remedy.value} if remedy else details


def _not_done(code: int, said: dict[str, Any]) -> Outcome:
    found = result_of(code)
    said["details"] = _with_remedy(code, {**said["details"], "result": f"{code:02x}"})
    words = str(said["details"].get("text", "")).strip()
    return Outcome(found.state, found.code, f"{found.text} ({words})" if words else found.text, **said)


def _asked_of_itself(
    asked: Asked, status: Taken | None, end: Taken, registered: Taken | None, slips: Slips, said: dict[str, Any]
) -> Outcome:
    """Return the outcome of what moves no money."""
    code = _code(status)
    if code not in (None, DONE):
        return _not_done(code or 0, said)
    if asked.kind is Kind.IDENTIFY:
        return errands.identified(end, registered, said, asked.charset)
    return errands.done(asked.kind, asked.currency, status, slips, said)


def evidence(status: Taken | None, slips: Slips | None, charset: str) -> dict[str, Any]:
    """Return what is kept of a status information: members of `Outcome`, the rest as details, always a new dict."""
    if status is None:
        status = Taken({}, [])
    objects = status.objects
    aid = (tlv.find(objects, tlv.AID) or b"").hex()
    name = text_of(status.value(fields.CARD_NAME), charset).strip("\0 ")
    entry = (tlv.find(objects, tlv.PAYMENT, tlv.ENTRY) or b"").hex()
    details = _details(status, objects, charset)
    said = {
        "brand": _brand(status, aid, name),
        "last4": _last4(status.value(fields.CARD)),
        "auth_code": scrub(text_of(status.value(fields.APPROVAL), charset).strip("\0 ")),
        "entry_mode": ENTRIES.get(entry, ""),
        "application": scrub(name),
        "aid": aid,
        "contract": text_of(status.value(fields.CONTRACT), charset).strip("\0 "),
        "terminal_id": _digits(status.value(fields.TERMINAL_ID)),
        "terminal_ref": _digits(status.value(fields.RECEIPT)),
        "terminal_time": _time(status),
        "receipt": slips.of(CUSTOMER) if slips else "",
        "merchant_receipt": slips.of(MERCHANT) if slips else "",
        "virtual": tlv.find(objects, tlv.VIRTUAL) is not None,
    }
    return {**{key: value for key, value in said.items() if value}, "details": details}


def numbers(outcome: Outcome) -> tuple[str, ...]:
    """Return what tells a transaction of a terminal from all others: terminal, trace, receipt, time ('': not told)."""
    trace = str(outcome.details.get("trace", ""))
    return (outcome.terminal_id, trace, outcome.terminal_ref, outcome.terminal_time)


def _details(status: Taken, objects: tlv.Objects, charset: str) -> dict[str, Any]:
    verification = (tlv.find(objects, tlv.PAYMENT, tlv.VERIFICATION) or b"").hex()
    long_trace = _digits(tlv.find(objects, tlv.LONG_TRACE) or b"").lstrip("0")
    trace = _digits(status.value(fields.TRACE))
    words = text_of(status.value(fields.TEXT_FIELD), charset) or _texts(objects, charset)
    details = {
        "trace": long_trace if long_trace and not trace.strip("0") else trace,
        "original_trace": _digits(status.value(fields.ORIGINAL_TRACE)),
        "turnover": _digits(status.value(fields.TURNOVER)),
        "card_type": _card_type(status, objects),
        "verification": VERIFICATIONS.get(verification, ""),
        "signature": "yes" if verification in SIGNATURES else "",
        "online": {"00": "no", "01": "yes"}.get((tlv.find(objects, tlv.PAYMENT, tlv.ONLINE) or b"").hex(), ""),
        "tip": _digits(tlv.find(objects, tlv.TIP) or b"").lstrip("0"),
        "tippable": "yes" if (tlv.find(objects, tlv.TIPPABLE) or b"\0")[0] & 1 else "",
        "cashback": _digits(tlv.find(objects, tlv.CASHBACK) or b"").lstrip("0"),
        "host_result": status.value(fields.HOST_RESULT).hex(),
        "text": scrub(words).strip("\0 \n"),
    }
    return {name: value for name, value in details.items() if value}


def _texts(objects: tlv.Objects, charset: str) -> str:
    shown = tlv.lenient(tlv.find(objects, tlv.DISPLAY_TEXTS) or b"")
    return " ".join(text_of(value, charset).strip() for tag, value in shown if tag == tlv.LINE)


def display_text(objects: tlv.Objects, charset: str) -> str:
    """Return what the terminal shows, as it says it itself, '' where it does not."""
    return scrub(" ".join(_texts(objects, charset).split()))


def _brand(status: Taken, aid: str, name: str) -> str:
    brand = APPLICATIONS.get(aid) or PROVIDERS.get(aid[:10]) or BRANDS.get(int(_card_type(status, status.objects) or 0))
    return brand or scrub(name)


def _card_type(status: Taken, objects: tlv.Objects) -> str:
    more = tlv.find(objects, tlv.CARD_TYPE_ID) or status.value(fields.CARD_TYPE)
    return str(int.from_bytes(more, "big")) if more else ""


def _last4(number: bytes) -> str:
    return last_four(number.hex().removesuffix("f").partition("d")[0].replace("e", "*"))


def _time(status: Taken) -> str:
    """The terminal's own time, as it says it: month and day, hours, minutes, seconds; it tells no year."""
    date, time = _digits(status.value(fields.DATE)), _digits(status.value(fields.TIME))
    if len(date) != 4 or len(time) != 6:
        return ""
    return f"{date[:2]}-{date[2:]} {time[:2]}:{time[2:4]}:{time[4:]}"


def _code(taken: Taken | None, part: str = "") -> int | None:
    """Return the result (27), or the one in front of an abort; None where there is none."""
    if taken is None:
        return None
    value = taken.parts.get(part, b"") if part else taken.value(fields.RESULT)
    return value[0] if value else None


def _digits(value: bytes) -> str:
    text = value.hex()
    return text if text.isdigit() else ""
