"""What can be set for a ZVT terminal, checked before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..currency import NUMERIC
from ..info import Able
from ..options import Option, check, option, options_of
from ..states import ASKED_KINDS, Kind
from .codes import LANGUAGES
from .values import CHARSETS

_SIX_DIGITS = "[0-9]{6}"
_LANGUAGE_NAMES = {"en": "English", "de": "German", "fr": "French"}


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one terminal; times are in seconds."""

    password: str = option(
        "000000",
        "The cash register password of the terminal, as its provider says: six digits.",
        "EC PO KT: 000000 or 123456 are usual",
        pattern=_SIX_DIGITS,
        wanted="six digits in quotes",
        secret=True,
    )
    currency: str = option(
        "EUR",
        "The currency the till registers with, where a request names none.",
        "P15 2.1",
        choices={code: code for code in NUMERIC},
    )
    slips: str = option(
        "blocks",
        "Who prints: the terminal itself, or the till, to which the slips come line by line or in blocks.",
        "P15 2.1, 3.5; Hobex knows blocks only",
        choices={"none": "the terminal prints", "lines": "lines (06 D1)", "blocks": "blocks (06 D3)"},
    )
    entry_blocked: bool = option(
        True,
        "No amounts can be typed on the terminal itself: its last payment is then always one of a till.",
        "P15 2.1 (configuration byte, 10)",
    )
    menu_blocked: bool = option(
        False, "The terminal's own menu (end of day, reprint) is closed.", "P15 2.1 (configuration byte, 20)"
    )
    charset: str = option(
        "cp437",
        "The character set of its texts, where umlauts come out wrong: card complete and Feig have ISO 8859-1.",
        "P15 1.4; PO (README, 16)",
        choices={name: name.upper() for name in CHARSETS},
    )
    language: str = option(
        "en",
        "The language of what the till shows while the terminal is at work, where it sends no text of its own.",
        "P15 table 17",
        choices={code: _LANGUAGE_NAMES[code] for code in LANGUAGES},
    )
    containers: bool = option(
        True,
        "Sends containers (BMP 06), so that the terminal sends some, too; off for very old ones.",
        "P15 9",
        title="Sends containers",
    )
    payment_type: str = option(
        "",
        "Which means the terminal may take (BMP 19), where it does not decide by itself.",
        "P15 2.2.4",
        choices={"": "not sent", "40": "the terminal decides", "20": "without PIN", "30": "with PIN", "00": "offline"},
    )
    partial_approval: bool = option(
        False, "Says that an approval of less than asked is understood (tag 1F70).", "P15 9.4"
    )
    tip: bool = option(
        False,
        "The customer may add a tip on the terminal, or the till afterwards (06 0C).",
        "P15 2 (06 01: BMP 19, bit 08; 06 0C); SM",
    )
    telephone: bool = option(
        False,
        "It takes the number of an authorisation given by telephone (06 21).",
        "P15 2 (06 21)",
        title="Telephone authorisation",
    )
    refund: bool = option(True, "It pays back onto a card (06 31).", "P15 2.12")
    reversal: bool = option(True, "It takes back an earlier payment when asked (06 30).", "P15 2.11")
    preauth: bool = option(
        False, "It holds an amount, books it later and releases it (06 22, 06 24, 06 25).", "P15 2.8"
    )
    completion: str = option(
        "total",
        "How it is told what is used of an amount that was held.",
        "P15 2 (06 23, 06 24); EV (partial)",
        choices={"total": "the amount used (06 24)", "partial": "the amount not used (06 23)"},
    )
    settlement: bool = option(True, "It makes its end of day when asked (06 50).", "P15 2.16")
    last_result: bool = option(
        True, "It tells its last result when asked (06 20): what became of a payment whose answer was lost.", "P15 2.14"
    )
    registered_is_idle: bool = option(
        True,
        "A terminal that takes a registration and says that it is ready has no payment under way.",
        "P16 5.1; inferred",
        title="Ready means nothing under way",
    )
    connect_timeout: float = option(5.0, "How long to wait for the connection.", "P16 4", low=0.05, high=120, unit="s")
    answer_timeout: float = option(
        5.0,
        "T3: how long the terminal may take to say that it has a request.",
        "P16 5.2.5",
        low=0.05,
        high=600,
        unit="s",
    )
    dialog_timeout: float = option(
        180.0, "T4: how long it may be silent while it is at work.", "P16 5.2.6", low=0.05, high=3600, unit="s"
    )
    longest: float = option(
        900.0,
        "How long it may be at work in all, however often it says that it still is; then it is asked to give up.",
        "P16 5.2.6 has T4 begin again and again; that it must end is inferred",
        low=0.05,
        high=7200,
        unit="s",
        title="Longest operation",
    )
    card_timeout: int = option(
        30, "How long it waits for a card that is only read.", "P15 2 (06 C0)", low=1, high=250, unit="s"
    )
    keep_alive: float = option(
        0.0,
        "How long a terminal may rest until it is asked how it is, so that it does not fall asleep; 0: for ever.",
        "P15 2.56 (05 01); CCV OPM-C60 manual",
        low=0,
        high=86400,
        unit="s",
    )

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Options:
        """Return the options with the defaults filled in; raise `InvalidRequest` that names what is wrong."""
        check(OPTIONS, given)
        return cls(**given)

    @property
    def till_prints(self) -> bool:
        """Whether slips come to the till."""
        return self.slips != "none"


OPTIONS: dict[str, Option] = options_of(Options)

#: Kinds that not every terminal has, by the option that says so.
_OPTION_OF_KIND: dict[Kind, str] = {
    Kind.REFUND: "refund",
    Kind.REVERSAL: "reversal",
    Kind.PREAUTH: "preauth",
    Kind.COMPLETION: "preauth",
    Kind.SETTLEMENT: "settlement",
    Kind.REPRINT: "last_result",
    Kind.TIP: "tip",
}
KINDS = frozenset({Kind.SALE, *ASKED_KINDS, *_OPTION_OF_KIND})


def able(options: Mapping[str, Any]) -> Able:
    """Return what a terminal with these options can do."""
    lacks = {kind for kind, name in _OPTION_OF_KIND.items() if not options[name]}
    return Able(KINDS - lacks, forced=bool(options["telephone"]))
