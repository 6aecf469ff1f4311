"""One payment terminal: who may talk to it, and what is under way on it.

terminal = Terminal(id, name, info, {"kind": "tcp", "host": …, "port": …}, options, journal)
await terminal.recover()                      # once, before the first sale
transaction = await terminal.start(body)
await transaction.changed(after=transaction.rev, seconds=25)
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import uuid4

from .asking import Questions, left_open
from .clock import Clock, iso
from .dialog import Dialog
from .identity import Identity
from .journal import Journal, KnownTransaction, NotRecorded, Record
from .keep_alive import YIELD_SECONDS, KeepAlive
from .line import Line
from .protocols.info import ProtocolInfo
from .protocols.machine import Close, Effect, InvalidRequest, Machine, Outcome, Result
from .protocols.states import JOURNALLED_KINDS, MONEY_KINDS, Kind, State
from .refusals import NO_ABORT, OVER, CannotCancel, NotSupported, TerminalBusy
from .request import not_after, request_of
from .transaction import Transaction
from .transports import REASONS, TRANSPORTS, Listener, Transport

#: Seconds a new request waits for the last dialog to let go of the link after its result.
HANGING_UP = 2.0
#: Seconds after a dialog's end at which the journal is tidied: the till has its answer by then.
QUIET = 0.01
#: How many of the latest transactions stay in memory; older ones are rebuilt from the journal.
REMEMBERED = 200

EXPIRED = Outcome(
    State.FAILED, "expired", "The request reached the driver too late, so nothing was sent. Press Card again."
)


class Terminal:
    """A configured terminal.

    `transport` is ``{"kind": "tcp", "host": str, "port": int}``; `options` are the protocol's own. `exclusive` says
    that no other till and no person works it without this driver, `pinned` who it should say it is. `questions` are the
    seconds before each question about a lost answer, where the protocol's own do not fit.

    Raises `InvalidRequest` for options that the protocol does not know or take.
    """

    def __init__(
        self,
        id: str,  # noqa: A002 - what everybody calls it
        name: str,
        info: ProtocolInfo,
        transport: Mapping[str, Any],
        options: Mapping[str, Any],
        journal: Journal,
        *,
        clock: Clock | None = None,
        exclusive: bool = False,
        pinned: Mapping[str, str] | None = None,
        questions: Iterable[float] | None = None,
    ) -> None:
        info.machine(options)  # says now, not at the first sale, what is wrong with them
        self.id = id
        self.name = name
        self.info = info
        self.able = info.able(options)
        self.transport = dict(transport)
        self.options = dict(options)
        self._settings = {**info.defaults, **options}
        self._journal = journal
        self._clock = clock or Clock()
        self._dialog: Dialog | None = None
        self._free = asyncio.Event()
        self._since = ""
        self._to_recover: list[Record] = []
        self._remembered: OrderedDict[str, Transaction] = OrderedDict()
        self._link = "unused"
        self._last_seen = ""
        self._identity = Identity(id, journal, pinned or {})
        self._questions = Questions(self, journal, self._clock, exclusive=exclusive, pauses=questions)
        self._quiet: asyncio.TimerHandle | None = None
        self._coming = 0  # requests that are about to begin
        self._keep_alive = KeepAlive(float(self.option("keep_alive", 0)), self._resting, self._ask_to_keep_alive)
        self._line = self._line_of(info)

    @property
    def idle(self) -> bool:
        """Whether no dialog is under way."""
        return self._dialog is None

    def option(self, name: str, otherwise: Any) -> Any:
        """Return an option's value, its default where it is not set, `otherwise` where the protocol has none."""
        return self._settings.get(name, otherwise)

    def live(self, uuid: str) -> Transaction | None:
        """Return one of the latest transactions, as tills that wait for it hold it."""
        return self._remembered.get(uuid)

    # -- what tills ask

    @property
    def holder(self) -> dict[str, str] | None:
        """Who holds the terminal, ``{till, operator, uuid, since}``, or None when it is free."""
        holding: Transaction | Record | None
        if holding := self._holding:
            since = self._since
        elif holding := self._questions.still_at_work:
            since = holding.requested_at
        else:
            return None
        till, operator = (str(holding.body.get(name) or "") for name in ("till", "operator"))
        return {"till": till, "operator": operator, "uuid": holding.uuid, "since": since}

    @property
    def _holding(self) -> Transaction | None:
        if self._dialog is not None and not self._keep_alive.under_way:
            return self._dialog.transaction
        return self._questions.holding

    def describe(self) -> dict[str, Any]:
        """Return it as `GET /v1/terminals/{id}` says it.

        `link` is ``{state, text}``: ``unused``, ``in_use``, ``free`` (the last dialog had a link) or a key of
        `transports.REASONS`; `last_seen` the time of the last bytes heard; `identity` what the terminal said of itself,
        `notice` a sentence for the till when that is not what is pinned.
        """
        state = "in_use" if self._holding else self._link
        return {
            "id": self.id,
            "name": self.name,
            "protocol": self.info.name,
            "transport": self.transport,
            "options": self.info.shown(self._settings),
            "capabilities": {
                "kinds": sorted(kind.value for kind in self.able.kinds),
                "means": list(self.able.means),
                "e_receipts": self.able.e_receipts,
                "forced": self.able.forced,
                "can_cancel": self.info.can_cancel,
                "max_amount": self.info.max_amount,
                "can_be_asked": self._questions.possible,
            },
            "link": {"state": state, "text": REASONS.get(state, "")},
            "holder": self.holder,
            "last_seen": self._last_seen or None,
            "identity": self._identity.told,
            "notice": self._identity.notice,
        }

    async def start(self, body: Mapping[str, Any], check: Callable[[], None] | None = None) -> Transaction:
        """Journal a request (`body`: `uuid` and the members of PUT) and begin its dialog.

        Returns at once; a body whose `not_after` has passed ends as `failed` with nothing sent. `check` is called right
        before the request is journalled, with nothing awaited in between, and refuses by raising.
        Raises, with nothing sent and nothing journalled: `TerminalBusy`, `InvalidRequest`, `NotSupported`,
        `KnownTransaction` (ask `transaction(uuid)` what became of it), `JournalUnavailable`.
        """
        uuid = str(body["uuid"])
        kind = self._supported(str(body["kind"]))
        if kind not in JOURNALLED_KINDS:
            raise NotSupported(f"{kind} is not journalled: ask for it by its own address.")
        expires = not_after(body)
        if known := self._journal.get(uuid):
            raise KnownTransaction(known)
        self._coming += 1
        try:
            await self._hung_up()
            self._refuse_if_held()
            await self._questions.first()
        finally:
            self._coming -= 1
        if known := self._journal.get(uuid):  # the same press came twice, and the other one did not wait
            raise KnownTransaction(known)
        self._refuse_if_held()
        machine, effects = self._prepared(body)
        if check is not None:
            check()
        record = self._journal.intend({**body, "terminal": self.id})
        if self._clock.steady_now() > expires:
            effects = [Result(EXPIRED), Close()]
        elif kind is not Kind.REPRINT:
            self._questions.stop()  # what the terminal did last is now this one
        may_ask = self._questions.wanted and kind in MONEY_KINDS
        return self.begin(machine, Transaction(uuid, record.body, record), effects, may_ask=may_ask)

    async def ask(self, body: Mapping[str, Any]) -> Transaction:
        """Ask the terminal something of `ASKED_KINDS`, of which nothing is journalled. Raises as `start` does."""
        self._supported(str(body["kind"]))
        if known := self._remembered.get(body["uuid"]):
            return known
        await self._hung_up()
        self._refuse_if_held()
        machine, effects = self._prepared(body)
        return self.begin(machine, Transaction(str(body["uuid"]), {**body, "terminal": self.id}), effects)

    async def identify(self, uuid: str, *, till: str = "", operator: str = "") -> Transaction:
        """Ask the terminal who it is."""
        return await self.ask({"uuid": uuid, "kind": Kind.IDENTIFY.value, "till": till, "operator": operator})

    def transaction(self, uuid: str) -> Transaction | None:
        """Return a transaction of this terminal: the live one, or rebuilt from the journal."""
        live = self._remembered.get(uuid)
        if live is not None and not live.ended:
            return live
        record = self._journal.get(uuid)  # Odoo's word may have settled it since
        if record is None or record.terminal != self.id:
            return live
        if live is not None and live.record == record:
            return live
        return Transaction(uuid, record.body, record)

    async def cancel(self, uuid: str) -> Transaction:
        """Ask the terminal to give up. Raises `CannotCancel` where the protocol has no abort or it is over already."""
        dialog = self._dialog
        if dialog is None or dialog.transaction.uuid != uuid or dialog.answered:
            raise CannotCancel(OVER)
        if not self.info.can_cancel or not dialog.cancel():
            raise CannotCancel(NO_ABORT)
        return dialog.transaction

    # -- what the service does

    async def recover(self) -> None:
        """Take up what a stopped driver left open, before the first sale: what had not left is failed.

        The terminal is asked about its last request, where it can be, and held until then; others are unknown.
        """
        if self._line is not None:
            self._line.listen()
        records = self._journal.open_on(self.id)
        self._to_recover = sorted(records, key=lambda record: record.state is not State.REQUESTED)
        self._recover_next()
        self._keep_alive.rest_from_now()

    def asked_about(self, uuid: str) -> None:
        """A till asks what became of a transaction: ask the terminal, if it is idle and can tell."""
        if self.idle and not self._holding:
            self._questions.for_till(uuid)

    async def close(self) -> None:
        """Stop: let the link go. A dialog under way is recovered by the next start of the driver."""
        self._to_recover = []
        self._still_busy()
        self._questions.stop()
        self._keep_alive.stop()
        if self._dialog is not None:
            self._dialog.abandon()
            self._dialog = None
        if self._line is not None:
            self._line.close()

    # -- inside

    def _supported(self, name: str) -> Kind:
        if name not in self.able.kinds:
            raise NotSupported(f"Terminal {self.name} ({self.info.name}) has no {name}.")
        return Kind(name)

    async def _hung_up(self) -> None:
        """Wait while a dialog that has its result, or that only keeps the terminal awake, lets go of the link."""
        if self._dialog is not None and (self._dialog.answered or self._keep_alive.under_way):
            await self.let_go(YIELD_SECONDS if self._keep_alive.under_way else HANGING_UP)
        if self._dialog is not None and self._keep_alive.under_way:
            self._dialog.abandon()
            self._over(self._dialog)

    def _resting(self) -> bool:
        """Whether nobody uses the terminal, or is about to, or asks about a lost answer."""
        return self.idle and not self._coming and self.holder is None and not self._to_recover

    def _ask_to_keep_alive(self) -> None:
        """Ask the terminal who it is, for no till: nobody sees it, and nothing of it is kept."""
        body = {"uuid": str(uuid4()), "terminal": self.id, "kind": Kind.IDENTIFY.value, "till": "", "operator": ""}
        machine, effects = self._prepared(body)
        self.begin(machine, Transaction(body["uuid"], body), effects)
        self._remembered.pop(body["uuid"], None)

    async def let_go(self, seconds: float) -> None:
        """Wait until no dialog is under way, `seconds` at most."""
        deadline = asyncio.get_running_loop().time() + seconds
        while self._dialog is not None:
            self._free.clear()
            try:
                async with asyncio.timeout_at(deadline):
                    await self._free.wait()
            except TimeoutError:
                return

    def _refuse_if_held(self) -> None:
        if (holder := self.holder) is not None:
            raise TerminalBusy(holder)

    def _prepared(self, body: Mapping[str, Any]) -> tuple[Machine, list[Effect]]:
        """Return a machine and its first effects; a request it cannot say is refused before it is journalled."""
        machine = self.info.machine(self.options)
        effects = machine.start(request_of(body, self._journal))
        for effect in effects:
            if isinstance(effect, Result):
                raise InvalidRequest(effect.outcome.text, code=effect.outcome.code)
        return machine, effects

    def begin(
        self,
        machine: Machine | None,
        transaction: Transaction,
        effects: Iterable[Effect],
        *,
        resumed: bool = False,
        may_ask: bool = False,
        doubt: Outcome | None = None,
    ) -> Transaction:
        """Begin a dialog: a payment's, or a question about one."""
        timeout = float(self.option("connect_timeout", 5))
        dialog = Dialog(
            machine,
            transaction,
            self._journal,
            self._transport,
            timeout,
            self._over,
            on_heard=self._questions.heard,
            may_ask=may_ask,
            doubt=doubt,
        )
        self._remembered[transaction.uuid] = transaction
        while len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)
        self._dialog, self._since = dialog, iso(self._clock.now())
        self._still_busy()
        (dialog.resumed if resumed else dialog.begin)(effects)
        return transaction

    def _still_busy(self) -> None:
        if self._quiet is not None:
            self._quiet.cancel()
            self._quiet = None

    def _transport(self, listener: Listener) -> Transport:
        return self._line.for_dialog(listener) if self._line else self._wire(listener)

    def _wire(self, listener: Listener) -> Transport:
        return TRANSPORTS[self.transport["kind"]](self.transport, listener)

    def _line_of(self, info: ProtocolInfo) -> Line | None:
        if info.link is None:
            return None
        stays = self.transport["kind"] == "serial"  # a network terminal takes a connection for each exchange
        return Line(self._wire, info.link(self.options), self._overheard, stays=stays)

    def _overheard(self, message: bytes) -> bool:
        """Take what the terminal says on its own; return whether it is safe."""
        if self.info.overheard is None:
            return True
        uuids = [record.uuid for record in self._questions.could_be_heard()]
        try:
            if last := self.info.overheard(self.options, message, uuids):
                self._questions.overheard(last)
        except NotRecorded:
            return False
        return True

    def _over(self, dialog: Dialog) -> None:
        self._link = "free" if dialog.heard else dialog.link_reason or self._link
        if dialog.heard:
            self._last_seen = iso(self._clock.now())
        self._dialog = None
        self._keep_alive.rest_from_now()
        self._learn(dialog.transaction)
        self._questions.go_on(dialog)
        self._free.set()
        if self._to_recover and self._holding is None:
            self._recover_next()
        elif self._holding is None:
            self._quiet = asyncio.get_running_loop().call_later(QUIET, self._journal.tidy)

    def _learn(self, transaction: Transaction) -> None:
        if transaction.outcome is not None:
            self._identity.learn(transaction.kind, transaction.outcome)

    def _recover_next(self) -> None:
        while self._to_recover and self._holding is None:
            record = self._to_recover.pop(0)
            transaction = Transaction(record.uuid, record.body, record)
            if record.state is State.REQUESTED:
                self.begin(None, transaction, [Result(left_open(record)), Close()])
            elif self._questions.can_tell(record):
                self._questions.take_up(transaction, record)
            elif record.state is State.SENT:
                self.begin(None, transaction, [Result(left_open(record)), Close()], resumed=True)
