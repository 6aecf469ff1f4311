"""The command `dev/bench`: what the driver costs, measured from outside on this machine.

  overhead    the driver's own time in a sale, three durable writes included, beside a bare TCP exchange
  footprint   memory of an idle driver, and how long it takes to start

Both start the real driver (`card-terminal serve`) in a folder of their own. Exit status 1: an aim was missed.
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
    workplace.ensure("driver")
    workplace.enter("driver")

    from benchmarks import footprint, overhead
    from hw_driver.journal.storage import VOLATILE, filesystem_of

    base = parsed.folder or workplace.cache.path("bench")
    base.mkdir(parents=True, exist_ok=True)
    if (kind := filesystem_of(base / "journal")) in VOLATILE:
        raise SetupError(f"{base} lies in memory ({kind}), where a durable write costs nothing: name a disk (--folder)")
    with tempfile.TemporaryDirectory(dir=base) as folder:
        if parsed.what == "overhead":
            return overhead.run(Path(folder), sales=parsed.sales, think=parsed.think)
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
    return parser
