"""The till's CONCERT V3 dialog: the effects, step by step, and the rule for "paid"."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw_driver.protocols.concert import MAX_AMOUNT, PROTOCOLS
from hw_driver.protocols.concert.tlv import build
from hw_driver.protocols.machine import (
    Close,
    InvalidRequest,
    Open,
    Persist,
    Progress,
    Request,
    Result,
    Send,
    StartTimer,
    StopTimer,
)
from hw_driver.protocols.states import Kind, State

concert_v3 = PROTOCOLS[0]
SALE = Request("u", Kind.SALE, 2500, "EUR")
ECHO = {"CZ": "0300", "CA": "01", "CB": "2500", "CD": "0", "CE": "978"}


def asked(request=SALE, **options):
    machine = concert_v3.machine(options)
    machine.start(request)
    machine.connected()
    return machine


def outcome_of(effects):
    (outcome,) = [effect.outcome for effect in effects if isinstance(effect, Result)]
    return outcome


def answered(fields, request=SALE, **options):
    machine = asked(request, **options)
    return outcome_of([*machine.receive(build(fields)), *machine.timer("drain")])


def reply(**changes):
    return {tag: value for tag, value in {**ECHO, "AE": "10", **changes}.items() if value is not None}


# -- the effects, in order


def test_a_sale_from_start_to_end():
    machine = concert_v3.machine({})
    assert machine.start(SALE) == [Open(), StartTimer("connect", 5)]
    assert machine.connected() == [
        StopTimer("connect"),
        Persist(State.SENT),
        Send(b"CZ0040300CJ012012345678901CA00201CB0042500CD0010CE003978"),
        StartTimer("answer", 180),
        Progress("waiting_for_card", "Waiting for the customer's card.", 180),
    ]
    assert machine.receive(build(reply())) == [StartTimer("drain", 0.3)]
    stop_answer, stop_drain, persist, result, close = machine.timer("drain")
    assert (stop_answer, stop_drain, close) == (StopTimer("answer"), StopTimer("drain"), Close())
    assert persist == Persist(State.APPROVED, result.outcome)
    assert result.outcome.amount_approved == 2500


@pytest.mark.parametrize(
    ("request_", "options", "sent"),
    [
        (Request("u", Kind.REFUND, 500, "EUR"), {}, b"CZ0040300CJ012012345678901CA00201CB003500CD0011CE003978"),
        (Request("u", Kind.SALE, 5, "EUR"), {}, b"CZ0040300CJ012012345678901CA00201CB00205CD0010CE003978"),
        (Request("u", Kind.SALE, 1200, "XPF"), {}, b"CZ0040300CJ012012345678901CA00201CB0041200CD0010CE003953"),
        (Request("u", Kind.IDENTIFY), {}, b"CZ0040300CJ012012345678901CA00201CD001I"),
        (
            Request("u", Kind.SALE, 5, "EUR"),
            {"tickets": True},
            b"CZ0040300CJ012012345678901CA00201CB00205CD0010CE003978CK003100",
        ),
        (Request("u", Kind.IDENTIFY), {"tickets": True}, b"CZ0040300CJ012012345678901CA00201CD001I"),
        (
            Request("u", Kind.SALE, MAX_AMOUNT, "EUR"),
            {"register": "7", "register_length": 1, "ipc": "247300123456", "version": "0320", "crlf": True},
            b"CZ0040320CJ012247300123456CA0017CB012999999999999CD0010CE003978\r\n",
        ),
    ],
)
def test_requests_on_the_wire(request_, options, sent):
    machine = concert_v3.machine(options)
    machine.start(request_)
    assert [effect.data for effect in machine.connected() if isinstance(effect, Send)] == [sent]


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (Request("u", Kind.SALE, 0, "EUR"), "bad_amount"),
        (Request("u", Kind.SALE, -1, "EUR"), "bad_amount"),
        (Request("u", Kind.SALE, 10**12, "EUR"), "bad_amount"),
        (Request("u", Kind.SALE, 10.0, "EUR"), "bad_amount"),
        (Request("u", Kind.SALE, True, "EUR"), "bad_amount"),
        (Request("u", Kind.SALE, 100, ""), "bad_currency"),
        (Request("u", Kind.SALE, 100, "ZZZ"), "bad_currency"),
        (Request("u", Kind.COMPLETION, 100, "EUR"), "bad_kind"),
    ],
)
def test_what_cannot_be_said_fails_with_nothing_sent(request_, code):
    effects = concert_v3.machine({}).start(request_)
    assert [type(effect) for effect in effects] == [Persist, Result, Close]
    assert (outcome_of(effects).state, outcome_of(effects).code) == (State.FAILED, code)
    assert outcome_of(effects).text


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"colour": "red"}, "no option colour"),
        ({"register": 1}, "register must be"),
        ({"register": "123"}, "register must be"),
        ({"register": "12", "register_length": 1}, "does not fit"),
        ({"ipc": "12"}, "12 digits"),
        ({"version": "0200"}, "version"),
        ({"crlf": "yes"}, "true or false"),
        ({"answer_timeout": 0}, "seconds"),
        ({"drain": True}, "seconds"),
        ({"connect_timeout": float("nan")}, "seconds"),
    ],
)
def test_a_wrong_option_is_named(options, says):
    with pytest.raises(InvalidRequest, match=says) as refusal:
        concert_v3.machine(options)
    assert refusal.value.code == "bad_option"


def test_every_option_has_its_default_and_seconds_may_be_fractions():
    concert_v3.machine(concert_v3.defaults)
    machine = concert_v3.machine({"connect_timeout": 0.5})
    assert machine.start(SALE)[1] == StartTimer("connect", 0.5)


def test_identification_does_not_wait_as_long_as_a_customer():
    machine = concert_v3.machine({})
    machine.start(Request("u", Kind.IDENTIFY))
    assert StartTimer("answer", 10) in machine.connected()


# -- before anything was sent


@pytest.mark.parametrize(
    "event", [lambda m: m.lost("refused"), lambda m: m.timer("connect"), lambda m: m.receive(b"SSH-2.0\r\n")]
)
def test_trouble_before_sending_is_a_failure(event):
    machine = concert_v3.machine({})
    machine.start(SALE)
    effects = event(machine)
    assert outcome_of(effects).state is State.FAILED
    assert not any(isinstance(effect, Send) for effect in [*effects, *machine.connected()])


def test_a_journal_that_cannot_take_the_intent_is_a_failure():
    machine = asked()
    effects = machine.persist_failed()
    assert (outcome_of(effects).state, outcome_of(effects).code) == (State.FAILED, "journal_unavailable")
    assert not any(isinstance(effect, Send | Persist) for effect in effects)


def test_a_journal_that_cannot_take_the_answer_is_asked_again():
    machine = asked()
    machine.receive(build(reply()))
    judged = machine.timer("drain")
    again = machine.persist_failed()
    assert [effect for effect in again if isinstance(effect, Persist)] == [p for p in judged if isinstance(p, Persist)]
    assert [type(effect) for effect in again] == [Persist, Result, Close]


def test_a_failure_before_sending_needs_no_journal():
    machine = concert_v3.machine({})
    machine.start(SALE)
    machine.lost("refused")
    assert [type(effect) for effect in machine.persist_failed()] == [Result, Close]


# -- the rule for "paid"


@pytest.mark.parametrize("amount", ["2500", "02500", "000000002500"])
def test_the_amount_is_compared_as_a_number(amount):
    assert answered(reply(CB=amount)).amount_approved == 2500


def test_less_than_asked_is_approved_with_what_was_taken():
    outcome = answered(reply(CB="1000"))
    assert (outcome.state, outcome.code, outcome.amount_approved) == (State.APPROVED, "partial", 1000)


@pytest.mark.parametrize("reason", [None, "00", "01", "02", "03"])
def test_reasons_that_go_with_success(reason):
    assert answered(reply(AF=reason)).state is State.APPROVED


def test_the_register_may_lose_its_zero():
    assert answered(reply(CA="1")).state is State.APPROVED


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"CB": None}, "reply_incomplete"),
        ({"CB": "25OO"}, "reply_incomplete"),
        ({"CD": None}, "reply_incomplete"),
        ({"CE": None}, "reply_incomplete"),
        ({"CA": None}, "reply_incomplete"),
        ({"CB": "2501"}, "amount_above"),
        ({"CB": "00"}, "amount_zero"),
        ({"CD": "1"}, "reply_mismatch"),
        ({"CE": "840"}, "reply_mismatch"),
        ({"CA": "02"}, "reply_mismatch"),
        ({"AF": "04"}, "reply_contradictory"),
        ({"AF": "99"}, "reply_contradictory"),
        ({"AE": "01", "AF": "01"}, "reply_contradictory"),
        ({"AE": "11"}, "not_a_result"),
        ({"BA": "1"}, "not_a_result"),
        ({"AE": "1"}, "not_a_result"),
    ],
)
def test_what_the_rule_does_not_cover_is_unknown(changes, code):
    outcome = answered(reply(**changes))
    assert (outcome.state, outcome.code, outcome.amount_approved) == (State.UNKNOWN, code, None)
    assert "Do not take the card again" in outcome.text


@pytest.mark.parametrize(
    ("reason", "state", "code"),
    [
        (None, State.FAILED, "terminal_busy"),
        ("00", State.DECLINED, "declined"),
        ("04", State.DECLINED, "declined"),
        ("05", State.DECLINED, "forbidden"),
        ("06", State.CANCELLED, "cardholder_abort"),
        ("08", State.CANCELLED, "timeout"),
        ("09", State.FAILED, "message_refused"),
        ("11", State.CANCELLED, "operator_abort"),
        ("12", State.FAILED, "not_supported"),
        ("13", State.FAILED, "currency_refused"),
        ("77", State.DECLINED, "declined"),
    ],
)
@pytest.mark.parametrize("echo", [{}, {"CB": None, "CD": None, "CE": None}, {"CB": "00", "CD": "3"}])
def test_not_done_needs_no_echo(reason, state, code, echo):
    outcome = answered(reply(AE="01", AF=reason, **echo))
    assert (outcome.state, outcome.code, outcome.amount_approved) == (state, code, None)


def test_the_issuers_words_are_kept():
    outcome = answered(reply(AE="01", AF="0414HOLDER INVALID       0000"))
    assert outcome.text == "Declined by the bank. (HOLDER INVALID)"


def test_a_doubt_about_no_money_is_a_failure():
    outcome = answered(reply(CD="0"), Request("u", Kind.IDENTIFY))
    assert (outcome.state, outcome.code) == (State.FAILED, "reply_mismatch")


def test_identification():
    fields = {"CZ": "0301", "CJ": "330538600404", "CA": "07", "CD": "I", "AE": "10"}
    outcome = answered(fields, Request("u", Kind.IDENTIFY))
    assert (outcome.state, outcome.amount_approved, outcome.details["ipc"]) == (State.APPROVED, None, "330538600404")


def test_a_virtual_terminal_says_so():
    assert answered(reply(VT="1")).virtual
    assert not answered(reply()).virtual


# -- the end of a reply


def test_late_fields_in_the_drain_window_count():
    machine = asked()
    first, last = build(reply(CE=None)), b"CE003978"
    assert machine.receive(first) == [StartTimer("drain", 0.3)]
    assert machine.receive(last[:5]) == [StopTimer("drain")]
    assert machine.receive(last[5:]) == [StartTimer("drain", 0.3)]
    assert outcome_of(machine.timer("drain")).state is State.APPROVED


def test_without_a_drain_window_the_reply_is_judged_at_once():
    machine = asked(drain=0)
    assert outcome_of(machine.receive(build(reply()))).state is State.APPROVED


@pytest.mark.parametrize("garbage", [b"\x00", b"\r\n", b"XX", b"AE00210", build(reply())])
def test_anything_behind_a_reply_is_a_doubt(garbage):
    machine = asked()
    effects = machine.receive(build(reply()) + garbage)
    if not any(isinstance(effect, Result) for effect in effects):
        effects = machine.lost("closed")
    assert outcome_of(effects).state is State.UNKNOWN


@pytest.mark.parametrize(
    ("received", "event", "code"),
    [
        (b"", lambda m: m.lost("reset"), "link_lost"),
        (b"", lambda m: m.timer("answer"), "no_answer"),
        (b"CZ004", lambda m: m.lost("closed"), "reply_cut"),
        (b"CZ004", lambda m: m.timer("answer"), "reply_cut"),
        (b"HTTP/1.1", None, "reply_malformed"),
        (b"CZ0040300XX999" * 80 * 60, None, "reply_malformed"),
    ],
)
def test_no_trustworthy_answer_is_unknown(received, event, code):
    machine = asked()
    effects = machine.receive(received)
    effects = event(machine) if event else effects
    assert (outcome_of(effects).state, outcome_of(effects).code) == (State.UNKNOWN, code)


@given(st.lists(st.integers(1, 60), max_size=12), st.sampled_from([reply(), reply(AE="01", AF="06"), reply(CB=None)]))
def test_any_split_gives_the_same_outcome(cuts, fields):
    whole, machine, data = answered(fields), asked(), build(fields)
    for cut in cuts:
        machine.receive(data[:cut])
        data = data[cut:]
    machine.receive(data)
    assert outcome_of(machine.timer("drain")) == whole


# -- cancel and restart


def test_there_is_no_cancel():
    (progress,) = asked().cancel()
    assert progress.code == "cannot_cancel"
    assert "red key" in progress.text


@pytest.mark.parametrize(
    ("kind", "state", "ends"),
    [
        ("sale", "sent", State.UNKNOWN),
        ("refund", "sent", State.UNKNOWN),
        ("identify", "sent", State.FAILED),
        ("sale", "requested", State.FAILED),
    ],
)
def test_after_a_restart(kind, state, ends):
    effects = concert_v3.machine({}).resume({"kind": kind, "state": state})
    assert (outcome_of(effects).state, outcome_of(effects).code) == (ends, "driver_restarted")
    assert not any(isinstance(effect, Send) for effect in effects)


def test_a_machine_is_one_dialog():
    machine = asked()
    assert machine.connected() == []
    with pytest.raises(ValueError, match="one dialog"):
        machine.start(SALE)
