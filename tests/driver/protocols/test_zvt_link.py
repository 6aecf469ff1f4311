"""The link of a ZVT cable: each rule, then both ends against each other over a bad cable."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from noisy_line import End, Noise, NoisyLine

from hw_driver.protocols.link import Delivered, Opened, Received, Refused
from hw_driver.protocols.machine import MalformedMessage, Send, StartTimer
from hw_driver.protocols.zvt import on_line
from hw_driver.protocols.zvt.apdu import build
from hw_driver.protocols.zvt.line import LinkSettings, ZvtLink, frame
from hw_driver.protocols.zvt.line.frame import ACK, NAK

ASK = bytes.fromhex("0670") + b"\0"
PAY = build(0x0601, bytes.fromhex("04000000001000"))
YES, NO = build(0x8000), build(0x8483)
GIVE_UP = build(0x06B0)
SHOW = bytes.fromhex("04ff010a")
END = build(0x060F)


def written(effects):
    return b"".join(effect.data for effect in effects if isinstance(effect, Send))


def told(effects):
    return [effect for effect in effects if isinstance(effect, Delivered | Opened | Received | Refused)]


def sent(message=ASK, **settings):
    link = ZvtLink(LinkSettings(**settings))
    assert told(link.open()) == [Opened()]
    assert written(link.send(message)) == frame(message)
    return link


def test_a_frame_is_acknowledged_at_once():
    link = sent()
    assert told(link.receive(bytes((ACK,)))) == [Delivered()]
    heard = link.receive(frame(YES))
    assert (told(heard), written(heard), link.idle) == ([Received(YES)], bytes((ACK,)), True)
    assert link.acknowledge() == []


def test_every_split_of_a_frame_is_heard_alike():
    stream = frame(b"\x06\xd1\x02\x10\x10")
    for cut in range(1, len(stream)):
        link = ZvtLink(LinkSettings())
        assert told([*link.receive(stream[:cut]), *link.receive(stream[cut:])]) == [Received(b"\x06\xd1\x02\x10\x10")]


def test_a_refused_frame_is_repeated_and_not_for_ever():
    link = sent()
    assert written(link.receive(bytes((NAK,)))) == frame(ASK)
    assert written(link.receive(bytes((NAK,)))) == frame(ASK)
    end = link.receive(bytes((NAK,)))
    assert (told(end), written(end), link.idle) == ([Refused()], b"", True)


def test_nothing_leaves_behind_a_frame_that_was_refused():
    link = sent(YES)
    link.send(PAY)
    link.receive(bytes((NAK,)))
    link.receive(bytes((NAK,)))
    end = link.receive(bytes((NAK,)))
    assert (told(end), written(end), link.idle) == ([Refused()], b"", True)


def test_silence_repeats_what_moves_no_money():
    link = sent()
    assert written(link.timer("line_t2")) == frame(ASK)
    assert written(link.timer("line_t2")) == frame(ASK)
    assert written(link.timer("line_t2")) == b""
    assert link.idle


def test_silence_never_repeats_a_request_for_money():
    link = sent(PAY)
    assert written(link.timer("line_t2")) == b""
    assert link.idle
    assert written(link.receive(bytes((NAK,)))) == b""


def test_unless_somebody_wants_it_so():
    assert written(sent(PAY, line_repeat_payments=True).timer("line_t2")) == frame(PAY)


def test_a_refused_request_for_money_was_not_taken_and_goes_again():
    assert written(sent(PAY).receive(bytes((NAK,)))) == frame(PAY)


def test_messages_wait_for_the_one_before():
    link = sent()
    assert written(link.send(YES)) == b""
    assert written(link.receive(bytes((ACK,)))) == frame(YES)


def test_an_answer_says_that_the_frame_was_taken():
    link = sent()
    heard = link.receive(frame(YES))
    assert told(heard) == [Delivered(), Received(YES)]
    assert link.idle


def test_a_frame_said_again_because_its_ack_was_lost_is_told_once():
    link = ZvtLink(LinkSettings())
    assert told(link.receive(frame(SHOW))) == [Received(SHOW)]
    again = link.receive(frame(SHOW))
    assert (told(again), written(again)) == ([], bytes((ACK,)))
    link.send(YES)
    link.receive(bytes((ACK,)))
    assert told(link.receive(frame(SHOW))) == [Received(SHOW)]  # another one, that reads the same


def test_after_an_answer_that_nobody_took_the_same_command_is_a_new_one():
    """A cable that was out: the till begins anew with the very registration that its terminal heard last."""
    link = ZvtLink(LinkSettings())
    assert told(link.receive(frame(ASK))) == [Received(ASK)]
    assert written(link.send(YES)) == frame(YES)
    assert written(link.timer("line_t2")) == written(link.timer("line_t2")) == frame(YES)
    assert told(link.receive(frame(ASK))) == []  # it may still be a repeat
    assert written(link.timer("line_t2")) == b""
    assert told(link.receive(frame(ASK))) == [Received(ASK)]


def test_a_bad_frame_is_refused_and_the_repeat_taken():
    link = ZvtLink(LinkSettings())
    bad = frame(SHOW)[:-1] + bytes((frame(SHOW)[-1] ^ 1,))
    refused = link.receive(bad)
    assert (told(refused), written(refused)) == ([], bytes((NAK,)))
    assert told(link.receive(frame(SHOW))) == [Received(SHOW)]


def test_silence_inside_a_frame_is_refused():
    link = ZvtLink(LinkSettings(line_byte=0.2))
    assert StartTimer("line_t1", 0.2) in link.receive(frame(SHOW)[:4])
    assert not link.idle
    assert written(link.timer("line_t1")) == bytes((NAK,))
    assert link.timer("line_t1") == []
    assert told(link.receive(frame(SHOW))) == [Received(SHOW)]


def test_a_nak_inside_what_is_left_of_a_frame_repeats_nothing():
    for noise in (b"\x02\x04\x15", b"\x10\x04\x15", frame(SHOW)[:-1] + b"\x15\x15"):
        link = sent(PAY)
        assert frame(PAY) not in written(link.receive(noise))
        assert told(link.receive(frame(YES))) == [Delivered(), Received(YES)]


def test_a_nak_behind_a_whole_frame_counts():
    link = sent(PAY)
    link.receive(frame(SHOW))
    assert written(link.receive(bytes((NAK,)))) == frame(PAY)


def test_noise_between_frames_is_nothing():
    link = ZvtLink(LinkSettings())
    assert link.receive(b"\x00\x06\x15\x10\x11\x03") == []
    assert link.timer("line_t2") == []
    assert told(link.receive(b"\x10" + frame(SHOW))) == [Received(SHOW)]


def test_what_is_given_up_is_a_command_never_an_answer():
    link = sent()
    link.send(YES)
    link.send(END)
    assert written(link.release()) == frame(YES)
    assert written(link.receive(bytes((ACK,)))) == b""
    assert link.idle
    answering = sent(YES)
    assert not answering.release()
    assert not answering.idle


def given_up():
    """A link whose dialog ended before its 06 B0 was answered, and the next dialog's first command."""
    link = sent(GIVE_UP)
    link.receive(bytes((ACK,)))
    owed = link.release()
    assert [effect.name for effect in owed if isinstance(effect, StartTimer)] == ["line_owed"]
    assert written(link.send(ASK)) == b""
    return link


