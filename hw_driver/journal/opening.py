"""Opening the file: the exclusive lock, the checks, and what the system's errors mean for people."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from .. import signing
from . import schema
from .errors import JournalLocked, JournalUnavailable

#: How much of the hash chain is checked on opening. `verify_chain` with no limit walks all of it.
TAIL = 1000
#: Bytes of a file that every start checks as a whole.
CHECKED_WHOLE = 64 * 1024 * 1024

#: SQLite's primary result codes -> the file itself is damaged.
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
NO_RIGHT = "The journal {path} cannot be written. Give the driver's user the right to write the folder {folder}."
#: SQLite's primary result codes -> what a person can do. `{path}` is the journal, `{folder}` where it lies.
_ADVICE = {
    sqlite3.SQLITE_FULL: "The disk that holds the journal {path} is full. Free some space, then try again.",
    sqlite3.SQLITE_READONLY: NO_RIGHT,
    sqlite3.SQLITE_CANTOPEN: NO_RIGHT,
    sqlite3.SQLITE_PERM: NO_RIGHT,
}
_LOCKED = (
    "Another process holds the journal {path}: the driver is running already. "
    "Ask that one over HTTP (card-terminal status), or stop it first."
)


class Damaged(Exception):
    """The file cannot be trusted; the text says what was found."""


def connect(path: Path) -> sqlite3.Connection:
    """Open the file for this process alone, every commit durable. Raises `Damaged`, `JournalUnavailable`."""
    db = None
    try:
        db = sqlite3.connect(path, timeout=0.2, isolation_level=None)
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA wal_autocheckpoint = 4000")  # `tidy` does it sooner, when nobody waits
        db.execute("BEGIN EXCLUSIVE")  # takes the lock that is held from here on
        db.execute("COMMIT")
    except sqlite3.Error as error:
        if db is not None:
            db.close()
        raise explained(error, path) from error
    return db


def explained(error: sqlite3.Error, path: Path) -> Damaged | JournalUnavailable:
    """Return what an error of SQLite means, in words that say what to do; after damage the next start looks closely."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _DAMAGED:
        with contextlib.suppress(OSError):
            _suspicion(path).touch()
        return Damaged(str(error))
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return JournalLocked(_LOCKED.format(path=path))
    advice = _ADVICE.get(code, "The journal {path} cannot be used: {error}. Look at the disk that holds it.")
    return JournalUnavailable(advice.format(path=path, folder=path.parent, error=error))


def check(db: sqlite3.Connection, *, whole: bool = True) -> None:
    """Raise `Damaged` unless SQLite's own check of the whole file passes and the end of the hash chain holds."""
    if whole:
        found = [row[0] for row in db.execute("PRAGMA quick_check(3)")]
        if found != ["ok"]:
            raise Damaged("; ".join(found))
    verify_chain(db, TAIL)


def must_check_whole(path: Path) -> bool:
    """Return whether a start checks the whole file: a small one, or one that was found damaged while in use.

    The check reads all of it: 0.1 s for 50 MB. A large one must not keep a till waiting at every start.
    """
    return path.stat().st_size <= CHECKED_WHOLE or _suspicion(path).exists()


def cleared(path: Path) -> None:
    """Forget that damage was suspected."""
    _suspicion(path).unlink(missing_ok=True)


def _suspicion(path: Path) -> Path:
    return path.with_name(path.name + ".suspect")


def begun(db: sqlite3.Connection) -> bool:
    """Return whether a journal lies here; an empty file, or one whose first start was cut off, is none yet.

    Raises `Damaged` where there are tables or events but what says whose they are is gone.
    """
    if not schema.version_of(db):
        if db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise Damaged("its version is gone")
        return False
    if meta(db, "journal_id"):
        return True
    if db.execute("SELECT count(*) FROM events").fetchone()[0]:
        raise Damaged("its identity is gone")
    return False


def verify_chain(db: sqlite3.Connection, tail: int = 0) -> None:
    """Raise `Damaged` at the first event that is missing or altered; `tail` 0 walks the whole journal."""
    last = db.execute("SELECT max(seq) FROM events").fetchone()[0] or 0
    first = max(1, last - tail + 1) if tail else 1
    prev = meta(db, "journal_id") if first == 1 else None
    expected = first
    query = "SELECT seq, uuid, type, at, body, prev, hash FROM events WHERE seq >= ? ORDER BY seq"
    for seq, uuid, kind, at, body, said, digest in db.execute(query, (first,)):
        if seq != expected or (prev is not None and said != prev):
            raise Damaged(f"event {expected} is missing or altered")
        try:
            intact = signing.event_hash(said, seq, uuid, kind, at, body) == digest
        except (AttributeError, TypeError, ValueError):  # not even text
            intact = False
        if not intact:
            raise Damaged(f"event {seq} was altered")
        prev, expected = digest, seq + 1


def meta(db: sqlite3.Connection, key: str) -> str:
    """Return a remembered value, or an empty string."""
    row = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return str(row[0]) if row else ""
