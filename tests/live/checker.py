"""The checker: what terminals, the driver's journal and Odoo's database say, each read at its source.

It imports nothing from the driver and asks nobody who could be wrong about himself: the terminals are independent, the
journal is read as an SQLite file, Odoo's tables with SQL.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg2.extras import RealDictCursor
from shopfloor import Counter, Shop

from demokit.processes import wait_until
from kit.errors import SetupError


@dataclass(frozen=True)
class Event:
    """One event of the journal."""

    seq: int
    uuid: str
    type: str
    body: dict[str, Any]


def journal_events(journal: Path) -> list[Event]:
    """Read a journal while its driver holds it: from a copy, because the driver's lock is exclusive."""
    with tempfile.TemporaryDirectory() as folder:
        copied_at = None
        while copied_at != (copied_at := journal.stat().st_mtime_ns):  # again if the driver tidied up meanwhile
            for part in journal.parent.glob(f"{journal.name}*"):
                if not part.name.endswith("-shm"):
                    shutil.copy(part, folder)
        with closing(sqlite3.connect(Path(folder) / journal.name)) as db:
            rows = db.execute("SELECT seq, uuid, type, body FROM events ORDER BY seq").fetchall()
    return [Event(seq, uuid, kind, json.loads(body)) for seq, uuid, kind, body in rows]


class Checker:
    """What is known about the orders of one till."""

    def __init__(self, counter: Counter) -> None:
        self.counter = counter
        self.shop: Shop = counter.shop

    # The three sources --------------------------------------------------------------------------------------------

    def charges(self) -> list[int]:
        """What all terminals of the till charged, in cents."""
        return [amount for terminal in self.counter.terminals for amount in terminal.charges]

    def requests(self) -> int:
        """How often any of the till's terminals was asked for money."""
        return sum(len(terminal.asked) for terminal in self.counter.terminals)

    def journal(self) -> dict[str, list[str]]:
        """The states that each transaction of the till's terminals went through, by its uuid."""
        events = journal_events(self.shop.journal)
        mine = {e.uuid for e in events if e.type == "requested" and e.body["terminal"] in self.counter.uuids}
        return {uuid: [event.type for event in events if event.uuid == uuid] for uuid in mine}

    def sql(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """Rows of Odoo's database."""
        with self.shop.postgres.connection(self.shop.database) as connection:
            with connection.cursor(cursor_factory=RealDictCursor) as cursor:
                cursor.execute(statement, values)
                return [dict(row) for row in cursor.fetchall()]

    def transactions(self) -> list[dict[str, Any]]:
        """The card transactions that Odoo has of this till."""
        return self.sql(
            """
            SELECT t.* FROM card_transaction t JOIN card_terminal c ON c.id = t.terminal_id
             WHERE c.uuid = ANY(%s) ORDER BY t.id
            """,
            self.counter.uuids,
        )

    def orders(self) -> list[dict[str, Any]]:
        """The orders that Odoo has of this till."""
        return self.sql("SELECT * FROM pos_order WHERE config_id = %s ORDER BY id", self.counter.config)

    def payments(self) -> list[dict[str, Any]]:
        """The payments that Odoo has of this till, with their method's name and their order's state."""
        return self.sql(
            """
            SELECT p.*, o.state AS order_state, m.name->>'en_US' AS method
              FROM pos_payment p JOIN pos_order o ON o.id = p.pos_order_id
              JOIN pos_payment_method m ON m.id = p.payment_method_id
             WHERE o.config_id = %s AND NOT coalesce(p.is_change, false) ORDER BY p.id
            """,
            self.counter.config,
        )

    def sessions(self) -> list[dict[str, Any]]:
        """The sessions of this till."""
        return self.sql("SELECT * FROM pos_session WHERE config_id = %s ORDER BY id", self.counter.config)

    def wait_for_evidence(self, *expected: str) -> None:
        """Wait until the card payments of this till have this evidence; events reach Odoo in their own time."""

        def evidence() -> list[str]:
            return [payment["card_evidence"] for payment in self.payments() if payment["method"] == "Card"]

        try:
            wait_until(lambda: evidence() == list(expected), "evidence")
        except SetupError:
            raise AssertionError(f"payments {self.payments()}, transactions {self.transactions()}") from None
