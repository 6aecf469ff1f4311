"""What CONCERT V3 (Caisse-AP 3.x) says, as tables: fields, actions, results, reasons, payment applications.

The specification of the Association du Paiement is not public. `source` names the public texts an entry rests on:
OCA = OCA/l10n-france l10n_fr_pos_caisse_ap_ip, AK = akretion/caisse-ap-ip, HP = HiPay "Local API for Nepting" and
"Tablet Connector", PX = PayXpert "Concert V3", AP = associationdupaiement.fr, FIDE = a third party's note on
CAISSE_AP_V3.20.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, StrEnum

from ..states import Kind, State


class Charset(StrEnum):
    """What a value may consist of, as a regular expression for one character."""

    DIGITS = "[0-9]"
    CODE = "[0-9A-Z]"
    AID = r"(?:\A[A-F]|(?<=.)[0-9A-F])"  # a registered identifier begins with a letter (ISO/IEC 7816-5)
    TEXT = r"[\x00-\x7f]"


class Keep(Enum):
    """What the driver may keep of a value (scrub.py)."""

    PLAIN = "as it came, where it fits its table entry; else as text"
    REFERENCE = "unless it is a card number by its check digit"
    TEXT = "card numbers masked"
    TICKET = "base64 of Latin-1 text, card numbers masked"
    LAST4 = "the last four digits"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Field:
    """One tag. `low` and `high` bound the length in bytes."""

    tag: str
    name: str
    low: int
    high: int
    charset: Charset
    keep: Keep
    source: str

    fits: Callable[[str], object] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """`fits(value)` says whether a value has the declared length and characters."""
        object.__setattr__(self, "fits", re.compile(f"{self.charset}{{{self.low},{self.high}}}").fullmatch)


_D, _C, _T = Charset.DIGITS, Charset.CODE, Charset.TEXT

# A* terminal to till, B* till to terminal, C* both ways, Z* constructed (PX).
FIELDS: dict[str, Field] = {
    entry.tag: entry
    for entry in (
        Field("CZ", "version", 4, 4, _D, Keep.PLAIN, "OCA AK HP PX FIDE"),
        Field("CJ", "ipc", 12, 12, _D, Keep.PLAIN, "AP: identifier of the till's software"),
        Field("CA", "register", 1, 2, _D, Keep.PLAIN, "OCA AK HP; length 1 in PX"),
        Field("CB", "amount", 1, 12, _D, Keep.PLAIN, "OCA AK HP; length 1 in HP"),
        Field("CC", "payment_application", 3, 3, _C, Keep.PLAIN, "OCA AK HP"),
        Field("CD", "action", 1, 1, _C, Keep.PLAIN, "OCA AK HP PX FIDE"),
        Field("CE", "currency", 3, 3, _D, Keep.PLAIN, "OCA AK HP PX FIDE: ISO 4217 numeric"),
        Field("CF", "private_data", 1, 999, _T, Keep.TEXT, "HP PX; some terminals put card data into it"),
        Field("CG", "contract", 1, 10, _D, Keep.PLAIN, "HP AK FIDE"),
        Field("CH", "reference", 1, 99, _T, Keep.REFERENCE, "OCA PX"),
        Field("CI", "read_mode", 1, 1, _D, Keep.PLAIN, "OCA AK PX"),
        Field("CK", "ticket_handling", 3, 3, _D, Keep.PLAIN, "PX HP"),
        Field("BA", "reply_time", 1, 1, _D, Keep.PLAIN, "AK PX: 1 = at once, never for payments"),
        Field("BB", "force_authorisation", 1, 1, _D, Keep.PLAIN, "HP FIDE"),
        Field("BF", "partial_accepted", 1, 1, _D, Keep.PLAIN, "FIDE; newer Ingenico software rejects it (OCA)"),
        Field("BH", "phone", 8, 20, _T, Keep.NOTHING, "HP PX FIDE"),
        Field("BI", "email", 6, 256, _T, Keep.NOTHING, "HP PX FIDE"),
        Field("AA", "pan", 1, 64, _T, Keep.LAST4, "PX AK FIDE: masked number or token"),
        Field("AB", "expiry", 4, 4, _D, Keep.NOTHING, "AK PX FIDE"),
        Field("AC", "authorisation", 1, 10, _T, Keep.PLAIN, "HP PX AK; also on a refusal"),
        Field("AD", "cheque_line", 1, 99, _T, Keep.TEXT, "FIDE: CMC7"),
        Field("AE", "result", 2, 2, _D, Keep.PLAIN, "OCA AK HP PX FIDE"),
        Field("AF", "reason", 2, 50, _T, Keep.TEXT, "OCA HP; 29 bytes with the issuer's words on CB (HP)"),
        Field("AG", "fnci_answer", 1, 10, _T, Keep.PLAIN, "FIDE"),
        Field("AH", "cheque_guarantee", 1, 10, _T, Keep.PLAIN, "FIDE"),
        Field("AI", "aid", 5, 32, Charset.AID, Keep.PLAIN, "PX AK FIDE"),
        Field("AK", "ticket", 1, 900, _T, Keep.TICKET, "PX HP"),
        Field("AL", "pan_type", 1, 1, _D, Keep.PLAIN, "PX"),
        Field("AM", "captured_phone", 1, 99, _T, Keep.NOTHING, "FIDE"),
        Field("AN", "captured_email", 1, 256, _T, Keep.NOTHING, "FIDE"),
        Field("AP", "operation_date", 13, 13, _T, Keep.PLAIN, "PX"),
        Field("AQ", "serial_number", 2, 20, _T, Keep.REFERENCE, "PX"),
        Field("ZT", "ticket_data", 1, 999, _T, Keep.TEXT, "PX HP"),
        Field("ID", "original_id", 1, 999, _T, Keep.REFERENCE, "PX"),
        Field("IM", "debit_id", 1, 999, _T, Keep.REFERENCE, "PX"),
        Field("VT", "virtual", 1, 1, _D, Keep.PLAIN, "this product's virtual terminal; no real one sends it"),
    )
}

#: CD: what is asked. The word names the message in `decode` and `encode`.
ACTIONS: dict[str, str] = {
    "0": "sale",  # OCA AK HP PX
    "1": "refund",  # OCA AK HP PX
    "2": "reversal",  # OCA PX; "not implemented yet" at HP
    "3": "duplicate",  # PX HP
    "4": "preauthorisation",  # FIDE, and the digit of V2
    "7": "deferred_sale",  # PX
    "B": "settlement",  # PX AP
    "I": "identify",  # PX OCA
    "P": "print",  # PX
    "T": "status",  # PX
}


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its reply, as the till uses them.

    `request` lists the tags sent, `echo` those a successful reply must carry with the same value; `longest` bounds
    the wait in seconds where no person is waited for.
    """

    action: str
    request: tuple[str, ...]
    echo: tuple[str, ...]
    longest: float | None = None


