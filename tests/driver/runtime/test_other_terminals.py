"""Terminals that are busy, silent, or speak another version than configured: each ends in the right state, and the
cashier is told what to do. Real sockets and ports; the virtual terminal of each version, and each version's driver.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from runtime_kit import MovableClock, body

from hw_driver.journal import Journal
from hw_driver.protocols.concert.line import LinkSettings
from hw_driver.protocols.registry import PROTOCOLS
from hw_driver.protocols.states import State
from hw_driver.terminal import Terminal
from hw_driver.transaction import Transaction
from hw_driver.virtual.cable import CableServer
from hw_driver.virtual.command import PROTOCOLS as SPOKEN
from hw_driver.virtual.concert import Settings, VirtualConcert
from hw_driver.virtual.faults import Faults, Mode
from hw_driver.virtual.ledger import Ledger
from hw_driver.virtual.on_line import OnLine
from hw_driver.virtual.server import Server

#: Short times, so that the patience of a real terminal is not waited for.
LINE = {"line_answer": 1, "line_tries": 2, "line_pause": 0.05, "line_byte": 1}
OPTIONS: dict[str, dict[str, Any]] = {
    "concert-v3": {"answer_timeout": 0.6, "drain": 0.02},
    "concert-v3-serial": {"answer_timeout": 0.6, **LINE},
    "concert-v2": {"answer_timeout": 0.6, **LINE},
}
QUICK = {"auto": "contactless", "quiet": 0.01, "incomplete": 0.1, "close_after": 0.02}

Plug = Callable[..., Awaitable[Terminal]]


@pytest.fixture
async def plug(journal: Journal, clock: MovableClock, tmp_path: Path) -> AsyncIterator[Plug]:
    """Return a function: `await plug("concert-v2", "concert-v3-serial", "serial")` lets one speak to the other."""
    servers: list[Server] = []
    terminals: list[Terminal] = []

    async def begin(
        driver: str, terminal: str, kind: str, *faults: str, keep_alive: float = 0, **settings: Any
    ) -> Terminal:
        dialect, armed = SPOKEN[terminal].dialect, Faults()
        for name in faults:
            armed.arm(name, Mode.ALWAYS)
        inside = VirtualConcert(Settings(**QUICK | settings), armed, dialect=dialect)
        virtual = OnLine(inside, LinkSettings(**LINE)) if dialect.framed else inside
        ledger = Ledger(None)
        where: dict[str, Any]
        if kind == "tcp":
            servers.append(Server(virtual, ledger, protocol=terminal))
            await servers[-1].start()
            where = {"kind": "tcp", "host": "127.0.0.1", "port": servers[-1].port}
        else:
            cable = CableServer(virtual, ledger, tmp_path / f"port-{len(servers)}", protocol=terminal)
            servers.append(cable)
            await cable.start()
            where = {"kind": "serial", "device": str(cable.link), "preset": "usb"}
        options = OPTIONS[driver] | ({"keep_alive": keep_alive} if keep_alive else {})
        runner = Terminal("counter", "Counter", PROTOCOLS[driver], where, options, journal, clock=clock)
        await runner.recover()
        terminals.append(runner)
        return runner

    yield begin
    for each in terminals:
        await each.close()
    for server in servers:
        await server.stop()


async def sale(terminal: Terminal, clock: MovableClock) -> Transaction:
    transaction = await terminal.start(body(clock))
    async with asyncio.timeout(10):
        while not transaction.ended:
            await transaction.changed(transaction.rev, 10)
    return transaction


#: Driver, terminal, transport, faults, settings -> state, code, words of the sentence for the cashier.
CASES: dict[str, tuple[str, str, str, tuple[str, ...], dict[str, Any], State, str, str]] = {
    "V3": ("concert-v3", "concert-v3", "tcp", (), {}, State.APPROVED, "approved", ""),
    "V3 on a cable": ("concert-v3-serial", "concert-v3-serial", "serial", (), {}, State.APPROVED, "approved", ""),
    "V2 on a cable": ("concert-v2", "concert-v2", "serial", (), {}, State.APPROVED, "approved", ""),
    "V2 over TCP": ("concert-v2", "concert-v2", "tcp", (), {}, State.APPROVED, "approved", ""),
    # another version than configured
    "V2 driver, V3 on the cable": (
        *("concert-v2", "concert-v3-serial", "serial", (), {}),
        *(State.FAILED, "message_refused", "Check its protocol: CONCERT V2 E, V2 E+ or V3"),
    ),
    "V3 driver, V2 on the cable": (
        *("concert-v3-serial", "concert-v2", "serial", (), {}),
        *(State.FAILED, "message_refused", "Check its protocol: CONCERT V2 E, V2 E+ or V3"),
    ),
    "V2 driver, V3 over TCP": (
        *("concert-v2", "concert-v3", "tcp", (), {}),
        *(State.FAILED, "unreachable", "set to another protocol"),
    ),
    "V3 driver, V2 over TCP": (
        *("concert-v3", "concert-v2", "tcp", (), {}),
        *(State.UNKNOWN, "no_answer", "Do not take the card again"),
    ),
    "V3 terminal of 3.10 only": (
        *("concert-v3", "concert-v3", "tcp", (), {"only_version": "0310"}),
        *(State.FAILED, "message_refused", "Check the protocol options"),
    ),
    "V3 terminal of 3.10 only, on a cable": (
        *("concert-v3-serial", "concert-v3-serial", "serial", (), {"only_version": "0310"}),
        *(State.FAILED, "message_refused", "Check the protocol options"),
    ),
    "V3 answers in 3.20": ("concert-v3", "concert-v3", "tcp", ("version",), {}, State.APPROVED, "approved", ""),
    # busy
    "V3 busy": (
        *("concert-v3", "concert-v3", "tcp", ("busy",), {}),
        *(State.FAILED, "terminal_busy", "Nothing was charged"),
    ),
    "V3 busy on a cable": (
        *("concert-v3-serial", "concert-v3-serial", "serial", ("busy",), {}),
        *(State.FAILED, "unreachable", "Is it busy"),
    ),
    "V2 busy": (
        *("concert-v2", "concert-v2", "serial", ("busy",), {}),
        *(State.FAILED, "unreachable", "Is it busy"),
    ),
    "V2 busy over TCP": (
        *("concert-v2", "concert-v2", "tcp", ("busy",), {}),
        *(State.FAILED, "unreachable", "Is it busy"),
    ),
    # silent
    "V3 silent": (
        *("concert-v3", "concert-v3", "tcp", ("silent",), {}),
        *(State.UNKNOWN, "no_answer", "Do not take the card again"),
    ),
    "V3 silent on a cable": (
        *("concert-v3-serial", "concert-v3-serial", "serial", ("silent",), {}),
        *(State.UNKNOWN, "no_answer", "Do not take the card again"),
    ),
    "V2 silent": (
        *("concert-v2", "concert-v2", "serial", ("silent",), {}),
        *(State.UNKNOWN, "no_answer", "look at the slip the terminal printed"),
    ),
    "V2 silent over TCP": (
        *("concert-v2", "concert-v2", "tcp", ("silent",), {}),
        *(State.UNKNOWN, "no_answer", "look at the slip the terminal printed"),
    ),
}


@pytest.mark.parametrize("case", CASES)
async def test_each_ends_in_the_right_state_with_a_sentence(plug: Plug, clock: MovableClock, case: str) -> None:
    driver, spoken, kind, faults, settings, state, code, words = CASES[case]
    terminal = await plug(driver, spoken, kind, *faults, **settings)
    transaction = await sale(terminal, clock)
    assert transaction.outcome
    assert (transaction.state, transaction.outcome.code) == (state, code)
    assert words in transaction.outcome.text
    assert transaction.outcome.text.endswith((".", "?"))
    assert terminal.holder is None, "the next customer can be served"


@pytest.mark.parametrize(
    ("driver", "terminal", "kind"),
    [
        ("concert-v3", "concert-v3", "tcp"),
        ("concert-v3-serial", "concert-v3-serial", "serial"),
        ("concert-v2", "concert-v2", "serial"),
        ("concert-v2", "concert-v2", "tcp"),
    ],
)
async def test_a_payment_is_taken_back_by_every_version(
    plug: Plug, clock: MovableClock, driver: str, terminal: str, kind: str
) -> None:
    runner = await plug(driver, terminal, kind)
    paid = await sale(runner, clock)
    assert paid.record
    original = {"uuid": paid.uuid}
    back = await runner.start(body(clock, kind="reversal", original=original, amount=1250))
    async with asyncio.timeout(10):
        while not back.ended:
            await back.changed(back.rev, 10)
    assert back.outcome
    assert (back.state, back.outcome.code, back.outcome.amount_approved) == (State.APPROVED, "approved", 1250)


@pytest.mark.parametrize(("protocol", "kind"), [("concert-v3", "tcp"), ("concert-v3-serial", "serial")])
async def test_sales_go_on_while_the_terminal_is_kept_awake(
    plug: Plug, clock: MovableClock, protocol: str, kind: str
) -> None:
    terminal = await plug(protocol, protocol, kind, keep_alive=0.05)
    for _ in range(5):
        async with asyncio.timeout(10):
            while terminal.idle:  # until it is being asked  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        assert (await sale(terminal, clock)).state is State.APPROVED
    assert terminal.describe()["identity"]["virtual"] == "yes"
