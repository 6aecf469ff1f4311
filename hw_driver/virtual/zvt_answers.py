"""What a ZVT terminal says: its messages, and how it understands those of a till (P15 2, 3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ..protocols.zvt import commands as say
from ..protocols.zvt import fields as bmp
from ..protocols.zvt import tlv
from ..protocols.zvt.apdu import ACK, build, parse
from ..protocols.zvt.messages import Taken
from ..protocols.zvt.values import GROUPS
from .cards import CardProfile
from .ledger import Entry
from .receipt import euros

YES = build(ACK)
BUSY, UNKNOWN, NO_PAPER, DAY_OPEN = 0x9C, 0x83, 0xCC, 0xF0
DECLINED, ABORTED, ALREADY_REVERSED, NO_REVERSAL = 0x05, 0x6C, 0xB4, 0xB5
TOO_SMALL, WRONG_CURRENCY, WRONG_PREAUTH_AMOUNT, NO_PREAUTH = 0xC8, 0x6F, 0xB7, 0xB8
INSERT_CARD, PLEASE_WAIT = 0x0A, 0x0E
READY = 0x00
NO_RECEIPT = b"\xff\xff"
#: In the payment type (BMP 19): a tip may follow (P15 2, 06 01).
TIPPABLE = 0x08
SOFTWARE = b"VIRTUAL 1"


@dataclass(frozen=True, slots=True)
class Scheme:
    """What a card is in ZVT: the name on it, its application, its type (BMP 8A) and its group in the day's totals."""

    name: str
    aid: str
    type: int
    group: str


#: By the application of the card's profile.
SCHEMES: dict[str, Scheme] = {
    "cb": Scheme("girocard", "a0000003591010028001", 5, "girocard"),
    "contactless": Scheme("Mastercard", "a0000000041010", 6, "Mastercard"),
    "amex": Scheme("AMERICAN EXPRESS", "a000000025010801", 8, "American Express"),
    "voucher": Scheme("Edenred", "", 240, "others"),
    "cheque": Scheme("Scheck", "", 240, "others"),
    "decline": Scheme("VISA", "a0000000031010", 10, "Visa"),
}
_ENTRIES = {"1": b"\x01", "2": b"\x02"}


@dataclass(slots=True)
class Registered:
    """What a till registered: what it prints, whether it wants to hear what goes on, and as lines or in blocks."""

    config: int = 0x08
    blocks: bool = False
    containers: bool = False

    @classmethod
    def of(cls, taken: Taken) -> Registered:
        allowed = tlv.lenient(tlv.find(taken.objects, tlv.COMMANDS) or b"")
        wanted = say.PRINT_BLOCK.to_bytes(2, "big")
        return cls(
            taken.parts.get("config", b"\x08")[0],
            blocks=any(value == wanted for _, value in allowed),
            containers=any(number == bmp.TLV for number, _ in taken.values),
        )

    @property
    def prints(self) -> bool:
        return bool(self.config & 0x02)

    @property
    def listens(self) -> bool:
        return bool(self.config & 0x08)


def refused(code: int) -> bytes:
    """Return a refusal of a command."""
    return build(0x8400 | code)


def container(*objects: tuple[int, bytes]) -> bytes:
    """Return a container (BMP 06)."""
    return bmp.one(bmp.TLV, b"".join(tlv.make(tag, value) for tag, value in objects))


def completion() -> bytes:
    """Return 06 0F."""
    return build(say.COMPLETION)


def registered(terminal_id: str, wants: int = 0) -> bytes:
    """Return the completion of a registration: who the terminal is, and what it wants first."""
    data = (
        bmp.one(bmp.STATUS, bytes((wants,)))
        + bmp.one(bmp.TERMINAL_ID, bytes.fromhex(terminal_id))
        + bmp.one(0x49, b"\x09\x78")
    )
    return build(say.COMPLETION, data + container((tlv.VIRTUAL, b"\x01")))


def status_report(state: bytes, serial: str) -> bytes:
    """Return the completion of a status enquiry."""
    version = bytes(0xF0 | int(digit) for digit in f"{len(SOFTWARE):03d}") + SOFTWARE
    return build(
        say.COMPLETION,
        version + state + container((tlv.SERIAL, bytes.fromhex(serial)), (tlv.VIRTUAL, b"\x01")),
    )


def aborted(code: int, receipt: bytes = b"") -> bytes:
    """Return 06 1E."""
    return build(say.ABORT, bytes((code,)) + (bmp.one(bmp.RECEIPT, receipt) if receipt else b""))