def test_an_answer_to_a_dialog_before_is_not_taken_for_the_next_ones():
    link = given_up()
    late = link.receive(frame(NO))
    assert (told(late), written(late)) == ([], bytes((ACK,)) + frame(ASK))
    assert told(link.receive(bytes((ACK,)) + frame(YES))) == [Delivered(), Received(YES)]
    assert StartTimer("line_owed", 5.0) not in link.release()


def test_an_answer_that_never_comes_holds_the_next_dialog_for_t2():
    link = given_up()
    assert link.release() == []  # the next one gives up too, and what was owed is waited for no longer
    link.send(ASK)
    assert written(link.timer("line_owed")) == frame(ASK)
    assert told(link.receive(bytes((ACK,)) + frame(YES))) == [Delivered(), Received(YES)]


def test_while_an_answer_is_owed_the_terminal_is_answered():
    link = given_up()
    assert told(link.receive(frame(SHOW))) == [Received(SHOW)]
    assert written(link.send(YES)) == frame(YES)
    assert told(link.receive(bytes((ACK,)))) == [Delivered()]
    assert not link.idle


def test_a_command_that_was_refused_is_owed_no_answer():
    link = sent(line_sends=1)
    link.receive(bytes((NAK,)))
    assert not link.release()
    assert written(link.send(ASK)) == frame(ASK)


