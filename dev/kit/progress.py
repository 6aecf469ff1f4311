"""Progress on standard error: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

BAR_WIDTH = 28


class Progress:
    """A labelled task with a share done, used as a context manager.

    >>> with Progress("Unpacking Odoo") as progress:
    ...     progress.update(0.5, "12 of 24")
    """

    def __init__(self, label: str) -> None:
        self.label = label
        self._began = time.monotonic()
        self._on_terminal = sys.stderr.isatty()
        self._drawn = ""

    def __enter__(self) -> Self:
        if self._on_terminal:
            self._draw(f"{self.label} …")
        else:
            self._line(f"{self.label} …")
        return self

    def update(self, share: float, note: str = "") -> None:
        """Show the share done (0 to 1)."""
        if not self._on_terminal:
            return
        share = min(max(share, 0.0), 1.0)
        bar = ("█" * round(share * BAR_WIDTH)).ljust(BAR_WIDTH, "░")
        self._draw(f"{self.label:<34.34} {bar} {share:4.0%}  {note}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        seconds = time.monotonic() - self._began
        ending = "done" if kind is None else "stopped"
        if self._on_terminal:
            self._draw(f"{self.label:<34.34} {ending}, {seconds:.0f} s")
            sys.stderr.write("\n")
            sys.stderr.flush()
        else:
            self._line(f"{self.label}: {ending}, {seconds:.0f} s")

    def _draw(self, text: str) -> None:
        text = text[:118]
        if text != self._drawn:
            sys.stderr.write("\r" + text.ljust(len(self._drawn)))
            sys.stderr.flush()
            self._drawn = text

    @staticmethod
    def _line(text: str) -> None:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


def note(text: str) -> None:
    """One line for the person who waits."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
