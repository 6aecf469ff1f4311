"""Slips that the terminal sends to be printed: lines (06 D1) and blocks (06 D3), collected into whole slips as text."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..scrub import scrub
from .messages import Taken
from .tlv import ATTRIBUTE, LINE, PRINT_TEXTS, RECEIPT_TYPE, Objects, find, lenient
from .values import text_of

WIDTH = 24
_FEED, _END, _CENTRED, _INDENT = 0xFF, 0x80, 0x40, 0x0F
MERCHANT, CUSTOMER, OTHER = "merchant", "customer", "other"
_TYPES = {b"\x01": MERCHANT, b"\x02": CUSTOMER, b"\x03": OTHER}
#: Words on slips that say whose they are, where nothing else does.
_WORDS = {
    CUSTOMER: ("kundenbeleg", "kunden-beleg", "customer copy", "copie client", "ticket client"),
    MERCHANT: ("händlerbeleg", "haendlerbeleg", "händler-beleg", "merchant copy", "copie commer", "ticket commer"),
}


@dataclass(slots=True)
class Slips:
    """What came to be printed so far. A line's last bit ends a slip; a slip without it ends with the dialog."""

    charset: str
    done: list[tuple[str, str]] = field(default_factory=list)
    _lines: list[str] = field(default_factory=list)
    _whose: str = ""

    def line(self, taken: Taken) -> None:
        """Take one line (06 D1)."""
        attribute = taken.parts.get("attribute", b"\0")[0]
        self._type(taken.objects)
        if attribute == _FEED:
            self._lines += [""] * taken.parts.get("feed", b"\x01")[0]
        else:
            self._add(attribute, taken.parts.get("text", b""))

    def block(self, taken: Taken) -> None:
        """Take one block (06 D3): attributes, each with the text that follows it."""
        self._type(taken.objects)
        attribute: int | None = None
        for tag, value in lenient(find(taken.objects, PRINT_TEXTS) or b""):
            if tag == ATTRIBUTE:
                if attribute is not None:
                    self._add(attribute, b"")
                attribute = value[0] if value else 0
            elif tag == LINE:
                self._add(attribute or 0, value)
                attribute = None
        if attribute is not None:
            self._add(attribute, b"")

    def of(self, whose: str) -> str:
        """Return the text of a copy, '' where none came. Ends a slip that has no end."""
        self._cut()
        return "\n".join(text for owner, text in self._owned() if owner == whose)

    @property
    def all(self) -> str:
        """Every slip, one after the other."""
        self._cut()
        return "\n".join(text for _, text in self.done)

    def _type(self, objects: Objects) -> None:
        whose = _TYPES.get(find(objects, RECEIPT_TYPE) or b"", "")
        if whose and self._whose and whose != self._whose:
            self._cut()
        self._whose = whose or self._whose

    def _add(self, attribute: int, text: bytes) -> None:
        line = text_of(text, self.charset).rstrip("\r\n")
        ends = bool(attribute & _END)
        if line or not ends:
            indented = " " * (attribute & _INDENT if attribute != _FEED else 0) + line
            self._lines.append((line.center(WIDTH) if attribute & _CENTRED and not ends else indented).rstrip())
        if ends:
            self._cut()

    def _cut(self) -> None:
        text = "\n".join(self._lines).strip("\n")
        if text.strip():
            self.done.append((self._whose, scrub(text) + "\n"))
        self._lines, self._whose = [], ""

    def _owned(self) -> list[tuple[str, str]]:
        """Say whose each slip is; where it is not said: one is the customer's, of two the first is the shop's."""
        owned = [(whose or _by_words(text), text) for whose, text in self.done]
        unsaid = [index for index, (whose, _) in enumerate(owned) if not whose]
        for place, index in enumerate(reversed(unsaid)):
            owned[index] = (CUSTOMER if place == 0 else MERCHANT if place == 1 else OTHER, owned[index][1])
        return owned


def _by_words(text: str) -> str:
    low = text.lower()
    return next((whose for whose, words in _WORDS.items() if any(word in low for word in words)), "")
