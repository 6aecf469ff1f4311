"""Answers that were lost: when the terminal is asked, and who may use it meanwhile."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator

import pytest
from lost_answers import CONCERT, NAMED, TELLS, Shop, opened
from runtime_kit import MovableClock, body, ended, until

from hw_driver import asking
from hw_driver.journal import Journal
from hw_driver.protocols.states import State
from hw_driver.refusals import TerminalBusy
from hw_driver.transaction import Transaction


@pytest.fixture
async def shop(journal: Journal, clock: MovableClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shop]:
    async with opened(journal, clock, monkeypatch) as shop:
        yield shop


# -- who may use the terminal meanwhile


async def test_the_terminal_is_held_while_it_is_asked(shop: Shop) -> None:
    shop.driver(questions=(60,))
    shop.plain.behaviour = "cut"
    sale = await shop.terminal.start(body(shop.clock, till="Till 2"))
    await until(lambda: (sale.as_json("j")["progress"] or {}).get("code") == "asking_terminal")
    told = sale.as_json("j")
    assert (told["state"], told["money"], sale.ended) == ("sent", "unknown", False)
    assert shop.events(sale) == ["requested", "sent"]
    with pytest.raises(TerminalBusy) as refusal:
        await shop.terminal.start(body(shop.clock))
    assert (refusal.value.holder["till"], refusal.value.holder["uuid"]) == ("Till 2", sale.uuid)
    assert shop.terminal.describe()["link"]["state"] == "in_use"


async def test_a_terminal_that_cannot_tell_is_unknown_at_once(shop: Shop) -> None:
    shop.driver(options={"drain": 0.02})
    assert (await shop.sale("cut")).state is State.UNKNOWN
    assert (shop.plain.questions, shop.terminal.holder) == ([], None)
    assert not shop.terminal.describe()["capabilities"]["can_be_asked"]


async def test_a_terminal_that_refuses_to_tell(shop: Shop) -> None:
    shop.plain.tells = False
    sale = await shop.sale("cut")
    assert (sale.state, sale.outcome.code, shop.evidence(sale)) == (  # type: ignore[union-attr]
        State.UNKNOWN,
        "link_lost",
        [],
    )
    await until(lambda: shop.terminal.holder is None)
    assert (await shop.sale()).state is State.APPROVED


async def test_a_terminal_that_cannot_be_reached_to_be_asked(shop: Shop) -> None:
    shop.plain.hold.clear()
    shop.plain.behaviour = "cut"
    sale = await shop.terminal.start(body(shop.clock))
    await until(lambda: shop.plain.requests)
    shop.plain._server.close()
    shop.plain.hold.set()
    await ended(sale)
    assert (sale.state, sale.outcome.code) == (State.UNKNOWN, "link_lost")  # type: ignore[union-attr]


# -- occasions


async def stopped_while_it_pays(shop: Shop, behaviour: str = "cut") -> Transaction:
    shop.plain.behaviour = behaviour
    shop.plain.hold.clear()
    sale = await shop.terminal.start(body(shop.clock))
    await until(lambda: shop.plain.requests)
    await shop.terminal.close()
    shop.plain.hold.set()
    await until(lambda: not shop.plain._open)
    return sale


async def test_at_the_start_the_terminal_is_asked_before_the_first_sale(shop: Shop) -> None:
    shop.driver(options=NAMED)
    sale = await stopped_while_it_pays(shop)
    terminal = shop.driver(options=NAMED)
    await terminal.recover()
    with pytest.raises(TerminalBusy):
        await terminal.start(body(shop.clock))
    await ended(terminal.transaction(sale.uuid))  # type: ignore[arg-type]
    assert shop.events(sale) == ["requested", "sent", "approved"]
    assert (await shop.sale()).state is State.APPROVED
    assert shop.plain.ledger == [1250, 1250]


async def test_at_the_start_an_unknown_one_is_taken_up_too(shop: Shop) -> None:
    shop.driver(options=NAMED)
    shop.plain.tells = False
    sale = await shop.sale("cut")
    assert sale.state is State.UNKNOWN
    await shop.terminal.close()
    shop.plain.tells = True
    terminal = shop.driver(options=NAMED)
    await terminal.recover()
    await ended(terminal.transaction(sale.uuid))  # type: ignore[arg-type]
    assert shop.events(sale)[-2:] == ["unknown", "approved"]


async def test_only_the_last_one_is_asked_about(shop: Shop) -> None:
    shop.driver(options=NAMED)
    shop.plain.tells = False
    first = await shop.sale("cut")
    shop.plain.tells = True
    second = await shop.sale("approve")
    asked = len(shop.plain.questions)
    await shop.terminal.close()
    terminal = shop.driver(options=NAMED)
    await terminal.recover()
    terminal.asked_about(first.uuid)
    assert terminal.holder is None
    assert (first.state, second.state, len(shop.plain.questions)) == (State.UNKNOWN, State.APPROVED, asked)


async def test_one_that_never_left_does_not_come_between(shop: Shop) -> None:
    shop.driver(options=NAMED)
    sale = await stopped_while_it_pays(shop)
    shop.journal.intend(body(shop.clock))  # the driver was killed before anything was sent
    terminal = shop.driver(options=NAMED)
    await terminal.recover()
    await ended(terminal.transaction(sale.uuid))  # type: ignore[arg-type]
    assert shop.events(sale)[-1] == "approved"
    assert [event.type for event in shop.journal.events()].count("failed") == 1


async def test_two_left_open_the_earlier_one_is_unknown(shop: Shop) -> None:
    first, second = body(shop.clock), body(shop.clock)
    for asked in (first, second):
        shop.journal.intend(asked)
        shop.journal.record(asked["uuid"], State.SENT)
    shop.plain.charge({"CB": "1250", "CE": "978", "CF": second["uuid"].replace("-", "")})
    terminal = shop.driver(options=NAMED)
    await terminal.recover()
    await ended(terminal.transaction(second["uuid"]))  # type: ignore[arg-type]
    states = [shop.journal.get(asked["uuid"]).state for asked in (first, second)]  # type: ignore[union-attr]
    assert states == [State.UNKNOWN, State.APPROVED]


async def test_a_till_that_looks_makes_the_driver_ask(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.driver(options=NAMED, questions=())
    shop.plain.tells = False
    sale = await shop.sale("cut")
    await until(lambda: shop.terminal.holder is None)
    assert (sale.state, shop.plain.questions) == (State.UNKNOWN, [])
    for _ in range(3):
        shop.terminal.asked_about(sale.uuid)
        await until(lambda: shop.terminal.holder is None)
    assert len(shop.plain.questions) == 1, "not again so soon"
    monkeypatch.setattr(asking, "FOR_TILLS_SECONDS", 0.0)
    for _ in range(2 * asking.FOR_TILLS):
        shop.terminal.asked_about(sale.uuid)
        await until(lambda: shop.terminal.holder is None)
    assert len(shop.plain.questions) == asking.FOR_TILLS, "not for ever"
    await shop.terminal.close()
    shop.driver(options=NAMED, questions=())
    shop.plain.tells = True
    shop.terminal.asked_about("not-a-known-one")
    shop.terminal.asked_about(sale.uuid)
    await until(lambda: shop.terminal.holder is None)
    assert shop.events(sale)[-1] == "approved"


async def test_later_it_is_asked_while_nobody_uses_the_terminal(shop: Shop) -> None:
    later = dataclasses.replace(CONCERT.recovery, later=(0.05, 0.05))  # type: ignore[type-var]
    shop.driver(dataclasses.replace(CONCERT, recovery=later), options=NAMED, questions=())
    shop.plain.tells = False
    sale = await shop.sale("cut")
    await until(lambda: shop.plain.questions)
    shop.plain.tells = True
    await until(lambda: shop.events(sale)[-1] == "approved")
    assert (sale.state, sale.ended) == (State.APPROVED, True), "a till that waits is told"


async def test_the_next_sale_waits_for_a_last_question(shop: Shop) -> None:
    shop.driver(options=NAMED, questions=())
    lost = await shop.sale("cut")
    await until(lambda: shop.terminal.holder is None)
    assert lost.state is State.UNKNOWN
    asked = body(shop.clock)
    shop.plain.behaviour = "approve"
    presses = [shop.terminal.start(asked) for _ in range(3)]
    results = await asyncio.gather(*presses, return_exceptions=True)
    assert [type(result) for result in results].count(Transaction) == 1
    await ended(next(result for result in results if isinstance(result, Transaction)))
    assert (lost.state, shop.events(lost)[-1]) == (State.APPROVED, "approved")
    assert (shop.plain.ledger, len(shop.plain.questions)) == ([1250, 1250], 1)


async def test_a_terminal_that_takes_long_to_tell_refuses_the_next_sale(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "BEFORE_NEXT_SECONDS", 0.05)
    shop.driver(options=NAMED | {"answer_timeout": 5}, questions=())
    lost = await shop.sale("cut")
    await until(lambda: shop.terminal.holder is None)
    shop.plain.thinks.clear()
    with pytest.raises(TerminalBusy) as refusal:
        await shop.terminal.start(body(shop.clock))
    assert refusal.value.holder["uuid"] == lost.uuid
    shop.plain.thinks.set()
    await ended(lost)


async def test_after_another_payment_only_a_reference_proves_anything(shop: Shop) -> None:
    shop.driver(exclusive=True, questions=())
    await shop.sale()
    lost = await shop.sale("cut", amount=300)
    await until(lambda: shop.terminal.holder is None)
    shop.plain.behaviour = "busy"
    assert (await shop.sale("busy")).state is State.FAILED
    assert lost.state is State.APPROVED, "asked before that one left, it was the last"
    shop.plain.tells = False
    lost = await shop.sale("cut", amount=400)
    await until(lambda: shop.terminal.holder is None)
    assert (await shop.sale("busy")).state is State.FAILED
    shop.plain.tells = True
    await shop.terminal.close()
    terminal = shop.driver(exclusive=True, questions=())
    await terminal.recover()
    await until(lambda: terminal.holder is None)
    assert shop.journal.get(lost.uuid).state is State.UNKNOWN  # type: ignore[union-attr]
    assert shop.evidence(lost)[-1]["matches"] == ["amount", "currency"]


async def test_a_new_sale_ends_the_asking(shop: Shop) -> None:
    later = dataclasses.replace(CONCERT.recovery, later=(0.1,))  # type: ignore[type-var]
    shop.driver(dataclasses.replace(CONCERT, recovery=later), options=TELLS, questions=())
    lost = await shop.sale("cut")
    await until(lambda: shop.terminal.holder is None)
    assert (await shop.sale("approve", amount=300)).state is State.APPROVED
    await asyncio.sleep(0.2)
    assert (len(shop.plain.questions), lost.state) == (1, State.UNKNOWN)


async def test_a_terminal_at_work_is_not_asked_for_a_till(shop: Shop) -> None:
    shop.driver(options=NAMED, questions=())
    lost = await shop.sale("cut")
    await until(lambda: shop.terminal.holder is None)
    shop.plain.thinks.clear()
    shop.terminal.asked_about(lost.uuid)
    assert shop.terminal.holder is not None
    shop.terminal.asked_about(lost.uuid)
    shop.plain.thinks.set()
    await until(lambda: shop.terminal.holder is None)
    assert (len(shop.plain.questions), shop.events(lost)[-1]) == (1, "approved")


async def test_after_a_restart_the_next_sale_asks_about_the_one_before(shop: Shop) -> None:
    """Also where the start itself could not ask: the terminal was off."""
    shop.driver(options=NAMED, questions=())
    lost = await shop.sale("cut")
    await until(lambda: shop.terminal.holder is None)
    await shop.terminal.close()
    shop.driver(options=NAMED, questions=())
    assert (await shop.sale()).state is State.APPROVED
    assert (shop.events(lost)[-1], len(shop.plain.questions)) == ("approved", 1)


async def test_what_a_person_has_settled_is_not_asked_about_later(shop: Shop) -> None:
    later = dataclasses.replace(CONCERT.recovery, later=(0.1, 0.1))  # type: ignore[type-var]
    shop.driver(dataclasses.replace(CONCERT, recovery=later), options=NAMED, questions=())
    sale = await shop.sale("cut")
    await until(lambda: shop.terminal.holder is None)
    shop.journal.settle(sale.uuid, paid=True, by="Anne", at="2026-03-01T12:00:00.000Z")
    await asyncio.sleep(0.3)
    assert (shop.plain.questions, shop.events(sale)[-1]) == ([], "settled_by_hand")


async def test_a_person_was_quicker_than_the_question(shop: Shop) -> None:
    shop.driver(options=NAMED, questions=())
    sale = await shop.sale("cut")
    await until(lambda: shop.terminal.holder is None)
    shop.terminal.asked_about(sale.uuid)
    shop.journal.settle(sale.uuid, paid=False, by="Anne", at="2026-03-01T12:00:00.000Z")
    await until(lambda: shop.terminal.holder is None)
    assert shop.events(sale)[-2:] == ["settled_by_hand", "late_answer"]
    assert shop.journal.get(sale.uuid).state is State.SETTLED_BY_HAND  # type: ignore[union-attr]
