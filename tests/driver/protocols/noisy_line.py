"""Two ends of a line, a channel between them that does what bad cables do, and a clock that jumps."""

import heapq
import itertools
from dataclasses import dataclass, field

from hw_driver.protocols.concert.line import EnqLink, LinkSettings
from hw_driver.protocols.link import Received
from hw_driver.protocols.machine import Send, StartTimer, StopTimer


@dataclass
class Noise:
    """Chances of each fault, per write.

    Only what the check byte can find: one byte of a write is lost or has its eighth bit set, or a piece comes twice.
    """

    lose: float = 0.0
    double: float = 0.0
    corrupt: float = 0.0
    split: float = 0.0
    delay: float = 0.0

    def pieces(self, random, data):
        """Yield (seconds, bytes) as they come out at the other end."""
        at = 0.001
        spot = random.randrange(len(data))
        if random.random() < self.lose:
            data = data[:spot] + data[spot + 1 :]
        elif random.random() < self.corrupt:
            data = data[:spot] + bytes((data[spot] | 0x80,)) + data[spot + 1 :]
        while data:
            size = random.randint(1, len(data)) if random.random() < self.split else len(data)
            piece, data = data[:size], data[size:]
            at += random.uniform(0, 6) if random.random() < self.delay else 0.0005
            yield at, piece
            if not data and random.random() < self.double:
                yield at + 0.0001, piece


@dataclass
class End:
    """One end: its link, and what its link told."""

    link: EnqLink
    told: list = field(default_factory=list)
    timers: dict = field(default_factory=dict)
    not_before: float = 0.0

    def of(self, kind):
        return [effect for effect in self.told if isinstance(effect, kind)]

    @property
    def received(self):
        return [effect.message for effect in self.of(Received)]


class NoisyLine:
    """Runs both links in virtual time. `on_told(end, effect)` plays those who stand above."""

    def __init__(self, random, settings=None, noise=None):
        settings = settings or LinkSettings()
        self.random = random
        self.noise = noise or Noise()
        self.till = End(EnqLink(settings))
        self.terminal = End(EnqLink(settings, yields=False))
        self.now = 0.0
        self.steps = 0
        self.on_told = lambda end, effect: None
        self._order = itertools.count()
        self._due = []

    def at(self, seconds, call, *args):
        heapq.heappush(self._due, (self.now + seconds, next(self._order), call, args))

    def carry_out(self, end, effects):
        for effect in effects:
            match effect:
                case Send(data):
                    self._write(end, data)
                case StartTimer(name, seconds):
                    end.timers[name] = stamp = object()
                    self.at(seconds, self._fire, end, name, stamp)
                case StopTimer(name):
                    end.timers.pop(name, None)
                case _:
                    end.told.append(effect)
                    self.on_told(end, effect)

    def run(self, seconds=None):
        """Let time pass until nothing more is due, or for so long."""
        until = float("inf") if seconds is None else self.now + seconds
        while self._due and self._due[0][0] <= until:
            self.now, _, call, args = heapq.heappop(self._due)
            call(*args)
        if seconds is not None:
            self.now = until

    def _write(self, end, data):
        other = self.terminal if end is self.till else self.till
        for delay, piece in self.noise.pieces(self.random, data):
            other.not_before = max(other.not_before + 1e-6, self.now + delay)  # a cable keeps the order
            self.at(other.not_before - self.now, self._hear, other, piece)

    def _hear(self, end, piece):
        self.steps += 1
        self.carry_out(end, end.link.receive(piece))

    def _fire(self, end, name, stamp):
        if end.timers.get(name) is stamp:
            del end.timers[name]
            self.steps += 1
            self.carry_out(end, end.link.timer(name))
