"""The till's side of ZVT where no money moves, and what is done about earlier payments."""

import pytest
from zvt_kit import COMPLETION, NO, ORIGINAL, YES, ZVT, Till, asked, status, told

from hw_driver.protocols.machine import (
    Close,
    Persist,
    Result,
    Send,
    StartTimer,
)
from hw_driver.protocols.states import Kind, State
from hw_driver.protocols.zvt import messages
from hw_driver.protocols.zvt.conditions import CONDITIONS
from hw_driver.protocols.zvt.values import GROUPS


def test_an_end_of_day_with_its_totals():
    till = Till(asked(Kind.SETTLEMENT, 0, ""))
    groups = {group: [0, "000000000000"] for group in GROUPS}
    totals = {"receipts": ["0233", "0234"], "groups": {**groups, "Mastercard": [2, "000000000958"]}}
    till.hear(
        told("status_information", result="00", totals=totals), told("print_line", attribute="00", text="Kassenschnitt")
    )
    till.hear(COMPLETION)
    assert till.outcome.state is State.APPROVED
    assert till.outcome.totals == ({"brand": "Mastercard", "count": 2, "amount": 958, "currency": "EUR"},)
    assert (till.outcome.receipt, till.outcome.merchant_receipt) == ("", "Kassenschnitt\n")


@pytest.mark.parametrize("totals", [None, {"hex": "0102"}, {"hex": "02330234" + "00aa0000000000" * 7}])
def test_an_end_of_day_without_totals_that_can_be_read(totals):
    till = Till(asked(Kind.SETTLEMENT, 0, ""))
    if totals:
        till.hear(told("status_information", result="00", totals=totals))
    till.hear(COMPLETION)
    assert (till.outcome.state, till.outcome.totals) == (State.APPROVED, None)


def test_an_end_of_day_that_did_not_happen():
    till = Till(asked(Kind.SETTLEMENT, 0, ""))
    till.hear(told("status_information", result="77"), COMPLETION)
    assert (till.outcome.state, till.outcome.code) == (State.FAILED, "not_possible")
    lost = Till(asked(Kind.SETTLEMENT, 0, ""))
    lost.effects += lost.machine.lost("reset")
    assert (lost.outcome.state, lost.outcome.code) == (State.FAILED, "link_lost")
    assert "again" in lost.outcome.text


def test_a_copy_and_who_it_is():
    copy = Till(asked(Kind.REPRINT, 0, ""))
    copy.hear(told("print_line", attribute="00", text="Kopie"), COMPLETION)
    assert (copy.outcome.code, copy.outcome.receipt) == ("reprinted", "Kopie\n")
    who = Till(asked(Kind.IDENTIFY, 0, ""))
    who.hear(told("intermediate_status", code="0e"))
    serial = [{"tag": "1F42", "value": "00000815"}]
    who.hear(
        messages.encode({"message": "status_report", "fields": {"software": "2.14", "status": "dc", "tlv": serial}})
    )
    assert (who.outcome.code, who.outcome.serial) == ("identified", "00000815")
    assert who.outcome.details == {"status": "dc", "condition": "card_inserted", "software": "2.14"}
    lost = Till(asked(Kind.IDENTIFY, 0, ""))
    lost.effects += lost.machine.lost("reset")
    assert lost.outcome.state is State.FAILED


# -- how a terminal stands


