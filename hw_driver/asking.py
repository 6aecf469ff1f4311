"""A payment whose answer was lost: when the terminal is asked what became of it, and what is known around it.

First a few questions while the terminal is held, so that no other payment can come between; then it is `unknown`, for a
person, and the terminal is free again. Later questions are put only while nobody uses the terminal.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING

from .clock import Clock, parse
from .dialog import Dialog
from .journal import Journal, Record
from .protocols.machine import Close, Evidence, Outcome, Progress, Result
from .protocols.recovery import NOT_SENT_CODES, Last, Lost, believe
from .protocols.states import ENDED, ENDED_WITHOUT_CHARGE, MONEY_KINDS, Kind, State
from .transaction import Transaction

if TYPE_CHECKING:
    from .terminal import Terminal

#: How often a till that looks at an unknown one makes the driver ask, at most, and the seconds in between.
FOR_TILLS = 5
FOR_TILLS_SECONDS = 30.0

#: Seconds a new payment waits at most for the answer to a last question; asked less long ago, it is not asked again.
BEFORE_NEXT_SECONDS = 3.0

#: Doubts in which nothing was heard: the terminal may still be at work, and say its answer on the line later.
NOTHING_HEARD = frozenset({"driver_restarted", "link_lost"})

ASKING = "The answer was lost. Asking the terminal what became of the payment: do not take the card again."

NOT_SENT = Outcome(State.FAILED, "driver_restarted", "The driver was restarted before anything was sent.")

LEFT_OPEN = Outcome(
    State.UNKNOWN,
    "driver_restarted",
    "The driver was restarted while the terminal was at work. Do not take the card again: look at the terminal's slip.",
)

LEFT_UNDONE = Outcome(
    State.FAILED,
    "driver_restarted",
    "The driver was restarted while the terminal was at work. It may have been done all the same: look at the "
    "terminal's slip. It can be started again.",
)


def left_open(record: Record) -> Outcome:
    """Return what is said of a transaction that a stopped driver left open, where nobody can be asked."""
    if record.state is State.REQUESTED:
        return NOT_SENT
    return LEFT_OPEN if record.kind in MONEY_KINDS else LEFT_UNDONE


class Asking:
    """The questions about one transaction.

    `held` keeps the terminal for it. `doubt` is why it is not known, None for one left by a stopped driver. `since` is
    when its request had left (the loop's time), `pauses` and `later` the seconds before each question to come.
    """

    def __init__(
        self,
        transaction: Transaction,
        doubt: Outcome | None,
        since: float,
        pauses: Iterable[float],
        later: Iterable[float],
        ask: Callable[[Asking], None],
    ) -> None:
        self.transaction = transaction
        self.doubt = doubt
        self.since = since
        self.held = True
        self.pauses = list(pauses)
        self._later = list(later)
        self._ask = ask
        self._timer: asyncio.TimerHandle | None = None
        self._for_tills = FOR_TILLS
        self._asked_at = -math.inf

    def go_on(self) -> None:
        """Wait for the next question; without one left to put while the terminal is held, let it go."""
        self.stop()
        self.held = bool(self.pauses)
        waiting = self.pauses or self._later
        if not waiting:
            return
        left = round(sum(self.pauses))
        if self.held:
            self.transaction.shown(Progress("asking_terminal", ASKING, left))
        self._timer = asyncio.get_running_loop().call_later(waiting.pop(0), self.now)

    def now(self) -> None:
        """Ask."""
        self.stop()
        self._asked_at = asyncio.get_running_loop().time()
        self._ask(self)

    def for_till(self) -> None:
        """Ask because a till wants to know, if it has not been asked just now."""
        if not self.held and self._for_tills and self.quiet >= FOR_TILLS_SECONDS:
            self._for_tills -= 1
            self.now()

    @property
    def quiet(self) -> float:
        """Seconds since it was asked last."""
        return asyncio.get_running_loop().time() - self._asked_at

    def stop(self) -> None:
        """Put no more questions by itself."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Questions:
    """The lost answer of one terminal, if there is one: only its last request can be asked about.

    `pauses` are the seconds before each question while the terminal is held; None: the protocol's own.
    """

    def __init__(
        self,
        terminal: Terminal,
        journal: Journal,
        clock: Clock,
        *,
        exclusive: bool,
        pauses: Iterable[float] | None = None,
    ) -> None:
        recovery = terminal.info.recovery
        self._recovery = recovery if recovery and recovery.supported(terminal.options) else None
        own = self._recovery.pauses if self._recovery else ()
        self._pauses = tuple(own if pauses is None else pauses)
        self._terminal = terminal
        self._journal = journal
        self._clock = clock
        told_apart = terminal.info.overheard is None  # on a line, what comes late belongs to whoever listens then
        self._longest = 0.0 if told_apart else float(terminal.option("answer_timeout", 0))
        self._exclusive = exclusive
        self._asking: Asking | None = None
        self._answered: frozenset[str] = frozenset()  # could be meant by what the terminal last said on its own
        self._left = ("", 0.0)  # the lost one, and when its request had left: known however often the asking begins

    @property
    def possible(self) -> bool:
        """Whether the terminal can be asked what became of a payment."""
        return self._recovery is not None

    @property
    def wanted(self) -> bool:
        """Whether a lost answer is asked for before it is given to a person."""
        return self.possible and bool(self._pauses)

    @property
    def holding(self) -> Transaction | None:
        """The transaction the terminal is held for between two questions."""
        return self._asking.transaction if self._asking and self._asking.held else None

    @property
    def still_at_work(self) -> Record | None:
        """The payment the terminal may still be at, on a line where answers are not told apart.

        Its answer, coming now, would be taken for the next payment's.
        """
        if not self._longest:
            return None
        now = self._clock.now()
        for record in self.could_be_heard():
            silent = record.outcome and record.outcome.code in NOTHING_HEARD and record.uuid not in self._answered
            if silent and 0 <= (now - parse(record.requested_at)).total_seconds() < self._longest:
                return record
        return None

    def can_tell(self, record: Record) -> bool:
        """Whether the terminal's word about its last transaction could be about this one."""
        open_ = record.state in (State.SENT, State.UNKNOWN) and record.kind in MONEY_KINDS
        return self.possible and open_ and may_be_last(self._journal, record)

    def stop(self) -> None:
        """Ask no more."""
        if self._asking is not None:
            self._asking.stop()
            self._asking = None

    def take_up(self, transaction: Transaction, record: Record) -> None:
        """Ask about what a stopped driver left: once now, and on as after any lost answer if nobody was told yet."""
        self._about(transaction, record.outcome, self._pauses[1:] if record.state is State.SENT else ()).now()

    async def first(self) -> None:
        """Before the next request takes its place: ask once more about an unknown one, and wait a little for it."""
        records = [record for record in self.could_be_heard() if self.can_tell(record)] if self.possible else []
        if records and (asking := self._quietly_about(records[-1])).quiet >= BEFORE_NEXT_SECONDS:
            asking.now()
            await self._terminal.let_go(BEFORE_NEXT_SECONDS)

    def for_till(self, uuid: str) -> None:
        """A till looks at a transaction: ask, if it is one to ask about and there was no question just now."""
        record = self._journal.get(uuid)
        if record is not None and self.can_tell(record):
            self._quietly_about(record).for_till()

    def go_on(self, dialog: Dialog) -> None:
        """After a dialog: ask about a lost answer, or stop asking."""
        transaction = dialog.transaction
        if not self.possible or transaction.record is None:
            return
        if transaction.record.state in ENDED:
            self.stop()
            return
        if self._asking is None and self.can_tell(transaction.record):
            if self._left[0] != transaction.uuid:
                self._left = (transaction.uuid, dialog.since)
            self._about(transaction, dialog.doubt, self._pauses if dialog.may_ask else ())
        if self._asking is not None:
            self._asking.go_on()

    def heard(self, last: Last) -> None:
        """The terminal has spoken about an earlier transaction. Raises `NotRecorded`."""
        record = self._journal.get(last.reference)
        if record is None or record.terminal != self._terminal.id or record.state not in (State.UNKNOWN, *ENDED):
            return
        self._believe(record, last, 0)

    def overheard(self, last: Last) -> None:
        """The terminal has spoken on its own: about the transaction it names, else its last one. Raises the same."""
        self._answered = frozenset(record.uuid for record in self.could_be_heard())
        if last.reference:
            self.heard(last)
            return
        for record in self.could_be_heard():
            if self._is_last(record):  # it was not asked for its last one: no more than an approval is proven
                self._believe(record, last, 0)

    def could_be_heard(self) -> list[Record]:
        """Return the transactions whose answer is still to come, as far as anybody knows."""
        records = self._journal.open_on(self._terminal.id)
        return [record for record in records if record.state is State.UNKNOWN and record.kind in MONEY_KINDS]

    def _believe(self, record: Record, last: Last, waited: float) -> None:
        word = believe(self._lost(record, waited), last, math.inf)
        if isinstance(word, Evidence):
            self._journal.evidence(record.uuid, word.outcome, word.matches)
        elif not _says_the_same(record, word):
            self._journal.record(record.uuid, word.state, word)
        after = self._journal.get(record.uuid)
        if after is not None and (live := self._terminal.live(record.uuid)):
            live.journalled(after)
            live.finished(after.state, after.outcome)

    def _quietly_about(self, record: Record) -> Asking:
        """Return the questions about a transaction; new ones do not hold the terminal."""
        asking = self._asking
        if asking is None or asking.transaction.uuid != record.uuid:
            transaction = self._terminal.live(record.uuid) or Transaction(record.uuid, record.body, record)
            asking = self._about(transaction, record.outcome, ())
            asking.held = False
        return asking

    def _about(self, transaction: Transaction, doubt: Outcome | None, pauses: Iterable[float]) -> Asking:
        self.stop()
        later = self._recovery.later if self._recovery else ()
        uuid, left = self._left
        since = left if uuid == transaction.uuid else asyncio.get_running_loop().time()
        self._asking = Asking(transaction, doubt, since, pauses, later, self._ask)
        return self._asking

    def _ask(self, asking: Asking) -> None:
        """Put a question to the terminal: a dialog that sends no request for money."""
        terminal, transaction = self._terminal, asking.transaction
        record = self._journal.get(transaction.uuid)
        if not terminal.idle or record is None or not self.can_tell(record):
            self.stop()
            return
        about = self._lost(record, asyncio.get_running_loop().time() - asking.since)
        machine = terminal.info.machine(terminal.options)
        try:
            effects = machine.resume({**record.body, "uuid": record.uuid, "state": record.state}, about)
        except Exception:  # noqa: BLE001 - a fault here must not keep the driver from starting, nor lose the transaction
            effects = []
        transaction.reopened()
        transaction.shown(Progress("asking_terminal", ASKING))
        effects = effects or [Result(LEFT_OPEN), Close()]
        doubt, more = asking.doubt or LEFT_OPEN, bool(asking.pauses)
        terminal.begin(machine, transaction, effects, resumed=True, may_ask=more, doubt=doubt)

    def _is_last(self, record: Record) -> bool:
        return is_last(self._journal, record, self._recovery.refusals if self._recovery else ())

    def _lost(self, record: Record, waited: float) -> Lost:
        """Return what is known around a transaction whose answer was lost.

        With another request since, only a reference proves anything.
        """
        last = self._is_last(record)
        previous = _previous(self._journal, record) if last else None
        return Lost(
            uuid=record.uuid,
            kind=record.kind,
            amount=int(record.body["amount"]),
            currency=str(record.body["currency"]),
            exclusive=self._exclusive and last,
            previous=previous.outcome if previous else None,
            previous_uuid=previous.uuid if previous else "",
            waited=waited,
            said=record.outcome,
        )


def may_be_last(journal: Journal, record: Record) -> bool:
    """Whether the terminal may still tell of this one: nothing was charged there since, as far as we know."""
    after = journal.after(record.uuid)
    return all(later.state in ENDED_WITHOUT_CHARGE or later.kind is Kind.REPRINT for later in after)


def is_last(journal: Journal, record: Record, refusals: Collection[str] = ()) -> bool:
    """Whether a terminal's last transaction can only be this one or an earlier one: it has begun nothing of ours since.

    `refusals`: as `Recovery` has them.
    """
    without = NOT_SENT_CODES.union(refusals)
    return all(_never_begun(later, without) or later.kind is Kind.REPRINT for later in journal.after(record.uuid))


def _previous(journal: Journal, record: Record) -> Record | None:
    """Return the transaction whose result the terminal would tell if this one had never reached it."""
    for before in journal.before(record.uuid):
        if before.kind not in MONEY_KINDS:
            continue  # a terminal may forget what it has sent off, but takes nothing for its last that was not
        if before.state is State.APPROVED:
            return before
        if before.state not in ENDED_WITHOUT_CHARGE:
            return None
    return None


def _says_the_same(record: Record, word: Outcome) -> bool:
    known = record.outcome.amount_approved if record.outcome else None
    return (record.state, known) == (word.state, word.amount_approved)


def _never_begun(record: Record, codes: Collection[str]) -> bool:
    outcome = record.outcome
    if record.state is State.REQUESTED:
        return True
    return record.state is State.FAILED and outcome is not None and outcome.code in codes
