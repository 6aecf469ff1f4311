"""A transaction as tills see it: its journalled state, what the terminal shows now, and a number that grows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from .journal import Record, outcome_body
from .protocols.machine import Evidence, Outcome, Progress
from .protocols.states import ENDED, MONEY_KINDS, MONEY_OF_STATE, Kind, Money, State

#: Shown while an end waits for the disk, by whether bytes may have left: nobody may act on what is not durable.
STORING = {
    True: Progress("storing", "The terminal has answered, but this cannot be stored: the disk is full or broken."),
    False: Progress("storing", "Nothing was sent, but this cannot be stored: the disk is full or broken."),
}


class Transaction:
    """One transaction, live or rebuilt from the journal.

    `rev` grows with every change, progress included. `outcome` is set once the terminal (or the lost link) has spoken.
    `ended` says that nothing more will come without a person, a new question or a new start. `evidence` is what the
    terminal last said that proves nothing.
    """

    def __init__(self, uuid: str, body: Mapping[str, Any], record: Record | None = None) -> None:
        self.uuid = uuid
        self.body = body
        self.kind = Kind(body["kind"])
        self.record: Record | None = None
        self.state = State.REQUESTED
        self.outcome: Outcome | None = None
        self.rev = 0
        self.ended = False
        self.evidence: Evidence | None = None
        self._progress: Progress | None = None
        self._progress_at = 0.0
        self._waiting: list[asyncio.Future[None]] = []
        if record is not None:
            self.journalled(record)
            self.ended = record.state in ENDED or record.state is State.UNKNOWN

    @property
    def money(self) -> Money:
        """What is known of the customer's money; kinds that move none are always safe."""
        return MONEY_OF_STATE[self.state] if self.kind in MONEY_KINDS else Money.SAFE

    def as_json(self, journal_id: str) -> dict[str, Any]:
        """Return it as the API says it (docs/api.md 1.3)."""
        body, record, outcome = self.body, self.record, self.outcome
        return {
            "uuid": self.uuid,
            "journal_id": journal_id,
            "rev": self.rev,
            "state": self.state.value,
            "money": self.money.value,
            "kind": self.kind.value,
            "terminal": body["terminal"],
            "amount": body.get("amount", 0),
            "currency": body.get("currency", ""),
            "amount_approved": outcome.amount_approved if outcome else None,
            "code": outcome.code if outcome else "",
            "text": outcome.text if outcome else "",
            "progress": self._progress_now(),
            "outcome": outcome_body(outcome) or None,
            "settled": (record.settled or None) if record else None,
            **{name: body.get(name, "") for name in ("till", "session", "order", "line", "operator", "reference")},
            "original": body.get("original"),
            "means": body.get("means") or "card",
            "forced": body.get("forced") or "",
            "requested_at": record.requested_at if record else None,
            "ended_at": (record.ended_at or None) if record else None,
        }

    async def changed(self, after: int, seconds: float) -> Transaction:
        """Return itself once `rev` is no longer `after`, or after `seconds`.

        Not "greater": after a restart of the driver it may begin again lower, and that is a change too.
        """
        if self.rev == after:
            loop = asyncio.get_running_loop()
            moved = loop.create_future()
            self._waiting.append(moved)
            patience = loop.call_later(seconds, self._wake, moved)
            try:
                await moved
            finally:
                patience.cancel()
                self._waiting = [waiting for waiting in self._waiting if waiting is not moved]
        return self

    # -- called by whoever runs the dialog

    def journalled(self, record: Record) -> None:
        """Show what the journal now holds."""
        self.record, self.state, self.outcome = record, record.state, record.outcome
        self._tell(record.seq)

    def shown(self, progress: Progress) -> None:
        """Show what the terminal says."""
        self._progress, self._progress_at = progress, time.monotonic()
        self._tell()

    def reopened(self) -> None:
        """Go on: the terminal is asked once more."""
        self.ended = False

    def waits_for_disk(self, sent: bool) -> None:
        """Show that the end is not durable yet; `unknown` if bytes may have left."""
        if sent:
            self.state, self.outcome = State.UNKNOWN, None
        self.shown(STORING[sent])

    def finished(self, state: State, outcome: Outcome | None) -> None:
        """Show the end."""
        self.state, self.outcome, self.ended, self._progress = state, outcome, True, None
        self._tell()

    def _tell(self, at_least: int = 0) -> None:
        self.rev = max(self.rev + 1, at_least)
        for moved in self._waiting:
            self._wake(moved)

    @staticmethod
    def _wake(moved: asyncio.Future[None]) -> None:
        if not moved.done():
            moved.set_result(None)

    def _progress_now(self) -> dict[str, Any] | None:
        if self._progress is None:
            return None
        left = self._progress.seconds_left
        if left is not None:
            left = max(0, round(left - (time.monotonic() - self._progress_at)))
        return {"code": self._progress.code, "text": self._progress.text, "seconds_left": left}
