"""Timers by name, as machines and links ask for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Timers:
    """The timers of one dialog or line. `fired(name)` is called when one is due; there is one of each name at most."""

    def __init__(self, fired: Callable[[str], object]) -> None:
        self._fired = fired
        self._running: dict[str, asyncio.TimerHandle] = {}

    def __bool__(self) -> bool:
        """Whether any runs."""
        return bool(self._running)

    def start(self, name: str, seconds: float) -> None:
        """Start one, anew where it runs."""
        self.stop(name)
        self._running[name] = asyncio.get_running_loop().call_later(seconds, self._due, name)

    def stop(self, name: str) -> None:
        """Stop one, if it runs."""
        if timer := self._running.pop(name, None):
            timer.cancel()

    def clear(self) -> None:
        """Stop all."""
        for timer in self._running.values():
            timer.cancel()
        self._running.clear()

    def _due(self, name: str) -> None:
        del self._running[name]
        self._fired(name)