def card_data(card: CardProfile) -> bytes:
    """Return the status information of a card that was only read."""
    return build(say.STATUS_INFORMATION, bmp.join([(bmp.RESULT, b"\0"), *_of_card(card)]))


def doing(code: int, text: str, *, minutes: bool = True) -> bytes:
    """Return an intermediate status with its text."""
    texts = tlv.make(tlv.DISPLAY_TEXTS, tlv.make(tlv.LINE, text.encode("cp437")))
    return build(say.INTERMEDIATE, bytes((code,)) + (b"\x01" if minutes else b"") + bmp.one(bmp.TLV, texts))


@dataclass(frozen=True, slots=True)
class Terminal:
    """What a terminal says of itself with every result; `currency` is the number of ISO 4217."""

    id: str
    currency: str


def status(entry: Entry, code: int, card: CardProfile | None, at: datetime, terminal: Terminal) -> bytes:
    """Return a status information (04 0F): how a transaction ended."""
    values: bmp.Values = [(bmp.RESULT, bytes((code,)))]
    receipt = entry.references.get("receipt", "")
    if code == 0:
        values += [(bmp.AMOUNT, bytes.fromhex(f"{int(entry.references.get('told', entry.amount)):012d}"))]
    values += [(0x49, bytes.fromhex(f"0{terminal.currency}")), (bmp.TERMINAL_ID, bytes.fromhex(terminal.id))]
    values += [(bmp.TIME, bytes.fromhex(f"{at:%H%M%S}")), (bmp.DATE, bytes.fromhex(f"{at:%m%d}"))]
    if receipt:
        values += [(bmp.TRACE, bytes.fromhex(entry.references["trace"])), (bmp.RECEIPT, bytes.fromhex(receipt))]
    if original := entry.references.get("original_trace"):
        values += [(bmp.ORIGINAL_TRACE, bytes.fromhex(original))]
    objects: list[tuple[int, bytes]] = [(tlv.VIRTUAL, b"\x01")]
    if card is not None:
        scheme = SCHEMES[card.name]
        values += _of_card(card)
        objects += [(tlv.AID, bytes.fromhex(scheme.aid))] if scheme.aid else []
        verification = b"\x01" if "signature" in entry.references else b"\x02" if card.pin else b"\0"
        paid = (tlv.VERIFICATION, verification), (tlv.ENTRY, _ENTRIES.get(card.entry, b"\0"))
        objects.append((tlv.PAYMENT, b"".join(tlv.make(tag, value) for tag, value in paid)))
    if "tippable" in entry.references:
        objects.append((tlv.TIPPABLE, b"\x01"))
    if tip := entry.references.get("tip"):
        objects.append((tlv.TIP, bytes.fromhex(f"{int(tip):012d}")))
    if code == 0 and entry.auth_code:
        values += [(bmp.APPROVAL, entry.auth_code.encode().ljust(8, b"\0"))]
    elif code:
        values += [(bmp.TEXT_FIELD, _TEXTS.get(code, "Abgelehnt").encode("cp437"))]
    values.append((bmp.CONTRACT, entry.contract.ljust(15).encode()))
    data = bmp.join(values) + container(*objects)
    return build(say.STATUS_INFORMATION, data)


def _of_card(card: CardProfile) -> bmp.Values:
    scheme = SCHEMES[card.name]
    return [
        (bmp.CARD, bytes.fromhex(f"{'e' * 12}{card.last4 or '0000'}")),
        (bmp.CARD_TYPE, bytes((scheme.type,))),
        (bmp.CARD_NAME, scheme.name.encode() + b"\0"),
    ]


def with_unknown_field(said: bytes) -> bytes:
    """Return a status information with something behind it that no till knows."""
    unit = parse(said)
    return build(unit.control, unit.data + b"\xc9\x01\x02")


def slip(entry: Entry, copy: str, terminal: Terminal) -> str:
    """Return the text of a slip; `copy` is ``merchant`` or ``customer``."""
    lines = [*_HEAD, "Kundenbeleg" if copy == "customer" else "Händlerbeleg"]
    lines += [_WHAT.get(entry.kind, entry.kind), f"Terminal-ID {terminal.id}"]
    if entry.references.get("receipt"):
        lines += [f"TA-Nr. {entry.references['trace']}", f"Beleg-Nr. {entry.references['receipt']}"]
    if entry.card:
        lines += [entry.card.brand, f"############{entry.card.last4}"]
    lines += [f"Betrag {euros(entry.amount or entry.asked, entry.currency)}", _RESULT[entry.outcome]]
    if tip := entry.references.get("tip"):
        lines.append(f"darin Trinkgeld {euros(int(tip), entry.currency)}")
    if copy == "merchant" and "signature" in entry.references:
        lines += ["", "Unterschrift", "________________________"]
    return "\n".join(lines)


