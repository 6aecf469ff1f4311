"""`torture --kill N` and `torture --power N`: kill the driver, cut its power, and count what was lost or doubled."""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from . import kills
from .kills import Outcome
from .verdict import BROKEN

READY_WITHIN = 1.0
"""Seconds within which a killed driver must listen again."""
SHOPS = 2
"""Shops tortured side by side: one per core of a small machine."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for; 0 when nothing was lost, doubled or late."""
    parser = argparse.ArgumentParser(prog="torture", description=__doc__)
    parser.add_argument("--kill", type=int, metavar="N", help="kills at random moments, after those at every boundary")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="keep everything in this folder (it must be on a real disk)")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="card-terminal-torture-") as temporary:
        folder = asked.folder or Path(temporary)
        good = True
        if asked.kill:
            good &= report(asyncio.run(kill(folder, asked.kill, asked.seed)))
    return 0 if good else 1


async def kill(folder: Path, number: int, seed: int) -> Outcome:
    """Kill at every boundary of a sale and of a first start, then `number` times at random moments."""
    outcome, bar = Outcome(), Counting()
    shares = [number // SHOPS + (shop < number % SHOPS) for shop in range(SHOPS)]
    boundaries = [
        kills.at_every_boundary(
            folder / f"{name}-{shop}", bar, first_start=name == "first-start", step=SHOPS, offset=shop + 1
        )
        for name in ("sale", "first-start")
        for shop in range(SHOPS)
    ]
    moments = [
        kills.at_random_moments(folder / f"moments-{shop}", bar, kills=share, seed=seed + shop)
        for shop, share in enumerate(shares)
        if share
    ]
    for runs in (boundaries[:SHOPS], boundaries[SHOPS:], moments):
        for each in await asyncio.gather(*runs):
            outcome.add(each)
    bar.close()
    return outcome


class Counting:
    """Shows how many kills there have been."""

    def __init__(self) -> None:
        self.kills = 0
        self._began = time.monotonic()

    def __call__(self, place: str) -> None:
        self.kills += 1
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{self.kills} kills, {time.monotonic() - self._began:.0f} s  {place:<40.40}")
            sys.stderr.flush()
        elif self.kills % 100 == 0:
            sys.stderr.write(f"{self.kills} kills, {time.monotonic() - self._began:.0f} s\n")

    def close(self) -> None:
        """End the line."""
        if sys.stderr.isatty():
            sys.stderr.write("\n")


def report(outcome: Outcome) -> bool:
    """Print the counts; return whether all is well."""
    counts, ready = outcome.counts, outcome.ready
    print(f"kills: {outcome.kills}, starts: {len(ready)}")
    print("sales pressed: {}, charged: {}".format(counts["pressed"], counts["charged"]))
    print("in Odoo: " + ", ".join(f"{n} {name[:-8]}" for name, n in sorted(counts.items()) if name.endswith("in Odoo")
                                  and name != "events in Odoo"))  # fmt: skip
    print(", ".join(f"{name}: {counts[name]}" for name in BROKEN))
    late = sum(seconds > READY_WITHIN for seconds in ready)
    print(f"ready again: median {statistics.median(ready):.2f} s, longest {max(ready):.2f} s, {late} over {READY_WITHIN} s")
    for sentence in outcome.wrong[:20]:
        print(f"  {sentence}")
    return not outcome.wrong and not late
