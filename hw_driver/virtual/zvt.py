"""The terminal's side of ZVT: bytes, keys, cards and time in, effects out. No I/O and no clock of its own.

The cardholder's part is that of every virtual terminal. What makes it keep a payment is a setting, because the
specification contradicts itself: the till's answer to its result (P15 2.2.8), or the approval alone (P15 4).
"""

from __future__ import annotations

from dataclasses import replace

from ..protocols.zvt import commands as say
from ..protocols.zvt import fields as bmp
from ..protocols.zvt import tlv
from ..protocols.zvt.apdu import Apdu, build
from ..protocols.zvt.messages import Taken, take
from . import zvt_answers as answers
from .concert import NOBODY, Book, Effect, HangUp, Write, _Dialog
from .concert_answers import Reason, Request
from .concert_screen import Phase, Screen
from .receipt import euros
from .zvt_books import CODES, Done
from .zvt_commands import Commands
from .zvt_talk import HANG_UP, Say, Then

RESULT_SECONDS = 8.0
FOR_EVER = 1e9
_ENDED = {"approved": Phase.APPROVED, "declined": Phase.DECLINED, "cancelled": Phase.CANCELLED}
_WITH_CARD = {say.AUTHORISE: "sale", say.TELEPHONIC: "sale", say.REFUND: "refund", say.PREAUTHORISE: "preauth"}
#: How often it says that it still is at work, where nothing else happens. Seconds.
STILL = 1.0