_MONEY = ("CZ", "CJ", "CA", "CB", "CD", "CE")  # mandatory, and all a real Ingenico needs (OCA AK HP)

_PLAIN = ("CZ", "CJ", "CA", "CD")

EXCHANGES: dict[Kind, Exchange] = {
    Kind.SALE: Exchange("0", _MONEY, echo=("CD", "CE", "CA")),
    Kind.REFUND: Exchange("1", _MONEY, echo=("CD", "CE", "CA")),
    Kind.REVERSAL: Exchange("2", _MONEY, echo=("CD", "CE", "CA")),
    Kind.PREAUTH: Exchange("4", _MONEY, echo=("CD", "CE", "CA")),
    Kind.SETTLEMENT: Exchange("B", _PLAIN, echo=("CD",)),
    Kind.REPRINT: Exchange("3", _MONEY, echo=(), longest=15),
    Kind.IDENTIFY: Exchange("I", _PLAIN, echo=("CD",), longest=10),
}

#: The till asks for a copy of the last result (PX HP); amount and currency are there for terminals that insist, and may
#: be anything (HP).
DUPLICATE = EXCHANGES[Kind.REPRINT]
ANYTHING = {"CB": "01", "CE": "978"}
REFERENCE_TAGS = ("CF", "CH")  # both come back (HP PX), on some terminals with other contents

TICKETS = {"customer": "100", "merchant": "110", "both": "120"}  # CK: wanted in the reply, whose, Latin-1 text (PX HP)
MERCHANT, BOTH = "1", "2"  # its second digit
DONE, NOT_DONE = "10", "01"  # AE (OCA AK HP PX FIDE); 11 = "taken into account" with BA=1 (AK)


