"""CONCERT V3 on a cable: each message heard is acknowledged once it is durable; what the line never took is failed."""

import pytest

from hw_driver.protocols.concert import PROTOCOLS
from hw_driver.protocols.concert.line import EnqLink, LinkSettings, frame
from hw_driver.protocols.concert.line.frame import ACK, ENQ, NAK
from hw_driver.protocols.concert.tlv import build
from hw_driver.protocols.machine import Acknowledge, MalformedMessage, Outcome, Persist, Request, Result, Send
from hw_driver.protocols.recovery import Lost
from hw_driver.protocols.states import Kind, State

[INFO] = [info for info in PROTOCOLS if info.name == "concert-v3-serial"]
[V2] = [info for info in PROTOCOLS if info.name == "concert-v2"]
UUID = "0a1b2c3d-1111-4111-8111-0a1b2c3d4e5f"
PAID = {"CZ": "0300", "CA": "01", "CB": "1250", "CD": "0", "CE": "978", "AE": "10", "AC": "000002"}


def asked(**options):
    machine = INFO.machine(options)
    machine.start(Request(UUID, Kind.SALE, 1250, "EUR"))
    [request] = [effect.data for effect in machine.connected() if isinstance(effect, Send)]
    assert b"CB0041250" in request
    return machine


def test_an_answer_is_acknowledged_after_it_is_durable_and_before_it_is_told():
    effects = asked().receive(build(PAID))
    kinds = [type(effect) for effect in effects]
    assert kinds.index(Persist) < kinds.index(Acknowledge) < kinds.index(Result)
    [outcome] = [effect.outcome for effect in effects if isinstance(effect, Result)]
    assert (outcome.state, outcome.amount_approved) == (State.APPROVED, 1250)


def test_half_a_message_in_a_whole_frame_is_not_known():
    effects = asked().receive(build(PAID)[:20])
    [outcome] = [effect.outcome for effect in effects if isinstance(effect, Result)]
    assert (outcome.state, outcome.code) == (State.UNKNOWN, "reply_cut")
    assert Acknowledge() in effects


def test_what_is_said_after_the_end_is_acknowledged_and_nothing_else():
    machine = asked()
    machine.receive(build(PAID))
    assert machine.receive(build(PAID)) == [Acknowledge()]


@pytest.mark.parametrize(("reason", "state"), [("line_refused", "failed"), ("line_busy", "failed"),
                                               ("unplugged", "unknown"), ("reset", "unknown")])  # fmt: skip
def test_only_what_the_line_refused_charged_nothing(reason, state):
    if reason == "line_busy":  # nothing has left yet
        machine = INFO.machine({})
        machine.start(Request(UUID, Kind.SALE, 1250, "EUR"))
    else:
        machine = asked()
    [outcome] = [effect.outcome for effect in machine.lost(reason) if isinstance(effect, Result)]
    assert outcome.state == state


def test_a_question_the_line_refused_says_nothing_of_the_payment():
    machine = INFO.machine({"duplicata": True})
    machine.resume({"kind": "sale", "state": "sent"}, Lost(UUID, Kind.SALE, 1250, "EUR"))
    machine.connected()
    [outcome] = [effect.outcome for effect in machine.lost("line_refused") if isinstance(effect, Result)]
    assert outcome.state is State.UNKNOWN


def test_decode_and_encode_know_the_frame():
    told = INFO.decode(frame(build(PAID)))
    assert (told["message"], told["fields"]["CB"]) == ("sale_reply", "1250")
    assert INFO.encode(told) == frame(build(PAID))
    with pytest.raises(MalformedMessage):
        INFO.decode(build(PAID))


def test_what_is_overheard():
    options = {"reference_tag": "CF"}
    last = INFO.overheard(options, build({**PAID, "CF": UUID.replace("-", "")}), [])
    assert (last.outcome.state, last.outcome.amount_approved, last.reference) == (State.APPROVED, 1250, UUID)
    assert INFO.overheard(options, build(PAID)[:20], []) is None


def test_what_is_overheard_on_v2_where_it_is_no_answer():
    assert V2.overheard({}, b"?" * 25, [UUID]) is None
    assert V2.overheard({}, b"013000012501978          ", [UUID]) is None, "a status nobody has published"
    last = V2.overheard({}, b"010000012501978          ", [UUID])
    assert (last.outcome.state, last.outcome.amount_approved, last.reference) == (State.APPROVED, 1250, "")


# -- the link, where its caller is slower or quicker than the line


def holding():
    link = EnqLink(LinkSettings(line_turnaround=0))
    link.receive(bytes((ENQ,)))
    link.receive(frame(b"0100"))
    return link


def written(effects):
    return b"".join(effect.data for effect in effects if isinstance(effect, Send))


def test_a_message_that_cannot_be_understood_is_refused_and_heard_again():
    link = holding()
    assert written(link.refuse()) == bytes((NAK,))
    assert written(link.receive(frame(b"0200"))) == b""
    assert written(link.acknowledge()) == bytes((ACK,))


@pytest.mark.parametrize("word", ["acknowledge", "refuse"])
def test_a_word_about_a_message_that_is_gone_is_not_sent(word):
    link = holding()
    link.lost()
    assert written(getattr(link, word)()) == b""


def test_a_timer_that_comes_when_the_line_is_idle_again_changes_nothing():
    link = EnqLink(LinkSettings(line_turnaround=0))
    assert link.timer("line") == []
    assert link.idle


# -- messages that people write (`card-terminal encode`)


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ([], "an object with `fields`"),
        ({"fields": 1}, "an object with `fields`"),
        ({"fields": {"CB": "1"}}, "CZ is missing"),
        ({"fields": {"CZ": "0300", "cb": "1"}}, "two capital letters"),
        ({"fields": {"CZ": "0300", "ZA": "1"}}, "its value is an object"),
        ({"fields": {"CZ": "0300", "CB": ""}}, "1 to 999 ASCII"),
        ({"fields": {"CZ": "0300", "CB": "é"}}, "1 to 999 ASCII"),
        ({"fields": {"CZ": "0300", "CB": 5}}, "1 to 999 ASCII"),
    ],
)
def test_a_message_that_cannot_be_written_says_why(message, why):
    [v3] = [info for info in PROTOCOLS if info.name == "concert-v3"]
    with pytest.raises(MalformedMessage, match=why):
        v3.encode(message)


def test_a_machine_is_one_dialog():
    for info in PROTOCOLS:
        machine = info.machine({})
        machine.start(Request(UUID, Kind.SALE, 1250, "EUR"))
        with pytest.raises(ValueError, match="one dialog"):
            machine.start(Request(UUID, Kind.SALE, 1250, "EUR"))


def test_what_is_not_taken_over_is_not_known():
    machine = INFO.machine({})
    [outcome] = [
        effect.outcome
        for effect in machine.resume({"kind": "sale", "state": "sent"}, None)
        if isinstance(effect, Result)
    ]
    assert isinstance(outcome, Outcome)
    assert outcome.state is State.UNKNOWN
