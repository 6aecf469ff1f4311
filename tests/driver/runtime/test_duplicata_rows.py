"""What a terminal answers to "what was your last?" (CD 3) in each case that HiPay documents, and what comes of it.

Through the driver, on TCP, against a virtual terminal whose ledger is the truth.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
from runtime_kit import MovableClock, body

from hw_driver import asking
from hw_driver.journal import Journal
from hw_driver.protocols import recovery
from hw_driver.protocols.machine import Outcome
from hw_driver.protocols.registry import PROTOCOLS
from hw_driver.protocols.states import State
from hw_driver.terminal import Terminal
from hw_driver.transaction import Transaction
from hw_driver.virtual.concert import Settings, VirtualConcert
from hw_driver.virtual.faults import Faults
from hw_driver.virtual.ledger import Ledger
from hw_driver.virtual.server import Server

TELLS = {"drain": 0.02, "answer_timeout": 0.3, "duplicata": True, "duplicata_idle": True, "duplicata_refused": "07"}
NAMED = TELLS | {"reference_tag": "CH"}


class Shop:
    """A virtual terminal and a driver that asks it three times after a lost answer."""

    def __init__(self, journal: Journal, clock: MovableClock) -> None:
        self.journal, self.clock = journal, clock
        self.virtual = VirtualConcert(Settings(auto="contactless", quiet=0.01, close_after=0.02), Faults())
        self.server = Server(self.virtual, Ledger(None))
        self.driver: Terminal | None = None

    def start(self, options: dict[str, Any], *, exclusive: bool) -> None:
        where = {"kind": "tcp", "host": "127.0.0.1", "port": self.server.port}
        settings = {"clock": self.clock, "exclusive": exclusive, "questions": (0.1, 0.2, 0.6)}
        self.driver = Terminal("counter", "Counter", PROTOCOLS["concert-v3"], where, options, self.journal, **settings)

    async def sale(self, *faults: str, value: int | None = None, **asked: Any) -> Transaction:
        assert self.driver
        for name in faults:
            self.virtual.faults.arm(name, value=value)
        return await self.driver.start(body(self.clock, **asked))

    async def ended(self, transaction: Transaction) -> Transaction:
        async with asyncio.timeout(15):
            while not transaction.ended:
                await transaction.changed(transaction.rev, 10)
        return transaction

    async def standalone(self, amount: int) -> None:
        """Somebody types a sale on the terminal itself."""
        before = len(self.server.ledger.entries)
        self.server.do(partial(self.virtual.standalone, amount))
        async with asyncio.timeout(5):
            while len(self.server.ledger.entries) == before:  # noqa: ASYNC110
                await asyncio.sleep(0.005)

    def charged(self) -> list[int]:
        return [entry.amount for entry in self.server.ledger.entries if entry.outcome == "approved"]

    def evidence(self, transaction: Transaction) -> list[list[str]]:
        events = [event for event in self.journal.events() if event.uuid == transaction.uuid]
        return [event.body["matches"] for event in events if event.type == "evidence"]


@pytest.fixture
async def shop(journal: Journal, clock: MovableClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shop]:
    monkeypatch.setattr(recovery, "IN_FLIGHT", 0.0)
    shop = Shop(journal, clock)
    await shop.server.start()
    yield shop
    if shop.driver:
        await shop.driver.close()
    await shop.server.stop()


def result(transaction: Transaction) -> tuple[str, str]:
    assert transaction.outcome
    return transaction.state.value, transaction.outcome.code


# -- the last one succeeded: success, with its own amount


async def test_the_lost_one_succeeded_and_is_named(shop: Shop) -> None:
    shop.start(NAMED, exclusive=False)
    lost = await shop.ended(await shop.sale("lost"))
    assert (result(lost), shop.charged()) == (("approved", "approved"), [1250])


async def test_the_lost_one_succeeded_on_a_terminal_of_its_own(shop: Shop) -> None:
    shop.start(TELLS, exclusive=True)
    await shop.ended(await shop.sale())
    lost = await shop.ended(await shop.sale("lost"))
    assert (result(lost), shop.charged()) == (("approved", "approved"), [1250, 1250])


async def test_the_lost_one_succeeded_on_a_shared_terminal(shop: Shop) -> None:
    """It may have been anybody's: a person reads the slip."""
    shop.start(TELLS, exclusive=False)
    await shop.ended(await shop.sale())
    lost = await shop.ended(await shop.sale("lost"))
    assert result(lost) == ("unknown", "link_lost")
    assert shop.evidence(lost) == [["amount", "currency", "newer"]]


async def test_a_reversal_that_was_lost_is_told_as_well(shop: Shop) -> None:
    shop.start(NAMED, exclusive=False)
    paid = await shop.ended(await shop.sale())
    back = await shop.ended(await shop.sale("lost", kind="reversal", original={"uuid": paid.uuid}))
    assert result(back) == ("approved", "approved")
    assert [entry.kind for entry in shop.server.ledger.entries] == ["sale", "reversal"]


# -- the last one was refused or abandoned: failure, "derniere transaction non aboutie"


async def test_the_lost_one_was_abandoned(shop: Shop) -> None:
    shop.start(TELLS, exclusive=True)
    lost = await shop.ended(await shop.sale("timeout", value=1))  # nobody presents a card; the till waits less long
    assert (result(lost), shop.charged()) == (("failed", "not_completed"), [])


