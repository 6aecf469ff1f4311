"""A small coverage-guided fuzzer: inputs that reach a new branch of the product are kept and changed further.

Coverage is traced line by line (`sys.settrace`, which every supported Python has): the pairs of lines that followed one
another, as in AFL's edges. No package for this installs from a wheel on all of Python 3.11 to 3.13.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

PRODUCT = str(Path(__file__).parents[2] / "hw_driver")
LONGEST = 4096

Edge = tuple[CodeType, int, int]


class Edges:
    """Collects the branches of the product that calls take."""

    def __init__(self) -> None:
        self.seen: set[Edge] = set()

    def of(self, call: Callable[[bytes], object], data: bytes) -> set[Edge]:
        """Call, and return the edges that were taken; what the call raises passes through."""
        taken: set[Edge] = set()
        before = sys.gettrace()
        sys.settrace(_tracer(taken))
        try:
            call(data)
        finally:
            sys.settrace(before)
            new = taken - self.seen
            self.seen |= new
        return new


def _tracer(taken: set[Edge]) -> Any:
    def enter(frame: FrameType, event: str, argument: object) -> Any:
        code = frame.f_code
        if not code.co_filename.startswith(PRODUCT):
            return None
        last = 0

        def line(frame: FrameType, event: str, argument: object) -> Any:
            nonlocal last
            if event == "line":
                taken.add((code, last, frame.f_lineno))
                last = frame.f_lineno
            return line

        return line

    return enter


@dataclass
class Fuzzed:
    """What came of fuzzing one target. `escaped` is the first input that raised something undeclared."""

    name: str
    executions: int = 0
    refused: int = 0
    edges: int = 0
    corpus: int = 0
    escaped: tuple[bytes, BaseException] | None = None


@dataclass
class Target:
    """Something that reads input: `declared` are the errors it may raise, `seeds` good inputs to begin with."""

    name: str
    call: Callable[[bytes], object]
    declared: tuple[type[BaseException], ...]
    seeds: Sequence[bytes] = field(default_factory=tuple)


def fuzz(target: Target, seed: int, *, executions: int = 0, seconds: float = 0.0) -> Fuzzed:
    """Fuzz until so many executions or seconds have passed, or something undeclared was raised."""
    rng, edges, told = random.Random(f"{seed} {target.name}"), Edges(), Fuzzed(target.name)
    corpus = list(target.seeds) or [b""]
    waiting = list(corpus)
    deadline = time.monotonic() + seconds if seconds else float("inf")
    while (waiting or not executions or told.executions < executions) and time.monotonic() < deadline:
        data = waiting.pop() if waiting else mutated(rng, corpus)
        before = len(edges.seen)
        told.executions += 1
        try:
            edges.of(target.call, data)
        except target.declared:
            told.refused += 1
        except Exception as error:  # noqa: BLE001 - this is what is looked for
            told.escaped = data, error
            break
        if len(edges.seen) > before and data not in corpus:
            corpus.append(data)
    told.edges, told.corpus = len(edges.seen), len(corpus)
    return told


INTERESTING = (
    b"\0", b"\xff", b"\x02", b"\x03", b"\x04", b"\x05", b"\x06", b"\x15", b"000", b"999", b"-1", b"1e9", b"NaN", b"{}",
    b"[]", b"null", b"true", b'"', b"\\u0000", b"\\ud800", b"=", b".", b"4970101122334452", "é".encode(), b"A" * 300,
)  # fmt: skip


def mutated(rng: random.Random, corpus: Sequence[bytes]) -> bytes:
    """Return one of the corpus, changed in one to four places."""
    data = bytearray(rng.choice(corpus))
    for _ in range(rng.randint(1, 4)):
        rng.choice(MUTATIONS)(rng, data, corpus)
    return bytes(data[:LONGEST])


def _place(rng: random.Random, data: bytearray) -> int:
    return rng.randint(0, len(data))


def _flip(rng: random.Random, data: bytearray, corpus: Sequence[bytes]) -> None:
    if data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _digit(rng: random.Random, data: bytearray, corpus: Sequence[bytes]) -> None:
    """Lengths, amounts and codes are digits."""
    places = [place for place, byte in enumerate(data) if 0x30 <= byte <= 0x39]
    if places:
        data[rng.choice(places)] = rng.randint(0x30, 0x39)


def _cut(rng: random.Random, data: bytearray, corpus: Sequence[bytes]) -> None:
    start = _place(rng, data)
    del data[start : start + rng.randint(1, 16)]


def _end(rng: random.Random, data: bytearray, corpus: Sequence[bytes]) -> None:
    del data[_place(rng, data) :]


def _insert(rng: random.Random, data: bytearray, corpus: Sequence[bytes]) -> None:
    data[(place := _place(rng, data)) : place] = rng.choice([*INTERESTING, rng.randbytes(rng.randint(1, 8))])


def _repeat(rng: random.Random, data: bytearray, corpus: Sequence[bytes]) -> None:
    start = _place(rng, data)
    data[start:start] = data[start : start + rng.randint(1, 64)]


def _splice(rng: random.Random, data: bytearray, corpus: Sequence[bytes]) -> None:
    other = rng.choice(corpus)
    start = rng.randint(0, len(other))
    data[(place := _place(rng, data)) : place] = other[start : start + rng.randint(1, 64)]


MUTATIONS = (_flip, _digit, _cut, _end, _insert, _repeat, _splice)
