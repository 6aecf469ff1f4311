"""The till's side of ZVT: what each message of a terminal leads to, message by message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zvt_kit import COMPLETION, NO, NUMBERS, ORIGINAL, SERIAL, YES, ZVT, Till, asked, kinds_of, status, told

from hw_driver.protocols.machine import (
    Close,
    InvalidRequest,
    Open,
    Persist,
    Result,
    Send,
    StartTimer,
)
from hw_driver.protocols.states import Kind, State
from hw_driver.protocols.zvt.codes import DOING, doing, result_of


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
        (asked(), {"tip": True}, "06010c040000000025004909781948"),
        (asked(), {"tip": True, "payment_type": "20"}, "06010c040000000025004909781928"),
        (asked(forced="A1234"), {"telephone": True}, "062116000000 04000000002500 490978 3b4131323334000000"),
        (asked(Kind.TIP, 200, original=ORIGINAL), {"tip": True}, "060c0d870470 04000000000200490978"),
        (
            asked(Kind.COMPLETION, 1800, original=ORIGINAL),
            {"preauth": True, "completion": "partial"},
            "06230d870470 04000000000700490978",
        ),
        (
            asked(Kind.COMPLETION, original=ORIGINAL),
            {"preauth": True, "completion": "partial"},
            "06230d870470 04000000000000490978",
        ),
        (asked(Kind.TOTALS, 0, ""), {"password": "123456"}, "061003123456"),
        (asked(Kind.DIAGNOSIS, 0, ""), {}, "067000"),
        (asked(Kind.INITIALISATION, 0, ""), {}, "069303000000"),
        (asked(Kind.LOGOFF, 0, ""), {}, "060200"),
        (asked(Kind.CARD, 0, ""), {"card_timeout": 15}, "06c0010f"),
        (asked(Kind.DISPLAY, 0, "", text="Grüß\nGott"), {}, "06e010f01e f1f0f4 477281e1 f2f0f4 476f7474"),
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
        (asked(Kind.REFUND, forced="1234"), "not_supported"),
        (asked(Kind.TIP), "not_supported"),
        (asked(Kind.COMPLETION, 2501, original=ORIGINAL), "bad_amount"),
        (asked(Kind.DISPLAY, 0, ""), "malformed"),
        (asked(Kind.DISPLAY, 0, "", text="a\n" * 9), "malformed"),
        (asked(Kind.REVERSAL, original={**ORIGINAL, "terminal_ref": "abc"}), "not_supported"),
    ],
)
def test_what_cannot_be_said_is_refused_before_anything_leaves(request_, code):
    till = Till(request_, {"completion": "partial"}, begun=False)
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
