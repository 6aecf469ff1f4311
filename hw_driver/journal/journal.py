"""The journal: SQLite, exactly one connection, every write durable when the call returns.

One connection, held exclusively and used from one thread only: a second writer is refused, and SQLite's WAL-reset fault
(before 3.51.3, needs two connections) cannot happen. Nothing is ever deleted; 13 months are the least it must keep.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..clock import Clock
from ..protocols.machine import Outcome
from ..protocols.states import State
from .records import Event, Record


class Journal:
    """Every transaction of this driver, in numbered, hash-chained events and one current row each.

    Public attributes: `journal_id` (uuid4 hex: the journal's identity), `last` (number of the latest event), `notices`
    (sentences about what happened on opening, e.g. a damaged file set aside), `on_event` (called with each `Event` once
    it is durable; None or a function that must not raise).
    """

    journal_id: str
    last: int
    notices: list[str]
    on_event: Callable[[Event], None] | None

    @classmethod
    def open(cls, path: Path | str, *, clock: Clock | None = None, allow_tmpfs: bool = False) -> Journal:
        """Open the journal at `path`, or start one there.

        A damaged file, a backup, or one that comes from another machine is set aside under another name, and a new
        journal with a new identity begins. `JournalLocked` when another process holds it; `JournalUnavailable` when it
        cannot be kept there (read-only folder, full disk, tmpfs): nothing has been sent then.
        """
        raise NotImplementedError

    def intend(self, body: Mapping[str, Any]) -> Record:
        """Make a request durable (state `requested`), with room reserved for its result.

        `body` has `uuid` and the members of PUT (docs/api.md 1.3); `not_after` is not kept.
        Raises `KnownTransaction`, or `JournalUnavailable`: nothing may be sent then.
        """
        raise NotImplementedError

    def record(self, uuid: str, state: State, outcome: Outcome | None = None) -> Record:
        """Make a new state durable and return the transaction as it stands then.

        Of a transaction that has ended, another answer is kept as an event `late_answer` and changes nothing.
        Raises `IllegalTransition`, `NoSuchTransaction`, `NotRecorded`.
        """
        raise NotImplementedError

    def settle(self, uuid: str, *, paid: bool, by: str, at: str) -> Record:
        """Keep Odoo's word about an unknown transaction: a named person resolved it. Ended ones stay as they are.

        Raises `NoSuchTransaction`, `IllegalTransition` (its dialog is under way), `NotRecorded`.
        """
        raise NotImplementedError

    def note(self, kind: str, body: Mapping[str, Any]) -> Event:
        """Add an event of the journal itself (``driver_started``, ``configured``). Raises `NotRecorded`."""
        raise NotImplementedError

    def get(self, uuid: str) -> Record | None:
        """Return the transaction, or None."""
        raise NotImplementedError

    def of_line(self, line: str) -> list[Record]:
        """Return the transactions of a payment line, oldest first."""
        raise NotImplementedError

    def of_order(self, order: str) -> list[Record]:
        """Return the transactions of an order, oldest first."""
        raise NotImplementedError

    def of_original(self, uuid: str) -> list[Record]:
        """Return the refunds and reversals of a sale, oldest first."""
        raise NotImplementedError

    def open_on(self, terminal: str) -> list[Record]:
        """Return a terminal's transactions in `requested`, `sent` or `unknown`, oldest first."""
        raise NotImplementedError

    def events(self, since: int = 0, limit: int = 500) -> list[Event]:
        """Return up to `limit` events with a number greater than `since`, in order."""
        raise NotImplementedError

    def backup(self, path: Path | str) -> None:
        """Write a consistent copy to a new file. It is marked as a copy: the driver will not go on from it."""
        raise NotImplementedError

    def storage(self) -> dict[str, str]:
        """Return where and how it is kept: ``{path, filesystem, journal_mode, synchronous, sqlite}``."""
        raise NotImplementedError

    def tidy(self) -> None:
        """Move what the write-ahead log holds into the file. Called when nothing is under way, never needed."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of the file."""
        raise NotImplementedError
