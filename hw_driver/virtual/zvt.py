"""The terminal's side of ZVT: bytes, keys, cards and time in, effects out. No I/O and no clock of its own.

The cardholder's part is that of every virtual terminal. What makes it keep a payment is a setting, because the
specification contradicts itself: the till's answer to its result (P15 2.2.8), or the approval alone (P15 4).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from ..protocols.zvt import commands as say
from ..protocols.zvt import fields as bmp
from ..protocols.zvt.apdu import Apdu, build
from ..protocols.zvt.messages import Taken, take
from . import zvt_answers as answers
from .cards import CardProfile
from .concert import NOBODY, Book, Effect, HangUp, Write, _Dialog
from .concert_answers import Reason, Request
from .concert_screen import Phase
from .faults import Faults
from .ledger import SETTLED, Card, Entry
from .receipt import euros
from .zvt_answers import Registered
from .zvt_talk import HANG_UP, Master, Say, Then, ZvtSettings

RESULT_SECONDS = 8.0
_ENDED = {"approved": Phase.APPROVED, "declined": Phase.DECLINED, "cancelled": Phase.CANCELLED}
_CODES = {"approved": 0, "declined": answers.DECLINED, "cancelled": answers.ABORTED}
_WITH_CARD = {say.AUTHORISE: "sale", say.REFUND: "refund", say.PREAUTHORISE: "preauth"}
_LAST, _NO_PRINT = 0x01, 0x02


@dataclass(frozen=True, slots=True)
class _Result:
    """How a transaction ended: its entry, what the terminal says of it, its slips."""

    entry: Entry
    status: bytes
    slips: tuple[tuple[str, str], ...]
    asked_by: int


class VirtualZvt(Master):
    """One terminal. `entries` is what its ledger holds already."""

    def __init__(
        self,
        settings: ZvtSettings,
        faults: Faults,
        local_time: Callable[[], datetime] = datetime.now,
        chance: random.Random | None = None,
        entries: Iterable[Entry] = (),
    ) -> None:
        super().__init__(settings, faults, local_time, chance)
        self._done: list[Entry] = []  # what holds, since the last end of day
        self._number = 0  # the last trace
        self._last: _Result | None = None
        for entry in entries:
            if entry.outcome == "approved":
                self._remember(self._result(entry, None, 0))

    # -- commands

    def _asked(self, connection: int, unit: Apdu, now: float) -> list[Effect]:
        """A command: answer it, and be master until it is done."""
        if unit.control == say.ABORT_COMMAND:
            return self._asked_to_give_up(connection, now)
        if self._at_work:
            return [Write(connection, (answers.refused(answers.BUSY),))]
        taken = take(unit.control, unit.data)
        if unit.control in _WITH_CARD:
            return self._begin_payment(connection, _WITH_CARD[unit.control], taken, now)
        action = self._COMMANDS.get(unit.control)
        if action is None:
            return [Write(connection, (answers.refused(answers.UNKNOWN),))]
        said = self._yes(connection)
        action(self, connection, taken)
        return [*said, *self._speak(connection, now)]

    def _yes(self, connection: int) -> list[Effect]:
        data = bmp.one(bmp.TLV, b"") if self.faults.take("data_in_ack") else b""
        return [Write(connection, (build(0x8000, data),))]

    def _asked_to_give_up(self, connection: int, now: float) -> list[Effect]:
        if self._phase not in (Phase.CARD, Phase.PIN) or self._dialog is None:
            return [Write(connection, (answers.refused(answers.UNKNOWN),))]
        return [*self._yes(connection), *self.press("red", now)]

    # -- payments

    def _begin_payment(self, connection: int, kind: str, taken: Taken, now: float) -> list[Effect]:
        amount, currency = taken.value(bmp.AMOUNT).hex(), taken.value(bmp.CURRENCY).hex()[1:] or "978"
        if not amount.isdigit() or not int(amount):
            return [Write(connection, (answers.refused(answers.TOO_SMALL),))]
        if currency not in self.settings.currencies:
            return [Write(connection, (answers.refused(answers.WRONG_CURRENCY),))]
        if self.faults.take("busy"):
            return [Write(connection, (answers.refused(answers.BUSY),))]
        effects = [] if self.faults.take("no_answer") else self._yes(connection)
        if self.faults.take("silent"):
            return effects
        if self.faults.take("locked"):
            self._tell(connection, Say(answers.aborted(answers.DAY_OPEN)))
            return [*effects, *self._speak(connection, now)]
        request = Request({}, kind, int(amount), self.settings.currencies[currency], register="1")
        self._show(_Dialog(connection, connection, request))
        self._doing(connection, answers.INSERT_CARD, "Karte vorhalten oder einstecken")
        effects += self._speak(connection, now)
        if self.faults.take("glued"):
            written = b"".join(b"".join(effect.chunks) for effect in effects if isinstance(effect, Write))
            effects = [Write(connection, (written,))]
        return [*effects, *self._first(now)]

    def _first(self, now: float) -> list[Effect]:
        """Wait for a card, unless a fault decides otherwise."""
        if self.faults.take("abort"):
            return self._end("cancelled", now)
        if nobody := self.faults.take("timeout"):
            return self._enter(Phase.CARD, now, nobody.value or 0)
        return self._wait_for_card(now)

    def _doing(self, connection: int, code: int, text: str) -> None:
        if self._registered(connection).listens:
            self._tell(connection, Say(answers.doing(code, text, minutes=not self.faults.take("no_minutes"))))

    def _authorise(self, now: float) -> list[Effect]:
        effects: list[Effect] = []
        if self._dialog is not None and self._dialog.connection is not None:
            self._doing(self._dialog.connection, answers.PLEASE_WAIT, "Bitte warten")
            effects = self._speak(self._dialog.connection, now)
        return [*effects, *super()._authorise(now)]

    def _end(self, outcome: str, now: float, amount: int = 0, reason: Reason | None = None) -> list[Effect]:
        """Tell how it ended; what makes an approval hold is the till's answer, or nothing more."""
        dialog = self._dialog
        assert dialog is not None
        self._dialog = None
        extras: dict[str, str] = {}
        if outcome == "approved":
            extras, amount = self._extras(dialog.request.kind, amount)
        result = self._result(self._entry(dialog, outcome, amount, **extras), dialog.card, dialog.asked_by)
        self._enter(_ENDED[outcome], now, RESULT_SECONDS)
        self._receipt, self._receipts = result.slips[-1][1], self._receipts + 1
        if outcome == "approved":
            self._amount = euros(amount, dialog.request.currency)
            return self._approved(dialog.connection, result, now)
        effects: list[Effect] = [Book(result.entry, dialog.asked_by)]
        if dialog.connection is not None:
            ending = Say(answers.aborted(_CODES[outcome]))
            self._tell(dialog.connection, Say(result.status), *self._prints(dialog.connection, result.slips), ending)
            effects += self._speak(dialog.connection, now)
        return effects

    def _extras(self, kind: str, amount: int) -> tuple[dict[str, str], int]:
        """What a cardholder adds to a sale: a tip, a signature. Return it and the amount with the tip."""
        extras: dict[str, str] = {}
        if kind == "sale" and (tip := self.faults.take("tip")):
            extras["tip"], amount = str(tip.value or 0), amount + (tip.value or 0)
        if kind == "sale" and self.faults.take("signature"):
            extras["signature"] = "wanted"
        return extras, amount

    def _entry(self, dialog: _Dialog, outcome: str, amount: int, **references: str) -> Entry:
        card, approved = dialog.card, outcome == "approved"
        if approved:
            self._number += 1
            references |= {"receipt": f"{self._number % 10000:04d}", "trace": f"{self._number % 10**6:06d}"}
        brand = answers.SCHEMES[card.name].name if card else ""
        return Entry(
            dialog.request.kind, dialog.request.amount, amount, dialog.request.currency, dialog.request.register,
            self.settings.contract, outcome, Card(brand, card.last4) if card else None,
            f"{self._chance.randrange(10**6):06d}" if approved and card else "", references,
        )  # fmt: skip

    def _result(self, entry: Entry, card: CardProfile | None, asked_by: int) -> _Result:
        numbers = {letters: number for number, letters in self.settings.currencies.items()}
        at = datetime.fromisoformat(entry.at) if entry.at else self._local_time()
        known = answers.Terminal(self.settings.terminal_id, numbers.get(entry.currency, "978"))
        status = answers.status(entry, _CODES[entry.outcome], card, at, known)
        slips = tuple((copy, answers.slip(entry, copy, known)) for copy in ("merchant", "customer"))
        return _Result(entry, status, slips, asked_by)

    def _approved(self, connection: int | None, result: _Result, now: float) -> list[Effect]:
        """The bank has approved: whether it holds."""
        if restart := self.faults.take("restart_after"):
            return [*self._keep(result), *self.power_off(now, restart.value or 0)]
        if self.faults.take("lost"):
            return [*self._keep(result), *self._cut_off(connection, now)]
        if cut := self.faults.take("cut"):
            pieces = [Write(connection, (result.status[: cut.value],))] if connection is not None and cut.value else []
            return [*self._keep(result), *pieces, *self._cut_off(connection, now)]
        if connection is None:
            stays = self.settings.keeps_unacknowledged or result.asked_by == NOBODY  # typed on the terminal itself
            return self._keep(result) if stays else self._drop(result)
        said = result.status
        if self.faults.take("corrupt"):
            said = bytes((said[0] ^ 0x40,)) + said[1:]
        if self.faults.take("unknown_field"):
            said = answers.with_unknown_field(said)
        if self.faults.take("twice"):
            self._tell(connection, Say(said))
        if self.faults.take("paper_out"):
            drop: Then = lambda at: self._drop(result)  # noqa: E731
            self._tell(connection, Say(said, drop, drop, drop), Say(answers.aborted(answers.NO_PAPER)))
            return self._speak(connection, now)
        ending = Say(HANG_UP if self.faults.take("completion_lost") else answers.completion())
        first = self._committing(connection, result, said)
        self._tell(connection, first, *self._prints(connection, result.slips), ending)
        return self._speak(connection, now)

    def _committing(self, connection: int, result: _Result, said: bytes) -> Say:
        """Return the result with what its answer brings, or the lack of one."""
        keep: Then = lambda at: self._keep(result)  # noqa: E731
        drop: Then = lambda at: [*self._drop(result), *self._refused_by_till(connection)]  # noqa: E731
        return Say(said, keep, drop, keep if self.settings.keeps_unacknowledged else drop)

    def _keep(self, result: _Result) -> list[Effect]:
        """The payment holds."""
        self._remember(result)
        return [Book(result.entry, result.asked_by)]

    def _remember(self, result: _Result) -> None:
        entry = result.entry
        if (entry.kind, entry.outcome) == SETTLED:
            self._done.clear()
            return
        self._done.append(entry)
        self._last = result
        self._number = max(self._number, int(entry.references.get("trace", "0")))

    def _drop(self, result: _Result) -> list[Effect]:
        """The payment is taken back: nothing was charged."""
        return [Book(replace(result.entry, outcome="cancelled", amount=0), result.asked_by)]

    def _cut_off(self, connection: int | None, now: float) -> list[Effect]:
        return [] if connection is None else [*self.gone(connection, now), HangUp(connection)]

    def _refused_by_till(self, connection: int) -> list[Effect]:
        """What would have followed is not said; the dialog ends with an abort."""
        if talk := self._talks.get(connection):
            talk.queue.clear()
            talk.queue.append(Say(answers.aborted(answers.ABORTED)))
        return []

    def _prints(self, connection: int, slips: Iterable[tuple[str, str]]) -> list[Say]:
        registered = self._registered(connection)
        if not registered.prints:
            return []
        return [Say(data) for copy, text in slips for data in answers.printed(text, copy, registered)]

    # -- other commands

    def _register(self, connection: int, taken: Taken) -> None:
        self._talks[connection].registered = Registered.of(taken)
        self._tell(connection, Say(answers.registered(self.settings.terminal_id)))

    def _report(self, connection: int, taken: Taken) -> None:
        self._tell(connection, Say(answers.status_report(answers.READY, self.settings.serial)))

    def _repeat(self, connection: int, taken: Taken) -> None:
        """06 20: the last result once more, or its slips, or both."""
        wants = int(taken.value(bmp.SERVICE).hex() or "0", 16)
        if self._last is None or not self.settings.duplicata:
            self._refuse(connection, answers.UNKNOWN)
            return
        told = [Say(self._last.status)] if wants & _LAST else []
        slips = [] if wants & _NO_PRINT else self._prints(connection, self._last.slips)
        self._tell(connection, *told, *slips, Say(answers.completion()))

    def _nothing(self, connection: int, taken: Taken) -> None:
        self._tell(connection, Say(answers.completion()))

    def _no_more(self, connection: int, taken: Taken) -> None:
        """Commands whose answer is all there is (P15 3)."""

    def _take_back(self, connection: int, taken: Taken) -> None:
        """06 30 and 06 25: what was done under a receipt number is taken back, if it was not already."""
        original = self._of_receipt(taken)
        amount = taken.value(bmp.AMOUNT).hex()
        if original is None or original.kind not in ("sale", "preauth") or (amount and int(amount) != original.amount):
            self._refuse(connection, answers.NO_REVERSAL)
        elif self._is_used(original):
            self._refuse(connection, answers.ALREADY_REVERSED)
        else:
            self._again(connection, "reversal" if original.kind == "sale" else "preauth", original, original.amount)

    def _complete(self, connection: int, taken: Taken) -> None:
        """06 24: what is used of an amount that was held."""
        original = self._of_receipt(taken)
        amount = int(taken.value(bmp.AMOUNT).hex() or "0")
        if original is None or original.kind != "preauth" or self._is_used(original):
            self._refuse(connection, answers.NO_PREAUTH)
        elif not 0 < amount <= original.amount:
            self._refuse(connection, answers.WRONG_PREAUTH_AMOUNT)
        else:
            self._again(connection, "sale", original, amount)

    def _is_used(self, original: Entry) -> bool:
        trace = original.references.get("trace")
        return any(entry.references.get("original_trace") == trace for entry in self._done)

    def _of_receipt(self, taken: Taken) -> Entry | None:
        number = taken.value(bmp.RECEIPT).hex()
        return next((entry for entry in reversed(self._done) if entry.references.get("receipt") == number), None)

    def _refuse(self, connection: int, code: int) -> None:
        self._tell(connection, Say(answers.aborted(code)))

    def _again(self, connection: int, kind: str, original: Entry, amount: int) -> None:
        """Do something about an earlier transaction: no card, only the till's answer."""
        dialog = _Dialog(connection, connection, Request({}, kind, amount, original.currency, register="1"))
        entry = self._entry(dialog, "approved", amount, original_trace=original.references["trace"])
        result = self._result(replace(entry, card=original.card), None, connection)
        self._receipt, self._receipts = result.slips[-1][1], self._receipts + 1
        prints = self._prints(connection, result.slips)
        first = self._committing(connection, result, result.status)
        self._tell(connection, first, *prints, Say(answers.completion()))

    def _end_of_day(self, connection: int, taken: Taken) -> None:
        """06 50: the day's sums, and from then on a new day."""
        day = [entry for entry in self._done if entry.kind != "preauth"]
        currency = next(iter(self.settings.currencies.values()))
        entry = Entry("settlement", 0, 0, currency, "1", self.settings.contract, "approved")
        known = answers.Terminal(self.settings.terminal_id, next(iter(self.settings.currencies)))
        text = answers.day_slip(day, known)
        result = _Result(entry, answers.totals(day, self._local_time()), (("other", text),), connection)
        prints = self._prints(connection, result.slips)
        self._tell(connection, Say(result.status, lambda at: self._keep(result)), *prints, Say(answers.completion()))

    _COMMANDS: ClassVar[dict[int, Callable[[VirtualZvt, int, Taken], None]]] = {
        say.REGISTER: _register,
        say.STATUS_ENQUIRY: _report,
        say.REPEAT: _repeat,
        say.REVERSE: _take_back,
        say.PREAUTH_REVERSAL: _take_back,
        say.BOOK_TOTAL: _complete,
        say.END_OF_DAY: _end_of_day,
        say.DIAGNOSE: _nothing,
        say.INITIALISE: _nothing,
        say.LOG_OFF: _no_more,
        say.DISPLAY: _no_more,
    }
