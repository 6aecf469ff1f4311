"""The option `--sales N`: histories over the cores, counted and compared. The same seed gives the same histories."""

from __future__ import annotations

import argparse
import contextlib
import gc
import itertools
import logging
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..report import Report

#: Histories that a process plays before it tells how far it is.
PORTION = 32
#: Days played first and thrown away: what Python has learnt of the code in them, its children know.
WARMING = 2
#: Findings that are printed, the rest is counted; and days of theirs that can be played again.
SHOWN, REPLAYS = 20, 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "simulation (--sales)",
        "The same seed gives the same days, on any machine and with any number of processes. A day is some 105 sales.",
    )
    group.add_argument("--seed", type=int, default=1, help="what all chance is drawn from (default 1)")
    group.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: one per core)")
    group.add_argument("--only", type=int, metavar="DAY", help="play this day alone and print what happened in it")
    group.add_argument("--break", dest="broken", metavar="LAW", help="break a law of money on purpose: it must be seen")


def run(parsed: argparse.Namespace, workplace: Any) -> int:
    """Play, print the counts; 1 when a promise is broken."""
    from kit.progress import Progress

    if parsed.only is not None:
        return _replay(parsed.seed, parsed.only, parsed.broken)
    began, cpu = time.monotonic(), _cpu()
    report = None
    try:
        with Progress(f"{parsed.sales} sales, seed {parsed.seed}") as progress:
            for report in so_far(parsed.seed, parsed.sales, parsed.jobs, parsed.broken):
                share = min(1.0, report.total("sales") / parsed.sales)
                left = round((time.monotonic() - began) * (1 - share) / share) if share else 0
                told = f"{report.total('sales')} sales, {report.found('lost')} lost, {report.found('doubled')} doubled"
                progress.update(share, f"{told}, {left // 60}:{left % 60:02} left")
    finally:  # stopped half-way, what was found until then is told
        if report is not None:
            print(_table(report))
            print(_speed(report.total("sales"), time.monotonic() - began, _cpu() - cpu, parsed.jobs))
            _explain(report, parsed)
            sys.stdout.flush()
    assert report is not None
    return int(report.failed)


def _speed(sales: int, seconds: float, cpu: float, jobs: int) -> str:
    each = f"{sales / seconds:.0f} sales a second, {sales / cpu:.0f} per second of a core"
    return f"{seconds:.0f} s, {cpu:.0f} s of processor time, {jobs} processes: {each}"


def _explain(report: Report, parsed: argparse.Namespace) -> None:
    """Print what broke a promise, and how to play that day again."""
    wrong = report.findings or (report.persons if report.too_many_persons else [])
    for finding in wrong[:SHOWN]:
        print(finding)
    if len(wrong) > SHOWN:
        print(f"… and {len(wrong) - SHOWN} more")
    more = f" --break {parsed.broken}" if parsed.broken else ""
    for number in list(dict.fromkeys(finding.history for finding in wrong))[:REPLAYS]:
        print(f"Play that day again: ./dev/torture --sales 1 --seed {parsed.seed} --only {number}{more}")
    if not report.failed:
        print("Every promise kept: nothing lost, doubled or invented, no possible approval missed, few left to people.")


def torture(seed: int, days: int, broken: str | None = None) -> Report:
    """Play the first days in this process and return what was found."""
    gc.disable()
    try:
        return _play((seed, 0, days, broken))
    finally:
        gc.enable()


def so_far(seed: int, sales: int, jobs: int, broken: str | None) -> Iterator[Report]:
    """Play days until there are so many sales; yield what was found up to then, again and again."""
    from ..report import Report

    report = Report()
    portions = ((seed, start, start + PORTION, broken) for start in itertools.count(0, PORTION))
    with contextlib.closing(_played(portions, jobs)) as parts:
        while report.total("sales") < sales:
            report.add(next(parts))
            yield report


def _played(portions: Iterator[Any], jobs: int) -> Iterator[Report]:
    """Yield the reports of portions in their order, so that the same days are counted whoever is faster."""
    if jobs == 1:
        yield from map(_play, portions)
        return
    _play((0, 0, WARMING, None))
    # A child plays one portion, and what it leaves goes with it: nothing need be collected.
    with multiprocessing.get_context("fork").Pool(jobs, _child, maxtasksperchild=1) as pool:
        ahead = deque(pool.apply_async(_play, (next(portions),)) for _ in range(2 * jobs))
        while True:
            yield ahead.popleft().get()
            ahead.append(pool.apply_async(_play, (next(portions),)))


def _child() -> None:
    gc.disable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent says what was found until then


def _play(portion: tuple[int, int, int, str | None]) -> Report:
    """Play some histories, in this process."""
    from ..checker import check
    from ..report import Report
    from . import breaks
    from .shop import play

    seed, start, end, broken = portion
    report = Report()
    with _quiet(), _folder() as folder, breaks.broken(broken):
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
    "told late, can tell": "  unknown, then told by the terminal",
    "persons, can tell": "  ended with a person",
    "cannot tell": "where it cannot",
    "told late, cannot tell": "  unknown, then told by the terminal",
    "persons, cannot tell": "  ended with a person",
    "typed on the terminal": "typed on the terminal itself",
    "never arrived": "asked, and no journal knows",
    "undetectably corrupted": "undetectably corrupted",
    "consequences of undetectable corruption": "  what came of it",
}
