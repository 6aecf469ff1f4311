"""What can be set for a CONCERT V3 terminal (docs/api.md section 4), checked before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ..machine import InvalidRequest
from .tables import REFERENCE_TAGS


@dataclass(frozen=True, slots=True)
class Options:
    """`register` is the till's number on the terminal, `ipc` the till software's identifier, times are in seconds.

    `duplicata` says that the terminal tells its last result (CD 3), `duplicata_idle` that it does so only while no
    payment runs, `duplicata_refused` with which reason (AF) it says that its last payment was not completed.
    `reference_tag` (CF or CH) carries the transaction's uuid.
    """

    register: str = "01"
    register_length: int = 2
    ipc: str = "012345678901"
    version: str = "0300"
    crlf: bool = False
    tickets: bool = False
    connect_timeout: float = 5
    answer_timeout: float = 180
    drain: float = 0.3
    duplicata: bool = False
    duplicata_idle: bool = False
    duplicata_refused: str = ""
    reference_tag: str = ""

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Options:
        """Return the options with the defaults filled in; raise `InvalidRequest` that names what is wrong."""
        for name, value in given.items():
            if name not in _RULES:
                raise _wrong(f"there is no option {name}; there are {', '.join(_RULES)}")
            holds, wanted = _RULES[name]
            if not holds(value):
                raise _wrong(f"option {name} must be {wanted}, not {value!r}")
        options = cls(**given)
        if len(str(int(options.register))) > options.register_length:
            raise _wrong(f"register {options.register} does not fit register_length {options.register_length}")
        return options

    @property
    def register_number(self) -> str:
        """The register as it goes over the wire (CA)."""
        return str(int(self.register)).zfill(self.register_length)


def _wrong(text: str) -> InvalidRequest:
    return InvalidRequest(text, code="bad_option")


def _matches(pattern: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


def _seconds(low: float, high: float) -> tuple[Callable[[Any], bool], str]:
    def holds(value: Any) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high

    return holds, f"a number of seconds from {low} to {high}"


_TRUTH: tuple[Callable[[Any], bool], str] = (lambda value: isinstance(value, bool), "true or false")
_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "register": (_matches(r"[0-9]{1,2}"), "one or two digits in quotes"),
    "register_length": (lambda value: type(value) is int and value in (1, 2), "1 or 2"),
    "ipc": (_matches(r"[0-9]{12}"), "12 digits in quotes"),
    "version": (_matches(r"03[0-9]{2}"), "0300, 0301, 0310 or 0320 in quotes"),
    "crlf": _TRUTH,
    "tickets": _TRUTH,
    "connect_timeout": _seconds(0.05, 120),
    "answer_timeout": _seconds(0.05, 3600),
    "drain": _seconds(0, 10),
    "duplicata": _TRUTH,
    "duplicata_idle": _TRUTH,
    "duplicata_refused": (_matches(r"|[0-9]{2}"), "two digits in quotes, or empty"),
    "reference_tag": (lambda value: value in ("", *REFERENCE_TAGS), "CF or CH in quotes, or empty"),
}

DEFAULTS: dict[str, Any] = asdict(Options())
