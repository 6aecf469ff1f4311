"""The runner beside what CONCERT needs of it: cancelling, hanging up late, waiting for the disk, remembering."""

from __future__ import annotations

import asyncio

import pytest
from runtime_kit import body, until
from toy_terminal import PAID, Acknowledging, Toy

from hw_driver import terminal as terminals
from hw_driver.journal import KnownTransaction, NotRecorded
from hw_driver.protocols.machine import Close, Effect, Outcome, Persist, Request, Result, Send, StartTimer
from hw_driver.protocols.states import State
from hw_driver.refusals import CannotCancel, TerminalBusy

GIVEN_UP = Outcome(State.CANCELLED, "cancelled")


class Cancels(Acknowledging):
    """Waits for the customer, and gives up when told to: the terminal says so."""

    def receive(self, data: bytes) -> list[Effect]:
        return [Persist(State.CANCELLED, GIVEN_UP), Result(GIVEN_UP), Close()] if data == b"D" else []

    def cancel(self) -> list[Effect]:
        return [Send(b"X")]


async def test_a_cancel_that_the_terminal_takes(toy: Toy) -> None:
    terminal = toy.terminal(Cancels, can_cancel=True)
    sale = await terminal.start(body(toy.clock))
    await until(lambda: toy.heard)
    assert await terminal.cancel(sale.uuid) is sale
    assert sale.state is State.SENT, "it is cancelled when the terminal says so"
    await until(lambda: sale.ended)
    assert (sale.state, toy.heard) == (State.CANCELLED, b"RX")
    with pytest.raises(CannotCancel, match="over already"):
        await terminal.cancel(sale.uuid)


async def test_an_answer_that_waits_for_the_disk_cannot_be_cancelled(toy: Toy) -> None:
    class Both(Cancels):
        def receive(self, data: bytes) -> list[Effect]:
            return Acknowledging.receive(self, data)

    toy.works = False
    terminal = toy.terminal(Both, can_cancel=True)
    sale = await terminal.start(body(toy.clock))
    await until(lambda: (sale.as_json("j")["progress"] or {}).get("code") == "storing")
    with pytest.raises(CannotCancel, match="red key"):
        await terminal.cancel(sale.uuid)
    assert toy.heard == b"R"
    toy.works = True
    await until(lambda: sale.ended)
    assert sale.state is State.APPROVED


class Lingers(Acknowledging):
    """Has its result before it hangs up."""

    def receive(self, data: bytes) -> list[Effect]:
        if data != b"P":
            return []
        return [Persist(State.APPROVED, PAID), Send(b"A"), Result(PAID), StartTimer("hang up", 0.05)]

    def timer(self, name: str) -> list[Effect]:
        return [Close()]


async def test_the_next_sale_waits_until_the_one_before_has_hung_up(toy: Toy) -> None:
    terminal = toy.terminal(Lingers)
    first = await terminal.start(body(toy.clock))
    await until(lambda: first.ended)
    assert terminal.holder is not None
    second = await terminal.start(body(toy.clock))
    await until(lambda: second.ended)
    assert (toy.stored(first.uuid), toy.stored(second.uuid), toy.heard) == (State.APPROVED, State.APPROVED, b"RARA")


async def test_a_terminal_that_does_not_hang_up_is_in_use(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stays(Lingers):
        def timer(self, name: str) -> list[Effect]:
            return []

    monkeypatch.setattr(terminals, "HANGING_UP", 0.02)
    terminal = toy.terminal(Stays)
    first = await terminal.start(body(toy.clock))
    await until(lambda: first.ended)
    with pytest.raises(TerminalBusy):
        await terminal.start(body(toy.clock))
    await terminal.close()


async def test_the_same_press_twice_while_the_first_still_waits(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    """What waited finds that the other one was quicker, whatever let them both wait."""
    terminal, asked = toy.terminal(), body(toy.clock)
    quicker: list[object] = []

    async def first() -> None:
        if not quicker:
            quicker.append(None)
            quicker.append(await terminal.start(asked))

    monkeypatch.setattr(terminal._questions, "first", first)
    with pytest.raises(KnownTransaction):
        await terminal.start(asked)
    await until(lambda: toy.stored(asked["uuid"]) is State.APPROVED)
    assert toy.heard == b"RA"


class Speaks(Acknowledging):
    """Gives the runner something it does not know while it connects."""

    def start(self, request: Request) -> list[Effect]:
        return [*super().start(request), "nonsense"]  # type: ignore[list-item]


async def test_a_link_that_comes_for_a_machine_that_broke_already(toy: Toy) -> None:
    toy.works = False
    terminal = toy.terminal(Speaks)
    sale = await terminal.start(body(toy.clock))
    await until(lambda: toy.links)
    await asyncio.sleep(0.05)
    assert (toy.heard, sale.ended) == (b"", False), "its end waits for the disk"
    toy.works = True
    await until(lambda: sale.ended)
    assert (toy.stored(sale.uuid), sale.outcome.code, toy.heard) == (State.FAILED, "driver_fault", b"")  # type: ignore[union-attr]


async def test_only_the_latest_stay_in_memory(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminals, "REMEMBERED", 2)
    terminal = toy.terminal()
    sales = []
    for _ in range(3):
        sales.append(await terminal.start(body(toy.clock)))
        await until(lambda: terminal.holder is None)
    assert [terminal.live(sale.uuid) is sale for sale in sales] == [False, True, True]
    rebuilt = terminal.transaction(sales[0].uuid)
    assert rebuilt is not None
    assert (rebuilt.state, rebuilt.ended, rebuilt.outcome) == (State.APPROVED, True, PAID)


class Named(Acknowledging):
    """Says who it is when it is asked."""

    def connected(self) -> list[Effect]:
        said = Outcome(State.APPROVED, serial="123456")
        return [Result(said), Close()]


async def test_the_same_identification_again_is_a_question(toy: Toy) -> None:
    terminal, number = toy.terminal(Named), "11111111-1111-4111-8111-111111111111"
    first = await terminal.identify(number)
    assert await terminal.identify(number) is first
    await until(lambda: first.ended)
    assert await terminal.identify(number) is first
    assert len(toy.links) == 1


class Introduces(Acknowledging):
    """Says who it is with each result."""

    def receive(self, data: bytes) -> list[Effect]:
        said = Outcome(State.APPROVED, amount_approved=1250, serial="123456")
        return [Persist(said.state, said), Result(said), Close()]


async def test_who_a_terminal_is_is_said_again_when_the_disk_did_not_take_it(
    toy: Toy, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise NotRecorded("The disk is full.")

    terminal = toy.terminal(Introduces)
    with monkeypatch.context() as patch:
        patch.setattr(toy.journal, "identified", refuse)
        sale = await terminal.start(body(toy.clock))
        await until(lambda: terminal.holder is None)
    assert (sale.state, terminal.describe()["identity"]) == (State.APPROVED, {})
    assert "could not be stored" in caplog.text
    await terminal.start(body(toy.clock))
    await until(lambda: terminal.holder is None)
    assert terminal.describe()["identity"] == toy.journal.identity("counter") == {"serial": "123456"}
    assert [event.type for event in toy.journal.events()].count("identity") == 1
