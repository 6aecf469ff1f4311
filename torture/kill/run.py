"""`dev/torture --kill N`: the driver's process killed at every boundary, then N times at random moments."""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from . import kills
from .counting import Counting
from .kills import Outcome
from .verdict import BROKEN

READY_WITHIN = 1.0
"""Seconds within which a killed driver must listen again."""
STARTS_MEASURED = 20
"""Starts after a kill, alone on the machine, by which that is judged."""
LONG_RUN = 1000
SHOPS = 3
"""Shops tortured side by side: one more than a small machine has cores, for each waits a third of its time."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what this mode understands beside N and the seed."""
    group = parser.add_argument_group("with --kill and --power")
    group.add_argument(
        "--folder", type=Path, help="keep journals, ledgers and logs here, on a real disk (default: a temporary folder)"
    )


def run(parsed: argparse.Namespace, workplace: Any) -> int:
    """Kill, print the counts; 0 when nothing was lost, doubled or late."""
    with tempfile.TemporaryDirectory(dir=workplace.cache.path("tmp")) as temporary:
        began = time.monotonic()
        outcome, alone = asyncio.run(kill(parsed.folder or Path(temporary), parsed.kill, parsed.seed))
        print("\n".join(report(outcome, alone)))
        print(estimate(time.monotonic() - began, outcome.took / SHOPS, parsed.kill))
        return 0 if good(outcome) and max(alone.ready) <= READY_WITHIN else 1


async def kill(folder: Path, number: int, seed: int) -> tuple[Outcome, Outcome]:
    """Kill at every boundary of a sale and of a first start, `number` times at random, then a few times alone."""
    outcome, counting = Outcome(), Counting("kills")
    shares = [number // SHOPS + (shop < number % SHOPS) for shop in range(SHOPS)]
    phases = [
        [
            kills.at_every_boundary(folder / f"{name}-{shop}", counting, first_start=first, step=SHOPS, offset=shop + 1)
            for shop in range(SHOPS)
        ]
        for name, first in (("sale", False), ("first-start", True))
    ]
    phases.append(
        [
            kills.at_random_moments(folder / f"moments-{shop}", counting, kills=share, seed=seed + shop)
            for shop, share in enumerate(shares)
            if share
        ]
    )
    for phase in phases:
        for each in await asyncio.gather(*phase):
            outcome.add(each)
    alone = await kills.at_random_moments(folder / "alone", counting, kills=STARTS_MEASURED, seed=seed, terminals=1)
    counting.close()
    outcome.add(replace(alone, took=0.0))
    return outcome, alone


def estimate(took: float, random_took: float, number: int) -> str:
    """Return how long this took, and how long the long run will: the boundaries' time does not grow with N."""
    long = took - random_took + random_took / number * LONG_RUN
    return f"took {took / 60:.1f} min; --kill {LONG_RUN} takes about {long / 60:.1f} min on this machine as busy as now"


def good(outcome: Outcome) -> bool:
    """Return whether no law was broken."""
    return not outcome.wrong and not any(outcome.counts[name] for name in BROKEN)


def report(outcome: Outcome, alone: Outcome) -> list[str]:
    """Return the counts as lines."""
    counts, ready = outcome.counts, sorted(outcome.ready)
    states = sorted(name for name in counts if name.endswith(" in Odoo") and name != "events in Odoo")
    return [
        f"{outcome.kills} kills (SIGKILL), {len(ready)} starts after them",
        f"{counts['pressed']} payments pressed, {counts['charged']} charged by the terminals",
        "in Odoo: " + ", ".join(f"{counts[name]} {name.removesuffix(' in Odoo')}" for name in states),
        ", ".join(f"{name}: {counts[name]}" for name in BROKEN),
        f"ready again, {SHOPS} shops at once: median {statistics.median(ready):.2f} s, longest {ready[-1]:.2f} s",
        f"ready again, one shop alone: median {statistics.median(alone.ready):.2f} s, longest {max(alone.ready):.2f} s",
        f"of these the processor's: median {statistics.median(alone.worked):.2f} s, longest {max(alone.worked):.2f} s",
        f"within {READY_WITHIN:.0f} s: {'kept' if max(alone.ready) <= READY_WITHIN else 'NOT KEPT'}",
        *(f"  {sentence}" for sentence in outcome.wrong[:20]),
    ]