@pytest.mark.parametrize(
    ("state", "registered", "word", "remedy"),
    [
        ("00", "00", "ready", None),
        ("00", "01", "initialisation_needed", "initialisation"),
        ("00", "02", "diagnosis_needed", "diagnosis"),
        ("f0", "01", "end_of_day_due", "settlement"),
        ("51", "00", "initialisation_needed", "initialisation"),
        ("c0", "00", "locked", None),
        ("77", "00", "other", None),
    ],
)
def test_what_a_terminal_wants_first_is_said_and_named(state, registered, word, remedy):
    till = Till(asked(Kind.IDENTIFY, 0, ""), begun=False)
    till.effects += till.machine.connected()
    till.hear(YES, told("completion", status=registered, terminal_id="28004869"), YES)
    till.hear(messages.encode({"message": "status_report", "fields": {"status": state}}))
    details = till.outcome.details
    assert (details["condition"], details.get("remedy")) == (word, remedy)
    assert till.outcome.terminal_id == "28004869"
    assert till.outcome.text.endswith(".")
    assert (till.outcome.text == "The terminal answers.") == (word == "ready")


def test_every_remedy_can_be_asked_for():
    assert {condition.remedy for condition in CONDITIONS.values()} - {None} <= ZVT.kinds_with({})
    assert all(condition.text.endswith(".") for condition in CONDITIONS.values())


@pytest.mark.parametrize(
    ("registered", "messages_", "state", "code", "remedy"),
    [
        ("00", [told("abort", result="f0")], State.FAILED, "day_open", "settlement"),
        ("00", [told("abort", result="c2")], State.FAILED, "diagnosis_needed", "diagnosis"),
        ("00", [told("abort", result="c0")], State.FAILED, "terminal_locked", None),
        ("01", [told("abort", result="51")], State.FAILED, "initialisation_needed", "initialisation"),
        # … and the same number as a bank's word
        ("00", [told("abort", result="51")], State.DECLINED, "declined", None),
        ("01", [status(result="51", amount=None), told("abort", result="51")], State.DECLINED, "declined", None),
        ("01", [told("abort", result="6c")], State.CANCELLED, "aborted", None),
    ],
)
def test_a_refused_sale_says_what_the_terminal_wants(registered, messages_, state, code, remedy):
    till = Till(begun=False)
    till.effects += till.machine.connected()
    till.hear(YES, told("completion", status=registered), YES, *messages_)
    assert (till.outcome.state, till.outcome.code, till.outcome.details.get("remedy")) == (state, code, remedy)


def test_a_command_refused_at_once_says_it_too():
    till = Till(begun=False)
    till.effects += till.machine.connected()
    till.hear(YES + COMPLETION, bytes.fromhex("84f000"))
    assert (till.outcome.state, till.outcome.details["remedy"]) == (State.FAILED, "settlement")


# -- what is asked of the terminal itself


def test_totals_are_told_and_nothing_is_sent_off():
    till = Till(asked(Kind.TOTALS, 0, ""))
    groups = {group: [0, "000000000000"] for group in GROUPS}
    totals = {"receipts": ["0233", "0234"], "groups": {**groups, "Visa": [3, "000000001200"]}}
    till.hear(told("status_information", result="00", totals=totals))
    till.hear(told("print_line", attribute="00", text="Umsatz"), COMPLETION)
    assert (till.outcome.state, till.outcome.code) == (State.APPROVED, "totals")
    assert till.outcome.totals == ({"brand": "Visa", "count": 3, "amount": 1200, "currency": "EUR"},)
    assert till.outcome.merchant_receipt == "Umsatz\n"
    assert till.names[-3:] == ["positive_answer"] * 3


@pytest.mark.parametrize(("kind", "code"), [(Kind.DIAGNOSIS, "diagnosed"), (Kind.INITIALISATION, "initialised")])
def test_a_terminal_is_put_in_order(kind, code):
    till = Till(asked(kind, 0, ""))
    till.hear(told("set_time"), told("print_line", attribute="00", text="Fertig"), COMPLETION)
    assert (till.outcome.code, till.outcome.merchant_receipt, till.outcome.receipt) == (code, "Fertig\n", "")
    failed = Till(asked(kind, 0, ""))
    failed.hear(told("abort", result="7d"))
    assert (failed.outcome.state, failed.outcome.code) == (State.FAILED, "no_connection")


