"""Keeps the installed driver running, and puts the version before back when a new one does not start.

Standard library only and no imports of the driver: this file is copied beside the versions it looks after, so that it
works whatever a version is like. `python3 supervisor.py serve` is what systemd or Windows starts; anything else
(`supervisor.py status`) is a command of the version in use.

`current.json`: {"current": {"version", "folder", "python"}, "previous": the same or null, "trial": bool,
"failed": {"version", "why"} or null, "config": path, "state": path}.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

POINTER = "current.json"
READY = "ready.json"
KEPT = "before-trial"
JOURNAL_FILES = ("journal.sqlite", "journal.sqlite-wal")
START_SECONDS = 30.0
SETTLE_SECONDS = 2.0
STOP_SECONDS = 20.0
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0


class Supervisor:
    """Runs the version that the pointer names until told to stop."""

    def __init__(self, program: Path) -> None:
        self.program = program
        self.child: subprocess.Popen[bytes] | None = None
        self.told_to_stop = False

    def run(self) -> int:
        """Start, watch, start again."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        pause = FIRST_PAUSE
        while not self.told_to_stop:
            began = time.monotonic()
            status = self._run_once()
            if self.told_to_stop:
                break
            if status == 0 or time.monotonic() - began > LONGEST_PAUSE:
                pause = FIRST_PAUSE  # it was asked to stop, or had run well
            if status:
                say(f"the driver ended with status {status}; it is started again in {pause:.0f} s")
                self._sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
        return 0

    def _run_once(self) -> int:
        pointer = read(self.program)
        trial = bool(pointer.get("trial"))
        if trial:
            keep_journal(self.program, Path(pointer["state"]))
        (self.program / READY).unlink(missing_ok=True)
        place = ["--config", pointer["config"], "--state", pointer["state"]]
        words = ["serve", *place, "--ready-file", str(self.program / READY)]
        self.child = subprocess.Popen(command(pointer) + words, env=environment(pointer))
        if trial:
            why = self._on_trial()
            if why and not self.told_to_stop:
                self._end_child()
                roll_back(self.program, why)
                return 0
            if not why:
                write(self.program, {**pointer, "trial": False, "failed": None})
                say(f"version {pointer['current']['version']} runs")
        return self.child.wait()

    def _on_trial(self) -> str:
        """Return why the new version does not do, an empty string when it does."""
        assert self.child
        deadline = time.monotonic() + START_SECONDS
        while not (self.program / READY).exists():
            if self.child.poll() is not None:
                return f"it ended with status {self.child.returncode} before it was ready"
            if time.monotonic() > deadline:
                return f"it was not ready after {START_SECONDS:.0f} s"
            time.sleep(0.1)
        deadline = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < deadline:
            if self.child.poll() is not None:
                return f"it ended with status {self.child.returncode} as soon as it was ready"
            time.sleep(0.1)
        return ""

    def _end_child(self) -> None:
        assert self.child
        self.child.terminate()
        try:
            self.child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()

    def _stop(self, *_: object) -> None:
        self.told_to_stop = True
        if self.child:
            self.child.terminate()

    def _sleep(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not self.told_to_stop and time.monotonic() < deadline:
            time.sleep(0.1)


def command(pointer: dict[str, Any]) -> list[str]:
    """Return the command line of the version in use, without its arguments."""
    return [pointer["current"]["python"], "-P", "-m", "hw_driver"]


def environment(pointer: dict[str, Any]) -> dict[str, str]:
    """Return the environment in which that command finds the version and the driver's state."""
    place = {"CARD_TERMINAL_STATE": pointer["state"]} if "state" in pointer else {}
    return {**os.environ, "PYTHONPATH": pointer["current"]["folder"], **place}


def read(program: Path) -> dict[str, Any]:
    """Return the pointer."""
    value = json.loads((program / POINTER).read_text(encoding="utf-8"))
    assert isinstance(value, dict)
    return value


def write(program: Path, pointer: dict[str, Any]) -> None:
    """Replace the pointer so that a power cut leaves the old or the new one."""
    new = program / f"{POINTER}.{os.getpid()}"
    with new.open("w", encoding="utf-8") as file:
        json.dump(pointer, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    new.replace(program / POINTER)


def keep_journal(program: Path, state: Path) -> None:
    """Copy the journal before a version on trial opens it; nothing else has it open now."""
    shutil.rmtree(program / KEPT, ignore_errors=True)
    (program / KEPT).mkdir(mode=0o700)
    for name in JOURNAL_FILES:
        if (state / name).exists():
            shutil.copy2(state / name, program / KEPT / name)


def roll_back(program: Path, why: str) -> None:
    """Make the version before the current one again.

    It cannot read a journal that the failed one has made newer. Nothing was sold meanwhile (the failed one was never
    ready, or its journal is as it was), so the journal of before is put back and the newer one set aside.
    """
    pointer = read(program)
    failed, state = pointer["current"], Path(pointer["state"])
    say(f"version {failed['version']} does not run: {why}")
    if not pointer.get("previous"):
        say("there is no version before it; it is tried again")
        return
    ready = (program / READY).exists()
    if not ready and schema(state) != schema(program / KEPT):
        aside = state / f"set-aside-{time.strftime('%Y%m%dT%H%M%S')}"
        aside.mkdir(mode=0o700)
        for name in JOURNAL_FILES:
            with contextlib.suppress(FileNotFoundError):
                (state / name).replace(aside / name)
            if (program / KEPT / name).exists():
                shutil.copy2(program / KEPT / name, state / name)
        say(f"the journal of before was put back; what the failed version made of it is in {aside}")
    note = {"version": failed["version"], "why": why}
    write(program, {**pointer, "current": pointer["previous"], "previous": None, "trial": False, "failed": note})
    say(f"version {pointer['previous']['version']} is started again")


def schema(folder: Path) -> int:
    """Return the version of the journal in a folder, 0 where there is none."""
    if not (folder / JOURNAL_FILES[0]).exists():
        return 0
    journal = sqlite3.connect(folder / JOURNAL_FILES[0])
    try:
        return int(journal.execute("PRAGMA user_version").fetchone()[0])
    finally:
        journal.close()


def say(text: str) -> None:
    """Print a line for the log."""
    print(f"card-terminal supervisor: {text}", file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    """Supervise, or run one command of the version in use."""
    program = Path(__file__).resolve().parent
    if arguments[:1] == ["serve"]:
        return Supervisor(program).run()
    pointer = read(program)
    return subprocess.call([*command(pointer), *arguments], env=environment(pointer))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
