"""An idle terminal is asked who it is, now and then: no till ever notices, and no sale is refused or lost for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from runtime_kit import MovableClock, body, ended, until

from hw_driver import keep_alive
from hw_driver.journal import Journal
from hw_driver.protocols.concert.tlv import build, parse
from hw_driver.protocols.registry import PROTOCOLS
from hw_driver.terminal import Terminal


class Sleepy:
    """A terminal that answers identifications only when it is let; sales at once."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.awake = asyncio.Event()
        self.awake.set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Sleepy:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._server
        self.awake.set()
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fields = parse(await reader.read(1000))
        self.asked.append(fields["CD"])
        if fields["CD"] == "I":
            await self.awake.wait()
        writer.write(
            build(
                {**{tag: fields[tag] for tag in ("CZ", "CJ", "CA", "CD")}, "AE": "10", "AQ": "SN42"}
                | ({tag: fields[tag] for tag in ("CB", "CE") if tag in fields})
            )
        )
        writer.close()


@pytest.fixture
async def sleepy() -> AsyncIterator[Sleepy]:
    async with Sleepy() as sleepy:
        yield sleepy


@pytest.fixture
async def terminal(sleepy: Sleepy, journal: Journal, clock: MovableClock) -> AsyncIterator[Terminal]:
    terminal = runner(sleepy, journal, clock, keep_alive=0.05)
    await terminal.recover()
    yield terminal
    await terminal.close()


def runner(sleepy: Sleepy, journal: Journal, clock: MovableClock, **options: Any) -> Terminal:
    where = {"kind": "tcp", "host": "127.0.0.1", "port": sleepy.port}
    return Terminal("counter", "Counter", PROTOCOLS["concert-v3"], where, {"drain": 0, **options}, journal, clock=clock)


async def test_an_idle_terminal_is_asked_again_and_again(sleepy: Sleepy, terminal: Terminal, journal: Journal) -> None:
    await until(lambda: sleepy.asked.count("I") >= 3)
    assert set(sleepy.asked) == {"I"}
    assert terminal.describe()["identity"]["serial"] == "SN42"
    assert {event.type for event in journal.events()} == {"journal_created", "identity"}, "nothing else is kept of it"


async def test_by_default_it_is_left_alone(sleepy: Sleepy, journal: Journal, clock: MovableClock) -> None:
    terminal = runner(sleepy, journal, clock)
    await terminal.recover()
    await asyncio.sleep(0.2)
    await terminal.close()
    assert sleepy.asked == []


async def test_nobody_holds_a_terminal_that_is_kept_awake(sleepy: Sleepy, terminal: Terminal) -> None:
    sleepy.awake.clear()
    await until(lambda: sleepy.asked)
    assert terminal.holder is None
    assert terminal.describe()["link"]["state"] != "in_use"
    assert not terminal.idle


async def test_a_sale_waits_for_the_answer(sleepy: Sleepy, terminal: Terminal, clock: MovableClock) -> None:
    sleepy.awake.clear()
    await until(lambda: sleepy.asked)
    starting = asyncio.create_task(terminal.start(body(clock)))
    await asyncio.sleep(0.05)
    assert sleepy.asked == ["I"], "one dialog at a time"
    assert not starting.done()
    sleepy.awake.set()
    assert (await ended(await starting)).state == "approved"
    assert sleepy.asked[:2] == ["I", "0"]


async def test_a_terminal_that_does_not_answer_keeps_no_sale_back(
    sleepy: Sleepy, terminal: Terminal, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hw_driver.terminal.YIELD_SECONDS", 0.05)
    sleepy.awake.clear()
    await until(lambda: sleepy.asked)
    asking = terminal._dialog
    assert asking
    assert (await ended(await terminal.start(body(clock)))).state == "approved"
    assert asking.over, "given up, its connection let go"
    assert sleepy.asked[:2] == ["I", "0"]


async def test_an_identification_asked_for_twice_is_one(sleepy: Sleepy, journal: Journal, clock: MovableClock) -> None:
    terminal = runner(sleepy, journal, clock)
    first = await terminal.identify(number := body()["uuid"])
    assert await terminal.identify(number) is first
    await ended(first)
    await terminal.close()
    assert sleepy.asked == ["I"]


async def test_somebody_who_asks_who_it_is_waits_too(sleepy: Sleepy, terminal: Terminal, clock: MovableClock) -> None:
    sleepy.awake.clear()
    await until(lambda: sleepy.asked)
    asking = asyncio.create_task(terminal.identify(body()["uuid"]))
    await asyncio.sleep(0.02)
    sleepy.awake.set()
    assert (await ended(await asking)).state == "approved"


async def test_it_is_not_asked_while_a_sale_is_about_to_begin(
    sleepy: Sleepy, terminal: Terminal, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow() -> None:
        await asyncio.sleep(0.2)

    monkeypatch.setattr(terminal._questions, "first", slow)
    assert (await ended(await terminal.start(body(clock)))).state == "approved"
    assert sleepy.asked[0] == "0"
    await until(lambda: "I" in sleepy.asked)


async def test_a_terminal_that_is_gone_is_tried_again(sleepy: Sleepy, terminal: Terminal) -> None:
    assert sleepy._server
    sleepy._server.close()
    await until(lambda: terminal.describe()["link"]["state"] == "refused")
    sleepy._server = await asyncio.start_server(sleepy._serve, "127.0.0.1", sleepy.port)
    await until(lambda: sleepy.asked)


def test_a_sale_waits_no_longer_than_a_customer_notices() -> None:
    assert keep_alive.YIELD_SECONDS <= 3
