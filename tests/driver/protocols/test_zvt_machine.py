"""The till's side of ZVT: what each message of a terminal leads to, message by message."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw_driver.protocols.machine import (
    Close,
    Evidence,
    InvalidRequest,
    Open,
    Outcome,
    Persist,
    Progress,
    Request,
    Result,
    Send,
    StartTimer,
)
from hw_driver.protocols.recovery import Lost
from hw_driver.protocols.states import Kind, State
from hw_driver.protocols.zvt import PROTOCOLS, messages
from hw_driver.protocols.zvt.codes import DOING, doing, result_of
from hw_driver.protocols.zvt.values import GROUPS

ZVT, SERIAL = PROTOCOLS
YES, NO = bytes.fromhex("800000"), bytes.fromhex("848300")
GIVE_UP = bytes.fromhex("06b000")
COMPLETION = bytes.fromhex("060f00")
ORIGINAL = {"uuid": "o", "kind": "sale", "amount": 2500, "terminal_ref": "0470"}
NUMBERS = {"terminal_id": "28004869", "terminal_ref": "0470", "terminal_time": "10-06 22:39:53"}
PAID = {
    "result": "00",
    "amount": "000000002500",
    "currency": "0978",
    "trace": "000470",
    "receipt": "0470",
    "terminal_id": "28004869",
    "time": "223953",
    "date": "1006",
    "card_number": "************4771",
    "authorisation": "611804\0\0",
    "card_name": "Debit Mastercard\0",
    "card_type": "2e",
}


def told(message, **fields):
    return messages.encode({"message": message, "fields": fields})


def status(**other):
    fields = {**PAID, **other}
    return told("status_information", **{name: value for name, value in fields.items() if value is not None})


def asked(kind=Kind.SALE, amount=2500, currency="EUR", **more):
    return Request("u", kind, amount, currency, **more)


class Till:
    """A machine and all it has done; it is registered already, and its command answered, unless told otherwise."""

    def __init__(self, request=None, options=None, *, begun=True, info=ZVT):
        self.machine = info.machine(options or {})
        self.effects = self.machine.start(request or asked())
        if begun:
            self.effects += self.machine.connected()
            self.hear(YES + COMPLETION)
            self.hear(YES)

    def hear(self, *data):
        fresh = [effect for piece in data for effect in self.machine.receive(piece)]
        self.effects += fresh
        return fresh

    @property
    def said(self):
        return [effect.data for effect in self.effects if isinstance(effect, Send)]

    @property
    def names(self):
        return [messages.decode(data)["message"] for data in self.said]

    @property
    def outcome(self):
        (outcome,) = [effect.outcome for effect in self.effects if isinstance(effect, Result)]
        return outcome

    @property
    def progress(self):
        return [(effect.code, effect.text) for effect in self.effects if isinstance(effect, Progress)]


def kinds_of(effects):
    return [type(effect) for effect in effects]


def test_a_sale_from_beginning_to_end():
    till = Till()
    assert till.names == ["registration", "positive_answer", "authorisation"]
    heard = till.hear(status())
    assert [kind for kind in kinds_of(heard) if kind in (Persist, Send)] == [Persist, Send]
    assert heard[1].state is State.SENT
    assert heard[1].outcome.details["trace"] == "000470"
    till.hear(told("print_line", attribute="00", text="Händlerbeleg"), told("print_line", attribute="81"))
    till.hear(told("print_line", attribute="40", text="Kundenbeleg"), told("print_line", attribute="ff", feed="02"))
    end = till.hear(COMPLETION)
    assert kinds_of(end)[-4:] == [Persist, Send, Result, Close]
    outcome = till.outcome
    assert (outcome.state, outcome.code, outcome.amount_approved) == (State.APPROVED, "approved", 2500)
    assert (outcome.last4, outcome.auth_code, outcome.brand) == ("4771", "611804", "Maestro")
    assert {name: getattr(outcome, name) for name in NUMBERS} == NUMBERS
    assert outcome.merchant_receipt == "Händlerbeleg\n"
    assert outcome.receipt.strip() == "Kundenbeleg"


@pytest.mark.parametrize(
    ("options", "config", "rest"),
    [
        ({}, "9e", "0978060626040a0206d3"),
        ({"slips": "lines"}, "9e", "09780600"),
        ({"slips": "none", "entry_blocked": False}, "08", "09780600"),
        ({"menu_blocked": True, "containers": False}, "be", "0978"),
        ({"password": "123456", "currency": "CHF", "containers": False}, "9e", "0978"),
    ],
)
def test_the_registration(options, config, rest):
    till = Till(options=options, begun=False)
    (send,) = [effect for effect in till.machine.connected() if isinstance(effect, Send)]
    assert send.data[3:].hex() == options.get("password", "000000") + config + rest


@pytest.mark.parametrize(
    ("request_", "options", "data"),
    [
        (asked(), {}, "06010a04000000002500490978"),
        (asked(), {"payment_type": "40"}, "06010c040000000025004909781940"),
        (asked(), {"partial_approval": True}, "06011004000000002500490978 06041f700101"),
        (asked(Kind.REFUND), {}, "06310d000000 04000000002500490978"),
        (asked(Kind.REVERSAL, original=ORIGINAL), {}, "063010000000 870470 04000000002500490978"),
        (asked(Kind.REVERSAL, original={**ORIGINAL, "kind": "preauth"}), {}, "06250d870470 04000000002500490978"),
        (asked(Kind.PREAUTH), {"preauth": True}, "06220a04000000002500490978"),
        (asked(Kind.COMPLETION, original=ORIGINAL), {"preauth": True}, "06240d870470 04000000002500490978"),
        (asked(Kind.SETTLEMENT, 0, ""), {}, "065003000000"),
        (asked(Kind.REPRINT, 0, ""), {}, "062003000000"),
        (asked(Kind.IDENTIFY, 0, ""), {}, "0501050000000304"),
        (asked(Kind.IDENTIFY, 0, ""), {"containers": False}, "050103000000"),
    ],
)
def test_the_command_of_each_kind(request_, options, data):
    assert Till(request_, options).said[-1].hex() == data.replace(" ", "")


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (asked(amount=0), "bad_amount"),
        (asked(amount=10**12), "bad_amount"),
        (asked(currency="XXX"), "bad_currency"),
        (asked(means="cheque"), "not_supported"),
        (asked(forced="1234"), "not_supported"),
        (asked(Kind.STATUS), "bad_kind"),
        (asked(Kind.REVERSAL), "not_supported"),
        (asked(Kind.REVERSAL, original={**ORIGINAL, "terminal_ref": "abc"}), "not_supported"),
    ],
)
def test_what_cannot_be_said_is_refused_before_anything_leaves(request_, code):
    till = Till(request_, begun=False)
    assert (till.outcome.state, till.outcome.code, till.said) == (State.FAILED, code, [])
    assert Open() not in till.effects


def test_wrong_options():
    with pytest.raises(InvalidRequest):
        ZVT.machine({"password": "12345"})
    with pytest.raises(InvalidRequest):
        ZVT.machine({"line_byte": 1.0})
    assert SERIAL.machine({"line_byte": 1.0})
    assert not ZVT.kinds_with({"preauth": False}) & {Kind.PREAUTH, Kind.COMPLETION}
    assert Kind.REPRINT not in ZVT.kinds_with({"last_result": False})
    with pytest.raises(ValueError, match="one dialog"):
        Till().machine.start(asked())


#: What is missing or wrong in a result 00 -> how it ends.
NOT_PAID = {
    "no result": ({"result": None}, "not_a_result"),
    "no amount": ({"amount": None}, "reply_incomplete"),
    "amount no digits": ({"amount": {"hex": "00000000250a"}}, "reply_incomplete"),
    "nothing taken": ({"amount": "000000000000"}, "amount_zero"),
    "more than asked": ({"amount": "000000002501"}, "amount_above"),
    "another currency": ({"currency": "0756"}, "reply_mismatch"),
}


@pytest.mark.parametrize("what", NOT_PAID)
def test_a_completion_that_proves_no_payment(what):
    other, code = NOT_PAID[what]
    till = Till()
    till.hear(status(**other), COMPLETION)
    assert (till.outcome.state, till.outcome.code) == (State.UNKNOWN, code)


def test_a_completion_without_any_result():
    till = Till()
    till.hear(COMPLETION)
    assert (till.outcome.state, till.outcome.code) == (State.UNKNOWN, "not_a_result")


def test_a_completion_that_contradicts_the_result():
    till = Till()
    till.hear(status(), told("completion", result="6c"))
    assert (till.outcome.state, till.outcome.code) == (State.UNKNOWN, "reply_contradictory")
    updating = Till()
    updating.hear(status(), told("completion", result="e0"))
    assert updating.outcome.state is State.APPROVED


def test_less_is_a_part_and_a_tip_is_told():
    part = Till()
    part.hear(status(amount="000000001000"), COMPLETION)
    assert (part.outcome.code, part.outcome.amount_approved) == ("partial", 1000)
    tip = Till()
    tip.hear(status(amount="000000002700", tlv=[{"tag": "1F36", "value": "000000000200"}]), COMPLETION)
    assert (tip.outcome.code, tip.outcome.amount_approved, tip.outcome.details["tip"]) == ("approved", 2700, "200")


def test_a_reversal_is_the_whole_payment_or_not_known():
    request = asked(Kind.REVERSAL, original=ORIGINAL)
    silent = Till(request)
    silent.hear(status(amount=None, original_trace="000469"), COMPLETION)
    assert (silent.outcome.state, silent.outcome.amount_approved) == (State.APPROVED, 2500)
    other = Till(request)
    other.hear(status(amount="000000001000"), COMPLETION)
    assert (other.outcome.state, other.outcome.code) == (State.UNKNOWN, "reply_mismatch")


@pytest.mark.parametrize(
    ("messages_", "state", "code"),
    [
        ([status(result="05", amount=None), told("abort", result="05")], State.DECLINED, "declined"),
        ([status(result="6c", amount=None), told("abort", result="6c")], State.CANCELLED, "aborted"),
        ([told("abort", result="f0")], State.FAILED, "day_open"),
        ([told("abort")], State.FAILED, "system_error"),
        ([status(), told("abort", result="cc")], State.DECLINED, "taken_back"),
        ([told("abort", result="00")], State.UNKNOWN, "reply_contradictory"),
        ([status(result="37"), status(), COMPLETION], State.APPROVED, "approved"),
        ([status(), status(result="05", amount=None), COMPLETION], State.DECLINED, "declined"),
        ([status(result="05", text="Karte ungültig"), told("abort", result="05")], State.DECLINED, "declined"),
        (
            [told("abort", result="ff", tlv=[{"tag": "1F17", "value": "Betrag falsch"}])],
            State.FAILED,
            "system_error",
        ),
    ],
)
def test_how_a_sale_ends(messages_, state, code):
    till = Till()
    till.hear(*messages_)
    assert (till.outcome.state, till.outcome.code) == (state, code)
    assert till.said[-1] == YES


def test_the_terminals_own_words_are_shown():
    till = Till()
    till.hear(status(result="05", text="Karte ungültig"), told("abort", result="05"))
    assert "Karte ungültig" in till.outcome.text
    other = Till()
    other.hear(told("abort", result="ff", tlv=[{"tag": "1F17", "value": "Betrag falsch"}]))
    assert "Betrag falsch" in other.outcome.text


def test_what_goes_on_is_shown_and_gives_time():
    till = Till(options={"language": "de", "dialog_timeout": 90})
    heard = till.hear(told("intermediate_status", code="0e"))
    assert StartTimer("dialog", 90) in heard
    assert till.progress[-1] == ("please_wait", "Vorgang wird bearbeitet, bitte warten")
    heard = till.hear(told("intermediate_status", code="4a", minutes="03"))
    assert StartTimer("dialog", 180) in heard
    assert till.progress[-1] == ("waiting_for_card", "Karte vorhalten oder einstecken: bitte Karte entnehmen")
    texts = [{"tag": "24", "value": [{"tag": "07", "value": "Bitte\nwarten"}]}]
    till.hear(told("intermediate_status", code="ff", minutes="00", tlv=texts))
    assert till.progress[-1][1] == "Bitte warten"
    till.hear(told("intermediate_status"))
    assert len([data for data in till.said if data == YES]) == 5


def test_every_code_has_words_in_every_language():
    for code in range(256):
        for language in ("en", "de", "fr"):
            word, text = doing(code, language)
            assert word
            assert text
        if code:
            assert result_of(code).text.endswith(".")
    assert all(len(words) == 4 and all(words) for words in DOING.values())


def test_the_till_may_not_do_everything_the_terminal_asks():
    till = Till()
    assert [effect.data for effect in till.hear(bytes.fromhex("06d000")) if isinstance(effect, Send)] == [NO]
    assert [effect.data for effect in till.hear(bytes.fromhex("040100")) if isinstance(effect, Send)] == [YES]
    till.hear(status(), COMPLETION)
    assert till.outcome.state is State.APPROVED


@given(
    st.data(),
    st.sampled_from([[COMPLETION], [told("abort", result="cc")], [status(result="05"), told("abort", result="05")]]),
)
def test_any_split_of_the_stream_gives_the_same_effects(data, ending):
    texts = [told("print_line", attribute="00", text="Kundenbeleg"), told("print_line", attribute="81")]
    shown = told("intermediate_status", code="0a", minutes="01")
    stream = b"".join([YES, COMPLETION, YES, shown, status(), *texts, *ending])
    whole, split = Till(begun=False), Till(begun=False)
    for till in (whole, split):
        till.effects += till.machine.connected()
    whole.hear(stream)
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        split.hear(stream[:size])
        stream = stream[size:]
    assert split.effects == whole.effects


# -- refusals, silence, loss


@pytest.mark.parametrize(
    ("answer", "code"), [("849c00", "terminal_busy"), ("841e017d", "no_connection"), ("846c00", "aborted")]
)
def test_a_command_that_is_refused_has_charged_nothing(answer, code):
    till = Till(begun=False)
    till.effects += till.machine.connected()
    till.hear(YES + COMPLETION)
    till.hear(bytes.fromhex(answer))
    assert till.outcome.code == code
    assert till.outcome.state in (State.FAILED, State.CANCELLED)


@pytest.mark.parametrize("answer", ["843700", "841e036f0978", "849c00"])
def test_a_registration_that_is_refused(answer):
    till = Till(begun=False)
    till.effects += till.machine.connected()
    till.hear(bytes.fromhex(answer))
    assert (till.outcome.state, till.names) == (State.FAILED, ["registration"])


def test_a_registration_that_is_aborted():
    till = Till(begun=False)
    till.effects += till.machine.connected()
    till.hear(YES, told("abort", result="c1"))
    assert (till.outcome.state, till.outcome.code, till.said[-1]) == (State.FAILED, "terminal_locked", YES)


def test_silence_before_the_command_is_safe_and_after_it_is_not():
    registering = Till(begun=False)
    registering.effects += registering.machine.connected()
    registering.effects += registering.machine.timer("answer")
    assert (registering.outcome.state, registering.outcome.code) == (State.FAILED, "unreachable")
    asking = Till(begun=False)
    asking.effects += asking.machine.connected()
    asking.hear(YES + COMPLETION)
    asking.effects += asking.machine.timer("answer")
    assert (asking.outcome.state, asking.outcome.code) == (State.UNKNOWN, "no_answer")


def test_after_a_long_silence_the_terminal_is_asked_to_give_up_once():
    till = Till()
    till.effects += till.machine.timer("dialog")
    assert till.said[-1] == GIVE_UP
    till.hear(NO)
    till.effects += till.machine.timer("dialog")
    assert (till.outcome.state, till.outcome.code) == (State.UNKNOWN, "no_answer")
    late = Till()
    late.effects += late.machine.timer("dialog")
    late.hear(YES, status(result="6c", amount=None), told("abort", result="6c"))
    assert late.outcome.state is State.CANCELLED


@pytest.mark.parametrize("heard", [[], [status()], [status(), told("print_line", text="a", attribute="00")]])
def test_a_lost_link_is_not_known(heard):
    till = Till()
    till.hear(*heard)
    till.effects += till.machine.lost("reset")
    assert (till.outcome.state, till.outcome.code) == (State.UNKNOWN, "link_lost")
    assert till.outcome.terminal_ref == ("0470" if heard else "")


def test_a_link_lost_before_anything_was_asked():
    till = Till(begun=False)
    assert [type(effect) for effect in till.machine.lost("refused")][-1] is Close
    registering = Till(begun=False)
    registering.effects += registering.machine.connected()
    registering.effects += registering.machine.lost("reset")
    assert (registering.outcome.state, registering.outcome.code) == (State.FAILED, "unreachable")


def test_a_connection_that_cannot_be_had():
    till = Till(begun=False)
    till.effects += till.machine.timer("connect")
    assert (till.outcome.state, till.outcome.code) == (State.FAILED, "unreachable")
    assert till.machine.connected() == till.machine.receive(YES) == till.machine.timer("connect") == []
    assert till.machine.lost("reset") == till.machine.cancel() == []


def test_something_else_at_the_address():
    first = Till(begun=False)
    first.effects += first.machine.receive(b"HTTP")
    assert first.outcome.code == "unexpected_data"
    then = Till(begun=False)
    then.effects += then.machine.connected()
    then.hear(bytes.fromhex("0000003e56455231"))
    assert (then.outcome.state, then.outcome.code) == (State.FAILED, "unexpected_data")
    later = Till()
    later.hear(b"garbage")
    assert (later.outcome.state, later.outcome.code) == (State.UNKNOWN, "reply_malformed")


def test_a_line_that_did_not_take_the_command():
    till = Till(begun=False, info=SERIAL)
    till.effects += till.machine.connected()
    till.hear(YES, COMPLETION)
    till.effects += till.machine.lost("line_refused")
    assert (till.outcome.state, till.outcome.code) == (State.FAILED, "message_refused")


def test_a_result_before_the_command_is_answered_is_another_ones():
    till = Till(begun=False)
    till.effects += till.machine.connected()
    till.hear(YES + COMPLETION)
    assert till.hear(COMPLETION) == [Send(YES)]
    till.hear(status())
    assert (till.outcome.state, till.outcome.code) == (State.UNKNOWN, "reply_mismatch")
    assert till.said[-1] == YES
    assert till.said.count(YES) == 2  # the stranger's result is not taken


# -- giving up


def test_giving_up_before_the_command_sends_none():
    till = Till(begun=False)
    assert till.machine.cancel() == [Progress("cancelling", "Asking the terminal to give up.")]
    till.effects += till.machine.connected()
    till.hear(YES + COMPLETION)
    assert (till.outcome.state, till.names) == (State.CANCELLED, ["registration", "positive_answer"])


def test_giving_up_while_the_command_is_not_answered():
    till = Till(begun=False)
    till.effects += till.machine.connected()
    till.hear(YES + COMPLETION)
    till.effects += till.machine.cancel()
    till.hear(YES)
    assert till.said[-1] == GIVE_UP


def test_giving_up_while_it_waits_for_a_card():
    till = Till()
    till.effects += till.machine.cancel()
    assert till.said[-1] == GIVE_UP
    assert till.machine.cancel()[0].code == "cannot_cancel"
    assert till.hear(YES) == []
    till.hear(status(result="6c", amount=None), told("abort", result="6c"))
    assert till.outcome.state is State.CANCELLED


def test_giving_up_too_late():
    till = Till()
    till.effects += till.machine.cancel()
    assert till.hear(NO)[0].code == "cannot_cancel"
    assert till.hear(YES) == []
    till.hear(status())
    assert till.machine.cancel()[0].code == "cannot_cancel"
    till.hear(COMPLETION)
    assert till.outcome.state is State.APPROVED
    assert ZVT.machine({}).cancel() == []


# -- the journal


def test_an_intent_that_is_not_durable_sends_nothing():
    till = Till(begun=False)
    till.machine.connected()
    (_, result, _) = till.machine.persist_failed()
    assert (result.outcome.state, result.outcome.code) == (State.FAILED, "journal_unavailable")


def test_a_result_that_is_not_durable_is_refused():
    till = Till()
    till.hear(status())
    assert Send(bytes.fromhex("846600")) in till.machine.persist_failed()
    till.hear(told("abort", result="6c"))
    assert (till.outcome.state, till.outcome.code) == (State.DECLINED, "taken_back")
    stubborn = Till()
    stubborn.hear(status())
    stubborn.machine.persist_failed()
    stubborn.hear(COMPLETION)
    assert (stubborn.outcome.state, stubborn.outcome.code) == (State.UNKNOWN, "journal_unavailable")


def test_an_end_that_is_not_durable_is_tried_again_as_it_is():
    till = Till()
    till.hear(status(), COMPLETION)
    again = till.machine.persist_failed()
    assert kinds_of(again) == [Persist, Send, Result, Close]
    assert again[0].outcome == till.outcome


# -- what moves no money


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


# -- what became of a lost answer

BEFORE = Outcome(State.APPROVED, amount_approved=2500, terminal_id="28004869", terminal_ref="0469",
                 terminal_time="10-06 22:00:00", details={"trace": "000469"})  # fmt: skip
SAID = Outcome(State.SENT, "heard", details={"trace": "000470"}, **NUMBERS)


class Question:
    """A dialog that asks about a lost sale of 25.00."""

    def __init__(self, options=None, **lost):
        self.machine = ZVT.machine(options or {})
        about = Lost(
            "u",
            Kind.SALE,
            2500,
            "EUR",
            **{"exclusive": True, "previous": BEFORE, "previous_uuid": "b", "waited": 9.0, **lost},
        )
        self.effects = self.machine.resume({"kind": "sale", "state": "unknown"}, about)
        self.effects += self.machine.connected()

    def hear(self, *data):
        for piece in data:
            self.effects += self.machine.receive(piece)
        return self

    def answered(self, *data, state="00"):
        report = messages.encode({"message": "status_report", "fields": {"status": state}})
        return self.hear(YES + COMPLETION, YES, report, YES, *data)

    @property
    def outcome(self):
        (outcome,) = [effect.outcome for effect in self.effects if isinstance(effect, Result)]
        return outcome

    @property
    def evidence(self):
        return [effect for effect in self.effects if isinstance(effect, Evidence)]

    @property
    def names(self):
        return [messages.decode(effect.data)["message"] for effect in self.effects if isinstance(effect, Send)]


def test_the_questions_never_ask_for_money():
    question = Question().answered(status(), COMPLETION)
    assert {"authorisation", "refund"}.isdisjoint(question.names)
    assert [name for name in question.names if name != "positive_answer"] == [
        "registration",
        "status_enquiry",
        "repeat_receipt",
    ]
    assert (question.outcome.state, question.outcome.amount_approved) == (State.APPROVED, 2500)


def test_its_own_numbers_prove_it_even_beside_other_tills():
    question = Question(said=SAID, exclusive=False, previous=None).answered(status(), COMPLETION)
    assert (question.outcome.state, question.outcome.details["recovered_by"]) == (State.APPROVED, "reference")
    not_done = Question(said=SAID, exclusive=False).answered(status(result="05"), COMPLETION)
    assert (not_done.outcome.state, not_done.outcome.code) == (State.FAILED, "not_completed")


def test_another_ones_numbers_prove_nothing():
    other = status(receipt="0471", trace="000471")
    question = Question(said=SAID).answered(other, COMPLETION)
    assert (question.outcome.state, len(question.evidence)) == (State.UNKNOWN, 1)
    shared = Question(exclusive=False).answered(status(), COMPLETION)
    assert (shared.outcome.state, len(shared.evidence)) == (State.UNKNOWN, 1)


def test_the_payment_before_says_that_this_one_never_arrived():
    previous = status(receipt="0469", trace="000469", time="220000")
    assert Question().answered(previous, COMPLETION).outcome.code == "not_received"
    assert Question(waited=0.0).answered(previous, COMPLETION).outcome.state is State.UNKNOWN
    assert Question().answered(previous, COMPLETION, state="9c").outcome.state is State.UNKNOWN
    doubtful = Question({"registered_is_idle": False}).answered(previous, COMPLETION)
    assert doubtful.outcome.state is State.UNKNOWN


@pytest.mark.parametrize(
    "numbers",
    [
        {"receipt": "0469", "trace": "000469"},  # the payment before, told with another time
        {"receipt": "0468", "trace": "000468"},
        {"receipt": "0470", "trace": "000469"},
        {"terminal_id": "29001006"},
        {"terminal_id": None, "authorisation": None},
        {"receipt": None, "trace": None, "authorisation": None},
    ],
)
def test_numbers_that_did_not_count_on_prove_nothing(numbers):
    question = Question(previous=replace(BEFORE, auth_code="999999")).answered(status(**numbers), COMPLETION)
    assert question.outcome.state is State.UNKNOWN


def test_counters_begin_again():
    before = replace(BEFORE, terminal_ref="9999", details={"trace": "999999"})
    question = Question(previous=before).answered(status(receipt="0001", trace="000001"), COMPLETION)
    assert question.outcome.state is State.APPROVED


def test_a_reversal_as_the_last_is_no_sale():
    question = Question().answered(status(receipt="0471", original_trace="000470"), COMPLETION)
    assert (question.outcome.state, len(question.evidence)) == (State.UNKNOWN, 1)


@pytest.mark.parametrize(
    "last",
    [
        [COMPLETION],
        [told("abort", result="83")],
        [told("status_information", result="00", totals={"hex": "00"}), COMPLETION],
        [status(amount=None), COMPLETION],
        [status(result=None), COMPLETION],
    ],
)
def test_a_last_result_that_says_nothing(last):
    question = Question().answered(*last)
    assert (question.outcome.state, question.outcome.code) == (State.UNKNOWN, "not_told")


def test_questions_that_are_not_answered():
    for end in (
        lambda question: question.machine.lost("reset"),
        lambda question: question.machine.timer("answer"),
        lambda question: question.machine.receive(b"garbage"),
        lambda question: question.machine.receive(bytes.fromhex("848300")) and question.machine.lost("closed"),
    ):
        question = Question()
        question.effects += end(question)
        assert question.outcome.state is State.UNKNOWN
        assert question.outcome.code == "not_told"


def test_what_need_not_be_answered_is_skipped():
    refused = Question().hear(bytes.fromhex("848300"), bytes.fromhex("848300"), YES, status(), COMPLETION)
    assert refused.outcome.state is State.APPROVED  # it is newer, whatever goes on
    aborted = Question().hear(
        YES + told("abort", result="83"), YES, told("abort", result="83"), YES, status(), COMPLETION
    )
    assert aborted.outcome.state is State.APPROVED
    last = Question().hear(bytes.fromhex("848300"), bytes.fromhex("848300"), bytes.fromhex("848300"))
    assert last.outcome.code == "not_told"
    assert last.machine.cancel() == []


def test_without_a_question_it_stays_unknown():
    restarted = ZVT.machine({}).resume({"kind": "sale", "state": "sent"})
    assert [effect.outcome.code for effect in restarted if isinstance(effect, Result)] == ["driver_restarted"]
    never = ZVT.machine({}).resume({"kind": "sale", "state": "requested"})
    assert [effect.outcome.state for effect in never if isinstance(effect, Result)] == [State.FAILED]
    lost = Lost("u", Kind.SALE, 2500, "EUR")
    deaf = ZVT.machine({"last_result": False}).resume({"kind": "sale", "state": "sent"}, lost)
    assert Open() not in deaf
