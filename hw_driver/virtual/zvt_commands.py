"""What a virtual ZVT terminal is told without a cardholder: registrations, questions, things about earlier payments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from ..protocols.zvt import commands as say
from ..protocols.zvt import fields as bmp
from ..protocols.zvt.messages import Taken
from . import zvt_answers as answers
from .concert import _Dialog
from .concert_answers import Request
from .ledger import Entry
from .zvt_answers import Registered
from .zvt_books import Books, Done
from .zvt_talk import Say

_LAST, _NO_PRINT = 0x01, 0x02
_LOGGED_OFF = 0x86
#: What mends what a terminal is locked for (P15 11): the state and the command.
_MENDS = {say.END_OF_DAY: {0xF0, 0xB1}, say.DIAGNOSE: {0xC2}, say.INITIALISE: {0x51}}
#: BMP 19 of a registration's completion: what the terminal wants first (P15 2.1).
_WANTS = {0x51: 0x01, 0xC2: 0x02}


class Commands(Books):
    """Commands whose answer needs nobody at the terminal."""

    @property
    def _state(self) -> int:
        """What a status enquiry says."""
        armed = self.faults.armed.get("locked")
        return armed.value or answers.READY if armed else answers.READY

    def _mended(self, control: int) -> None:
        if self._state in _MENDS[control]:
            self.faults.clear("locked")

    def _register(self, connection: int, taken: Taken) -> None:
        self._talks[connection].registered = Registered.of(taken)
        self._tell(connection, Say(answers.registered(self.settings.terminal_id, _WANTS.get(self._state, 0))))

    def _report(self, connection: int, taken: Taken) -> None:
        self._tell(connection, Say(answers.status_report(bytes((self._state,)), self.settings.serial)))

    def _repeat(self, connection: int, taken: Taken) -> None:
        """06 20: the last result once more, or its slips, or both."""
        wants = int(taken.value(bmp.SERVICE).hex() or "0", 16)
        if self._last is None or not self.settings.duplicata:
            self._refuse(connection, answers.UNKNOWN)
            return
        told = [Say(self._last.status)] if wants & _LAST else []
        slips = [] if wants & _NO_PRINT else self._prints(connection, self._last.slips)
        self._tell(connection, *told, *slips, Say(answers.completion()))

    def _diagnose(self, connection: int, taken: Taken) -> None:
        self._mended(say.DIAGNOSE)
        self._service(connection, "Diagnose")

    def _initialise(self, connection: int, taken: Taken) -> None:
        self._mended(say.INITIALISE)
        self._service(connection, "Initialisierung")

    def _service(self, connection: int, title: str) -> None:
        text = answers.service_slip(title, self.settings.terminal_id)
        self._tell(connection, *self._prints(connection, [("other", text)]), Say(answers.completion()))

    def _log_off(self, connection: int, taken: Taken) -> None:
        self._talks[connection].registered = Registered(_LOGGED_OFF)

    def _display(self, connection: int, taken: Taken) -> None:
        lines = [taken.value(bmp.FIRST_LINE + number).decode("cp437") for number in range(bmp.LINES)]
        self.shown = "\n".join(line for line in lines if line)

    def _take_back(self, connection: int, taken: Taken) -> None:
        """06 30 and 06 25: what was done under a receipt number is taken back, if it was not already."""
        original = self._of_receipt(taken)
        amount = taken.value(bmp.AMOUNT).hex()
        tips = sum(entry.amount for entry in self._about(original, "tip")) if original else 0
        whole = original is not None and amount in ("", f"{original.amount + tips:012d}")
        if original is None or original.kind not in ("sale", "preauth") or not whole:
            self._refuse(connection, answers.NO_REVERSAL)
        elif len(self._about(original)) > len(self._about(original, "tip")):
            self._refuse(connection, answers.ALREADY_REVERSED)
        else:
            kind = "reversal" if original.kind == "sale" else "preauth"
            trace = original.references["trace"]
            self._again(connection, kind, original, original.amount + tips, original_trace=trace)

    def _complete(self, connection: int, taken: Taken) -> None:
        """06 24: what is used of an amount that was held."""
        self._use(connection, taken, int(taken.value(bmp.AMOUNT).hex() or "0"))

    def _release(self, connection: int, taken: Taken) -> None:
        """06 23: what is not used of an amount that was held; receipt FFFF asks which amounts are still held."""
        if taken.value(bmp.RECEIPT) == answers.NO_RECEIPT:
            held = [entry for entry in self._done if entry.kind == "preauth" and "about" not in entry.references]
            left = [bytes.fromhex(entry.references["receipt"]) for entry in held if not self._about(entry)]
            self._tell(connection, Say(answers.aborted(answers.NO_PREAUTH, (left or [answers.NO_RECEIPT])[0])))
            return
        original = self._of_receipt(taken)
        unused = int(taken.value(bmp.AMOUNT).hex() or "0")
        self._use(connection, taken, original.amount - unused if original else 0)

    def _use(self, connection: int, taken: Taken, amount: int) -> None:
        original = self._of_receipt(taken)
        if original is None or original.kind != "preauth" or self._about(original):
            self._refuse(connection, answers.NO_PREAUTH)
        elif not 0 < amount <= original.amount:
            self._refuse(connection, answers.WRONG_PREAUTH_AMOUNT)
        else:
            self._again(connection, "sale", original, amount)

    def _add_tip(self, connection: int, taken: Taken) -> None:
        """06 0C: what is added to a payment afterwards; the terminal tells both together (SM)."""
        original = self._of_receipt(taken)
        amount = int(taken.value(bmp.AMOUNT).hex() or "0")
        if original is None or "tippable" not in original.references or self._about(original) or not amount:
            self._refuse(connection, answers.UNKNOWN)
        else:
            told = str(original.amount + amount)
            self._again(connection, "tip", original, amount, told=told, tip=str(amount))

    def _refuse(self, connection: int, code: int) -> None:
        self._tell(connection, Say(answers.aborted(code)))

    def _again(self, connection: int, kind: str, original: Entry, amount: int, **references: str) -> None:
        """Do something about an earlier transaction: no card, only the till's answer."""
        dialog = _Dialog(connection, connection, Request({}, kind, amount, original.currency, register="1"))
        entry = self._entry(dialog, "approved", amount, about=original.references["trace"], **references)
        result = self._result(replace(entry, card=original.card), None, connection)
        self._print(lambda: result.slips[-1][1])
        prints = self._prints(connection, result.slips)
        first = self._committing(connection, result, result.status)
        self._tell(connection, first, *prints, Say(answers.completion()))

    def _end_of_day(self, connection: int, taken: Taken) -> None:
        """06 50: the day's sums, and from then on a new day."""
        self._mended(say.END_OF_DAY)
        result = self._sums(connection, "Kassenschnitt")
        prints = self._prints(connection, result.slips)
        self._tell(connection, Say(result.status, lambda at: self._keep(result)), *prints, Say(answers.completion()))

    def _totals(self, connection: int, taken: Taken) -> None:
        """06 10: the same sums, and the day goes on."""
        result = self._sums(connection, "Umsatzabfrage")
        self._tell(connection, Say(result.status), *self._prints(connection, result.slips), Say(answers.completion()))

    def _sums(self, connection: int, title: str) -> Done:
        day = [entry for entry in self._done if entry.kind != "preauth"]
        currency = next(iter(self.settings.currencies.values()))
        entry = Entry("settlement", 0, 0, currency, "1", self.settings.contract, "approved")
        known = answers.Terminal(self.settings.terminal_id, next(iter(self.settings.currencies)))
        text = answers.day_slip(day, known, title)
        return Done(entry, answers.totals(day, self._local_time()), (("other", text),), connection)

    _COMMANDS: ClassVar[dict[int, Callable[[Commands, int, Taken], None]]] = {
        say.REGISTER: _register,
        say.STATUS_ENQUIRY: _report,
        say.REPEAT: _repeat,
        say.REVERSE: _take_back,
        say.PREAUTH_REVERSAL: _take_back,
        say.BOOK_TOTAL: _complete,
        say.PARTIAL_REVERSAL: _release,
        say.TIP: _add_tip,
        say.END_OF_DAY: _end_of_day,
        say.TOTALS: _totals,
        say.DIAGNOSE: _diagnose,
        say.INITIALISE: _initialise,
        say.LOG_OFF: _log_off,
        say.DISPLAY: _display,
    }
