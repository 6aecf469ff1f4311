"""The till's side of ZVT: one dialog, from the registration to the completion.

The till commands, the terminal answers (80 00, 84 xx) and is then master: it says what it is doing (04 FF), its result
(04 0F), what to print (06 D1, 06 D3), each answered by the till, until it has completed (06 0F) or aborted (06 1E).

Law 1: the answer 80 00 to a result makes the terminal keep the payment, so it leaves only once the result is durable.
Where that fails the result is refused (84 66), and the terminal takes the payment back (P15 2.2.8). Law 2: a command
for money goes out once per dialog; after a lost answer another dialog asks for the last result (06 20).

Source: P15 2 and 3, P16 5 (zvt.md 3 and 6).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Any, ClassVar

from ..machine import (
    Close,
    Effect,
    Evidence,
    InvalidRequest,
    MalformedMessage,
    Open,
    Outcome,
    Persist,
    Progress,
    Request,
    Result,
    Send,
    StartTimer,
    StopTimer,
)
from ..recovery import Lost
from ..scrub import scrub
from ..states import Kind, State
from . import commands as say
from . import errands, steps
from . import request as requests
from .apdu import ACK, Apdu, Reader, build, is_answer, is_positive
from .codes import AT_WORK, DONE, doing
from .last import last_of, tell
from .messages import Taken, take
from .options import Options
from .slips import Slips
from .steps import Step
from .verdict import Asked, aborted, display_text, doubt, evidence, judge, refusal
from .words import CALLING, CANCELLING, CANNOT_CANCEL, SILENT, UNREACHABLE, waiting

YES = build(ACK)
NO = build(0x8483)  # not known here
NOT_SAFE = build(0x8466)  # takes the payment back
GIVE_UP = build(say.ABORT_COMMAND)
#: Seconds the terminal has to end its dialog once it was asked to give up after a long silence.
GRACE = 10.0


class Phase(Enum):
    """Where the dialog stands."""

    NEW = auto()
    CONNECTING = auto()
    ASKED = auto()  # a command was sent, its answer is awaited
    AT_WORK = auto()  # the terminal is master
    OVER = auto()


class Zvt:
    """One dialog. Raises `InvalidRequest` for options that are wrong."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = Options.of(options)
        self._phase = Phase.NEW
        self._asked = Asked(Kind.SALE, 0, self._options.currency, self._options.charset)
        self._steps: list[Step] = []
        self._reader = Reader()
        self._slips = Slips(self._options.charset)
        self._status: Taken | None = None
        self._status_report: Taken | None = None
        self._registered: Taken | None = None
        self._heard = False  # something was heard, so the intent is durable
        self._refused = False  # the result was not durable and was refused
        self._cancelled = False
        self._giving_up = False  # 06 B0 was sent, its answer is awaited
        self._gave_up = False  # … because of a long silence
        self._lost: Lost | None = None
        self._end_effects: list[Effect] = []

    # -- what the runner calls

    def start(self, request: Request) -> list[Effect]:
        if self._phase is not Phase.NEW:
            raise ValueError("a machine is one dialog: make another")
        try:
            todo = steps.to_ask(request, self._options)
        except InvalidRequest as error:
            return self._end(Outcome(State.FAILED, error.code, str(error)))
        self._asked = requests.asked(request, self._options)
        return self._begin(todo)

    def connected(self) -> list[Effect]:
        if self._phase is not Phase.CONNECTING:
            return []
        intent: list[Effect] = [] if self._lost else [Persist(State.SENT), CALLING]
        return [StopTimer("connect"), *intent, *self._command(), StartTimer("longest", self._options.longest)]

    def receive(self, data: bytes) -> list[Effect]:
        if self._phase is Phase.CONNECTING:
            return self._not_sent("unexpected_data", "Something other than a card terminal answers at this address.")
        if self._phase not in (Phase.ASKED, Phase.AT_WORK):
            return []
        self._heard = True
        try:
            units = self._reader.feed(data)
        except MalformedMessage:
            if not self._main:
                return self._not_sent("unexpected_data", "What answers at this address does not speak ZVT.")
            return self._doubt("reply_malformed")
        effects: list[Effect] = []
        for unit in units:
            effects += self._unit(unit)
        return effects

    def timer(self, name: str) -> list[Effect]:
        if self._phase is Phase.CONNECTING and name == "connect":
            return self._not_sent("unreachable", UNREACHABLE)
        if self._phase is Phase.ASKED and name in ("answer", "longest"):
            return self._unanswered()
        if self._phase is Phase.AT_WORK and name in ("dialog", "longest"):
            return self._silence()
        return []

    def lost(self, reason: str) -> list[Effect]:
        if self._phase is Phase.CONNECTING:
            return self._not_sent("unreachable", UNREACHABLE, reason)
        if self._phase not in (Phase.ASKED, Phase.AT_WORK):
            return []
        if not self._main:
            return self._not_sent("unreachable", "The connection to the terminal was lost before anything was asked.")
        if reason == "line_refused" and self._phase is Phase.ASKED and not self._lost:
            text = "The terminal did not accept the message. Check its line and its protocol. Nothing was charged."
            return self._end(Outcome(State.FAILED, "message_refused", text))
        return self._doubt("link_lost")

    def cancel(self) -> list[Effect]:
        if self._phase in (Phase.NEW, Phase.OVER) or self._lost:
            return []
        if self._result == DONE or self._giving_up or self._gave_up:
            return [CANNOT_CANCEL]
        self._cancelled = True
        if self._phase is Phase.AT_WORK and self._main:
            return self._give_up()
        return [CANCELLING]

    def persist_failed(self) -> list[Effect]:
        if self._phase is Phase.OVER:
            return self._end_effects  # nobody is told, nor the terminal, before the journal holds it: tried again
        if not self._heard:
            self._phase = Phase.OVER
            text = "The journal cannot be written, so nothing was sent."
            outcome = Outcome(State.FAILED, "journal_unavailable", text)
            return [StopTimer("answer"), Result(outcome), Close()]
        self._refused = True
        return [Send(NOT_SAFE), self._dialog_timer()]

    def resume(self, record: Mapping[str, Any], lost: Lost | None = None) -> list[Effect]:
        """Take over a journalled transaction. `record` has its `kind` and `state`; with `lost`, ask about it."""
        kind = Kind(record["kind"])
        amount, currency = (lost.amount, lost.currency) if lost else (0, "")
        self._asked = Asked(kind, amount, currency or self._options.currency, self._options.charset)
        if State(record["state"]) is State.REQUESTED:
            text = "The driver was restarted before anything was sent."
            return self._end(Outcome(State.FAILED, "driver_restarted", text))
        if lost is None or not self._options.last_result:
            return self._end(doubt(kind, "driver_restarted"))
        self._lost = lost
        return self._begin(steps.to_learn(self._options, self._asked.currency))

    # -- one command after the other

    def _begin(self, todo: list[Step]) -> list[Effect]:
        self._steps = todo
        self._phase = Phase.CONNECTING
        return [Open(), StartTimer("connect", self._options.connect_timeout)]

    @property
    def _main(self) -> bool:
        """Whether the command under way is the one the dialog is for."""
        return bool(self._steps) and self._steps[0].main

    def _command(self) -> list[Effect]:
        self._phase = Phase.ASKED
        longer = self._options.card_timeout if self._main and self._asked.kind is Kind.CARD else 0  # P16 5.2.5
        return [Send(self._steps[0].data), StartTimer("answer", self._options.answer_timeout + longer)]

    def _next(self) -> list[Effect]:
        """A command before the main one is over: go on."""
        del self._steps[0]
        self._status = None
        if self._main and self._cancelled:
            return self._end(Outcome(State.CANCELLED, "cancelled", "Given up at the till. Nothing was charged."))
        return [StopTimer("dialog"), *self._command()]

    # -- what the terminal says

    def _unit(self, unit: Apdu) -> list[Effect]:
        if self._phase is Phase.OVER:
            return []
        if is_answer(unit.control):
            return self._answered(unit)
        if self._phase is Phase.ASKED:
            return self._stale(unit)
        handle = self._ON_MESSAGE.get(unit.control)
        if handle is None:
            return [Send(NO), self._dialog_timer()]
        return handle(self, take(unit.control, unit.data))

    def _answered(self, unit: Apdu) -> list[Effect]:
        if self._phase is Phase.AT_WORK:
            return self._gives_up(is_positive(unit.control))
        if is_positive(unit.control):
            if self._main and self._asked.kind in errands.ENDS_WITH_ANSWER:
                return self._end(self._judged(Taken({}, [])))
            self._phase = Phase.AT_WORK
            effects: list[Effect] = [StopTimer("answer"), self._dialog_timer()]
            if self._main and not self._lost:
                effects.append(waiting(self._asked.kind, self._options))
                effects += self._give_up() if self._cancelled else []
            return effects
        parts = take(unit.control, unit.data).parts
        code = (parts.get("result") or bytes((unit.control & 0xFF,)))[0]
        if not self._steps[0].needed:
            return [StopTimer("answer"), *self._next()]
        if self._lost:
            return self._doubt("not_told")
        if not self._main:
            text = "The terminal does not take this cash register. Check the password and the currency set for it."
            return self._end(refusal(code, text if code not in AT_WORK else ""))
        return self._end(refusal(code))

    def _stale(self, unit: Apdu) -> list[Effect]:
        """Something of an earlier dialog, before our command is answered. A result is not taken: it is not ours."""
        if unit.control == say.STATUS_INFORMATION and self._main:
            return self._doubt("reply_mismatch")
        return [Send(YES)]

    def _doing(self, taken: Taken) -> list[Effect]:
        """04 FF: what to show; it may give itself more time."""
        minutes = taken.parts.get("minutes", b"").hex()
        seconds = int(minutes) * 60.0 if minutes.isdigit() and int(minutes) else self._options.dialog_timeout
        effects: list[Effect] = [Send(YES), StartTimer("dialog", seconds)]
        if self._lost or self._asked.kind is Kind.IDENTIFY:
            return effects
        word, text = doing(taken.parts.get("code", b"\x0e")[0], self._options.language)
        shown = display_text(taken.objects, self._options.charset)
        return [*effects, Progress(word, shown or text, math.ceil(seconds))]

    def _told_result(self, taken: Taken) -> list[Effect]:
        """04 0F: the result so far, durable before the terminal hears that it is."""
        self._status = taken
        if not self._main or self._lost:
            return [Send(YES), self._dialog_timer()]
        if self._asked.kind in errands.ENDS_WITH_RESULT:
            return self._end(self._judged(taken), heard=True)
        said = evidence(taken, None, self._options.charset)
        said["details"]["result"] = taken.value(0x27).hex()
        heard = Outcome(State.SENT, "heard", "The terminal has told its result and is not finished yet.", **said)
        return [StopTimer("dialog"), Persist(State.SENT, heard), Send(YES), self._dialog_timer()]

    def _to_print(self, taken: Taken) -> list[Effect]:
        self._slips.line(taken)
        return [Send(YES), self._dialog_timer()]

    def _block_to_print(self, taken: Taken) -> list[Effect]:
        self._slips.block(taken)
        return [Send(YES), self._dialog_timer()]

    def _other(self, taken: Taken) -> list[Effect]:
        return [Send(YES), self._dialog_timer()]

    def _completed(self, taken: Taken) -> list[Effect]:
        """06 0F."""
        if not self._main:
            if "status" in taken.parts:
                self._status_report = taken
            else:
                self._registered = taken
            return [Send(YES), *self._next()]
        if self._lost:
            return self._learn(self._lost)
        return self._end(self._judged(taken), heard=True)

    def _judged(self, end: Taken) -> Outcome:
        return judge(self._asked, self._status, end, self._slips, refused=self._refused, registered=self._registered)

    def _aborted(self, taken: Taken) -> list[Effect]:
        """06 1E."""
        if not self._main and not self._steps[0].needed:
            return [Send(YES), *self._next()]
        if self._lost:
            return [Send(YES), *self._doubt("not_told")]
        if not self._main:
            code = (taken.parts.get("result") or b"\xff")[0]
            return self._end(refusal(code or 0xFF), heard=True)
        return self._end(aborted(self._asked, self._status, taken, self._slips, self._registered), heard=True)

    def _learn(self, lost: Lost) -> list[Effect]:
        """Judge what the terminal says of its last transaction."""
        state = self._status_report.parts["status"] if self._status_report else b""
        idle = self._options.registered_is_idle and state not in (b"", *(bytes((code,)) for code in AT_WORK))
        last = last_of(self._status, self._options, idle=idle)
        word = tell(lost, last, self._options.dialog_timeout) if last else None
        if isinstance(word, Outcome):
            return self._end(word, heard=True)
        found: list[Effect] = [word] if isinstance(word, Evidence) else []
        return [*found, Send(YES), *self._doubt("not_told")]

    # -- giving up

    @property
    def _result(self) -> int | None:
        value = self._status.value(0x27) if self._status and self._main else b""
        return value[0] if value else None

    def _give_up(self) -> list[Effect]:
        self._giving_up = True
        return [CANCELLING, Send(GIVE_UP)]

    def _gives_up(self, positive: bool) -> list[Effect]:
        """The answer to 06 B0; any other answer while the terminal is master is an echo."""
        if not self._giving_up:
            return []
        self._giving_up = False
        return [] if positive or self._gave_up else [CANNOT_CANCEL]

    def _silence(self) -> list[Effect]:
        """T4 is over, or it never is: ask it to give up once (SM 3.2.21), then it is not known."""
        if self._gave_up or not self._main or self._lost:
            return self._unanswered()
        self._gave_up = self._giving_up = True
        return [Send(GIVE_UP), StartTimer("longest", min(3 * GRACE, self._options.longest)), self._dialog_timer()]

    def _unanswered(self) -> list[Effect]:
        if self._main:
            return self._doubt("no_answer")
        return self._not_sent("unreachable", SILENT)

    # -- the end

    def _doubt(self, code: str) -> list[Effect]:
        said = {} if self._lost else evidence(self._status, self._slips, self._options.charset)
        return self._end(doubt(self._asked.kind, "not_told" if self._lost else code, said))

    def _not_sent(self, code: str, text: str, reason: str = "") -> list[Effect]:
        if self._lost:  # the question was not asked: the request it is about was
            return self._end(doubt(self._asked.kind, "not_told"))
        details = {"reason": scrub(reason)} if reason else {}
        return self._end(Outcome(State.FAILED, code, text, details=details))

    def _end(self, outcome: Outcome, *, heard: bool = False) -> list[Effect]:
        """Finish; `heard`: the terminal's last message waits for its answer, or it stays blocked (MEMO)."""
        self._phase = Phase.OVER
        answer: list[Effect] = [Send(YES)] if heard else []
        timers = map(StopTimer, ("connect", "answer", "dialog", "longest"))
        self._end_effects = [Persist(outcome.state, outcome), *answer, Result(outcome), Close()]
        return [*timers, *self._end_effects]

    def _dialog_timer(self) -> StartTimer:
        longest = self._options.dialog_timeout
        return StartTimer("dialog", min(GRACE, longest) if self._gave_up else longest)

    _ON_MESSAGE: ClassVar[dict[int, Callable[[Zvt, Taken], list[Effect]]]] = {
        say.INTERMEDIATE: _doing,
        say.STATUS_INFORMATION: _told_result,
        say.PRINT_LINE: _to_print,
        say.PRINT_BLOCK: _block_to_print,
        say.SET_TIME: _other,
        say.COMPLETION: _completed,
        say.ABORT: _aborted,
    }
