"""The driver as a process: started, stopped, killed between any two steps, and what its callers see of that."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

from hw_driver.clock import Clock
from hw_driver.configuration import OdooSettings, Settings, TerminalSettings, TillSide
from hw_driver.journal import Journal
from hw_driver.protocols.machine import CardTerminalError
from hw_driver.service import transactions
from hw_driver.service.driver import Driver
from hw_driver.service.odoo_link import OdooLink
from hw_driver.state_folder import StateFolder
from hw_driver.transaction import Transaction

from . import odoo as road
from .disk import Disk


class Killed(BaseException):
    """The process dies at this very step."""


class Gone(Exception):
    """Nobody answers at the driver's address, or the answer never came."""


class Process:
    """At most one living driver on one disk. Tills call `put`, `find`, `cancel`, `changed`.

    `lag` is how many seconds Odoo is behind at most: a slow road, on which events go in larger batches.
    """

    def __init__(
        self,
        disk: Disk,
        folder: Path,
        terminals: Callable[[], Iterable[TerminalSettings]],
        odoo: road.Odoo,
        clock: Clock,
        died: Callable[[], None],
        lag: float,
    ) -> None:
        self.disk = disk
        self.alive = False
        self.starts = 0
        self.driver: Driver | None = None
        self._folder = StateFolder(folder)
        self._terminals = terminals
        self._odoo = odoo
        self._clock = clock
        self._died = died
        self._lag = lag
        self._link: asyncio.Task[None] | None = None
        self._dies_at: tuple[str, int] | None = None
        disk.at_boundary = self.at_boundary

    # -- life and death

    async def start(self) -> None:
        """Open the journal, take up what was open, and begin to tell Odoo."""
        if self.alive:
            return
        self.alive, self.starts, self.driver = True, self.starts + 1, None
        odoo = OdooSettings("http://odoo", "shop", road.DATABASE, road.DRIVER, road.KEY)
        tills = TillSide(terminals=tuple(self._terminals()))
        settings = Settings(state=self._folder.path, odoo=odoo, till_side=tills)
        try:
            journal = Journal.open(self._folder.path / "journal.sqlite", clock=self._clock, allow_tmpfs=True)
            self.driver = Driver(settings, self._folder, journal, self._clock)
            link = self.driver.link = OdooLink(self.driver, odoo)
            await self.driver.start()
        except Killed:
            return
        except CardTerminalError:
            self.kill()  # a driver that cannot start (its disk is full) is started again by the system
            return
        self._link = asyncio.get_running_loop().create_task(self._tell_odoo(link))

    async def stop(self, grace: float) -> None:
        """Stop as the system stops a service."""
        if self.alive and self.driver is not None:
            try:
                await self.driver.stop(grace)
            except Killed:
                return
            self.kill()

    def kill(self) -> None:
        """SIGKILL: nothing is finished, nothing is said."""
        if not self.alive:
            return
        self.alive, self._dies_at = False, None
        self.disk.process_died()
        self._died()
        if self._link is not None:
            self._link.cancel()
        if self.driver is not None:
            for terminal in self.driver.terminals:  # dead timers do not fire: nothing of this reaches disk or wire
                _run_at_once(terminal.close())

    def die_at(self, boundary: str, after: int) -> None:
        """Die at the next such boundary but `after`."""
        self._dies_at = (boundary, after)

    def at_boundary(self, what: str) -> None:
        """Called right before and after every commit and every write to a terminal."""
        if self._dies_at is None or self._dies_at[0] != what or not self.alive:
            return
        if self._dies_at[1]:
            self._dies_at = (what, self._dies_at[1] - 1)
            return
        self.kill()
        raise Killed

    # -- what tills call

    async def put(self, uuid: str, body: dict[str, Any]) -> Transaction:
        return (await self._ask(transactions.put, uuid, body))[0]

    async def find(self, uuid: str) -> Transaction:
        """Ask as GET does: one that is not known makes the driver ask the terminal."""
        driver = self._living()
        try:
            return transactions.look(driver, uuid)
        except Killed:
            raise Gone from None

    async def cancel(self, uuid: str) -> Transaction:
        return await self._ask(transactions.cancel, uuid)

    async def changed(self, transaction: Transaction, seconds: float) -> Transaction:
        starts = self.starts
        await transaction.changed(transaction.rev, seconds)
        if not self.alive or self.starts != starts:
            raise Gone
        return transaction

    @property
    def journal_id(self) -> str:
        return self._living().journal.journal_id

    async def _ask(self, call: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        driver, starts = self._living(), self.starts
        try:
            answer = await call(driver, *args)
        except Killed:
            raise Gone from None
        except Exception:
            if not self.alive or self.starts != starts:
                raise Gone from None
            raise
        if not self.alive or self.starts != starts:
            raise Gone
        return answer

    def _living(self) -> Driver:
        if not self.alive or self.driver is None:
            raise Gone
        return self.driver

    # -- the link, as OdooLink.run has it but for aiohttp's session

    async def _tell_odoo(self, link: OdooLink) -> None:
        session = road.Session(self._odoo)
        while self.alive:
            link._wake.clear()
            if await link.exchange(session):  # type: ignore[arg-type]
                continue
            if link.delay or self._lag:
                await asyncio.sleep(max(link.delay, self._lag))
            else:
                await link._pause(HEARTBEAT)


#: Seconds between two words to Odoo while nothing happens. Longer than the product's: settlements may wait a little.
HEARTBEAT = 180.0


def _run_at_once(awaitable: Any) -> None:
    with contextlib.suppress(StopIteration):
        awaitable.send(None)
