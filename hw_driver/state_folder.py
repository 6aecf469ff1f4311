"""What the driver keeps beside its journal: its key for the command line, Odoo's last configuration, its address."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sys
from pathlib import Path
from typing import Any

from .protocols.machine import SafeError

LOCAL_KEY = "local.key"
CONFIGURATION = "odoo-configuration.signed"
RUNNING = "running.json"
JOURNAL = "journal.sqlite"


class StateFolderError(SafeError):
    """The state folder cannot be used as it is; the text says what to do."""


def default_folder() -> Path:
    """Return where this platform keeps the state of a service, or of a user's program."""
    if named := os.environ.get("CARD_TERMINAL_STATE"):
        return Path(named)
    if sys.platform == "win32":
        return Path(os.environ.get("PROGRAMDATA", "C:/ProgramData")) / "card-terminal"
    if os.geteuid() == 0:
        return Path("/var/lib/card-terminal")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "card-terminal"
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "card-terminal"


class StateFolder:
    """One driver's folder. Files are written whole or not at all."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def create(self) -> None:
        """Make the folder, closed to other users."""
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StateFolderError(f"the state folder {self.path} cannot be made: {error.strerror}") from error

    @property
    def journal(self) -> Path:
        """Where the journal is."""
        return self.path / JOURNAL

    def local_key(self, *, create: bool = False) -> bytes:
        """Return the key of the command line; the driver creates it at its first start."""
        path = self.path / LOCAL_KEY
        if create and not path.exists():
            self.write(LOCAL_KEY, secrets.token_hex(32).encode())
        require_private(path)
        try:
            key = bytes.fromhex(path.read_text(encoding="ascii"))
        except FileNotFoundError:
            raise StateFolderError(
                f"there is no {path}: start the driver once, or name its folder with --state"
            ) from None
        except PermissionError:
            raise StateFolderError(f"{path} is another user's; run this as the user who runs the driver") from None
        except (OSError, ValueError) as error:
            raise StateFolderError(f"{path} cannot be read: {error}; delete it and restart the driver") from error
        if len(key) != 32:
            raise StateFolderError(f"{path} is damaged; delete it and restart the driver")
        return key

    def configuration(self) -> str | None:
        """Return the last signed configuration from Odoo, None where there is none yet."""
        try:
            return (self.path / CONFIGURATION).read_text(encoding="ascii")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise StateFolderError(f"{self.path / CONFIGURATION} cannot be read: {error}") from error

    def keep_configuration(self, signed: str) -> None:
        """Make Odoo's configuration the one to start from."""
        self.write(CONFIGURATION, signed.encode())

    def running(self) -> dict[str, Any] | None:
        """Return `{url, pid, driver, database_uuid}` of the driver that was started last here, None where none was."""
        try:
            note = json.loads((self.path / RUNNING).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return note if isinstance(note, dict) and isinstance(note.get("url"), str) else None

    def write(self, name: str, data: bytes) -> None:
        """Write a private file so that a crash leaves the old content or the new, never half."""
        try:
            write_private(self.path / name, data)
        except OSError as error:
            raise StateFolderError(f"{self.path / name} cannot be written: {error.strerror}") from error

    def forget(self, name: str) -> None:
        """Remove a file if it is there."""
        with contextlib.suppress(OSError):
            (self.path / name).unlink()


def write_private(path: Path, data: bytes) -> None:
    """Replace `path` by `data`, mode 0600, durable on return."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    if sys.platform != "win32":  # Windows cannot open a folder, and its rename is journalled
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def require_private(path: Path) -> None:
    """Refuse a file with a key in it that other users can read (POSIX; on Windows the folder's rights decide)."""
    if sys.platform == "win32" or not path.exists():
        return
    if path.stat().st_mode & 0o077:
        raise StateFolderError(f"{path} holds a key and can be read by others; run: chmod 600 {path}")
