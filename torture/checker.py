"""The checker: terminals' ledgers, journals and Odoo side by side. It imports nothing of the driver.

Journals are read as the SQLite files they are (tables `events`, `transactions`), ledgers and Odoo as data.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .history import REPAIRED, Charge, History
from .report import Finding, Report

OPEN = ("requested", "sent", "unknown")
WITHOUT_CHARGE = ("declined", "cancelled", "failed")
MONEY_STATES = (*OPEN, "approved", *WITHOUT_CHARGE, "settled_by_hand")
KINDS = ("sale", "refund", "reversal")

#: Bytes were changed in a way that the protocol cannot see: counted apart, whatever came of it.
UNDETECTABLE = frozenset({"digit_changed", "digit_changed_in_request"})
#: Faults after which a terminal's answer still arrives, whole and in time.
ANSWER_ARRIVES = frozenset(
    {
        "delayed",
        *(
            f"terminal:{name}"
            for name in [
                "abort",
                "busy",
                "close_at_once",
                "data_in_ack",
                "decline",
                "extra_tags",
                "glued",
                "keep_open",
                "late",
                "locked",
                "long_reason",
                "no_amount",
                "no_minutes",
                "partial",
                "print_container",
                "signature",
                "split",
                "timeout",
                "tip",
                "twice",
                "unknown_field",
                "zero_padded",
            ]
        ),
    }
)


@dataclass(slots=True)
class _Transaction:
    """One uuid as a journal tells it."""

    uuid: str
    body: dict[str, Any]
    state: str
    outcome: dict[str, Any]
    settled: dict[str, Any]
    journal: int
    steps: list[tuple[int, str]] = field(default_factory=list)
    heard: int | None = None

    @property
    def ended_unpaid(self) -> bool:
        return self.state in WITHOUT_CHARGE or (self.state == "settled_by_hand" and not self.settled.get("paid"))

    def state_at(self, seq: int) -> str:
        """Its state right before event `seq`."""
        return next((kind for number, kind in reversed(self.steps) if number < seq), "")

    def when(self, kind: str) -> int | None:
        return next((number for number, word in self.steps if word == kind), None)


class _Journal:
    """One journal file."""

    def __init__(self, db: sqlite3.Connection, number: int) -> None:
        self.number = number
        self.chain: list[tuple[int, str, str, str, str]] = []
        self.transactions: dict[str, _Transaction] = {}
        self.id = ""
        if not db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'meta'").fetchone()[0]:
            return
        row = db.execute("SELECT value FROM meta WHERE key = 'journal_id'").fetchone()
        self.id = row[0] if row else ""
        query = "SELECT uuid, state, body, outcome, settled FROM transactions"
        for uuid, state, body, outcome, settled in db.execute(query):
            asked, said, word = ({} if text == "{}" else json.loads(text) for text in (body, outcome, settled))
            self.transactions[uuid] = _Transaction(uuid, asked, state, said, word, number)
        self.chain = list(db.execute("SELECT seq, uuid, type, prev, hash FROM events ORDER BY seq"))
        for seq, uuid, kind, _, _ in self.chain:
            if kind in MONEY_STATES and uuid in self.transactions:
                self.transactions[uuid].steps.append((seq, kind))
            elif kind == "heard" and uuid in self.transactions and self.transactions[uuid].heard is None:
                self.transactions[uuid].heard = seq


def check(history: History) -> Report:
    """Compare everything a history left behind."""
    return _Check(history).report


class _Check:
    def __init__(self, history: History) -> None:
        self.history = history
        self.report = Report()
        self.journals = [_Journal(db, number) for number, db in enumerate(history.journals)]
        self.transactions: dict[str, _Transaction] = {}
        for journal in sorted(self.journals, key=lambda journal: len(journal.chain)):  # a copy knows less
            self.transactions.update(journal.transactions)
        strikes = history.notes.strikes
        self.altered = {uuid for uuid, names in strikes.items() if UNDETECTABLE & set(names)}
        self.altered_orders = {self._order(uuid) for uuid in self.altered}
        self.charges: dict[str, list[Charge]] = defaultdict(list)
        for charge in history.notes.charges:
            if not charge.uuid:
                self.report.count(history.stands[charge.terminal], "typed on the terminal")
            elif charge.outcome == "approved":
                self.charges[charge.uuid].append(charge)
        self._count()
        self._findings(self._chains())
        self._findings(self._written_ahead())
        self._findings(self._taken_ahead())
        self._findings(self._told_ahead())
        self._findings(self._doubles())
        self._findings(self._losses())
        self._findings(self._inventions())
        for journal in self.journals:
            self._findings(self._frozen(journal))
            self._findings(self._given_back(journal))
            self._findings(self._one_at_a_time(journal))
        self._findings(("fault", 0, "", text) for text in history.faults)

    def _findings(self, found: Iterable[tuple[str, int, str, str]]) -> None:
        for what, law, uuid, text in found:
            if uuid and (uuid in self.altered or self._order(uuid) in self.altered_orders):
                self.report.count(self._stand(uuid), "consequences of undetectable corruption")
            else:
                self.report.findings.append(Finding(what, law, self.history.number, uuid, text, self._stand(uuid)))

    def _stand(self, uuid: str) -> str:
        transaction = self.transactions.get(uuid)
        return self.history.stands[transaction.body["terminal"]] if transaction else ""

    def _order(self, uuid: str) -> str:
        """The sale's order: refunds and reversals belong to the sale they take back."""
        transaction = self.transactions.get(uuid)
        if transaction is None:
            return f"none of {uuid}"
        original = (transaction.body.get("original") or {}).get("uuid", "")
        return self._order(original) if original in self.transactions else str(transaction.body.get("order"))

    # -- counts

    def _count(self) -> None:
        strikes = self.history.notes.strikes
        for uuid, transaction in self.transactions.items():
            counts = self.report.counts[self._stand(uuid)]
            counts[f"{transaction.body['kind']}s"] += 1
            counts[transaction.state] += 1
            counts["struck"] += bool(strikes.get(uuid))
            if uuid in self.altered:
                counts["undetectably corrupted"] += 1
                continue
            tells = "can tell" if transaction.body["terminal"] in self.history.reporting else "cannot tell"
            counts[tells] += 1
            if transaction.when("unknown") and transaction.state in ("approved", *WITHOUT_CHARGE):
                counts[f"told late, {tells}"] += 1
            if transaction.state in ("unknown", "settled_by_hand"):
                counts[f"persons, {tells}"] += 1
                if tells == "can tell":
                    text = f"{transaction.state} in the end, struck by {strikes.get(uuid)}"
                    found = Finding("person", 3, self.history.number, uuid, text, self._stand(uuid))
                    self.report.persons.append(found)
        for uuid in self.history.notes.marks:
            if uuid not in self.transactions:
                self.report.count("", "never arrived")
        for uuid, charges in self.charges.items():
            counts = self.report.counts[self.history.stands[charges[0].terminal]]
            counts["charged"] += len(charges)
            if uuid in self.altered or not _answer_arrives(strikes.get(uuid, ())):
                continue
            counts["possible"] += 1
            found = self.transactions.get(uuid)
            if found is not None and found.state == "approved":
                counts["got"] += 1
            else:
                self._findings([("missed", 4, uuid, f"nothing touched it, and it is {found and found.state}")])

    # -- law 12: numbered, chained, and the same in Odoo

    def _chains(self) -> Iterator[tuple[str, int, str, str]]:
        seen: dict[tuple[str, int], str] = {}
        for journal in self.journals:
            before, expected = journal.id, 1
            for seq, _, _, prev, digest in journal.chain:
                if seq != expected or prev != before:
                    yield "gap", 12, "", f"event {expected} is missing, or does not follow the one before"
                if seen.setdefault((journal.id, seq), digest) != digest:
                    yield "forked", 12, "", f"two stories are told under number {seq} of one journal"
                before, expected = digest, seq + 1
        current = self.journals[-1]
        for seq, _, _, _, digest in current.chain:
            told = self.history.odoo_events.get((current.id, seq))
            if told is None:
                yield "untold", 12, "", f"Odoo has no event {seq}"
            elif told["hash"] != digest:
                yield "forked", 12, "", f"Odoo was told another event {seq}"

    # -- law 1: journalled and durable before it is sent, and before it is told

    def _written_ahead(self) -> Iterator[tuple[str, int, str, str]]:
        for written in self.history.notes.written:
            journal = self.journals[written.journal]
            transaction = journal.transactions.get(written.uuid)
            sent = transaction.when("sent") if transaction else None
            if sent is None or sent > written.durable:
                yield "unwritten", 1, written.uuid, f"bytes left at {written.at:.3f} s before the intent was durable"

    def _taken_ahead(self) -> Iterator[tuple[str, int, str, str]]:
        for taken in self.history.notes.taken:
            transaction = self.journals[taken.journal].transactions.get(taken.uuid)
            if transaction is None or transaction.heard is None or transaction.heard > taken.durable:
                yield "unwritten", 1, taken.uuid, f"its result was taken at {taken.at:.3f} s before it was durable"

    def _told_ahead(self) -> Iterator[tuple[str, int, str, str]]:
        for told in self.history.notes.told:
            if told.state not in MONEY_STATES:
                continue
            transaction = self.journals[told.journal].transactions.get(told.uuid)
            if transaction is None:
                transaction = self.transactions.get(told.uuid)
            at = transaction.when(told.state) if transaction else None
            if at is None or (transaction and transaction.journal == told.journal and at > told.durable):
                yield "unwritten", 1, told.uuid, f"a till was told {told.state} before that was durable"

    # -- laws 2 and 7: one uuid, one request; one payment line, one charge

    def _doubles(self) -> Iterator[tuple[str, int, str, str]]:
        requests: Counter[str] = Counter(written.uuid for written in self.history.notes.written if not written.again)
        for uuid, count in requests.items():
            if count > 1:
                yield "repeated", 2, uuid, f"the request left {count} times"
        lines: dict[str, list[Charge]] = defaultdict(list)
        for uuid, charges in self.charges.items():
            if len(charges) > 1:
                yield "doubled", 2, uuid, f"charged {len(charges)} times"
            lines[self._line(uuid)] += charges
        for charges in lines.values():
            if len({charge.uuid for charge in charges}) > 1:
                yield "doubled", 7, charges[1].uuid, f"its payment line was charged {len(charges)} times"

    def _line(self, uuid: str) -> str:
        transaction = self.transactions.get(uuid)
        return str(transaction.body["line"]) if transaction else uuid

    # -- laws 3 and 6: whatever was charged is known, or known to be unknown, in the journal and in Odoo

    def _losses(self) -> Iterator[tuple[str, int, str, str]]:
        for transaction in self.transactions.values():
            in_use = transaction.journal == self.journals[-1].number
            if transaction.state in ("requested", "sent") and in_use:
                yield "stuck", 3, transaction.uuid, f"still {transaction.state} when everything was mended"
        for uuid, charges in self.charges.items():
            amount = charges[0].amount
            transaction = self.transactions.get(uuid)
            odoo = self.history.odoo_transactions.get(uuid)
            if transaction is None:
                if not self._on_the_till(uuid):
                    yield "lost", 6, uuid, f"{amount} charged, and no journal knows it"
                continue
            if not _knows(transaction, amount):
                said = f"{transaction.state} {transaction.outcome.get('amount_approved', '')}".strip()
                yield "lost", 3, uuid, f"{amount} charged, and the journal says {said}"
            elif not (odoo and _odoo_knows(odoo, amount)) and not self._on_the_till(uuid):
                yield "lost", 6, uuid, f"{amount} charged, and Odoo says {odoo and odoo['state']}"

    def _on_the_till(self, uuid: str) -> bool:
        """Where an older journal was put back, the till's mark on the line (law 12) is what keeps it unknown."""
        return self.history.restored and uuid in self.history.notes.marks

    def _inventions(self) -> Iterator[tuple[str, int, str, str]]:
        """Law 4: only the terminal's word approves, and of this very transaction."""
        for uuid, transaction in self.transactions.items():
            charged = [charge.amount for charge in self.charges.get(uuid, ())]
            if transaction.state == "approved" and transaction.outcome.get("amount_approved") not in charged:
                yield "invented", 4, uuid, f"approved {transaction.outcome.get('amount_approved')}, charged {charged}"
            for charge in self.charges.get(uuid, ()):
                if charge.asked != transaction.body["amount"]:
                    yield "altered", 5, uuid, f"{transaction.body['amount']} was to be asked, {charge.asked} was"

    # -- law 7, as the journal tells it

    def _frozen(self, journal: _Journal) -> Iterator[tuple[str, int, str, str]]:
        orders: dict[str, list[_Transaction]] = defaultdict(list)
        for transaction in journal.transactions.values():
            if transaction.body["kind"] == "sale" and transaction.steps:
                orders[transaction.body["order"]].append(transaction)
        for attempts in orders.values():
            for later in attempts:
                begun = later.steps[0][0]
                for earlier in attempts:
                    state = earlier.state_at(begun)
                    free = state in (*WITHOUT_CHARGE, "") or (state == "settled_by_hand" and earlier.ended_unpaid)
                    same_line = earlier.body["line"] == later.body["line"]
                    if earlier is not later and not free and (same_line or state in OPEN):
                        yield "not frozen", 7, later.uuid, f"begun while {earlier.uuid} was {state}"

    # -- law 8

    def _given_back(self, journal: _Journal) -> Iterator[tuple[str, int, str, str]]:
        of: dict[str, list[_Transaction]] = defaultdict(list)
        for transaction in journal.transactions.values():
            if original := (transaction.body.get("original") or {}).get("uuid"):
                of[original].append(transaction)
        for uuid, backs in of.items():
            paid = sum(charge.amount for charge in self.charges.get(uuid, ()))
            back = sum(charge.amount for one in backs for charge in self.charges.get(one.uuid, ()))
            if back > paid and uuid in journal.transactions:
                yield "over-refunded", 8, uuid, f"{back} given back of {paid}"
            sale = journal.transactions.get(uuid)
            for one in backs if sale else ():
                held = sum(_moved_at_most(other, one.steps[0][0]) for other in backs if other is not one)
                if held + one.body["amount"] > max(paid, sale.body["amount"] if sale else 0):
                    yield "over-refunded", 8, one.uuid, f"{one.body['amount']} asked with {held} already given back"

    # -- law 9

    def _one_at_a_time(self, journal: _Journal) -> Iterator[tuple[str, int, str, str]]:
        holder: dict[str, str] = {}
        for seq, uuid, kind, _, _ in journal.chain:
            transaction = journal.transactions.get(uuid)
            if transaction is None or kind not in MONEY_STATES:
                continue
            terminal = transaction.body["terminal"]
            held = holder.get(terminal, uuid)
            if kind == "sent" and held != uuid:
                yield "two at once", 9, uuid, f"sent to terminal {terminal} while {held} was under way (event {seq})"
            if kind == "sent":
                holder[terminal] = uuid
            elif held == uuid:
                holder.pop(terminal, None)


