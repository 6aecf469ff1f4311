"""What must hold before a transaction may start, and how the API starts, finds and cancels one.

The rules read the journal and refuse; they are run by the terminal right before the intent is journalled, with nothing
awaited in between, so that two presses at the same moment cannot both pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..journal import NOT_KEPT, Event, Journal, KnownTransaction, Record
from ..protocols.states import (
    ASKED_KINDS,
    EARLIER_KINDS,
    ENDED_WITHOUT_CHARGE,
    GRANTED_KINDS,
    MONEY_KINDS,
    OPEN,
    Kind,
    State,
)
from ..terminal import Terminal
from ..transaction import Transaction
from .driver import Driver
from .grants import Caller
from .problems import Problem


async def put(driver: Driver, uuid: str, asked: Mapping[str, Any]) -> tuple[Transaction, bool]:
    """Start a transaction, or find the one this uuid already names; say whether it is new."""
    body = {"reference": "", **asked, "uuid": uuid}
    if known := driver.transaction(uuid):
        return same(driver, known, body), False
    driver.may_sell()
    await driver.terminals.settle()
    terminal = driver.configured(body["terminal"])
    check_possible(terminal, body)
    if body["kind"] in ASKED_KINDS:
        return await terminal.ask(body), True
    try:
        return await terminal.start(body, check=lambda: check_rules(driver.journal, body)), True
    except KnownTransaction:
        found = driver.transaction(uuid)
        if found is None:
            raise
        return same(driver, found, body), False


async def cancel(driver: Driver, uuid: str) -> Transaction:
    """Ask the terminal to give up."""
    transaction = find(driver, uuid)
    return await driver.configured(terminal_of(driver, transaction)).cancel(uuid)


def find(driver: Driver, uuid: str) -> Transaction:
    """Return a transaction, or refuse."""
    transaction = driver.transaction(uuid)
    if transaction is None:
        raise Problem("no_such_transaction", "This driver's journal does not know this transaction.")
    return transaction


def look(driver: Driver, uuid: str) -> Transaction:
    """Find a transaction for a till; one that is not known makes the driver ask the terminal, if it can and may."""
    transaction = find(driver, uuid)
    terminal = driver.terminals.get(terminal_of(driver, transaction))
    if transaction.state is State.UNKNOWN and transaction.ended and terminal and not driver.stopping:
        terminal.asked_about(uuid)
        return find(driver, uuid)
    return transaction


def event_for(caller: Caller, journal: Journal, event: Event) -> dict[str, Any]:
    """Return an event as its caller may see it: of terminals the grant does not name, number and type alone."""
    if caller.terminals is None:
        return event.as_json()
    record = journal.get(event.uuid) if event.uuid else None
    terminal = record.terminal if record else event.body.get("terminal")
    return event.as_json() if terminal and caller.sees(terminal) else {"seq": event.seq, "type": event.type}


def terminal_of(driver: Driver, transaction: Transaction) -> str:
    """Return the id of the terminal a transaction is on."""
    return str(transaction.as_json(driver.journal.journal_id)["terminal"])


def same(driver: Driver, known: Transaction, body: Mapping[str, Any]) -> Transaction:
    """Return the known transaction if it was asked for with the same content (all but `not_after`)."""
    if known.record is None:  # an identify, which is not journalled
        told = known.as_json(driver.journal.journal_id)
        equal = told["kind"] == body["kind"] and told["terminal"] == body["terminal"]
    else:
        equal = comparable(known.record.body) == comparable(body)
    if not equal:
        raise Problem(
            "other_body",
            "This payment was already started with another content. Start a new one.",
            transaction=known.as_json(driver.journal.journal_id),
        )
    return known


def comparable(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members that make two requests the same; an empty member and a missing one are."""
    told = {name: value for name, value in body.items() if value not in ("", None)}
    return {name: value for name, value in told.items() if name not in NOT_KEPT}


def check_possible(terminal: Terminal, body: Mapping[str, Any]) -> None:
    """Refuse what the terminal cannot do, and amounts its protocol has no words for."""
    info, able = terminal.info, terminal.able
    kind, amount = Kind(body["kind"]), body["amount"]
    if kind not in able.kinds:
        raise Problem("not_supported", f"This terminal has no {kind}. Use another terminal or another way to pay.")
    if (means := body.get("means") or "card") not in able.means:
        label = info.means.get(means, means)
        raise Problem("not_supported", f"This terminal does not take this: {label}. Use another terminal.")
    if body.get("receipt") and not able.e_receipts:
        raise Problem("not_supported", "This terminal sends no slips to customers. Leave the address out.")
    if body.get("forced") and not able.forced:
        raise Problem("not_supported", "This terminal takes no authorisation given by telephone.")
    if kind not in MONEY_KINDS:
        if amount:
            raise Problem("bad_amount", f"No money moves in a {kind}: its amount must be 0.")
        return
    if amount <= 0:
        raise Problem("bad_amount", "The amount must be more than zero.")
    if amount > info.max_amount:
        raise Problem("bad_amount", "The amount is too large for this terminal.")
    if not body["currency"]:
        raise Problem("bad_currency", "The currency is missing.")
    for name in ("order", "line"):
        if not body[name]:
            raise Problem("malformed", f"'{name}' is empty: a payment belongs to an order and a line.")


