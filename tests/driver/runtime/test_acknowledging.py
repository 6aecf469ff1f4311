"""A protocol whose terminal waits for an acknowledgement: it never gets one for an answer that is not durable.

The toy terminal charges, says ``P``, waits for ``A`` and says ``D``; without ``A`` it takes the payment back when the
link goes, as ZVT terminals do.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import pytest
from runtime_kit import MovableClock, body

from hw_driver import dialog
from hw_driver.journal import Journal, NotRecorded
from hw_driver.protocols.info import ProtocolInfo
from hw_driver.protocols.machine import Close, Effect, Open, Outcome, Persist, Request, Result, Send, StartTimer
from hw_driver.protocols.registry import PROTOCOLS
from hw_driver.protocols.states import State
from hw_driver.terminal import Terminal

PAID = Outcome(State.APPROVED, "approved", amount_approved=1250)
TAKEN_BACK = Outcome(State.UNKNOWN, "not_acknowledged", "The terminal may have taken the payment back.")


class Acknowledging:
    """The till's side."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.acknowledged = False

    def start(self, request: Request) -> list[Effect]:
        return [Open()]

    def connected(self) -> list[Effect]:
        return [Persist(State.SENT), Send(b"R")]

    def receive(self, data: bytes) -> list[Effect]:
        if data == b"P":
            return self._answer()
        self.acknowledged = True
        return [Result(PAID), Close()]

    def _answer(self) -> list[Effect]:
        return [Persist(State.APPROVED, PAID), Send(b"A"), StartTimer("done", 5)]

    def timer(self, name: str) -> list[Effect]:
        return [Result(PAID), Close()]

    def lost(self, reason: str) -> list[Effect]:
        return [Persist(State.UNKNOWN, TAKEN_BACK), Result(TAKEN_BACK), Close()]

    def cancel(self) -> list[Effect]:
        return []

    def persist_failed(self) -> list[Effect]:
        return self._answer()

    def resume(self, record: Mapping[str, Any], lost: Any = None) -> list[Effect]:
        return []


class Toy:
    """The terminal, and a journal whose disk can be full."""

    def __init__(self, journal: Journal, clock: MovableClock) -> None:
        self.journal, self.clock = journal, clock
        self.heard = b""
        self.links: list[asyncio.StreamWriter] = []
        self.works = True
        record = journal.record

        def refusing(uuid: str, state: State, outcome: Outcome | None = None) -> Any:
            if not self.works and state is not State.SENT:
                raise NotRecorded("The disk is full.")
            return record(uuid, state, outcome)

        journal.record = refusing  # type: ignore[method-assign]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.links.append(writer)
        try:
            while data := await reader.read(1):
                self.heard += data
                writer.write(b"P" if data == b"R" else b"D")
        except ConnectionError:
            pass
        writer.close()

    def terminal(self, port: int, machine: type = Acknowledging) -> Terminal:
        info: ProtocolInfo = dataclasses.replace(PROTOCOLS["concert-v3"], machine=machine, options={}, recovery=None)
        where = {"kind": "tcp", "host": "127.0.0.1", "port": port}
        return Terminal("counter", "Counter", info, where, {}, self.journal, clock=self.clock)

    def stored(self, uuid: str) -> State:
        record = self.journal.get(uuid)
        assert record is not None
        return record.state


@pytest.fixture
async def toy(journal: Journal, clock: MovableClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Toy]:
    monkeypatch.setattr(dialog, "RETRY_SECONDS", 0.02)
    toy = Toy(journal, clock)
    toy.server = await asyncio.start_server(toy.serve, "127.0.0.1", 0)  # type: ignore[attr-defined]
    toy.port = toy.server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    yield toy
    toy.server.close()  # type: ignore[attr-defined]


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def test_a_durable_answer_is_acknowledged(toy: Toy) -> None:
    sale = await toy.terminal(toy.port).start(body(toy.clock))  # type: ignore[attr-defined]
    await until(lambda: sale.ended)
    assert (sale.state, toy.heard) == (State.APPROVED, b"RA")


