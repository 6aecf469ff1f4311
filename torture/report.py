"""What the checker counts and finds, and when that breaks a promise."""

from __future__ import annotations

from collections import Counter, defaultdict
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
    stand: str = ""

    def __str__(self) -> str:
        where = f"{self.uuid or 'journal'}{self.stand and f' on {self.stand}'}"
        return f"{self.what} (law {self.law}) in history {self.history}, {where}: {self.text}"


@dataclass(slots=True)
class Report:
    """What was counted, by the kind of terminal, and what was found. Reports of several histories are added up.

    `possible`: charges whose answer no fault took away or altered, from the first byte of the request to the last of
    the answer, the driver alive throughout (late by less than the driver waits is not away); each must be `approved` in
    the journal, and `got` counts those that are. An approval the faults took is not expected, only welcome: where the
    terminal can report its last result, how many of those end with a person all the same is bounded (`PERSONS`):
    `persons` lists them.
    """

    counts: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    findings: list[Finding] = field(default_factory=list)
    persons: list[Finding] = field(default_factory=list)

    def count(self, stand: str, name: str) -> None:
        self.counts[stand][name] += 1

    def add(self, other: Report) -> None:
        for stand, counts in other.counts.items():
            self.counts[stand].update(counts)
        self.findings += other.findings
        self.persons += other.persons

    def total(self, name: str) -> int:
        return sum(counts[name] for counts in self.counts.values())

    def found(self, what: str, stand: str | None = None) -> int:
        """How many findings there are by this name, on one kind of terminal or on all."""
        return sum(finding.what == what and stand in (None, finding.stand) for finding in self.findings)

    @property
    def failed(self) -> bool:
        """Whether a promise is broken: an approval that was possible and is missing is a finding."""
        return bool(self.findings) or self.too_many_persons

    @property
    def too_many_persons(self) -> bool:
        return self.total("persons, can tell") * PERSONS > self.total("can tell")
