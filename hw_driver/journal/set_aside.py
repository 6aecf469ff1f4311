"""Journals that were set aside: what can still be read of them, for Odoo. Read from a copy, and never changed."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

from .. import signing
from . import opening
from .records import Event
from .storage import COMPANIONS

#: Folder for the copy that is read, beside the journal.
READING = ".set-aside"
#: Why a file was set aside, in its name. A backup copy is none of them: the journal it was made of tells more.
REASONS = ("damaged", "other-machine")
_EVENTS = "SELECT seq, uuid, type, at, body, prev, hash FROM events WHERE seq > ? ORDER BY seq"


def set_aside_beside(journal: Path) -> list[Path]:
    """Return the journals that were set aside beside this one, oldest first."""
    found = [path for reason in REASONS for path in journal.parent.glob(f"{journal.name}.{reason}-*")]
    return sorted(path for path in found if not path.name.endswith(COMPANIONS[1:]))


class SetAside:
    """A journal that was set aside. `journal_id` is empty where nothing can be read; `last` is the last event's number.

    Close it after use.
    """

    def __init__(self, path: Path) -> None:
        self._folder = path.with_name(READING)
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(mode=0o700)
        for suffix in COMPANIONS:
            companion = path.with_name(path.name + suffix)
            if companion.exists() and not suffix.endswith("-shm"):
                shutil.copyfile(companion, self._folder / f"journal{suffix}")
        self._db = sqlite3.connect(self._folder / "journal", check_same_thread=False)
        self.journal_id, self.last = self._identity(), self._last()

    def events(self, since: int, limit: int) -> list[Event]:
        """Return up to `limit` events after number `since`, as far as they can be read, are whole and follow on."""
        found: list[Event] = []
        try:
            for row in self._db.execute(_EVENTS, (since,)):
                event = _whole(row)
                follows = event and event.seq == since + 1 and (not found or event.prev == found[-1].hash)
                if not event or not follows or len(found) == limit:
                    break
                found.append(event)
                since = event.seq
        except sqlite3.Error:
            pass  # a damaged page: what came before it is good
        return found

    def told(self, since: int, limit: int) -> list[bytes]:
        """Return the same events, each as the JSON that goes to Odoo."""
        return [signing.canonical(event.as_json()) for event in self.events(since, limit)]

    def close(self) -> None:
        """Let go of the copy."""
        self._db.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _identity(self) -> str:
        try:
            if known := opening.meta(self._db, "journal_id"):
                return known
        except sqlite3.Error:
            pass
        first = self.events(0, 1)
        return first[0].prev if first else ""

    def _last(self) -> int:
        try:
            return int(self._db.execute("SELECT max(seq) FROM events").fetchone()[0] or 0)
        except sqlite3.Error:
            return 0


def _whole(row: tuple[int, str, str, str, str, str, str]) -> Event | None:
    """Return the event if its hash says that it is as it was written."""
    seq, uuid, kind, at, body, prev, digest = row
    try:
        content = json.loads(body)
        intact = signing.event_hash(prev, seq, uuid, kind, at, body) == digest
    except (TypeError, ValueError, AttributeError):
        return None
    return Event(seq, uuid, kind, at, content, prev, digest) if intact else None