def check_rules(journal: Journal, body: Mapping[str, Any]) -> None:
    """Refuse what the journal forbids: a second charge of the same line or order, a refund above what was paid."""
    if Kind(body["kind"]) not in MONEY_KINDS:
        return
    if blocking := blocking_record(journal, body):
        raise Problem(
            "line_not_ended",
            "Another card payment of this order is not settled yet. Settle it first; do not take the card again.",
            transaction={"uuid": blocking.uuid, "state": blocking.state, "terminal": blocking.terminal},
        )
    kind, original = Kind(body["kind"]), (body.get("original") or {}).get("uuid") or ""
    if kind in EARLIER_KINDS:
        check_earlier(journal, journal.get(original), kind, body)
    if kind is Kind.TIP:
        check_tip(journal, original)
    elif original and kind in GRANTED_KINDS:
        check_refund(journal, original, body)


def check_earlier(journal: Journal, earlier: Record | None, kind: Kind, body: Mapping[str, Any]) -> None:
    """Refuse to reverse or complete what the terminal's own memory cannot hold, or not the whole of it."""
    if earlier is None:
        detail = f"This driver's journal does not know the payment that the {kind} is for. Refund it instead."
        raise Problem("no_such_transaction", detail)
    if earlier.kind not in EARLIER_KINDS[kind]:
        raise Problem("bad_kind", f"There is no {kind} of a {earlier.kind}.")
    if earlier.terminal != body["terminal"]:
        raise Problem("not_supported", "Another terminal took this payment: choose that one, or refund it instead.")
    if kind is Kind.REVERSAL and body["amount"] < approved(earlier) + tips(journal, earlier.uuid):
        raise Problem("bad_amount", "A reversal takes back the whole payment. Refund a part of it instead.")


def blocking_record(journal: Journal, body: Mapping[str, Any]) -> Record | None:
    """Return the transaction that keeps this line or order from another attempt."""
    original = (body.get("original") or {}).get("uuid") if body["kind"] in EARLIER_KINDS else None
    of_line = [record for record in journal.of_line(body["line"]) if record.state not in ENDED_WITHOUT_CHARGE]
    of_order = [record for record in journal.of_order(body["order"]) if record.state in OPEN]
    for record in (*of_line, *of_order):
        free = record.kind not in MONEY_KINDS or record.uuid == original or settled_unpaid(record)
        if not free:
            return record
    return None


def check_refund(journal: Journal, original: str, body: Mapping[str, Any]) -> None:
    """Refuse more than was approved; a sale that this journal does not know is Odoo's to judge."""
    sale = journal.get(original)
    if sale is None:
        return
    if sale.kind is Kind.PREAUTH and body["kind"] == Kind.REFUND:
        raise Problem("bad_kind", "Nothing was paid yet: this amount is only held. Release it with a reversal.")
    if sale.body["currency"] != body["currency"]:
        raise Problem("bad_currency", f"The sale was paid in {sale.body['currency']}; refund it in the same currency.")
    later = [record for record in journal.of_original(original) if record.kind in MONEY_KINDS - {Kind.TIP}]
    refunded = sum(map(moved_at_most, later))
    left = max(approved(sale) + tips(journal, original) - refunded, 0)
    if body["amount"] > left:
        raise Problem("over_refund", "More would be refunded than was paid by card.", left=left)


def check_tip(journal: Journal, original: str) -> None:
    """Refuse a second tip for a payment, and one for a payment of which something was given back, or may have been."""
    if any(moved_at_most(record) for record in journal.of_original(original) if record.kind in MONEY_KINDS):
        raise Problem("bad_kind", "This payment has a tip already, or was given back: no tip can be added.")


def tips(journal: Journal, original: str) -> int:
    """Return the minor units that were certainly added to a payment afterwards."""
    return sum(approved(record) for record in journal.of_original(original) if record.kind is Kind.TIP)


def approved(record: Record) -> int:
    """Return the minor units that were certainly paid."""
    if record.state is State.APPROVED and record.outcome:
        return record.outcome.amount_approved or 0
    paid_by_hand = record.state is State.SETTLED_BY_HAND and not settled_unpaid(record)
    return int(record.body["amount"]) if paid_by_hand else 0


def moved_at_most(record: Record) -> int:
    """Return the minor units a transaction moved, or may have moved: what is open or unknown counts as done."""
    return int(record.body["amount"]) if record.state in OPEN else approved(record)


def settled_unpaid(record: Record) -> bool:
    """Say whether a person found that nothing was charged."""
    return record.state is State.SETTLED_BY_HAND and not record.settled.get("paid")
