"""The driver is killed at every boundary of a sale. Whatever the terminal did, laws 1 to 3 hold after the restart.

The terminal is a process of its own that shares no code with the driver. The sale runs in a forked child, which kills
itself (SIGKILL) at the N-th of the calls that touch the disk or the wire; N goes through all of them.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from runtime_kit import body

from hw_driver.dialog import Dialog
from hw_driver.journal import Journal, Record
from hw_driver.protocols.registry import PROTOCOLS
from hw_driver.protocols.states import State
from hw_driver.terminal import Terminal
from hw_driver.transports import TcpTransport

#: Where the child can be killed: each call, before it begins and after it has returned.
BOUNDARIES = [
    (Journal, "intend"),
    (Journal, "record"),
    (TcpTransport, "open"),
    (TcpTransport, "write"),
    (TcpTransport, "close"),
    (Dialog, "on_connected"),
    (Dialog, "on_data"),
    (Dialog, "on_lost"),
]


STATE_AFTER = {"approve": State.APPROVED, "decline": State.DECLINED, "cut": State.UNKNOWN}


class PlainProcess:
    """The terminal as a process that outlives the driver."""

    def __init__(self, behaviour: str) -> None:
        self.behaviour = behaviour
        script = Path(__file__).with_name("plain_terminal.py")
        self._process = subprocess.Popen([sys.executable, str(script), behaviour], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def told(self) -> tuple[list[str], list[int]]:
        """Return (amounts asked, amounts charged), once it has dealt with every connection made so far."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as sock:
            sock.sendall(b"?")
            with sock.makefile() as lines:
                asked, charged = (json.loads(line) for line in lines)
        return asked, charged

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture(scope="module", params=list(STATE_AFTER))
def plain(request: pytest.FixtureRequest) -> Iterator[PlainProcess]:
    process = PlainProcess(request.param)
    yield process
    process.stop()


def terminal_on(journal: Journal, port: int) -> Terminal:
    where = {"kind": "tcp", "host": "127.0.0.1", "port": port}
    return Terminal("counter", "Counter", PROTOCOLS["concert-v3"], where, {"drain": 0.0}, journal)


def sell_in_child(path: Path, port: int, amount: int, kill_at: int) -> list[str]:
    """Sell in a forked child that kills itself at boundary `kill_at` (0: never); return the boundaries it passed."""
    trace = path.with_suffix(f".{amount}")
    pid = os.fork()
    if pid == 0:
        try:
            _watch_boundaries(trace, kill_at)
            asyncio.run(_sell(path, port, amount))
        finally:
            os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert (os.WTERMSIG(status) == signal.SIGKILL) if kill_at else (status == 0)
    return trace.read_text().split()


def _watch_boundaries(trace: Path, kill_at: int) -> None:
    passed = 0
    file = trace.open("w", buffering=1)

    def boundary(name: str) -> None:
        nonlocal passed
        passed += 1
        file.write(name + "\n")
        if passed == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def watched(call: Callable[..., Any], name: str) -> Callable[..., Any]:
        def around(*args: Any) -> Any:
            boundary(f"before_{name}")
            result = call(*args)
            boundary(f"after_{name}")
            return result

        return around

    for owner, name in BOUNDARIES:
        setattr(owner, name, watched(getattr(owner, name), f"{owner.__name__}.{name}"))


async def _sell(path: Path, port: int, amount: int) -> None:
    journal = Journal.open(path, allow_tmpfs=True)
    terminal = terminal_on(journal, port)
    await terminal.recover()
    transaction = await terminal.start(body(uuid=f"sale-{amount}", amount=amount))
    while not transaction.ended:
        await transaction.changed(transaction.rev, 5)
    journal.close()


async def _after_restart(path: Path, port: int, amount: int) -> Record | None:
    journal = Journal.open(path, allow_tmpfs=True)
    assert journal.notices == []
    terminal = terminal_on(journal, port)
    await terminal.recover()
    assert terminal.holder is None
    record = journal.get(f"sale-{amount}")
    journal.close()
    return record


def broken_laws(state: State | None, asked: list[str], charged: list[int], amount: int, passed: list[str]) -> list[str]:
    """Return what speaks against laws 1 to 3, from the terminal's ledger and the journal after the restart."""
    times, was_charged, durable = asked.count(str(amount)), amount in charged, passed.count("after_Journal.record")
    broken = {
        "asked twice": times > 1,
        "charged, but nobody knows": was_charged and state not in (State.APPROVED, State.UNKNOWN),
        "approved, but not charged": state is State.APPROVED and not was_charged,
        "asked before it was journalled": times and not durable,
    }
    return [law for law, is_broken in broken.items() if is_broken]


def test_killed_at_every_boundary(plain: PlainProcess, tmp_path: Path) -> None:
    undisturbed = sell_in_child(tmp_path / "undisturbed.sqlite3", plain.port, 1000, 0)
    assert len(undisturbed) >= 16
    states: dict[State | None, int] = {}
    for number, name in enumerate(undisturbed, 1):
        path, amount = tmp_path / f"{number}.sqlite3", 1000 + number
        passed = sell_in_child(path, plain.port, amount, number)
        record = asyncio.run(_after_restart(path, plain.port, amount))
        state = record.state if record else None
        states[state] = states.get(state, 0) + 1
        assert broken_laws(state, *plain.told(), amount, passed) == [], f"killed at {name}"
        if passed.count("after_Journal.record") == 2:  # the answer was durable
            assert state is STATE_AFTER[plain.behaviour], f"killed at {name}"
    assert {None, State.FAILED, State.UNKNOWN, STATE_AFTER[plain.behaviour]} == states.keys()


def test_the_check_sees_a_driver_that_sends_before_it_journals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: a driver whose journal keeps nothing but the intent is found out."""
    path, process = tmp_path / "journal.sqlite3", PlainProcess("approve")
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "record", lambda journal, uuid, state, outcome=None: journal.get(uuid))
        passed = sell_in_child(path, process.port, 77, 0)
    record = asyncio.run(_after_restart(path, process.port, 77))
    assert record is not None
    broken = broken_laws(record.state, *process.told(), 77, passed)
    process.stop()
    assert broken == ["charged, but nobody knows"]
