"""A shop with a paired driver, and a hand-written driver that makes signed events the way docs/api.md says.

It imports nothing from hw_driver: what it signs is the second opinion on what the addon verifies.
"""

import base64
import hashlib
import hmac
import json
import time
import uuid

from odoo import SUPERUSER_ID, fields
from odoo.addons.point_of_sale.tests.common import TestPoSCommon

KEY = "5a" * 32


def compact(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


class Journal:
    """The journal of a driver: numbered and chained events of the time `at`, and request bodies made of them."""

    at = "2026-03-01T12:00:00.000Z"

    def __init__(self, driver_uuid, database_uuid, journal_id=None):
        self.driver_uuid = driver_uuid
        self.database_uuid = database_uuid
        self.journal_id = journal_id or f"j-{uuid.uuid4()}"
        self.events = []
        self.add("journal_created")

    def add(self, kind, transaction="", /, **body):
        """Append an event and return it."""
        prev = self.events[-1]["hash"] if self.events else self.journal_id
        at = self.at
        seq = len(self.events) + 1
        digest = hashlib.sha256(prev.encode() + compact([seq, transaction, kind, at, body])).hexdigest()
        event = {"seq": seq, "uuid": transaction, "type": kind, "at": at, "body": body, "prev": prev, "hash": digest}
        self.events.append(event)
        return event

    def snapshot(self):
        """Return the journal as a snapshot of the machine would keep it."""
        twin = Journal(self.driver_uuid, self.database_uuid, self.journal_id)
        twin.events = list(self.events)
        return twin

    def payload(self, since=1, **changes):
        """Return the body with the events from number `since` on."""
        return {
            "driver": self.driver_uuid,
            "database_uuid": self.database_uuid,
            "journal_id": self.journal_id,
            "version": "1.0.0",
            "api": 1,
            "now": "2026-03-01T12:00:00.000Z",
            "url": "http://127.0.0.1:8765",
            "last": len(self.events),
            "configuration": 0,
            "events": self.events[since - 1 :],
            **changes,
        }


def signature(body, key=KEY, at=None):
    """Return the signature header of a request body."""
    at = int(time.time()) if at is None else at
    digest = hmac.new(bytes.fromhex(key), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


class CardTerminalCase(TestPoSCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.driver = cls.env["card.terminal.driver"].create({"name": "Till 1", "company_id": cls.company.id})
        cls.driver.key = KEY
        cls.terminal, cls.spare = cls.env["card.terminal"].create(
            [
                {"name": "Counter", "driver_id": cls.driver.id, "protocol": "concert-v3", "host": "192.0.2.10"},
                {"name": "Terrace", "driver_id": cls.driver.id, "protocol": "concert-v3", "host": "192.0.2.11"},
            ]
        )
        cls.card_pm = cls.env["pos.payment.method"].create(
            {
                "name": "Card",
                "journal_id": cls.company_data["default_journal_bank"].id,
                "receivable_account_id": cls.pos_receivable_bank.id,
                "outstanding_account_id": cls.outstanding_bank.id,
                "payment_method_type": "terminal",
                "use_payment_terminal": "card_terminal",
                "company_id": cls.company.id,
            }
        )
        cls.config = cls.basic_config
        cls.config.write(
            {
                "payment_method_ids": [(6, 0, (cls.cash_pm1 | cls.card_pm).ids)],
                "card_terminal_id": cls.terminal.id,
                "card_terminal_spare_ids": [(6, 0, cls.spare.ids)],
            }
        )
        cls.product = cls.create_product("Coffee", cls.categ_basic, 10.0)
        cls.database_uuid = cls.env["ir.config_parameter"].get_param("database.uuid")
        cls.cashier = cls.env["res.users"].create(
            {
                "name": "Cashier",
                "login": "card_cashier",
                "company_id": cls.company.id,
                "company_ids": [(6, 0, cls.company.ids)],
                "group_ids": [
                    (6, 0, [cls.env.ref("base.group_user").id, cls.env.ref("point_of_sale.group_pos_user").id])
                ],
            }
        )

    def setUp(self):
        super().setUp()
        self.journal = Journal(self.driver.uuid, self.database_uuid)

    def open(self):
        """Open a session and return it."""
        return self.open_new_session(0)

    def report(self, journal=None, since=None):
        """Let the driver report what Odoo does not have, and return Odoo's answer."""
        journal = journal or self.journal
        return self.receive(journal.payload(since or self.driver.last_seq + 1))

    def receive(self, payload, driver=None):
        """Hand a request body to Odoo, as the controller does, and return the answer."""
        return (driver or self.driver).with_user(SUPERUSER_ID)._receive(payload)

    def ask(self, order, line, amount=1000, kind="sale", transaction=None, **changes):
        """Journal the request of a transaction and return its uuid."""
        transaction = transaction or str(uuid.uuid4())
        self.journal.add(
            "requested",
            transaction,
            **{
                "terminal": self.terminal.uuid,
                "kind": kind,
                "amount": amount,
                "currency": self.currency_name,
                "till": self.config.name,
                "session": self.config.current_session_id.name,
                "order": order,
                "line": line,
                "operator": "Cashier",
                "reference": "",
                "original": None,
                **changes,
            },
        )
        self.journal.add("sent", transaction)
        return transaction

    def approve(self, transaction, amount=1000, **changes):
        """Journal an approval."""
        self.journal.add(
            "approved",
            transaction,
            **{
                "state": "approved",
                "code": "approved",
                "text": "Approved",
                "amount_approved": amount,
                "brand": "CB",
                "last4": "4242",
                "auth_code": "A1B2C3",
                "entry_mode": "contactless",
                "application": "CB",
                "contract": "0012345",
                "terminal_ref": "00112233",
                "receipt": "CARTE BANCAIRE\nMERCI",
                **changes,
            },
        )

    def sell(self, order, line, amount=1000, **changes):
        """Journal a whole approved transaction, report it, and return it."""
        transaction = self.ask(order, line, amount, **changes)
        self.approve(transaction, amount)
        self.report()
        return self.transaction(transaction)

    def end(self, order, line, state, amount=1000, **changes):
        """Journal a transaction that ended in another state, report it, and return it."""
        transaction = self.ask(order, line, amount, **changes)
        self.journal.add(state, transaction, state=state, code=state, text=state)
        self.report()
        return self.transaction(transaction)

    def transaction(self, transaction_uuid):
        return self.env["card.transaction"].search([("uuid", "=", transaction_uuid)])

    def part(self):
        """Leave approvals and payments apart, as two database transactions that do not see each other do."""
        self.env.flush_all()
        self.env.cr.execute("""
            UPDATE card_transaction
               SET payment_id = NULL, exception = 'approved_without_payment', needs_attention = true;
            UPDATE pos_payment SET card_transaction_id = NULL, card_evidence = 'pending', card_brand = NULL;
        """)
        self.env.invalidate_all()

    @property
    def currency_name(self):
        return self.config.currency_id.name

    def card_line(self, line, transaction, amount=10.0, state="approved", status="done", **changes):
        """Return a card payment line as the till sends it."""
        return (
            0,
            0,
            {
                "uuid": line,
                "name": fields.Datetime.now(),
                "amount": amount,
                "payment_method_id": self.card_pm.id,
                "payment_status": status,
                "card_transaction_uuid": transaction,
                "card_terminal_id": self.terminal.id,
                "card_driver_ref": self.driver.uuid,
                "card_journal_ref": self.journal.journal_id,
                "card_state": state,
                **changes,
            },
        )

    def cash_line(self, amount=10.0):
        return (
            0,
            0,
            {
                "uuid": str(uuid.uuid4()),
                "name": fields.Datetime.now(),
                "amount": amount,
                "payment_method_id": self.cash_pm1.id,
            },
        )

    def order_data(self, order, payments, state="paid", quantity=1, **changes):
        """Return an order of coffees as the till sends it."""
        data = self.create_ui_order_data([(self.product, quantity)], payments=[], uuid=order)
        paid = sum(line[2].get("amount", 0) for line in payments)
        return {
            **data,
            "access_token": f"token-{order}",
            "amount_paid": paid,
            "payment_ids": payments,
            "state": state,
            **changes,
        }

    def sync(self, *orders, user=None):
        """Send orders to Odoo as the till does; return them."""
        model = self.env["pos.order"].with_user(user) if user else self.env["pos.order"]
        model.sync_from_ui([json.loads(json.dumps(order, default=str)) for order in orders])
        return self.env["pos.order"].search([("uuid", "in", [order["uuid"] for order in orders])])

    def paid_order(self, order, line, transaction, amount=10.0, **changes):
        """Sync an order of one coffee that was paid by card."""
        return self.sync(self.order_data(order, [self.card_line(line, transaction, amount)], **changes))


def decode_grant(grant, key):
    """Return the claims of a grant whose signature is right (docs/api.md 1.2)."""
    kid, payload, sign = grant.split(".")
    digest = hmac.new(bytes.fromhex(key), f"{kid}.{payload}".encode(), hashlib.sha256).digest()
    assert kid == "odoo" and base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == sign
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
