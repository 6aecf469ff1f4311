"""The till's side of ZVT: refusals, silence, lost links, giving up, a journal that cannot be written."""

import pytest
from zvt_kit import COMPLETION, GIVE_UP, NO, SERIAL, YES, ZVT, Till, kinds_of, status, told

from hw_driver.protocols.machine import (
    Close,
    Persist,
    Progress,
    Result,
    Send,
    StartTimer,
)
from hw_driver.protocols.states import State


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


# -- no end


def test_a_terminal_that_never_ends_is_asked_to_give_up_and_then_not_known():
    till = Till(options={"longest": 600})
    assert StartTimer("longest", 600) in till.effects
    till.hear(told("intermediate_status", code="0e"))
    till.effects += till.machine.timer("longest")
    assert till.said[-1] == GIVE_UP
    assert StartTimer("longest", 30) in till.effects
    till.hear(YES, told("intermediate_status", code="0e"))
    till.effects += till.machine.timer("longest")
    assert (till.outcome.state, till.outcome.code) == (State.UNKNOWN, "no_answer")


def test_a_registration_that_never_ends_has_charged_nothing():
    till = Till(begun=False)
    till.effects += till.machine.connected()
    till.hear(YES, told("intermediate_status", code="0e"))
    till.effects += till.machine.timer("longest")
    assert (till.outcome.state, till.outcome.code) == (State.FAILED, "unreachable")
