"""The question about a lost answer (CD 3): its bytes, and what is read from the terminal's reply."""

from dataclasses import replace

import pytest

from hw_driver.protocols.concert import PROTOCOLS
from hw_driver.protocols.concert.tlv import build
from hw_driver.protocols.machine import (
    Close,
    Evidence,
    Heard,
    Open,
    Outcome,
    Persist,
    Request,
    Result,
    Send,
    StartTimer,
    StopTimer,
)  # fmt: skip
from hw_driver.protocols.recovery import Lost
from hw_driver.protocols.states import Kind, State

[concert_v3] = [info for info in PROTOCOLS if info.name == "concert-v3"]
UUID = "0a1b2c3d-1111-4111-8111-0a1b2c3d4e5f"
OTHER = "99999999-1111-4111-8111-0a1b2c3d4e5f"
PREVIOUS = Outcome(State.APPROVED, amount_approved=2500, auth_code="000001")
LOST = Lost(UUID, Kind.SALE, 2500, "EUR", exclusive=True, previous=PREVIOUS, previous_uuid=OTHER, waited=1000)
SENT = {"kind": "sale", "state": "sent"}
TOLD = {"CZ": "0300", "CA": "01", "CB": "2500", "CD": "3", "CE": "978", "AE": "10", "AC": "000002"}


def asking(lost=LOST, **options):
    machine = concert_v3.machine({"duplicata": True, "drain": 0, **options})
    effects = machine.resume(SENT, lost)
    assert effects == [Open(), StartTimer("connect", 5)]
    return machine


def asked(fields, lost=LOST, **options):
    machine = asking(lost, **options)
    machine.connected()
    return machine.receive(build({tag: value for tag, value in {**TOLD, **fields}.items() if value}))


def result(effects):
    (outcome,) = [effect.outcome for effect in effects if isinstance(effect, Result)]
    persist, last = effects[-3], effects[-1]
    assert (persist, last) == (Persist(outcome.state, outcome), Close())
    return outcome


def test_the_question_on_the_wire():
    effects = asking(reference_tag="CF").connected()
    question = b"CZ0040300CJ012012345678901CA00201CB0042500CD0013CE003978"
    assert effects == [StopTimer("connect"), Send(question), StartTimer("answer", 15)]


def test_it_is_asked_only_where_the_terminal_can_tell():
    for options, lost in (({}, LOST), ({"duplicata": True}, None)):
        assert result(concert_v3.machine(options).resume(SENT, lost)).state is State.UNKNOWN
    nothing_left = concert_v3.machine({"duplicata": True}).resume({"kind": "sale", "state": "requested"}, LOST)
    assert result(nothing_left).state is State.FAILED
    assert not concert_v3.recovery.supported({})


@pytest.mark.parametrize("tag", ["CF", "CH"])
def test_the_reference_goes_out_and_comes_back(tag):
    machine = concert_v3.machine({"reference_tag": tag, "drain": 0})
    machine.start(Request(UUID, Kind.SALE, 2500, "EUR"))
    [sent] = [effect.data for effect in machine.connected() if isinstance(effect, Send)]
    assert sent.endswith(f"{tag}032{UUID.replace('-', '')}".encode())
    answer = result(machine.receive(build({**TOLD, "CD": "0", tag: UUID.replace("-", "")})))
    assert (answer.state, answer.terminal_ref) == (State.APPROVED, "")
    told = asked({tag: UUID.replace("-", "")}, replace(LOST, exclusive=False), reference_tag=tag)
    assert (result(told).state, result(told).details["recovered_by"]) == (State.APPROVED, "reference")


def test_an_answer_that_names_another_payment_is_that_ones():
    machine = concert_v3.machine({"reference_tag": "CF", "drain": 0})
    machine.start(Request(UUID, Kind.SALE, 2500, "EUR"))
    machine.connected()
    effects = machine.receive(build({**TOLD, "CD": "0", "CF": OTHER.replace("-", "")}))
    [heard] = [effect.last for effect in effects if isinstance(effect, Heard)]
    assert (heard.reference, heard.kind, heard.outcome.amount_approved) == (OTHER, Kind.SALE, 2500)
    assert (result(effects).state, result(effects).code) == (State.UNKNOWN, "reply_mismatch")


def test_an_answer_that_names_another_and_tells_nothing():
    machine = concert_v3.machine({"reference_tag": "CF", "drain": 0})
    machine.start(Request(UUID, Kind.SALE, 2500, "EUR"))
    machine.connected()
    effects = machine.receive(build({**TOLD, "AE": "01", "CF": OTHER.replace("-", "")}))
    assert not [effect for effect in effects if isinstance(effect, Heard)]
    assert result(effects).state is State.UNKNOWN


@pytest.mark.parametrize(
    ("fields", "options", "state"),
    [
        ({}, {}, State.APPROVED),
        ({"CD": "0"}, {}, State.APPROVED),
        ({"CD": None}, {}, State.APPROVED),
        ({"CA": "1"}, {}, State.APPROVED),
        ({"CA": None}, {}, State.APPROVED),
        ({"CD": "1"}, {}, "evidence"),
        ({"CA": "02"}, {}, "evidence"),
        ({"CE": "840"}, {}, "evidence"),
        ({"CE": "999"}, {}, "evidence"),
        ({"AC": "000001"}, {}, "evidence"),
        ({"CB": None}, {}, "nothing"),
        ({"CD": "I"}, {}, "nothing"),
        ({"CD": "9"}, {}, "nothing"),
        ({"BA": "1"}, {}, "nothing"),
        ({"AF": "04"}, {}, "nothing"),
        ({"AE": "11"}, {}, "nothing"),
        ({"AE": "01"}, {}, "nothing"),
        ({"AE": "01", "AF": "07"}, {}, "nothing"),
        ({"AE": "01", "AF": "07"}, {"duplicata_refused": "07"}, State.FAILED),
        ({"AE": "01", "AF": "12"}, {"duplicata_refused": "07"}, "nothing"),
    ],
)
def test_what_a_reply_proves(fields, options, state):
    effects = asked(fields, **options)
    evidence = [effect for effect in effects if isinstance(effect, Evidence)]
    ended = result(effects)
    if isinstance(state, State):
        assert (ended.state, evidence) == (state, [])
    else:
        assert (ended.state, ended.code, len(evidence)) == (State.UNKNOWN, "not_told", state == "evidence")


@pytest.mark.parametrize("happens", ["lost", "timer", "garbage", "data before"])
def test_a_question_that_brings_nothing_leaves_it_unknown(happens):
    machine = asking()
    if happens == "data before":
        effects = machine.receive(b"hello")
    elif happens == "timer":
        effects = machine.timer("connect")
    else:
        machine.connected()
        effects = machine.lost("reset") if happens == "lost" else machine.receive(b"\xff\xff")
    assert (result(effects).state, result(effects).code) == (State.UNKNOWN, "not_told")


def test_no_question_is_ever_a_request_for_money():
    machine = asking()
    sent = [*machine.connected(), *machine.connected(), *machine.timer("answer"), *machine.persist_failed()]
    assert all(b"CD0013" in effect.data for effect in sent if isinstance(effect, Send))
    assert not any(isinstance(effect, Persist) and effect.state is State.SENT for effect in sent)
