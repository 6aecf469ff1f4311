"""The till's side of ZVT: what became of a payment whose answer was lost."""

from dataclasses import replace

import pytest
from zvt_kit import COMPLETION, NUMBERS, YES, ZVT, status, told

from hw_driver.protocols.machine import (
    Evidence,
    Open,
    Outcome,
    Result,
    Send,
)
from hw_driver.protocols.recovery import Lost
from hw_driver.protocols.states import Kind, State
from hw_driver.protocols.zvt import messages

BEFORE = Outcome(State.APPROVED, amount_approved=2500, terminal_id="28004869", terminal_ref="0469",
                 terminal_time="10-06 22:00:00", details={"trace": "000469"})  # fmt: skip
SAID = Outcome(State.SENT, "heard", details={"trace": "000470"}, **NUMBERS)


class Question:
    """A dialog that asks about a lost sale of 25.00."""

    def __init__(self, options=None, **lost):
        self.machine = ZVT.machine(options or {})
        usual = {"kind": Kind.SALE, "amount": 2500, "exclusive": True, "previous": BEFORE, "previous_uuid": "b"}
        about = Lost(**{"uuid": "u", "currency": "EUR", "waited": 9.0, **usual, **lost})
        self.effects = self.machine.resume({"kind": about.kind, "state": "unknown"}, about)
        self.effects += self.machine.connected()

    def hear(self, *data):
        for piece in data:
            self.effects += self.machine.receive(piece)
        return self

    def answered(self, *data, state="00"):
        report = messages.encode({"message": "status_report", "fields": {"status": state}})
        return self.hear(YES + COMPLETION, YES, report, YES, *data)

    @property
    def outcome(self):
        (outcome,) = [effect.outcome for effect in self.effects if isinstance(effect, Result)]
        return outcome

    @property
    def evidence(self):
        return [effect for effect in self.effects if isinstance(effect, Evidence)]

    @property
    def names(self):
        return [messages.decode(effect.data)["message"] for effect in self.effects if isinstance(effect, Send)]


def test_the_questions_never_ask_for_money():
    question = Question().answered(status(), COMPLETION)
    assert {"authorisation", "refund"}.isdisjoint(question.names)
    assert [name for name in question.names if name != "positive_answer"] == [
        "registration",
        "status_enquiry",
        "repeat_receipt",
    ]
    assert (question.outcome.state, question.outcome.amount_approved) == (State.APPROVED, 2500)


def test_its_own_numbers_prove_it_even_beside_other_tills():
    question = Question(said=SAID, exclusive=False, previous=None).answered(status(), COMPLETION)
    assert (question.outcome.state, question.outcome.details["recovered_by"]) == (State.APPROVED, "reference")
    not_done = Question(said=SAID, exclusive=False).answered(status(result="05"), COMPLETION)
    assert (not_done.outcome.state, not_done.outcome.code) == (State.FAILED, "not_completed")


def test_another_ones_numbers_prove_nothing():
    other = status(receipt="0471", trace="000471")
    question = Question(said=SAID).answered(other, COMPLETION)
    assert (question.outcome.state, len(question.evidence)) == (State.UNKNOWN, 1)
    shared = Question(exclusive=False).answered(status(), COMPLETION)
    assert (shared.outcome.state, len(shared.evidence)) == (State.UNKNOWN, 1)


def test_the_payment_before_says_that_this_one_never_arrived():
    previous = status(receipt="0469", trace="000469", time="220000")
    assert Question().answered(previous, COMPLETION).outcome.code == "not_received"
    assert Question(waited=0.0).answered(previous, COMPLETION).outcome.state is State.UNKNOWN
    assert Question().answered(previous, COMPLETION, state="9c").outcome.state is State.UNKNOWN
    doubtful = Question({"registered_is_idle": False}).answered(previous, COMPLETION)
    assert doubtful.outcome.state is State.UNKNOWN


@pytest.mark.parametrize(
    "numbers",
    [
        {"receipt": "0469", "trace": "000469"},  # the payment before, told with another time
        {"receipt": "0468", "trace": "000468"},
        {"receipt": "0470", "trace": "000469"},
        {"terminal_id": "29001006"},
        {"terminal_id": None, "authorisation": None},
        {"receipt": None, "trace": None, "authorisation": None},
    ],
)
def test_numbers_that_did_not_count_on_prove_nothing(numbers):
    question = Question(previous=replace(BEFORE, auth_code="999999")).answered(status(**numbers), COMPLETION)
    assert question.outcome.state is State.UNKNOWN


