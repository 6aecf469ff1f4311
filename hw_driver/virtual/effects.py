"""What a virtual terminal has done by whoever runs it."""

from __future__ import annotations

from dataclasses import dataclass

from .ledger import Entry


@dataclass(frozen=True, slots=True)
class Book:
    """Make this entry durable before carrying out what follows. `asked_by` is the connection whose request it ends."""

    entry: Entry
    asked_by: int


@dataclass(frozen=True, slots=True)
class Write:
    """Send `data` on a connection, each chunk as its own segment."""

    connection: int
    chunks: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class HangUp:
    """Close a connection once everything before is sent."""

    connection: int


@dataclass(frozen=True, slots=True)
class PowerOff:
    """Drop every connection and stop listening."""


@dataclass(frozen=True, slots=True)
class PowerOn:
    """Listen again."""


Effect = Book | Write | HangUp | PowerOff | PowerOn
