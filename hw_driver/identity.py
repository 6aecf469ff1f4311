"""Who a terminal says it is: kept in the journal when it says so first, and each time it says something else."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from .journal import Journal, NotRecorded
from .protocols.machine import Outcome
from .protocols.states import Kind

_log = logging.getLogger(__name__)

NOTICE = "The terminal says another {what} than before. It may have been exchanged: tell the manager."


class Identity:
    """`told` is what the terminal says of itself, for people; `pinned` what somebody has found right.

    A payment goes on on a terminal that says something else: after a repair that is as it should be. `notice` is the
    sentence for the till then, '' otherwise.
    """

    def __init__(self, terminal: str, journal: Journal, pinned: Mapping[str, str]) -> None:
        self._terminal = terminal
        self._journal = journal
        self._pinned = dict(pinned)
        self._known = journal.identity(terminal) or {}
        self._details: dict[str, Any] = {}

    @property
    def told(self) -> dict[str, Any]:
        return {**self._details, **self._known}

    @property
    def notice(self) -> str:
        other = [name for name, value in self._pinned.items() if self._known.get(name, value) != value]
        return NOTICE.format(what=", ".join(name.replace("_", " ") for name in other)) if other else ""

    def learn(self, kind: Kind, outcome: Outcome) -> None:
        """Take what the terminal said in an identification or beside a result."""
        if kind is Kind.IDENTIFY:
            self._details |= outcome.details
        contract = f"contract {outcome.brand}" if outcome.brand else "contract"  # one for each brand it takes
        said = {
            "serial": outcome.serial,
            "terminal_id": outcome.terminal_id,
            contract: outcome.contract,
            "virtual": "yes" if outcome.virtual else "",
        }
        known = {**self._known, **{name: value for name, value in said.items() if value}}
        if known == self._known:
            return
        try:
            self._journal.identified(self._terminal, known)
        except NotRecorded as error:  # said again with the next result
            _log.error("terminal %s: who it is could not be stored: %s", self._terminal, error)
        else:
            self._known = known
