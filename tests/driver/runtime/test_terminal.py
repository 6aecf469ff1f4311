"""The terminal runner on real TCP, against a terminal that shares no code with it."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from plain_terminal import PlainTerminal
from runtime_kit import MovableClock, SmallDisk, body, ended, until

from hw_driver import dialog
from hw_driver.journal import Journal, JournalUnavailable, KnownTransaction, NotRecorded
from hw_driver.protocols.concert.machine import ConcertV3
from hw_driver.protocols.info import ProtocolInfo
from hw_driver.protocols.machine import Effect, InvalidRequest, Outcome, Persist, Progress, Send
from hw_driver.protocols.registry import PROTOCOLS
from hw_driver.protocols.states import Money, State
from hw_driver.refusals import CannotCancel, NotSupported, TerminalBusy
from hw_driver.terminal import Terminal
from hw_driver.transaction import Transaction

CONCERT = PROTOCOLS["concert-v3"]


class Counter:
    """A plain terminal, and the runner that talks to it."""

    def __init__(self, journal: Journal, clock: MovableClock, plain: PlainTerminal) -> None:
        self.journal, self.clock, self.plain = journal, clock, plain
        self.terminal = self.runner()

    def runner(self, info: ProtocolInfo = CONCERT, port: int = 0, **options: Any) -> Terminal:
        where = {"kind": "tcp", "host": "127.0.0.1", "port": port or self.plain.port}
        options = {"drain": 0.05, **options}
        self.terminal = Terminal("counter", "Counter", info, where, options, self.journal, clock=self.clock)
        return self.terminal

    def behaves(self, behaviour: str) -> None:
        self.plain.behaviour = behaviour

    async def sale(self, **other: Any) -> Transaction:
        return await ended(await self.terminal.start(body(self.clock, **other)))

    def states(self, transaction: Transaction) -> list[str]:
        return [event.type for event in self.journal.events() if event.uuid == transaction.uuid]


@pytest.fixture
async def counter(journal: Journal, clock: MovableClock) -> AsyncIterator[Counter]:
    async with PlainTerminal("approve") as plain:
        counter = Counter(journal, clock, plain)
        yield counter
        await counter.terminal.close()


ENDS = [
    ("approve", "approved", [1250]),
    ("approve_and_stay", "approved", [1250]),
    ("decline", "declined", []),
    ("abandon", "cancelled", []),
    ("cut", "unknown", [1250]),
    ("cut_uncharged", "unknown", []),
    ("silent", "unknown", [1250]),
]


@pytest.mark.parametrize(("behaviour", "state", "ledger"), ENDS)
async def test_a_sale_ends_as_the_terminal_says(
    counter: Counter, behaviour: str, state: str, ledger: list[int]
) -> None:
    counter.behaves(behaviour)
    counter.runner(answer_timeout=0.3)
    sale = await counter.sale()
    assert (sale.state, counter.plain.ledger) == (state, ledger)
    assert counter.states(sale) == ["requested", "sent", state]
    assert len(counter.plain.requests) == 1
    told = sale.as_json(counter.journal.journal_id)
    assert told["money"] == ("unknown" if state == "unknown" else "final")
    assert told["amount_approved"] == (1250 if state == "approved" else None)
    await until(lambda: counter.terminal.holder is None)


async def test_the_intent_is_durable_before_the_first_byte(counter: Counter) -> None:
    counter.plain.hold.clear()
    sale = await counter.terminal.start(body(counter.clock))
    await until(lambda: counter.plain.requests)
    assert counter.states(sale) == ["requested", "sent"]
    assert (sale.state, sale.money, sale.ended) == (State.SENT, Money.UNKNOWN, False)
    counter.plain.hold.set()
    assert (await ended(sale)).state is State.APPROVED


async def test_one_dialog_at_a_time(counter: Counter) -> None:
    counter.plain.hold.clear()
    first = await counter.terminal.start(body(counter.clock, till="Till 2", operator="Ali"))
    with pytest.raises(TerminalBusy) as refusal:
        await counter.terminal.start(body(counter.clock))
    holder = refusal.value.holder
    assert (holder["till"], holder["operator"], holder["uuid"]) == ("Till 2", "Ali", first.uuid)
    assert "Till 2" in str(refusal.value)
    assert refusal.value.money is Money.SAFE
    assert [event.type for event in counter.journal.events()].count("requested") == 1
    counter.plain.hold.set()
    await ended(first)
    assert (await counter.sale()).state is State.APPROVED
    assert counter.plain.ledger == [1250, 1250]


async def test_a_hundred_at_once_send_one(counter: Counter) -> None:
    asked = body(counter.clock)
    tries = [counter.terminal.start(asked) for _ in range(100)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(result, Transaction) for result in results) == 1
    assert sum(isinstance(result, KnownTransaction | TerminalBusy) for result in results) == 99
    await ended(next(result for result in results if isinstance(result, Transaction)))
    assert len(counter.plain.requests) == 1


async def test_a_known_uuid_sends_nothing(counter: Counter) -> None:
    asked = body(counter.clock)
    sale = await ended(await counter.terminal.start(asked))
    with pytest.raises(KnownTransaction):
        await counter.terminal.start(asked)
    assert len(counter.plain.requests) == 1
    assert counter.terminal.transaction(sale.uuid).state is State.APPROVED  # type: ignore[union-attr]


async def test_sales_one_right_after_the_other(counter: Counter) -> None:
    counter.behaves("approve_and_stay")
    for amount in (100, 200, 300):
        assert (await counter.sale(amount=amount)).state is State.APPROVED
    assert counter.plain.ledger == [100, 200, 300]


@pytest.mark.parametrize(
    "wrong",
    [{"amount": 0}, {"amount": -5}, {"amount": 10**12}, {"amount": 12.5}, {"currency": "ZZZ"}, {"not_after": "noon"}],
)
async def test_a_request_that_cannot_be_said_is_refused(counter: Counter, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        await counter.terminal.start(body(counter.clock, **wrong))
    assert refusal.value.money is Money.SAFE
    assert (counter.journal.last, counter.plain.requests, counter.terminal.holder) == (1, [], None)


async def test_a_kind_the_terminal_has_not_is_refused(counter: Counter) -> None:
    for kind in ("preauth", "settlement", "identify", "dance"):
        with pytest.raises(NotSupported):
            await counter.terminal.start(body(counter.clock, kind=kind))
    assert (counter.journal.last, counter.plain.requests) == (1, [])


async def test_the_check_refuses_before_anything_is_kept(counter: Counter) -> None:
    def check() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        await counter.terminal.start(body(counter.clock), check)
    assert (counter.journal.last, counter.terminal.holder) == (1, None)


def test_an_option_the_protocol_does_not_know_is_refused(journal: Journal) -> None:
    with pytest.raises(InvalidRequest, match="colour"):
        Terminal("t", "T", CONCERT, {"kind": "tcp", "host": "h", "port": 1}, {"colour": "red"}, journal)


async def test_a_request_that_comes_too_late_sends_nothing(counter: Counter) -> None:
    sale = await counter.sale(not_after="2020-01-01T00:00:00.000Z")
    assert (sale.state, sale.outcome.code) == (State.FAILED, "expired")  # type: ignore[union-attr]
    assert counter.states(sale) == ["requested", "failed"]
    assert counter.plain.requests == []
    assert counter.terminal.holder is None


@pytest.mark.parametrize("shift", [timedelta(hours=-1), timedelta(days=1)])
async def test_a_clock_that_jumps_neither_revives_nor_expires(counter: Counter, shift: timedelta) -> None:
    pressed_long_ago = body(counter.clock)
    pressed_long_ago["not_after"] = pressed_long_ago["not_after"].replace("Z", "+00:30")  # half an hour too late
    fresh = body(counter.clock)
    counter.clock.shift = shift
    assert (await ended(await counter.terminal.start(pressed_long_ago))).state is State.FAILED
    assert (await ended(await counter.terminal.start(fresh))).state is State.APPROVED
    assert len(counter.plain.requests) == 1


async def test_a_terminal_that_is_off(counter: Counter) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    terminal = counter.runner(port=port)
    sale = await counter.sale()
    assert (sale.state, counter.states(sale)) == (State.FAILED, ["requested", "failed"])
    assert terminal.describe()["link"]["state"] == "refused"
    assert "port" in terminal.describe()["link"]["text"]


async def test_progress_counts_down_and_wakes_who_waits(counter: Counter) -> None:
    counter.plain.hold.clear()
    sale = await counter.terminal.start(body(counter.clock))
    await until(lambda: sale.as_json("j")["progress"])
    progress = sale.as_json("j")["progress"]
    assert progress["code"] == "waiting_for_card"
    assert 0 < progress["seconds_left"] <= 180
    waiting = asyncio.create_task(sale.changed(sale.rev, 25))
    counter.plain.hold.set()
    before = sale.rev
    async with asyncio.timeout(10):
        assert (await waiting).rev > before
    assert (await sale.changed(sale.rev + 1000, 25)).rev < before + 1000  # a number from before a restart: told at once
    await ended(sale)
    assert sale.as_json("j")["progress"] is None
    assert (await sale.changed(sale.rev, 0.01)) is sale


async def test_a_terminal_without_abort_says_what_to_do(counter: Counter) -> None:
    counter.plain.hold.clear()
    sale = await counter.terminal.start(body(counter.clock))
    await until(lambda: counter.plain.requests)
    with pytest.raises(CannotCancel, match="red key"):
        await counter.terminal.cancel(sale.uuid)
    counter.plain.hold.set()
    await ended(sale)
    with pytest.raises(CannotCancel, match="over"):
        await counter.terminal.cancel(sale.uuid)


async def test_a_refund_goes_out_with_its_original(counter: Counter) -> None:
    sale = await counter.sale()
    refund = await counter.sale(kind="refund", amount=500, original={"uuid": sale.uuid})
    assert refund.state is State.APPROVED
    assert [(request["CD"], request["CB"]) for request in counter.plain.requests] == [("0", "1250"), ("1", "500")]
    assert [record.uuid for record in counter.journal.of_original(sale.uuid)] == [refund.uuid]


async def test_identify_moves_no_money_and_leaves_no_event(counter: Counter) -> None:
    who = await ended(await counter.terminal.identify("11111111-1111-4111-8111-111111111111", till="Till 1"))
    assert (who.state, who.money) == (State.APPROVED, Money.SAFE)
    assert counter.terminal.transaction(who.uuid) is who
    assert counter.journal.last == 1
    assert counter.terminal.describe()["last_seen"]
    assert counter.plain.requests[0]["CD"] == "I"


# -- after the driver was stopped


async def stopped_while(counter: Counter, behaviour: str) -> Transaction:
    counter.behaves(behaviour)
    counter.plain.hold.clear()
    sale = await counter.terminal.start(body(counter.clock))
    await until(lambda: counter.plain.requests)
    await counter.terminal.close()
    counter.plain.hold.set()
    return sale


async def test_a_sale_that_was_under_way_is_unknown_after_a_restart(counter: Counter) -> None:
    sale = await stopped_while(counter, "approve")
    terminal = counter.runner()
    await terminal.recover()
    recovered = terminal.transaction(sale.uuid)
    assert recovered is not None
    assert (recovered.state, recovered.outcome.code) == (State.UNKNOWN, "driver_restarted")  # type: ignore[union-attr]
    assert terminal.holder is None
    await terminal.recover()
    assert counter.states(sale) == ["requested", "sent", "unknown"]
    assert len(counter.plain.requests) == 1


async def test_what_had_not_left_is_failed_after_a_restart(counter: Counter) -> None:
    asked = [body(counter.clock), body(counter.clock, terminal="another")]
    for each in asked:
        counter.journal.intend(each)
    await counter.terminal.recover()
    mine, other = (counter.journal.get(each["uuid"]) for each in asked)
    assert mine is not None
    assert other is not None
    assert (mine.state, other.state) == (State.FAILED, State.REQUESTED)
    assert counter.plain.requests == []


async def test_a_machine_that_cannot_resume_leaves_it_unknown(counter: Counter) -> None:
    class Forgetful(ConcertV3):
        def resume(self, record: Mapping[str, Any]) -> list[Effect]:
            raise RuntimeError

    sale = await stopped_while(counter, "approve")
    terminal = counter.runner(dataclasses.replace(CONCERT, machine=Forgetful))
    await terminal.recover()
    assert terminal.transaction(sale.uuid).state is State.UNKNOWN  # type: ignore[union-attr]


async def test_a_persons_word_shows_on_a_live_transaction(counter: Counter) -> None:
    counter.behaves("cut")
    sale = await counter.sale()
    counter.journal.settle(sale.uuid, paid=True, by="Anne", at="2026-03-01T12:00:00.000Z")
    told = counter.terminal.transaction(sale.uuid).as_json("j")  # type: ignore[union-attr]
    assert (told["state"], told["money"], told["settled"]["by"]) == ("settled_by_hand", "final", "Anne")


# -- machines that break


class Broken(ConcertV3):
    """Breaks in the call that is named."""

    where = ""

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(options)
        setattr(self, self.where, self._break)

    def _break(self, *args: Any) -> list[Effect]:
        raise RuntimeError("a card number could stand here: 4111111111111111")


@pytest.mark.parametrize(
    ("where", "state", "charged"), [("connected", State.FAILED, []), ("receive", State.UNKNOWN, [1250])]
)
async def test_a_machine_that_breaks(
    counter: Counter, caplog: pytest.LogCaptureFixture, where: str, state: State, charged: list[int]
) -> None:
    machine = type("BrokenHere", (Broken,), {"where": where})
    counter.runner(dataclasses.replace(CONCERT, machine=machine))
    sale = await counter.sale()
    assert (sale.state, sale.outcome.code) == (state, "driver_fault")  # type: ignore[union-attr]
    assert counter.plain.ledger == charged
    assert "RuntimeError" in caplog.text
    assert "4111" not in caplog.text
    assert counter.terminal.holder is None
    counter.runner()
    assert (await counter.sale()).state is State.APPROVED


class Hasty(ConcertV3):
    """Sends before its intent to send is durable."""

    def connected(self) -> list[Effect]:
        return [effect for effect in super().connected() if not isinstance(effect, Persist)]


class Stubborn(ConcertV3):
    """Sends its request again when the link is lost."""

    def lost(self, reason: str) -> list[Effect]:
        return [Persist(State.SENT), Send(b"again")]


async def test_nothing_leaves_before_it_is_durable(counter: Counter) -> None:
    counter.runner(dataclasses.replace(CONCERT, machine=Hasty))
    assert (await counter.sale()).state is State.FAILED
    assert counter.plain.requests == []


async def test_nothing_leaves_twice(counter: Counter) -> None:
    counter.behaves("cut")
    counter.runner(dataclasses.replace(CONCERT, machine=Stubborn))
    sale = await counter.sale()
    assert (sale.state, sale.outcome.code) == (State.UNKNOWN, "driver_fault")  # type: ignore[union-attr]
    assert len(counter.plain.requests) == 1


class Patient(ConcertV3):
    """Goes on listening after it had to say `unknown`, and hears the answer."""

    def timer(self, name: str) -> list[Effect]:
        if name != "answer":
            return super().timer(name)
        return [Persist(State.UNKNOWN, Outcome(State.UNKNOWN, "no_answer")), Progress("asking", "Asking.")]


async def test_an_unknown_one_is_resolved_by_the_terminals_word(counter: Counter) -> None:
    counter.plain.hold.clear()
    counter.runner(dataclasses.replace(CONCERT, machine=Patient), answer_timeout=0.05)
    sale = await counter.terminal.start(body(counter.clock))
    await until(lambda: sale.state is State.UNKNOWN)
    assert (sale.ended, counter.terminal.holder is not None) == (False, True)
    counter.plain.hold.set()
    await ended(sale)
    assert counter.states(sale) == ["requested", "sent", "unknown", "approved"]


async def test_a_late_answer_does_not_undo_a_persons_word(counter: Counter) -> None:
    counter.plain.hold.clear()
    counter.runner(dataclasses.replace(CONCERT, machine=Patient), answer_timeout=0.05)
    sale = await counter.terminal.start(body(counter.clock))
    await until(lambda: sale.state is State.UNKNOWN)
    counter.journal.settle(sale.uuid, paid=False, by="Anne", at="2026-03-01T12:00:00.000Z")
    counter.plain.hold.set()
    await ended(sale)
    assert sale.state is State.SETTLED_BY_HAND
    assert counter.states(sale) == ["requested", "sent", "unknown", "settled_by_hand", "late_answer"]


# -- a disk that fills


@pytest.fixture
def full_soon(small_disk: SmallDisk, monkeypatch: pytest.MonkeyPatch) -> SmallDisk:
    monkeypatch.setattr(dialog, "RETRY_SECONDS", 0.02)
    return small_disk


async def test_a_full_disk_sends_nothing(full_soon: SmallDisk, clock: MovableClock) -> None:
    async with PlainTerminal("approve") as plain:
        counter = Counter(full_soon.journal(), clock, plain)
        full_soon.fill()
        with pytest.raises(JournalUnavailable, match="Nothing was sent"):
            await counter.terminal.start(body(clock))
        assert (plain.requests, counter.terminal.holder) == ([], None)
        full_soon.free()
        assert (await counter.sale()).state is State.APPROVED


async def test_a_disk_that_fills_while_the_customer_pays(full_soon: SmallDisk, clock: MovableClock) -> None:
    async with PlainTerminal("approve") as plain:
        counter = Counter(full_soon.journal(), clock, plain)
        plain.hold.clear()
        sale = await counter.terminal.start(body(clock))
        await until(lambda: plain.requests)
        full_soon.fill()
        plain.hold.set()
        assert (await ended(sale)).state is State.APPROVED
        assert counter.journal.get(sale.uuid).state is State.APPROVED  # type: ignore[union-attr]
        full_soon.free()


async def test_an_answer_without_any_room_is_kept_until_it_is_durable(
    full_soon: SmallDisk, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with PlainTerminal("approve") as plain:
        counter = Counter(full_soon.journal(), clock, plain)
        journal = counter.journal
        plain.hold.clear()
        sale = await counter.terminal.start(body(clock))
        await until(lambda: plain.requests)
        full_soon.fill()
        full_soon.steal_reserve()
        with pytest.raises(NotRecorded):  # use up what SQLite had left
            journal.note("filling", {"text": "x" * 5_000_000})
        plain.hold.set()
        await until(lambda: (sale.as_json("j")["progress"] or {}).get("code") == "storing")
        told = sale.as_json("j")
        assert (told["state"], told["money"], told["amount_approved"], sale.ended) == (
            "unknown",
            "unknown",
            None,
            False,
        )
        with pytest.raises(TerminalBusy):
            await counter.terminal.start(body(clock))
        full_soon.free()
        journal._db.execute("PRAGMA max_page_count = 1073741823")
        await ended(sale)
        assert (sale.state, sale.outcome.amount_approved) == (State.APPROVED, 1250)  # type: ignore[union-attr]
        assert counter.states(sale) == ["requested", "sent", "approved"]


async def test_an_intent_to_send_that_is_not_durable_sends_nothing(full_soon: SmallDisk, clock: MovableClock) -> None:
    async with PlainTerminal("approve") as plain:
        counter = Counter(full_soon.journal(), clock, plain)
        journal = counter.journal

        def last_room_goes() -> None:
            journal.on_event = lambda event: steal() if event.type == "requested" else None

        def steal() -> None:
            full_soon.fill()
            full_soon.steal_reserve()

        sale = await counter.terminal.start(body(clock), last_room_goes)
        await until(lambda: (sale.as_json("j")["progress"] or {}).get("code") == "storing")
        assert (sale.state, sale.money, plain.requests) == (State.REQUESTED, Money.SAFE, [])
        full_soon.free()
        journal._db.execute("PRAGMA max_page_count = 1073741823")
        await ended(sale)
        assert (sale.state, plain.requests) == (State.FAILED, [])
        assert counter.states(sale) == ["requested", "failed"]
