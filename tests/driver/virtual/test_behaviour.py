"""The pure behaviour under any history of tills, cards, keys, faults and time."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st
from virtual_kit import IDENTIFY, REFUND, SALE

from hw_driver.virtual.cards import CARDS
from hw_driver.virtual.concert import KEYS, Book, Effect, Settings, VirtualConcert, Write
from hw_driver.virtual.faults import FAULTS, Faults, Mode

TILLS = st.integers(1, 3)
NAMES = st.sampled_from(sorted(CARDS))
STEPS = st.one_of(
    st.tuples(
        st.just("ask"), TILLS, st.sampled_from([SALE, SALE, REFUND, IDENTIFY, SALE[:30]]) | st.binary(max_size=8)
    ),
    st.tuples(st.just("pay"), TILLS, NAMES),
    st.tuples(st.just("gone"), TILLS),
    st.tuples(st.just("present"), NAMES),
    st.tuples(st.just("press"), st.sampled_from(KEYS)),
    st.tuples(st.just("arm"), st.sampled_from(sorted(FAULTS)), st.sampled_from(list(Mode))),
    st.tuples(st.just("wait"), st.sampled_from([0.05, 1.5, 1.5, 30.0, 130.0])),
)
AUTO, WHILE_BUSY = st.sampled_from(["", "cb", "decline", "abort"]), st.sampled_from(["refuse", "wait"])


class History:
    """What happened to a terminal, and what came of it in order."""

    def __init__(self, auto: str, while_busy: str) -> None:
        behaviour = Settings(auto=auto, while_busy=while_busy)
        self.terminal = VirtualConcert(behaviour, Faults(), chance=random.Random(1))
        self.now = 0.0
        self.asked = 0
        self.effects: list[Effect] = []

    def ask(self, till: int, data: bytes) -> None:
        self.asked += data in (SALE, REFUND)
        self.effects += self.terminal.received(till, data, self.now)

    def pay(self, till: int, card: str) -> None:
        """A sale as it mostly goes, so that it comes up often."""
        self.ask(till, SALE)
        self.wait(0.05)
        self.present(card)
        self.wait(1)

    def gone(self, till: int) -> None:
        self.effects += self.terminal.gone(till, self.now)

    def present(self, card: str) -> None:
        self.effects += self.terminal.present(card, self.now)

    def press(self, key: str) -> None:
        self.effects += self.terminal.press(key, self.now)

    def arm(self, fault: str, mode: Mode) -> None:
        self.terminal.faults.arm(fault, mode)

    def wait(self, seconds: float) -> None:
        self.now += seconds
        while self.terminal.wake_at is not None and self.terminal.wake_at <= self.now:
            self.effects += self.terminal.tick(self.now)


@settings(max_examples=150, deadline=None)
@given(st.lists(STEPS, max_size=30), AUTO, WHILE_BUSY)
def test_booked_before_told_and_once_per_request(steps: list[tuple], auto: str, while_busy: str) -> None:
    history = History(auto, while_busy)
    for action, *arguments in steps:
        getattr(history, action)(*arguments)
    booked, approved, told = 0, 0, 0
    for effect in history.effects:
        if isinstance(effect, Book):
            booked += 1
            approved += effect.entry.outcome == "approved"
            assert (effect.entry.amount > 0) == (effect.entry.outcome == "approved")
        if isinstance(effect, Write):
            answer = b"".join(effect.chunks)
            told += b"AE00210" in answer and b"CD001I" not in answer
        assert told <= approved
    assert booked <= history.asked