def test_a_line_that_is_lost_forgets():
    link = sent()
    link.send(YES)
    link.lost()
    assert link.idle


def test_what_no_frame_can_hold():
    with pytest.raises(MalformedMessage):
        ZvtLink(LinkSettings()).send(b"")


def test_frames_on_the_command_line():
    for data in (bytes((ACK,)), bytes((NAK,)), frame(SHOW)):
        assert on_line.encode(on_line.decode(data)) == data
    with pytest.raises(MalformedMessage):
        on_line.decode(SHOW)
    with pytest.raises(MalformedMessage):
        on_line.encode(None)


@given(st.binary(max_size=200))
def test_garbage_on_the_line_is_no_message(data):
    assert not told(ZvtLink(LinkSettings()).receive(data.replace(b"\x10\x02", b"\x10\x05")))


NOISES = {
    "clean": Noise(),
    "lossy": Noise(lose=0.08),
    "doubling": Noise(double=0.1),
    "corrupt": Noise(corrupt=0.1),
    "split": Noise(split=0.7),
    "slow": Noise(delay=0.03, split=0.1),
    "all": Noise(lose=0.03, double=0.03, corrupt=0.03, split=0.3, delay=0.02),
}


class Conversation:
    """A till that commands and a terminal that answers, shows and ends, over and over; each waits for the other."""

    def __init__(self, line):
        self.line, self.number = line, 0
        self.taken, self.done, self.refused = Counter(), set(), set()
        line.on_told = self.told

    def say(self, end, message):
        self.line.carry_out(end, end.link.send(message))

    def pay(self):
        self.number, self.shown = self.number + 1, False
        self.command = build(0x0601, bytes.fromhex(f"04{self.number:012d}"))
        self.say(self.line.till, self.command)
        self.line.run(self.line.random.choice((30, 60)))
        self.line.carry_out(self.line.till, self.line.till.link.release())

    def told(self, end, effect):
        if isinstance(effect, Refused) and end is self.line.till and not self.shown:
            self.refused.add(self.command)
        if not isinstance(effect, Received):
            return
        message = effect.message
        if end is self.line.terminal and message[:2] == b"\x06\x01":
            self.taken[message] += 1
            self.say(end, YES)
            self.say(end, SHOW)
        elif end is self.line.terminal and message == YES:
            self.say(end, END)
        elif end is self.line.till and message == SHOW:
            self.shown = True  # from here on a frame of the till is an answer, not the command
            self.say(end, YES)
        elif end is self.line.till and message == END:
            self.done.add(self.command)


@pytest.mark.parametrize("name", NOISES)
@pytest.mark.parametrize("seed", [1, 2])
def test_both_ends_over_a_bad_cable(name, seed):
    """No request for money is taken twice, and none that was said not to have been."""
    line = NoisyLine(random.Random(f"{name}-{seed}"), noise=NOISES[name])
    line.till, line.terminal = End(ZvtLink(LinkSettings())), End(ZvtLink(LinkSettings()))
    conversation = Conversation(line)
    while line.steps < 7_500:
        conversation.pay()
    assert set(conversation.taken.values()) == {1}
    assert conversation.done <= set(conversation.taken)
    assert not conversation.refused & set(conversation.taken)
    assert len(conversation.done) > conversation.number * 0.5
    line.noise = Noise()
    line.run(600)
    assert line.till.link.idle
    assert line.terminal.link.idle
    conversation.pay()
    assert conversation.command in conversation.done
