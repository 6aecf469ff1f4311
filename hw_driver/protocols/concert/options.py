"""What can be set for a CONCERT V3 terminal, checked before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..options import Option, check, option, options_of, wrong
from .means import V3, accepted
from .tables import REFERENCE_TAGS

_TAG_CHOICES = {"": "none", **dict(zip(REFERENCE_TAGS, ("private data", "reference"), strict=True))}


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
        title="Software number (IPC)",
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
        title="CR and LF at the end",
    )
    tickets: bool = option(
        False,
        "Asks for slips as text (CK), to print them with the receipt; some terminals refuse the extra field.",
        "HP PX",
    )
    ticket_copies: str = option(
        "customer",
        "Whose slips to ask for.",
        "PX HP VIVA FIDE; how two come in one text is inferred",
        choices={"customer": "the customer's", "merchant": "the shop's", "both": "both, in one text"},
    )
    accepts: str = option(
        "card",
        "What it can be told to pay with (CC), each a payment method of its own: a cheque needs a reader.",
        "HP; cheque and CB also OCA AK DEL",
        **accepted(V3),
        title="Means of payment",
    )
    refund: bool = option(True, "It pays back onto a card (CD 1).", "OCA AK HP PX")
    reversal: bool = option(True, "It takes back the last sale when asked (CD 2).", "OCA PX; HP: not implemented yet")
    settlement: bool = option(False, "It sends off the day's payments when asked (CD B); from version 3.10.", "PX AP")
    preauth: bool = option(
        False,
        "It holds an amount when asked (CD 4); how to complete or release it is not public.",
        "FIDE; V2 (LI)",
    )
    authorise: bool = option(
        False,
        "Asks the bank for an authorisation each time, whatever the amount (BB).",
        "HP FIDE",
        title="Always authorise",
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
    settlement_timeout: float = option(
        600.0,
        "How long sending off the day's payments may take.",
        "chosen; not in any text",
        low=0.05,
        high=7200,
        unit="s",
    )
    keep_alive: float = option(
        0.0,
        "How long a terminal may rest until it is asked who it is, so that its link does not fall asleep; 0: for ever.",
        "PX OCA (CD I); that it keeps a link awake is inferred from OCA/pos#701",
        low=0,
        high=86400,
        unit="s",
    )
    drain: float = option(
        0.3,
        "How long to wait for more after the result, where the ticket comes noticeably later.",
        "OCA",
        low=0,
        high=10,
        unit="s",
        title="Wait for the ticket",
    )
    duplicata: bool = option(
        False,
        "The terminal prints and tells a copy of its last result when asked (CD 3): it is asked after a lost answer.",
        "HP (on a Verifone V240m) PX",
        title="Copy of the last result",
    )
    duplicata_idle: bool = option(
        False,
        "It refuses that copy while a payment is under way: try while the amount is shown.",
        "HP, inferred",
        title="Copy only while idle",
    )
    duplicata_refused: str = option(
        "",
        "The reason (AF) with which it refuses the copy of a payment that was not completed, often 07.",
        "HP; the code is inferred",
        pattern="|[0-9]{2}",
        wanted="two digits in quotes, or empty",
        title="No copy: reason code",
    )
    reference_tag: str = option(
        "",
        "The field that the terminal gives back as it was sent: it then carries the payment's own reference.",
        "HP PX",
        choices=_TAG_CHOICES,
    )
    order_tag: str = option(
        "",
        "The field that carries the order's number, where the terminal prints it or its report shows it.",
        "PX OCA (CH), HP VIVA (CF)",
        choices=_TAG_CHOICES,
    )
    private_data: str = option(
        "",
        "What the terminal's maker wants in CF, the same each time.",
        "HP VIVA",
        pattern="[ -~]{0,99}",
        wanted="at most 99 plain characters",
    )

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Options:
        """Return the options with the defaults filled in; raise `InvalidRequest` that names what is wrong."""
        check(OPTIONS, given)
        options = cls(**given)
        if len(str(int(options.register))) > options.register_length:
            raise wrong(f"register {options.register} does not fit register_length {options.register_length}")
        taken = [tag for tag in (options.reference_tag, options.order_tag, options.private_data and "CF") if tag]
        if len(taken) != len(set(taken)):
            raise wrong("reference_tag, order_tag and private_data must not put two things into one field")
        return options

    @property
    def register_number(self) -> str:
        """The register as it goes over the wire (CA)."""
        return str(int(self.register)).zfill(self.register_length)


OPTIONS: dict[str, Option] = options_of(Options)
