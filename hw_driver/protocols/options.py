"""Options of protocols: what can be set, with which values, and what for. One description serves the check before
anything is sent, the command line, the documentation and the form in Odoo.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from .machine import InvalidRequest

Value = bool | int | float | str
T = TypeVar("T", bool, int, float, str)


@dataclass(frozen=True, slots=True)
class Option:
    """One thing that can be set. The default's type is the type of every value; a float takes whole numbers, too.

    `text` is a sentence that says what it is for, `source` names what that rests on (docs/terminals.md).
    `choices` are the values of a closed set, each with what it means. Otherwise a text matches `pattern`, which
    `wanted` puts into words, and a number is from `low` to `high`. `unit` is ``s`` for seconds.
    A `secret` is never told to a till or shown. `title` is the name in a form, where `name` alone says too little.
    """

    name: str
    default: Value
    text: str
    source: str = ""
    choices: Mapping[Any, str] = field(default_factory=dict)
    pattern: str = ""
    wanted: str = ""
    low: float = 0
    high: float = 0
    unit: str = ""
    secret: bool = False
    title: str = ""

    @property
    def label(self) -> str:
        """The name as people write it."""
        return self.title or self.name.replace("_", " ").capitalize()

    @property
    def allowed(self) -> str:
        """What a value must be, in words that complete "option x must be …"."""
        sentence, values = self.allowed_in_parts
        return sentence % values if values else sentence

    @property
    def allowed_in_parts(self) -> tuple[str, dict[str, str]]:
        """The same as a sentence and what goes into it, so that a form can say it in another language."""
        if self.choices:
            return "one of %(choices)s", {"choices": ", ".join(map(repr, self.choices))}
        if isinstance(self.default, bool):
            return "true or false", {}
        if isinstance(self.default, str):
            return self.wanted, {}
        number = "a whole number" if isinstance(self.default, int) else "a number"
        seconds = " of seconds" if self.unit == "s" else ""
        return f"{number}{seconds} from %(low)s to %(high)s", {"low": f"{self.low:g}", "high": f"{self.high:g}"}

    def fits(self, value: Any) -> bool:
        """Whether a value will do."""
        if self.choices:
            return type(value) is type(self.default) and value in self.choices
        if isinstance(self.default, bool):
            return isinstance(value, bool)
        if isinstance(self.default, str):
            return isinstance(value, str) and re.fullmatch(self.pattern, value) is not None
        number = type(value) is int or (type(value) is float and isinstance(self.default, float))
        return number and self.low <= value <= self.high


def option(default: T, text: str, source: str, **limits: Any) -> T:
    """Declare an option as a field of a dataclass; `limits` are the further members of `Option`."""
    return field(default=default, metadata={"text": text, "source": source, **limits})


def options_of(*classes: Any) -> dict[str, Option]:
    """Return the options that dataclasses declare with `option`, by name."""
    return {
        declared.name: Option(declared.name, getattr(cls(), declared.name), **declared.metadata)
        for cls in classes
        for declared in dataclasses.fields(cls)
    }


def defaults(options: Mapping[str, Option]) -> dict[str, Any]:
    """Return the value each option has where nothing is set."""
    return {name: known.default for name, known in options.items()}


def check(options: Mapping[str, Option], given: Mapping[str, Any]) -> None:
    """Raise `InvalidRequest` that names the first given option that is unknown or wrong."""
    for name, value in given.items():
        if name not in options:
            raise wrong(f"there is no option {name}; there are {', '.join(options)}")
        if not options[name].fits(value):
            raise wrong(f"option {name} must be {options[name].allowed}, not {value!r}")


def wrong(text: str) -> InvalidRequest:
    """Return the error that says what is wrong with the options."""
    return InvalidRequest(text, code="bad_option")


@dataclass(frozen=True, slots=True)
class Preset:
    """What a family of terminals needs: options of its protocol, and of its transport (`{kind, …}`).

    `text` says which terminals, `source` what that rests on. What is not named keeps its default.
    """

    name: str
    text: str
    source: str
    options: Mapping[str, Any] = field(default_factory=dict)
    transport: Mapping[str, Any] = field(default_factory=dict)
