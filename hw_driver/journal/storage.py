"""What the journal asks of the machine below it: a real disk, a name of its own, and room kept free for results."""

from __future__ import annotations

import hashlib
import os
import sys
from datetime import datetime
from pathlib import Path

from .errors import JournalUnavailable

#: File systems that forget everything when the power goes.
VOLATILE = frozenset({"tmpfs", "ramfs"})
#: Room kept for the results of what is under way: three commits of some 30 KiB each per terminal, for 20 terminals.
RESERVE_BYTES = 2 * 1024 * 1024
_PIECE = 64 * 1024
#: Files that SQLite keeps beside the database.
COMPANIONS = ("", "-wal", "-shm", "-journal")


def filesystem_of(path: Path, mounts: Path = Path("/proc/self/mounts")) -> str:
    """Return the type of the file system that holds `path` (``ext4``, ``tmpfs`` …), ``unknown`` where not told."""
    try:
        lines = mounts.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return "unknown"
    folder = path.resolve().parent
    found, kind = Path("/"), "unknown"
    for line in lines:
        _, mount_point, name, *_ = line.split(" ")
        at = Path(mount_point.replace("\\040", " "))
        if folder.is_relative_to(at) and at.is_relative_to(found):  # later mounts cover earlier ones
            found, kind = at, name
    return kind


def writable(path: Path) -> bool:
    """Return whether this user may write the folder, and the file where there is one."""
    return os.access(path.parent, os.W_OK) and (not path.exists() or os.access(path, os.W_OK))


def machine_fingerprint() -> str:
    """Return a hash that differs from machine to machine, or an empty string where the system gives none."""
    name = _windows_machine_guid() if sys.platform == "win32" else _machine_id()
    return hashlib.sha256(f"card-terminal journal {name}".encode()).hexdigest() if name else ""


def _machine_id() -> str:
    for path in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        try:
            return Path(path).read_text().strip()
        except OSError:
            continue
    return ""


def _windows_machine_guid() -> str:
    if sys.platform != "win32":
        return ""
    import winreg

    with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"SOFTWARE\Microsoft\Cryptography") as key:
        return str(winreg.QueryValueEx(key, "MachineGuid")[0])


def set_aside(path: Path, why: str, now: datetime) -> Path:
    """Rename a database with its companions, so that nothing of it is ever overwritten; return the new name."""
    base = path.with_name(f"{path.name}.{why}-{now:%Y%m%dT%H%M%SZ}")
    target, count = base, 1
    while target.exists():
        count += 1
        target = base.with_name(f"{base.name}-{count}")
    for suffix in COMPANIONS:
        source = path.with_name(path.name + suffix)
        if source.exists():
            source.rename(target.with_name(target.name + suffix))
    return target


class Reserve:
    """A file that takes up real room beside the journal, given up when a result finds the disk full."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def ensure(self) -> None:
        """Make it if it is not there; `JournalUnavailable` when there is no room."""
        try:
            if self._path.stat().st_size == RESERVE_BYTES:
                return
        except FileNotFoundError:
            pass
        except OSError as error:
            raise JournalUnavailable(f"The journal's folder {self._path.parent} cannot be read: {error}") from error
        try:
            self._write()
        except OSError as error:
            self.release()
            raise JournalUnavailable(
                f"There is no room for the result of a sale in {self._path.parent} ({error.strerror}). "
                "Nothing was sent. Free some disk space, then try again."
            ) from error

    def release(self) -> bool:
        """Give the room up; return whether there was any."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True

    def _write(self) -> None:
        with self._path.open("wb") as file:
            for _ in range(RESERVE_BYTES // _PIECE):
                file.write(os.urandom(_PIECE))  # not zeros: some file systems store those in no room at all
            file.flush()
            os.fsync(file.fileno())
