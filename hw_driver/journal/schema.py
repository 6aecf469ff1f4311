"""The journal's tables, and how an older file becomes a newer one."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

#: Scripts by version: entry 0 makes version 1, and so on. `PRAGMA user_version` says how far a file has got.
MIGRATIONS: list[str] = [
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE events (
        seq INTEGER PRIMARY KEY, uuid TEXT NOT NULL, type TEXT NOT NULL, at TEXT NOT NULL,
        body TEXT NOT NULL, prev TEXT NOT NULL, hash TEXT NOT NULL
    ) STRICT;
    CREATE TABLE transactions (
        uuid TEXT PRIMARY KEY, state TEXT NOT NULL, terminal TEXT NOT NULL, line TEXT NOT NULL, "order" TEXT NOT NULL,
        original TEXT NOT NULL, body TEXT NOT NULL, outcome TEXT NOT NULL, settled TEXT NOT NULL,
        requested_at TEXT NOT NULL, ended_at TEXT NOT NULL, seq INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX transactions_line ON transactions (line);
    CREATE INDEX transactions_order ON transactions ("order");
    CREATE INDEX transactions_original ON transactions (original) WHERE original <> '';
    CREATE INDEX transactions_open ON transactions (terminal) WHERE state IN ('requested', 'sent', 'unknown');
    """,
]


class NewerVersion(Exception):
    """The file was written by a newer driver."""


def version_of(db: sqlite3.Connection) -> int:
    """Return how far the file has got; 0 for an empty one."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def migrate(db: sqlite3.Connection, backup: Callable[[int], None]) -> None:
    """Bring the file to the newest version in one transaction; `backup(version)` is called before a file is changed."""
    version = version_of(db)
    if version > len(MIGRATIONS):
        raise NewerVersion(f"version {version}, this driver knows {len(MIGRATIONS)}")
    if version == len(MIGRATIONS):
        return
    if version:
        backup(version)
    script = ";".join(MIGRATIONS[version:])
    db.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {len(MIGRATIONS)}; COMMIT;")