#: AF beside AE=10: absent, not said, authorised, after a phone call, forced. Any other says "not done".
REASONS_OF_SUCCESS = frozenset({"", "00", "01", "02", "03"})
AUTHORISED = "01"

#: AF, first two characters: how a transaction that was not done ended, a word for programs, a sentence for people.
REASONS: dict[str, tuple[State, str, str]] = {
    "00": (State.DECLINED, "declined", "The terminal did not do it."),
    "02": (State.DECLINED, "phone_referral", "The bank asks for a call. Nothing was charged."),
    "03": (State.DECLINED, "forcing_refused", "The forced payment was not done."),
    "04": (State.DECLINED, "declined", "Declined by the bank."),
    "05": (State.DECLINED, "forbidden", "This card may not be used here."),
    "06": (State.CANCELLED, "cardholder_abort", "Given up on the terminal."),
    "07": (State.DECLINED, "not_completed", "The transaction was not completed."),
    "08": (State.CANCELLED, "timeout", "No card was presented in time."),
    "09": (State.FAILED, "message_refused", "The terminal did not understand the request. Check the protocol options."),
    "10": (State.FAILED, "selection_refused", "The terminal has no such payment application."),
    "11": (State.CANCELLED, "operator_abort", "Cancelled on the terminal."),
    "12": (State.FAILED, "not_supported", "The terminal does not know this operation."),
    "13": (State.FAILED, "currency_refused", "The terminal does not take this currency."),
}  # HP OCA PX; a cheque on Ingenico always answers 04 (AK)
#: AE 01 without AF: "busy, or the application is in the background" (PX); a cardholder's abort has one (OCA HP).
NO_REASON = (
    State.FAILED,
    "terminal_busy",
    "The terminal did not take it up: it is busy, shows a menu, or serves another till or driver. Nothing was charged.",
)
UNKNOWN_REASON = REASONS["00"]


@dataclass(frozen=True, slots=True)
class Application:
    """A payment application: the brand people know, its longer name, and the entry mode where it implies one."""

    brand: str
    name: str = ""
    entry_mode: str = ""


#: CC (HP; 001 00B 00C 002 00D also AK OCA). 000 means indifferent.
APPLICATIONS: dict[str, Application] = {
    "001": Application("CB", "CB contact", "contact"),
    "00B": Application("CB", "CB contactless", "contactless"),
    "002": Application("American Express", "American Express contact", "contact"),
    "00D": Application("American Express", "American Express contactless", "contactless"),
    "003": Application("CB", "CB Enseigne"),
    "004": Application("Cetelem"),
    "005": Application("Cofinoga"),
    "006": Application("Diners"),
    "007": Application("Pass"),
    "008": Application("Franfinance"),
    "009": Application("JCB"),
    "00A": Application("Banque Accord", "Banque Accord EMV"),
    "00C": Application("Cheque"),
    "00E": Application("CONECS", "CONECS contact", "contact"),
    "10E": Application("CONECS", "CONECS contactless", "contactless"),
    "00F": Application("DCC", "Dynamic currency conversion"),
    "00G": Application("QuickPass"),
    "00I": Application("CPEI", "CPEI-EMV"),
    "00S": Application("Sofinco"),
    "00U": Application("UnionPay"),
    "101": Application("CB", "CB distance sale", "manual"),
    "201": Application("CB", "Quasi-cash"),
    "301": Application("PLBS"),
    "30F": Application("PLBS", "PLBS-DCC-GB"),
    "401": Application("Optalion"),
    "501": Application("CB", "Cash advance"),
    "601": Application("PNF"),
    "602": Application("P3F"),
    "603": Application("Optalion"),
    "604": Application("CB", "Preauto-CM"),
    "605": Application("CB", "PRCME"),
    "607": Application("QR", "Payment by QR code"),
    "608": Application("TOP3-3XCB"),
    "609": Application("PNF", "PNF-HPS"),
    "701": Application("PPFCA"),
}

#: CI (OCA AK PX). 0 means indifferent.
READ_MODES: dict[str, str] = {"1": "contact", "2": "contactless", "3": "magstripe", "4": "manual"}
