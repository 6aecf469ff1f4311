"""CONCERT V2: its vectors both ways against positions counted by hand, and what each reply means for the money."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw_driver.protocols.concert.line import unframe
from hw_driver.protocols.concert.v2 import ConcertV2, decode, encode
from hw_driver.protocols.concert.v2.messages import build, parse_reply, parse_request
from hw_driver.protocols.machine import (
    Acknowledge,
    Close,
    InvalidRequest,
    MalformedMessage,
    Persist,
    Progress,
    Request,
    Result,
    Send,
)
from hw_driver.protocols.states import Kind, State

VECTORS = {
    vector["name"]: vector
    for vector in json.loads((Path(__file__).parents[1] / "vectors" / "concert.json").read_text())
    if vector["version"].startswith("V2")
}
#: Where each part stands, from concert.md 1.6 and 1.7: (offset, length).
REQUEST = {
    "register": (0, 2),
    "amount": (2, 8),
    "answer": (10, 1),
    "means": (11, 1),
    "operation": (12, 1),
    "currency": (13, 3),
    "private": (16, 10),
}
E_PLUS = {"reply": (29, 1), "authorisation": (33, 1)}
HEAD = {"register": (0, 2), "status": (2, 1), "amount": (3, 8), "means": (11, 1)}
SHORT = {**HEAD, "currency": (12, 3), "private": (15, 10)}
FULL = {**HEAD, "card": (12, 55), "currency": (67, 3), "private": (70, 10)}
LAYOUTS = {
    26: ("request", REQUEST),
    34: ("request", REQUEST | E_PLUS),
    25: ("short_reply", SHORT),
    80: ("full_reply", FULL),
}

MESSAGES = [name for name, vector in VECTORS.items() if vector["valid"] and len(vector["hex"]) > 2]
CONTROLS = [name for name, vector in VECTORS.items() if len(vector["hex"]) == 2]
BAD = [name for name, vector in VECTORS.items() if not vector["valid"]]


def the_bytes(name):
    return bytes.fromhex(VECTORS[name]["hex"])


def by_hand(name):
    text = the_bytes(name)[1:-2].decode()
    message, places = LAYOUTS[len(text)]
    fields = {part: text[at : at + length] for part, (at, length) in places.items()}
    return message, fields | ({"ticket": ""} if message == "full_reply" else {})


def test_there_are_vectors_of_every_kind():
    assert {by_hand(name)[0] for name in MESSAGES} == {"request", "short_reply", "full_reply"}
    assert (len(CONTROLS), len(BAD)) == (4, 1)


@pytest.mark.parametrize("name", MESSAGES)
def test_a_vector_both_ways(name):
    kind, fields = by_hand(name)
    message = unframe(the_bytes(name))
    parsed = ("request", parse_request(message)) if kind == "request" else parse_reply(message)
    assert parsed == (kind, fields)
    assert build(kind, fields) == message
    assert encode({"message": kind, "fields": fields}) == the_bytes(name)


@pytest.mark.parametrize("name", MESSAGES)
def test_what_decode_shows_holds_no_card_number(name):
    decoded = decode(the_bytes(name))
    masked = any("masked" in warning for warning in decoded["warnings"])
    assert masked == ("full" in name)
    assert masked or (decoded["fields"], encode(decoded)) == (by_hand(name)[1], the_bytes(name))
    assert "471169046316" not in json.dumps(decoded)


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_byte_both_ways(name):
    assert encode(decode(the_bytes(name))) == the_bytes(name)


@pytest.mark.parametrize("name", BAD)
def test_a_bad_vector_is_refused(name):
    with pytest.raises(MalformedMessage):
        decode(the_bytes(name))


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"message": "request"},
        {"message": "letter", "fields": {}},
        {"message": "request", "fields": {"register": "1"}},
        {"message": "request", "fields": {**by_hand("v2e_debit_1250")[1], "Q!": "1"}},
        {"message": "request", "fields": {**by_hand("v2e_debit_1250")[1], "ticket": ""}},
        {"message": "request", "fields": {**by_hand("v2e_debit_1250")[1], "amount": 1250}},
        {"message": "short_reply", "fields": {**by_hand("v2_rsp_ok_short")[1], "card": "x"}},
    ],
)
def test_what_cannot_be_encoded(message):
    with pytest.raises(MalformedMessage):
        encode(message)


@pytest.mark.parametrize("rest", ["A", "A0", "A01", "A020", "A010A010", "0100", "A000"])
def test_options_that_are_none(rest):
    with pytest.raises(MalformedMessage):
        parse_request(unframe(the_bytes("v2e_debit_1250")) + rest.encode())


@given(st.binary(max_size=120))
def test_any_bytes_are_a_message_or_refused(data):
    try:
        decoded = decode(b"\x02" + data)
    except MalformedMessage:
        return
    assert decoded["warnings"] or encode(decoded) == b"\x02" + data


# The dialog ---------------------------------------------------------------------------------------------------------

SALE = Request("5d7a0b6e-0000-4000-8000-000000000001", Kind.SALE, 1250, "EUR")


def reply(status="0", amount=1250, register="01", means="1", currency="978", private=" " * 10):
    return f"{register}{status}{amount:08d}{means}{currency}{private}".encode()


def asked(request=SALE, **options):
    machine = ConcertV2(options)
    machine.start(request)
    return machine, machine.connected()


def outcome(effects):
    (result,) = [effect.outcome for effect in effects if isinstance(effect, Result)]
    return result


def order(effects):
    return [type(effect) for effect in effects if not type(effect).__name__.endswith("Timer")]


@pytest.mark.parametrize(
    ("name", "kind", "amount", "options"),
    [
        ("v2ep_debit_1250_ind1", Kind.SALE, 1250, {}),
        ("v2ep_debit_1250_ind0", Kind.SALE, 1250, {"card": False}),
        ("v2ep_credit_500_forced", Kind.REFUND, 500, {"forced": True}),
        ("v2ep_cancel_500", Kind.REVERSAL, 500, {}),
        ("v2ep_debit_1250_privzero", Kind.SALE, 1250, {"private": "zeros"}),
        ("v2ep_cheque_1250_privzero", Kind.SALE, 1250, {"private": "zeros", "means": "C"}),
        ("v2e_debit_1250", Kind.SALE, 1250, {"private": "zeros", "dialect": "E"}),
        ("v2ep_lrc_is_06_amount_001", Kind.SALE, 1, {}),
    ],
)
def test_a_request_is_the_published_bytes(name, kind, amount, options):
    _, effects = asked(Request("u", kind, amount, "EUR"), **options)
    assert order(effects)[:2] == [Persist, Send]
    assert [effect.data for effect in effects if isinstance(effect, Send)] == [unframe(the_bytes(name))]


def test_the_slip_is_asked_for_where_the_terminal_gives_it():
    _, effects = asked(dialect="E", ticket=True)
    (sent,) = [effect.data for effect in effects if isinstance(effect, Send)]
    assert (len(sent), sent[26:]) == (30, b"T012")


@pytest.mark.parametrize(
    ("answer", "state", "code", "approved"),
    [
        (reply(), State.APPROVED, "approved", 1250),
        (reply(amount=1000), State.APPROVED, "partial", 1000),
        (reply("7"), State.DECLINED, "declined", None),
        (reply("7", amount=0, currency="000"), State.DECLINED, "declined", None),
        (reply("9"), State.UNKNOWN, "not_a_result", None),
        (reply("5"), State.UNKNOWN, "not_a_result", None),
        (reply(amount=1251), State.UNKNOWN, "amount_above", None),
        (reply(amount=0), State.UNKNOWN, "amount_zero", None),
        (reply(currency="756"), State.UNKNOWN, "reply_mismatch", None),
        (b"no reply at all", State.UNKNOWN, "reply_malformed", None),
    ],
)
def test_only_status_0_with_amount_and_currency_is_paid(answer, state, code, approved):
    machine, _ = asked()
    effects = machine.receive(answer)
    assert order(effects) == [Persist, Acknowledge, Result, Close]
    ended = outcome(effects)
    assert (ended.state, ended.code, ended.amount_approved) == (state, code, approved)
    assert machine.receive(reply()) == [Acknowledge()]


@pytest.mark.parametrize(
    "name", [name for name, vector in VECTORS.items() if vector.get("expect") in ("paid", "not paid")]
)
def test_the_published_replies(name):
    cheque = "cheque" in name
    machine, _ = asked(means="C" if cheque else "1")
    ended = outcome(machine.receive(unframe(the_bytes(name))))
    assert ended.state is (State.APPROVED if VECTORS[name]["expect"] == "paid" else State.DECLINED)
    assert ended.last4 == ("8807" if "full" in name else "")
    assert ended.brand == ("Cheque" if cheque else "CB")


def test_a_late_answer_to_another_request_does_not_end_this_one():
    machine, effects = asked(private="reference", private_echoed=True)
    (sent,) = [effect.data for effect in effects if isinstance(effect, Send)]
    assert machine.receive(reply(private="0000000001")) == [Acknowledge()]
    assert machine.receive(reply(register="02")) == [Acknowledge()]
    assert outcome(machine.receive(reply(private=sent[16:26].decode()))).state is State.APPROVED


def test_the_slip_of_the_customer_is_kept_without_card_number():
    machine, _ = asked(dialect="E", ticket=True)
    card = "4711690463168807".ljust(55)
    ended = outcome(machine.receive(f"010000012501{card}978{' ' * 10}CB 4711690463168807\nMERCI".encode()))
    assert (ended.state, ended.last4) == (State.APPROVED, "8807")
    assert "MERCI" in ended.receipt
    assert "471169046316" not in repr(ended)


@pytest.mark.parametrize(
    ("reason", "code"), [("line_silent", "unreachable"), ("line_busy", "busy"), ("line_refused", "message_refused")]
)
def test_a_frame_that_was_certainly_not_taken_charged_nothing(reason, code):
    opening = ConcertV2({})
    opening.start(SALE)
    for effects in (opening.lost(reason), asked()[0].lost(reason)):
        assert (outcome(effects).state, outcome(effects).code) == (State.FAILED, code)


def test_a_line_lost_before_and_after_the_frame():
    opening = ConcertV2({})
    opening.start(SALE)
    assert outcome(opening.lost("unplugged")).state is State.FAILED
    machine, _ = asked()
    assert (outcome(machine.lost("unplugged")).code, machine.lost("unplugged")) == ("link_lost", [])


def test_silence_before_and_after_the_frame():
    opening = ConcertV2({})
    opening.start(SALE)
    assert opening.timer("answer") == []
    assert outcome(opening.timer("connect")).state is State.FAILED
    ended = outcome(asked()[0].timer("answer"))
    assert (ended.state, ended.code) == (State.UNKNOWN, "no_answer")
    assert "DUPLICATA" in ended.text


def test_an_intent_that_cannot_be_stored_sends_nothing_and_an_answer_waits():
    machine, _ = asked()
    assert outcome(machine.persist_failed()).code == "journal_unavailable"
    answered, _ = asked()
    answered.receive(reply())
    assert answered.persist_failed() == []


@pytest.mark.parametrize(("state", "end"), [("requested", State.FAILED), ("sent", State.UNKNOWN)])
def test_after_a_restart(state, end):
    assert outcome(ConcertV2({}).resume({"kind": "sale", "state": state})).state is end


def test_there_is_no_abort():
    machine, _ = asked()
    assert isinstance(machine.cancel()[0], Progress)
    machine.receive(reply())
    assert machine.cancel() == []


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (Request("u", Kind.IDENTIFY), "bad_kind"),
        (Request("u", Kind.SALE, 0, "EUR"), "bad_amount"),
        (Request("u", Kind.SALE, 10**8, "EUR"), "bad_amount"),
        (Request("u", Kind.SALE, 1250, "ZZZ"), "bad_currency"),
    ],
)
def test_what_cannot_be_asked_never_leaves(request_, code):
    ended = outcome(ConcertV2({}).start(request_))
    assert (ended.state, ended.code) == (State.FAILED, code)


@pytest.mark.parametrize(
    "options",
    [{"register": "00"}, {"dialect": "F"}, {"means": "Z"}, {"answer_timeout": True}, {"line_tries": 0}, {"speed": 1}],
)
def test_wrong_options_are_named(options):
    with pytest.raises(InvalidRequest, match=next(iter(options))):
        ConcertV2(options)


def test_one_machine_is_one_dialog():
    machine, _ = asked()
    with pytest.raises(ValueError, match="one dialog"):
        machine.start(SALE)
