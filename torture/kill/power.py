"""Power cuts: a driver's writes are recorded in a shop at work, and its disk rebuilt as a cut at any moment leaves it.

The rebuilt journal is opened by the driver's own code. Whatever the driver had told anybody by then must be in it.
"""

from __future__ import annotations

import asyncio
import random
import re
import shutil
import socket
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hw_driver.journal import Journal

from .disk import Choose, Disk, everything, nothing, some
from .tills import Amounts, Till
from .told import Ears, Fact, missing
from .trace import Call, calls, command, complete
from .world import open_world

JOURNAL = "journal.sqlite"
#: Kept free for results: what is in it does not matter, and it is large.
RESERVE = ".reserve"
MEMORY = Path("/dev/shm")  # noqa: S108 - rebuilt disks are looked at once and thrown away


@dataclass
class Cuts:
    """What a run of power cuts came to.

    `told` counts the facts told until the end by kind, `checks` the facts looked for after all cuts, `losses` those
    that were missing; `lost` names the first of them with their cuts.
    """

    cuts: int = 0
    moments: int = 0
    syncs: int = 0
    checks: int = 0
    losses: int = 0
    told: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)


async def record(folder: Path, *, sales: int, seed: int, unsynced: str = "") -> list[Path]:
    """Run a driver under strace: first start, sales on two terminals and one that does not answer, stop, start again.

    Returns strace's records. `unsynced` is the negative control of inside/sitecustomize.py.
    """
    records = [folder / "first.strace", folder / "second.strace"]
    environment = {"TORTURE_UNSYNCED": unsynced} if unsynced else {}
    with deaf_terminal() as port:
        more = [("deaf", port, {"connect_timeout": 0.3})]
        async with open_world(folder, terminals=2, delay=0.0, more=more) as world:
            amounts = Amounts()
            tills = [
                Till(world, terminal, amounts, random.Random(seed), calm=terminal.id == "deaf")
                for terminal in world.terminals
            ]
            for number, each in enumerate(records):
                world.driver.wrapper = command(each)
                await world.driver.start(environment)
                await world.delivered()
                shares = {till: max(1, sales // len(records) // (20 if till.calm else 2)) for till in tills}
                await asyncio.gather(*(_sell(till, share) for till, share in shares.items()))
                await world.delivered()
                await (world.driver.stop() if number == 0 else world.driver.kill())
                while not complete(each):  # noqa: ASYNC110 - strace writes on for a moment
                    await asyncio.sleep(0.01)
    return records


async def _sell(till: Till, sales: int) -> None:
    for _ in range(sales):
        await till.sell()
    await till.settle_doubt()


@contextmanager
def deaf_terminal() -> Iterator[int]:
    """A terminal that takes no more connections and refuses none: what is told while a driver tries can be seen."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        fillers = []
        for _ in range(3):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(server.getsockname())
            fillers.append(filler)
        yield server.getsockname()[1]
        for filler in fillers:
            filler.close()


def cut_everywhere(records: list[Path], state: Path, *, cuts: int, seed: int, tell: Callable[[str], None]) -> Cuts:
    """Cut after each call that told something, nothing unsynced kept; and `cuts` times anywhere, some of it kept."""
    chance = random.Random(seed)
    moments = sum(1 for _ in _moments(records, state))
    wanted = Counter(chance.randrange(moments) for _ in range(cuts))
    outcome = Cuts(moments=moments)
    for number, (disk, facts, told) in enumerate(_moments(records, state)):
        ways: list[tuple[str, Choose]] = [("nothing unsynced kept", nothing)] if told else []
        choices: list[tuple[str, Choose]] = [("some kept", some(chance)), ("all kept", everything)]
        ways += chance.choices(choices, weights=[3, 1], k=wanted[number])
        for name, choose in ways:
            _check(disk, facts, choose, f"call {number}, {name}", outcome)
            tell(name)
        outcome.told, outcome.syncs = Counter(fact.kind for fact in facts), disk.syncs
    return outcome


def _moments(records: list[Path], state: Path) -> Iterator[tuple[Disk, list[Fact], bool]]:
    """Yield after each call that matters: the disk, everything told so far, and whether this call told something."""
    disk, facts = Disk(state), []
    for record in records:
        offsets: dict[int, int] = {}
        ears = Ears()
        for call in calls(record):
            if call.path.startswith("socket:") and call.texts:
                data = b"".join(call.texts)[: call.result]
                heard = ears.hear(call.fd, data)
                facts += heard
                yield disk, facts, bool(heard)
            elif call.name == "close":
                ears.close(call.fd)
                offsets.pop(call.fd, None)
            elif _to_disk(disk, call, offsets):
                yield disk, facts, False


def _to_disk(disk: Disk, call: Call, offsets: dict[int, int]) -> bool:
    """Carry out a call on the disk; return whether it was one for it."""
    paths = [text.decode(errors="replace") for text in call.texts] if call.name.startswith(("rename", "unlink")) else []
    where = paths[-1] if paths else call.path
    if where.endswith(RESERVE) or not (disk.holds(where) or where == disk.folder):
        return False
    match call.name:
        case "open" | "openat" | "creat":
            if where == disk.folder or not {"O_CREAT", "O_TRUNC"} & set(re.findall(r"O_\w+", call.flags)):
                return False
            disk.open(where, truncate="O_TRUNC" in call.flags)
            offsets[call.fd] = 0
        case "pwrite64":
            disk.write(where, call.numbers[-1], call.texts[0][: call.result])
        case "write" | "writev":
            data = b"".join(call.texts)[: call.result]
            disk.write(where, offsets[call.fd], data)
            offsets[call.fd] += len(data)
        case "ftruncate":
            disk.truncate(where, call.numbers[-1])
        case "fsync" | "fdatasync":
            disk.sync(where)
        case "unlink" | "unlinkat":
            disk.unlink(where)
        case _:
            disk.rename(paths[0], paths[1])
    return True


def _check(disk: Disk, facts: list[Fact], choose: Choose, cut: str, outcome: Cuts) -> None:
    """Rebuild, open with the driver's own code, compare."""
    outcome.cuts += 1
    folder = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else None))
    try:
        for name, content in disk.cut(choose).items():
            (folder / name).write_bytes(content)
        with (folder / f"{JOURNAL}{RESERVE}").open("wb") as reserve:
            reserve.truncate(2 * 1024 * 1024)
        Journal.open(folder / JOURNAL, allow_tmpfs=True).close()
        lost = missing(facts, folder / JOURNAL)
    finally:
        shutil.rmtree(folder)
    outcome.checks += len(facts)
    outcome.losses += len(lost)
    outcome.lost += [f"{cut}: {fact.kind} {' '.join(map(str, fact.what))}" for fact in lost[: 20 - len(outcome.lost)]]
