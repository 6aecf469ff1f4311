"""What can be set for a CONCERT V3 terminal, checked before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..options import Option, check, option, options_of, wrong
from .tables import REFERENCE_TAGS


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one terminal; times are in seconds."""

    register: str = option(
        "01",
        "The till's number on the terminal (CA): give each till its own where the terminal's report tells them apart.",
        "OCA AK HP PX",
        pattern="[0-9]{1,2}",
        wanted="one or two digits in quotes",
    )
    register_length: int = option(
        2,
        "Digits of that number: 1 where the terminal answers AF 09 (format error) and its manual shows CA0011.",
        "OCA AK HP (2); PX (1)",
        choices={1: "one digit", 2: "two digits"},
    )
    ipc: str = option(
        "012345678901",
        "The till software's number (CJ), where the terminal's maker asks for one of the Association du Paiement.",
        "AP; the default is what OCA AK send",
        pattern="[0-9]{12}",
        wanted="12 digits in quotes",
    )
    version: str = option(
        "0300",
        "The version sent (CZ), where the terminal insists on another; its answers may name any.",
        "OCA AK HP PX DEL",
        choices={"0300": "3.00", "0301": "3.01", "0310": "3.10", "0320": "3.20"},
    )
    crlf: bool = option(
        False,
        "Ends each request with CR and LF, where all are rejected and the maker's manual asks for it.",
        "HP, perhaps a slip of the pen",
    )
    tickets: bool = option(
        False,
        "Asks for the customer's slip (CK), to print it on the receipt; some terminals refuse the extra field.",
        "HP PX",
    )
    connect_timeout: float = option(
        5.0,
        "How long the terminal may take to be reached.",
        "chosen; not in any text",
        low=0.05,
        high=120,
        unit="s",
    )
    answer_timeout: float = option(
        180.0,
        "How long the terminal may take to answer, the customer included.",
        "HP AK OCA",
        low=0.05,
        high=3600,
        unit="s",
    )
    drain: float = option(
        0.3,
        "How long to wait for more after the result, where the ticket comes noticeably later.",
        "OCA",
        low=0,
        high=10,
        unit="s",
    )
    duplicata: bool = option(
        False,
        "The terminal prints and tells a copy of its last result when asked (CD 3): it is asked after a lost answer.",
        "HP (on a Verifone V240m) PX",
    )
    duplicata_idle: bool = option(
        False,
        "It refuses that copy while a payment is under way: try while the amount is shown.",
        "HP, inferred",
    )
    duplicata_refused: str = option(
        "",
        "The reason (AF) with which it refuses the copy of a payment that was not completed, often 07.",
        "HP; the code is inferred",
        pattern="|[0-9]{2}",
        wanted="two digits in quotes, or empty",
    )
    reference_tag: str = option(
        "",
        "The field that the terminal gives back as it was sent: it then carries the payment's own reference.",
        "HP PX",
        choices={"": "none", **dict(zip(REFERENCE_TAGS, ("private data", "reference"), strict=True))},
    )

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Options:
        """Return the options with the defaults filled in; raise `InvalidRequest` that names what is wrong."""
        check(OPTIONS, given)
        options = cls(**given)
        if len(str(int(options.register))) > options.register_length:
            raise wrong(f"register {options.register} does not fit register_length {options.register_length}")
        return options

    @property
    def register_number(self) -> str:
        """The register as it goes over the wire (CA)."""
        return str(int(self.register)).zfill(self.register_length)


OPTIONS: dict[str, Option] = options_of(Options)
