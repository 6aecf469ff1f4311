"""`dev/bench workers`: what another user of Odoo notices of tills whose customers are paying through it.

A page of the back office is asked for again and again: with nobody paying, then from the moment all tills press Card at
once until the last has been told that it is paid. Every terminal takes seconds; a payment that held an HTTP worker for
that time would make the page wait for it.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

from benchmarks.overhead import percentile
from benchmarks.processes import noted
from benchmarks.relay_shop import RelayShop, relay_shop
from demokit.bus_till import BusTill
from kit.setup import Workplace

#: Median of the page while tills pay, over the median with nobody paying.
AIM_RATIO = 1.2
PAGE = "/odoo"
#: Seconds between two looks at the page: a user, not a load test.
PAUSE = 0.05
WARM_UP = 20
FIRST = 1_000_000


def run(workplace: Workplace, folder: Path, *, tills: int, think: float, workers: int) -> int:
    """Measure and print; return the exit status."""
    with relay_shop(workplace, folder, workers=workers, tills=tills, think=think) as shop:
        ahead = shop.tills[0].clock()
        bodies = [till.transaction(FIRST + number, ahead) for number, till in enumerate(shop.tills)]
        for _ in range(WARM_UP):
            _page(shop)
        before = _look(shop, lambda started: time.monotonic() - started < think)
        with ThreadPoolExecutor(tills) as pool:
            paying = [pool.submit(_pay, till, body) for till, body in zip(shop.tills, bodies, strict=True)]
            during = _look(shop, lambda started: not all(each.done() for each in paying))
            paid = [each.result() for each in paying]
        after = _look(shop, lambda started: time.monotonic() - started < think)
        charges = [list(noted(port)) for port in shop.ports]
    once = charges == [[body["amount"]] for body in bodies] and all(paid)
    idle = before + after
    print(f"{tills} tills paying through Odoo at terminals that take {think:.0f} s, {workers} workers", end=", ")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"{PAGE}, milliseconds{'pages':>8}{'p50':>8}{'p95':>8}{'max':>8}")
    for name, values in (("nobody pays", idle), ("all pay", during)):
        print(f"{name:<19}{len(values):>8}" + "".join(f"{percentile(values, p):8.1f}" for p in (50, 95, 100)))
    ratio = median(during) / median(idle)
    print(f"all paid exactly once: {'yes' if once else 'NO'}")
    met = ratio <= AIM_RATIO
    print(f"aim: ratio of the medians <= {AIM_RATIO}: {ratio:.2f}, {'met' if met else 'MISSED'}")
    return 0 if met and once else 1


def _pay(till: BusTill, body: dict[str, object]) -> bool:
    number = str(uuid.uuid4())
    till.send("start", number, body)
    return bool(till.end(number)[1]["state"] == "approved")


def _look(shop: RelayShop, goes_on: Callable[[float], bool]) -> list[float]:
    started = time.monotonic()
    seen = []
    while goes_on(started):
        seen.append(_page(shop))
        time.sleep(PAUSE)
    return seen


def _page(shop: RelayShop) -> float:
    """Return the milliseconds that the page took."""
    begun = time.monotonic()
    shop.client.download(PAGE)
    return (time.monotonic() - begun) * 1000
