"""The cards a cardholder can hold to a virtual terminal, and what each makes a real one answer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CardProfile:
    """A card: `application` is CONCERT's CC, `entry` its CI (1 contact, 2 contactless), `limit` the most it pays.

    A cheque has no number of a card but a `line` (CMC7, 35 characters); only a till that asks for one takes it.
    """

    name: str
    label: str
    hint: str
    receipt_name: str
    application: str
    entry: str
    prefix: str
    last4: str
    aid: str = ""
    pin: bool = False
    accepted: bool = True
    limit: int | None = None
    line: str = ""

    @property
    def masked(self) -> str:
        """The number as terminals send it (AA)."""
        return f"{self.prefix}######{self.last4}"


#: Applications: HiPay Local API, CC table. The meal voucher pays up to its day's limit, as French law has it.
CARDS: dict[str, CardProfile] = {
    card.name: card
    for card in (
        CardProfile("cb", "CB", "Insert · asks for a PIN", "CARTE BANCAIRE", "001", "1", "497010", "4821",
                 aid="A0000000421010", pin=True),
        CardProfile("contactless", "CB contactless", "Tap", "CB SANS CONTACT", "00B", "2", "513130", "7306",
                 aid="A0000000421010"),
        CardProfile("amex", "American Express", "Tap", "AMERICAN EXPRESS", "00D", "2", "374200", "1005",
                 aid="A000000025010402"),
        CardProfile("voucher", "Meal voucher", "Tap · up to €25.00", "CONECS TITRE-RESTO", "10E", "2",
                 "639190", "0258", limit=2500),
        CardProfile("cheque", "Cheque", "Put into the reader", "CHEQUE", "00C", "0", "", "",
                 line="0000023 012345678901 012345678901  "),
        CardProfile("decline", "Empty account", "Tap · is declined", "CB SANS CONTACT", "00B", "2", "497010", "0119",
                 aid="A0000000421010", accepted=False),
    )
}  # fmt: skip
