"""Progress of a run: a line that is drawn again on a terminal, one now and then elsewhere."""

from __future__ import annotations

import sys
import time

SECONDS = 30
"""Between two lines where there is no terminal."""


class Counting:
    """Counts what it is called for, and shows what was told last."""

    def __init__(self, what: str, total: int = 0) -> None:
        self.what, self.total, self.done = what, total, 0
        self._began = self._said = time.monotonic()

    def __call__(self, place: str) -> None:
        self.done += 1
        now = time.monotonic()
        if sys.stderr.isatty():
            self._write(f"\r{self._line(now)}  {place:<40.40}")
        elif now - self._said > SECONDS:
            self._said = now
            self._write(f"{self._line(now)}\n")

    def close(self) -> None:
        """End the line."""
        self._write(f"\r{self._line(time.monotonic())}{'':<42}\n" if sys.stderr.isatty() else "")

    def _line(self, now: float) -> str:
        of = f" of {self.total}" if self.total else ""
        return f"{self.done}{of} {self.what}, {now - self._began:.0f} s"

    @staticmethod
    def _write(text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()
