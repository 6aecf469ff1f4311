"""Payments through the API: real HTTP, a journal on disk, a terminal in a process of its own."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from service_kit import MovedClock, TerminalProcess, Till, new_uuid, session_grant, shop, terminal_entry, until

from hw_driver.clock import iso
from hw_driver.journal import JournalUnavailable
from hw_driver.service.routes import ROUTES


@pytest.fixture
def nobody(terminal: TerminalProcess) -> TerminalProcess:
    """The terminal, with nobody before it yet."""
    terminal.auto("")
    return terminal


async def test_a_sale(till: Till, terminal: TerminalProcess) -> None:
    charged = len(terminal.ledger)
    body, number = till.sale(), new_uuid()
    answer = await till.put(body, number)
    assert answer.status == 201
    assert answer.json["state"] in ("requested", "sent")
    end = await till.end(number)
    assert (end["state"], end["money"], end["amount_approved"]) == ("approved", "final", 1250)
    assert end["journal_id"] == till.driver.journal.journal_id
    assert end["outcome"]["virtual"] is True
    assert {name: end[name] for name in ("order", "line", "till", "operator", "reference", "session")} == {
        name: body[name] for name in ("order", "line", "till", "operator", "reference", "session")
    }
    assert [entry["amount"] for entry in terminal.ledger[charged:]] == [1250]


async def test_the_same_again_is_a_question_and_another_content_is_refused(
    till: Till, terminal: TerminalProcess
) -> None:
    charged = len(terminal.ledger)
    body, number = till.sale(), new_uuid()
    first = await till.put(body, number)
    later = iso(till.driver.clock.steady_now() + timedelta(minutes=5))
    again = await till.put(body | {"not_after": later}, number)
    assert (first.status, again.status) == (201, 200)
    await till.end(number)
    ended = await till.put(body, number)
    assert (ended.status, ended.json["state"]) == (200, "approved")
    for name, value in (
        ("amount", 1251),
        ("terminal", "spare"),
        ("line", new_uuid()),
        ("operator", "Paul"),
        ("kind", "identify"),
    ):
        other = await till.put(body | {name: value, **({"amount": 0} if name == "kind" else {})}, number)
        assert (other.status, other.code) == (409, "other_body"), name
        assert other.json["transaction"]["uuid"] == number
    assert len(terminal.ledger) == charged + 1


async def test_the_same_press_many_times_at_once_charges_once(till: Till, terminal: TerminalProcess) -> None:
    charged = len(terminal.ledger)
    body, number = till.sale(), new_uuid()
    answers = await asyncio.gather(*(till.put(body, number) for _ in range(20)))
    assert sorted(answer.status for answer in answers) == [200] * 19 + [201]
    await till.end(number)
    assert len(terminal.ledger) == charged + 1
    types = [event.type for event in till.driver.journal.events() if event.uuid == number]
    assert types == ["requested", "sent", "approved"]


async def test_two_tills_race_for_one_terminal(till: Till, nobody: TerminalProcess) -> None:
    bodies = [till.sale(till=f"Till {number}", operator=f"Cashier {number}") for number in (1, 2)]
    answers = await asyncio.gather(*(till.put(body) for body in bodies))
    (won,) = (answer for answer in answers if answer.status == 201)
    (lost,) = (answer for answer in answers if answer.status == 423)
    assert lost.code == "terminal_busy"
    assert lost.json["holder"]["uuid"] == won.json["uuid"]
    assert lost.json["holder"]["till"] == won.json["till"]
    assert lost.json["holder"]["operator"] == won.json["operator"]
    assert lost.json["money"] == "safe"
    listed = await till.call("GET", "/v1/terminals")
    holders = {terminal["id"]: terminal["holder"] for terminal in listed.json["terminals"]}
    assert holders["counter"]["uuid"] == won.json["uuid"]
    assert holders["spare"] is None
    await until(nobody.asked)
    nobody.press("red")
    assert (await till.end(won.json["uuid"]))["state"] == "cancelled"
    nobody.auto("contactless")
    assert (await till.ended(till.sale()))["state"] == "approved"


async def test_a_held_question_is_answered_when_something_happens(till: Till, nobody: TerminalProcess) -> None:
    number = new_uuid()
    shown = await till.asks_for_card(nobody, till.sale(), number)
    held = asyncio.create_task(till.call("GET", f"/v1/transactions/{number}?after={shown['rev']}&wait=25"))
    at_once = await till.call("GET", f"/v1/transactions/{number}?after={shown['rev']}&wait=0")
    assert at_once.json["rev"] == shown["rev"]
    assert not held.done()
    nobody.present("contactless")
    answer = await held
    assert answer.json["rev"] > shown["rev"]
    assert (await till.end(number))["state"] == "approved"


async def test_a_till_that_hangs_up_right_after_the_press_loses_nothing(till: Till, terminal: TerminalProcess) -> None:
    charged = len(terminal.ledger)
    number = new_uuid()
    body = json.dumps(till.sale()).encode()
    _, writer = await asyncio.open_connection("127.0.0.1", till.driver.port)
    head = (
        f"PUT /v1/transactions/{number} HTTP/1.1\r\nHost: 127.0.0.1:{till.driver.port}\r\n"
        f"Authorization: Bearer {till.grant}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    await writer.drain()
    writer.close()
    await until(lambda: till.driver.journal.get(number))
    assert (await till.end(number))["state"] == "approved"
    assert len(terminal.ledger) == charged + 1


async def test_a_press_that_comes_too_late_is_not_sent(till: Till, terminal: TerminalProcess) -> None:
    charged = len(terminal.ledger)
    end = await till.ended(till.sale(not_after=iso(till.driver.clock.steady_now() - timedelta(seconds=1))))
    assert (end["state"], end["code"], end["money"]) == ("failed", "expired", "final")
    assert len(terminal.ledger) == charged


@pytest.mark.parametrize("shift", [timedelta(hours=-1), timedelta(days=1)], ids=["hour back", "day forward"])
async def test_a_clock_that_is_moved(tmp_path: Path, terminal: TerminalProcess, shift: timedelta) -> None:
    clock = MovedClock()
    async with shop(tmp_path, terminal_entry(terminal.port), clock=clock) as till:
        old_press = till.sale()
        pressed_an_hour_ago = old_press | {"not_after": iso(clock.steady_now() - timedelta(hours=1))}
        before = await till.ended(till.sale())
        clock.shift = shift
        health = (await till.call("GET", "/v1/health")).json
        assert abs((clock.now() - shift - clock.steady_now()).total_seconds()) < 60
        assert health["now"] <= iso(clock.steady_now())
        after = await till.ended(till.sale())
        assert (before["state"], after["state"]) == ("approved", "approved")
        assert (await till.ended(pressed_an_hour_ago))["code"] == "expired"
        events = till.driver.journal.events()
        assert [event.seq for event in events] == list(range(1, len(events) + 1))


async def test_cancel_where_the_protocol_has_none(till: Till, nobody: TerminalProcess) -> None:
    number = new_uuid()
    await till.asks_for_card(nobody, till.sale(), number)
    answer = await till.call("POST", f"/v1/transactions/{number}/cancel")
    assert (answer.status, answer.code) == (409, "cannot_cancel")
    assert "red key" in answer.json["detail"]
    assert answer.json["money"] == "safe"
    nobody.press("red")
    assert (await till.end(number))["state"] == "cancelled"
    assert (await till.call("POST", f"/v1/transactions/{new_uuid()}/cancel")).code == "no_such_transaction"


BAD_BODIES: dict[str, tuple[dict[str, Any], int, str]] = {
    "zero": ({"amount": 0}, 400, "bad_amount"),
    "negative": ({"amount": -1}, 400, "bad_amount"),
    "float": ({"amount": 12.5}, 400, "bad_amount"),
    "whole float": ({"amount": 1250.0}, 400, "bad_amount"),
    "text": ({"amount": "1250"}, 400, "bad_amount"),
    "boolean": ({"amount": True}, 400, "bad_amount"),
    "nothing": ({"amount": None}, 400, "bad_amount"),
    "13 digits": ({"amount": 1_000_000_000_000}, 400, "bad_amount"),
    "small letters": ({"currency": "eur"}, 400, "bad_currency"),
    "no currency": ({"currency": ""}, 400, "bad_currency"),
    "unknown currency": ({"currency": "XTS"}, 400, "bad_currency"),
    "unknown kind": ({"kind": "gift"}, 400, "bad_kind"),
    "kind without words": ({"kind": "preauth"}, 422, "not_supported"),
    "unknown terminal": ({"terminal": "nowhere"}, 404, "no_such_terminal"),
    "no time": ({"not_after": "soon"}, 400, "malformed"),
    "time without zone": ({"not_after": "2026-03-01T12:00:00"}, 400, "malformed"),
    "impossible time": ({"not_after": "0001-01-01T00:00:00+14:00"}, 400, "malformed"),
    "no order": ({"order": ""}, 400, "malformed"),
    "missing line": ({"line": None}, 400, "malformed"),
    "unknown member": ({"tip": 100}, 400, "malformed"),
    "control characters": ({"reference": "a\x1bb"}, 400, "malformed"),
    "half a character": ({"operator": "\ud800"}, 400, "malformed"),
    "long text": ({"till": "x" * 201}, 400, "malformed"),
    "list": ({"original": []}, 400, "malformed"),
    "bad original": ({"original": {"uuid": "1"}}, 400, "bad_uuid"),
}


async def test_bad_bodies_leave_nothing_behind(till: Till, terminal: TerminalProcess) -> None:
    charged, last = len(terminal.ledger), till.driver.journal.last
    for what, (change, status, code) in BAD_BODIES.items():
        number = new_uuid()
        answer = await till.put(till.sale() | change, number)
        assert (answer.status, answer.code, answer.json["money"]) == (status, code, "safe"), what
        assert answer.json["detail"].endswith((".", ").")), answer.text
        assert (await till.call("GET", f"/v1/transactions/{number}")).code == "no_such_transaction"
    assert till.driver.journal.last == last
    assert len(terminal.ledger) == charged


BAD_BYTES: dict[str, tuple[bytes, str, int, str]] = {
    "no JSON": (b"{", "application/json", 400, "malformed"),
    "empty": (b"", "application/json", 400, "malformed"),
    "not an object": (b"[1]", "application/json", 400, "malformed"),
    "not a number": (b'{"amount": NaN}', "application/json", 400, "malformed"),
    "doubled member": (b'{"amount": 1, "amount": 2}', "application/json", 400, "malformed"),
    "not UTF-8": (b'{"till": "\xff"}', "application/json", 400, "malformed"),
    "too deep": (b"[" * 60000, "application/json", 400, "malformed"),
    "endless number": (b'{"amount": ' + b"9" * 60000 + b"}", "application/json", 400, "malformed"),
    "too large": (b'{"till": "' + b"x" * 65536 + b'"}', "application/json", 413, "too_large"),
    "a form": (b"amount=1250", "application/x-www-form-urlencoded", 415, "wrong_content_type"),
    "plain text": (b"{}", "text/plain", 415, "wrong_content_type"),
}


async def test_bad_bytes(till: Till) -> None:
    last = till.driver.journal.last
    for what, (data, content_type, status, code) in BAD_BYTES.items():
        answer = await till.call("PUT", f"/v1/transactions/{new_uuid()}", data=data, content_type=content_type)
        assert (answer.status, answer.code, answer.json["money"]) == (status, code, "safe"), what
    assert till.driver.journal.last == last


async def test_bad_uuids(till: Till) -> None:
    for number in ("1", "0B6F6C4E-2D0A-4B1C-9A53-0F6A8F1D2C33", "..%2F..%2Fhealth", "%00"):
        answer = await till.put(till.sale(), number)
        assert (answer.status, answer.code) == (400, "bad_uuid"), number


async def test_bad_queries(till: Till) -> None:
    for query in ("after=x", "after=-1", "after=1&wait=26", "after=1&wait=1.5", "later=1"):
        answer = await till.call("GET", f"/v1/transactions/{new_uuid()}?{query}")
        assert (answer.status, answer.code) == (400, "malformed"), query


# one charge per line, one open question per order


async def test_no_second_charge_of_a_paid_line(till: Till, terminal: TerminalProcess) -> None:
    charged = len(terminal.ledger)
    paid = till.sale()
    await till.ended(paid)
    answer = await till.put(paid | {"amount": 100, "terminal": "spare"})
    assert (answer.status, answer.code) == (409, "line_not_ended")
    another_line = await till.ended(till.sale(order=paid["order"]))
    assert another_line["state"] == "approved"
    assert len(terminal.ledger) == charged + 2


async def test_no_second_charge_while_the_order_has_one_under_way(
    till: Till, nobody: TerminalProcess, spare: TerminalProcess
) -> None:
    charged = len(spare.ledger)
    open_sale, number = till.sale(), new_uuid()
    await till.asks_for_card(nobody, open_sale, number)
    for change in ({}, {"line": new_uuid()}):
        answer = await till.put(open_sale | {"terminal": "spare"} | change)
        assert (answer.status, answer.code) == (409, "line_not_ended")
        assert answer.json["transaction"]["uuid"] == number
    nobody.press("red")
    await till.end(number)
    nobody.auto("contactless")
    assert len(spare.ledger) == charged
    assert (await till.ended(open_sale | {"terminal": "spare"}))["state"] == "approved"


async def test_an_unknown_payment_blocks_its_order_until_it_is_settled(tmp_path: Path, nobody: TerminalProcess) -> None:
    body, number = {}, new_uuid()
    async with shop(tmp_path, terminal_entry(nobody.port)) as till:
        body = till.sale()
        await till.asks_for_card(nobody, body, number)
    nobody.press("red")
    nobody.auto("contactless")
    async with shop(tmp_path, terminal_entry(nobody.port)) as till:  # the driver was stopped and started again
        known = await till.call("GET", f"/v1/transactions/{number}")
        assert (known.json["state"], known.json["money"]) == ("unknown", "unknown")
        for change in ({}, {"line": new_uuid()}):
            assert (await till.put(body | change)).code == "line_not_ended"
        assert (await till.ended(till.sale()))["state"] == "approved"  # another order goes on
        till.driver.journal.settle(number, paid=False, by="Manager", at=iso(till.driver.clock.now()))
        settled = await till.call("GET", f"/v1/transactions/{number}")
        assert (settled.json["state"], settled.json["settled"]["by"]) == ("settled_by_hand", "Manager")
        assert (await till.ended(body | {"line": new_uuid()}))["state"] == "approved"
        assert (await till.ended(body))["state"] == "approved"


async def test_a_terminal_that_is_configured_no_more_leaves_no_open_question(
    tmp_path: Path, nobody: TerminalProcess
) -> None:
    number = new_uuid()
    async with shop(tmp_path, terminal_entry(nobody.port)) as till:
        await till.asks_for_card(nobody, till.sale(), number)
    async with shop(tmp_path, terminal_entry(nobody.port, "another")) as till:
        assert (await till.end(number))["state"] == "unknown"
        assert [event.type for event in till.driver.journal.events()[-2:]] == ["unknown", "driver_started"]


async def test_one_line_pressed_on_two_terminals_at_the_same_moment(
    till: Till, nobody: TerminalProcess, spare: TerminalProcess
) -> None:
    spare.auto("")
    charged = len(nobody.ledger) + len(spare.ledger)
    body = till.sale()
    answers = await asyncio.gather(*(till.put(body | {"terminal": name}) for name in ("counter", "spare") * 5))
    (started,) = (answer.json for answer in answers if answer.status == 201)
    assert {answer.code for answer in answers if answer.status != 201} == {"line_not_ended", "terminal_busy"}
    asked = nobody if started["terminal"] == "counter" else spare
    await until(asked.asked)
    asked.present("contactless")
    assert (await till.end(started["uuid"]))["state"] == "approved"
    assert len(nobody.ledger) + len(spare.ledger) == charged + 1


# refunds


@pytest.fixture
async def paid(till: Till) -> dict[str, Any]:
    return await till.ended(till.sale(amount=1000))


async def test_refunds_never_exceed_what_was_paid(till: Till, terminal: TerminalProcess, paid: dict[str, Any]) -> None:
    def refund(amount: int, **other: Any) -> dict[str, Any]:
        return till.sale(kind="refund", amount=amount, original={"uuid": paid["uuid"]}, **other)

    assert (await till.refund(refund(1001))).code == "over_refund"
    first = await till.refund(refund(600))
    assert (await till.end(first.json["uuid"]))["state"] == "approved"
    above = await till.refund(refund(401))
    assert (above.status, above.code, above.json["left"]) == (409, "over_refund", 400)
    assert (await till.refund(refund(400, currency="CHF"))).code == "bad_currency"
    rest = await till.refund(refund(400))
    assert (await till.end(rest.json["uuid"]))["state"] == "approved"
    assert (await till.refund(refund(1))).code == "over_refund"
    refunds = [entry for entry in terminal.ledger if entry["kind"] != "sale"]
    assert [entry["amount"] for entry in refunds][-2:] == [600, 400]


async def test_an_open_refund_counts_as_done(
    till: Till, terminal: TerminalProcess, spare: TerminalProcess, paid: dict[str, Any]
) -> None:
    terminal.auto("")
    charged = len(spare.ledger)
    refund = till.sale(kind="refund", amount=600, original={"uuid": paid["uuid"]})
    first = await till.asks_for_card(terminal, refund, new_uuid())
    second = await till.refund(till.sale(kind="refund", amount=600, original={"uuid": paid["uuid"]}, terminal="spare"))
    assert (second.status, second.code, second.json["left"]) == (409, "over_refund", 400)
    terminal.press("red")
    assert (await till.end(first["uuid"]))["state"] == "cancelled"
    assert len(spare.ledger) == charged
    terminal.auto("contactless")
    again = await till.refund(till.sale(kind="refund", amount=600, original={"uuid": paid["uuid"]}))
    assert (await till.end(again.json["uuid"]))["state"] == "approved"


async def test_a_declined_sale_has_nothing_to_refund(till: Till, terminal: TerminalProcess) -> None:
    terminal.auto("decline")
    declined = await till.ended(till.sale())
    assert declined["state"] == "declined"
    terminal.auto("contactless")
    answer = await till.refund(till.sale(kind="refund", amount=1, original={"uuid": declined["uuid"]}))
    assert (answer.code, answer.json["left"]) == ("over_refund", 0)


async def test_a_refund_of_another_drivers_sale_is_odoos_to_judge(till: Till) -> None:
    refund = await till.refund(till.sale(kind="refund", amount=100, original={"uuid": new_uuid()}))
    assert (await till.end(refund.json["uuid"]))["state"] == "approved"


# when the driver itself is in trouble


async def test_a_journal_that_cannot_be_written_sells_nothing(
    till: Till, terminal: TerminalProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    charged = len(terminal.ledger)

    def full(body: Any) -> Any:
        raise JournalUnavailable("The disk is full. Free some room.")

    monkeypatch.setattr(till.driver.journal, "intend", full)
    answer = await till.put(till.sale())
    assert (answer.status, answer.code, answer.json["money"]) == (507, "journal_unavailable", "safe")
    assert "disk is full" in answer.json["detail"]
    assert len(terminal.ledger) == charged


async def test_an_error_nobody_foresaw_tells_what_is_known_of_the_money(
    till: Till, nobody: TerminalProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, body = new_uuid(), till.sale()
    await till.asks_for_card(nobody, body, number)

    def broken(uuid: str) -> Any:
        raise ZeroDivisionError("secret inside")

    counter = till.driver.terminals.get("counter")
    with monkeypatch.context() as patch:
        patch.setattr(counter, "transaction", broken)
        patch.setattr(counter, "live", broken)
        sent = await till.put(body, number)
        never_heard_of = await till.put(till.sale())
    with monkeypatch.context() as patch:
        patch.setattr(till.driver.journal, "get", broken)
        unreadable = await till.put(till.sale())
    for answer, money in ((sent, "unknown"), (never_heard_of, "safe"), (unreadable, "unknown")):
        assert (answer.status, answer.code, answer.json["money"]) == (500, "internal_error", money)
        assert "secret" not in answer.text
        assert "Traceback" not in answer.text
    nobody.press("red")
    assert (await till.end(number))["state"] == "cancelled"


async def test_a_driver_that_is_stopping_starts_nothing_new(till: Till, terminal: TerminalProcess) -> None:
    sale = await till.ended(till.sale())
    charged = len(terminal.ledger)
    till.driver.stopping = True
    answer = await till.put(till.sale())
    assert (answer.status, answer.code, answer.json["money"]) == (503, "stopping", "safe")
    assert (await till.call("GET", f"/v1/transactions/{sale['uuid']}")).json["state"] == "approved"
    assert len(terminal.ledger) == charged


async def test_events_in_order_and_in_pages(till: Till) -> None:
    await till.ended(till.sale())
    whole = session_grant(kid="local", key=till.driver.folder.local_key())
    answer = (await till.call("GET", "/v1/transactions?since=0", grant=whole)).json
    assert all("body" in event for event in answer["events"])
    assert answer["journal_id"] == till.driver.journal.journal_id
    assert [event["seq"] for event in answer["events"]] == list(range(1, answer["last"] + 1))
    page = (await till.call("GET", "/v1/transactions?since=2&limit=2")).json
    assert [event["seq"] for event in page["events"]] == [3, 4]
    assert (await till.call("GET", "/v1/transactions?limit=1001")).status == 400


async def test_events_of_other_terminals_are_numbers_only(till: Till) -> None:
    sale = await till.ended(till.sale())

    async def seen_by(**claims: Any) -> list[dict[str, Any]]:
        return (await till.call("GET", "/v1/transactions", grant=session_grant(**claims))).json["events"]

    mine, others = await seen_by(), await seen_by(terminals=["spare"])
    assert [event["seq"] for event in mine] == [event["seq"] for event in others]
    assert [event["type"] for event in mine if event.get("uuid") == sale["uuid"]] == ["requested", "sent", "approved"]
    assert all(set(event) == {"seq", "type"} for event in others)
    assert {event["type"] for event in mine if set(event) == {"seq", "type"}} == {"journal_created", "driver_started"}
    assert [event["body"]["terminal"] for event in mine if event["type"] == "identity"] == ["counter"]


async def test_identify(till: Till) -> None:
    number = new_uuid()
    last = till.driver.journal.last
    answer = await till.call("POST", "/v1/terminals/counter/identify", {"uuid": number})
    assert answer.status == 201
    assert (await till.call("POST", "/v1/terminals/counter/identify", {"uuid": number})).status == 200
    assert (await till.call("POST", "/v1/terminals/spare/identify", {"uuid": number})).code == "other_body"
    end = await till.end(number)
    assert (end["kind"], end["state"], end["money"]) == ("identify", "approved", "safe")
    assert [event.type for event in till.driver.journal.events(last)] == ["identity"], "who it is, and no transaction"
    assert (await till.call("POST", "/v1/terminals/nowhere/identify", {"uuid": new_uuid()})).status == 404


async def test_the_driver_describes_itself(till: Till) -> None:
    health = (await till.call("GET", "/v1/health")).json
    assert (health["api"], health["paired"], health["driver"], health["status"]) == (1, True, "driver-1", "ok")
    document = (await till.call("GET", "/openapi.json")).json
    body = document["paths"]["/v1/transactions/{uuid}"]["put"]["requestBody"]["content"]["application/json"]["schema"]
    assert set(body["required"]) == set(till.sale()) - {"reference"}
    assert {(method.upper(), path) for path, item in document["paths"].items() for method in item} == {
        (route.method, route.path) for route in ROUTES
    }
    await till.ended(till.sale())
    lines = (await till.call("GET", "/metrics")).text.splitlines()
    assert 'card_terminal_events_total{type="approved"} 1' in lines
    assert 'card_terminal_http_responses_total{status="201"} 1' in lines
