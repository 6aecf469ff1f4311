"""The bodies and queries of the API as tables; the same tables check requests and write the OpenAPI document."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from ..clock import parse
from ..protocols.scrub import scrub, scrub_reference
from ..protocols.states import Kind
from .problems import Problem

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CURRENCY = re.compile(r"[A-Z]{3}")
IDENTIFIER = re.compile(r"[0-9A-Za-z._:-]+")
WORD = re.compile(r"[a-z][a-z0-9_]*")
EMAIL = re.compile(r"[!-?A-~]+@[!-?A-~]+")
PHONE = re.compile(r"[+]?[0-9]{6,19}")
APPROVAL = re.compile(r"[0-9A-Za-z]{1,12}")
CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
MAX_TEXT = 200


@dataclass(frozen=True, slots=True)
class Field:
    """One member: its JSON type, what else holds for it, and the problem code when it does not.

    `clean` takes card numbers out of what people can write; a name that must stay whole is refused instead.
    """

    type: str  # string, integer or object
    about: str
    required: bool = True
    pattern: re.Pattern[str] | None = None
    choices: tuple[str, ...] = ()
    members: Mapping[str, Field] | None = None
    format: str = ""
    empty: bool = False
    minimum: int | None = None
    maximum: int | None = None
    code: str = "malformed"
    clean: Callable[[str], str] | None = None


TRANSACTION_BODY: dict[str, Field] = {
    "terminal": Field("string", "id of the terminal"),
    "kind": Field("string", "what is asked of the terminal", choices=tuple(Kind), code="bad_kind"),
    "amount": Field("integer", "minor units; 0 where no money moves", code="bad_amount"),
    "currency": Field("string", "ISO 4217 letters", pattern=CURRENCY, empty=True, code="bad_currency"),
    "till": Field("string", "name of the till, as people know it", clean=scrub),
    "session": Field("string", "name of the POS session", empty=True, clean=scrub_reference),
    "order": Field("string", "uuid of the order", pattern=IDENTIFIER, empty=True),
    "line": Field("string", "uuid of the payment line", pattern=IDENTIFIER, empty=True),
    "operator": Field("string", "name of the cashier", empty=True, clean=scrub),
    "reference": Field(
        "string", "the order's number, for the terminal's ticket", required=False, empty=True, clean=scrub_reference
    ),
    "not_after": Field("string", "UTC time after which nothing may be sent", format="date-time"),
    "original": Field(
        "object",
        "the sale that this refund or reversal belongs to",
        required=False,
        members={"uuid": Field("string", "uuid of the sale", pattern=UUID, code="bad_uuid")},
    ),
    "means": Field("string", "what is paid with, a word of the terminal's capabilities", required=False, pattern=WORD),
    "receipt": Field(
        "object",
        "where the terminal sends the customer's slip; not kept",
        required=False,
        members={
            "email": Field("string", "an e-mail address", required=False, pattern=EMAIL),
            "phone": Field("string", "a telephone number", required=False, pattern=PHONE),
        },
    ),
    "forced": Field(
        "string",
        "number of an authorisation given by telephone",
        required=False,
        pattern=APPROVAL,
        clean=scrub_reference,
    ),
    "text": Field("string", "what the terminal is to show (kind display)", required=False, clean=scrub),
}

#: What is asked of a terminal itself: a settlement, a copy of its last slip.
ERRAND_BODY: dict[str, Field] = {
    "uuid": Field("string", "uuid of the new transaction", pattern=UUID, code="bad_uuid"),
    **{name: TRANSACTION_BODY[name] for name in ("till", "session", "operator", "not_after")},
}

IDENTIFY_BODY: dict[str, Field] = {
    "uuid": Field("string", "uuid of the new transaction", pattern=UUID, code="bad_uuid"),
}

TRANSACTION_QUERY: dict[str, Field] = {
    "after": Field("integer", "hold the answer until `rev` is greater", required=False, minimum=0),
    "wait": Field("integer", "seconds to hold the answer", required=False, minimum=0, maximum=25),
}

EVENTS_QUERY: dict[str, Field] = {
    "since": Field("integer", "the first number wanted", required=False, minimum=0),
    "limit": Field("integer", "how many events at most", required=False, minimum=1, maximum=1000),
}


def parse_json(data: bytes) -> Any:
    """Return the JSON value of `data`; doubled members, NaN and unreadable text are refused."""
    try:
        return json.loads(data.decode(), object_pairs_hook=_object, parse_constant=_not_a_number)
    except (ValueError, RecursionError) as error:
        raise Problem("malformed", "The request is not JSON that can be read.") from error


def check(value: Any, members: Mapping[str, Field], where: str = "") -> dict[str, Any]:
    """Return `value` if it is an object with exactly these members, null meaning absent; a Problem otherwise."""
    if not isinstance(value, dict):
        raise Problem("malformed", f"{where or 'The request'} must be a JSON object.")
    for name in value:
        if name not in members:
            raise Problem("malformed", f"'{where}{scrub(name)}' is not known here.")
    present = {name: item for name, item in value.items() if item is not None}
    for name, field in members.items():
        if name in present:
            _check_member(f"{where}{name}", present[name], field)
        elif field.required:
            raise Problem(field.code, f"'{where}{name}' is missing: {field.about}.")
    return {name: _clean(item, members[name]) for name, item in present.items()}


def _clean(value: Any, field: Field) -> Any:
    return field.clean(value) if field.clean else value


def check_query(query: Mapping[str, str], members: Mapping[str, Field]) -> dict[str, int]:
    """Return the numbers of a query string."""
    numbers = {name: int(text) if re.fullmatch("[0-9]{1,15}", text) else text for name, text in query.items()}
    return check(numbers, members)


def json_schema(members: Mapping[str, Field]) -> dict[str, Any]:
    """Return the JSON Schema of an object with these members."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [name for name, field in members.items() if field.required],
        "properties": {name: member_schema(field) for name, field in members.items()},
    }


