"""What happened in one shop, as data: what terminals charged, what journals and Odoo hold, what tills were told.

Written by whoever runs a shop, read by the checker. Nothing here comes from the driver's own code.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

#: What begins the name of a fault that the protocol itself repairs, if it is the only one.
REPAIRED = "repaired: "


@dataclass(frozen=True, slots=True)
class Charge:
    """An end in a terminal's own ledger. `uuid`: whose request it ends, seen on the wire from outside; empty where
    somebody typed the amount on the terminal itself.
    """

    terminal: str
    uuid: str
    kind: str
    asked: int
    amount: int
    outcome: str
    auth_code: str
    at: float


@dataclass(frozen=True, slots=True)
class Written:
    """Bytes that left for a terminal and ask for money to be moved.

    `durable`: the number of the last event that was safe on the disk then. `again`: the terminal had just said that it
    did not take these bytes, which is the one repeat that law 2 permits.
    """

    uuid: str
    terminal: str
    at: float
    durable: int
    journal: int
    again: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """What a till was told of a transaction."""

    uuid: str
    state: str
    amount: int | None
    at: float
    durable: int
    journal: int


@dataclass(slots=True)
class Notes:
    """What an observer outside every part writes down. `now` and `durable` are asked at each note."""

    now: Callable[[], float]
    durable: Callable[[], int]
    journal: Callable[[], int] = lambda: 0
    charges: list[Charge] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)
    taken: list[Written] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    strikes: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    marks: dict[str, tuple[str, str]] = field(default_factory=dict)
    presses: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    story: list[tuple[float, str, str]] | None = None

    def struck(self, uuid: str, name: str) -> None:
        """A fault touched a transaction."""
        names = self.strikes[uuid]
        if name not in names or name.startswith(REPAIRED):
            names.append(name)
            self.tell(uuid, f"fault: {name}")

    def wrote(self, uuid: str, terminal: str, data: bytes, money: bool, *, again: bool = False) -> None:
        if money:
            self.written.append(Written(uuid, terminal, self.now(), self.durable(), self.journal(), again))
        if self.story is not None:
            self.tell(uuid, f"to terminal {terminal}: {data!r}")

    def took(self, uuid: str, terminal: str) -> None:
        """A terminal is told that the result it has just said is safe."""
        self.taken.append(Written(uuid, terminal, self.now(), self.durable(), self.journal()))

    def heard(self, uuid: str, state: str, amount: int | None) -> None:
        self.told.append(Told(uuid, state, amount, self.now(), self.durable(), self.journal()))

    def tell(self, uuid: str, text: str) -> None:
        """Add a line to the story, where somebody wants to read it."""
        if self.story is not None:
            self.story.append((self.now(), uuid, text))


@dataclass(slots=True)
class History:
    """One shop at the end of its day, after everything was mended.

    `journals` are SQLite databases, the last one in use; `odoo` is what Odoo holds: `events` by (journal, number),
    `transactions` by uuid. `reporting`: terminals that can report their last result and serve this driver alone.
    `restored`: somebody put an old journal back. `faults`: exceptions that nobody caught. `stands`: what kind of
    terminal each is, by name.
    """

    number: int
    notes: Notes
    journals: list[sqlite3.Connection]
    odoo_events: dict[tuple[str, int], dict[str, Any]]
    odoo_transactions: dict[str, dict[str, Any]]
    reporting: frozenset[str]
    restored: bool = False
    faults: list[str] = field(default_factory=list)
    stands: dict[str, str] = field(default_factory=dict)
