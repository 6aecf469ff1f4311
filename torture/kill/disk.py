"""A disk that may forget what was not synced: the files of one folder, as a power cut at any moment could leave them.

A sync of a file makes its bytes and its length durable, a sync of the folder the names in it. Of what was written
since, a cut keeps each sector as it was after any of the writes to it, the length after any of them, and the names up
to any of the changes (file systems keep the order of those).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

SECTOR = 512

Choose = Callable[[int], int]
"""Given how many unsynced changes there are, say after how many of them (0 to that number) the disk stands."""


def nothing(_: int) -> int:
    """Keep nothing that was not synced."""
    return 0


def everything(changes: int) -> int:
    """Keep all of it: what a killed process leaves."""
    return changes


def some(chance: random.Random) -> Choose:
    """Keep some, each sector by chance."""
    return lambda changes: chance.randint(0, changes)


@dataclass
class File:
    """Bytes that are durable, and what happened since: (offset, bytes), or (length, None) where it was cut or grown."""

    durable: bytes = b""
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)

    def sync(self) -> None:
        """Make everything durable."""
        self.durable, self.pending = self.after(everything), []

    def after(self, choose: Choose) -> bytes:
        """Return the content that a cut leaves."""
        if not self.pending:
            return self.durable
        now = bytearray(self.durable)
        lengths, sectors = [len(now)], {}
        for offset, data in self.pending:
            before = len(now)
            if data is None:
                now[offset:] = bytes(max(0, offset - before))
                touched = range(min(offset, before) // SECTOR, max(offset, before) // SECTOR + 1)
            else:
                now[before:] = bytes(max(0, offset - before))
                now[offset : offset + len(data)] = data
                touched = range(offset // SECTOR, (offset + max(len(data), 1) - 1) // SECTOR + 1)
            lengths.append(len(now))
            for sector in touched:
                sectors.setdefault(sector, []).append(bytes(now[sector * SECTOR : (sector + 1) * SECTOR]))
        length = lengths[choose(len(self.pending))]
        left = bytearray(self.durable[:length].ljust(length, b"\0"))
        for sector, versions in sectors.items():
            kept = choose(len(versions))
            start, room = sector * SECTOR, min(SECTOR, length - sector * SECTOR)
            if kept and room > 0:
                left[start : start + room] = versions[kept - 1][:room].ljust(room, b"\0")
        return bytes(left)


class Disk:
    """The files of a folder by path. Calls are those of the system; files elsewhere are not its business."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)
        self._now: dict[str, File] = {}
        self._durable: dict[str, File] = {}
        self._names: list[dict[str, File]] = []
        self.syncs = 0

    def holds(self, path: str) -> bool:
        """Return whether a path lies in the folder."""
        return path.startswith(self.folder + "/")

    def open(self, path: str, *, truncate: bool) -> None:
        """Make a file that is not there, and empty one that is if asked."""
        if path not in self._now:
            self._rename({**self._now, path: File()})
        elif truncate:
            self.truncate(path, 0)

    def write(self, path: str, offset: int, data: bytes) -> None:
        self._now[path].pending.append((offset, data))

    def truncate(self, path: str, length: int) -> None:
        self._now[path].pending.append((length, None))

    def rename(self, old: str, new: str) -> None:
        names = dict(self._now)
        names[new] = names.pop(old)
        self._rename(names)

    def unlink(self, path: str) -> None:
        self._rename({name: file for name, file in self._now.items() if name != path})

    def sync(self, path: str) -> None:
        """Sync a file, or the names if it is the folder."""
        self.syncs += 1
        if path == self.folder:
            self._durable, self._names = self._now, []
        elif path in self._now:
            self._now[path].sync()

    def cut(self, choose: Choose) -> dict[str, bytes]:
        """Return name and content of the files that a power cut leaves now."""
        names = [self._durable, *self._names][choose(len(self._names))]
        return {Path(path).name: file.after(choose) for path, file in names.items()}

    def _rename(self, names: dict[str, File]) -> None:
        self._now = names
        self._names.append(names)
