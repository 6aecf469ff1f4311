"""The cache folder: where things are, locks between processes, and steps that are either complete or absent."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kit.errors import SetupError
from kit.progress import note

CHECKOUT = Path(__file__).resolve().parents[2]
MODULE = "pos_card_terminal"


def cache_root() -> Path:
    """`CARD_TERMINAL_CACHE`, or a folder of ours in the user's cache."""
    if named := os.environ.get("CARD_TERMINAL_CACHE"):
        return Path(named).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / MODULE


def digest(*parts: object) -> str:
    """A short name for the inputs of a step."""
    return hashlib.sha256("\0".join(str(part) for part in parts).encode()).hexdigest()[:12]


class Cache:
    """Folders and locks below one root; nothing in it belongs to one checkout only, but what is keyed by its path."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or cache_root()
        try:
            for name in ("locks", "logs", "tmp"):
                (self.root / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SetupError(f"cannot write to {self.root} ({error.strerror}): set CARD_TERMINAL_CACHE") from error

    def path(self, *parts: str) -> Path:
        return self.root.joinpath(*parts)

    def log(self, name: str) -> Path:
        return self.path("logs", f"{name}.log")

    def has(self, target: Path) -> bool:
        """Whether a step is complete: its folder appears in one piece, or carries the stamp that `complete` writes."""
        return (target / ".complete").exists()

    @contextmanager
    def filling(self, target: Path) -> Iterator[Path]:
        """Give a folder to fill, which keeps what an interrupted attempt left; put it in place when all went well."""
        part = self.path("tmp", f"{target.parent.name}-{target.name}.part")
        part.mkdir(parents=True, exist_ok=True)
        yield part
        (part / ".complete").touch()
        if target.exists():
            shutil.rmtree(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        part.rename(target)

    @contextmanager
    def lock(self, name: str, waiting_for: str = "") -> Iterator[None]:
        """Hold a lock that no other process holds; says so when it has to wait."""
        with self.path("locks", name).open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                holder = file.read().strip() or "unknown"
                if waiting_for:
                    note(f"Waiting for {waiting_for} (process {holder}) …")
                fcntl.flock(file, fcntl.LOCK_EX)
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield
            file.truncate(0)

    def need_space(self, size: int) -> None:
        """Refuse to begin what the disk cannot hold."""
        free = shutil.disk_usage(self.root).free
        if free < size:
            raise SetupError(
                f"disk full: {size / 1e9:.1f} GB needed and {free / 1e9:.1f} GB free in {self.root}; "
                "free some, or point CARD_TERMINAL_CACHE at another disk"
            )
