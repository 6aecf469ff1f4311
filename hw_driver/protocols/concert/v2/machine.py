"""The till's side of CONCERT V2: one dialog, over a line that carries whole messages.

Permitted repeats of a request: none here; the line below repeats a frame only after an explicit NAK of it. There is no
abort (the customer presses the red key) and nothing a machine can ask after an answer was lost (concert.md 1.5, 1.9).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import Enum, auto
from typing import Any

from ...currency import NUMERIC
from ...machine import (
    Acknowledge,
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
from ...recovery import Lost
from ...states import State
from .. import means
from ..line.words import NO_LINE, NOT_OPENED, NOT_TAKEN
from ..request import refuse_unsayable
from .messages import Fields, build, parse_reply
from .options import Options
from .tables import OPERATIONS
from .verdict import doubt, is_for, judge

MAX_AMOUNT = 10**8 - 1  # eight positions


class Phase(Enum):
    """Where the dialog stands."""

    NEW = auto()
    OPENING = auto()
    ASKED = auto()
    OVER = auto()


class ConcertV2:
    """One dialog. `options` are those of docs/api.md; raises `InvalidRequest` for one that is wrong."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = Options.of(options)
        self._phase = Phase.NEW
        self._asked: Fields = {}
        self._outcome = Outcome(State.FAILED)

    def start(self, request: Request) -> list[Effect]:
        if self._phase is not Phase.NEW:
            raise ValueError("a machine is one dialog: make another")
        try:
            self._asked = request_fields(request, self._options)
        except InvalidRequest as error:
            return self._end(Outcome(State.FAILED, error.code, str(error)))
        self._phase = Phase.OPENING
        return [
            Open(),
            StartTimer("connect", self._options.connect_timeout),
            Progress("waiting_for_terminal", "Calling the terminal."),
        ]

    def connected(self) -> list[Effect]:
        if self._phase is not Phase.OPENING:
            return []
        self._phase = Phase.ASKED
        limit = self._options.answer_timeout
        return [
            StopTimer("connect"),
            Persist(State.SENT),
            Send(build("request", self._asked)),
            StartTimer("answer", limit),
            Progress("waiting_for_card", "Waiting for the customer's card.", math.ceil(limit)),
        ]

    def receive(self, data: bytes) -> list[Effect]:
        """Take one whole message."""
        if self._phase is not Phase.ASKED:
            return [Acknowledge()]
        try:
            _, reply = parse_reply(data)
        except MalformedMessage:
            return self._end(doubt("reply_malformed"), "answer", heard=True)
        if not is_for(self._asked, reply, self._options):
            return [Acknowledge()]  # the late answer of another request; ours is still to come
        return self._end(judge(self._asked, reply), "answer", heard=True)

    def timer(self, name: str) -> list[Effect]:
        if self._phase is Phase.OPENING and name == "connect":
            return self._not_taken("line_silent", "connect")
        return self._end(doubt("no_answer")) if self._phase is Phase.ASKED and name == "answer" else []

    def lost(self, reason: str) -> list[Effect]:
        if self._phase is Phase.OPENING:
            return self._not_taken(reason, "connect")
        if self._phase is not Phase.ASKED:
            return []
        return self._not_taken(reason, "answer") if reason in NOT_TAKEN else self._end(doubt("link_lost"), "answer")

    def cancel(self) -> list[Effect]:
        text = "This terminal cannot be stopped from the till. Ask the customer to press the red key."
        return [] if self._phase is Phase.OVER else [Progress("cannot_cancel", text)]

    def persist_failed(self) -> list[Effect]:
        if self._phase is Phase.ASKED:  # the intent is not durable, so its frame was never released
            self._phase = Phase.OVER
            text = "The journal cannot be written, so nothing was sent."
            return [StopTimer("answer"), Result(Outcome(State.FAILED, "journal_unavailable", text)), Close()]
        return []  # an answer: what waits (its Persist, the acknowledgement, the result) is tried again as it is

    def resume(self, record: Mapping[str, Any], lost: Lost | None = None) -> list[Effect]:
        """Take over a journalled transaction after a restart; `lost` changes nothing: there is nobody to ask."""
        if State(record["state"]) is State.REQUESTED:
            text = "The driver was restarted before anything was sent."
            return self._end(Outcome(State.FAILED, "driver_restarted", text))
        return self._end(doubt("driver_restarted"))

    def _not_taken(self, reason: str, timer: str) -> list[Effect]:
        code, text = NOT_OPENED.get(reason, NO_LINE)
        return self._end(Outcome(State.FAILED, code, text), timer)

    def _end(self, outcome: Outcome, *timers: str, heard: bool = False) -> list[Effect]:
        self._phase, self._outcome = Phase.OVER, outcome
        acknowledged: list[Effect] = [Acknowledge()] if heard else []
        return [
            *map(StopTimer, timers),
            Persist(outcome.state, outcome),
            *acknowledged,
            Result(outcome),
            Close(),
        ]


def request_fields(request: Request, options: Options) -> Fields:
    """Return the parts that say a request in CONCERT V2; raise `InvalidRequest` where it cannot be said."""
    if request.kind not in OPERATIONS:
        raise InvalidRequest(f"CONCERT V2 has no {request.kind}.", code="bad_kind")
    if type(request.amount) is not int or not 0 < request.amount <= MAX_AMOUNT:
        raise InvalidRequest("The amount must be above zero and have 8 digits at most.", code="bad_amount")
    if request.currency not in NUMERIC:
        raise InvalidRequest(f"Currency {request.currency or '(none)'} is not known.", code="bad_currency")
    refuse_unsayable(request, means.V2)
    fields = {
        "register": options.register.zfill(2),
        "amount": f"{request.amount:08d}",
        "answer": "1" if options.card else "0",
        "means": means.V2[request.means] or options.means,
        "operation": OPERATIONS[request.kind],
        "currency": NUMERIC[request.currency],
        "private": private_of(request.uuid, options),
    }
    if options.dialect == "E+":
        fields |= {"reply": "0", "authorisation": "1" if options.forced else "0"}
    if options.ticket:
        fields["ticket"] = "2"
    return fields


def _own_number(uuid: str) -> str:
    """Ten digits that name a transaction: two of a till are never alike in practice."""
    return f"{int.from_bytes(uuid.encode()) % (10**10 - 33):010d}"


def private_of(uuid: str, options: Options) -> str:
    """Return what goes out in the private positions with this transaction."""
    return _PRIVATE[options.private](uuid)


_PRIVATE = {"spaces": lambda uuid: " " * 10, "zeros": lambda uuid: "0" * 10, "reference": _own_number}
