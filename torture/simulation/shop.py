"""One history: a driver, its terminals, two tills and Odoo on one day, drawn from (seed, number) alone."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from dataclasses import fields
from pathlib import Path
from typing import Any

from hw_driver.configuration import TerminalSettings
from hw_driver.protocols.registry import PROTOCOLS
from hw_driver.virtual.faults import FAULTS, Unit

from ..history import History, Notes
from . import trouble
from .clockwork import VirtualClock, VirtualLoop
from .disk import Dead, Disk, mounted
from .odoo import Odoo
from .people import Till
from .process import Killed, Process
from .terminals import STANDS, Box, Cardholder
from .wire import Trouble, Wire, laid

#: Purchases in one history.
SALES = 100
TILLS = 2
#: Seconds after which the shop closes, whoever is still at a till.
DAY = 20_000.0
#: Longer than any dialog, with all that a terminal is asked afterwards.
LONG = 2400.0
#: Version and variant of a random UUID (RFC 9562), and the bits that are left.
_UUID4, _UUID4_OTHERS = 0x4 << 76 | 0x2 << 62, ~(0xF << 76 | 0x3 << 62)
_CONFIGURABLE = frozenset(field.name for field in fields(TerminalSettings))


def play(seed: int, number: int, folder: Path, *, story: bool = False) -> tuple[History, Disk]:
    """Play a history to its end. The caller closes the disk when it has read the journals."""
    loop = VirtualLoop()
    disk = Disk()
    asyncio.set_event_loop(loop)
    try:
        with mounted(disk), laid():
            try:
                shop = loop.run_until_complete(_day(seed, number, folder, loop, disk, story))
            finally:
                _cancel_all(loop)
        return shop.history(number), disk
    finally:
        asyncio.set_event_loop(None)
        loop.close()


async def _day(seed: int, number: int, folder: Path, loop: VirtualLoop, disk: Disk, story: bool) -> Shop:
    shop = Shop(random.Random(f"{seed}/{number}"), folder, loop, disk, story)
    await shop.open()
    return shop


class Shop:
    """Everything of one history."""

    def __init__(self, chance: random.Random, folder: Path, loop: VirtualLoop, disk: Disk, story: bool) -> None:
        self.chance = chance
        self.loop = loop
        self.disk = disk
        self.folder = folder
        self.restored = chance.random() < trouble.RESTORED
        self.notes = Notes(loop.time, lambda: disk.durable, lambda: len(disk.set_aside))
        if story:
            self.notes.story = []
        loop.set_exception_handler(self._uncaught)
        self.faults: list[str] = []
        self.stands: dict[str, str] = {}
        self.exclusive: dict[str, bool] = {}
        self.boxes: dict[str, Box] = {}
        for name in ("A", "B"):
            self._place(name)
        self.odoo = Odoo(chance)
        lag = trouble.one_of(chance, trouble.ODOO_LAGS)
        self.process = Process(disk, folder, self._terminals, self.odoo, VirtualClock(loop), self._driver_died, lag)
        for box in self.boxes.values():
            box.wire.at_boundary = self.process.at_boundary
        self._calm = True
        self._closing = False

    def _place(self, name: str) -> None:
        stand = trouble.one_of(self.chance, {name: stand.share for name, stand in STANDS.items()})
        options = self.chance.choice(STANDS[stand].settings)
        box = Box(name, STANDS[stand], options, self.chance, self.notes, self._cardholder)
        if isinstance(box.wire, Wire):
            box.wire.next_trouble = self._connection_trouble
        else:
            box.wire.noise = self._noise
        self.stands[name] = stand
        self.exclusive[name] = self.chance.random() < 0.7
        self.boxes[name] = box

    def _terminals(self) -> list[TerminalSettings]:
        settings = []
        for name, box in self.boxes.items():
            members: dict[str, Any] = {
                "id": name,
                "name": name,
                "protocol": box.stand.protocol,
                "transport": {"kind": box.stand.transport, "wire": box.wire},
                "options": box.options,
                "exclusive": self.exclusive[name],
            }
            settings.append(TerminalSettings(**{key: members[key] for key in members if key in _CONFIGURABLE}))
        return settings

    # -- the day

    async def open(self) -> None:
        await self.process.start()
        await self._first_sales()
        tills = [Till(self, f"till {number}", self.chance) for number in range(TILLS)]
        days = [asyncio.ensure_future(till.day(SALES // TILLS)) for till in tills]
        if self.restored:
            days.append(asyncio.ensure_future(self._put_old_journal_back()))
        _, unfinished = await asyncio.wait(days, timeout=DAY)
        if unfinished:
            self.faults.append(f"somebody still waits for a till after {DAY:.0f} s")
        for day in days:
            if day not in unfinished:
                day.result()
        await self._mend()

    async def _first_sales(self) -> None:
        """Before anything goes wrong, every terminal has a last result to report."""
        till = Till(self, "first", self.chance)
        for terminal in self.boxes:
            await till.first_sale(terminal)
        self._calm = False

    def _start_driver_again(self) -> None:
        """The system starts a driver that died."""
        self.loop.create_task(self.process.start())

    async def _put_old_journal_back(self) -> None:
        """Copy the journal as the product does; later, put the copy in its place."""
        await asyncio.sleep(self.chance.random() * 300)
        while not self.process.alive or self.process.driver is None or not self.disk.durable:  # noqa: ASYNC110
            await asyncio.sleep(1)
        path = self.folder / f"copy-{self.uuid()}.sqlite"
        self.process.driver.journal.backup(path)
        await asyncio.sleep(60 + self.chance.random() * 300)
        self.notes.tell("", "an old copy of the journal is put back")
        self.process.kill()
        copy = sqlite3.connect(path)
        self.disk.restore(copy)
        copy.close()
        path.unlink()

    async def _mend(self) -> None:
        """Repair everything, and give every part the time it needs to come to its end."""
        self._calm = True
        self.disk.full = False
        self.odoo.up, self.odoo.loses_answers = True, False
        for box in self.boxes.values():
            box.faults.armed.clear()
            box.wire.plug()
        until = self.loop.time() + LONG
        while self.loop.time() < until and not self._settled():  # noqa: ASYNC110 - any part may be the last
            await asyncio.sleep(60)
        self._closing = True
        self.process.kill()

    def _settled(self) -> bool:
        """Whether nothing more can happen: no question is open, and Odoo knows everything."""
        driver = self.process.driver
        if not self.process.alive or driver is None or self.odoo.last < driver.journal.last:
            return False
        return not self.disk.open_transactions("requested", "sent", "unknown")

    # -- what goes wrong

    def prepare(self, terminal: str) -> None:
        """Somebody presses Card: draw what this sale has to go through."""
        chance = self.chance
        if self._calm:
            return
        box = self.boxes[terminal]
        if chance.random() < trouble.TERMINAL:
            name = chance.choice(box.may_have)
            measured = FAULTS[name].unit in (Unit.SECONDS, Unit.BYTES)
            box.faults.arm(name, value=chance.randrange(0, 60) if measured else None)
        if chance.random() < trouble.PART:
            self.loop.create_task(self._strike(trouble.one_of(chance, trouble.WHOLE_PARTS), box))

    async def _strike(self, what: str, box: Box) -> None:
        chance = self.chance
        await asyncio.sleep(chance.random() * 20)
        if self._calm:
            return
        self.notes.tell("", f"trouble: {what}")
        await _PARTS[what](self, box, chance.choice((0.5, 3.0, 20.0, 90.0)) * chance.random())

    async def _kill_driver(self, box: Box, seconds: float) -> None:
        self.process.kill()

    async def _kill_driver_at_boundary(self, box: Box, seconds: float) -> None:
        self.process.die_at(self.chance.choice(trouble.BOUNDARIES), self.chance.randrange(0, 4))

    async def _stop_driver(self, box: Box, seconds: float) -> None:
        await self.process.stop(seconds)

    async def _cut_power(self, box: Box, seconds: float) -> None:
        box.power_cut(seconds)

    async def _unplug(self, box: Box, seconds: float) -> None:
        box.wire.unplug()
        await asyncio.sleep(seconds)
        box.wire.plug()

    async def _fill_disk(self, box: Box, seconds: float) -> None:
        self.disk.full = True
        await asyncio.sleep(seconds)
        self.disk.full = False

    async def _odoo_down(self, box: Box, seconds: float) -> None:
        self.odoo.up = False
        await asyncio.sleep(seconds * 5)
        self.odoo.up = True

    async def _odoo_loses_answers(self, box: Box, seconds: float) -> None:
        self.odoo.loses_answers = True
        await asyncio.sleep(seconds)
        self.odoo.loses_answers = False

    async def _type_on_terminal(self, box: Box, seconds: float) -> None:
        """Somebody uses it without the till: for the amount that everybody is asked for."""
        for name, each in self.boxes.items():
            if each is box and not self.exclusive[name]:
                box.typed(trouble.USUAL_AMOUNT)

    def _noise(self) -> float:
        """The chance that noise strikes what is written to a cable now."""
        if self._calm:
            return 0.0
        bad = int(self.loop.time() / trouble.MINUTE) % trouble.BAD_MINUTES == 0
        return trouble.NOISE_IN_A_BAD_MINUTE if bad else trouble.NOISE

    def _connection_trouble(self) -> Trouble | None:
        return None if self._calm else trouble.of_connection(self.chance)

    def _cardholder(self) -> Cardholder:
        chance = self.chance
        if self._calm:
            return Cardholder("contactless", 1.0)
        return Cardholder(trouble.one_of(chance, trouble.CARDHOLDERS), 1 + chance.random() * chance.choice((3, 10, 40)))

    def _driver_died(self) -> None:
        self.notes.tell("", "the driver dies")
        for uuid in self.disk.open_transactions("requested", "sent"):
            self.notes.struck(uuid, "driver_died")
        for box in self.boxes.values():
            box.wire.driver_died()
        if not self._closing:
            self.loop.call_later(0.2 + self.chance.random() * 5, self._start_driver_again)

    def _uncaught(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, (Killed, Dead)):
            self.faults.append(f"{context.get('message')}: {error!r}")

    # -- what people ask

    def uuid(self) -> str:
        digits = f"{self.chance.getrandbits(128) & _UUID4_OTHERS | _UUID4:032x}"
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    def kinds_of(self, terminal: str) -> frozenset[str]:
        box = self.boxes[terminal]
        return frozenset(kind.value for kind in PROTOCOLS[box.stand.protocol].kinds_with(box.options))

    def record(self, uuid: str) -> Any:
        process = self.process
        return process.driver.journal.get(uuid) if process.alive and process.driver else None

    def knows(self, uuid: str) -> bool:
        """Whether the living driver's journal has it."""
        return self.record(uuid) is not None

    def boxes_idle(self) -> bool:
        return all(box.idle for box in self.boxes.values())

    def history(self, number: int) -> History:
        reporting = frozenset(name for name, box in self.boxes.items() if _reports(box, self.exclusive[name]))
        return History(
            number, self.notes, self.disk.files, self.odoo.events, self.odoo.transactions, reporting, self.restored,
            self.faults, self.stands,
        )  # fmt: skip


def _reports(box: Box, exclusive: bool) -> bool:
    """Whether it can say what became of the last request, so that it may be believed: law 3."""
    recovery = PROTOCOLS[box.stand.protocol].recovery
    return bool(recovery and recovery.supported(box.options) and box.stand.provable(box.options, exclusive))


_PARTS = {
    "driver_killed": Shop._kill_driver,
    "driver_killed_at_boundary": Shop._kill_driver_at_boundary,
    "driver_stopped": Shop._stop_driver,
    "terminal_power_cut": Shop._cut_power,
    "terminal_unplugged": Shop._unplug,
    "disk_full": Shop._fill_disk,
    "odoo_down": Shop._odoo_down,
    "odoo_loses_answers": Shop._odoo_loses_answers,
    "typed_on_terminal": Shop._type_on_terminal,
}


def _cancel_all(loop: VirtualLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