def service_slip(title: str, terminal_id: str) -> str:
    """Return the text of a diagnosis' or initialisation's slip."""
    return "\n".join([*_HEAD, title, f"Terminal-ID {terminal_id}", "Erfolgreich"])


def day_slip(entries: Iterable[Entry], terminal: Terminal, title: str) -> str:
    """Return the text of the slip of an end of day, or of the totals in between."""
    lines = [f"{_WHAT.get(entry.kind, entry.kind)} {euros(entry.amount, entry.currency)}" for entry in entries]
    return "\n".join([*_HEAD, title, f"Terminal-ID {terminal.id}", *lines])


_WHOSE = {"merchant": b"\x01", "customer": b"\x02", "other": b"\x03"}
_HEAD = ("VIRTUELLES TERMINAL", "OHNE WERT")
_WHAT = {"sale": "Zahlung", "tip": "Trinkgeld", "refund": "Gutschrift", "reversal": "Storno", "preauth": "Reservierung"}
_RESULT = {"approved": "Zahlung erfolgt", "declined": "ABGELEHNT", "cancelled": "ABBRUCH"}


_TEXTS = {
    DECLINED: "Abgelehnt",
    ABORTED: "Abbruch",
    ALREADY_REVERSED: "Bereits storniert",
    NO_REVERSAL: "Storno nicht möglich",
    DAY_OPEN: "Kassenschnitt erforderlich",
    NO_PAPER: "Drucker nicht bereit",
}


def totals(entries: Iterable[Entry], at: datetime) -> bytes:
    """Return the status information of an end of day: how much each group of cards brought (BMP 60)."""
    counted = {group: [0, 0] for group in GROUPS}
    receipts = ["0000"]
    groups = {scheme.name: scheme.group for scheme in SCHEMES.values()}
    for entry in entries:
        sign = 1 if entry.kind in ("sale", "tip") else -1
        group = counted[groups.get(entry.card.brand if entry.card else "", "others")]
        group[0] += entry.kind != "tip"  # it belongs to a payment that is counted
        group[1] += sign * entry.amount
        receipts.append(entry.references.get("receipt", "0000"))
    first, last = (receipts[1], receipts[-1]) if len(receipts) > 1 else ("0000", "0000")
    sums = b"".join(
        bytes((min(count, 255),)) + bytes.fromhex(f"{max(amount, 0):012d}") for count, amount in counted.values()
    )
    total = max(sum(amount for _, amount in counted.values()), 0)
    values: bmp.Values = [
        (bmp.RESULT, b"\0"),
        (bmp.AMOUNT, bytes.fromhex(f"{total:012d}")),
        (bmp.TIME, bytes.fromhex(f"{at:%H%M%S}")),
        (bmp.DATE, bytes.fromhex(f"{at:%m%d}")),
        (bmp.SUMS, bytes.fromhex(first + last) + sums),
    ]
    return build(say.STATUS_INFORMATION, bmp.join(values))


def printed(text: str, kind: str, registered: Registered, *, container_behind: bool = False) -> list[bytes]:
    """Return the messages that print a slip at the till: one block, or a line each, as card complete has them."""
    lines = text.splitlines()
    if registered.blocks:
        objects = b"".join(
            tlv.make(tlv.ATTRIBUTE, b"\0") + tlv.make(tlv.LINE, line.encode("cp437", "replace")) for line in lines
        )
        objects += tlv.make(tlv.ATTRIBUTE, b"\x81")
        return [build(say.PRINT_BLOCK, container((tlv.RECEIPT_TYPE, _WHOSE[kind]), (tlv.PRINT_TEXTS, objects)))]
    behind = container((tlv.RECEIPT_TYPE, _WHOSE[kind])) if container_behind else b""
    said = [build(say.PRINT_LINE, b"\0" + line.encode("cp437", "replace") + behind) for line in lines]
    return [*said, build(say.PRINT_LINE, b"\x81")]
