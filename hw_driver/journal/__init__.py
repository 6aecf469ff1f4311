"""The driver's memory: what was asked of every terminal and what it answered, durable before anybody is told."""

from .errors import (
    IllegalTransition,
    JournalLocked,
    JournalUnavailable,
    KnownTransaction,
    NoSuchTransaction,
    NotRecorded,
)
from .journal import Journal
from .set_aside import SetAside, set_aside_beside
from .records import EVIDENCE, IDENTITY, LATE_ANSWER, NOT_KEPT, TRANSITIONS, Event, Record, outcome_body, outcome_of

__all__ = [
    "EVIDENCE",
    "IDENTITY",
    "LATE_ANSWER",
    "NOT_KEPT",
    "TRANSITIONS",
    "Event",
    "IllegalTransition",
    "Journal",
    "JournalLocked",
    "JournalUnavailable",
    "KnownTransaction",
    "NoSuchTransaction",
    "NotRecorded",
    "Record",
    "SetAside",
    "outcome_body",
    "outcome_of",
    "set_aside_beside",
]