async def test_an_answer_that_is_not_durable_is_not_acknowledged(toy: Toy) -> None:
    toy.works = False
    terminal = toy.terminal(toy.port)  # type: ignore[attr-defined]
    sale = await terminal.start(body(toy.clock))
    await until(lambda: (sale.as_json("j")["progress"] or {}).get("code") == "storing")
    await asyncio.sleep(0.1)  # several attempts
    assert (toy.heard, toy.stored(sale.uuid), sale.ended) == (b"R", State.SENT, False)
    assert terminal.holder is not None
    toy.works = True
    await until(lambda: sale.ended)
    assert (toy.heard, toy.stored(sale.uuid)) == (b"RA", State.APPROVED)


async def test_a_link_that_goes_before_the_acknowledgement_changes_the_answer(toy: Toy) -> None:
    """The terminal takes back what was not acknowledged: what waits for the disk must not become `approved`."""
    toy.works = False
    sale = await toy.terminal(toy.port).start(body(toy.clock))  # type: ignore[attr-defined]
    await until(lambda: (sale.as_json("j")["progress"] or {}).get("code") == "storing")
    toy.links[0].transport.abort()
    await asyncio.sleep(0.05)
    toy.works = True
    await until(lambda: sale.ended)
    assert (toy.heard, toy.stored(sale.uuid)) == (b"R", State.UNKNOWN)
    assert sale.outcome is not None
    assert sale.outcome.code == "not_acknowledged"


async def test_what_the_terminal_says_meanwhile_is_heard_afterwards(toy: Toy) -> None:
    toy.works = False
    sale = await toy.terminal(toy.port).start(body(toy.clock))  # type: ignore[attr-defined]
    await until(lambda: (sale.as_json("j")["progress"] or {}).get("code") == "storing")
    toy.links[0].write(b"D")
    await asyncio.sleep(0.05)
    assert not sale.ended
    toy.works = True
    await until(lambda: sale.ended and toy.heard == b"RA")
    assert sale.state is State.APPROVED


class Silent(Acknowledging):
    """Has nothing to say when it is told."""

    def persist_failed(self) -> list[Effect]:
        return []


class Breaks(Acknowledging):
    """Breaks when it is told."""

    def persist_failed(self) -> list[Effect]:
        raise RuntimeError


@pytest.mark.parametrize(("machine", "state", "heard"), [(Silent, "approved", b"RA"), (Breaks, "unknown", b"R")])
async def test_machines_that_do_not_answer(toy: Toy, machine: type, state: str, heard: bytes) -> None:
    toy.works = False
    sale = await toy.terminal(toy.port, machine).start(body(toy.clock))  # type: ignore[attr-defined]
    await until(lambda: (sale.as_json("j")["progress"] or {}).get("code") == "storing")
    assert toy.heard == b"R"
    toy.works = True
    await until(lambda: sale.ended)
    assert (toy.stored(sale.uuid), toy.heard) == (state, heard)


class Endless(Acknowledging):
    """Goes on waiting for a link that is gone."""

    def lost(self, reason: str) -> list[Effect]:
        return []


async def test_a_machine_that_would_wait_for_ever_does_not_hold_the_terminal(toy: Toy) -> None:
    toy.works = False
    terminal = toy.terminal(toy.port, Endless)  # type: ignore[attr-defined]
    sale = await terminal.start(body(toy.clock))
    await until(lambda: (sale.as_json("j")["progress"] or {}).get("code") == "storing")
    toy.links[0].transport.abort()
    await asyncio.sleep(0.05)
    toy.works = True
    await until(lambda: terminal.holder is None)
    assert toy.stored(sale.uuid) is State.APPROVED, "what the terminal said last, stored, stands"
    assert sale.ended