class VirtualZvt(Commands):
    """One terminal. `entries` is what its ledger holds already. `shown` is what a till had it show."""

    shown = ""

    @property
    def screen(self) -> Screen:
        """What the display shows now."""
        screen = super().screen
        return replace(screen, text=self.shown) if self.shown and screen.phase is Phase.IDLE else screen

    # -- commands

    def _asked(self, connection: int, unit: Apdu, now: float) -> list[Effect]:
        """A command: answer it, and be master until it is done."""
        if unit.control == say.ABORT_COMMAND:
            return self._asked_to_give_up(connection, now)
        if self._at_work:
            return [Write(connection, (answers.refused(answers.BUSY),))]
        taken = take(unit.control, unit.data)
        if unit.control == say.READ_CARD:
            return self._read_card(connection, taken, now)
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
        if locked := self.faults.take("locked"):
            self._tell(connection, Say(answers.aborted(locked.value or answers.DAY_OPEN)))
            return [*effects, *self._speak(connection, now)]
        given = taken.value(bmp.APPROVAL).rstrip(b"\0").decode("ascii", "replace")
        said = {"authorisation": given} | ({"partial": "yes"} if tlv.find(taken.objects, tlv.PARTIAL) else {})
        if (taken.value(bmp.PAYMENT_TYPE) or b"\0")[0] & answers.TIPPABLE:
            said["tippable"] = "yes"
        request = Request(said, kind, int(amount), self.settings.currencies[currency], register="1")
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
        if self.faults.take("never_ends"):
            self._timers["still", 0] = now + STILL
            return self._enter(Phase.AUTHORISING, now, FOR_EVER)
        if nobody := self.faults.take("timeout"):
            return self._enter(Phase.CARD, now, nobody.value or 0)
        return self._wait_for_card(now)

    def _read_card(self, connection: int, taken: Taken, now: float) -> list[Effect]:
        """06 C0: whose card it is; no money moves, and nothing is completed (P15 2, 06 C0)."""
        effects = self._yes(connection)
        self._show(_Dialog(connection, connection, Request({}, "card", 0, "EUR", register="1")))
        if self.settings.auto:
            self._timers["auto", 0] = now + self.settings.delay
        return [*effects, *self._enter(Phase.CARD, now, taken.parts["timeout_seconds"][0])]

    def _card_read(self, dialog: _Dialog, outcome: str, now: float) -> list[Effect]:
        self._rest()
        if dialog.connection is None:
            return []
        if outcome == "approved" and dialog.card:
            self._tell(dialog.connection, Say(answers.card_data(dialog.card)))
        else:
            self._tell(dialog.connection, Say(answers.aborted(CODES["cancelled"])))
        return self._speak(dialog.connection, now)

    def _still_at_work(self, now: float) -> list[Effect]:
        """Say for ever that it goes on, until the till has gone."""
        dialog = self._dialog
        if dialog is None or dialog.connection is None:
            return self._end("cancelled", now) if dialog else []
        self._timers["still", 0] = now + STILL
        self._doing(dialog.connection, answers.PLEASE_WAIT, "Bitte warten")
        return self._speak(dialog.connection, now)

    def _due(self, what: str, connection: int, now: float) -> list[Effect]:
        return self._still_at_work(now) if what == "still" else super()._due(what, connection, now)

    def _decide(self, now: float) -> list[Effect]:
        """A till that has not said that it knows partial approvals gets none (P15 9.4, tag 1F70)."""
        dialog = self._dialog
        limit = dialog.card.limit if dialog and dialog.card and "partial" not in dialog.request.fields else None
        if dialog and limit is not None and dialog.request.amount > limit:
            return self._end("declined", now)
        return super()._decide(now)

    def _doing(self, connection: int, code: int, text: str) -> None:
        if self._registered(connection).listens:
            self._tell(connection, Say(answers.doing(code, text, minutes=not self.faults.take("no_minutes"))))

    def _authorise(self, now: float) -> list[Effect]:
        effects: list[Effect] = []
        if silent := self.faults.take("pin_silence"):  # some cannot speak while the PIN is typed (SM 3.2.2.4)
            return self._enter(Phase.AUTHORISING, now, silent.value or 0)
        if self._dialog is not None and self._dialog.connection is not None:
            self._doing(self._dialog.connection, answers.PLEASE_WAIT, "Bitte warten")
            effects = self._speak(self._dialog.connection, now)
        return [*effects, *super()._authorise(now)]

    def _end(self, outcome: str, now: float, amount: int = 0, reason: Reason | None = None) -> list[Effect]:
        """Tell how it ended; what makes an approval hold is the till's answer, or nothing more."""
        dialog = self._dialog
        assert dialog is not None
        self._dialog = None
        self._timers.pop(("still", 0), None)
        if dialog.request.kind == "card":
            return self._card_read(dialog, outcome, now)
        extras: dict[str, str] = {}
        if outcome == "approved":
            extras, amount = self._extras(dialog.request, amount)
        result = self._result(self._entry(dialog, outcome, amount, **extras), dialog.card, dialog.asked_by)
        self._enter(_ENDED[outcome], now, RESULT_SECONDS)
        self._print(lambda: result.slips[-1][1])
        if outcome == "approved":
            self._amount = euros(amount, dialog.request.currency)
            return self._approved(dialog.connection, result, now)
        effects: list[Effect] = [Book(result.entry, dialog.asked_by)]
        if dialog.connection is not None:
            ending = Say(answers.aborted(CODES[outcome]))
            self._tell(dialog.connection, Say(result.status), *self._prints(dialog.connection, result.slips), ending)
            effects += self._speak(dialog.connection, now)
        return effects

    def _extras(self, request: Request, amount: int) -> tuple[dict[str, str], int]:
        """What a cardholder adds to a sale: a tip, a signature. Return it and the amount with the tip."""
        if request.kind != "sale":
            return {}, amount
        extras = {name: value for name, value in request.fields.items() if name == "tippable"}
        if tip := self.faults.take("tip"):
            extras["tip"], amount = str(tip.value or 0), amount + (tip.value or 0)
        if self.faults.take("signature"):
            extras["signature"] = "wanted"
        return extras, amount

    def _approved(self, connection: int | None, result: Done, now: float) -> list[Effect]:
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
        if self.faults.take("result_lost"):
            self._tell(connection, *self._prints(connection, result.slips), Say(answers.completion()))
            return [*self._keep(result), *self._speak(connection, now)]
        said = result.status
        if self.faults.take("unknown_field"):
            said = answers.with_unknown_field(said)
        if self.faults.take("corrupt"):
            said = bytes((said[0] ^ 0x40,)) + said[1:]
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

    def _cut_off(self, connection: int | None, now: float) -> list[Effect]:
        return [] if connection is None else [*self.gone(connection, now), HangUp(connection)]
