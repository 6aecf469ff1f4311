"""The till's side of CONCERT V3 over TCP: one connection, one request, one reply.

Permitted repeats on the wire: none. There is no abort: the customer presses the red key (OCA).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import Enum, auto
from typing import Any

from ..currency import NUMERIC
from ..machine import (
    Close,
    Effect,
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
from ..scrub import scrub
from ..states import MONEY_KINDS, Kind, State
from .options import Options
from .tables import CUSTOMER_TICKET, EXCHANGES
from .tlv import Reader, build
from .verdict import doubt, judge

MAX_AMOUNT = 10**12 - 1  # CB has 12 digits at most


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
        self._phase, self._kind = Phase.CONNECTING, request.kind
        return [Open(), StartTimer("connect", self._options.connect_timeout)]

    def connected(self) -> list[Effect]:
        if self._phase is not Phase.CONNECTING:
            return []
        self._phase, self._may_have_left = Phase.ASKED, True
        limit = min(self._options.answer_timeout, EXCHANGES[self._kind].longest or math.inf)
        money = self._kind in MONEY_KINDS
        return [
            StopTimer("connect"),
            Persist(State.SENT),
            Send(build(self._asked) + (b"\r\n" if self._options.crlf else b"")),
            StartTimer("answer", limit),
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
        if self._phase is Phase.ASKED:  # the intent is not durable, so its Send was never released
            self._phase, self._may_have_left = Phase.OVER, False
            text = "The journal cannot be written, so nothing was sent."
            return [Result(Outcome(State.FAILED, "journal_unavailable", text)), Close()]
        told: list[Effect] = [Result(self._outcome), Close()]
        # Nobody is told a terminal's answer that the journal does not hold: the runner tries again.
        return [Persist(self._outcome.state, self._outcome), *told] if self._may_have_left else told

    def resume(self, record: Mapping[str, Any]) -> list[Effect]:
        """Take over a journalled transaction after a restart. `record` has its `kind` and `state`."""
        self._kind = Kind(record["kind"])
        if State(record["state"]) is State.REQUESTED:
            text = "The driver was restarted before anything was sent."
            return self._end(Outcome(State.FAILED, "driver_restarted", text))
        self._may_have_left = True
        return self._end(doubt(self._kind, "driver_restarted"))

    @property
    def _complete(self) -> bool:
        """The end of a reply: a whole number of fields, the result among them (OCA)."""
        return self._reply.whole and "AE" in self._reply.fields

    def _judge(self) -> list[Effect]:
        return self._end(judge(self._kind, self._asked, self._reply.fields), "answer", "drain")

    def _doubt(self, code: str) -> list[Effect]:
        return self._end(doubt(self._kind, code, self._reply.fields), "answer", "drain")

    def _not_sent(self, code: str, text: str, reason: str = "") -> list[Effect]:
        details = {"reason": scrub(reason)} if reason else {}
        return self._end(Outcome(State.FAILED, code, text, details=details), "connect")

    def _end(self, outcome: Outcome, *timers: str) -> list[Effect]:
        self._phase, self._outcome = Phase.OVER, outcome
        return [*map(StopTimer, timers), Persist(outcome.state, outcome), Result(outcome), Close()]


_UNREACHABLE = "The terminal cannot be reached. Check that it is switched on, and its network address."


def request_fields(request: Request, options: Options) -> dict[str, str]:
    """Return the fields that say a request in CONCERT V3; raise `InvalidRequest` where it cannot be said."""
    if request.kind not in EXCHANGES:
        raise InvalidRequest(f"CONCERT V3 has no {request.kind} here.", code="bad_kind")
    values = {"CZ": options.version, "CJ": options.ipc, "CA": options.register_number}
    exchange = EXCHANGES[request.kind]
    values["CD"] = exchange.action
    if request.kind in MONEY_KINDS:
        if type(request.amount) is not int or not 0 < request.amount <= MAX_AMOUNT:
            raise InvalidRequest("The amount must be above zero and have 12 digits at most.", code="bad_amount")
        if request.currency not in NUMERIC:
            raise InvalidRequest(f"Currency {request.currency or '(none)'} is not known.", code="bad_currency")
        values |= {"CB": f"{request.amount:02d}", "CE": NUMERIC[request.currency]}  # two digits at least (AK, OCA)
        if options.tickets:
            values["CK"] = CUSTOMER_TICKET
    return {tag: values[tag] for tag in (*exchange.request, "CK") if tag in values}
