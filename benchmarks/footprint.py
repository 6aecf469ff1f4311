"""`dev/bench footprint`: memory of an idle driver, and the time from its start until it listens."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

from benchmarks.processes import driver

#: MiB of resident memory, seconds to start: what the project wants of itself.
AIM_MEMORY, AIM_START = 40.0, 0.5
IDLE_SECONDS = 2.0


def run(folder: Path, *, starts: int) -> int:
    """Measure and print; return the exit status. One start before them, which compiles, does not count."""
    seconds: list[float] = []
    memory: list[float] = []
    for number in range(-1, starts):
        home = folder / str(number)
        home.mkdir()
        with driver(home, terminal_port=9) as process:
            if number < 0:
                continue
            seconds.append(process.seconds)
            time.sleep(IDLE_SECONDS)
            memory.append(resident(process.pid))
    print(f"{starts} starts of an idle driver with one terminal and a new journal")
    print(f"resident memory  {max(memory):6.1f} MiB at most (aim {AIM_MEMORY:.0f})")
    print(f"start            {median(seconds):6.2f} s median, {max(seconds):.2f} s at most (aim {AIM_START} median)")
    met = max(memory) <= AIM_MEMORY and median(seconds) <= AIM_START
    print(f"aims {'met' if met else 'MISSED'}")
    return 0 if met else 1


def resident(pid: int) -> float:
    """Return a process's resident memory in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise SystemExit("/proc tells no memory of processes here")
