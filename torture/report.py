"""What the checker counts and finds, and when that breaks a promise."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

#: Where a terminal can report its last result, at most one transaction in so many may end with a person.
PERSONS = 1000


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that must not be. `what` is a word to count by; `law` the law of money it breaks."""

    what: str
    law: int
    history: int
    uuid: str
    text: str

    def __str__(self) -> str:
        return f"{self.what} (law {self.law}) in history {self.history}, {self.uuid or 'journal'}: {self.text}"


@dataclass(slots=True)
class Report:
    """What was counted, and what was found. Reports of several histories are added up.

    `possible`: charges whose answer no fault took away or altered, from the first byte of the request to the last of
    the answer, the driver alive throughout (late by less than the driver waits is not away); each must be `approved` in
    the journal, and `got` counts those that are. An approval the faults took is not expected, only welcome: where the
    terminal can report its last result, how many of those end with a person all the same is bounded (`PERSONS`).
    """

    counts: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    def add(self, other: Report) -> None:
        self.counts.update(other.counts)
        self.findings += other.findings

    @property
    def lost(self) -> int:
        return self._count("lost")

    @property
    def doubled(self) -> int:
        return self._count("doubled")

    @property
    def others(self) -> int:
        return len(self.findings) - self.lost - self.doubled

    @property
    def failed(self) -> bool:
        """Whether a promise is broken."""
        short = self.counts["got"] < self.counts["possible"]
        return bool(self.findings) or short or self.too_many_persons

    @property
    def too_many_persons(self) -> bool:
        return self.counts["persons reporting"] * PERSONS > self.counts["asked reporting"]

    def _count(self, what: str) -> int:
        return sum(finding.what == what for finding in self.findings)
