"""What the driver logs: lines for people or JSON lines for a log collector, never a card number (law 11)."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from ..configuration import LogSettings
from ..protocols.scrub import scrub_certain

#: Members of a line that code adds with `extra=`, beside the sentence.
MEMBERS = ("event", "seq", "uuid", "terminal", "code", "status", "route")


class Lines(logging.Formatter):
    """One line per record, tracebacks below it."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Return the record without card numbers, whatever a library has put into it."""
        return scrub_certain(super().format(record))


class JsonLines(logging.Formatter):
    """One JSON object per record: `at` (UTC), `level`, `logger`, `text`, `fault` (a traceback), and `MEMBERS`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record without card numbers."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = {"at": at, "level": record.levelname, "logger": record.name, "text": scrub_certain(record.getMessage())}
        if record.exc_info:
            line["fault"] = scrub_certain(self.formatException(record.exc_info))
        line |= {name: getattr(record, name) for name in MEMBERS if hasattr(record, name)}
        return json.dumps(line, ensure_ascii=False, default=str)


FORMATS: dict[str, Callable[[], logging.Formatter]] = {"text": Lines, "json": JsonLines}


def log_to_stderr(format_: str = "text") -> None:
    """Log to standard error in one of `FORMATS`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(FORMATS[format_]())
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def log_to_files(folder: Path, settings: LogSettings, format_: str = "text") -> None:
    """Log to files that are renamed and in the end removed as they grow; under systemd, its journal does that."""
    if "JOURNAL_STREAM" in os.environ or not settings.files:
        return
    handler = RotatingFile(folder / "driver.log", settings.megabytes * 1_000_000, settings.files)
    handler.setFormatter(FORMATS[format_]())
    logging.getLogger().addHandler(handler)


class RotatingFile(RotatingFileHandler):
    """A log file for its owner alone. A full disk must not end the driver: what cannot be kept is left out."""

    def __init__(self, path: Path, size: int, files: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        super().__init__(path, maxBytes=size, backupCount=files - 1 or 1, encoding="utf-8", delay=True)

    def _open(self) -> TextIOWrapper:
        stream = super()._open()
        os.chmod(self.baseFilename, 0o600)  # noqa: PTH101 - the name is the handler's
        return stream

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Say nothing: standard error has the line."""
