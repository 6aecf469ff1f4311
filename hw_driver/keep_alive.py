"""Keeps an idle terminal and its link awake: now and then it is asked who it is (USB that drops).

Nobody is ever refused for it. A request that comes meanwhile waits for the answer, `YIELD_SECONDS` at most; then the
question is given up: it moves no money, so nothing is lost with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

#: Longest that a request waits for the answer: a terminal that is awake gives it at once.
YIELD_SECONDS = 2.0


class KeepAlive:
    """Calls `ask` each time the terminal has rested for `seconds` (0: never); `under_way` while it is being asked."""

    def __init__(self, seconds: float, resting: Callable[[], bool], ask: Callable[[], None]) -> None:
        self.under_way = False
        self._seconds = seconds
        self._resting = resting
        self._ask = ask
        self._timer: asyncio.TimerHandle | None = None

    def rest_from_now(self) -> None:
        """The terminal is free again: begin to count."""
        self.stop()
        if self._seconds:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self._due)

    def stop(self) -> None:
        """Count no more."""
        self.under_way = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _due(self) -> None:
        if not self._resting():
            self.rest_from_now()
            return
        self._timer = None
        self.under_way = True
        self._ask()
