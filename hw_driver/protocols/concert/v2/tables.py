"""What CONCERT V2 (protocols E and E+) says, as tables of positions, operations, results and means of payment.

The specification is not public. Sources, as in concert.md: PTM = pyTeliumManager, PYP = pypostelium, DEL = a Delphi
bridge from the field, LI = a JavaScript connector for Ingenico and Nepting, PX = PayXpert "Concert V2".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from ...states import Kind, State


class Keep(Enum):
    """What may be shown of a part."""

    PLAIN = "as it came"
    CARD = "card numbers masked"


@dataclass(frozen=True, slots=True)
class Part:
    """Some positions of a message. `pattern` is a regular expression; `fits(value)` matches a whole value with it."""

    name: str
    pattern: str
    source: str
    keep: Keep = Keep.PLAIN

    fits: Callable[[str], object] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "fits", re.compile(self.pattern, re.DOTALL).fullmatch)


def _digits(name: str, width: int, source: str) -> Part:
    return Part(name, f"[0-9]{{{width}}}", source)


_PRINTABLE = r"[\x20-\x7e]"
_REGISTER = _digits("register", 2, "all")
_AMOUNT = _digits("amount", 8, "all: minor units")
_MEANS = Part("means", "[0-9A-Z]", "all: means of payment")
_CURRENCY = _digits("currency", 3, "all: ISO 4217 numeric")
_PRIVATE = Part("private", f"{_PRINTABLE}{{10}}", "all; echo not reliable (PTM)", Keep.CARD)

REQUEST: tuple[Part, ...] = (
    _REGISTER,
    _AMOUNT,
    _digits("answer", 1, "PTM PYP LI: 1 asks for the card's field in the reply; PX knows 2"),
    _MEANS,
    _digits("operation", 1, "LI PTM"),
    _CURRENCY,
    _PRIVATE,
)

#: Options behind a request: a letter, two digits of length, the value (1.6). E has none, E+ has A and B.
OPTIONS: dict[str, str] = {
    "A": "reply",  # 0 at the end, 1 at once without result (LI PTM PYP)
    "B": "authorisation",  # 0 normal, 1 forced (LI PTM)
    "T": "ticket",  # 2 the customer's (LI, PAX with Nepting)
}
OPTION = "([A-Z])([0-9]{2})"

_HEAD = (_REGISTER, _digits("status", 1, "LI PTM PYP DEL"), _AMOUNT, _MEANS)
_TAIL = (_CURRENCY, _PRIVATE)
#: REP: the card's number and padding, or a cheque's line; its layout is not public.
_CARD = Part("card", f"{_PRINTABLE}{{55}}", "PTM PYP DEL", Keep.CARD)
#: The customer's slip, where `T012` asked for it (LI).
_TICKET = Part("ticket", r"[^\x02\x03]*", "LI", Keep.CARD)

SHORT_REPLY: tuple[Part, ...] = (*_HEAD, *_TAIL)
FULL_REPLY: tuple[Part, ...] = (*_HEAD, _CARD, *_TAIL, _TICKET)


def matcher(parts: tuple[Part, ...]) -> str:
    """Return the expression of a message of these parts, each a named group."""
    return "".join(f"(?P<{part.name}>{part.pattern})" for part in parts)


#: What this product's virtual terminal writes behind the card's number, or into empty private data; no real one does.
VIRTUAL = "VIRTUEL"

OPERATIONS: dict[Kind, str] = {
    Kind.SALE: "0",  # LI PTM
    Kind.REFUND: "1",  # LI PTM: credit
    Kind.REVERSAL: "2",  # LI; PTM calls it refund
    Kind.PREAUTH: "4",  # LI
}
OPERATION_NAMES: dict[str, str] = {digit: kind.value for kind, digit in OPERATIONS.items()}

#: STAT: how a transaction ended, a word for programs, a sentence for people. Only 0 is paid; what is not here, and 9
#: ("taken into account", no result), is not known (1.7).
STATUSES: dict[str, tuple[State, str, str]] = {
    "0": (State.APPROVED, "approved", "Approved."),
    "7": (State.DECLINED, "declined", "Not accepted by the terminal."),
}

CHEQUE = "C"
#: MODE: the brand people know (PTM; 1, C and 0 also LI PYP DEL).
MEANS: dict[str, str] = {
    "1": "CB",
    "C": "Cheque",
    "2": "American Express",
    "3": "Cetelem",
    "5": "Cofinoga",
    "6": "Diners",
    "8": "Franfinance",
    "9": "JCB",
    "A": "Accord Finance",
    "O": "Moneo",
    "U": "UnionPay",
    "F": "Fintrax",
    "0": "",
}
