"""The terminal's side of CONCERT V3: bytes, keys, cards and time in, effects out. No I/O and no clock of its own.

One dialog at a time. A till that hangs up does not stop its dialog: the cardholder may still pay (HiPay and PayXpert
document no abort by the till; that closing the socket cancels nothing is inferred).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from ..protocols.concert.tables import APPLICATIONS
from . import concert_answers as answers
from .cards import CARDS, CardProfile
from .concert_answers import V3, Dialect, Reason, Reply, Request
from .concert_screen import Phase, Screen, display
from .effects import Book, Effect, HangUp, PowerOff, PowerOn, Write
from .faults import Faults
from .ledger import Card, Entry
from .memory import Memory
from .receipt import euros
from .settings import Settings

__all__ = [
    "AUTO", "KEYS", "NOBODY", "Book", "Effect", "HangUp", "PowerOff", "PowerOn", "Settings", "VirtualConcert", "Write",
]  # fmt: skip

MAX_REQUEST = 64 * 1024
RESULT_SECONDS = 8.0  # a result stays on the display
PIN_LENGTH = 4
DUPLICATE = "DUPLICATA".center(24)
NO_SLIP: Callable[[], str] = str  # nothing printed
NOBODY = 0  # no connection has this number
KEYS = (*"0123456789", "green", "yellow", "red")
AUTO = ("", *CARDS, "abort")

_ENDED = {"approved": Phase.APPROVED, "declined": Phase.DECLINED, "cancelled": Phase.CANCELLED}
_IN_DIALOG = frozenset({Phase.CARD, Phase.PIN, Phase.AUTHORISING, Phase.COLLECTING})


@dataclass(slots=True)
class _Dialog:
    connection: int | None
    asked_by: int
    request: Request
    card: CardProfile | None = None


class VirtualConcert:
    """One terminal. Every call answers with the effects to carry out, in order; call `tick` at `wake_at`.

    `now` is any steadily growing number of seconds; `local_time` is for slips only. `batch` are the ledger's
    entries since the last settlement.
    """

    def __init__(
        self,
        settings: Settings,
        faults: Faults,
        local_time: Callable[[], datetime] = datetime.now,
        chance: random.Random | None = None,
        batch: Iterable[Entry] = (),
        dialect: Dialect = V3,
    ) -> None:
        self.settings = settings
        self._dialect = dialect
        self.faults = faults
        self._local_time = local_time
        self._chance = chance or random.Random()
        self._memory = Memory(batch)
        self._buffers: dict[int, bytearray] = {}
        self._timers: dict[tuple[str, int], float] = {}
        self._dialog: _Dialog | None = None
        self._phase = Phase.IDLE
        self._kind, self._amount = "", ""
        self._card: CardProfile | None = None
        self._pin = 0
        self._slip, self._slips = NO_SLIP, 0

    @property
    def screen(self) -> Screen:
        """What the display shows now."""
        text = display(self._phase, self._kind)
        card = self._card
        name, contact = (card.receipt_name, card.entry == "1") if card else ("", False)
        return Screen(self._phase, text, self._amount, self._kind, name, contact, self._pin, self._slip(), self._slips)

    @property
    def phase(self) -> Phase:
        """What it is doing."""
        return self._phase

    @property
    def at_work(self) -> bool:
        """Whether a dialog is under way."""
        return self._phase in _IN_DIALOG

    @property
    def traits(self) -> frozenset[str]:
        """What kind of terminal it is, for the faults that only some can have."""
        return self._dialect.traits

    def understands(self, message: bytes) -> bool:
        """Whether this is a message of its protocol at all."""
        return self._dialect.complete(message)

    @property
    def serving(self) -> int | None:
        """The connection whose request is under way, even when it is gone."""
        return self._dialog.asked_by if self._dialog is not None else None

    @property
    def wake_at(self) -> float | None:
        """When `tick` has something to do."""
        return min(self._timers.values(), default=None)

    def received(self, connection: int, data: bytes, now: float) -> list[Effect]:
        """Take bytes from a till."""
        buffer = self._buffers.setdefault(connection, bytearray())
        buffer += data
        if not buffer.strip(b"\r\n"):
            buffer.clear()  # the end some tills put behind a request, late
        self._timers.pop(("close", connection), None)
        if len(buffer) > MAX_REQUEST:
            return [*self.gone(connection, now), HangUp(connection)]
        return self._look(connection, now)

    def gone(self, connection: int, now: float) -> list[Effect]:
        """Forget a connection; its dialog goes on."""
        self._buffers.pop(connection, None)
        self._timers = {key: at for key, at in self._timers.items() if key[1] != connection}
        if self._dialog is not None and self._dialog.connection == connection:
            self._dialog.connection = None
        return []

    def present(self, name: str, now: float) -> list[Effect]:
        """A cardholder holds a card to the terminal; ignored when none is wanted."""
        if self._phase is not Phase.CARD or self._dialog is None:
            return []
        wanted = self._dialog.request.wants_cheque
        if CARDS[name].line and not wanted:
            return []
        card = CARDS["cheque"] if wanted and CARDS[name].accepted else CARDS[name]
        self._dialog.card = card
        self._card = card
        if card.pin and self._dialog.request.kind == "sale" and not self.settings.auto:
            return self._enter(Phase.PIN, now, self.settings.card_timeout)
        return self._authorise(now)

    def press(self, key: str, now: float) -> list[Effect]:
        """A key of the terminal is pressed; ignored when it means nothing now."""
        if key == "red" and self._phase in (Phase.CARD, Phase.PIN):
            return self._end("cancelled", now, reason=Reason.OPERATOR_ABANDON)
        if self._phase is Phase.PIN:
            if key == "green" and self._pin == PIN_LENGTH:
                return self._authorise(now)
            if key == "yellow":
                self._pin = 0
            elif key.isdigit():
                self._pin = min(self._pin + 1, PIN_LENGTH)
        elif self._phase in _ENDED.values() and key in ("green", "red"):
            self._rest()
        return []

    def standalone(self, amount: int, now: float) -> list[Effect]:
        """Somebody types an amount on the terminal itself, without a till; ignored while it is at work."""
        if self._phase in _IN_DIALOG or self._phase is Phase.OFF:
            return []
        currency = next(iter(self.settings.currencies.values()))
        self._show(_Dialog(None, NOBODY, Request({}, "sale", amount, currency)))
        return self._wait_for_card(now)

    def tick(self, now: float) -> list[Effect]:
        """Do what is due."""
        effects: list[Effect] = []
        for key in sorted(self._timers, key=self._timers.__getitem__):
            if self._timers.get(key, now + 1) <= now:
                del self._timers[key]
                effects += self._due(*key, now)
        return effects

    # A connection's bytes, until they are a request

    def _look(self, connection: int, now: float) -> list[Effect]:
        """Decide how long to wait for more of a request; a dialog's own connection must wait for its answer."""
        if not self._buffers.get(connection) or (self._dialog is not None and self._dialog.connection == connection):
            return []
        if self._dialect.framed:
            return self._request(connection, now)
        complete = self._dialect.complete(bytes(self._buffers[connection]))
        self._timers["request", connection] = now + (self.settings.quiet if complete else self.settings.incomplete)
        return []

    def _request(self, connection: int, now: float) -> list[Effect]:
        busy = self._phase in _IN_DIALOG
        if busy and self.settings.while_busy == "wait":
            return []  # looked at again when the dialog is over
        data = bytes(self._buffers.pop(connection, b""))
        request = self._dialect.read(data, self.settings.currencies, self.settings.refuse_bf)
        if request.kind in self.settings.lacks or (request.kind == "duplicate" and not self.settings.duplicata):
            return self._say(connection, Reply(request, reason=Reason.UNKNOWN_ACTION), now)
        if self.settings.only_version not in ("", request.fields.get("CZ")):
            return self._say(connection, Reply(request, reason=Reason.FORMAT), now)
        if request.problem:
            return self._say(connection, Reply(request, reason=request.problem), now)
        if busy:
            return self._say(connection, Reply(request), now)
        if request.kind == "identify":
            return self._say(connection, Reply(request, done=True), now)
        if request.kind == "duplicate":
            return self._duplicate(connection, request, now)
        return self._start(connection, request, now)

    def _say(self, connection: int, reply: Reply, now: float) -> list[Effect]:
        """Answer outside a dialog: no fault touches it."""
        return self._write(connection, self._dialect.encode(reply, None), now)

    def _write(self, connection: int, data: bytes, now: float) -> list[Effect]:
        self._timers["close", connection] = now + self.settings.close_after
        return [Write(connection, (data,))]

    def _duplicate(self, connection: int, request: Request, now: float) -> list[Effect]:
        """Tell the last result once more, and print its slip."""
        numbers = {letters: number for number, letters in self.settings.currencies.items()}
        reply, data = self._dialect.duplicate(request, self._memory.last, numbers)
        if reply.done:
            again = replace(reply, at=self._local_time())
            self._print(lambda: f"{DUPLICATE}\n{answers.slip(again, 'customer')}")
        return self._write(connection, data, now)

    # The dialog

    def _start(self, connection: int, request: Request, now: float) -> list[Effect]:
        if self.faults.take("busy"):
            return self._say(connection, Reply(request), now)
        if self.faults.take("silent"):
            return []
        self._show(_Dialog(connection, connection, request))
        if request.kind == "settlement":
            return self._enter(Phase.COLLECTING, now, 0.0 if self.settings.auto else self.settings.authorisation)
        if request.kind == "reversal" and not self._memory.can_take_back(request.amount, request.currency):
            return self._end("declined", now, reason=Reason.NOT_COMPLETED)
        if self.faults.take("abort"):
            return self._end("cancelled", now, reason=Reason.OPERATOR_ABANDON)
        if nobody := self.faults.take("timeout"):
            return self._enter(Phase.CARD, now, nobody.value or 0)
        return self._wait_for_card(now)

    def _show(self, dialog: _Dialog) -> None:
        request = dialog.request
        self._dialog = dialog
        amount = "" if request.kind == "settlement" else euros(request.amount, request.currency)
        self._kind, self._amount, self._card = request.kind, amount, None
        self._slip = NO_SLIP

    def _print(self, slip: Callable[[], str]) -> None:
        """Hand out a slip; what is on it is made out when somebody looks."""
        self._slip, self._slips = slip, self._slips + 1

    def _collected(self, now: float) -> list[Effect]:
        """The payments were sent off, or the bank's computer did not take them."""
        if self.faults.take("decline"):
            return self._end("declined", now, reason=Reason.NOT_COMPLETED)
        return self._end("approved", now)

    def _wait_for_card(self, now: float) -> list[Effect]:
        if self.settings.auto:
            self._timers["auto", 0] = now + self.settings.delay
        return self._enter(Phase.CARD, now, self.settings.card_timeout)

    def _authorise(self, now: float) -> list[Effect]:
        late = self.faults.take("late")
        seconds = 0.0 if self.settings.auto else self.settings.authorisation
        return self._enter(Phase.AUTHORISING, now, seconds if late is None else late.value or 0)

    def _decide(self, now: float) -> list[Effect]:
        dialog = self._dialog
        assert dialog is not None
        assert dialog.card is not None
        if self.faults.take("decline") or not dialog.card.accepted:
            return self._end("declined", now, reason=Reason.REFUSED)
        if restart := self.faults.take("restart_before"):
            return self.power_off(now, restart.value or 0)
        asked = amount = dialog.request.amount
        if dialog.card.limit is not None and dialog.request.kind == "sale":
            amount = min(amount, dialog.card.limit)
        if dialog.request.kind != "reversal" and (partial := self.faults.take("partial")):  # all of it, or nothing
            amount = partial.value or max(asked // 2, 1)
        return self._end("approved", now, amount=amount)

    def _end(self, outcome: str, now: float, amount: int = 0, reason: Reason | None = None) -> list[Effect]:
        """Book how the dialog ended, then answer, unless a fault says otherwise."""
        dialog = self._dialog
        assert dialog is not None
        self._dialog = None
        card, approved = dialog.card, outcome == "approved"
        entry = Entry(
            dialog.request.kind, dialog.request.amount, amount, dialog.request.currency, dialog.request.register,
            self.settings.contract, outcome, Card(APPLICATIONS[card.application].brand, card.last4) if card else None,
            f"{self._chance.randrange(10**6):06d}" if approved and card else "", answers.references(dialog.request),
        )  # fmt: skip
        self._memory.keep(entry)
        self._enter(_ENDED[outcome], now, RESULT_SECONDS)
        if approved and amount:
            self._amount = euros(amount, dialog.request.currency)
        reply = Reply(dialog.request, approved, reason, entry, card, self._local_time())
        self._print(lambda: answers.slip(reply, "customer"))
        effects: list[Effect] = [Book(entry, dialog.asked_by)]
        if approved and (restart := self.faults.take("restart_after")):
            return effects + self.power_off(now, restart.value or 0)
        if dialog.connection is not None:
            effects += self._answer(dialog.connection, reply, now)
        for connection in list(self._buffers):
            self._look(connection, now)
        return effects

    def _answer(self, connection: int, reply: Reply, now: float) -> list[Effect]:
        """Send a dialog's answer, as badly as the faults want it."""
        approved = reply.done
        if approved and self.faults.take("lost"):
            return [HangUp(connection)]
        if self._dialect.framed:
            return self._write(connection, self._dialect.encode(reply, self.faults), now)
        data = self._dialect.encode(reply, self.faults)
        if approved and (cut := self.faults.take("cut")):
            return [Write(connection, (data[: cut.value],)), HangUp(connection)]
        if self.faults.take("duplicate"):
            data += data
        chunks = tuple(data[i : i + 1] for i in range(len(data))) if self.faults.take("split") else (data,)
        if self.faults.take("close_at_once"):
            return [Write(connection, chunks), HangUp(connection)]
        if not self.faults.take("keep_open"):
            self._timers["close", connection] = now + self.settings.close_after
        return [Write(connection, chunks)]

    # Time

    def _enter(self, phase: Phase, now: float, seconds: float) -> list[Effect]:
        """Show a phase that ends by itself after `seconds`; at once when there are none."""
        self._phase, self._pin = phase, 0
        if phase is not Phase.CARD:
            self._timers.pop(("auto", 0), None)
        self._timers["phase", 0] = now + seconds
        return self.tick(now) if seconds == 0 else []

    def power_off(self, now: float, seconds: float) -> list[Effect]:
        """Lose power for `seconds`; what was under way is forgotten."""
        self._dialog = None
        self._buffers.clear()
        self._timers.clear()
        self._kind, self._amount, self._card, self._slip = "", "", None, NO_SLIP
        self._enter(Phase.OFF, now, max(seconds, 0.1))
        return [PowerOff()]

    def _rest(self) -> None:
        self._timers.pop(("phase", 0), None)
        self._phase = Phase.IDLE
        self._kind, self._amount, self._card = "", "", None

    def _due(self, what: str, connection: int, now: float) -> list[Effect]:
        if what == "request":
            return self._request(connection, now)
        if what == "close":
            return [*self.gone(connection, now), HangUp(connection)]
        if what == "auto":
            auto = self.settings.auto
            return self.press("red", now) if auto == "abort" else self.present(auto, now) if auto else []
        if self._phase in (Phase.CARD, Phase.PIN):
            return self._end("cancelled", now, reason=Reason.INPUT_TIMEOUT)
        if self._phase is Phase.AUTHORISING:
            return self._decide(now)
        if self._phase is Phase.COLLECTING:
            return self._collected(now)
        was_off = self._phase is Phase.OFF
        self._rest()
        return [PowerOn()] if was_off else []
