"""The till's side of CONCERT V3 over TCP: one connection, one request, one reply.

Permitted repeats on the wire: none. There is no abort: the customer presses the red key (OCA). After a lost answer a
terminal that can is asked for a copy of its last result (duplicate.py), on a connection of its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import Enum, auto
from typing import Any

from ..machine import (
    Close,
    Effect,
    Evidence,
    Heard,
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
from ..recovery import Lost, believe
from ..scrub import scrub
from ..states import MONEY_KINDS, Kind, State
from .duplicate import last_of, reference_in
from .options import Options
from .request import duplicate_fields, request_fields
from .tables import DUPLICATE, EXCHANGES
from .tlv import Reader, build
from .verdict import doubt, judge


class Phase(Enum):
    """Where the dialog stands."""

    NEW = auto()
    CONNECTING = auto()
    ASKED = auto()
    OVER = auto()


class ConcertV3:
    """One dialog. `options` are those of docs/api.md section 4; raises `InvalidRequest` for one that is wrong."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = Options.of(options)
        self._phase = Phase.NEW
        self._kind = Kind.SALE
        self._asked: dict[str, str] = {}
        self._uuid = ""
        self._lost: Lost | None = None
        self._may_have_left = False
        self._reply = Reader()
        self._outcome = Outcome(State.FAILED)

    def start(self, request: Request) -> list[Effect]:
        if self._phase is not Phase.NEW:
            raise ValueError("a machine is one dialog: make another")
        try:
            self._asked = request_fields(request, self._options)
        except InvalidRequest as error:
            return self._end(Outcome(State.FAILED, error.code, str(error)))
        self._phase, self._kind, self._uuid = Phase.CONNECTING, request.kind, request.uuid
        return [Open(), StartTimer("connect", self._options.connect_timeout)]

    def connected(self) -> list[Effect]:
        if self._phase is not Phase.CONNECTING:
            return []
        self._phase, self._may_have_left = Phase.ASKED, True
        exchange = DUPLICATE if self._lost else EXCHANGES[self._kind]
        longest = self._options.settlement_timeout if self._kind is Kind.SETTLEMENT else self._options.answer_timeout
        limit = min(longest, exchange.longest or math.inf)
        send = Send(build(self._asked) + (b"\r\n" if self._options.crlf else b""))
        timer = StartTimer("answer", limit)
        if self._lost:
            return [StopTimer("connect"), send, timer]
        money = self._kind in MONEY_KINDS
        return [
            StopTimer("connect"),
            Persist(State.SENT),
            send,
            timer,
            Progress(
                "waiting_for_card" if money else "waiting_for_terminal",
                "Waiting for the customer's card." if money else "Waiting for the terminal.",
                math.ceil(limit),
            ),
        ]

    def receive(self, data: bytes) -> list[Effect]:
        if self._phase is Phase.CONNECTING:
            return self._not_sent("unexpected_data", "Something other than a card terminal answers at this address.")
        if self._phase is not Phase.ASKED or not data:
            return []
        was_complete = self._complete
        try:
            self._reply.feed(data)
        except MalformedMessage:
            return self._doubt("reply_malformed")
        if self._complete:
            drain = self._options.drain
            return [StartTimer("drain", drain)] if drain else self._judge()
        return [StopTimer("drain")] if was_complete else []

    def timer(self, name: str) -> list[Effect]:
        if self._phase is Phase.CONNECTING and name == "connect":
            return self._not_sent("unreachable", _UNREACHABLE)
        if self._phase is not Phase.ASKED or name == "connect":
            return []
        if self._complete:
            return self._judge()
        return self._doubt("no_answer" if self._reply.empty else "reply_cut") if name == "answer" else []

    def lost(self, reason: str) -> list[Effect]:
        if self._phase is Phase.CONNECTING:
            return self._not_sent("unreachable", _UNREACHABLE, reason)
        if self._phase is not Phase.ASKED:
            return []
        if self._complete:
            return self._judge()
        return self._doubt("link_lost" if self._reply.empty else "reply_cut")

    def cancel(self) -> list[Effect]:
        text = "This terminal cannot be stopped from the till. Ask the customer to press the red key."
        return [] if self._phase is Phase.OVER else [Progress("cannot_cancel", text)]

    def persist_failed(self) -> list[Effect]:
        if self._phase is Phase.ASKED and not self._lost:  # the intent is not durable, so its Send was never released
            self._phase, self._may_have_left = Phase.OVER, False
            text = "The journal cannot be written, so nothing was sent."
            return [Result(Outcome(State.FAILED, "journal_unavailable", text)), Close()]
        told: list[Effect] = [Result(self._outcome), Close()]
        # Nobody is told a terminal's answer that the journal does not hold: the runner tries again.
        return [Persist(self._outcome.state, self._outcome), *told] if self._may_have_left else told

    def resume(self, record: Mapping[str, Any], lost: Lost | None = None) -> list[Effect]:
        """Take over a journalled transaction. `record` has its `kind` and `state`; with `lost`, ask about it."""
        self._kind, self._may_have_left = Kind(record["kind"]), State(record["state"]) is not State.REQUESTED
        if not self._may_have_left:
            text = "The driver was restarted before anything was sent."
            return self._end(Outcome(State.FAILED, "driver_restarted", text))
        if lost is None or not self._options.duplicata:
            return self._end(doubt(self._kind, "driver_restarted"))
        self._phase, self._lost = Phase.CONNECTING, lost
        self._asked = duplicate_fields(lost, self._options)
        return [Open(), StartTimer("connect", self._options.connect_timeout)]

    @property
    def _complete(self) -> bool:
        """The end of a reply: a whole number of fields, the result among them (OCA)."""
        return self._reply.whole and "AE" in self._reply.fields

    def _judge(self) -> list[Effect]:
        if self._lost:
            return self._learn(self._lost)
        named = reference_in(self._reply.fields, self._options)
        if named and self._kind in MONEY_KINDS and named != self._uuid:
            return self._another()
        return self._end(judge(self._kind, self._asked, self._reply.fields), "answer", "drain")

    def _another(self) -> list[Effect]:
        """The answer names another transaction: it is that one's, and what became of this one is not known."""
        last = last_of(self._reply.fields, self._options)
        heard: list[Effect] = [Heard(last)] if last else []
        return [*heard, *self._end(doubt(self._kind, "reply_mismatch"), "answer", "drain")]

    def _learn(self, lost: Lost) -> list[Effect]:
        """Judge what the terminal says of its last transaction."""
        last = last_of(self._reply.fields, self._options)
        word = believe(lost, last, self._options.answer_timeout) if last else None
        if isinstance(word, Outcome):
            return self._end(word, "answer", "drain")
        evidence: list[Effect] = [word] if isinstance(word, Evidence) else []
        return [*evidence, *self._doubt("not_told")]

    def _doubt(self, code: str) -> list[Effect]:
        fields = self._reply.fields
        return self._end(doubt(self._kind, *(("not_told",) if self._lost else (code, fields))), "answer", "drain")

    def _not_sent(self, code: str, text: str, reason: str = "") -> list[Effect]:
        if self._lost:  # the question was not sent: the request it is about was
            return self._end(doubt(self._kind, "not_told"), "connect")
        details = {"reason": scrub(reason)} if reason else {}
        return self._end(Outcome(State.FAILED, code, text, details=details), "connect")

    def _end(self, outcome: Outcome, *timers: str) -> list[Effect]:
        self._phase, self._outcome = Phase.OVER, outcome
        return [*map(StopTimer, timers), Persist(outcome.state, outcome), Result(outcome), Close()]


_UNREACHABLE = (
    "The terminal cannot be reached. Check that it is switched on, its network address, and that no other till uses it."
)
