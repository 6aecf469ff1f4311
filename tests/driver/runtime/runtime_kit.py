"""What the runtime's tests share: request bodies, a clock that can be set, a disk that can be full, another user."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import pickle
import sqlite3
import subprocess
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from hw_driver.clock import Clock, iso
from hw_driver.journal import Journal, storage
from hw_driver.transaction import Transaction


class MovableClock(Clock):
    """A wall clock that somebody sets; the steady one is the product's own."""

    shift = timedelta()

    def now(self) -> datetime:
        return super().now() + self.shift


async def ended(transaction: Transaction) -> Transaction:
    """Wait until a transaction is over, and return it."""
    async with asyncio.timeout(10):
        while not transaction.ended:
            await transaction.changed(transaction.rev, 10)
    return transaction


async def until(holds: Callable[[], object]) -> None:
    """Wait for what no event tells."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def body(clock: Clock | None = None, **other: Any) -> dict[str, Any]:
    """Return a sale of 12.50 EUR as PUT would bring it, pressed now."""
    clock = clock or Clock()
    return {
        "uuid": str(uuid.uuid4()),
        "terminal": "counter",
        "kind": "sale",
        "amount": 1250,
        "currency": "EUR",
        "till": "Till 1",
        "session": "POS/0001",
        "order": str(uuid.uuid4()),
        "line": str(uuid.uuid4()),
        "operator": "Marie",
        "reference": "0001-001",
        "not_after": iso(clock.steady_now() + timedelta(seconds=30)),
    } | other


def run_apart(function: Callable[[], Any], *, unprivileged: bool = False) -> Any:
    """Return what `function` returns in a forked process, there as an ordinary user if asked; raise what it raises."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            if unprivileged and os.getuid() == 0:
                os.setresgid(65534, 65534, 65534)
                os.setresuid(65534, 65534, 65534)
            result: Any = function()
        except BaseException as error:  # noqa: BLE001 - the parent judges it
            result = error
        os.write(writing, pickle.dumps((type(result).__name__, str(result))))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(pid, 0)
    return pickle.loads(answer)


class _OnSmallDisk:
    """A connection to the journal on an imitated small disk: when that is full, a commit is refused as SQLite does."""

    def __init__(self, db: sqlite3.Connection, disk: SmallDisk) -> None:
        self._db, self._disk = db, disk

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        if sql == "COMMIT" and self._disk.full:
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        return self._db.execute(sql, *values)


class SmallDisk:
    """A disk of a few MiB that can be filled to the last byte.

    A file system of its own where this user may mount one; elsewhere each commit is told what such a disk says.
    """

    SIZE = 6 * 1024 * 1024

    def __init__(self, folder: Path, monkeypatch: Any) -> None:
        self.folder = folder
        self._patch = monkeypatch
        mount = ["mount", "-t", "tmpfs", "-o", f"size={self.SIZE}", "card-terminal-test", str(folder)]
        self.real = os.getuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0
        self.full = False
        self._journal: Journal | None = None
        if not self.real:
            self._imitate()

    def journal(self) -> Journal:
        self._journal = Journal.open(self.folder / "journal.sqlite3", allow_tmpfs=True)
        if not self.real:
            self._journal._db = _OnSmallDisk(self._journal._db, self)  # type: ignore[assignment]
        return self._journal

    def fill(self) -> None:
        """Leave no room at all, but for what the journal holds in reserve."""
        self.full = True
        if not self.real:
            return
        with (self.folder / "filler").open("ab", buffering=0) as file:
            for size in (65536, 4096, 1):
                with contextlib.suppress(OSError):  # no space left
                    while True:
                        file.write(b"x" * size)

    def steal_reserve(self) -> None:
        """Take away what the journal held in reserve, and fill its place."""
        self.reserve.unlink()
        self.fill()

    def free(self) -> None:
        self.full = False
        if self.real:
            (self.folder / "filler").unlink()

    @property
    def reserve(self) -> Path:
        return self.folder / "journal.sqlite3.reserve"

    def close(self) -> None:
        if self._journal is not None:
            self._journal.close()
        if self.real:
            subprocess.run(["umount", str(self.folder)], check=True)

    def _imitate(self) -> None:
        write, release = storage.Reserve._write, storage.Reserve.release

        def _write(reserve: storage.Reserve) -> None:
            if self.full:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            write(reserve)

        def _release(reserve: storage.Reserve) -> bool:
            had = release(reserve)
            if had:
                self.full = False  # until it is filled again
            return had

        self._patch.setattr(storage.Reserve, "_write", _write)
        self._patch.setattr(storage.Reserve, "release", _release)
