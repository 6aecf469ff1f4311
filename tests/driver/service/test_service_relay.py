"""The relay: Odoo's commands over a bus that can be cut, through the same doors as HTTP, answers in posts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from relay_receiver import REPLY, RelayReceiver
from service_kit import (
    DATABASE,
    DRIVER,
    KEY,
    OTHER_KEY,
    MovedClock,
    TerminalProcess,
    Till,
    errand_grant,
    new_uuid,
    once_grant,
    shop,
    terminal_entry,
    until,
)

from hw_driver.service.relay import Relay
from hw_driver.service.relay_commands import for_the_bus


@pytest.fixture
async def odoo() -> AsyncIterator[RelayReceiver]:
    async with RelayReceiver(DRIVER, DATABASE, KEY).open() as odoo:
        assert isinstance(odoo, RelayReceiver)
        yield odoo


@pytest.fixture
async def till(
    tmp_path: Path, terminal: TerminalProcess, spare: TerminalProcess, odoo: RelayReceiver
) -> AsyncIterator[Till]:
    entries = terminal_entry(terminal.port), terminal_entry(spare.port, "spare")
    async with shop(tmp_path, *entries, odoo_url=odoo.url) as till:
        await until(lambda: odoo.listening and relay(till).connected)
        yield till


def relay(till: Till) -> Relay:
    assert till.driver.link
    return till.driver.link.relay


async def over_the_socket(till: Till, odoo: RelayReceiver) -> None:
    """Let Odoo take answers over the websocket, and wait until the driver knows."""
    odoo.socket_takes = True
    await odoo.cut()
    odoo.heard_at.clear()
    odoo.bus_open = True
    await until(lambda: odoo.frames == 1)


def charged(terminal: TerminalProcess, before: int) -> int:
    return len(terminal.ledger) - before


async def test_a_relayed_sale_is_told_to_its_end(till: Till, odoo: RelayReceiver, terminal: TerminalProcess) -> None:
    before, number = len(terminal.ledger), new_uuid()
    answer = await odoo.call("start", number, till.sale())
    assert (answer["reply"], answer["uuid"], answer["status"]) == (REPLY, number, 201)
    assert answer["body"]["state"] in ("requested", "sent", "approved")
    await until(lambda: "approved" in odoo.states(number) or answer["body"]["state"] == "approved")
    assert (await till.end(number))["state"] == "approved"
    assert charged(terminal, before) == 1


async def test_what_the_terminal_shows_is_told_unasked(
    till: Till, odoo: RelayReceiver, terminal: TerminalProcess
) -> None:
    terminal.auto("")
    number = new_uuid()
    await odoo.call("start", number, till.sale())
    await until(terminal.asked)
    shown = lambda: [(r["body"]["progress"] or {}).get("code") for r in odoo.results if r["uuid"] == number]  # noqa: E731
    await until(lambda: "waiting_for_card" in shown())
    terminal.present("contactless")
    await until(lambda: odoo.states(number)[-1:] == ["approved"])
    outcome = odoo.results[-1]["body"]["outcome"]
    assert outcome["last4"]
    assert "merchant_receipt" not in outcome
    assert "details" not in outcome
    assert odoo.faults == []


def test_of_the_details_only_what_a_till_acts_on_goes_over_the_bus() -> None:
    details = {"signature": "yes", "tip": "200", "text": "Danke", "trace": "000017", "turnover": "000003"}
    told = {"state": "approved", "outcome": {"receipt": "R", "merchant_receipt": "M", "details": details}}
    told["outcome"]["details"] |= (acted_on := {"tippable": "yes", "condition": "busy", "remedy": "diagnosis"})
    passed = {"receipt": "R", "details": {"signature": "yes", "tip": "200", "text": "Danke", **acted_on}}
    assert for_the_bus(told) == {"state": "approved", "outcome": passed}
    assert for_the_bus({"outcome": {"details": {"trace": "000017"}}}) == {"outcome": {}}
    assert for_the_bus({"outcome": None}) == {"outcome": None}


async def test_health_says_whose_clock_and_journal(till: Till, odoo: RelayReceiver) -> None:
    answer = await odoo.call("health")
    assert answer["body"]["driver"] == DRIVER
    assert answer["body"]["journal_id"] == answer["journal_id"] == till.driver.journal.journal_id
    assert answer["body"]["odoo"]["relay"] == {"connected": True, "error": None}


@pytest.mark.parametrize(
    ("changes", "body", "code"),
    [
        ({"ops": ["status"]}, {}, "not_granted"),
        ({"terminals": ["spare"]}, {}, "not_granted"),
        ({}, {"terminal": "nowhere"}, "no_such_terminal"),
        ({}, {"amount": "12"}, "bad_amount"),
        ({}, {"extra": 1}, "malformed"),
        ({"number": "../health"}, {}, "bad_uuid"),
        ({}, {"kind": "refund"}, "one_time_grant_missing"),
        ({"once": "odoo.e30.x"}, {"kind": "refund"}, "one_time_grant_mismatch"),
    ],
)
async def test_the_doors_are_those_of_http(
    till: Till, odoo: RelayReceiver, changes: dict[str, Any], body: dict[str, Any], code: str
) -> None:
    number = changes.pop("number", new_uuid())
    answer = await odoo.call("start", number, till.sale(**body), **changes)
    assert answer["body"]["code"] == code
    assert answer["body"]["money"] == "safe"
    assert till.driver.journal.get(number) is None


async def test_a_refund_needs_its_one_time_grant(till: Till, odoo: RelayReceiver) -> None:
    number, body = new_uuid(), till.sale(kind="refund", amount=100)
    answer = await odoo.call("start", number, body, once=once_grant(number, body))
    assert answer["status"] == 201
    assert (await till.end(number))["state"] == "approved"


@pytest.fixture
async def errands(tmp_path: Path, terminal: TerminalProcess, odoo: RelayReceiver) -> AsyncIterator[Till]:
    """A till whose terminal can settle and print again."""
    able = terminal_entry(terminal.port, options={"drain": 0.02, "settlement": True, "duplicata": True})
    async with shop(tmp_path, able, odoo_url=odoo.url) as till:
        await until(lambda: odoo.listening and relay(till).connected)
        yield till


def errand(till: Till, **other: Any) -> tuple[str, dict[str, Any]]:
    """Return the number and the relayed body of what is asked of a terminal."""
    body = till.errand() | {"terminal": "counter"} | other
    return body.pop("uuid"), body


async def test_a_settlement_and_a_copy_are_told_to_their_end(errands: Till, odoo: RelayReceiver) -> None:
    await errands.ended(errands.sale())
    number, body = errand(errands)
    answer = await odoo.call("reprint", number, body)
    assert (answer["status"], answer["body"]["kind"]) == (201, "reprint")
    await until(lambda: odoo.states(number)[-1:] == ["approved"] or answer["body"]["state"] == "approved")
    number, body = errand(errands)
    answer = await odoo.call("settle", number, body)
    assert answer["body"]["code"] == "one_time_grant_missing"
    answer = await odoo.call("settle", number, body, once=errand_grant({"uuid": number}, "counter"))
    assert (answer["status"], answer["body"]["kind"]) == (201, "settlement")
    await until(lambda: odoo.states(number)[-1:] == ["approved"] or answer["body"]["state"] == "approved")
    assert (await errands.end(number))["code"] == "settled"


async def test_a_settlement_that_comes_late_starts_nothing(errands: Till, odoo: RelayReceiver) -> None:
    number, body = errand(errands)
    once = errand_grant({"uuid": number}, "counter")
    await odoo.call("settle", number, body, once=once, iat=odoo.now() - 60, exp=odoo.now() - 50)
    ended = await errands.end(number)
    assert (ended["state"], ended["code"]) == ("failed", "expired")


@pytest.mark.parametrize(
    ("terminal_named", "code"), [("spare", "no_such_terminal"), ("", "no_such_terminal"), (None, "no_such_terminal")]
)
async def test_an_errand_names_its_terminal(
    errands: Till, odoo: RelayReceiver, terminal_named: str | None, code: str
) -> None:
    number, body = errand(errands, terminal=terminal_named)
    assert (await odoo.call("reprint", number, body))["body"]["code"] == code


async def test_commands_that_are_not_odoos_are_not_even_answered(
    till: Till, odoo: RelayReceiver, terminal: TerminalProcess
) -> None:
    before = len(terminal.ledger)
    good = odoo.command("start", new_uuid(), till.sale())
    key, odoo.key = odoo.key, OTHER_KEY
    await odoo.send(odoo.command("start", new_uuid(), till.sale()))
    odoo.key = key
    kid, payload, signature = good.split(".")
    for forged in (
        f"local.{payload}.{signature}",
        f"{kid}.{payload[:-2]}.{signature}",
        "nothing",
        None,
        17,
        odoo.command("start", new_uuid(), till.sale(), typ="session"),
        odoo.command("start", new_uuid(), till.sale(), drv="driver-2"),
        odoo.command("start", new_uuid(), till.sale(), db="another"),
        odoo.command("backup"),
        odoo.command("start", new_uuid(), till.sale(), exp="never"),
        odoo.command("start", new_uuid(), till.sale(), ops="sale"),
    ):
        await odoo.send(forged)
    await odoo.send(good, kind="something_else")
    await odoo.call("health")  # comes after all of them
    assert [result["body"].get("driver") for result in odoo.results] == [DRIVER]
    assert charged(terminal, before) == 0


async def test_both_roads_at_once_charge_once(till: Till, odoo: RelayReceiver, terminal: TerminalProcess) -> None:
    before = len(terminal.ledger)
    for _ in range(5):
        number, body = new_uuid(), till.sale()
        relayed, direct = await asyncio.gather(odoo.call("start", number, body), till.put(body, number))
        assert sorted([relayed["status"], direct.status]) == [200, 201]
        assert (await till.end(number))["state"] == "approved"
    assert charged(terminal, before) == 5


async def test_the_same_number_with_another_content_is_refused(till: Till, odoo: RelayReceiver) -> None:
    number, body = new_uuid(), till.sale()
    await till.ended(body, number)
    answer = await odoo.call("start", number, {**body, "amount": 1})
    assert (answer["status"], answer["body"]["code"]) == (409, "other_body")


async def test_a_start_that_comes_late_ends_as_expired(
    till: Till, odoo: RelayReceiver, terminal: TerminalProcess
) -> None:
    before, number, body = len(terminal.ledger), new_uuid(), till.sale()
    answer = await odoo.call("start", number, body, exp=odoo.now() - 0.001)
    assert (answer["body"]["state"], answer["body"]["code"]) == ("failed", "expired")
    again = await odoo.call("start", number, body)
    assert (again["status"], again["body"]["state"]) == (200, "failed")
    assert charged(terminal, before) == 0
    await until(lambda: odoo.types(number) == ["requested", "failed"])


async def test_a_late_cancel_cancels_nothing(till: Till, odoo: RelayReceiver, terminal: TerminalProcess) -> None:
    number = new_uuid()
    await till.ended(till.sale(), number)
    answer = await odoo.call("cancel", number, exp=odoo.now() - 1)
    assert (answer["status"], answer["body"]["code"]) == (410, "expired_command")


@pytest.mark.parametrize("ahead", [timedelta(hours=-3), timedelta(hours=3)])
async def test_late_is_judged_by_odoos_clock(
    tmp_path: Path, terminal: TerminalProcess, odoo: RelayReceiver, ahead: timedelta
) -> None:
    odoo.ahead = ahead.total_seconds()
    async with shop(tmp_path, terminal_entry(terminal.port), odoo_url=odoo.url) as till:
        await until(lambda: odoo.listening)
        late = await odoo.call("start", new_uuid(), till.sale(), exp=odoo.now() - 0.5)
        assert late["body"]["code"] == "expired"
        number = new_uuid()
        await odoo.call("start", number, till.sale())
        assert (await till.end(number))["state"] == "approved"


async def test_a_clock_that_is_set_changes_nothing(
    tmp_path: Path, terminal: TerminalProcess, odoo: RelayReceiver
) -> None:
    clock = MovedClock()
    async with shop(tmp_path, terminal_entry(terminal.port), odoo_url=odoo.url, clock=clock) as till:
        await until(lambda: odoo.listening)
        clock.shift = timedelta(hours=-1)
        late = await odoo.call("start", new_uuid(), till.sale(), exp=odoo.now() - 0.5)
        assert late["body"]["code"] == "expired"


async def test_odoos_clock_is_never_taken_to_be_slower_than_it_is(till: Till, odoo: RelayReceiver) -> None:
    odoo.relays = False  # only this test tells
    await until(lambda: not odoo.listening)
    words: dict[str, Any] = {"channels": ["c"], "url": None, "version": "v"}
    clock = till.driver.clock

    def contact(lead: float, there: float, back: float) -> float:
        """Tell of a contact whose question and answer took so long; return what the driver takes the lead to be."""
        asked = clock.steady_now()
        answered = asked + timedelta(seconds=there + back)
        relay(till).told({**words, "now": asked.timestamp() + there + lead}, asked, answered)
        return relay(till).odoo_now() - clock.steady_now().timestamp()

    assert contact(100, there=3, back=0) == pytest.approx(103, abs=0.01)
    assert contact(100, there=0.1, back=0.1) == pytest.approx(100.1, abs=0.01)
    assert contact(100, there=20, back=0) == pytest.approx(100.1, abs=0.01)  # one slow contact spoils nothing
    assert contact(4000, there=1, back=1) == pytest.approx(4001, abs=0.01)  # Odoo's clock was set forward
    assert contact(-50, there=1, back=1) == pytest.approx(-49, abs=0.01)  # and back


async def test_what_was_sent_before_the_driver_started_starts_nothing(
    tmp_path: Path, terminal: TerminalProcess, odoo: RelayReceiver
) -> None:
    before, number = len(terminal.ledger), new_uuid()
    async with shop(tmp_path, terminal_entry(terminal.port), odoo_url=odoo.url) as till:
        body = till.sale()
        await until(lambda: odoo.listening)
    command = new_uuid()
    await odoo.send(odoo.command("start", number, body, id=command))
    async with shop(tmp_path, terminal_entry(terminal.port), odoo_url=odoo.url) as till:
        answer = await odoo.answer(command)
        assert answer["body"]["code"] == "expired"
    assert charged(terminal, before) == 0


async def test_a_replayed_command_is_carried_out_once(
    till: Till, odoo: RelayReceiver, terminal: TerminalProcess
) -> None:
    before, number = len(terminal.ledger), new_uuid()
    command = odoo.command("start", number, till.sale())
    for _ in range(3):
        await odoo.send(command)
    await until(lambda: till.driver.transaction(number))
    assert (await till.end(number))["state"] == "approved"
    await odoo.call("health")
    assert len([result for result in odoo.results if result["uuid"] == number and result["command"]]) == 1
    assert charged(terminal, before) == 1


async def test_cut_and_back_it_goes_on_where_it_was(till: Till, odoo: RelayReceiver, terminal: TerminalProcess) -> None:
    terminal.auto("")
    number = new_uuid()
    await odoo.call("start", number, till.sale())
    await until(terminal.asked)
    await odoo.cut()
    await until(lambda: not relay(till).connected)
    command = new_uuid()
    await odoo.send(odoo.command("ask", number, id=command))  # while nobody listens
    terminal.present("contactless")
    await until(lambda: odoo.states(number)[-1:] == ["approved"])  # answers need no bus
    odoo.bus_open = True
    assert (await odoo.answer(command))["body"]["state"] == "approved"
    assert odoo.subscriptions[-1]["last"] > 0
    assert len({tuple(words["channels"]) for words in odoo.subscriptions}) == 1


async def test_odoo_knows_whether_it_listens(till: Till, odoo: RelayReceiver) -> None:
    await until(lambda: odoo.requests[-1]["relay"] is True)
    await odoo.cut()
    await until(lambda: odoo.requests[-1]["relay"] is False)
    assert "closed" in relay(till).error or "websocket" in relay(till).error


async def test_answers_wait_while_odoo_does_not_take_them(
    till: Till, odoo: RelayReceiver, terminal: TerminalProcess
) -> None:
    odoo.takes = False
    number, command = new_uuid(), new_uuid()
    await odoo.send(odoo.command("start", number, till.sale(), id=command))
    await until(lambda: till.driver.transaction(number))
    assert (await till.end(number))["state"] == "approved"
    odoo.takes = True
    assert (await odoo.answer(command))["status"] == 201
    await until(lambda: odoo.states(number)[-1:] == ["approved"])


async def test_many_answers_travel_in_few_posts(till: Till, odoo: RelayReceiver) -> None:
    before = odoo.posts
    commands = [new_uuid() for _ in range(60)]
    await asyncio.gather(*(odoo.send(odoo.command("health", id=command)) for command in commands))
    for command in commands:
        await odoo.answer(command)
    assert odoo.posts - before < 60


async def test_answers_and_news_go_over_the_websocket_where_odoo_takes_them(
    till: Till, odoo: RelayReceiver, terminal: TerminalProcess
) -> None:
    await over_the_socket(till, odoo)
    posts, number = odoo.posts, new_uuid()
    terminal.auto("")
    assert (await odoo.call("start", number, till.sale()))["status"] == 201
    await until(terminal.asked)
    terminal.present("contactless")
    await until(lambda: odoo.states(number)[-1:] == ["approved"])
    assert odoo.posts == posts
    assert odoo.faults == []


async def test_what_the_websocket_does_not_confirm_is_posted(till: Till, odoo: RelayReceiver) -> None:
    await over_the_socket(till, odoo)
    odoo.socket_takes = False
    posts = odoo.posts
    assert (await odoo.call("health"))["status"] == 200
    assert odoo.posts == posts + 1
    assert (await odoo.call("health"))["status"] == 200  # the next one does not wait for the websocket
    assert odoo.posts == posts + 2


async def test_a_confirmation_that_is_not_odoos_counts_for_nothing(till: Till, odoo: RelayReceiver) -> None:
    await over_the_socket(till, odoo)
    odoo.signs_with = OTHER_KEY
    command = new_uuid()
    await odoo.send(odoo.command("health", id=command))
    await until(lambda: len([each for each in odoo.results if each["command"] == command]) > 1)  # posted as well


async def test_no_more_frames_than_odoo_bears(till: Till, odoo: RelayReceiver) -> None:
    await over_the_socket(till, odoo)
    posts = odoo.posts
    for _ in range(30):
        await odoo.call("health")
    assert odoo.posts > posts
    burst, delay = 10, 0.2  # Odoo's defaults
    spans = [last - first for first, last in zip(odoo.heard_at, odoo.heard_at[burst:], strict=False)]
    assert all(span >= burst * delay for span in spans)


async def test_the_handshake_names_session_origin_and_version(till: Till, odoo: RelayReceiver) -> None:
    handshake = odoo.handshakes[0]
    assert handshake["Cookie"] == "session_id=session-1"
    assert handshake["Origin"] == odoo.url
    assert handshake["version"] == "19.0-2"


async def test_channels_change_without_losing_a_command(till: Till, odoo: RelayReceiver) -> None:
    odoo.channels = ["secret-2", "secret-3"]
    await until(lambda: odoo.subscriptions[-1]["channels"] == odoo.channels)
    assert len(odoo.handshakes) == 1
    assert (await odoo.call("health"))["status"] == 200


async def test_without_a_relay_nothing_is_opened(
    tmp_path: Path, terminal: TerminalProcess, odoo: RelayReceiver
) -> None:
    odoo.relays = False
    async with shop(tmp_path, terminal_entry(terminal.port), odoo_url=odoo.url):
        await until(lambda: len(odoo.requests) > 3)
        assert odoo.handshakes == []
        odoo.relays = True
        await until(lambda: odoo.listening)
        odoo.relays = False
        await until(lambda: not odoo.listening)


async def test_answers_of_an_impostor_open_no_websocket(
    tmp_path: Path, terminal: TerminalProcess, odoo: RelayReceiver
) -> None:
    async with shop(tmp_path, terminal_entry(terminal.port), odoo_url=odoo.url) as till:
        await until(lambda: odoo.listening)
        odoo.signs_with = OTHER_KEY
        seen = len(odoo.handshakes)
        await odoo.cut()
        odoo.bus_open = True
        await until(lambda: "not Odoo's" in relay(till).error)
        assert len(odoo.handshakes) == seen
