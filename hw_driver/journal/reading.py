"""What can be read of the journal: transactions by what they belong to, events by number."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from .. import signing
from ..protocols.states import State
from . import opening
from .records import Event, Record, outcome_of

_COLUMNS = "uuid, state, body, outcome, settled, requested_at, ended_at, seq"
_EVENTS = "SELECT seq, uuid, type, at, body, prev, hash FROM events WHERE seq > ? ORDER BY seq LIMIT ?"
_OPEN = "state IN ('requested', 'sent', 'unknown')"  # as the index says it
#: Key of `meta` under which a terminal's latest identity is kept.
IDENTITY_OF = "identity "


class Reading:
    """Reads from the journal's one connection."""

    _db: sqlite3.Connection
    _path: Path

    def get(self, uuid: str) -> Record | None:
        """Return the transaction, or None."""
        return next(iter(self._select("uuid = ?", uuid)), None)

    def of_line(self, line: str) -> list[Record]:
        """Return the transactions of a payment line, oldest first."""
        return self._select("line = ?", line)

    def of_order(self, order: str) -> list[Record]:
        """Return the transactions of an order, oldest first."""
        return self._select('"order" = ?', order)

    def of_original(self, uuid: str) -> list[Record]:
        """Return the refunds and reversals of a sale, oldest first."""
        return self._select("original = ? AND original <> ''", uuid)

    def open_on(self, terminal: str) -> list[Record]:
        """Return a terminal's transactions in `requested`, `sent` or `unknown`, oldest first."""
        return self._select(f"terminal = ? AND {_OPEN}", terminal)

    def under_way_elsewhere(self, terminals: Iterable[str]) -> list[Record]:
        """Return what is in `requested` or `sent` on terminals other than these, oldest first."""
        where = f"{_OPEN} AND terminal NOT IN (SELECT value FROM json_each(?))"  # noqa: S608 - the same
        records = self._select(where, json.dumps(list(terminals)))
        return [record for record in records if record.state is not State.UNKNOWN]

    def before(self, uuid: str, limit: int = 50) -> Iterator[Record]:
        """Return the transactions of the same terminal that were requested before this one, latest first."""
        return self._beside("<", uuid, "DESC", limit)

    def after(self, uuid: str, limit: int = 50) -> Iterator[Record]:
        """Return the transactions of the same terminal that were requested after this one, oldest first."""
        return self._beside(">", uuid, "ASC", limit)

    def identity(self, terminal: str) -> dict[str, str] | None:
        """Return who a terminal last said it is, or None."""
        said = opening.meta(self._db, IDENTITY_OF + terminal)
        return dict(json.loads(said)) if said else None

    def events(self, since: int = 0, limit: int = 500) -> list[Event]:
        """Return up to `limit` events with a number greater than `since`, in order."""
        return [
            Event(seq, uuid, kind, at, json.loads(body), prev, digest)
            for seq, uuid, kind, at, body, prev, digest in self._rows(_EVENTS, since, limit)
        ]

    def told(self, since: int, limit: int) -> list[bytes]:
        """Return the same events, each as the JSON that goes to Odoo: what is stored is not read and written again."""
        return [
            signing.event_json(prev, seq, uuid, kind, at, body, digest)
            for seq, uuid, kind, at, body, prev, digest in self._rows(_EVENTS, since, limit)
        ]

    def _select(self, where: str, value: str) -> list[Record]:
        query = f"SELECT {_COLUMNS} FROM transactions WHERE {where} ORDER BY rowid"  # noqa: S608 - our own words only
        return [self._record(row) for row in self._rows(query, value)]

    def _beside(self, side: str, uuid: str, order: str, limit: int) -> Iterator[Record]:
        this = "FROM transactions WHERE uuid = ?"
        where = f"rowid {side} (SELECT rowid {this}) AND terminal = (SELECT terminal {this})"
        query = f"SELECT {_COLUMNS} FROM transactions WHERE {where} ORDER BY rowid {order} LIMIT ?"  # noqa: S608
        return map(self._record, self._rows(query, uuid, uuid, limit))  # most callers need the first ones alone

    def _rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return what a query finds; damage it comes upon is remembered for the next start."""
        try:
            return self._db.execute(query, values).fetchall()
        except sqlite3.DatabaseError as error:
            opening.explained(error, self._path)
            raise

    def _record(self, row: tuple[Any, ...]) -> Record:
        uuid, state, body, outcome, settled, requested_at, ended_at, seq = row
        said = outcome_of(json.loads(outcome))
        return Record(uuid, State(state), json.loads(body), said, json.loads(settled), requested_at, ended_at, seq)
