"""What can be set for a CONCERT V2 terminal, checked before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ...rules import TRUTH, Rule, check, matches, one_of, seconds
from ..line import settings as line
from .tables import MEANS


@dataclass(frozen=True, slots=True)
class Options:
    """`dialect` E has 26 positions, E+ two options more; `ticket` asks for the customer's slip (E over TCP only).

    `means` is what a payment is made with unless a request says another; `card` asks for the card's field in the reply.
    `private` fills the ten private positions, `private_echoed` says that the terminal returns them as they came.
    Times are in seconds.
    """

    register: str = "01"
    dialect: str = "E+"
    means: str = "1"
    card: bool = True
    private: str = "spaces"
    private_echoed: bool = False
    forced: bool = False
    ticket: bool = False
    connect_timeout: float = 15
    answer_timeout: float = 180

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Options:
        """Return the options with the defaults filled in; raise `InvalidRequest` that names what is wrong."""
        check(given, RULES)
        return cls(**{name: value for name, value in given.items() if name not in line.RULES})


RULES: dict[str, Rule] = {
    "register": matches(r"0?[1-9]|[1-9][0-9]", "01 to 99 in quotes"),
    "dialect": one_of("E", "E+"),
    "means": one_of(*MEANS),
    "card": TRUTH,
    "private": one_of("spaces", "zeros", "reference"),
    "private_echoed": TRUTH,
    "forced": TRUTH,
    "ticket": TRUTH,
    "connect_timeout": seconds(0.05, 120),
    "answer_timeout": seconds(0.05, 3600),
    **line.RULES,
}
DEFAULTS: dict[str, Any] = {**asdict(Options()), **line.DEFAULTS}
