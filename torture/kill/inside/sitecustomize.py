"""Loaded by Python itself (PYTHONPATH) into the process under test: kills it, or weakens its disk, when told to.

It knows nothing of the driver: it counts the calls with which any Python program touches the disk or the wire.

TORTURE_KILL_AT   die (SIGKILL) at the N-th boundary; 0 or unset: never
TORTURE_TRACE     write the name of each boundary passed to this file
TORTURE_FORGET    negative control: what inserts this word is rolled back, though the program believes that it is kept
TORTURE_UNSYNCED  negative control: ``all`` commits of SQLite are not synced, or only those that insert this word
"""

import os
import re
import signal
import socket
import sqlite3
from itertools import count

KILL_AT = int(os.environ.get("TORTURE_KILL_AT") or 0)
TRACE = os.environ.get("TORTURE_TRACE")
FORGET = os.environ.get("TORTURE_FORGET")
UNSYNCED = os.environ.get("TORTURE_UNSYNCED")

#: Calls by owner: what the outside can see of them lies between two boundaries.
CALLS = {
    os: ("fsync", "replace", "rename", "unlink", "write", "open", "mkdir", "truncate"),
    socket.socket: ("bind", "listen", "connect", "accept", "send", "sendmsg", "recv", "recv_into", "close"),
}
passed = count(1)
trace_file = open(TRACE, "w", buffering=1) if TRACE else None  # noqa: PTH123, SIM115 - open as long as the process


def boundary(name):
    """Count a boundary, and die here if it is the one."""
    number = next(passed)
    if trace_file:
        trace_file.write(f"{name}\n")
    if number == KILL_AT:
        os.kill(os.getpid(), signal.SIGKILL)


def watched(call, name):
    """Return a call with a boundary before it and one after it."""

    def around(*args, **kwargs):
        boundary(f"before {name}")
        result = call(*args, **kwargs)
        boundary(f"after {name}")
        return result

    return around


class Connection(sqlite3.Connection):
    """A connection whose statements are boundaries, and whose commits may lack their sync."""

    begun = None
    forgotten = False

    def execute(self, sql, *values):
        if FORGET:
            self.forgotten = self.forgotten or (sql.startswith("INSERT") and FORGET in values[0])
            if sql == "COMMIT" and self.forgotten:
                self.forgotten, sql = False, "ROLLBACK"
        if not UNSYNCED:
            word = sql.split(maxsplit=1)[0]
            boundary(f"before sqlite {word}")
            cursor = super().execute(sql, *values)
            boundary(f"after sqlite {word}")
            return cursor
        return self._unsynced(sql, *values)

    def _unsynced(self, sql, *values):
        """A commit's syncs are decided when its first statement is known: PRAGMA synchronous needs no transaction."""
        if UNSYNCED == "all":
            return super().execute(re.sub("synchronous *= *FULL", "synchronous = OFF", sql), *values)
        if sql == "BEGIN IMMEDIATE":
            self.begun = sql
            return None
        if self.begun:
            off = sql.startswith("INSERT INTO events") and UNSYNCED in values[0]
            super().execute(f"PRAGMA synchronous = {'OFF' if off else 'FULL'}")
            super().execute(self.begun)
            self.begun = None
        return super().execute(sql, *values)


if KILL_AT or TRACE:
    for owner, names in CALLS.items():
        for each in names:
            setattr(owner, each, watched(getattr(owner, each), each))
if KILL_AT or TRACE or FORGET or UNSYNCED:
    connect = sqlite3.connect
    sqlite3.connect = lambda *args, **kwargs: connect(*args, **{"factory": Connection, **kwargs})