def _answer_arrives(strikes: Iterable[str]) -> bool:
    """Whether a terminal's answer arrives for all these faults: a check byte sees one damage, two may look right."""
    repaired = [strike for strike in strikes if strike.startswith(REPAIRED)]
    return len(repaired) <= 1 and ANSWER_ARRIVES.issuperset(set(strikes).difference(repaired))


def _knows(transaction: _Transaction, amount: int) -> bool:
    match transaction.state:
        case "approved":
            return bool(transaction.outcome.get("amount_approved") == amount)
        case "settled_by_hand":
            return bool(transaction.settled.get("paid"))
    return transaction.state in OPEN


def _odoo_knows(told: dict[str, Any], amount: int) -> bool:
    match told["state"]:
        case "approved":
            return bool(told["amount"] == amount)
        case "settled_by_hand":
            return bool(told["paid"])
    return told["state"] in OPEN


def _moved_at_most(transaction: _Transaction, seq: int) -> int:
    """What it had moved, or may have moved, when event `seq` came."""
    state = transaction.state_at(seq)
    if state in OPEN:
        return int(transaction.body["amount"])
    if state == "approved":
        return int(transaction.outcome.get("amount_approved") or 0)
    paid = state == "settled_by_hand" and not transaction.ended_unpaid
    return int(transaction.body["amount"]) if paid else 0
