"""What is left of journals that were set aside goes to Odoo once, after the driver's own journal (docs/api.md 2).

Odoo takes it as `closed`: it changes nothing about the journal in use, and applies each event once. Every start asks
again, so that an Odoo restored from a backup gets it again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from ..journal import SetAside, set_aside_beside

log = logging.getLogger(__name__)

Post = Callable[[dict[str, Any], list[bytes]], Awaitable[dict[str, Any]]]
"""Posts events, each as JSON, with these members of the request changed; returns Odoo's answer."""
Fit = Callable[[list[bytes]], list[bytes]]
"""Returns the first of these events that fit in one request."""

MOST = 500


class Leftovers:
    """The journals set aside beside a journal, until each has been told."""

    def __init__(self, journal: Path) -> None:
        self._left = set_aside_beside(journal)

    async def deliver(self, post: Post, fit: Fit) -> None:
        """Tell what is left. An error leaves the journal it happened in, and those after it, for the next time."""
        while self._left:
            try:
                journal = await asyncio.to_thread(SetAside, self._left[0])
            except OSError as error:
                log.warning("%s cannot be read: %s", self._left[0], error)
                return
            try:
                if journal.journal_id:
                    await _deliver(journal, post, fit)
                else:
                    log.warning("nothing can be read of %s", self._left[0])
            finally:
                journal.close()
            self._left.pop(0)


async def _deliver(journal: SetAside, post: Post, fit: Fit) -> None:
    about = {"journal_id": journal.journal_id, "last": journal.last, "head": None, "closed": True}
    want, before = int((await post(about, []))["want"]), 0
    while want > before and (events := fit(journal.told(want - 1, MOST))):
        before, want = want, int((await post(about, events))["want"])
        log.info("journal %s, set aside: Odoo has it up to event %s of %s", journal.journal_id, want - 1, journal.last)
    await post({**about, "finished": True}, [])
