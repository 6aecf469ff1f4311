"""What a virtual ZVT terminal keeps: the transactions of the day, the last of them, and when one of them holds."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from ..protocols.zvt import fields as bmp
from ..protocols.zvt.messages import Taken
from . import zvt_answers as answers
from .cards import CardProfile
from .concert import Book, Effect, _Dialog
from .faults import Faults
from .ledger import SETTLED, Card, Entry
from .zvt_talk import Master, Say, Then, ZvtSettings

CODES = {"approved": 0, "declined": answers.DECLINED, "cancelled": answers.ABORTED}


@dataclass(frozen=True, slots=True)
class Done:
    """How a transaction ended: its entry, what the terminal says of it, its slips."""

    entry: Entry
    status: bytes
    slips: tuple[tuple[str, str], ...]
    asked_by: int


class Books(Master):
    """`entries` is what its ledger holds already."""

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
        self._last: Done | None = None
        for entry in entries:
            if entry.outcome == "approved":
                self._remember(self._result(entry, None, 0))

    def _entry(self, dialog: _Dialog, outcome: str, amount: int, **references: str) -> Entry:
        card, approved, request = dialog.card, outcome == "approved", dialog.request
        if approved:
            self._number += 1
            references |= {"receipt": f"{self._number % 10000:04d}", "trace": f"{self._number % 10**6:06d}"}
        brand = answers.SCHEMES[card.name].name if card else ""
        given = request.fields.get("authorisation", "")
        return Entry(
            request.kind, request.amount, amount, request.currency, request.register, self.settings.contract, outcome,
            Card(brand, card.last4) if card else None,
            given or (f"{self._chance.randrange(10**6):06d}" if approved and card else ""), references,
        )  # fmt: skip

    def _result(self, entry: Entry, card: CardProfile | None, asked_by: int) -> Done:
        numbers = {letters: number for number, letters in self.settings.currencies.items()}
        at = datetime.fromisoformat(entry.at) if entry.at else self._local_time()
        known = answers.Terminal(self.settings.terminal_id, numbers.get(entry.currency, "978"))
        status = answers.status(entry, CODES[entry.outcome], card, at, known)
        slips = tuple((copy, answers.slip(entry, copy, known)) for copy in ("merchant", "customer"))
        return Done(entry, status, slips, asked_by)

    def _committing(self, connection: int, result: Done, said: bytes) -> Say:
        """Return the result with what its answer brings, or the lack of one."""
        keep: Then = lambda at: self._keep(result)  # noqa: E731
        drop: Then = lambda at: [*self._drop(result), *self._refused_by_till(connection)]  # noqa: E731
        return Say(said, keep, drop, keep if self.settings.keeps_unacknowledged else drop)

    def _keep(self, result: Done) -> list[Effect]:
        """The payment holds."""
        self._remember(result)
        return [Book(result.entry, result.asked_by)]

    def _remember(self, result: Done) -> None:
        entry = result.entry
        if (entry.kind, entry.outcome) == SETTLED:
            self._done.clear()
            return
        self._done.append(entry)
        self._last = result
        self._number = max(self._number, int(entry.references.get("trace", "0")))

    def _drop(self, result: Done) -> list[Effect]:
        """The payment is taken back: nothing was charged."""
        return [Book(replace(result.entry, outcome="cancelled", amount=0), result.asked_by)]

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
        behind = bool(slips and not registered.blocks and self.faults.take("print_container"))
        return [
            Say(data)
            for copy, text in slips
            for data in answers.printed(text, copy, registered, container_behind=behind)
        ]

    def _of_receipt(self, taken: Taken) -> Entry | None:
        number = taken.value(bmp.RECEIPT).hex()
        return next((entry for entry in reversed(self._done) if entry.references.get("receipt") == number), None)

    def _about(self, original: Entry, *kinds: str) -> list[Entry]:
        """Return what was done about an earlier transaction, of these kinds; of all where none is named."""
        trace = original.references.get("trace")
        later = [entry for entry in self._done if entry.references.get("about") == trace]
        return [entry for entry in later if not kinds or entry.kind in kinds]
