"""Rules for the options of a protocol: what a value must be, in code and in words.

An option's rule is `(holds, wanted)`: `holds(value)` says whether the value will do, `wanted` completes the sentence
"option x must be …".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from .machine import InvalidRequest

Rule = tuple[Callable[[Any], bool], str]


def check(given: Mapping[str, Any], rules: Mapping[str, Rule]) -> None:
    """Raise `InvalidRequest` that names the first option that is unknown or wrong."""
    for name, value in given.items():
        if name not in rules:
            raise wrong(f"there is no option {name}; there are {', '.join(rules)}")
        holds, wanted = rules[name]
        if not holds(value):
            raise wrong(f"option {name} must be {wanted}, not {value!r}")


def wrong(text: str) -> InvalidRequest:
    """Return the error that says what is wrong with the options."""
    return InvalidRequest(text, code="bad_option")


def matches(pattern: str, wanted: str) -> Rule:
    """A text of this form."""
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None, wanted


def one_of(*values: Any) -> Rule:
    """One of these, of the same type."""
    kinds = {(type(value), value) for value in values}
    names = ", ".join(repr(value) for value in values)
    return lambda value: isinstance(value, str | int) and (type(value), value) in kinds, f"one of {names}"


def seconds(low: float, high: float) -> Rule:
    """A time."""

    def holds(value: Any) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high

    return holds, f"a number of seconds from {low} to {high}"


def count(low: int, high: int) -> Rule:
    """A whole number."""
    return lambda value: type(value) is int and low <= value <= high, f"a whole number from {low} to {high}"


TRUTH: Rule = (lambda value: isinstance(value, bool), "true or false")
