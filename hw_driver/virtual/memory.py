"""What a virtual terminal remembers until its payments are sent off: for copies, and for what takes a sale back."""

from __future__ import annotations

from collections.abc import Iterable

from .ledger import SETTLED, Entry


class Memory:
    """`last` is the latest dialog's end, None when there is none since the last settlement."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.last: Entry | None = None
        self._approved: list[Entry] = []
        for entry in entries:
            self.keep(entry)

    def keep(self, entry: Entry) -> None:
        """Take in how a dialog ended; nothing is left of what was sent off."""
        if (entry.kind, entry.outcome) == SETTLED:
            self.last = None
            self._approved.clear()
        elif entry.kind != "settlement":
            self.last = entry
            if entry.outcome == "approved":
                self._approved.append(entry)

    def can_take_back(self, amount: int, currency: str) -> bool:
        """Whether there is a sale of this amount that was not taken back yet."""
        kinds = [entry.kind for entry in self._approved if (entry.amount, entry.currency) == (amount, currency)]
        return kinds.count("sale") > kinds.count("reversal")
