"""`dev/torture --fuzz SECONDS`: fuzz every target for its share of so many seconds."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import Any

from .guided import Fuzzed, fuzz
from .targets import targets


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare nothing: --seed is the command's."""


def run(parsed: argparse.Namespace, workplace: Any) -> int:
    """Fuzz, print the counts; 1 where something undeclared was raised."""
    every = list(targets())
    found = [fuzz(target, parsed.seed, seconds=parsed.fuzz / len(every)) for target in every]
    print("\n".join(report(found)))
    return 1 if any(each.escaped for each in found) else 0


def report(found: Iterable[Fuzzed]) -> list[str]:
    """Return a line for each target, and the sum."""
    found = list(found)
    lines = [
        f"{each.name:<24} {each.executions:>9,} executions {each.refused:>9,} refused {each.edges:>5,} branches "
        f"{each.corpus:>4} kept"
        + (f"  ESCAPED {each.escaped[1]!r} from {each.escaped[0].hex()}" if each.escaped else "")
        for each in found
    ]
    return [*lines, f"{sum(each.executions for each in found):,} executions"]
