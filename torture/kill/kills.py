"""SIGKILL at every boundary of the driver's process, then at random moments under a steady stream of sales."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from .tills import Amounts, Till
from .verdict import judge
from .world import World, open_world

LONGEST = 0.6
"""Seconds after which a driver is killed at the latest, counted from its start or from being ready."""
START_OF_THREE = 1
"""How many of three random kills hit the start."""

Tell = Callable[[str], None]
"""Called after each kill, with the place of it where that is known."""


@dataclass
class Outcome:
    """What a run of kills came to.

    `ready` are seconds from start to listening, after kills, and `worked` the processor's among them; `took` is how
    long it all took.
    """

    kills: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    ready: list[float] = field(default_factory=list)
    worked: list[float] = field(default_factory=list)
    took: float = 0.0

    def add(self, other: Outcome) -> None:
        """Count another run in."""
        self.kills += other.kills
        self.counts.update(other.counts)
        self.wrong += other.wrong
        self.ready += other.ready
        self.worked += other.worked
        self.took += other.took


async def at_every_boundary(
    folder: Path, tell: Tell, *, first_start: bool, step: int = 1, offset: int = 1, times: int | None = None
) -> Outcome:
    """Kill at boundary `offset`, `offset + step`, … until a driver gets through start, sale and stop unharmed.

    With `first_start` each driver begins with an empty folder, so that making the journal is among the boundaries.
    At most `times` kills.
    """
    outcome = Outcome()
    async with open_world(folder, terminals=1) as world:
        till = Till(world, world.terminals[0], Amounts(), random.Random(offset), calm=True)
        await _restarted(world)
        await world.driver.stop()
        for number in count(offset, step):
            if outcome.kills == times:
                break
            if first_start:
                world.forget()
            unharmed = await _sale_killed_at(world, till, number)
            await _seen_through(world, till)
            if len(world.odoo.journals) != 1:
                outcome.wrong.append(f"boundary {number}: {len(world.odoo.journals)} journals, an identity was lost")
            if unharmed:
                break
            outcome.kills += 1
            tell((world.folder / "trace").read_text().split("\n")[-2])
        await _judge(world, [till], outcome)
    return outcome


async def _sale_killed_at(world: World, till: Till, boundary: int) -> bool:
    """Start, sell and stop a driver that dies at this boundary; return whether it never got there."""
    environment = {"TORTURE_KILL_AT": str(boundary), "TORTURE_TRACE": str(world.folder / "trace")}
    if not await world.driver.start(environment):
        return False
    for figures in (world.driver.ready, world.driver.worked):
        figures.pop()  # a watched start is slower
    selling = asyncio.create_task(_sell_one(world, till))
    dying = asyncio.create_task(world.driver.died())
    await asyncio.wait([selling, dying], return_when=asyncio.FIRST_COMPLETED)
    if dying.done():
        selling.cancel()
        await asyncio.wait([selling])
    else:
        selling.result()
        await world.driver.stop()
    return await dying == 0


async def _sell_one(world: World, till: Till) -> None:
    await till.sell()
    await world.delivered()


async def _seen_through(world: World, till: Till) -> None:
    """Start the driver again, let the till ask what became of its sale, and let Odoo learn of it."""
    await _restarted(world)
    await till.settle_doubt()
    await world.delivered()
    await world.driver.kill()


async def at_random_moments(folder: Path, tell: Tell, *, kills: int, seed: int, terminals: int = 3) -> Outcome:
    """Kill at random moments while a till on each terminal sells without a pause."""
    outcome, chance, amounts = Outcome(), random.Random(seed), Amounts()
    began = time.monotonic()
    async with open_world(folder, terminals=terminals) as world:
        await _restarted(world)
        tills = [Till(world, terminal, amounts, random.Random(chance.random())) for terminal in world.terminals]
        stopped = asyncio.Event()
        working = asyncio.gather(*(till.work(stopped) for till in tills))
        await asyncio.sleep(chance.uniform(0, LONGEST))
        await world.driver.kill()
        for _ in range(kills - 1):
            if chance.randrange(3) < START_OF_THREE:
                await _killed_while_starting(world, chance.uniform(0, LONGEST))
            else:
                await world.driver.start()
                await asyncio.sleep(chance.uniform(0, LONGEST))
                await world.driver.kill()
            tell("")
        await _restarted(world)
        stopped.set()
        await working
        tell("")
        outcome.kills, outcome.took = kills, time.monotonic() - began
        await _judge(world, tills, outcome)
    return outcome


async def _killed_while_starting(world: World, seconds: float) -> None:
    starting = asyncio.create_task(world.driver.start())
    await asyncio.sleep(seconds)
    await world.driver.kill()
    if await starting:
        await world.driver.kill()


async def _restarted(world: World) -> None:
    if not await world.driver.start():
        raise RuntimeError(f"the driver does not start: see {world.driver.log}")
    await world.delivered()


async def _judge(world: World, tills: list[Till], outcome: Outcome) -> None:
    if not world.driver.alive:
        await _restarted(world)
    await world.delivered()
    outcome.counts, wrong = judge((sale for till in tills for sale in till.sales), world.terminals, world.odoo)
    outcome.wrong += wrong
    outcome.ready += world.driver.ready
    outcome.worked += world.driver.worked
