"""The pure behaviour under any history of tills, cards, keys, faults and time."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st
from virtual_kit import IDENTIFY, REFUND, SALE

from hw_driver.virtual.cards import CARDS
from hw_driver.virtual.concert import KEYS, Book, HangUp, PowerOff, Settings, VirtualConcert, Write
from hw_driver.virtual.faults import FAULTS, Faults, Mode

TILLS = st.integers(1, 3)
STEPS = st.one_of(
    st.tuples(st.just("request"), TILLS, st.sampled_from([SALE, SALE, REFUND, IDENTIFY, SALE[:30]])),
    st.tuples(st.just("bytes"), TILLS, st.binary(max_size=8)),
    st.tuples(st.just("gone"), TILLS),
    st.tuples(st.just("card"), st.sampled_from(sorted(CARDS))),
    st.tuples(st.just("key"), st.sampled_from(KEYS)),
    st.tuples(st.just("fault"), st.sampled_from(sorted(FAULTS)), st.sampled_from(list(Mode))),
    st.tuples(st.just("wait"), st.sampled_from([0.05, 1.5, 30.0, 130.0])),
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(STEPS, max_size=40), st.sampled_from(["", "cb", "decline", "abort"]), st.sampled_from(["refuse", "wait"])
)
def test_booked_before_told_and_once_per_request(steps: list[tuple], auto: str, while_busy: str) -> None:
    terminal = VirtualConcert(Settings(auto=auto, while_busy=while_busy), Faults(), chance=random.Random(1))
    now, asked, booked, told, effects = 0.0, 0, [], 0, []
    for step in steps:
        match step:
            case ("request" | "bytes", till, data):
                asked += data in (SALE, REFUND)
                effects = terminal.received(till, data, now)
            case ("gone", till):
                effects = terminal.gone(till, now)
            case ("card", name):
                effects = terminal.present(name, now)
            case ("key", key):
                effects = terminal.press(key, now)
            case ("fault", name, mode):
                terminal.faults.arm(name, mode)
                effects = []
            case ("wait", seconds):
                now += seconds
                effects = terminal.tick(now)
        for effect in effects:
            match effect:
                case Book(entry):
                    booked.append(entry)
                    assert entry.amount > 0 or entry.outcome != "approved"
                    assert entry.amount == 0 or entry.outcome == "approved"
                case Write(_, chunks):
                    answer = b"".join(chunks)
                    told += b"AE00210" in answer and b"CD001I" not in answer
                    assert told <= sum(entry.outcome == "approved" for entry in booked)
                case PowerOff() | HangUp():
                    pass
        assert len(booked) <= asked