@pytest.mark.parametrize(
    ("request_", "code"),
    [(asked(Kind.LOGOFF, 0, ""), "logged_off"), (asked(Kind.DISPLAY, 0, "", text="Hallo"), "shown")],
)
def test_what_is_over_with_its_answer(request_, code):
    till = Till(request_)  # its answer is heard
    assert (till.outcome.state, till.outcome.code) == (State.APPROVED, code)
    assert till.machine.receive(COMPLETION) == []
    refused = Till(request_, begun=False)
    refused.effects += refused.machine.connected()
    refused.hear(YES + COMPLETION, NO)
    assert (refused.outcome.state, refused.outcome.code) == (State.FAILED, "not_supported")


def test_a_card_that_is_only_read():
    till = Till(asked(Kind.CARD, 0, ""), {"card_timeout": 20, "answer_timeout": 5})
    assert StartTimer("answer", 25) in till.effects  # a time in the command takes T3's place
    assert till.progress[-1][0] == "waiting_for_card"
    till.hear(status(amount=None))
    assert (till.outcome.code, till.outcome.last4, till.outcome.amount_approved) == ("card_read", "4771", None)
    assert [type(effect) for effect in till.effects[-4:]] == [Persist, Send, Result, Close]
    nobody = Till(asked(Kind.CARD, 0, ""))
    nobody.hear(told("abort", result="6c"))
    assert (nobody.outcome.state, nobody.outcome.code) == (State.CANCELLED, "aborted")
    unread = Till(asked(Kind.CARD, 0, ""))
    unread.hear(status(result="64", amount=None))
    assert (unread.outcome.state, unread.outcome.code) == (State.DECLINED, "card_unreadable")


# -- tips, completions, authorisations by telephone


@pytest.mark.parametrize(
    ("told_amount", "state", "code", "approved"),
    [
        ("000000000200", State.APPROVED, "approved", 200),
        ("000000002700", State.APPROVED, "approved", 200),  # the sale with its tip (SM)
        ("000000000100", State.UNKNOWN, "reply_mismatch", None),
        ("000000002600", State.UNKNOWN, "amount_above", None),
        (None, State.UNKNOWN, "reply_incomplete", None),
    ],
)
def test_a_tip_afterwards_is_itself_or_the_sale_with_it(told_amount, state, code, approved):
    till = Till(asked(Kind.TIP, 200, original=ORIGINAL), {"tip": True})
    till.hear(status(amount=told_amount), COMPLETION)
    assert (till.outcome.state, till.outcome.code, till.outcome.amount_approved) == (state, code, approved)


@pytest.mark.parametrize(
    ("told_amount", "state", "approved"),
    [
        ("000000001800", State.APPROVED, 1800),
        ("000000000700", State.APPROVED, 1800),  # what is released
        ("000000000500", State.UNKNOWN, None),
    ],
)
def test_a_completion_by_what_was_not_used(told_amount, state, approved):
    held = {**ORIGINAL, "kind": "preauth"}
    till = Till(asked(Kind.COMPLETION, 1800, original=held), {"preauth": True, "completion": "partial"})
    till.hear(status(amount=told_amount), COMPLETION)
    assert (till.outcome.state, till.outcome.amount_approved) == (state, approved)


def test_a_payment_that_may_have_a_tip_later_says_so():
    till = Till(options={"tip": True})
    till.hear(status(tlv=[{"tag": "1F3B", "value": "01"}]), COMPLETION)
    assert till.outcome.details["tippable"] == "yes"
    other = Till(options={"tip": True})
    other.hear(status(tlv=[{"tag": "1F3B", "value": "02"}]), COMPLETION)
    assert "tippable" not in other.outcome.details


def test_what_needs_an_option():
    assert not ZVT.able({}).forced
    assert ZVT.able({"telephone": True}).forced
    assert Kind.TIP not in ZVT.kinds_with({})
    assert Kind.TIP in ZVT.kinds_with({"tip": True})
