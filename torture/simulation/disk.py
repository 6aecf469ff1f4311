"""The disk under the driver's journal: real SQLite, in memory, that outlives the process and can refuse to write.

`opening.connect` and `storage` are where the journal touches files and machine; `mounted` puts a `Disk` there.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from hw_driver.journal import opening, storage

Boundary = Callable[[str], None]

#: Room kept free for results: as little as can be written at once, for it is given up and written anew all day long.
RESERVE_BYTES = 64 * 1024


class Dead(sqlite3.ProgrammingError):
    """A killed process reaches for its disk: nothing of it happens any more."""


class Disk:
    """One file that may be replaced. `full` refuses commits; `durable` is the number of the last event committed."""

    def __init__(self) -> None:
        self.file = _new_file()
        self.set_aside: list[sqlite3.Connection] = []
        self.full = False
        self.durable = 0
        self.at_boundary: Boundary = lambda what: None
        self._handle: _Handle | None = None

    @property
    def files(self) -> list[sqlite3.Connection]:
        """Every journal that was ever written here."""
        return [*self.set_aside, self.file]

    def connect(self) -> sqlite3.Connection:
        self._handle = _Handle(self)
        return self._handle  # type: ignore[return-value]

    def process_died(self) -> None:
        """What was not committed is gone, and nobody of the old process writes any more."""
        if self._handle is not None:
            self._handle.cut()
            self._handle = None
        if self.file.in_transaction:
            self.file.execute("ROLLBACK")

    def open_transactions(self, *states: str) -> list[str]:
        """Return the uuids that are in one of these states on the disk."""
        if not self.durable:
            return []
        query = "SELECT uuid FROM transactions WHERE state IN (SELECT value FROM json_each(?))"
        return [uuid for (uuid,) in self.file.execute(query, [json.dumps(states)])]

    def put_aside(self) -> None:
        self.set_aside.append(self.file)
        self.file, self.durable = _new_file(), 0

    def restore(self, copy: sqlite3.Connection) -> None:
        """Somebody puts back what was copied earlier; what is there is kept for the checker's eyes alone."""
        self.put_aside()
        copy.backup(self.file)
        self.durable = self.file.execute("SELECT max(seq) FROM events").fetchone()[0]

    def close(self) -> None:
        for file in self.files:
            file.close()


@contextlib.contextmanager
def mounted(disk: Disk) -> Iterator[None]:
    """Have journals opened on this disk while this lasts."""

    def connect(path: Path) -> sqlite3.Connection:
        path.touch()  # its size is asked for
        return disk.connect()

    def set_aside(path: Path, why: str, now: datetime) -> Path:
        disk.put_aside()
        return path.with_name(f"{path.name}.{why}")

    here = {
        (opening, "connect"): connect,
        (storage, "set_aside"): set_aside,
        (storage, "RESERVE_BYTES"): RESERVE_BYTES,
        (storage, "filesystem_of"): lambda path: "tmpfs",
        (storage, "machine_fingerprint"): lambda: "the shop's machine",
    }
    before = {(module, name): getattr(module, name) for module, name in here}
    _put(here)
    try:
        yield
    finally:
        _put(before)


def _put(values: dict[tuple[Any, str], Any]) -> None:
    for (module, name), value in values.items():
        setattr(module, name, value)


def _new_file() -> sqlite3.Connection:
    return sqlite3.connect(":memory:", isolation_level=None)


class _Handle:
    """A process's connection to the file. `COMMIT` is where a disk refuses and where a process may die."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._file = disk.file
        self._execute = disk.file.execute
        self._seq = disk.durable

    def execute(self, sql: str, values: Any = ()) -> sqlite3.Cursor:
        if sql.startswith("INSERT INTO events"):
            self._seq = values[0]
        elif sql == "COMMIT":
            return self._commit()
        return self._execute(sql, values)

    def _commit(self) -> sqlite3.Cursor:
        disk = self._disk
        if disk.full:
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        disk.at_boundary("before commit")
        cursor = self._execute("COMMIT")
        disk.durable = self._seq
        disk.at_boundary("after commit")
        return cursor

    def cut(self) -> None:
        self._execute = _dead

    def close(self) -> None:
        self.cut()

    def __getattr__(self, name: str) -> Any:
        if self._execute is _dead:
            raise Dead("the process is dead")
        return getattr(self._file, name)


def _dead(sql: str, values: Any = ()) -> sqlite3.Cursor:
    raise Dead("the process is dead")
