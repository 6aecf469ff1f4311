"""Runs one machine on one link: carries out its effects in order and feeds it what happens.

Everything but the waiting is synchronous: an answer of the terminal is journalled, acknowledged and shown within the
call that brought its bytes.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from .journal import Journal, NotRecorded
from .protocols.machine import (
    Acknowledge,
    Close,
    Effect,
    Evidence,
    Heard,
    Machine,
    Open,
    Outcome,
    Persist,
    Progress,
    Result,
    Send,
    StartTimer,
    StopTimer,
)
from .protocols.recovery import Last
from .protocols.states import ENDED, JOURNALLED_KINDS, MONEY_KINDS, State
from .timers import Timers
from .transaction import Transaction
from .transports import Listener, Transport

_log = logging.getLogger(__name__)

#: Seconds between two attempts to store an answer that the disk does not take.
RETRY_SECONDS = 1.0

FAULT_BEFORE = Outcome(State.FAILED, "driver_fault", "The driver failed before anything was sent. Nothing was charged.")
FAULT_AFTER = Outcome(
    State.UNKNOWN,
    "driver_fault",
    "The driver failed after the request was sent. Do not take the card again: look at the terminal's slip.",
)
FAULT_WHILE = Outcome(
    State.FAILED,
    "driver_fault",
    "The driver failed after the request was sent. It may have been done all the same: look at the terminal's slip.",
)


#: Something that happened, as the machine is told of it.
_Tell = Callable[[Machine], list[Effect]]


class Dialog(Listener):
    """One dialog: a machine (None: what `begin` is given is all there is), its transaction, its link and its timers.

    `sent` says whether bytes may have left (law 2). `answered` is true once the result is out, `over` once the link is
    let go as well; `on_over` is then called, once.

    With `may_ask` an answer that is lost is not journalled as `unknown`: it stays in `doubt`, for a question to follow.
    `doubt` is also what an earlier dialog left, said again when the question brought nothing. `on_heard` gets what the
    terminal says about another transaction.
    """

    def __init__(
        self,
        machine: Machine | None,
        transaction: Transaction,
        journal: Journal,
        transport_for: Callable[[Listener], Transport],
        connect_timeout: float,
        on_over: Callable[[Dialog], None],
        *,
        on_heard: Callable[[Last], None] = lambda last: None,
        may_ask: bool = False,
        doubt: Outcome | None = None,
    ) -> None:
        self.transaction = transaction
        self.sent = False
        self.answered = False
        self.over = False
        self.link_reason = ""
        self.heard = False
        self.since = asyncio.get_running_loop().time()  # when the request left, once it has
        self._machine = machine
        self._journal = journal
        self._transport = transport_for(self)
        self._connect_timeout = connect_timeout
        self._on_over = on_over
        self._on_heard = on_heard
        self.may_ask = may_ask
        self.doubt = doubt
        self._unsure = False
        self._is_kept = transaction.kind in JOURNALLED_KINDS
        self._linked = False
        self._stored: Outcome | None = None
        self._timers = Timers(lambda name: self._input(lambda machine: machine.timer(name)))
        self._effects: deque[Effect] = deque()
        self._running = False
        self._retry: asyncio.TimerHandle | None = None
        self._told = False
        self._waiting: deque[_Tell] = deque()

    def begin(self, effects: Iterable[Effect]) -> None:
        """Carry out the first effects."""
        self._run(effects)

    def resumed(self, effects: Iterable[Effect]) -> None:
        """Carry out the first effects of a dialog whose request may have left before the driver was stopped."""
        self.sent = True
        self._run(effects)

    def cancel(self) -> bool:
        """Ask the machine to give up; return whether it does anything about it."""
        if self.answered or self._retry is not None:
            return False
        return self._input(lambda machine: machine.cancel())

    def abandon(self) -> None:
        """Stop without an end (the driver stops): the next start recovers what is open."""
        self.over = True
        self._stop()

    # -- what happens on the link

    def on_connected(self) -> None:
        self._linked = True
        self.link_reason = ""
        self._input(lambda machine: machine.connected())

    def on_data(self, data: bytes) -> None:
        self.heard = True
        self._input(lambda machine: machine.receive(data))

    def on_lost(self, reason: str) -> None:
        self._linked = False
        self.link_reason = reason
        if self._retry is None:
            self._input(lambda machine: machine.lost(reason))
        elif instead := self._answer(lambda machine: machine.lost(reason)):
            self._effects = deque(instead)  # what waits for the disk: not acknowledged, it may have been taken back
        self._end_if_done()

    # -- machine in, effects out

    def _input(self, tell: _Tell) -> bool:
        """Feed the machine; return whether it answered with anything to do."""
        if self.over:
            return False
        if self._retry is not None:
            self._waiting.append(tell)
            return False
        effects = self._answer(tell)
        self._run(effects)
        return bool(effects)

    def _answer(self, tell: _Tell) -> list[Effect]:
        try:
            return tell(self._machine) if self._machine is not None else []
        except Exception as error:  # noqa: BLE001 - a fault of the machine must not cost the customer's money
            return self._fault(error)

    def _run(self, effects: Iterable[Effect]) -> None:
        self._effects.extend(effects)
        if self._running:
            return
        self._running = True
        try:
            while self._effects and self._retry is None:
                self._carry_out(self._effects.popleft())
        finally:
            self._running = False
        self._end_if_done()

    def _carry_out(self, effect: Effect) -> None:
        try:
            self._ACTIONS[type(effect)](self, effect)
        except NotRecorded as error:
            self._not_durable(effect, error)
        except Exception as error:  # noqa: BLE001 - the same
            self._effects.clear()
            self._effects.extend(self._fault(error))

    def _not_durable(self, effect: Effect, error: NotRecorded) -> None:
        """Let nothing out that followed. The machine says what takes its place; an answer is tried until it is durable.

        An intent to send is given up: its bytes never left.
        """
        self._effects.appendleft(effect)
        if self._machine is not None and isinstance(effect, Persist) and not self._told:
            self._told = True  # once: what it answers is what is tried from now on
            instead = self._answer(lambda machine: machine.persist_failed())
            if instead or effect.state is State.SENT:
                self._effects = deque(instead)
            if effect.state is State.SENT:
                return
        _log.error("transaction %s: %s Trying again until it is stored.", self.transaction.uuid, error)
        self.transaction.waits_for_disk(self.sent)
        self._retry = asyncio.get_running_loop().call_later(RETRY_SECONDS, self._again)

    def _again(self) -> None:
        self._retry = None
        self._run(())
        while self._waiting and self._retry is None:
            self._input(self._waiting.popleft())

    def _fault(self, error: Exception | None) -> list[Effect]:
        """End a dialog whose machine (or runner) broke, or came to no end (None).

        The error's message may hold card data, so only the place is logged.
        """
        if error is None:
            what, where = "no end", type(self._machine).__name__
        else:
            place = traceback.extract_tb(error.__traceback__)[-1]
            what, where = type(error).__name__, f"{place.filename}:{place.lineno}"
        _log.error("transaction %s: %s at %s", self.transaction.uuid, what, where)
        self._machine = None
        self._timers.clear()
        money = self.transaction.kind in MONEY_KINDS
        return [Result((FAULT_AFTER if money else FAULT_WHILE) if self.sent else FAULT_BEFORE), Close()]

    # -- the effects

    def _open(self, effect: Open) -> None:
        self._linked = True  # until it is lost or let go
        self._transport.open(self._connect_timeout)

    def _persist(self, effect: Persist) -> None:
        transaction = self.transaction
        if self._is_kept and effect.state is State.UNKNOWN:
            self._doubted(effect.outcome)
        elif self._is_kept and effect.state is State.SENT and effect.outcome is not None:
            transaction.journalled(self._journal.heard(transaction.uuid, effect.outcome))
        elif self._is_kept:
            transaction.journalled(self._journal.record(transaction.uuid, effect.state, effect.outcome))
            self._stored = effect.outcome
        else:
            transaction.state = effect.state
        self._told = False
        if effect.state is State.SENT:
            self.sent = True

    def _doubted(self, outcome: Outcome | None) -> None:
        """Keep a doubt, or journal it once there is nothing more to ask."""
        self._unsure = True
        transaction, self.doubt = self.transaction, self.doubt or outcome
        self._stored = outcome
        known = transaction.record is not None and transaction.record.state is State.UNKNOWN
        if not (self.may_ask or known):
            transaction.journalled(self._journal.record(transaction.uuid, State.UNKNOWN, self.doubt))

    def _evidence(self, effect: Evidence) -> None:
        transaction = self.transaction
        if effect != transaction.evidence:
            transaction.journalled(self._journal.evidence(transaction.uuid, effect.outcome, effect.matches))
            transaction.evidence = effect

    def _heard(self, effect: Heard) -> None:
        self._on_heard(effect.last)

    def _send(self, effect: Send) -> None:
        if self._is_kept and not self.sent:
            raise AssertionError("a request may leave only once it is journalled as sent")
        self.since = asyncio.get_running_loop().time()
        try:
            self._transport.write(effect.data)
        except ConnectionError:
            self._transport.close()
            rest, self._effects = self._effects, deque()
            self.on_lost("closed")
            self._effects = self._effects or rest  # a machine that is over has said its end already

    def _start_timer(self, effect: StartTimer) -> None:
        self._timers.start(effect.name, effect.seconds)

    def _stop_timer(self, effect: StopTimer) -> None:
        self._timers.stop(effect.name)

    def _progress(self, effect: Progress) -> None:
        self.transaction.shown(effect)

    def _result(self, effect: Result) -> None:
        """Show the end, as the journal holds it: what it does not hold yet is stored first."""
        outcome, record = effect.outcome, self.transaction.record
        # The runner's own word (no machine) never contradicts what the terminal's has already ended.
        settled = self._machine is None and record is not None and record.state in ENDED
        if self.may_ask and outcome.state is State.UNKNOWN and not settled:
            self.doubt = self.doubt or outcome  # nobody is told before the terminal has been asked
        elif record is None:
            self.transaction.finished(outcome.state, outcome)
        else:
            if not (settled or outcome == self._stored or record.state is outcome.state):
                told = self.doubt or outcome if outcome.state is State.UNKNOWN else outcome
                self.transaction.journalled(self._journal.record(record.uuid, outcome.state, told))
            self.transaction.finished(self.transaction.state, self.transaction.outcome)
        self.answered = True

    def _acknowledge(self, effect: Acknowledge) -> None:
        self._transport.acknowledge()

    def _close(self, effect: Close) -> None:
        self._linked = False
        if self._unsure:
            self._transport.abort()  # a request that has not left yet would come after what the terminal is asked
        else:
            self._transport.close()

    _ACTIONS: ClassVar[dict[type, Callable[[Dialog, Any], None]]] = {
        Open: _open,
        Persist: _persist,
        Send: _send,
        StartTimer: _start_timer,
        StopTimer: _stop_timer,
        Progress: _progress,
        Evidence: _evidence,
        Heard: _heard,
        Acknowledge: _acknowledge,
        Result: _result,
        Close: _close,
    }

    # -- the end

    def _end_if_done(self) -> None:
        idle = not (self._linked or self._effects or self._timers or self._running)
        if idle and not self.answered and self._retry is None and self._machine is not None:
            self._run(self._fault(None))  # it will never hear anything again: the terminal must not stay held for it
            return
        if self.answered and not self._linked and not self._effects and not self.over:
            self.over = True
            self._stop()
            self._on_over(self)

    def _stop(self) -> None:
        self._timers.clear()
        if self._retry is not None:
            self._retry.cancel()
        self._transport.close()
