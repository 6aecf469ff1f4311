"""The link dies at every message boundary of a ZVT sale: nothing lost, nothing doubled, and what can be told is told.

The driver's machine and the virtual terminal talk to each other here without a network, so that each boundary is hit.
"""

from collections import deque
from functools import partial

import pytest

from hw_driver.protocols.machine import Open, Outcome, Persist, Request, Result, Send
from hw_driver.protocols.recovery import Lost
from hw_driver.protocols.states import Kind, State
from hw_driver.protocols.zvt import PROTOCOLS
from hw_driver.virtual.concert import Book, HangUp, Write
from hw_driver.virtual.faults import Faults
from hw_driver.virtual.zvt import VirtualZvt
from hw_driver.virtual.zvt_talk import ZvtSettings

ZVT = PROTOCOLS[0]


class Counter:
    """A till and a terminal. `cut` is how many messages arrive before the link dies; None: all."""

    def __init__(self, **settings):
        self.terminal = VirtualZvt(ZvtSettings(auto="contactless", **settings), Faults())
        self.booked, self.heard, self.now, self.connection = [], None, 0.0, 0

    def hold(self, effects_of_start, machine, cut=None):
        """Carry out a dialog; return its outcome, and how many messages arrived."""
        self.connection += 1
        line, arrived, outcome = deque(), 0, None

        def till(effects):
            nonlocal outcome
            for effect in effects:
                match effect:
                    case Open():
                        till(machine.connected())
                    case Send(data):
                        line.append(partial(self.at_terminal, data))
                    case Persist(State.SENT, Outcome() as said):
                        self.heard = said
                    case Result(ended):
                        outcome = ended

        till(effects_of_start)
        while True:
            if cut is not None and arrived == cut:
                self.keep(self.terminal.gone(self.connection, self.now))
                till(machine.lost("reset"))
                return outcome, arrived
            if line:
                for data in self.keep(line.popleft()()):
                    line.append(partial(self.at_till, machine, till, data))
                arrived += 1
            elif outcome is None and self.terminal.wake_at is not None:
                self.now = self.terminal.wake_at
                line.extend(
                    partial(self.at_till, machine, till, data) for data in self.keep(self.terminal.tick(self.now))
                )
            else:
                self.keep(self.terminal.gone(self.connection, self.now))
                return outcome, arrived

    def at_terminal(self, data):
        return self.terminal.received(self.connection, data, self.now)

    def at_till(self, machine, till, data):
        till(machine.receive(data))
        return []

    def keep(self, effects):
        """Book what the terminal books; return what it says."""
        self.booked += [effect.entry for effect in effects if isinstance(effect, Book)]
        assert not [effect for effect in effects if isinstance(effect, HangUp)]
        return [b"".join(effect.chunks) for effect in effects if isinstance(effect, Write)]

    def finish(self):
        """Let the terminal come to rest."""
        while self.terminal.at_work and self.terminal.wake_at is not None:
            self.now = self.terminal.wake_at
            self.keep(self.terminal.tick(self.now))

    def pay(self, uuid, amount, cut=None, options=None):
        machine = ZVT.machine(options or {})
        self.heard = None
        return self.hold(machine.start(Request(uuid, Kind.SALE, amount, "EUR")), machine, cut)

    def ask(self, lost):
        machine = ZVT.machine({})
        return self.hold(machine.resume({"kind": "sale", "state": "unknown"}, lost), machine)[0]


@pytest.mark.parametrize("keeps", [False, True])
@pytest.mark.parametrize("slips", ["none", "lines", "blocks"])
def test_a_link_that_dies_at_every_boundary(keeps, slips):
    whole = Counter(keeps_unacknowledged=keeps)
    _, messages = whole.pay("u", 2500, options={"slips": slips})
    assert messages > 10
    codes = set()
    for cut in range(messages):
        counter = Counter(keeps_unacknowledged=keeps)
        before, _ = counter.pay("b", 2500, options={"slips": slips})
        outcome, _ = counter.pay("u", 2500, cut, {"slips": slips})
        counter.finish()
        if outcome.state is State.UNKNOWN:
            lost = Lost("u", Kind.SALE, 2500, "EUR", True, before, "b", waited=9.0, said=counter.heard)
            outcome = counter.ask(lost)
        charged = [entry.amount for entry in counter.booked if entry.outcome == "approved"]
        assert outcome.state is (State.APPROVED if len(charged) == 2 else State.FAILED), (cut, outcome, counter.booked)
        assert charged in ([2500], [2500, 2500])
        codes.add(outcome.code)
    assert codes == {"approved", "not_received", "unreachable"}
