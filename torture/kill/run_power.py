"""`dev/torture --power N`: the power cut after everything that was told, then N times at any moment.

The negative controls run first: with syncs taken away, the same test must report losses.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
from pathlib import Path
from typing import Any

from . import power
from .counting import Counting
from .power import Cuts

SALES = 120
CONTROL_SALES, CONTROL_CUTS = 24, 60
#: What is not synced in a negative control -> what it is for people.
CONTROLS = {
    "all": "synchronous=OFF",
    "requested": "the intent not synced",
    "sent": "'sent' not synced",
    "approved": "the approval not synced",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """This mode has no options of its own but those of --kill."""


def run(parsed: argparse.Namespace, workplace: Any) -> int:
    """Cut, print the counts; 0 when nothing told was lost and every negative control was caught."""
    workplace.ensure("strace")
    os.environ["PATH"] = workplace.path
    with tempfile.TemporaryDirectory(dir=workplace.cache.path("tmp")) as temporary:
        folder = parsed.folder or Path(temporary)
        blind = []
        for word, name in CONTROLS.items():
            control = cut(folder / word, CONTROL_SALES, CONTROL_CUTS, parsed.seed, name, word)
            print(f"negative control, {name}: {control.losses} losses in {control.cuts} cuts", flush=True)
            blind += [] if control.losses else [name]
        cuts = cut(folder / "sound", SALES, parsed.power, parsed.seed, "cuts")
    print("\n".join(report(cuts)))
    for name in blind:
        print(f"  the test does not see it: {name}")
    return 1 if blind or cuts.losses else 0


def cut(folder: Path, sales: int, cuts: int, seed: int, what: str, unsynced: str = "") -> Cuts:
    """Record a shop at work and cut its power."""
    folder.mkdir(parents=True, exist_ok=True)
    records = asyncio.run(power.record(folder, sales=sales, seed=seed, unsynced=unsynced))
    counting = Counting(what)
    outcome = power.cut_everywhere(records, folder / "state", cuts=cuts, seed=seed, tell=counting)
    counting.close()
    return outcome


def report(cuts: Cuts) -> list[str]:
    """Return the counts as lines."""
    told = ", ".join(f"{number} {kind}" for kind, number in sorted(cuts.told.items()))
    return [
        f"{cuts.cuts} power cuts at {cuts.moments} moments, {cuts.syncs} syncs recorded",
        f"told until the end: {told}; looked for after the cuts: {cuts.checks}",
        f"lost: {cuts.losses}",
        *(f"  {sentence}" for sentence in cuts.lost),
    ]