def test_counters_begin_again():
    before = replace(BEFORE, terminal_ref="9999", details={"trace": "999999"})
    question = Question(previous=before).answered(status(receipt="0001", trace="000001"), COMPLETION)
    assert question.outcome.state is State.APPROVED


def test_a_reversal_as_the_last_is_no_sale():
    question = Question().answered(status(receipt="0471", original_trace="000470"), COMPLETION)
    assert (question.outcome.state, len(question.evidence)) == (State.UNKNOWN, 1)


@pytest.mark.parametrize(
    "last",
    [
        [COMPLETION],
        [told("abort", result="83")],
        [told("status_information", result="00", totals={"hex": "00"}), COMPLETION],
        [status(amount=None), COMPLETION],
        [status(result=None), COMPLETION],
    ],
)
def test_a_last_result_that_says_nothing(last):
    question = Question().answered(*last)
    assert (question.outcome.state, question.outcome.code) == (State.UNKNOWN, "not_told")


def test_questions_that_are_not_answered():
    for end in (
        lambda question: question.machine.lost("reset"),
        lambda question: question.machine.timer("answer"),
        lambda question: question.machine.receive(b"garbage"),
        lambda question: question.machine.receive(bytes.fromhex("848300")) and question.machine.lost("closed"),
    ):
        question = Question()
        question.effects += end(question)
        assert question.outcome.state is State.UNKNOWN
        assert question.outcome.code == "not_told"


def test_what_need_not_be_answered_is_skipped():
    refused = Question().hear(bytes.fromhex("848300"), bytes.fromhex("848300"), YES, status(), COMPLETION)
    assert refused.outcome.state is State.APPROVED  # it is newer, whatever goes on
    aborted = Question().hear(
        YES + told("abort", result="83"), YES, told("abort", result="83"), YES, status(), COMPLETION
    )
    assert aborted.outcome.state is State.APPROVED
    last = Question().hear(bytes.fromhex("848300"), bytes.fromhex("848300"), bytes.fromhex("848300"))
    assert last.outcome.code == "not_told"
    assert last.machine.cancel() == []


def test_without_a_question_it_stays_unknown():
    restarted = ZVT.machine({}).resume({"kind": "sale", "state": "sent"})
    assert [effect.outcome.code for effect in restarted if isinstance(effect, Result)] == ["driver_restarted"]
    never = ZVT.machine({}).resume({"kind": "sale", "state": "requested"})
    assert [effect.outcome.state for effect in never if isinstance(effect, Result)] == [State.FAILED]
    lost = Lost("u", Kind.SALE, 2500, "EUR")
    deaf = ZVT.machine({"last_result": False}).resume({"kind": "sale", "state": "sent"}, lost)
    assert Open() not in deaf


@pytest.mark.parametrize(
    ("kind", "amount", "last", "state", "approved"),
    [
        # the terminal tells the sale with its tip, and the tip
        ("tip", 200, {"amount": "000000002700", "tip": 200}, State.APPROVED, 200),
        ("tip", 200, {"amount": "000000002700", "tip": 300}, State.UNKNOWN, None),
        ("tip", 2500, {"amount": "000000002500", "tip": 0}, State.UNKNOWN, None),
        # … and perhaps what was released, where that is less
        ("completion", 1800, {"amount": "000000000700", "tip": 0}, State.UNKNOWN, None),
        ("completion", 1800, {"amount": "000000001800", "tip": 0}, State.APPROVED, 1800),
    ],
)
def test_other_amounts_are_not_taken_for_less_than_was_asked(kind, amount, last, state, approved):
    objects = [{"tag": "1F36", "value": f"{last['tip']:012d}"}] if last["tip"] else []
    for said in (SAID, None):
        question = Question(kind=Kind(kind), amount=amount, said=said)
        question.answered(status(amount=last["amount"], **({"tlv": objects} if objects else {})), COMPLETION)
        assert (question.outcome.state, question.outcome.amount_approved) == (state, approved), said


def test_a_payment_under_the_same_numbers_that_came_to_more_is_not_the_one_before():
    before = replace(BEFORE, **NUMBERS, details={"trace": "000470"})
    question = Question(kind=Kind.TIP, amount=200, previous=before)
    question.answered(status(amount="000000002700"), COMPLETION)
    assert question.outcome.state is State.UNKNOWN
    same = Question(kind=Kind.TIP, amount=200, previous=before).answered(status(), COMPLETION)
    assert same.outcome.code == "not_received"


def test_a_question_that_never_ends_is_given_up():
    question = Question().hear(YES)
    for _ in range(3):
        question.hear(told("intermediate_status", code="0e"))
    question.effects += question.machine.timer("longest")
    assert (question.outcome.state, question.outcome.code) == (State.UNKNOWN, "not_told")
