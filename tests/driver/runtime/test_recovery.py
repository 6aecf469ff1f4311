"""Answers that were lost: what the terminal's word proves. Only a word about this very payment ends it (law 3)."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import pytest
from lost_answers import CONCERT, NAMED, STRICT, TELLS, Shop, opened
from runtime_kit import MovableClock, body, ended, until

from hw_driver.journal import Journal
from hw_driver.protocols import recovery
from hw_driver.protocols.concert.machine import ConcertV3
from hw_driver.protocols.machine import Close, Effect, Heard, Outcome, Result
from hw_driver.protocols.recovery import Last
from hw_driver.protocols.states import State


@pytest.fixture
async def shop(journal: Journal, clock: MovableClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shop]:
    async with opened(journal, clock, monkeypatch) as shop:
        yield shop


async def test_a_reference_that_comes_back_ends_it(shop: Shop) -> None:
    shop.driver(options=NAMED)
    sale = await shop.sale("cut")
    assert (sale.state, sale.outcome.amount_approved) == (State.APPROVED, 1250)  # type: ignore[union-attr]
    assert sale.outcome.details["recovered_by"] == "reference"  # type: ignore[union-attr]
    assert shop.events(sale) == ["requested", "sent", "approved"]
    assert (shop.plain.ledger, len(shop.plain.requests), len(shop.plain.questions)) == ([1250], 1, 1)
    assert "CF" not in shop.plain.questions[0], "a reference in the question could be its echo"


async def test_on_a_terminal_of_its_own_a_newer_result_ends_it(shop: Shop) -> None:
    shop.driver(exclusive=True)
    await shop.sale()
    sale = await shop.sale("cut")
    assert (sale.state, sale.outcome.code) == (State.APPROVED, "approved")  # type: ignore[union-attr]
    assert sale.outcome.details["recovered_by"] == "newer"  # type: ignore[union-attr]
    assert shop.evidence(sale) == []


async def test_the_first_sale_ever_has_nothing_to_be_newer_than(shop: Shop) -> None:
    shop.driver(exclusive=True)
    sale = await shop.sale("cut")
    assert sale.state is State.UNKNOWN
    [evidence] = shop.evidence(sale)
    assert (evidence["amount_approved"], evidence["matches"]) == (1250, ["amount", "currency"])


async def test_on_a_shared_terminal_it_is_evidence_only(shop: Shop) -> None:
    await shop.sale()
    sale = await shop.sale("cut")
    assert (sale.state, sale.outcome.code) == (State.UNKNOWN, "link_lost")  # type: ignore[union-attr]
    assert shop.events(sale) == ["requested", "sent", "evidence", "unknown"], "the same evidence is kept once"
    assert shop.evidence(sale)[0]["matches"] == ["amount", "currency", "newer"]
    assert len(shop.plain.questions) == 3


@pytest.mark.parametrize("options", [TELLS, NAMED, STRICT], ids=["plain", "named", "strict"])
async def test_the_trap_another_customers_payment_of_the_same_amount(shop: Shop, options: dict[str, Any]) -> None:
    """The request never arrived; the last one on the terminal is the customer's before, of the same amount."""
    shop.driver(options=options, exclusive=True)
    await shop.sale()
    sale = await shop.sale("cut_uncharged")
    assert sale.state is not State.APPROVED
    assert shop.plain.ledger == [1250]
    if sale.state is State.UNKNOWN:
        assert "newer" not in shop.evidence(sale)[0]["matches"]


@pytest.mark.parametrize("options", [TELLS, NAMED, STRICT], ids=["plain", "named", "strict"])
async def test_the_trap_a_sale_without_a_till_of_the_same_amount(shop: Shop, options: dict[str, Any]) -> None:
    shop.driver(options=options)
    await shop.sale()
    shop.plain.hold.clear()
    shop.plain.behaviour = "cut_uncharged"
    sale = await shop.terminal.start(body(shop.clock))
    await until(lambda: len(shop.plain.requests) == 2)
    shop.plain.charge({"CB": "1250", "CE": "978"})
    shop.plain.hold.set()
    await ended(sale)
    assert sale.state is State.UNKNOWN, "a person decides"
    assert shop.evidence(sale)[0]["amount_approved"] == 1250


