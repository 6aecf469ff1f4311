"""An event loop whose clock jumps to the next thing to do: hours pass in milliseconds, the same way each time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from hw_driver.clock import Clock

BEGINNING = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


class VirtualLoop(asyncio.BaseEventLoop):
    """asyncio's own loop over a selector that never waits. `on_fault` hears of exceptions nobody caught."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._selector = _Jump(self)

    def time(self) -> float:
        return self._now

    def jump(self, seconds: float) -> None:
        self._now += seconds

    def _process_events(self, event_list: list[Any]) -> None:
        """There are no files to watch."""

    def _write_to_self(self) -> None:
        """No other thread wakes this loop."""


class _Jump:
    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("everybody waits for somebody else")
        if timeout > 0:
            self._loop.jump(timeout)
        return []

    def close(self) -> None:
        """Nothing is held."""


class VirtualClock(Clock):
    """The driver's two clocks, both from the loop."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def now(self) -> datetime:
        return BEGINNING + timedelta(seconds=self._loop.time())

    def steady_now(self) -> datetime:
        return self.now()
