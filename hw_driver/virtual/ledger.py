"""What a virtual terminal charged: one JSON object per line, on the disk before any answer leaves.

It is the truth that reliability tests compare with the driver's journal and with Odoo, so it knows nothing of either.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


class LedgerError(Exception):
    """The ledger's file cannot be used; the text says why and what to do."""


SETTLED = ("settlement", "approved")


@dataclass(frozen=True, slots=True)
class Card:
    """What may be kept of a card: its brand and last four digits."""

    brand: str
    last4: str


@dataclass(frozen=True, slots=True)
class Entry:
    """How one dialog ended at the terminal. Amounts are minor units; `amount` is what was charged, 0 unless approved.

    `kind` is ``sale``, ``tip``, ``refund``, ``reversal``, ``preauth`` or ``settlement`` (which charge nothing),
    `currency` ISO 4217 letters, `outcome` ``approved``, ``declined`` or ``cancelled``; `references` are the till's own,
    by their tag, `register` is '' for what was typed on the terminal itself; `number` and `at` (UTC) are given by the
    ledger.
    """

    kind: str
    asked: int
    amount: int
    currency: str
    register: str
    contract: str
    outcome: str
    card: Card | None = None
    auth_code: str = ""
    references: dict[str, str] = field(default_factory=dict)
    number: int = 0
    at: str = ""


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums of what was charged, in minor units; `net` is sales less refunds."""

    sales: int = 0
    sales_amount: int = 0
    refunds: int = 0
    refunds_amount: int = 0

    @property
    def net(self) -> int:
        return self.sales_amount - self.refunds_amount


class Ledger:
    """An append-only file. `path` None keeps it in memory, for trying things out."""

    def __init__(self, path: Path | None, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._path = path
        self.entries: list[Entry] = []
        self._file = None
        if path is not None:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                existed = path.exists()
                self._file = path.open("r+b" if existed else "x+b", buffering=0)
                self._load()
                if not existed:
                    _sync_folder(path.parent)
            except OSError as error:
                raise LedgerError(f"cannot use the ledger {path}: {error.strerror}. Name another file.") from error

    def book(self, entry: Entry) -> Entry:
        """Number, date and durably append `entry`; only then may the terminal answer. Raises `LedgerError`."""
        at = self._now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        booked = replace(entry, number=len(self.entries) + 1, at=at)
        if self._file is not None:
            self._append(json.dumps(asdict(booked), separators=(",", ":")).encode() + b"\n")
        self.entries.append(booked)
        return booked

    def totals(self) -> dict[str, Totals]:
        """Return the totals of each currency."""
        totals: dict[str, Totals] = {}
        for entry in self.entries:
            if entry.outcome != "approved" or entry.kind in ("preauth", "settlement"):
                continue
            taken = entry.kind in ("sale", "tip")
            count, amount = ("sales", "sales_amount") if taken else ("refunds", "refunds_amount")
            so_far = totals.get(entry.currency, Totals())
            added: dict[str, Any] = {count: getattr(so_far, count) + 1, amount: getattr(so_far, amount) + entry.amount}
            totals[entry.currency] = replace(so_far, **added)
        return totals

    def batch(self) -> list[Entry]:
        """Return what was done since the last settlement that was approved."""
        settled = [at for at, entry in enumerate(self.entries, 1) if (entry.kind, entry.outcome) == SETTLED]
        return self.entries[max(settled, default=0) :]

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def _append(self, line: bytes) -> None:
        """Write the whole line, or nothing of it: a full disk may take a part."""
        assert self._file is not None
        end = self._file.tell()
        try:
            if self._file.write(line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(self._file.fileno())
        except OSError as error:
            self._file.seek(end)
            self._file.truncate()
            raise LedgerError(
                f"cannot write the ledger {self._path}: {error.strerror}. Make room and restart."
            ) from error

    def _load(self) -> None:
        """Read what is there; a last line without its end was cut by a crash before anyone was answered: drop it."""
        assert self._file is not None
        content = self._file.read()
        whole = content.rfind(b"\n") + 1
        for number, line in enumerate(content[:whole].splitlines(), start=1):
            try:
                values = json.loads(line)
                card = values.pop("card")
                entry = Entry(card=Card(**card) if card else None, **values)
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise LedgerError(f"line {number} of {self._path} is not a ledger entry. Name another file.") from error
            self.entries.append(entry)
        self._file.seek(whole)
        self._file.truncate()


def _sync_folder(folder: Path) -> None:
    """Make a new file's name durable; Windows does so by itself and cannot open folders."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
