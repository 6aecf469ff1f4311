"""A ZVT terminal as master: each of its messages waits for the till's answer, on the connection that commanded it."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from ..protocols.machine import MalformedMessage
from ..protocols.zvt.apdu import Apdu, Reader, is_answer, is_positive
from .concert import Effect, HangUp, Settings, VirtualConcert, Write
from .faults import Faults
from .zvt_answers import Registered

Then = Callable[[float], list[Effect]]
#: In the place of a message: close the connection.
HANG_UP = b""


@dataclass(slots=True)
class ZvtSettings(Settings):
    """`keeps_unacknowledged`: an approval holds even when the till never answers its result. Times in seconds."""

    contract: str = "100764992"
    terminal_id: str = "29001006"
    serial: str = "00000815"
    keeps_unacknowledged: bool = False
    answer: float = 5.0


@dataclass(slots=True)
class Say:
    """One message of the terminal and what becomes of the till's answer to it, or of its never coming."""

    data: bytes
    taken: Then | None = None
    refused: Then | None = None
    unanswered: Then | None = None


@dataclass(slots=True)
class Talk:
    """One connection: what the terminal has still to say on it, the first of them said already where it waits."""

    reader: Reader = field(default_factory=Reader)
    queue: deque[Say] = field(default_factory=deque)
    waiting: bool = False
    registered: Registered = field(default_factory=Registered)


class Master(VirtualConcert):
    """What a terminal hears, and says in its turn. `_asked` is for the terminal above."""

    settings: ZvtSettings

    def __init__(
        self,
        settings: ZvtSettings,
        faults: Faults,
        local_time: Callable[[], datetime],
        chance: random.Random | None,
    ) -> None:
        super().__init__(settings, faults, local_time, chance)
        self._talks: dict[int, Talk] = {}

    @property
    def traits(self) -> frozenset[str]:
        return frozenset({"zvt"})

    def understands(self, message: bytes) -> bool:
        """Whether this is a message of its protocol at all."""
        return True

    @property
    def serving(self) -> int | None:
        """The connection whose command is under way, until all of it is said."""
        if self._dialog is not None:
            return self._dialog.asked_by
        for number, talk in self._talks.items():
            if talk.queue:
                return number
        return None

    @property
    def _at_work(self) -> bool:
        """Whether a till's command is under way."""
        return self.at_work or any(talk.queue for talk in self._talks.values())

    # -- what comes from tills

    def received(self, connection: int, data: bytes, now: float) -> list[Effect]:
        if connection not in self._talks:
            self._talks[connection] = Talk()
        try:
            units = self._talks[connection].reader.feed(data)
        except MalformedMessage:
            return [*self.gone(connection, now), HangUp(connection)]
        effects: list[Effect] = []
        for unit in units:
            if is_answer(unit.control):
                effects += self._answered(connection, is_positive(unit.control), now)
            else:
                effects += self._asked(connection, unit, now)
        return effects

    def gone(self, connection: int, now: float) -> list[Effect]:
        """Forget a connection; what becomes of a result that the till has not taken is the terminal's own business."""
        effects = super().gone(connection, now)
        talk = self._talks.pop(connection, None)
        return [*effects, *self._not_taken(talk, now)]

    def power_off(self, now: float, seconds: float) -> list[Effect]:
        talks, self._talks = list(self._talks.values()), {}
        effects = [effect for talk in talks for effect in self._not_taken(talk, now)]
        return [*effects, *super().power_off(now, seconds)]

    def _not_taken(self, talk: Talk | None, now: float) -> list[Effect]:
        effects: list[Effect] = []
        for message in talk.queue if talk else ():
            effects += message.unanswered(now) if message.unanswered else []
        return effects

    def _answered(self, connection: int, positive: bool, now: float) -> list[Effect]:
        talk = self._talks[connection]
        if not talk.waiting:
            return []
        talk.waiting = False
        self._timers.pop(("answer", connection), None)
        message = talk.queue.popleft()
        then = message.taken if positive else message.refused
        effects = then(now) if then else []
        return [*effects, *self._speak(connection, now)]

    def _asked(self, connection: int, unit: Apdu, now: float) -> list[Effect]:
        """Take a command."""
        raise NotImplementedError

    # -- what it has to say

    def _registered(self, connection: int) -> Registered:
        """What the till on a connection has registered."""
        talk = self._talks.get(connection)
        return talk.registered if talk else Registered()

    def _tell(self, connection: int, *messages: Say) -> None:
        if connection in self._talks:
            self._talks[connection].queue.extend(messages)

    def _speak(self, connection: int, now: float) -> list[Effect]:
        """Say the next message, unless the till has not answered the one before."""
        talk = self._talks.get(connection)
        if talk is None or talk.waiting or not talk.queue:
            return []
        talk.waiting = True
        self._timers["answer", connection] = now + self.settings.answer
        data = talk.queue[0].data
        if data == HANG_UP:
            return [*self.gone(connection, now), HangUp(connection)]
        if self.faults.take("split"):
            return [Write(connection, tuple(data[at : at + 1] for at in range(len(data))))]
        return [Write(connection, (data,))]

    def _due(self, what: str, connection: int, now: float) -> list[Effect]:
        if what == "answer":  # the till is silent: the connection is of no use any more (P16 5.2.5)
            return [*self.gone(connection, now), HangUp(connection)]
        return super()._due(what, connection, now)
