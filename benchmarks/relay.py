"""`dev/bench relay`: what the way through Odoo adds to a sale.

In turn, on the same terminal and in the same run: a sale over the direct road (HTTP to the driver) and one over the
relay (one call to Odoo, Odoo's bus to the driver, a post back, Odoo's bus to the till). Counted is the time from the
press until the till knows "approved", which the terminal's own time is part of; the difference is what the relay adds.
As in the till, a sale over the relay is one command: the driver's clock is known from its last word. A sale begins when
Odoo has taken in the one before, as at a till, where customers follow each other by more than that.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from datetime import timedelta
from pathlib import Path
from statistics import median

from benchmarks.overhead import Till, percentile
from benchmarks.processes import DriverProcess, noted
from benchmarks.relay_shop import RelayShop, relay_shop
from kit.setup import Workplace

#: Milliseconds: what the project wants of itself.
AIM_P50 = 20.0
WARM_UP = 10
PATIENCE = 60.0
FIRST_DIRECT, FIRST_RELAYED = 1_000_000, 5_000_000


def run(workplace: Workplace, folder: Path, *, sales: int, think: float, workers: int) -> int:
    """Measure and print; return the exit status."""
    with relay_shop(workplace, folder, workers=workers, tills=1, think=think) as shop:
        near = Till(DriverProcess(0, shop.driver_port, 0, shop.grant))
        ahead = shop.tills[0].clock()
        pairs = []
        for number in range(-WARM_UP, sales):
            _rest(near)
            asked, answered = _direct(near, shop, FIRST_DIRECT + number, ahead)
            _rest(near)
            begun, told = _relayed(shop, FIRST_RELAYED + number, ahead)
            if number >= 0:
                pairs.append(((answered - asked) * 1000, (told - begun) * 1000))
        charged = len(noted(shop.ports[0]))
    if charged != 2 * (sales + WARM_UP):
        raise SystemExit(f"{2 * (sales + WARM_UP)} sales were made, the terminal noted {charged}")
    added = [relayed - direct for direct, relayed in pairs]
    how = f"{workers} workers behind a proxy" if workers else "one process"
    print(f"{sales} sales by each road, a terminal that takes {think * 1000:.0f} ms, Odoo in {how}", end=", ")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"{'milliseconds':<16}{'p50':>8}{'p95':>8}{'max':>8}")
    for name, values in (
        ("direct", [pair[0] for pair in pairs]),
        ("relayed", [pair[1] for pair in pairs]),
        ("added", added),
    ):
        print(f"{name:<16}" + "".join(f"{percentile(values, p):8.1f}" for p in (50, 95, 100)))
    met = median(added) <= AIM_P50
    print(f"aim: added p50 <= {AIM_P50:.0f} ms: {'met' if met else 'MISSED'}")
    return 0 if met else 1


def _rest(near: Till) -> None:
    """Wait until Odoo has every event of the driver's journal."""
    deadline = time.monotonic() + PATIENCE
    while (said := near.call("GET", "/v1/health"))["odoo"]["acked"] != said["last"]:
        if time.monotonic() > deadline:
            raise SystemExit(f"Odoo does not take the driver's events: {said['odoo']}")
        time.sleep(0.02)


def _direct(near: Till, shop: RelayShop, amount: int, ahead: timedelta) -> tuple[float, float]:
    path = f"/v1/transactions/{uuid.uuid4()}"
    body = json.dumps(shop.tills[0].transaction(amount, ahead)).encode()
    asked = time.monotonic()
    told = near.call("PUT", path, body)
    while told["state"] in ("requested", "sent"):
        told = near.call("GET", f"{path}?after={told['rev']}&wait=25")
    answered = time.monotonic()
    _approved(told, amount)
    return asked, answered


def _relayed(shop: RelayShop, amount: int, ahead: timedelta) -> tuple[float, float]:
    till, number = shop.tills[0], str(uuid.uuid4())
    body = till.transaction(amount, ahead)
    begun = time.monotonic()
    till.send("start", number, body)
    told, end = till.end(number)
    _approved(end, amount)
    return begun, told


def _approved(told: dict[str, object], amount: int) -> None:
    if (told["state"], told["amount_approved"]) != ("approved", amount):
        raise SystemExit(f"a sale was not approved: {told}")
