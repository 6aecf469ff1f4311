"""Two clocks: the wall's, for what people and Odoo read, and a steady one, for what money depends on."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


def iso(moment: datetime) -> str:
    """Return `moment` as everything in the driver writes it: ``2026-03-01T12:00:00.000Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse(text: str) -> datetime:
    """Return the moment an ISO 8601 text with a time zone names; `ValueError` for anything else."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without time zone")
    return moment.astimezone(UTC)


class Clock:
    """The wall clock, and a steady one that starts from it and then ignores every change of it.

    `now()` stamps events. `steady_now()` is what `health.now` says and what `not_after` is compared with: a till whose
    clock is set back by an hour must not start a sale that was pressed an hour ago.
    """

    def __init__(self) -> None:
        self._started = self.now()
        self._elapsed = _uptime()

    def now(self) -> datetime:
        """Return the wall clock's time, UTC."""
        return datetime.now(UTC)

    def steady_now(self) -> datetime:
        """Return the time the wall clock would show had nobody touched it since the driver started, UTC."""
        return self._started + timedelta(seconds=_uptime() - self._elapsed)


def _uptime() -> float:
    """Return seconds that also pass while the machine sleeps (Linux counts those on a clock of their own)."""
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boottime is None else time.clock_gettime(boottime)
