"""An event loop whose clock jumps to the next thing to do: hours pass in milliseconds, the same way each time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import Any

from hw_driver.clock import Clock

BEGINNING = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


class VirtualLoop(asyncio.BaseEventLoop):
    """asyncio's own loop without anything to watch: what is due runs in order of time, then of asking.

    Nothing here uses context variables, so none are kept for each call.
    """

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._calls: deque[_Call] = deque()
        self._later: list[_Call] = []
        self._order = count()

    def time(self) -> float:
        return self._now

    def call_soon(self, callback: Callable[..., Any], *args: Any, context: Any = None) -> _Call:  # type: ignore[override]
        call = _Call((self._now, 0, callback, args))
        self._calls.append(call)
        return call

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any, context: Any = None) -> _Call:  # type: ignore[override]
        call = _Call((self._now + delay, next(self._order), callback, args))
        heappush(self._later, call)
        return call

    def call_at(self, when: float, callback: Callable[..., Any], *args: Any, context: Any = None) -> _Call:  # type: ignore[override]
        call = _Call((when, next(self._order), callback, args))
        heappush(self._later, call)
        return call

    def _run_once(self) -> None:
        calls, later = self._calls, self._later
        if not calls:
            while later and later[0][CALLBACK] is None:
                heappop(later)
            if not later:
                raise RuntimeError("everybody waits for somebody else")
            self._now = max(self._now, later[0][AT])
        while later and later[0][AT] <= self._now:
            calls.append(heappop(later))
        for _ in range(len(calls)):
            _, _, callback, args = calls.popleft()
            if callback is None:
                continue
            try:
                callback(*args)
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException as error:  # noqa: BLE001 - as asyncio does: whoever handles exceptions is told
                self.call_exception_handler({"message": f"Exception in {callback!r}", "exception": error})

    def _process_events(self, event_list: list[Any]) -> None:
        """There are no files to watch."""

    def _write_to_self(self) -> None:
        """No other thread wakes this loop."""


class _Call(list[Any]):
    """What asyncio calls a handle: time, order, callback (None once cancelled), arguments; sorted by the first two."""

    __slots__ = ()

    def when(self) -> float:
        return float(self[AT])

    def cancel(self) -> None:
        self[CALLBACK:] = None, ()

    def cancelled(self) -> bool:
        return self[CALLBACK] is None


AT, CALLBACK = 0, 2


class VirtualClock(Clock):
    """The driver's two clocks, both from the loop."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self._at, self._now = 0.0, BEGINNING

    def now(self) -> datetime:
        if (at := self._loop.time()) != self._at:
            self._at, self._now = at, BEGINNING + timedelta(seconds=at)
        return self._now

    def steady_now(self) -> datetime:
        return self.now()
