"""The option `--sales N`: histories over the cores, counted and compared. The same seed gives the same histories."""

from __future__ import annotations

import argparse
import contextlib
import gc
import logging
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kit.progress import Progress

    from ..report import Report

#: Histories that a process plays before it tells how far it is.
PORTION = 25
#: Findings that are printed; the rest is counted.
SHOWN = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("simulation (--sales)")
    group.add_argument("--seed", type=int, default=1, help="what all chance is drawn from (default 1)")
    group.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: one per core)")
    group.add_argument("--only", type=int, metavar="K", help="play history K alone and print what happened in it")
    group.add_argument("--break", dest="broken", metavar="LAW", help="break a law of money on purpose: it must be seen")


def run(parsed: argparse.Namespace, workplace: Any) -> int:
    """Play, print the counts; 1 when a promise is broken."""
    from kit.progress import Progress

    from .shop import SALES

    if parsed.only is not None:
        return _replay(parsed.seed, parsed.only, parsed.broken)
    histories = -(-parsed.sales // SALES)
    began, cpu = time.monotonic(), _cpu()
    with Progress(f"{parsed.sales} sales, seed {parsed.seed}") as progress:
        report = torture(parsed.seed, histories, parsed.jobs, parsed.broken, progress)
    print(_table(report))
    print(f"{time.monotonic() - began:.0f} s, {_cpu() - cpu:.0f} s of processor time, {parsed.jobs} processes")
    for finding in report.findings[:SHOWN]:
        print(finding)
    if report.findings:
        number = report.findings[0].history
        print(f"Read one: dev/torture --sales 1 --seed {parsed.seed} --only {number}")
    return int(report.failed)


def torture(
    seed: int, histories: int, jobs: int = 1, broken: str | None = None, progress: Progress | None = None
) -> Report:
    """Play histories 0 to `histories` and return what was found."""
    from ..report import Report

    report = Report()
    portions = [(seed, start, min(start + PORTION, histories), broken) for start in range(0, histories, PORTION)]
    for done, part in enumerate(_played(portions, jobs), 1):
        report.add(part)
        if progress is not None:
            told = f"{report.total('sales')} sales, {report.found('lost')} lost, {report.found('doubled')} doubled"
            progress.update(done / len(portions), told)
    return report


def _played(portions: list[Any], jobs: int) -> Iterator[Report]:
    if jobs == 1:
        yield from map(_play, portions)
        return
    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        yield from pool.imap_unordered(_play, portions)


def _play(portion: tuple[int, int, int, str | None]) -> Report:
    """Play some histories, in this process."""
    from ..checker import check
    from ..report import Report
    from . import breaks
    from .shop import play

    seed, start, end, broken = portion
    report = Report()
    with _quiet(), _folder() as folder, breaks.broken(broken), _no_collector():
        for number in range(start, end):
            history, disk = play(seed, number, Path(folder))
            report.add(check(history))
            disk.close()
    return report


def _replay(seed: int, number: int, broken: str | None) -> int:
    from ..checker import check
    from . import breaks
    from .shop import play

    with _quiet(), _folder() as folder, breaks.broken(broken):
        history, disk = play(seed, number, Path(folder), story=True)
        report = check(history)
    wanted = {finding.uuid for finding in report.findings}
    for at, uuid, text in history.notes.story or ():
        mark = "!" if uuid in wanted else " "
        sys.stdout.write(f"{mark} {at:10.3f} {uuid[:8]:8} {text}\n")
    sys.stdout.write(_table(report) + "\n")
    for finding in report.findings:
        sys.stdout.write(f"{finding}\n")
    disk.close()
    return int(report.failed)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The driver has much to say about such a day."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


@contextlib.contextmanager
def _no_collector() -> Iterator[None]:
    """Histories are short, and what they leave is collected once at the end."""
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.collect()
        gc.unfreeze()


def _folder() -> tempfile.TemporaryDirectory[str]:
    memory = Path("/dev/shm")  # noqa: S108 - only the reserve lies there, journals are in memory
    return tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None)


def _cpu() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _table(report: Report) -> str:
    """Return the counts: a column for each kind of terminal, and one for all."""
    stands = sorted(stand for stand in report.counts if stand)
    others = sorted({finding.what for finding in report.findings}.difference(COUNTED))
    lines = [("", *stands, "all")]
    lines += [
        (title, *(report.counts[one][name] for one in stands), report.total(name)) for name, title in ROWS.items()
    ]
    lines += [(what, *(report.found(what, one) for one in stands), report.found(what)) for what in (*COUNTED, *others)]
    first, *wide = (max(len(str(word)) for word in column) for column in zip(*lines, strict=True))
    return "\n".join(
        f"{title:{first}}" + "".join(f"  {word:>{width}}" for word, width in zip(words, wide, strict=True))
        for title, *words in lines
    )


#: Findings that have a row even where there are none.
COUNTED = ("lost", "doubled", "invented")

ROWS: dict[str, str] = {
    "sales": "sales",
    "refunds": "refunds",
    "reversals": "reversals",
    "struck": "struck by a fault",
    "charged": "charged by terminals",
    "approved": "approved",
    "declined": "declined",
    "cancelled": "cancelled",
    "failed": "failed (nothing charged)",
    "unknown": "unknown at the end",
    "settled_by_hand": "settled by hand",
    "possible": "approvals that faults left possible",
    "got": "  of these approved",
    "can tell": "where the terminal can tell its last result",
    "persons, can tell": "  ended with a person",
    "cannot tell": "where it cannot",
    "persons, cannot tell": "  ended with a person",
    "typed on the terminal": "typed on the terminal itself",
    "never arrived": "asked, and no journal knows",
    "undetectably corrupted": "undetectably corrupted",
    "consequences of undetectable corruption": "  what came of it",
}
