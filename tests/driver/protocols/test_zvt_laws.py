"""The laws of money over the history of a ZVT dialog, with everything going wrong that a network and a till can do.

The world below is a terminal that knows ZVT by itself (it shares no code with the driver), a network that splits and
cuts, a journal that may refuse to write, and a driver that is killed anywhere and asks afterwards what became of it.
The terminal keeps a payment once its result is answered, or as soon as it is approved: the specification has both.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hw_driver.protocols.machine import Outcome, Persist, Request, Result, Send, StartTimer, StopTimer
from hw_driver.protocols.recovery import Lost
from hw_driver.protocols.states import ENDED, ENDED_WITHOUT_CHARGE, Kind, State
from hw_driver.protocols.zvt import PROTOCOLS

ZVT = PROTOCOLS[0]
ASKED = 2500
YES = bytes.fromhex("800000")
BEFORE = Outcome(
    State.APPROVED,
    "approved",
    amount_approved=ASKED,
    terminal_id="29001006",
    terminal_ref="0007",
    terminal_time="11-21 10:00:00",
    details={"trace": "000007"},
)


def unit(control, data=""):
    content = bytes.fromhex(data)
    return bytes.fromhex(control) + bytes((len(content),)) + content


def result(code, number, amount=ASKED, time="120000"):
    numbers = f"29290010060c{time}0d11210b{number:06d}87{number:04d}"
    return unit("040f", f"27{code}04{amount:012d}490978{numbers}")


class Terminal:
    """A terminal of its own. `charged` is the truth."""

    def __init__(self, *, keeps, outcome, share, after):
        self.keeps, self.outcome, self.share, self.after = keeps, outcome, share, after
        self.charged = None
        self.payments = 0
        self.last = result("00", 7, time="100000")
        self.queue = []  # messages, each said once the one before is answered
        self.dialog = False
        self.incoming = b""
        self.out = b""

    def hear(self, data):
        self.incoming += data
        while len(self.incoming) >= 3 and len(self.incoming) >= 3 + self.incoming[2]:
            size = 3 + self.incoming[2]
            message, self.incoming = self.incoming[:size], self.incoming[size:]
            self.take(message[:2].hex(), message[3:])

    def take(self, control, data):
        if control in ("8000", "8466"):
            self.answered(control == "8000")
        elif control == "06b0":
            self.out += unit("8483") if self.queue[:1] != ["card"] else YES
            if self.queue[:1] == ["card"]:
                self.queue = [unit("040f", "276c"), unit("061e", "6c")]
                self.say()
        elif self.queue:
            return  # it is at work: deaf
        elif control == "0600":
            self.begin(unit("060f", "19002929001006490978"))
        elif control == "0501":
            self.begin(unit("060f", "00"))
        elif control == "0620":
            self.begin(self.last, unit("060f"))
        else:
            assert control == "0601"
            assert data.hex().startswith("04000000002500")
            self.payments += 1
            self.dialog = True
            self.begin(unit("04ff", "0a01"), "card")

    def begin(self, *messages):
        self.out += YES
        self.queue = list(messages)
        self.say()

    def say(self):
        if self.queue and self.queue[0] != "card":
            self.out += self.queue[0]

    def answered(self, yes):
        if not self.queue or self.queue[0] == "card":
            return
        said = self.queue.pop(0)
        if said[:2] == b"\x04\x0f" and self.dialog and said[4] == 0:
            self.result_answered(yes, said)
        if self.queue:
            self.say()
        else:
            self.dialog = False

    def result_answered(self, yes, said):
        if not yes or self.after == "aborts":
            self.charged = None
            self.queue = [unit("061e", "6c" if not yes else "cc")]
        else:
            self.charged, self.last = self.share, said

    def card(self):
        """The cardholder has done their part."""
        self.queue.pop(0)
        if self.outcome == "approve":
            said = result("00", 8, self.share)
            if self.keeps and self.after != "aborts":
                self.charged, self.last = self.share, said
            lines = [unit("06d1", "0048616c6c6f"), unit("06d1", "81")]
            self.queue = [said, *lines, unit("060f")]
            if self.after == "twice":
                self.queue.insert(0, result("37", 8, self.share))
        elif self.outcome == "refuse":
            self.queue = [unit("061e", "f0")]
        else:
            code = {"decline": "05", "abort": "6c"}[self.outcome]
            self.queue = [unit("040f", f"27{code}"), unit("061e", code)]
        self.say()

    def gone(self):
        """It notices that the connection is gone: what was not answered is taken back, unless it keeps it."""
        self.queue, self.incoming, self.out, self.dialog = [], b"", b"", False


class Dialogs(RuleBasedStateMachine):
    """One transaction, from the journalled request through any number of restarts and questions."""

    def __init__(self):
        super().__init__()
        self.durable, self.durable_outcome, self.heard = State.REQUESTED, None, None
        self.results = []
        self.timers = set()
        self.journal_works = True
        self.linked = False
        self.on_the_way = b""
        self.back = b""
        self.asking = False
        self.over = False
        self.told_results = 0
        self.terminal = Terminal(keeps=False, outcome="approve", share=ASKED, after="")
        self.machine = ZVT.machine({})
        self.carry_out(self.machine.start(Request("u", Kind.SALE, ASKED, "EUR")))

    def carry_out(self, effects):
        """Release effects in order, what follows a `Persist` only once it is durable."""
        effects = list(effects)
        while effects:
            effect = effects.pop(0)
            if isinstance(effect, Persist):
                if not self.journal_works:
                    self.journal_works = True
                    instead = self.machine.persist_failed()
                    effects = [*instead] if instead or effect.state is State.SENT else [effect, *effects]
                    continue
                self.persist(effect)
            elif isinstance(effect, Send):
                self.send(effect.data)
            elif isinstance(effect, StartTimer):
                self.timers.add(effect.name)
            elif isinstance(effect, StopTimer):
                self.timers.discard(effect.name)
            elif isinstance(effect, Result):
                self.results.append(effect.outcome)
                self.told_results += 1
                assert self.told_results == 1, "a result comes once"
                self.over = True

    def persist(self, effect):
        if effect.state is State.SENT and effect.outcome is not None:
            assert self.durable is State.SENT
            self.heard = effect.outcome
        elif effect.state is State.UNKNOWN and self.durable is State.UNKNOWN:
            pass  # nothing new
        else:
            assert self.durable not in ENDED or effect.state is self.durable
            self.durable, self.durable_outcome = effect.state, effect.outcome

    def send(self, data):
        assert self.durable in (State.SENT, State.UNKNOWN, *ENDED), "law 1: bytes before the journal"
        waiting = self.terminal.queue[0] if self.terminal.queue else b""
        if (
            data == YES
            and self.terminal.dialog
            and waiting[:2] == b"\x04\x0f"
            and waiting[4:5] == b"\0"
            and not self.asking
        ):
            assert self.heard is not None, "law 1: a result acknowledged before it is durable"
        if self.linked:
            self.on_the_way += data

    @initialize(
        keeps=st.booleans(),
        outcome=st.sampled_from(["approve"] * 5 + ["decline", "abort", "refuse"]),
        share=st.sampled_from([ASKED, ASKED, 1000]),
        after=st.sampled_from(["", "", "", "aborts", "twice"]),
    )
    def the_terminal_decides(self, keeps, outcome, share, after):
        self.terminal = Terminal(keeps=keeps, outcome=outcome, share=share, after=after)

    @precondition(lambda self: not self.linked and not self.over and self.timers == {"connect"})
    @rule()
    def connect(self):
        self.linked = True
        self.carry_out(self.machine.connected())

    @precondition(lambda self: self.linked and (self.on_the_way or self.terminal.out or self.back))
    @rule(size=st.integers(1, 60))
    def bytes_arrive(self, size):
        self.terminal.hear(self.on_the_way)
        self.on_the_way = b""
        self.back, self.terminal.out = self.back + self.terminal.out, b""
        piece, self.back = self.back[:size], self.back[size:]
        self.carry_out(self.machine.receive(piece))

    @precondition(lambda self: self.linked and (self.on_the_way or self.terminal.out))
    @rule()
    def the_request_arrives_alone(self):
        self.terminal.hear(self.on_the_way)
        self.on_the_way = b""

    @precondition(lambda self: self.terminal.queue[:1] == ["card"])
    @rule()
    def a_card_is_presented(self):
        self.terminal.card()

    @precondition(lambda self: not self.linked and (self.terminal.queue or self.terminal.incoming))
    @rule()
    def the_terminal_notices(self):
        self.terminal.gone()

    @rule(what=st.sampled_from(["nothing"] * 14 + ["lost", "timer", "cancel", "journal", "killed"]))
    def something_happens(self, what):
        if what == "lost" and self.linked and not self.over:
            self.cut()
            self.carry_out(self.machine.lost("reset"))
        elif what == "timer" and self.timers and not self.over:
            name = min(self.timers)
            self.timers.discard(name)
            self.carry_out(self.machine.timer(name))
        elif what == "cancel":
            self.carry_out(self.machine.cancel())
        elif what == "journal":
            self.journal_works = False
        elif what == "killed" and self.durable not in ENDED:
            self.over, self.timers = True, set()
            if self.durable is State.REQUESTED:
                self.carry_out_anew(ZVT.machine({}))

    def carry_out_anew(self, machine, lost=None):
        self.cut()
        self.machine, self.timers, self.over, self.told_results = machine, set(), False, 0
        self.carry_out(machine.resume({"kind": "sale", "state": self.durable}, lost))

    def cut(self):
        """The connection is gone; what was on the way may have arrived or not: here it has not."""
        self.linked, self.on_the_way, self.back, self.terminal.out = False, b"", b"", b""

    @precondition(lambda self: self.over and self.durable in (State.SENT, State.UNKNOWN))
    @rule(waited=st.sampled_from([0.0, 10.0, 1000.0]), exclusive=st.booleans())
    def it_is_asked_what_became_of_it(self, waited, exclusive):
        if self.linked:
            self.cut()
        self.asking = True
        said = self.heard or self.durable_outcome
        lost = Lost(
            "u",
            Kind.SALE,
            ASKED,
            "EUR",
            exclusive=exclusive,
            previous=BEFORE,
            previous_uuid="b",
            waited=waited,
            said=said,
        )
        self.carry_out_anew(ZVT.machine({}), lost)

    # -- the laws

    @invariant()
    def one_request_at_most_on_the_wire(self):
        assert self.terminal.payments <= 1

    @invariant()
    def approved_means_charged_with_that_amount(self):
        if self.durable is State.APPROVED:
            assert self.durable_outcome.amount_approved == self.terminal.charged

    @invariant()
    def ended_without_charge_means_not_charged(self):
        if self.durable in ENDED_WITHOUT_CHARGE:
            assert self.terminal.charged is None

    @invariant()
    def what_ended_is_not_at_work_any_more(self):
        if self.durable in ENDED_WITHOUT_CHARGE:
            assert "card" not in self.terminal.queue

    @invariant()
    def what_is_told_is_durable(self):
        for outcome in self.results:
            if outcome.state in ENDED:
                assert self.durable is outcome.state or outcome.code == "journal_unavailable"


Dialogs.TestCase.settings = settings(max_examples=250, stateful_step_count=60, deadline=None)
TestDialogs = Dialogs.TestCase