def member_schema(field: Field) -> dict[str, Any]:
    """Return the JSON Schema of one member."""
    schema: dict[str, Any] = {"type": field.type, "description": field.about}
    if field.members:
        schema |= json_schema(field.members)
    if field.type == "string":
        schema["maxLength"] = MAX_TEXT
        if not field.empty:
            schema["minLength"] = 1
    if field.pattern:
        schema["pattern"] = f"^({field.pattern.pattern}){'?' if field.empty else ''}$"
    if field.choices:
        schema["enum"] = list(field.choices)
    if field.format:
        schema["format"] = field.format
    if field.minimum is not None:
        schema["minimum"] = field.minimum
    if field.maximum is not None:
        schema["maximum"] = field.maximum
    return schema


def _check_member(name: str, value: Any, field: Field) -> None:
    match field.type:
        case "integer":
            fault = _fault_of_integer(value, field)
        case "string":
            fault = _fault_of_string(value, field)
        case _:
            check(value, field.members or {}, f"{name}.")
            return
    if fault:
        raise Problem(field.code, f"'{name}' {fault} ({field.about}).")


def _fault_of_integer(value: Any, field: Field) -> str:
    if type(value) is not int:  # True and 12.0 are numbers to Python, not to a till
        return "must be a whole number"
    if field.minimum is not None and value < field.minimum:
        return f"must be at least {field.minimum}"
    if field.maximum is not None and value > field.maximum:
        return f"must be at most {field.maximum}"
    return ""


def _fault_of_string(value: Any, field: Field) -> str:
    if not isinstance(value, str):
        return "must be a text"
    if not value:
        return "" if field.empty else "is empty"
    if len(value) > MAX_TEXT:
        return f"is longer than {MAX_TEXT} characters"
    if CONTROL.search(value):
        return "holds control characters"
    if field.choices and value not in field.choices:
        return f"must be one of {', '.join(field.choices)}"
    if field.pattern and not field.pattern.fullmatch(value):
        return "has the wrong form"
    if field.pattern is IDENTIFIER and not UUID.fullmatch(value) and scrub_reference(value) != value:
        return "is a card number"
    return _fault_of_time(value) if field.format == "date-time" else ""


def _fault_of_time(text: str) -> str:
    try:
        parse(text)
    except (ValueError, OverflowError):
        return "must be a time like 2026-03-01T12:00:00.000Z"
    return ""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is given twice")
    return members


def _not_a_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")
