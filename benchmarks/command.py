"""The command `dev/bench`: what the driver costs, measured from outside on this machine.

  overhead    the driver's own time in a sale, three durable writes included, beside a bare TCP exchange
  footprint   memory of an idle driver, and how long it takes to start
  relay       what the way through Odoo adds to a sale, beside the direct road
  workers     what another user of Odoo notices of 20 tills whose customers are paying through it
  reconcile   payouts of a bank matched with card payments, and posted, beside Odoo's own methods
  codec       how fast messages are built and read, beside pyTeliumManager's

The first four start the real driver (`card-terminal serve`) in a folder of its own; relay and workers a real Odoo as
well. Exit status 1: an aim was missed.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from kit.errors import SetupError
from kit.setup import Workplace


def main(arguments: Sequence[str]) -> int:
    parsed = _parser().parse_args(arguments)
    workplace = Workplace()
    needed = "odoo" if parsed.what in ("relay", "workers", "reconcile") else "driver"
    workplace.ensure(needed, *(("pytelium",) if parsed.what == "codec" else ()))
    workplace.enter(needed)
    if parsed.what == "codec":
        from benchmarks import codec

        return codec.run(workplace.python_of("pytelium"), rounds=parsed.rounds)

    if parsed.what == "reconcile":
        from benchmarks import reconcile

        return reconcile.run(workplace, largest=parsed.payments)

    from benchmarks import footprint, overhead
    from hw_driver.journal.storage import VOLATILE, filesystem_of

    base = parsed.folder or workplace.cache.path("bench")
    base.mkdir(parents=True, exist_ok=True)
    if (kind := filesystem_of(base / "journal")) in VOLATILE:
        raise SetupError(f"{base} lies in memory ({kind}), where a durable write costs nothing: name a disk (--folder)")
    with tempfile.TemporaryDirectory(dir=base) as folder:
        if parsed.what == "overhead":
            return overhead.run(Path(folder), sales=parsed.sales, think=parsed.think)
        if parsed.what == "relay":
            from benchmarks import relay

            return relay.run(workplace, Path(folder), sales=parsed.sales, think=parsed.think, workers=parsed.workers)
        if parsed.what == "workers":
            from benchmarks import workers

            return workers.run(workplace, Path(folder), tills=parsed.tills, think=parsed.think, workers=parsed.workers)
        return footprint.run(Path(folder), starts=parsed.starts)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dev/bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--folder", type=Path, help="where the journal lies meanwhile (default: the cache folder)")
    parts = parser.add_subparsers(dest="what", required=True)
    overhead = parts.add_parser("overhead", parents=[common], help="the driver's own time in a sale")
    overhead.add_argument("--sales", type=int, default=1000, help="how many (default 1000)")
    overhead.add_argument("--think", type=float, default=0.015, help="seconds the terminal takes (default 0.015)")
    footprint = parts.add_parser("footprint", parents=[common], help="memory when idle, time to start")
    footprint.add_argument("--starts", type=int, default=7, help="how many (default 7)")
    relay = parts.add_parser("relay", parents=[common], help="what the way through Odoo adds to a sale")
    relay.add_argument("--sales", type=int, default=200, help="how many by each road (default 200)")
    relay.add_argument("--think", type=float, default=0.1, help="seconds the terminal takes (default 0.1)")
    relay.add_argument("--workers", type=int, default=2, help="Odoo's worker processes; 0: one process (default 2)")
    workers = parts.add_parser("workers", parents=[common], help="another user's page while tills pay through Odoo")
    workers.add_argument("--tills", type=int, default=20, help="how many (default 20)")
    workers.add_argument("--think", type=float, default=8.0, help="seconds each terminal takes (default 8)")
    workers.add_argument("--workers", type=int, default=2, help="Odoo's worker processes (default 2)")
    reconcile = parts.add_parser("reconcile", help="payouts matched with card payments, and posted")
    reconcile.add_argument("--payments", type=int, default=1_000_000, help="at most (default 1000000)")
    codec = parts.add_parser("codec", help="messages built and read in a second")
    codec.add_argument("--rounds", type=int, default=100, help="how many short ones (default 100)")
    return parser
