"""The contract of a link: a session protocol under the dialogs, where the wire itself does not keep messages whole.

A link is pure and long-lived: one per line, not one per dialog, so that a terminal is heard whenever it speaks. It is
fed bytes and timers and answers with what to write and what has become of messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from .machine import Send, StartTimer, StopTimer


@dataclass(frozen=True, slots=True)
class Opened:
    """The other side is ready for a message."""


@dataclass(frozen=True, slots=True)
class NotOpened:
    """No session could be had, and nothing of a message has left. `reason`: ``line_silent`` or ``line_busy``."""

    reason: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """The other side has acknowledged the message."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The other side has said each time that it did not take the message."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message of the other side, to be acknowledged once it is safe."""

    message: bytes


LinkEffect = Send | StartTimer | StopTimer | Opened | NotOpened | Delivered | Refused | Received


class Link(Protocol):
    """One side of one line. Every call answers with the effects to carry out, in order."""

    @property
    def idle(self) -> bool:
        """Whether nothing is under way on the line."""

    def open(self) -> Sequence[LinkEffect]:
        """Ask for a session; answered by `Opened` or `NotOpened`."""

    def send(self, message: bytes) -> Sequence[LinkEffect]:
        """Send the one message of a session; raise `ConnectionError` where none was asked for."""

    def acknowledge(self) -> Sequence[LinkEffect]:
        """Say that the message received last is safe."""

    def release(self) -> Sequence[LinkEffect]:
        """Give up the session that was asked for. The other side is still heard."""

    def receive(self, data: bytes) -> Sequence[LinkEffect]: ...
    def timer(self, name: str) -> Sequence[LinkEffect]: ...

    def lost(self) -> None:
        """The line is gone: forget what was under way."""