async def test_one_that_was_abandoned_on_a_shared_terminal(shop: Shop) -> None:
    shop.start(TELLS, exclusive=False)
    lost = await shop.ended(await shop.sale("timeout", value=1))
    assert (result(lost), shop.charged()) == (("unknown", "no_answer"), [])


# -- nothing since the last settlement: failure, "duplicata impossible"


async def test_nothing_since_the_settlement(shop: Shop) -> None:
    shop.start(TELLS | {"settlement": True}, exclusive=True)
    await shop.ended(await shop.sale())
    errand = {"kind": "settlement", "amount": 0, "currency": "", "order": "", "line": ""}
    assert result(await shop.ended(await shop.sale(**errand))) == ("approved", "settled")
    lost = await shop.ended(await shop.sale("silent"))
    assert result(lost) == ("unknown", "no_answer")
    assert shop.evidence(lost) == [], "a terminal without a last payment proves nothing"


async def test_the_first_sale_after_a_settlement(shop: Shop) -> None:
    """A terminal of its own tells another result than before the settlement, so it can only be this one's."""
    shop.start(TELLS | {"settlement": True}, exclusive=True)
    await shop.ended(await shop.sale())
    errand = {"kind": "settlement", "amount": 0, "currency": "", "order": "", "line": ""}
    await shop.ended(await shop.sale(**errand))
    lost = await shop.ended(await shop.sale("lost"))
    assert result(lost) == ("approved", "approved")


@pytest.mark.parametrize(
    ("kind", "state", "may_be_told", "is_the_last"),
    [
        ("reprint", State.APPROVED, True, True),
        ("settlement", State.APPROVED, False, False),
        ("settlement", State.FAILED, True, False),
        ("sale", State.APPROVED, False, False),
        ("sale", State.DECLINED, True, False),
    ],
)
def test_what_came_after_an_unknown_one(
    journal: Journal, kind: str, state: State, may_be_told: bool, is_the_last: bool
) -> None:
    unknown = journal.intend(body())
    journal.record(unknown.uuid, State.SENT)
    unknown = journal.record(unknown.uuid, State.UNKNOWN)
    later = journal.intend(body(kind=kind))
    journal.record(later.uuid, State.SENT)
    journal.record(later.uuid, state, Outcome(state, "link_lost"))
    assert asking.may_be_last(journal, unknown) is may_be_told
    assert asking.is_last(journal, unknown) is is_the_last


def test_what_was_refused_at_once_does_not_come_between(journal: Journal) -> None:
    unknown = journal.intend(body())
    journal.record(unknown.uuid, State.SENT)
    unknown = journal.record(unknown.uuid, State.UNKNOWN)
    later = journal.intend(body())
    journal.record(later.uuid, State.SENT)
    journal.record(later.uuid, State.FAILED, Outcome(State.FAILED, "terminal_busy"))
    assert not asking.is_last(journal, unknown), "some terminals count what they refuse"
    assert asking.is_last(journal, unknown, PROTOCOLS["zvt"].recovery.refusals)


async def test_a_copy_between_changes_nothing(shop: Shop) -> None:
    """A reprint is no payment: what was last before it is last after it."""
    shop.start(TELLS, exclusive=True)
    await shop.ended(await shop.sale())
    errand = {"kind": "reprint", "amount": 0, "currency": "", "order": "", "line": ""}
    assert result(await shop.ended(await shop.sale(**errand))) == ("approved", "reprinted")
    lost = await shop.ended(await shop.sale("lost"))
    assert result(lost) == ("approved", "approved")


# -- the traps: the request never arrived, and the last one is another's


@pytest.mark.parametrize("exclusive", [True, False])
@pytest.mark.parametrize("options", [TELLS, NAMED], ids=["unnamed", "named"])
async def test_the_trap_a_previous_customer_paid_the_same(shop: Shop, options: dict[str, Any], exclusive: bool) -> None:
    shop.start(options, exclusive=exclusive)
    await shop.ended(await shop.sale())
    lost = await shop.ended(await shop.sale("silent"))
    assert lost.state.value != "approved"
    assert shop.charged() == [1250]
    # Where answers carry names, the terminal's word that its last is an earlier one proves that ours never came.
    assert lost.state.value == ("failed" if options is NAMED else "unknown")


@pytest.mark.parametrize("options", [TELLS, NAMED], ids=["unnamed", "named"])
async def test_the_trap_a_sale_without_a_till_of_the_same_amount(shop: Shop, options: dict[str, Any]) -> None:
    shop.start(options, exclusive=False)
    await shop.ended(await shop.sale())
    lost = await shop.sale("silent")
    await shop.standalone(1250)
    await shop.ended(lost)
    assert (lost.state.value, shop.charged()) == ("unknown", [1250, 1250])
    assert shop.evidence(lost)


# -- asked while a payment runs: it refuses, and is asked again


async def test_while_it_still_runs_nothing_is_concluded(shop: Shop) -> None:
    shop.start(TELLS, exclusive=True)
    await shop.ended(await shop.sale())
    lost = await shop.ended(await shop.sale("late", value=1))
    assert (result(lost), shop.charged()) == (("approved", "approved"), [1250, 1250])


async def test_a_terminal_without_copies_is_not_asked(shop: Shop) -> None:
    shop.virtual.settings.duplicata = False
    shop.start({"drain": 0.02, "answer_timeout": 0.3}, exclusive=True)
    lost = await shop.ended(await shop.sale("lost"))
    assert result(lost) == ("unknown", "link_lost")
    assert shop.evidence(lost) == []
