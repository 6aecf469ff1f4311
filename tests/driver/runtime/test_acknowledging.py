"""A protocol whose terminal waits for an acknowledgement: it never gets one for an answer that is not durable."""

from __future__ import annotations

import asyncio

import pytest
from runtime_kit import body, until
from toy_terminal import PAID, Acknowledging, Toy

from hw_driver.protocols.machine import Close, Effect, Persist, Result, Send
from hw_driver.protocols.states import State


async def test_a_durable_answer_is_acknowledged(toy: Toy) -> None:
    sale = await toy.terminal().start(body(toy.clock))
    await until(lambda: sale.ended)
    assert (sale.state, toy.heard) == (State.APPROVED, b"RA")


async def test_an_answer_that_is_not_durable_is_not_acknowledged(toy: Toy) -> None:
    terminal, sale = await toy.storing()
    await asyncio.sleep(0.1)  # several attempts
    assert (toy.heard, toy.stored(sale.uuid), sale.ended) == (b"R", State.SENT, False)
    assert terminal.holder is not None
    toy.works = True
    await until(lambda: sale.ended)
    assert (toy.heard, toy.stored(sale.uuid)) == (b"RA", State.APPROVED)


async def test_a_link_that_goes_before_the_acknowledgement_changes_the_answer(toy: Toy) -> None:
    """The terminal takes back what was not acknowledged: what waits for the disk must not become `approved`."""
    _, sale = await toy.storing()
    toy.links[0].transport.abort()
    await asyncio.sleep(0.05)
    toy.works = True
    await until(lambda: sale.ended)
    assert (toy.heard, toy.stored(sale.uuid)) == (b"R", State.UNKNOWN)
    assert sale.outcome is not None
    assert sale.outcome.code == "not_acknowledged"


class Ends(Acknowledging):
    """Its last word is an answer, and nothing that happens to the link changes what it was."""

    def _answer(self) -> list[Effect]:
        return [Persist(State.APPROVED, PAID), Send(b"A"), Result(PAID), Close()]

    def lost(self, reason: str) -> list[Effect]:
        return []


async def test_an_end_that_cannot_be_answered_any_more_is_an_end(toy: Toy, caplog: pytest.LogCaptureFixture) -> None:
    _, sale = await toy.storing(Ends)
    toy.links[0].transport.abort()
    await asyncio.sleep(0.05)
    toy.works = True
    await until(lambda: sale.ended)
    assert (toy.heard, toy.stored(sale.uuid), sale.state) == (b"R", State.APPROVED, State.APPROVED)
    assert sale.outcome == PAID
    assert "no end" not in caplog.text, "it needs no other"


async def test_what_the_terminal_says_meanwhile_is_heard_afterwards(toy: Toy) -> None:
    told: list[bytes] = []

    class Notes(Acknowledging):
        def receive(self, data: bytes) -> list[Effect]:
            told.append(data)
            return super().receive(data)

    _, sale = await toy.storing(Notes)
    for _ in range(2):
        toy.links[0].write(b"D")
        await asyncio.sleep(0.05)
    assert not sale.ended
    toy.works = True
    await until(lambda: sale.ended and toy.heard == b"RA")
    assert sale.state is State.APPROVED
    assert told == [b"P", b"D"], "said again, it came after the end"


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
    _, sale = await toy.storing(machine)
    assert toy.heard == b"R"
    toy.works = True
    await until(lambda: sale.ended)
    assert (toy.stored(sale.uuid), toy.heard) == (state, heard)


async def test_a_machine_that_broke_is_told_nothing_any_more(toy: Toy) -> None:
    """Its end waits for the disk; what the terminal says meanwhile, and that it hangs up, changes nothing."""
    terminal, sale = await toy.storing(Breaks)
    toy.links[0].write(b"D")
    await asyncio.sleep(0.05)
    toy.links[0].transport.abort()
    await asyncio.sleep(0.05)
    assert (sale.ended, terminal.holder is not None) == (False, True)
    toy.works = True
    await until(lambda: sale.ended)
    assert (toy.stored(sale.uuid), sale.outcome.code) == (State.UNKNOWN, "driver_fault")  # type: ignore[union-attr]
    assert terminal.holder is None


class Endless(Acknowledging):
    """Goes on waiting for a link that is gone."""

    def lost(self, reason: str) -> list[Effect]:
        return []


async def test_a_machine_that_would_wait_for_ever_does_not_hold_the_terminal(toy: Toy) -> None:
    terminal, sale = await toy.storing(Endless)
    toy.links[0].transport.abort()
    await asyncio.sleep(0.05)
    toy.works = True
    await until(lambda: terminal.holder is None)
    assert toy.stored(sale.uuid) is State.APPROVED, "what the terminal said last, stored, stands"
    assert sale.ended


async def test_a_driver_stopped_while_an_answer_waits_for_the_disk(toy: Toy) -> None:
    """Nobody was told it, the terminal had no acknowledgement: after the next start it is not known."""
    terminal, sale = await toy.storing()
    await terminal.close()
    toy.works = True
    await asyncio.sleep(0.1)  # longer than until the next attempt
    assert (toy.stored(sale.uuid), toy.heard) == (State.SENT, b"R")
    await toy.terminal().recover()
    assert toy.stored(sale.uuid) is State.UNKNOWN
