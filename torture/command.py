"""The command `dev/torture`: does anything lose a payment, or take it twice?

  --sales N    a seeded simulation in virtual time: the driver's real code, virtual terminals, a network that breaks,
               restarts of every part, and people who press everything
  --kill N     the real driver process, killed at every boundary of disk and wire, then N times at random moments
  --fuzz N     every parser, guided by coverage, for N seconds: only declared errors
  --power N    its recorded writes, cut after everything it told anybody, then N times at any moment

Exit status 1: something was lost or doubled, or too much ended with a person.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kit.setup import Workplace


@dataclass(frozen=True)
class Mode:
    """A way to torture: chosen by its option, which takes a count.

    `module` has `add_arguments(parser)` for options of its own, and `run(parsed, workplace) -> exit status`; it is
    imported only when the driver's environment is there (`add_arguments` must do without).
    """

    option: str
    module: str
    text: str


MODES = (
    Mode("--sales", "torture.simulation.run", "simulate so many sales"),
    Mode("--kill", "torture.kill.run", "kill the real driver at every boundary, then N times at random moments"),
    Mode("--fuzz", "torture.fuzz.run", "fuzz every parser, guided by coverage, for so many seconds"),
    Mode("--power", "torture.kill.run_power", "cut its power after all it told anybody, then N times at any moment"),
)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="dev/torture", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    which = parser.add_mutually_exclusive_group(required=True)
    modules: dict[str, Any] = {}
    for mode in MODES:
        which.add_argument(mode.option, type=_count, metavar="N", help=mode.text)
    workplace = Workplace()
    workplace.ensure("driver")
    workplace.enter("driver")
    for mode in MODES:
        modules[mode.option] = importlib.import_module(mode.module)
        modules[mode.option].add_arguments(parser)
    parsed = parser.parse_args(arguments)
    chosen = next(mode for mode in MODES if getattr(parsed, _name(mode.option)) is not None)
    return int(modules[chosen.option].run(parsed, workplace))


def _name(option: str) -> str:
    return option.removeprefix("--").replace("-", "_")


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError("a count is 1 or more")
    return count
