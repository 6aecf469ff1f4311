"""What the driver logs: lines for people or JSON lines for a log collector, never a card number (law 11)."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime

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
