"""A virtual ZVT terminal told things that its till does not say, or not at that moment."""

import pytest

from hw_driver.protocols.zvt import messages
from hw_driver.virtual.concert import Write
from hw_driver.virtual.faults import Faults
from hw_driver.virtual.zvt import VirtualZvt
from hw_driver.virtual.zvt_talk import ZvtSettings

YES = bytes.fromhex("800000")


class Wire:
    """One connection to a terminal at which a contactless card is always there."""

    def __init__(self):
        self.terminal = VirtualZvt(ZvtSettings(auto="contactless"), Faults())
        self.now = 0.0

    def say(self, data):
        """Return what the terminal says, all of it answered, until it is done."""
        said, effects = [], self.terminal.received(1, bytes.fromhex(data), self.now)
        while True:
            fresh = [b"".join(effect.chunks) for effect in effects if isinstance(effect, Write)]
            said += fresh
            if fresh and fresh[-1] != YES and not fresh[-1].startswith(b"\x84"):
                effects = self.terminal.received(1, YES, self.now)
            elif self.terminal.at_work and self.terminal.wake_at is not None:
                self.now = self.terminal.wake_at
                effects = self.terminal.tick(self.now)
            else:
                return [messages.decode(data) for data in said]

    def ended(self, data):
        last = self.say(data)[-1]
        return last["message"], last["fields"]


@pytest.mark.parametrize(
    ("command", "result"),
    [
        ("0620 03 000000", "83"),  # no last one
        ("0630 06 000000 870001", "b5"),  # no such receipt
        ("0623 03 87ffff", "b8"),  # nothing is held
        ("0624 0a 870001 04000000000100", "b8"),
        ("0623 0a 870001 04000000000100", "b8"),
        ("060c 0a 870001 04000000000100", "83"),
    ],
)
def test_what_there_is_nothing_for_is_aborted(command, result):
    name, fields = Wire().ended(command.replace(" ", ""))
    assert (name, fields["result"]) == ("abort", result)


def test_which_amounts_are_held():
    wire = Wire()
    wire.ended("0622 0a 04000000005000 490978".replace(" ", ""))
    assert wire.ended("06230387ffff")[1] == {"result": "b8", "receipt": "0001"}
    assert wire.ended("0624 0a 870001 04000000009999".replace(" ", ""))[1]["result"] == "b7"
    assert wire.ended("0623 0a 870001 04000000001000".replace(" ", ""))[0] == "completion"
    assert wire.ended("06230387ffff")[1]["receipt"] == "ffff"


def test_what_it_does_not_know_it_refuses():
    assert Wire().ended("060300") == ("negative_answer", {"error": "83"})
