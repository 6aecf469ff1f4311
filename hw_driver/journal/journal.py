"""The journal: SQLite, exactly one connection, every write durable when the call returns.

One connection, held exclusively and used from one thread only: a second writer is refused, and SQLite's WAL-reset fault
(before 3.51.3, needs two connections) cannot happen. Nothing is ever deleted; 13 months are the least it must keep.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import uuid as uuids
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from .. import signing
from ..clock import Clock, iso
from ..protocols.machine import Outcome
from ..protocols.states import ENDED, State
from . import opening, schema, storage
from .errors import IllegalTransition, JournalUnavailable, KnownTransaction, NoSuchTransaction, NotRecorded
from .reading import IDENTITY_OF, Reading
from .records import EVIDENCE, HEARD, IDENTITY, LATE_ANSWER, NOT_KEPT, TRANSITIONS, Event, Record, outcome_body

_log = logging.getLogger(__name__)

_INSERT_EVENT = "INSERT INTO events (seq, uuid, type, at, body, prev, hash) VALUES (?, ?, ?, ?, ?, ?, ?)"
_INSERT = """INSERT INTO transactions (uuid, state, terminal, line, "order", original, body, outcome, settled,
    requested_at, ended_at, seq) VALUES (?, ?, ?, ?, ?, ?, ?, '{}', '{}', ?, '', ?)"""
_UPDATE = """UPDATE transactions SET state = ?, outcome = coalesce(?, outcome), settled = ?, ended_at = ?, seq = ?
    WHERE uuid = ?"""

#: How many of the latest transactions are answered from memory.
REMEMBERED = 200
#: How many events the write-ahead log holds (some 20 KiB each) before it is worth moving into the file.
TIDY_AFTER = 100

#: What is remembered about a file that is set aside: reason in its name -> sentence about it.
_NOTICES = {
    "damaged": "The journal {path} was damaged ({detail}).",
    "other-machine": "The journal {path} came from another machine.",
    "copy": "The journal {path} was a backup copy.",
}
_NEW_IDENTITY = (
    " It was set aside as {aside} and a new one was begun. What can be read of it is told to Odoo; what was open in it "
    "is unknown: Odoo shows it, and a person must settle it."
)


class Journal(Reading):
    """Every transaction of this driver, in numbered, hash-chained events and one current row each.

    Public attributes: `journal_id` (uuid4 hex: the journal's identity), `last` and `head` (number and hash of the
    latest event), `notices` (sentences about what happened on opening, e.g. a damaged file set aside), `on_event`
    (called with each `Event` once it is durable; None at first).
    """

    journal_id: str
    last: int
    head: str
    notices: list[str]
    on_event: Callable[[Event], None] | None

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._reserve = storage.Reserve(path.with_name(path.name + ".reserve"))
        self._untidied = 0
        self._recent: OrderedDict[str, Record] = OrderedDict()
        self._absent = ""  # looked for last and not there: a new request is looked for at every step on its way
        self.notices = []
        self.on_event = None

    @classmethod
    def open(cls, path: Path | str, *, clock: Clock | None = None, allow_tmpfs: bool = False) -> Journal:
        """Open the journal at `path`, or start one there.

        A damaged file, a backup, or one that comes from another machine is set aside under another name, and a new
        journal with a new identity begins. `JournalLocked` when another process holds it; `JournalUnavailable` when it
        cannot be kept there (read-only folder, full disk, tmpfs): nothing has been sent then.
        """
        journal = cls(Path(path).absolute(), clock or Clock())
        journal._check_place(allow_tmpfs)
        try:
            journal._begin()
        except opening.Damaged as damage:
            journal._start_over("damaged", str(damage))
        except sqlite3.Error as error:
            journal._db.close()
            raise opening.explained(error, journal._path) from error
        with contextlib.suppress(JournalUnavailable):  # the first sale refuses, if it still cannot be had then
            journal._reserve.ensure()
        return journal

    # -- writing

    def intend(self, body: Mapping[str, Any]) -> Record:
        """Make a request durable (state `requested`), with room reserved for its result.

        `body` has `uuid` and the members of PUT (docs/api.md 1.3); `NOT_KEPT` says which are not.
        Raises `KnownTransaction`, or `JournalUnavailable`: nothing may be sent then.
        """
        uuid = str(body["uuid"])
        if known := self.get(uuid):
            raise KnownTransaction(known)
        self._absent = ""
        self._reserve.ensure()
        asked = {key: value for key, value in body.items() if key not in NOT_KEPT}
        original = str((asked.get("original") or {}).get("uuid", ""))
        place = (asked["terminal"], asked.get("line") or "", asked.get("order") or "", original)
        try:
            event = self._append(
                uuid,
                State.REQUESTED.value,
                asked,
                lambda event, said: (_INSERT, (uuid, event.type, *place, said, event.at, event.seq)),
            )
        except sqlite3.Error as error:
            raise JournalUnavailable(f"Nothing was sent. {opening.explained(error, self._path)}") from error
        return self._remember(Record(uuid, State.REQUESTED, asked, None, {}, event.at, "", event.seq))

    def record(self, uuid: str, state: State, outcome: Outcome | None = None) -> Record:
        """Make a new state durable and return the transaction as it stands then.

        Of a transaction that has ended, another answer is kept as an event `late_answer` and changes nothing.
        Raises `IllegalTransition`, `NoSuchTransaction`, `NotRecorded`.
        """
        now = self._known(uuid)
        body = outcome_body(outcome)
        if state in TRANSITIONS[now.state]:
            return self._change(now, state.value, body, state, outcome, now.settled)
        if now.state not in ENDED or outcome is None:
            raise IllegalTransition(f"{now.state} cannot be followed by {state}")
        if outcome == now.outcome:
            return now
        return self._change(now, LATE_ANSWER, body, now.state, now.outcome, now.settled)

    def heard(self, uuid: str, outcome: Outcome) -> Record:
        """Keep what a terminal has told of a transaction that is not over yet. Its state stays `sent`.

        Raises `IllegalTransition`, `NoSuchTransaction`, `NotRecorded`.
        """
        now = self._known(uuid)
        if now.state is not State.SENT:
            raise IllegalTransition(f"{now.state} is not at work")
        return self._change(now, HEARD, outcome_body(outcome), now.state, outcome, now.settled)

    def evidence(self, uuid: str, outcome: Outcome, matches: Iterable[str]) -> Record:
        """Keep what a terminal says of its last transaction, which is not proven to be this one. Its state stays.

        Raises `NoSuchTransaction`, `NotRecorded`.
        """
        now = self._known(uuid)
        body = {**outcome_body(outcome), "matches": list(matches)}
        return self._change(now, EVIDENCE, body, now.state, now.outcome, now.settled)

    def settle(self, uuid: str, *, paid: bool, by: str, at: str) -> Record:
        """Keep Odoo's word about an unknown transaction: a named person resolved it. Ended ones stay as they are.

        Raises `NoSuchTransaction`, `IllegalTransition` (its dialog is under way), `NotRecorded`.
        """
        now = self._known(uuid)
        if now.state in ENDED:
            return now
        if now.state is not State.UNKNOWN:
            raise IllegalTransition(f"{now.state} cannot be settled by hand yet")
        word = {"paid": paid, "by": by, "at": at}
        state = State.SETTLED_BY_HAND
        return self._change(now, state.value, word, state, now.outcome, word)

    def note(self, kind: str, body: Mapping[str, Any]) -> Event:
        """Add an event of the journal itself (``driver_started``, ``configured``). Raises `NotRecorded`."""
        return self._append_result("", kind, dict(body), None)

    def tidy(self) -> None:
        """Move a long write-ahead log into the file, for a moment when nothing is under way; never needed.

        The log then begins again in the room it has: overwriting is durable in half the time that growing takes.
        """
        if self._untidied < TIDY_AFTER:
            return
        self._untidied = 0
        with contextlib.suppress(sqlite3.Error):  # the log keeps everything; the next commit says what is wrong
            self._db.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def identified(self, terminal: str, identity: Mapping[str, str]) -> Event:
        """Keep who a terminal says it is, when that is new. Raises `NotRecorded`."""
        body = {"terminal": terminal, "identity": dict(identity), "before": self.identity(terminal)}
        row = "INSERT OR REPLACE INTO meta VALUES (?, ?)", (IDENTITY_OF + terminal, _json(identity))
        return self._append_result("", IDENTITY, body, lambda event, said: row)

    # -- reading

    def get(self, uuid: str) -> Record | None:
        """Return the transaction, or None."""
        if (known := self._recent.get(uuid)) or uuid == self._absent:
            return known
        found = super().get(uuid)
        if found is None:
            self._absent = uuid
        return found

    def _record(self, row: tuple[Any, ...]) -> Record:
        return self._recent.get(row[0]) or super()._record(row)

    def storage(self) -> dict[str, str]:
        """Return where and how it is kept: ``{path, filesystem, journal_mode, synchronous, sqlite}``."""
        names = {0: "off", 1: "normal", 2: "full", 3: "extra"}
        return {
            "path": str(self._path),
            "filesystem": self._filesystem,
            "journal_mode": str(self._db.execute("PRAGMA journal_mode").fetchone()[0]),
            "synchronous": names[self._db.execute("PRAGMA synchronous").fetchone()[0]],
            "sqlite": sqlite3.sqlite_version,
        }

    # -- keeping

    def backup(self, path: Path | str) -> None:
        """Write a consistent copy to a new file. It is marked as a copy: the driver will not go on from it."""
        target = Path(path).absolute()
        part = target.with_name(target.name + ".part")
        if target.exists():
            raise JournalUnavailable(f"{target} exists already. Name a new file for the backup.")
        try:
            part.unlink(missing_ok=True)
            copy = sqlite3.connect(part)
            with copy:
                self._db.backup(copy)
                copy.execute("INSERT OR REPLACE INTO meta VALUES ('copied_at', ?)", (iso(self._clock.now()),))
            copy.close()
            part.rename(target)
        except (OSError, sqlite3.Error) as error:
            raise JournalUnavailable(f"The backup {target} cannot be written: {error}") from error

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    # -- inside

    def _check_place(self, allow_tmpfs: bool) -> None:
        folder = self._path.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise JournalUnavailable(
                f"The journal's folder {folder} cannot be made ({error.strerror}). "
                "Make it, and give the driver's user the right to write it."
            ) from error
        if not storage.writable(self._path):
            raise JournalUnavailable(opening.NO_RIGHT.format(path=self._path, folder=folder))
        self._filesystem = storage.filesystem_of(self._path)
        if self._filesystem in storage.VOLATILE and not allow_tmpfs:
            raise JournalUnavailable(
                f"The journal's folder {folder} lies in memory ({self._filesystem}), which forgets everything when the "
                "power goes. Name a folder on a disk as the driver's state folder."
            )

    def _begin(self) -> None:
        """Open what is there and decide whether to go on from it."""
        self._db = opening.connect(self._path)
        try:
            if not opening.begun(self._db):
                self._create("new", "")
                return
            opening.check(self._db, whole=opening.must_check_whole(self._path))
            opening.cleared(self._path)
            schema.migrate(self._db, lambda version: self.backup(self._migration_copy(version)))
        except schema.NewerVersion as error:
            self._db.close()
            raise JournalUnavailable(
                f"The journal {self._path} was written by a newer driver ({error}). Update the driver."
            ) from error
        except sqlite3.Error as error:
            self._db.close()
            raise opening.explained(error, self._path) from error
        except opening.Damaged:
            self._db.close()
            raise
        if reason := self._foreign():
            self._db.close()
            self._start_over(reason, "")
            return
        self._load()

    def _foreign(self) -> str:
        """Return why this file must not be gone on from, or an empty string."""
        here, there = storage.machine_fingerprint(), opening.meta(self._db, "machine")
        if opening.meta(self._db, "copied_at"):
            return "copy"
        return "other-machine" if here and there and here != there else ""

    def _start_over(self, reason: str, detail: str) -> None:
        aside = storage.set_aside(self._path, reason, self._clock.now())
        opening.cleared(self._path)
        self.notices.append((_NOTICES[reason] + _NEW_IDENTITY).format(path=self._path, detail=detail, aside=aside))
        self._db = opening.connect(self._path)
        self._create(reason, aside.name)

    def _create(self, reason: str, aside: str) -> None:
        schema.migrate(self._db, lambda version: None)
        self.journal_id = uuids.uuid4().hex
        self._db.execute("BEGIN IMMEDIATE")
        values = {"journal_id": self.journal_id, "machine": storage.machine_fingerprint()}
        self._db.executemany("INSERT INTO meta VALUES (?, ?)", values.items())
        self._db.execute("COMMIT")
        self._load()
        self.note("journal_created", {"reason": reason, "set_aside": aside})

    def _load(self) -> None:
        self.journal_id = opening.meta(self._db, "journal_id")
        row = self._db.execute("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1").fetchone()
        self.last, self.head = (int(row[0]), str(row[1])) if row else (0, self.journal_id)

    def _migration_copy(self, version: int) -> Path:
        return self._path.with_name(f"{self._path.name}.version-{version}-{self._clock.now():%Y%m%dT%H%M%SZ}")

    def _known(self, uuid: str) -> Record:
        record = self.get(uuid)
        if record is None:
            raise NoSuchTransaction(f"the journal has no transaction {uuid}")
        return record

    def _change(
        self,
        now: Record,
        kind: str,
        said: dict[str, Any],
        state: State,
        outcome: Outcome | None,
        settled: dict[str, Any],
    ) -> Record:
        """Append an event that leads from `now` to the state, outcome and settlement named.

        `said` is the event's body: the new outcome's, or anything where the outcome stays.
        """

        then = now

        def row(event: Event, written: str) -> tuple[str, tuple[Any, ...]]:
            nonlocal then
            ended_at = now.ended_at or (event.at if state in ENDED else "")
            then = Record(now.uuid, state, now.body, outcome, settled, now.requested_at, ended_at, event.seq)
            new = None if outcome is now.outcome else written
            return _UPDATE, (state.value, new, _json(settled), ended_at, event.seq, now.uuid)

        self._append_result(now.uuid, kind, said, row)
        return self._remember(then)

    def _remember(self, record: Record) -> Record:
        """Keep the latest rows in memory as they are on the disk; nobody else writes there."""
        self._recent[record.uuid] = record
        self._recent.move_to_end(record.uuid)
        if len(self._recent) > REMEMBERED:
            self._recent.popitem(last=False)
        return record

    def _append_result(self, uuid: str, kind: str, body: dict[str, Any], row: _Row | None) -> Event:
        """Append what must not be lost: on a full disk the reserved room is given up for it."""
        try:
            try:
                return self._append(uuid, kind, body, row)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_FULL or not self._reserve.release():
                    raise
                return self._append(uuid, kind, body, row)
        except sqlite3.Error as error:
            raise NotRecorded(str(opening.explained(error, self._path))) from error

    def _append(self, uuid: str, kind: str, body: dict[str, Any], row: _Row | None) -> Event:
        seq, at, said = self.last + 1, iso(self._clock.now()), _json(body)
        digest = signing.event_hash(self.head, seq, uuid, kind, at, said)
        event = Event(seq, uuid, kind, at, body, self.head, digest)
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute(_INSERT_EVENT, (seq, uuid, kind, at, said, self.head, digest))
            if row is not None:
                self._db.execute(*row(event, said))
            self._db.execute("COMMIT")
        except sqlite3.Error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        self.last, self.head = seq, digest
        self._untidied += 1
        self._announce(event)
        return event

    def _announce(self, event: Event) -> None:
        try:
            if self.on_event is not None:
                self.on_event(event)
        except Exception:  # noqa: BLE001 - who listens must not undo what is durable
            _log.exception("event %s could not be announced", event.seq)


#: From the event just numbered and its body's JSON, the statement that brings its transaction's row up to date.
_Row = Callable[[Event, str], tuple[str, tuple[Any, ...]]]


def _json(value: Mapping[str, Any]) -> str:
    return signing.canonical(value).decode() if value else "{}"
