"""The laws of money over the history of a dialog, with everything going wrong that TCP and a till can do.

The world below is a terminal that charges when a whole request has reached it, a line that splits, cuts and damages
its answer where a check can notice it, a journal that may refuse to write, and a driver that may be killed anywhere.
What no check can notice (a digit changed by a line without a checksum) is out of the protocol's reach and not played.
"""

import re

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hw_driver.protocols.concert import PROTOCOLS
from hw_driver.protocols.machine import Persist, Request, Result, Send, StartTimer, StopTimer
from hw_driver.protocols.states import ENDED_WITHOUT_CHARGE, Kind, State

concert_v3 = PROTOCOLS[0]
ASKED = 2500

DAMAGES = {
    "none": lambda reply: reply,
    "eighth bit": lambda reply: bytes([*reply[:-1], reply[-1] | 0x80]),
    "twice": lambda reply: reply + reply,
    "cut": lambda reply: reply[:-1],
    "nothing": lambda reply: b"",
    "garbage behind": lambda reply: reply + b"\r\n",
    "garbage before": lambda reply: b"\x06" + reply,
    "amount lost": lambda reply: re.sub(rb"CB\d{3}\d+(?=AE)", b"", reply),
}


class Dialogs(RuleBasedStateMachine):
    """One transaction, from the journalled request through any number of restarts."""

    def __init__(self):
        super().__init__()
        self.history = []
        self.durable = State.REQUESTED
        self.durable_outcome = None
        self.results = []
        self.results_of_this_life = 0
        self.charged = None
        self.incoming = b""
        self.told = b""
        self.timers = set()
        self.journal_works = True
        self.terminal = ("approve", "none", ASKED)
        self.machine = concert_v3.machine({})
        self.carry_out(self.machine.start(Request("u", Kind.SALE, ASKED, "EUR")))

    def carry_out(self, effects):
        """Release effects in order, what follows a `Persist` only once it is durable."""
        for effect in effects:
            if isinstance(effect, Persist):
                if not self.journal_works:
                    self.journal_works = True
                    self.carry_out(self.machine.persist_failed())
                    return
                self.durable, self.durable_outcome = effect.state, effect.outcome
            self.history.append(effect)
            if isinstance(effect, Send):
                assert self.durable is State.SENT, "law 1: bytes before the journal"
                self.serve(effect.data)
            elif isinstance(effect, StartTimer):
                self.timers.add(effect.name)
            elif isinstance(effect, StopTimer):
                self.timers.discard(effect.name)
            elif isinstance(effect, Result):
                self.results.append(effect.outcome)
                self.results_of_this_life += 1

    def serve(self, request):
        behaviour, damage, share = self.terminal
        assert b"CB0042500" in request
        fields = b"CZ0040300CA00201CD0010CE003978CB%03d%d" % (len(str(share)), share)
        if behaviour == "approve":
            self.charged = share
            reply = fields + b"AE00210"
        else:
            reply = fields + b"AE00201AF002" + {"decline": b"04", "abort": b"11", "reject": b"09"}[behaviour]
        self.incoming += DAMAGES[damage](reply)

    @initialize(
        behaviour=st.sampled_from(["approve", "approve", "decline", "abort", "reject"]),
        damage=st.sampled_from(["none"] * len(DAMAGES) + sorted(DAMAGES)),
        share=st.sampled_from([ASKED, 1000]),
    )
    def the_terminal_decides(self, behaviour, damage, share):
        self.terminal = (behaviour, damage, share)

    @rule()
    def connect(self):
        self.carry_out(self.machine.connected())

    @precondition(lambda self: self.incoming)
    @rule(size=st.integers(1, 120))
    def bytes_arrive(self, size):
        piece, self.incoming = self.incoming[:size], self.incoming[size:]
        self.told += piece
        self.carry_out(self.machine.receive(piece))

    @precondition(lambda self: "drain" in self.timers)
    @rule()
    def the_answer_is_over(self):
        self.timers.discard("drain")
        self.carry_out(self.machine.timer("drain"))

    @rule(what=st.sampled_from(["nothing"] * 12 + ["lost", "timer", "drain", "cancel", "journal", "killed"]))
    def something_happens(self, what):
        if what == "lost":
            self.incoming = b""
            self.carry_out(self.machine.lost("reset"))
        elif what == "timer" and self.timers:  # connect or answer
            self.carry_out(self.machine.timer(min(self.timers)))
        elif what == "drain":  # it was stopped, but had ended already
            self.carry_out(self.machine.timer("drain"))
        elif what == "cancel":
            self.carry_out(self.machine.cancel())
        elif what == "journal":
            self.journal_works = False
        elif what == "killed" and self.durable in (State.REQUESTED, State.SENT):
            self.incoming, self.timers, self.results_of_this_life = b"", set(), 0
            self.machine = concert_v3.machine({})
            self.carry_out(self.machine.resume({"kind": "sale", "state": self.durable}))

    # -- the laws

    @invariant()
    def one_request_at_most_on_the_wire(self):
        assert sum(isinstance(effect, Send) for effect in self.history) <= 1

    @invariant()
    def approved_means_charged_with_that_amount(self):
        for outcome in self.results:
            if outcome.state is State.APPROVED:
                assert outcome.amount_approved == self.charged
                assert b"AE00210" in self.told

    @invariant()
    def ended_without_charge_means_not_charged(self):
        for outcome in self.results:
            if outcome.state in ENDED_WITHOUT_CHARGE:
                assert self.charged is None

    @invariant()
    def after_sending_only_the_terminals_word_ends_it(self):
        sent = any(isinstance(effect, Send) for effect in self.history)
        for outcome in self.results:
            if sent and b"AE002" not in self.told:
                assert outcome.state is State.UNKNOWN

    @invariant()
    def what_is_told_is_durable(self):
        for outcome in self.results:
            if outcome.state in (State.APPROVED, State.DECLINED, State.CANCELLED, State.UNKNOWN):
                assert (self.durable, self.durable_outcome) == (outcome.state, outcome)

    @invariant()
    def a_result_comes_once(self):
        assert self.results_of_this_life <= 1
        assert len({outcome.state for outcome in self.results}) <= 1


Dialogs.TestCase.settings = settings(max_examples=500, stateful_step_count=20, deadline=None)
TestDialogs = Dialogs.TestCase
