"""What can be set for a CONCERT V2 terminal, checked before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...options import Option, check, option, options_of
from ..line import settings as line
from ..means import V2, accepted
from .tables import MEANS


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one terminal beside those of its line; times are in seconds."""

    register: str = option(
        "01",
        "The till's number on the terminal: give each till its own where the terminal's report tells them apart.",
        "PTM PYP DEL LI PX",
        pattern="0?[1-9]|[1-9][0-9]",
        wanted="01 to 99 in quotes",
    )
    dialect: str = option(
        "E+",
        "E for terminals that acknowledge the call and then refuse every message: older ones know no E+.",
        "LI PYP PTM DEL",
        choices={"E": "26 positions", "E+": "26 positions and two options"},
    )
    means: str = option(
        "1",
        "What a payment is made with, unless the till says another.",
        "PTM; 1 C 0 also LI PYP DEL",
        choices={code: brand or "chosen on the terminal" for code, brand in MEANS.items()},
    )
    accepts: str = option(
        "card",
        "What it can be told to pay with, each a payment method of its own: a cheque needs a reader.",
        "PTM; cheque also LI PYP DEL",
        **accepted(V2),
        title="Means of payment",
    )
    refund: bool = option(True, "It pays back onto a card (operation 1).", "LI PTM")
    reversal: bool = option(True, "It takes back the last sale when asked (operation 2).", "LI PTM")
    preauth: bool = option(
        False, "It holds an amount when asked (operation 4); how to complete or release it is not public.", "LI"
    )
    card: bool = option(
        True, "Asks for the card's field in the answer, of which the last four digits are kept.", "LI PTM PYP"
    )
    private: str = option(
        "spaces",
        "What fills the ten private positions, where the terminal wants zeros or gives back a reference.",
        "PTM PYP PX (spaces); DEL (zeros); LI (own)",
        choices={"spaces": "spaces", "zeros": "zeros", "reference": "a number of the payment's own"},
        title="Private positions",
    )
    private_echoed: bool = option(
        False,
        "The terminal gives the private positions back as they came, so an answer with others is another payment's.",
        "LI; not on all (PTM)",
        title="Private positions come back",
    )
    forced: bool = option(
        False,
        "Asks the bank for an authorisation each time, whatever the amount (E+ only).",
        "LI PTM",
        title="Always authorise",
    )
    ticket: bool = option(
        False, "Asks for the customer's slip (T012), to print it on the receipt; on PAX with Nepting.", "LI YZ"
    )
    connect_timeout: float = option(
        15.0,
        "How long the terminal may take to be reached, its calls included.",
        "chosen: three calls of 3 s",
        low=0.05,
        high=120,
        unit="s",
    )
    answer_timeout: float = option(
        180.0,
        "How long the terminal may take to answer, the customer included.",
        "chosen; 120 PTM, unlimited DEL",
        low=0.05,
        high=3600,
        unit="s",
    )

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Options:
        """Return the options with the defaults filled in; raise `InvalidRequest` that names what is wrong."""
        check(OPTIONS, given)
        return cls(**{name: value for name, value in given.items() if name not in line.OPTIONS})


OPTIONS: dict[str, Option] = {**options_of(Options), **line.OPTIONS}
