"""What a driver had told the world by a certain moment, read from the bytes it sent, and whether a journal knows it.

Told is told: to a terminal (a request for money), to a till (a state), to Odoo (events). After a power cut the journal
must know each of these, or money is lost.
"""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: How a request for an amount looks on the wire, by protocol: the amount is a group.
ON_THE_WIRE = {"concert-v3": re.compile(rb"CB\d{3}(\d+)")}


@dataclass(frozen=True)
class Fact:
    """What was told: ``asked`` (amount), ``state`` (uuid, state), ``event`` (number, hash), ``journal`` (its id)."""

    kind: str
    what: tuple[Any, ...]


class Ears:
    """Hears what leaves on each connection, and understands it once a message is whole."""

    def __init__(self, protocol: str = "concert-v3") -> None:
        self._money = ON_THE_WIRE[protocol]
        self._buffers: dict[int, bytes] = {}

    def hear(self, fd: int, data: bytes) -> list[Fact]:
        """Return what these bytes complete."""
        buffer = self._buffers.get(fd, b"") + data
        if not buffer.startswith((b"HTTP/", b"POST ")):
            return [Fact("asked", (int(amount),)) for amount in self._money.findall(data)]
        facts: list[Fact] = []
        while (message := _message(buffer)) is not None:
            content, buffer = message
            facts += _facts(content)
        self._buffers[fd] = buffer
        return facts

    def close(self, fd: int) -> None:
        """Forget a connection."""
        self._buffers.pop(fd, None)


def _message(buffer: bytes) -> tuple[bytes, bytes] | None:
    """Return the content of the first HTTP message and what follows it, or None while it is not whole."""
    head, separator, rest = buffer.partition(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
    size = int(length[1]) if length else 0
    return (rest[:size], rest[size:]) if separator and len(rest) >= size else None


def _facts(content: bytes) -> list[Fact]:
    try:
        said = json.loads(content)
    except ValueError:
        return []
    facts = []
    if said.get("journal_id"):
        facts.append(Fact("journal", (said["journal_id"],)))
    if "state" in said and "uuid" in said:
        facts.append(Fact("state", (said["uuid"], said["state"])))
    facts += [Fact("event", (event["seq"], event["hash"])) for event in said.get("events", ())]
    return facts


def missing(facts: list[Fact], journal: Path) -> list[Fact]:
    """Return the facts that a journal file does not know."""
    with closing(sqlite3.connect(journal)) as db:
        (journal_id,) = db.execute("SELECT value FROM meta WHERE key = 'journal_id'").fetchone()
        rows = db.execute("SELECT seq, uuid, type, body, hash FROM events").fetchall()
    known: set[Fact] = {Fact("journal", (journal_id,))}
    amounts = {}
    for seq, uuid, kind, body, digest in rows:
        known |= {Fact("event", (seq, digest)), Fact("state", (uuid, kind))}
        if kind == "requested":
            amounts[uuid] = json.loads(body)["amount"]
        elif kind == "sent":
            known.add(Fact("asked", (amounts[uuid],)))
    return [fact for fact in facts if fact not in known]
