"""What there is besides sale and refund: through the API, the driver and a virtual terminal on real TCP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from service_kit import (
    Answer,
    TerminalProcess,
    Till,
    errand_grant,
    new_uuid,
    once_grant,
    session_grant,
    shop,
    terminal_entry,
)

from hw_driver.protocols.machine import Outcome
from hw_driver.protocols.states import State

ABLE = {
    "drain": 0.02,
    "version": "0320",
    "tickets": True,
    "ticket_copies": "both",
    "duplicata": True,
    "settlement": True,
    "preauth": True,
    "accepts": "card cheque amex",
}
LACKING = {"drain": 0.02, "reversal": False, "refund": False}


@pytest.fixture
async def till(tmp_path: Path, terminal: TerminalProcess, spare: TerminalProcess) -> AsyncIterator[Till]:
    able = terminal_entry(terminal.port, options=ABLE, questions=[])
    lacking = terminal_entry(spare.port, "spare", options=LACKING)
    async with shop(tmp_path, able, lacking) as till:
        yield till


async def granted(till: Till, number: str | None = None, **asked: Any) -> Answer:
    """PUT with the one-time grant that belongs to it."""
    number, body = number or new_uuid(), till.sale(**asked)
    return await till.put(body, number, once=once_grant(number, body))


async def reverse(till: Till, sale: dict[str, Any], **other: Any) -> Answer:
    asked = {"kind": "reversal", "amount": sale["amount"], "order": sale["order"], "line": sale["line"]}
    return await granted(till, **asked | {"original": {"uuid": sale["uuid"]}} | other)


async def errand(till: Till, place: str, terminal: str = "counter", **other: Any) -> Answer:
    body = till.errand()
    once = errand_grant(body, terminal) if place == "settlements" else None
    return await till.call("POST", f"/v1/terminals/{terminal}/{place}", body, **{"once": once, **other})


async def approved(till: Till, **asked: Any) -> dict[str, Any]:
    sale = await till.ended(till.sale(**asked))
    assert sale["state"] == "approved", sale
    return sale


# -- reversal


async def test_a_sale_is_taken_back_on_its_own_line(till: Till, terminal: TerminalProcess) -> None:
    sale = await approved(till)
    started = await reverse(till, sale)
    assert started.status == 201, started.text
    ended = await till.end(started.json["uuid"])
    assert (ended["state"], ended["amount_approved"], ended["kind"]) == ("approved", sale["amount"], "reversal")
    assert [entry["kind"] for entry in terminal.ledger[-2:]] == ["sale", "reversal"]
    assert ended["outcome"]["auth_code"] != sale["outcome"]["auth_code"]


async def test_law_8_what_went_back_goes_back_no_second_time(till: Till) -> None:
    """A part refunded, all of it, reversed already: in each case nothing is left to take back."""
    for amount in (1, 1250):
        sale = await approved(till)
        refund = await granted(till, kind="refund", amount=amount, original={"uuid": sale["uuid"]})
        assert (await till.end(refund.json["uuid"]))["state"] == "approved"
        refused = await reverse(till, sale)
        assert (refused.status, refused.code, refused.json["left"]) == (409, "over_refund", 1250 - amount)
    sale = await approved(till)
    await till.end((await reverse(till, sale)).json["uuid"])
    events = till.driver.journal.last
    assert (await reverse(till, sale)).code == "line_not_ended"
    assert (await reverse(till, sale, line=new_uuid())).code == "over_refund"
    back = await granted(till, kind="refund", amount=1, original={"uuid": sale["uuid"]})
    assert (back.code, back.json["left"]) == ("over_refund", 0)
    assert till.driver.journal.last == events


@pytest.mark.parametrize("kind", ["refund", "reversal"])
async def test_law_8_what_is_not_known_counts_as_done(till: Till, kind: str) -> None:
    sale = await approved(till)
    number = new_uuid()
    journal = till.driver.journal
    amount = 500 if kind == "refund" else sale["amount"]
    journal.intend({**till.sale(kind=kind, amount=amount, original={"uuid": sale["uuid"]}), "uuid": number})
    journal.record(number, State.SENT)
    journal.record(number, State.UNKNOWN, Outcome(State.UNKNOWN, "no_answer"))
    refused = await reverse(till, sale)
    assert (refused.code, refused.json["left"]) == ("over_refund", sale["amount"] - amount)


async def test_a_reversal_of_a_part_or_of_what_cannot_be_there(till: Till, terminal: TerminalProcess) -> None:
    sale = await approved(till)
    terminal.auto("decline")
    declined = await till.ended(till.sale())
    terminal.auto("contactless")
    refund = await granted(till, kind="refund", amount=100)
    given = await till.end(refund.json["uuid"])
    events, entries = till.driver.journal.last, len(terminal.ledger)
    for asked, status, code in (
        (await reverse(till, sale, amount=1249), 400, "bad_amount"),
        (await reverse(till, sale, amount=1251), 409, "over_refund"),
        (await reverse(till, sale, currency="CHF"), 400, "bad_currency"),
        (await reverse(till, {**sale, "uuid": new_uuid(), "line": new_uuid()}), 404, "no_such_transaction"),
        (await reverse(till, sale, original=None, line=new_uuid()), 404, "no_such_transaction"),
        (await reverse(till, {**given, "line": new_uuid()}), 400, "bad_kind"),
        (await reverse(till, declined), 409, "over_refund"),
        (await reverse(till, sale, terminal="spare"), 422, "not_supported"),
    ):
        assert (asked.status, asked.code, asked.json["money"]) == (status, code, "safe"), asked.text
    assert (till.driver.journal.last, len(terminal.ledger)) == (events, entries)


async def test_a_reversal_on_another_terminal_than_the_sales(till: Till, tmp_path: Path) -> None:
    sale = await approved(till, terminal="spare")
    refused = await reverse(till, sale, terminal="counter")
    assert (refused.status, refused.code) == (422, "not_supported")
    assert "Another terminal" in refused.json["detail"]


async def test_a_reversal_needs_odoos_permission(till: Till) -> None:
    sale = await approved(till)
    body = till.sale(kind="reversal", original={"uuid": sale["uuid"]}, order=sale["order"], line=sale["line"])
    assert (await till.put(body)).code == "one_time_grant_missing"
    number = new_uuid()
    other = once_grant(number, body, kind="refund")
    assert (await till.put(body, number, once=other)).code == "one_time_grant_mismatch"


async def test_what_the_terminal_does_not_remember_is_not_taken_back(till: Till, terminal: TerminalProcess) -> None:
    sale = await approved(till, amount=4711)
    await till.end((await errand(till, "settlements")).json["uuid"])
    ended = await till.end((await reverse(till, sale)).json["uuid"])
    assert (ended["state"], ended["code"]) == ("declined", "not_completed")


# -- held amounts


async def test_an_amount_is_held(till: Till, terminal: TerminalProcess) -> None:
    held = await till.ended(till.sale(kind="preauth"))
    assert (held["state"], held["amount_approved"]) == ("approved", 1250)
    assert terminal.ledger[-1]["kind"] == "preauth"
    refund = await granted(till, kind="refund", amount=1, original={"uuid": held["uuid"]})
    assert (refund.status, refund.code) == (400, "bad_kind")
    released = await reverse(till, held)
    assert (released.status, released.code) == (422, "not_supported")
    assert "on the terminal" in released.json["detail"]
    taken = await granted(till, kind="completion", amount=1000, original={"uuid": held["uuid"]})
    assert (taken.status, taken.code) == (422, "not_supported")


# -- settlement and copies


async def test_the_terminal_sends_off_its_payments(till: Till, terminal: TerminalProcess) -> None:
    body = till.errand()
    path = "/v1/terminals/counter/settlements"
    started = await till.call("POST", path, body, once=errand_grant(body, "counter"))
    assert (started.status, started.json["kind"], started.json["money"]) == (201, "settlement", "safe")
    ended = await till.end(body["uuid"])
    assert (ended["state"], ended["code"], ended["amount"]) == ("approved", "settled", 0)
    assert "totals" not in ended["outcome"], "CONCERT tells none"
    assert terminal.ledger[-1]["kind"] == "settlement"
    told = [event.type for event in till.driver.journal.events() if event.uuid == body["uuid"]]
    assert told == ["requested", "sent", "approved"]
    again = await till.call("POST", path, body, once=errand_grant(body, "counter"))
    assert (again.status, again.json["state"]) == (200, "approved")
    other = await till.call("POST", path, {**body, "operator": "Paul"}, once=errand_grant(body, "counter"))
    assert (other.status, other.code) == (409, "other_body")


async def test_a_settlement_needs_odoos_permission_over_this_terminal(till: Till) -> None:
    for once, code in (
        (None, "one_time_grant_missing"),
        (session_grant(), "one_time_grant_mismatch"),
        (errand_grant(till.errand(), "counter"), "one_time_grant_mismatch"),
    ):
        refused = await errand(till, "settlements", once=once)
        assert (refused.status, refused.code) == (403, code)
    body = till.errand()
    for once in (errand_grant(body, "spare"), errand_grant(body, "counter", "refund")):
        refused = await till.call("POST", "/v1/terminals/counter/settlements", body, once=once)
        assert refused.code == "one_time_grant_mismatch"


async def test_the_last_slip_once_more(till: Till, terminal: TerminalProcess) -> None:
    sale = await approved(till)
    ended = await till.end((await errand(till, "reprint")).json["uuid"])
    assert (ended["state"], ended["code"]) == ("approved", "reprinted")
    assert ended["amount_approved"] is None
    assert sale["outcome"]["auth_code"] in ended["outcome"]["receipt"]
    assert terminal.ledger[-1]["auth_code"] == sale["outcome"]["auth_code"], "nothing was charged for it"
    await till.end((await errand(till, "settlements")).json["uuid"])
    ended = await till.end((await errand(till, "reprint")).json["uuid"])
    assert (ended["state"], ended["code"]) == ("declined", "no_copy")


async def test_what_is_late_is_not_sent(till: Till, terminal: TerminalProcess) -> None:
    entries = len(terminal.ledger)
    body = till.errand(not_after="2026-01-01T00:00:00.000Z")
    once = errand_grant(body, "counter")
    await till.call("POST", "/v1/terminals/counter/settlements", body, once=once)
    ended = await till.end(body["uuid"])
    assert (ended["state"], ended["code"]) == ("failed", "expired")
    assert len(terminal.ledger) == entries


async def test_while_the_terminal_is_in_use_it_is_busy(till: Till, terminal: TerminalProcess) -> None:
    terminal.auto("")
    number = new_uuid()
    await till.asks_for_card(terminal, till.sale(), number)
    for place in ("settlements", "reprint"):
        refused = await errand(till, place)
        assert (refused.status, refused.code, refused.json["holder"]["uuid"]) == (423, "terminal_busy", number)


# -- slips, means, e-receipts


async def test_both_slips_come_apart(till: Till) -> None:
    outcome = (await approved(till))["outcome"]
    assert outcome["receipt"].rstrip().endswith("TICKET CLIENT")
    assert outcome["merchant_receipt"].rstrip().endswith("TICKET COMMERCANT")
    for slip in (outcome["receipt"], outcome["merchant_receipt"]):
        assert slip.count("TICKET ") == 1
        assert outcome["auth_code"] in slip


async def test_a_cheque(till: Till, terminal: TerminalProcess) -> None:
    outcome = (await approved(till, means="cheque"))["outcome"]
    assert outcome["brand"] == "Cheque"
    assert outcome["details"]["cheque_line"].startswith("0000023")
    assert "last4" not in outcome
    assert terminal.ledger[-1]["card"]["brand"] == "Cheque"
    terminal.auto("decline")
    refused = await till.ended(till.sale(means="cheque"))
    assert (refused["state"], refused["means"]) == ("declined", "cheque")


async def test_a_cheque_is_not_paid_back(till: Till) -> None:
    refused = await granted(till, kind="refund", means="cheque")
    assert (refused.status, refused.code) == (422, "not_supported")


async def test_where_the_slip_is_sent_is_not_kept(till: Till) -> None:
    receipt = {"email": "marie@shop.example", "phone": "+33612345678"}
    number = new_uuid()
    body = till.sale(receipt=receipt)
    sale = await till.ended(body, number)
    assert sale["state"] == "approved"
    assert (await till.put({**body, "receipt": {}}, number)).status == 200, "the same sale"
    kept = "".join(str(event.body) for event in till.driver.journal.events())
    assert "marie" not in kept
    assert "612345678" not in kept


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"kind": "refund"}, 422, "not_supported"),
        ({"kind": "preauth"}, 422, "not_supported"),
        ({"means": "cheque"}, 422, "not_supported"),
        ({"means": "seashells"}, 422, "not_supported"),
        ({"means": "Card!"}, 400, "malformed"),
        ({"receipt": {"email": "a@b.example"}}, 422, "not_supported"),
        ({"receipt": {"email": "nobody"}}, 400, "malformed"),
        ({"receipt": {"phone": "call me"}}, 400, "malformed"),
        ({"receipt": {"fax": "1"}}, 400, "malformed"),
        ({"forced": "123456"}, 422, "not_supported"),
        ({"forced": "12 34"}, 400, "malformed"),
    ],
)
async def test_what_a_terminal_lacks_is_refused_before_any_byte(
    till: Till, spare: TerminalProcess, changes: dict[str, Any], status: int, code: str
) -> None:
    events, entries = till.driver.journal.last, len(spare.ledger)
    refused = await granted(till, terminal="spare", **changes)
    assert (refused.status, refused.code, refused.json["money"]) == (status, code, "safe")
    assert (till.driver.journal.last, len(spare.ledger)) == (events, entries)


async def test_errands_a_terminal_lacks(till: Till) -> None:
    for place in ("settlements", "reprint"):
        refused = await errand(till, place, "spare")
        assert (refused.status, refused.code) == (422, "not_supported")


async def test_an_address_the_terminal_cannot_take(till: Till) -> None:
    refused = await till.put(till.sale(receipt={"email": "a@b.f"}))
    assert (refused.status, refused.code) == (400, "malformed")
    assert "email" in refused.json["detail"]


async def test_what_each_can_do_is_told(till: Till) -> None:
    answer = await till.call("GET", "/v1/terminals")
    able, lacking = (terminal["capabilities"] for terminal in answer.json["terminals"])
    assert able["kinds"] == ["identify", "preauth", "refund", "reprint", "reversal", "sale", "settlement"]
    assert (able["means"], able["e_receipts"], able["forced"]) == (["card", "cheque", "amex"], True, False)
    assert lacking["kinds"] == ["identify", "sale"]
    assert (lacking["means"], lacking["e_receipts"]) == (["card"], False)


async def test_after_a_restart_an_errand_is_not_unknown(tmp_path: Path, terminal: TerminalProcess) -> None:
    entry = terminal_entry(terminal.port, options=ABLE)
    number = new_uuid()
    async with shop(tmp_path, entry) as till:
        body = {**till.sale(kind="settlement", amount=0, currency="", order="", line=""), "uuid": number}
        till.driver.journal.intend(body)
        till.driver.journal.record(number, State.SENT)
    async with shop(tmp_path, entry) as till:
        ended = await till.end(number)
        assert (ended["state"], ended["code"], ended["money"]) == ("failed", "driver_restarted", "safe")
        assert "look at the terminal's slip" in ended["text"]
        assert (await till.ended(till.sale()))["state"] == "approved"
