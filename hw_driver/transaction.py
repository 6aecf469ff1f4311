"""A transaction as tills see it: its journalled state, what the terminal shows now, and a number that grows."""

from __future__ import annotations

from typing import Any

from .journal import Record
from .protocols.machine import Outcome


class Transaction:
    """One transaction, live or rebuilt from the journal.

    `rev` grows with every change, progress included. `outcome` is set once the terminal (or the lost link) has spoken.
    """

    rev: int
    record: Record | None
    outcome: Outcome | None

    def as_json(self, journal_id: str) -> dict[str, Any]:
        """Return it as the API says it (docs/api.md 1.3)."""
        raise NotImplementedError

    async def changed(self, after: int, seconds: float) -> Transaction:
        """Return itself once `rev` is no longer `after`, or after `seconds`."""
        raise NotImplementedError
