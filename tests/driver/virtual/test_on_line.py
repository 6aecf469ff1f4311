"""A virtual terminal at the end of a line whose till does not listen."""

import random

from hw_driver.protocols.concert.line import frame
from hw_driver.virtual.concert import Settings, VirtualConcert, Write
from hw_driver.virtual.concert_v2_answers import V2
from hw_driver.virtual.faults import Faults
from hw_driver.virtual.on_line import OnLine

ENQ, ACK, EOT, STX = b"\x05", b"\x06", b"\x04", b"\x02"
REQUEST = frame(b"0100001250110978          A010B010")


class Till:
    """Writes bytes at its end of the line and lets time pass."""

    def __init__(self):
        inside = VirtualConcert(Settings(auto="contactless"), Faults(), chance=random.Random(1), dialect=V2)
        self.terminal = OnLine(inside)
        self.now = 0.0

    def hears(self, data, seconds=0.5):
        """Return what comes back within some seconds."""
        effects = self.terminal.received(1, data, self.now) if data else []
        until = self.now + seconds
        while (at := self.terminal.wake_at) is not None and at <= until:
            self.now = max(self.now, at)
            effects += self.terminal.tick(self.now)
        self.now = until
        return b"".join(b"".join(effect.chunks) for effect in effects if isinstance(effect, Write))

    def asks(self):
        """Bring a request; return what the terminal says after it."""
        assert self.hears(ENQ) == ACK
        heard = self.hears(REQUEST)
        assert heard[:1] == ACK
        return heard[1:] + self.hears(EOT)


def test_an_answer_that_nobody_acknowledges_does_not_block_the_next():
    till = Till()
    assert till.asks() == ENQ
    assert till.hears(ACK)[:1] == STX
    assert till.hears(b"", seconds=10) == EOT  # silence: it gives up
    assert till.asks() == ENQ
    assert till.hears(ACK)[:1] == STX
    assert till.hears(ACK) == EOT
