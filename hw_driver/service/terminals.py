"""The terminals of this driver, kept equal to the configuration without ever disturbing a dialog."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Iterator

from ..asking import left_open
from ..clock import Clock
from ..configuration import TerminalSettings
from ..journal import Journal, NotRecorded
from ..protocols.registry import PROTOCOLS
from ..terminal import Terminal

log = logging.getLogger(__name__)


class Terminals:
    """Terminals by id. A changed or removed one keeps its old settings until its dialog is over."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._wanted: dict[str, TerminalSettings] = {}
        self._live: dict[str, tuple[TerminalSettings, Terminal]] = {}
        self._changing = asyncio.Lock()

    async def configure(self, wanted: Iterable[TerminalSettings]) -> None:
        """Make these the driver's terminals, each as soon as it is idle."""
        self._wanted = {settings.id: settings for settings in wanted}
        await self.settle()
        self._end_elsewhere()

    async def settle(self) -> None:
        """Carry out what of the configuration had to wait for a dialog to end."""
        if {id_: settings for id_, (settings, _) in self._live.items()} == self._wanted:
            return
        async with self._changing:
            for id_ in {**self._live, **self._wanted}:
                await self._settle(id_)

    async def _settle(self, id_: str) -> None:
        wanted = self._wanted.get(id_)
        live = self._live.get(id_)
        if live and (live[0] == wanted or live[1].holder):
            return
        if live:
            del self._live[id_]
            await live[1].close()
        if wanted:
            terminal = self._make(wanted)
            await terminal.recover()
            self._live[id_] = wanted, terminal

    def _end_elsewhere(self) -> None:
        """End what a stopped driver left open on terminals that are configured no more: nobody can ask them."""
        for record in self._journal.under_way_elsewhere(self._live):
            outcome = left_open(record)
            try:
                self._journal.record(record.uuid, outcome.state, outcome)
            except NotRecorded as error:  # at the next start, or when somebody asks for it
                log.error("transaction %s: %s", record.uuid, error)

    def get(self, id_: str) -> Terminal | None:
        """Return the terminal of this id."""
        live = self._live.get(id_)
        return live[1] if live else None

    def __iter__(self) -> Iterator[Terminal]:
        return iter([terminal for _, terminal in self._live.values()])

    def busy(self) -> list[Terminal]:
        """Return the terminals with a dialog under way."""
        return [terminal for terminal in self if terminal.holder]

    async def close(self) -> None:
        """Let every terminal go."""
        for terminal in self:
            await terminal.close()
        self._live.clear()

    def _make(self, settings: TerminalSettings) -> Terminal:
        log.info("terminal id=%s name=%s protocol=%s", settings.id, settings.name, settings.protocol)
        return Terminal(
            settings.id,
            settings.name,
            PROTOCOLS[settings.protocol],
            settings.transport,
            settings.options,
            self._journal,
            clock=self._clock,
            exclusive=settings.exclusive,
            pinned=settings.identity,
            questions=settings.questions,
        )
