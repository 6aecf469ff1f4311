"""`dev/bench codec`: how fast messages are built and read, with all that is checked about them.

Every protocol of the registry, on all its published messages (tests/driver/vectors): `encode` builds the bytes from
named fields, `decode` finds the fields in the bytes, checks frame, lengths, characters and values, and masks card
numbers. Beside them, in the same run and in turns, pyTeliumManager builds and reads those messages of CONCERT V2 that
it knows, in a process of its own. Counted is CPU time in short rounds, of which the fastest tenth is told: what else
the machine does meanwhile hardly counts.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from typing import Any

from hw_driver.protocols.info import ProtocolInfo
from hw_driver.protocols.machine import MalformedMessage
from hw_driver.protocols.registry import PROTOCOLS

VECTORS = Path(__file__).parents[1] / "tests" / "driver" / "vectors"
PEER = Path(__file__).with_name("codec_peer.py")
PEER_SPEAKS = "concert-v2"
ROUND = 0.004  # seconds, for one work
#: What the project wants of itself: encoding beside pyTeliumManager's, and decoded messages a second.
AIM_RATIO = 1.0
ZVT_RESULT = "zvt, a full 04 0F"
AIM_DECODED = {"concert-v2": 150_000, "concert-v3": 150_000, "concert-v3-serial": 150_000, ZVT_RESULT: 70_000}

Work = tuple[Callable[[Any], Any], Sequence[Any]]


def run(peer_python: Path, *, rounds: int) -> int:
    """Measure and print; 1 where an aim was missed."""
    works: dict[tuple[str, str], Work] = {}
    for info in PROTOCOLS.values():
        messages = published(info)
        works[info.name, "decode"] = (info.decode, list(messages))
        works[info.name, "encode"] = (info.encode, list(messages.values()))
    result = next(each for each in published(PROTOCOLS["zvt"]) if each[:2] == b"\x04\x0f" and len(each) > 100)
    works[ZVT_RESULT, "decode"] = (PROTOCOLS["zvt"].decode, [result])
    works[ZVT_RESULT, "encode"] = (PROTOCOLS["zvt"].encode, [PROTOCOLS["zvt"].decode(result)])
    v2 = published(PROTOCOLS[PEER_SPEAKS])
    frames = list(v2)
    with peer(peer_python, frames) as (known, ask):
        requests, answers = ([frames[place] for place in known[kind]] for kind in ("requests", "answers"))
        info = PROTOCOLS[PEER_SPEAKS]
        works["", "encode"] = (info.encode, [v2[frame] for frame in requests])
        works["", "decode requests"] = (info.decode, requests)
        works["", "decode answers"] = (info.decode, answers)
        ours: dict[tuple[str, str], list[float]] = defaultdict(list)
        others: dict[str, list[float]] = defaultdict(list)
        for _ in range(rounds):
            for key, (work, items) in works.items():
                ours[key].append(seconds(work, items))
            for name, value in ask(str(ROUND)).items():
                others[name].append(value)
    rates = {key: 1 / usual(values) for key, values in ours.items()}
    theirs = {name: 1 / usual(values) for name, values in others.items()}
    print(f"{'protocol':<20}{'messages':>9}{'encoded/s':>12}{'decoded/s':>12}")
    for name in (*PROTOCOLS, ZVT_RESULT):
        count = len(works[name, "decode"][1])
        print(f"{name:<20}{count:>9}{rates[name, 'encode']:>12,.0f}{rates[name, 'decode']:>12,.0f}")
    print(f"\n{'CONCERT V2 beside pyTeliumManager':<36}{'messages':>9}{'ours/s':>12}{'theirs/s':>12}{'ratio':>8}")
    for name, their_rate in theirs.items():
        rate = rates["", name]
        count = len(works["", name][1])
        print(f"  {name:<34}{count:>9}{rate:>12,.0f}{their_rate:>12,.0f}{rate / their_rate:>8.2f}")
    return judge(rates["", "encode"] / theirs["encode"], {name: rates[name, "decode"] for name in AIM_DECODED})


def judge(ratio: float, decoded: dict[str, float]) -> int:
    """Say which aims were missed; 1 where one was."""
    missed = []
    if ratio < AIM_RATIO:
        missed.append(f"CONCERT V2 is encoded {ratio:.2f} times as fast as by pyTeliumManager, not {AIM_RATIO:.2f}")
    missed += [
        f"{name}: {decoded[name]:,.0f} messages a second are decoded, not {aim:,}"
        for name, aim in AIM_DECODED.items()
        if decoded[name] < aim
    ]
    print("\n" + "\n".join(f"missed  {line}" for line in missed) if missed else "\nall aims met")
    return 1 if missed else 0


def published(info: ProtocolInfo) -> dict[bytes, dict[str, Any]]:
    """Return the well-formed published messages of a protocol that are more than one byte, each with its fields."""
    file = VECTORS / f"{info.name.split('-', maxsplit=1)[0]}.json"
    found = {}
    for vector in json.loads(file.read_text(encoding="utf-8")):
        frame = bytes.fromhex(vector["hex"])
        try:
            message = info.decode(frame)
            info.encode(message)
        except MalformedMessage:
            continue
        if len(frame) > 1:
            found[frame] = message
    return found


def seconds(work: Callable[[Any], Any], items: Sequence[Any]) -> float:
    """Return the CPU seconds for one item, from a round of passes over all."""
    began, passes = time.process_time(), 0
    while time.process_time() - began < ROUND:
        for _ in range(5):
            for item in items:
                work(item)
        passes += 5
    return (time.process_time() - began) / passes / len(items)


def usual(values: list[float]) -> float:
    """Return the bound of the fastest tenth."""
    return quantiles(values, n=10)[0]


@contextmanager
def peer(python: Path, frames: Sequence[bytes]) -> Iterator[tuple[dict[str, list[int]], Callable[[str], Any]]]:
    """Run pyTeliumManager; give which frames it knows, and what asks for one more round."""
    with subprocess.Popen([python, PEER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        stdin, stdout = process.stdin, process.stdout

        def ask(line: str = "") -> Any:
            stdin.write(line + "\n")
            stdin.flush()
            return json.loads(stdout.readline())

        yield ask(json.dumps([frame.hex() for frame in frames])), ask
        stdin.close()