async def test_what_never_arrived_is_failed_once_it_cannot_arrive(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.driver(options=NAMED | {"duplicata_idle": True})
    await shop.sale()
    sale = await shop.sale("cut_uncharged")
    assert (sale.state, sale.outcome.code) == (State.FAILED, "not_received")  # type: ignore[union-attr]
    monkeypatch.setattr(recovery, "IN_FLIGHT", 60.0)
    assert (await shop.sale("cut_uncharged")).state is State.UNKNOWN, "it may still be on its way"


async def test_attempts_that_never_left_do_not_make_it_younger(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.driver(options=NAMED | {"duplicata_idle": True}, questions=())
    await shop.sale()
    monkeypatch.setattr(recovery, "IN_FLIGHT", 60.0)
    lost = await shop.sale("cut_uncharged")
    assert (await shop.sale(not_after="2020-01-01T00:00:00.000Z")).state is State.FAILED
    assert lost.state is State.UNKNOWN, "it may still be on its way"
    await asyncio.sleep(0.2)
    monkeypatch.setattr(recovery, "IN_FLIGHT", 0.1)
    await shop.sale()
    assert (lost.state, lost.outcome.code) == (State.FAILED, "not_received")  # type: ignore[union-attr]


async def test_while_it_may_still_run_there_it_is_not_failed(shop: Shop) -> None:
    shop.driver(options=NAMED | {"answer_timeout": 60})
    await shop.sale()
    assert (await shop.sale("cut_uncharged")).state is State.UNKNOWN


async def test_one_that_was_not_completed_is_failed(shop: Shop) -> None:
    class Deaf(ConcertV3):
        """Loses the link instead of hearing the answer; hears answers to questions."""

        def receive(self, data: bytes) -> list[Effect]:
            return super().receive(data) if self._lost else self.lost("reset")

    shop.driver(dataclasses.replace(CONCERT, machine=Deaf), options=STRICT, exclusive=True)
    sale = await shop.sale("decline")
    assert (sale.state, sale.outcome.code) == (State.FAILED, "not_completed")  # type: ignore[union-attr]
    shop.driver(dataclasses.replace(CONCERT, machine=Deaf), options=STRICT)
    assert (await shop.sale("decline")).state is State.UNKNOWN, "on a shared one it may be another's"


async def test_an_unknown_one_before_leaves_nothing_to_compare_with(shop: Shop) -> None:
    shop.driver(exclusive=True)
    await shop.sale()
    shop.plain.tells = False
    first = await shop.sale("cut")
    shop.plain.tells = True
    second = await shop.sale("cut_uncharged")
    assert (first.state, second.state) == (State.UNKNOWN, State.UNKNOWN)
    assert shop.evidence(second)[0]["matches"] == ["amount", "currency"]


# -- machines that break, and answers about another one


async def test_a_machine_that_breaks_over_a_question(shop: Shop) -> None:
    class Broken(ConcertV3):
        def resume(self, record: Any, lost: Any = None) -> list[Effect]:
            raise RuntimeError

    shop.driver(dataclasses.replace(CONCERT, machine=Broken))
    sale = await shop.sale("cut")
    assert (sale.state, sale.outcome.code, shop.plain.questions) == (State.UNKNOWN, "link_lost", [])  # type: ignore[union-attr]


async def test_a_machine_that_breaks_over_what_it_has_ended(shop: Shop) -> None:
    class Broken(ConcertV3):
        def _judge(self) -> list[Any]:
            told = [effect for effect in super()._judge() if not isinstance(effect, Result | Close)]
            return [*told, "not an effect"]

    shop.driver(dataclasses.replace(CONCERT, machine=Broken))
    sale = await shop.sale()
    assert (sale.state, shop.events(sale)) == (State.APPROVED, ["requested", "sent", "approved"])
    await until(lambda: shop.terminal.holder is None)
    assert shop.plain.questions == [], "the terminal has said how it ended"


class Gossip(ConcertV3):
    """Hears about another payment whenever it connects."""

    word: Last

    def connected(self) -> list[Effect]:
        return [Heard(self.word), *super().connected()]


def said(uuid: str, amount: int = 1250, state: State = State.APPROVED) -> Last:
    outcome = Outcome(state, amount_approved=amount if state is State.APPROVED else None)
    return Last(outcome, currency="EUR", reference=uuid)


async def test_a_late_answer_reaches_the_one_it_is_about(shop: Shop) -> None:
    shop.driver(options={"drain": 0.02})
    lost, done = await shop.sale("cut"), await shop.sale("approve", amount=300)

    async def hears(word: Last) -> None:
        machine = type("GossipHere", (Gossip,), {"word": word})
        shop.driver(dataclasses.replace(CONCERT, machine=machine), options={"drain": 0.02})
        assert (await shop.sale(amount=100)).state is State.APPROVED

    await hears(said("11111111-1111-4111-8111-111111111111"))  # nobody's
    await hears(said(lost.uuid, amount=9900))
    assert shop.events(lost)[-1] == "evidence", "more than was asked proves nothing"
    await hears(said(done.uuid, amount=300))
    assert shop.events(done)[-1] == "approved", "known already"
    await hears(said(lost.uuid))
    assert shop.events(lost)[-1] == "approved"
    await hears(said(lost.uuid, state=State.DECLINED))
    assert shop.events(lost)[-1] == "late_answer"
