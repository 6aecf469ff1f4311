"""What became of the sale: read back from Odoo and from the virtual terminal's ledger, and held against each other.

Nothing here knows what was clicked. Amounts are compared in cents.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from demokit.client import OdooClient, Record
from demokit.processes import wait_until
from demokit.terminals import EVERYTHING, TERMINALS, DemoTerminal

ORDER = ["name", "pos_reference", "state", "amount_total", "amount_paid", "session_id", "payment_ids", "date_order"]
PAYMENT = ["amount", "payment_method_id", "card_brand", "card_no", "payment_method_authcode", "transaction_id"]
PAYMENT += ["card_transaction_uuid", "card_terminal_id", "card_evidence", "payment_status", "session_id"]
TRANSACTION = ["uuid", "kind", "state", "amount_requested_minor", "amount_approved_minor", "currency_id", "brand"]
TRANSACTION += ["last4", "auth_code", "contract", "terminal_ref", "terminal_id", "exception", "payment_id", "virtual"]
EVENT = ["seq", "type", "at", "uuid", "body_text"]
LINE = ["move_id", "account_id", "name", "debit", "credit"]


@dataclass
class Evidence:
    """One order with all that stands behind it; `lines` and `export` are there once the session is closed.

    `codes` are those of the accounts; `waits_on` is the account of the contract that takes all cards, where one does.
    """

    order: Record
    payment: Record
    transaction: Record
    terminal: Record
    events: list[Record]
    ledger: list[Record]
    session: Record
    lines: list[Record] = field(default_factory=list)
    codes: dict[int, str] = field(default_factory=dict)
    waits_on: int | None = None
    export: Path | None = None

    @property
    def expected(self) -> DemoTerminal:
        """What this terminal says of a payment, and in which steps."""
        return TERMINALS[self.terminal["protocol"]]


def collect(client: OdooClient, ledger: Path) -> Evidence:
    """Read the one order of the database and what belongs to it; `LookupError` when there is not exactly one."""
    order = client.one("pos.order", [], ORDER)
    payment = client.one("pos.payment", [("pos_order_id", "=", order["id"]), ("is_change", "=", False)], PAYMENT)
    transaction = client.one("card.transaction", [("uuid", "=", payment["card_transaction_uuid"])], TRANSACTION)
    return Evidence(
        order,
        payment,
        transaction,
        client.one("card.terminal", [("id", "=", transaction["terminal_id"][0])], ["name", "uuid", "protocol"]),
        client.read("card.transaction.event", [("transaction_id", "=", transaction["id"])], EVENT, order="seq"),
        [json.loads(line) for line in ledger.read_text().splitlines()],
        client.one("pos.session", [("id", "=", order["session_id"][0])], ["name", "state", "move_id"]),
    )


def wait_for(client: OdooClient, ledger: Path) -> Evidence:
    """The same, once the driver's events have reached Odoo and found their payment."""

    def joined() -> Evidence | None:
        evidence = collect(client, ledger)
        return evidence if evidence.payment["card_evidence"] != "pending" else None

    return wait_until(joined, "the driver's events to reach Odoo")


def add_books(evidence: Evidence, client: OdooClient) -> None:
    """Read the journal entries that the closing of the session made."""
    session = evidence.session
    payments = client.read("account.payment", [("pos_session_id", "=", session["id"])], ["move_id"])
    moves = [record["move_id"][0] for record in (session, *payments) if record["move_id"]]
    evidence.lines = client.read("account.move.line", [("move_id", "in", moves)], LINE, order="move_id, id")
    accounts = sorted({line["account_id"][0] for line in evidence.lines})
    evidence.codes = {each["id"]: each["code"] for each in client.call("account.account", "read", accounts, ["code"])}
    contracts = client.read("card.contract", [("takes_others", "=", True)], ["outstanding_account_id"])
    evidence.waits_on = contracts[0]["outstanding_account_id"][0] if contracts else None


def export(client: OdooClient, path: Path) -> Path:
    """Download the CSV of card transactions, as an accountant does."""
    wizard = client.create("card.transaction.export", {})
    path.write_bytes(client.download(client.call("card.transaction.export", "action_export", [wizard])["url"]))
    return path


def problems(evidence: Evidence) -> list[str]:
    """Say what does not agree; an empty list means that all of it does."""
    order, payment, transaction = evidence.order, evidence.payment, evidence.transaction
    approved = [entry for entry in evidence.ledger if entry["outcome"] == "approved"]
    if len(approved) != 1:
        return [f"the terminal's ledger has {len(approved)} approvals, not one"]
    charged = approved[0]
    told = {name: charged[name] if name in evidence.expected.tells else "" for name in EVERYTHING}
    amount = cents(payment["amount"])
    claims: list[tuple[str, Any, Any]] = [
        ("the order's total and what the terminal charged", cents(order["amount_total"]), charged["amount"]),
        ("the payment and what the terminal charged", amount, charged["amount"]),
        ("the transaction and what the terminal charged", transaction["amount_approved_minor"], charged["amount"]),
        ("the currency", transaction["currency_id"][1], charged["currency"]),
        ("the authorisation of the payment", payment["payment_method_authcode"] or "", told["auth_code"]),
        ("the authorisation of the transaction", transaction["auth_code"] or "", told["auth_code"]),
        ("the card's brand", payment["card_brand"], charged["card"]["brand"]),
        ("the card's last four digits", payment["card_no"], charged["card"]["last4"]),
        ("the contract", transaction["contract"] or "", told["contract"]),
        ("the payment's terminal and the transaction's", payment["card_terminal_id"], transaction["terminal_id"]),
        ("the transaction's payment", (transaction["payment_id"] or [None])[0], payment["id"]),
        ("the transaction's exception", transaction["exception"], "none"),
        ("the payment's evidence", payment["card_evidence"], "matched"),
        ("the transaction's state", transaction["state"], "approved"),
        ("the driver's events", [event["type"] for event in evidence.events], [*evidence.expected.events]),
    ]
    if evidence.session["state"] == "closed":
        claims += _books(evidence, amount)
    else:
        claims.append(("the order's state", order["state"], "paid"))
    return [f"{what}: {found!r} is not {expected!r}" for what, found, expected in claims if found != expected]


def _books(evidence: Evidence, amount: int) -> list[tuple[str, Any, Any]]:
    debited = sum(cents(line["debit"]) for line in evidence.lines)
    credited = sum(cents(line["credit"]) for line in evidence.lines)
    card = [line for line in evidence.lines if line["move_id"][0] != evidence.session["move_id"][0]]
    claims: list[tuple[str, Any, Any]] = [
        ("the order's state", evidence.order["state"], "done"),
        ("debits and credits", debited, credited),
        ("the card money in the books", sum(cents(line["debit"]) for line in card), amount),
    ]
    if evidence.waits_on is not None:
        waiting = {line["account_id"][0] for line in card if line["debit"]}
        claims.append(("the account on which the card money waits", waiting, {evidence.waits_on}))
    if evidence.export is not None:
        rows = list(csv.reader(evidence.export.read_text(encoding="utf-8-sig").splitlines(), delimiter=";"))
        named = {evidence.order["pos_reference"], evidence.transaction["auth_code"] or ""}
        found = [row for row in rows if named.issubset(row)]
        claims.append(("rows of the export with this order and its authorisation", len(found), 1))
    return claims


def cents(amount: float) -> int:
    """Return an amount of euro in cents."""
    return round(amount * 100)
