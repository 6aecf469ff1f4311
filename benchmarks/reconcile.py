"""`dev/bench reconcile`: 2,000 payouts of a bank matched with the card payments they pay, and posted.

A shop of ten months is put into a database of its own by SQL: eight contracts, half of which keep their fee, two of
which pay three days at once; amounts come again and again; one payout in twenty is split into two credits, and one is
a pair that nothing tells apart. The bank's file is imported by the addon (once, printed apart; the payments are put
beside its lines afterwards), payouts are looked for with every link stored, compared with the truth, accepted, and
posted in parts of 200 with Odoo's trail of changes. One run is killed in the middle of a part and goes on. Beside it:
Odoo's own methods on a sample, one by one. "Worked" are the seconds of processor time, PostgreSQL's included, and
"queued" those in which a processor was wanted and others had it: on a machine with other work they explain the clock.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from math import log2
from pathlib import Path
from typing import Any

from kit.database import fresh_database, options
from kit.errors import SetupError
from kit.odoo import write_config
from kit.postgres import Postgres
from kit.setup import Workplace

#: Payments -> seconds that looking for payouts may take. The cost may not grow faster than n log n.
AIMS = {10_000: None, 100_000: 2.0, 1_000_000: 30.0}
AIM_POSTED = 30.0
AIM_MEMORY = 512
SAMPLE = 100
#: Parts of a posting run before the one in which it is killed.
KILLED_IN = 3


def run(workplace: Workplace, *, largest: int) -> int:
    """Measure and print; return the exit status."""
    sizes = [size for size in AIMS if size <= largest] or [largest]
    missed: list[str] = []
    seconds: dict[int, float] = {}
    with workplace.postgres() as postgres, fresh_database(workplace, postgres, "bench") as imported:
        step = _Steps(workplace, postgres, imported)
        step("prepare")
        brought = step("import")
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; bank's file of {brought['lines']:,} lines "
              f"imported in {brought['seconds']:.1f} s (worked {brought['processor']:.1f} s, "
              f"queued {brought['queued']:.1f} s)")  # fmt: skip
        print(
            f"{'payments':>10}{'find s':>8}{'worked':>8}{'queued':>8}"
            f"{'links':>11}{'right':>7}{'wrong':>7}{'guessed':>9}{'MiB':>6}"
        )
        for size in sizes:
            with fresh_database(workplace, postgres, "bench", imported) as database:
                step = _Steps(workplace, postgres, database)
                step("seed", str(size))
                found = step("find")
                so = step("truth")
                seconds[size] = found["processor"]
                print(
                    f"{size:>10,}{found['seconds']:>8.2f}{found['processor']:>8.2f}{found['queued']:>8.2f}"
                    f"{so['links']:>11,}{so['right']:>7,}{so['wrong']:>7}{so['guessed']:>9}{found['memory']:>6.0f}",
                    flush=True,
                )
                decidable = so["payouts"] - so["undecidable"]
                aim = AIMS.get(size)
                missed += _unmet(size, {
                    "no payout is wrong or guessed": so["wrong"] == so["guessed"] == 0,
                    "95 of 100 payouts that can be told are found": so["right"] >= decidable * 0.95,
                    f"less than {AIM_MEMORY} MiB": found["memory"] < AIM_MEMORY,
                    f"found in {aim} s": aim is None or found["seconds"] <= aim,
                })  # fmt: skip
                if size == sizes[-1]:
                    missed += _post(step, so, size)
    missed += _unmet(max(seconds), {"no faster than n log n": _grows(seconds)})
    print("\n".join(missed) or "all aims met")
    return 1 if missed else 0


def _unmet(size: int, aims: dict[str, bool]) -> list[str]:
    return [f"missed  {size:,} payments: {aim}" for aim, met in aims.items() if not met]


def _post(step: _Steps, so: dict[str, Any], size: int) -> list[str]:
    """Accept and post everything, killed once; return the aims that were missed."""
    accepted = step("accept")
    beside = step("own", str(SAMPLE))
    print(f"{accepted['accepted']:,} payouts accepted in {accepted['seconds']:.1f} s")
    print(
        f"Odoo's own methods, one by one, {beside['count']} plain payouts: {beside['own'] * 1000:.0f} ms each; "
        f"posted together: {beside['ours'] * 1000:.0f} ms each"
    )
    step("post", str(KILLED_IN), killed=True)
    between = step("state")
    kept = between["states"].get("posted", 0)
    print(f"killed in part {KILLED_IN}: {kept} payouts posted, the rest waits, {between['open']:,} lines open")
    rest = step("post")
    after = step("state")
    each = rest["seconds"] / rest["posted"]
    whole = each * accepted["accepted"]
    print(
        f"gone on: {rest['posted']:,} posted in {rest['seconds']:.1f} s ({each * 1000:.1f} ms each: {whole:.1f} s for "
        f"all; worked {rest['processor'] * 1000 / rest['posted']:.1f} ms each, queued "
        f"{rest['queued'] * 1000 / rest['posted']:.1f}), {rest['memory']:.0f} MiB, "
        f"{after['tracked']:,} changes in the trail, {after['settled']:,} settled"
    )
    return _unmet(size, {
        "a part that was killed is not there, those before it are": kept == (KILLED_IN - 1) * 200,
        "all that was right is posted and settled": after["states"].get("posted") == after["settled"] == so["right"],
        f"posted in {AIM_POSTED:.0f} s": whole <= AIM_POSTED,
        f"posted in less than {AIM_MEMORY} MiB": rest["memory"] < AIM_MEMORY,
    })  # fmt: skip


def _grows(seconds: dict[int, float]) -> bool:
    """Say how the cost grows from the smallest to the largest; return whether no faster than n log n."""
    small, large = min(seconds), max(seconds)
    if small == large:
        return True
    ratio = seconds[large] / seconds[small]
    allowed = large * log2(large) / (small * log2(small))
    print(f"{large // small} times the payments cost {ratio:.1f} times the work; n log n allows {allowed:.0f}")
    return ratio <= allowed


class _Steps:
    """Runs a step of `benchmarks.reconcile_odoo` in a process of its own."""

    def __init__(self, workplace: Workplace, postgres: Postgres, database: str) -> None:
        self._workplace, self._database = workplace, database
        path = workplace.cache.path("config", f"{database}-steps.conf")
        self._config = write_config(path, {**options(workplace, postgres, database), "log_level": "error"})

    def __call__(self, step: str, *words: str, killed: bool = False) -> dict[str, Any]:
        command = [str(self._workplace.python), "-m", "benchmarks.reconcile_odoo", str(self._config), self._database]
        environment = {**self._workplace.environment}
        root = str(Path(__file__).resolve().parent.parent)
        environment["PYTHONPATH"] = f"{environment['PYTHONPATH']}:{root}"
        result = subprocess.run(
            [*command, step, *words], env=environment, capture_output=True, text=True, check=False, cwd=root
        )
        if killed:
            return {}
        if result.returncode:
            sys.stderr.write(result.stderr[-4000:])
            raise SetupError(f"the step “{step}” failed")
        answer: dict[str, Any] = json.loads(result.stdout.strip().splitlines()[-1])
        return answer
