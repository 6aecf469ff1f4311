"""The line under CONCERT: each rule of its session, then both ends against each other over a bad cable."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from noisy_line import Noise, NoisyLine

from hw_driver.protocols.concert.line import EnqLink, LinkSettings, frame, unframe
from hw_driver.protocols.concert.line.frame import ACK, ENQ, EOT, ETX, MAX_DATA, NAK, STX, FrameReader
from hw_driver.protocols.link import Delivered, NotOpened, Opened, Received, Refused
from hw_driver.protocols.machine import MalformedMessage, Send, StartTimer

AT_ONCE = LinkSettings(line_turnaround=0)
REQUEST = b"0100001250110978          A010B010"
ANSWER = b"010000012501978          "
#: A frame whose check byte is right, with the beginning of another inside.
SPOILT = bytes((STX, *b"01", STX, *b"01", ETX, STX ^ ETX))


def written(effects):
    return b"".join(effect.data for effect in effects if isinstance(effect, Send))


def told(effects):
    return [effect for effect in effects if not hasattr(effect, "name") and not isinstance(effect, Send)]


def opened():
    link = EnqLink(AT_ONCE)
    link.open()
    link.receive(bytes((ACK,)))
    return link


def sent():
    link = opened()
    link.send(REQUEST)
    return link


def test_the_session_as_captured_from_a_running_till():
    link = EnqLink(AT_ONCE)
    assert written(link.open()) == bytes((ENQ,))
    assert told(link.receive(bytes((ACK,)))) == [Opened()]
    assert written(link.send(REQUEST)) == frame(REQUEST)
    taken = link.receive(bytes((ACK,)))
    assert (told(taken), written(taken)) == ([Delivered()], bytes((EOT,)))
    assert link.idle
    assert written(link.receive(bytes((ENQ,)))) == bytes((ACK,))
    heard = link.receive(frame(ANSWER))
    assert (told(heard), written(heard)) == ([Received(ANSWER)], b"")  # the ACK waits until it is safe
    assert written(link.acknowledge()) == bytes((ACK,))
    link.receive(bytes((EOT,)))
    assert link.idle


def test_every_split_of_an_answer_is_heard_alike():
    stream = bytes((ENQ,)) + frame(ANSWER)
    for cut in range(1, len(stream)):
        link = EnqLink(AT_ONCE)
        assert told([*link.receive(stream[:cut]), *link.receive(stream[cut:])]) == [Received(ANSWER)]


@pytest.mark.parametrize("amount", range(1, 6))
def test_a_check_byte_that_is_a_control_byte(amount):
    message = f"01{amount:08d}110978          A010B010".encode()
    assert frame(message)[-1] in (ACK, ENQ, EOT, ETX, STX)
    assert unframe(frame(message)) == message
    link = EnqLink(AT_ONCE)
    assert told(link.receive(bytes((ENQ,)) + frame(message) + bytes((EOT,)))) == [Received(message)]


def test_silence_after_enq_is_tried_again_then_given_up():
    link = EnqLink(LinkSettings(line_tries=2))
    assert written(link.open()) == bytes((ENQ,))
    assert written(link.timer("line")) == bytes((EOT,))
    assert written(link.timer("line")) == bytes((ENQ,))
    end = link.timer("line")
    assert (told(end), written(end), link.idle) == ([NotOpened("line_silent")], bytes((EOT,)), True)


def test_nak_to_enq_means_busy():
    link = EnqLink(LinkSettings(line_tries=1))
    link.open()
    assert told(link.receive(bytes((NAK,)))) == [NotOpened("line_busy")]


def test_a_frame_is_repeated_only_after_a_nak_of_it_and_not_for_ever():
    link = sent()
    assert written(link.receive(bytes((NAK,)))) == frame(REQUEST)
    assert written(link.receive(bytes((NAK,)))) == frame(REQUEST)
    end = link.receive(bytes((NAK,)))
    assert (told(end), written(end)) == ([Refused()], bytes((EOT,)))


@pytest.mark.parametrize(
    "heard",
    [
        pytest.param([b"z\x15q"], id="among other bytes"),
        pytest.param([b"z", b"\x15"], id="after other bytes"),
        pytest.param([b"\xff\x15\x15\x15"], id="as if refused for good"),
    ],
)
def test_a_nak_in_the_midst_of_noise_refuses_nothing(heard):
    link = sent()
    for data in heard:
        effects = link.receive(data)
        assert (told(effects), written(effects)) == ([], b"")
    assert written(link.timer("line")) == bytes((EOT,))
    assert written(link.receive(bytes((ENQ,)))) == bytes((ACK,))  # it may have been taken: the answer is heard


def test_what_came_before_the_frame_left_does_not_refuse_it():
    link = EnqLink(AT_ONCE)
    link.open()
    link.receive(bytes((ENQ,)))  # a collision: the terminal is heard first
    link.send(REQUEST)
    link.receive(bytes((EOT,)))
    assert written(link.timer("line")) == bytes((ENQ,))
    assert written(link.receive(bytes((ACK, NAK, NAK, NAK)))) == frame(REQUEST)
    assert told(link.receive(bytes((ACK,)))) == [Delivered()]


def test_silence_after_a_frame_repeats_nothing_and_the_answer_is_still_heard():
    link = sent()
    assert written(link.timer("line")) == bytes((EOT,))
    assert link.idle
    assert told(link.receive(bytes((ENQ,)) + frame(ANSWER))) == [Received(ANSWER)]


def test_the_answer_tells_that_a_frame_was_taken_whose_ack_was_lost():
    link = sent()
    assert written(link.receive(bytes((ENQ,)))) == bytes((ACK,))
    assert told(link.receive(frame(ANSWER))) == [Received(ANSWER)]


def test_a_wrong_check_byte_is_refused_and_the_repeat_taken():
    link = EnqLink(AT_ONCE)
    bad = frame(ANSWER)[:-1] + bytes((frame(ANSWER)[-1] ^ 1,))
    refused = link.receive(bytes((ENQ,)) + bad)
    assert (told(refused), written(refused)[-1:]) == ([], bytes((NAK,)))
    assert told(link.receive(frame(ANSWER))) == [Received(ANSWER)]


def test_a_frame_said_again_because_our_ack_was_lost_is_told_once():
    link = EnqLink(AT_ONCE)
    link.receive(bytes((ENQ,)) + frame(ANSWER))
    link.acknowledge()
    again = link.receive(frame(ANSWER))
    assert (told(again), written(again)) == ([], bytes((ACK,)))


def test_collision_the_till_hears_the_late_answer_then_asks_again():
    link = EnqLink(AT_ONCE)
    link.open()
    assert written(link.receive(bytes((ENQ,)))) == bytes((ACK,))
    assert told(link.receive(frame(ANSWER))) == [Received(ANSWER)]
    link.acknowledge()
    link.receive(bytes((EOT,)))
    assert written(link.timer("line")) == bytes((ENQ,))
    assert told(link.receive(bytes((ACK,)))) == [Opened()]


def test_collision_after_the_session_was_opened_holds_the_frame_back():
    link = opened()
    link.receive(bytes((ENQ,)))
    assert written(link.send(REQUEST)) == b""
    link.receive(bytes((EOT,)))
    assert written(link.timer("line")) == bytes((ENQ,))
    assert written(link.receive(bytes((ACK,)))) == frame(REQUEST)


def test_enq_and_eot_from_the_terminal_is_no_collision():
    link = EnqLink(AT_ONCE)
    link.open()
    link.receive(bytes((ENQ, EOT)))
    assert written(link.timer("line")) == bytes((ENQ,))


def test_the_terminal_does_not_give_way():
    terminal = EnqLink(AT_ONCE, yields=False)
    terminal.open()
    assert terminal.receive(bytes((ENQ,))) == []
    assert told(terminal.receive(bytes((ACK,)))) == [Opened()]


def test_a_frame_without_end_is_refused_at_its_limit():
    link = EnqLink(AT_ONCE)
    effects = link.receive(bytes((ENQ, STX)) + b"0" * (MAX_DATA + 2))
    assert written(effects)[-1:] == bytes((NAK,))


def test_a_control_byte_inside_a_frame_is_refused_whatever_its_check_byte():
    link = EnqLink(AT_ONCE)
    effects = link.receive(bytes((ENQ,)) + SPOILT)
    assert (told(effects), written(effects)[-1:]) == ([], bytes((NAK,)))


def test_silence_inside_a_frame_is_refused():
    link = EnqLink(AT_ONCE)
    link.receive(bytes((ENQ, STX)) + b"01")
    assert written(link.timer("line")) == bytes((NAK,))


@pytest.mark.parametrize("message", [b"", b"0" * (MAX_DATA + 1), b"01\x0302", b"01\x0402"])
def test_what_no_frame_can_hold(message):
    with pytest.raises(MalformedMessage):
        frame(message)


@pytest.mark.parametrize("data", [b"", b"\x02", b"01", b"\x02\x03\x03", frame(ANSWER)[:-1], frame(ANSWER) + b"0"])
def test_what_is_no_frame(data):
    with pytest.raises(MalformedMessage):
        unframe(data)


def test_no_session_no_message():
    with pytest.raises(ConnectionError):
        EnqLink(AT_ONCE).send(REQUEST)


def test_a_session_that_is_not_used_is_closed():
    assert written(opened().release()) == bytes((EOT,))
    waiting = EnqLink(AT_ONCE)
    waiting.open()
    waiting.timer("line")
    waiting.release()
    assert waiting.idle
    assert not EnqLink(AT_ONCE).release()


def test_a_frame_that_was_given_up_is_not_repeated():
    link = sent()
    assert written(link.release()) == b""
    refused = link.receive(bytes((NAK,)))
    assert (told(refused), written(refused)) == ([], bytes((EOT,)))


def test_a_line_that_is_lost_forgets_its_session():
    link = sent()
    link.lost()
    assert link.idle
    assert written(link.open()) == bytes((ENQ,))


def test_answers_wait_until_the_other_side_has_turned_round():
    link = EnqLink(LinkSettings(line_turnaround=0.01))
    effects = link.receive(bytes((ENQ,)))
    assert written(effects) == b""
    assert StartTimer("line_turn", 0.01) in effects
    assert written(link.timer("line_turn")) == bytes((ACK,))
    assert link.timer("line_turn") == []


@given(st.binary(min_size=1, max_size=MAX_DATA).map(lambda data: bytes(byte | 0x20 for byte in data)), st.data())
def test_any_message_in_any_pieces(message, data):
    stream, reader, at = frame(message)[1:], FrameReader(), 0
    while not reader.ended:
        size = data.draw(st.integers(1, len(stream) - at))
        assert reader.feed(stream[at : at + size], 0) == size
        at += size
    assert (reader.message, at) == (message, len(stream))


NOISES = {
    "clean": Noise(),
    "lossy": Noise(lose=0.1),
    "doubling": Noise(double=0.2),
    "corrupt": Noise(corrupt=0.1),
    "split": Noise(split=0.7),
    "slow": Noise(delay=0.1, split=0.1),
    "all": Noise(lose=0.05, double=0.05, corrupt=0.05, split=0.3, delay=0.05),
}


@pytest.mark.parametrize("name", NOISES)
@pytest.mark.parametrize("seed", [1, 2])
def test_both_ends_over_a_bad_cable(name, seed):
    """At least 100,000 steps over all cases; no message taken twice, none taken that was said not to have been."""
    line = NoisyLine(random.Random(f"{name}-{seed}"), noise=NOISES[name])
    conversation = Conversation(line)
    while line.steps < 7_500:
        conversation.exchange()
    conversation.check()
    line.noise = Noise()
    line.run(600)
    assert line.till.link.idle
    assert line.terminal.link.idle
    assert conversation.exchange() in line.terminal.received
    line.run(60)
    assert line.till.received[-1] == b"answer to " + line.terminal.received[-1]


class Conversation:
    """Requests one after the other, answered by the terminal after a while; what was said is kept."""

    def __init__(self, line):
        self.line = line
        self.number = 0
        self.message = b""
        self.ends = {}
        self.answers = []
        line.on_told = self._told

    def exchange(self):
        """Ask once, let time pass, and return the request."""
        self.number += 1
        self.message = f"request {self.number}".encode()
        self.line.carry_out(self.line.till, self.line.till.link.open())
        self.line.run(self.line.random.choice((2, 20, 60)))
        self.line.carry_out(self.line.till, self.line.till.link.release())
        return self.message

    def check(self):
        taken = Counter(self.line.terminal.received)
        assert set(taken.values()) == {1}
        assert not {message for message, end in self.ends.items() if isinstance(end, Refused | NotOpened)} & set(taken)
        assert set(self.line.till.received) <= {b"answer to " + message for message in taken}

    def _told(self, end, effect):
        match effect:
            case Opened() if end is self.line.till:
                self.line.carry_out(end, end.link.send(self.message))
            case Opened():
                self.line.carry_out(end, end.link.send(b"answer to " + self.answers[-1]))
            case Received(message):
                self.line.carry_out(end, end.link.acknowledge())
                if end is self.line.terminal:
                    self.answers.append(message)
                    self.line.at(self.line.random.uniform(0.1, 8), self._answer)
            case Delivered() | Refused() | NotOpened() if end is self.line.till:
                self.ends[self.message] = effect

    def _answer(self):
        if self.line.terminal.link.idle:
            self.line.carry_out(self.line.terminal, self.line.terminal.link.open())
        else:
            self.line.at(1, self._answer)
