"""Law 8: what goes back never exceeds what was approved, the unknown and the granted counted as done."""

import uuid
from datetime import timedelta
from unittest.mock import patch

import psycopg2.errors
from odoo import SUPERUSER_ID, api, fields
from odoo.exceptions import AccessError, UserError
from odoo.sql_db import db_connect
from odoo.tests import TransactionCase, tagged
from odoo.tools import mute_logger

from .common import KEY, CardTerminalCase, decode_grant


@tagged("post_install", "-at_install")
class TestRefunds(CardTerminalCase):
    def setUp(self):
        super().setUp()
        self.open()
        order, line = str(uuid.uuid4()), str(uuid.uuid4())
        self.sale = self.sell(order, line)
        self.sold = self.paid_order(order, line, self.sale.uuid)

    def grant(self, amount=1000, user=None, orders=None, **changes):
        return self.pos_session.with_user(user or self.cashier).card_terminal_refund_grant(
            {
                "uuid": str(uuid.uuid4()),
                "kind": "refund",
                "amount": amount,
                "currency": self.currency_name,
                "terminal": self.terminal.uuid,
                "refunded_order_ids": (self.sold if orders is None else orders).ids,
                "order": str(uuid.uuid4()),
                "line": str(uuid.uuid4()),
                **changes,
            }
        )

    def refund(self, state, amount=400, said=400):
        transaction = self.ask(
            str(uuid.uuid4()), str(uuid.uuid4()), amount, kind="refund", original={"uuid": self.sale.uuid}
        )
        if state == "approved":
            self.approve(transaction, said)
        elif state != "sent":
            self.journal.add(state, transaction, state=state, code=state)
        self.report()
        return transaction

    def assertLeft(self, amount):
        """Exactly this much may still go back."""
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self.grant(amount + 1)
        if amount:
            with self.env.cr.savepoint() as savepoint:
                self.grant(amount)
                savepoint.rollback()
            self.env.invalidate_all()

    def test_the_grant_is_over_exactly_this(self):
        request = {"uuid": str(uuid.uuid4()), "amount": 700}
        answer = self.grant(**request)
        self.assertEqual(answer["original"], self.sale.uuid)
        claims = decode_grant(answer["grant"], KEY)
        self.assertLessEqual(
            {
                "typ": "once",
                "drv": self.driver.uuid,
                "db": self.database_uuid,
                "uuid": request["uuid"],
                "kind": "refund",
                "max_amount": 700,
                "currency": self.currency_name,
                "terminal": self.terminal.uuid,
                "original": self.sale.uuid,
                "till": self.config.name,
                "user": "Cashier",
            }.items(),
            claims.items(),
        )
        self.assertAlmostEqual(claims["exp"], fields.Datetime.now().timestamp() + 600, delta=60)

    def test_all_of_it_once(self):
        self.assertLeft(1000)
        self.grant(1000)
        self.assertLeft(0)

    def test_grants_count_as_done(self):
        self.grant(400)
        self.assertLeft(600)

    def test_the_same_grant_again_counts_once(self):
        request = {"uuid": str(uuid.uuid4()), "amount": 400}
        first, second = self.grant(**request), self.grant(**request)
        self.assertEqual(first["original"], second["original"])
        self.assertLeft(600)
        with self.assertRaises(UserError):
            self.grant(uuid=request["uuid"], amount=401)

    def test_expired_grants_count_until_the_driver_has_reported_since(self):
        self.grant(400)
        grant = self.env["card.terminal.grant"].sudo().search([], limit=1)
        grant.expires = fields.Datetime.now() - timedelta(minutes=1)
        self.driver.caught_up_at = grant.expires - timedelta(minutes=1)
        self.assertLeft(600)
        self.report()
        self.assertLeft(1000)

    def test_refunds_in_every_state(self):
        for state, left in (
            ("approved", 600),
            ("unknown", 600),
            ("sent", 600),
            ("declined", 1000),
            ("cancelled", 1000),
            ("failed", 1000),
        ):
            with self.subTest(state), self.env.cr.savepoint() as savepoint:
                journal, self.journal = self.journal, self.journal.snapshot()
                self.refund(state)
                self.assertLeft(left)
                savepoint.rollback()
                self.env.invalidate_all()
                self.journal = journal

    def test_a_refund_that_names_no_original_is_counted_by_its_grant(self):
        request = {"uuid": str(uuid.uuid4()), "amount": 400}
        self.grant(**request)
        self.ask(str(uuid.uuid4()), str(uuid.uuid4()), 400, kind="refund", transaction=request["uuid"])
        self.approve(request["uuid"], 400)
        self.report()
        self.env["card.terminal.grant"].sudo().search([]).expires = fields.Datetime.now() - timedelta(days=1)
        self.assertLeft(600)

    def test_a_partial_refund_leaves_the_rest(self):
        self.refund("approved", 400, 300)
        self.assertLeft(700)

    def test_a_refund_settled_by_hand(self):
        transaction = self.transaction(self.refund("unknown"))
        self.assertLeft(600)
        transaction._settle_by_hand(paid=False, reason="Slip.")
        self.assertLeft(1000)

    def test_a_sale_that_is_not_known_cannot_be_given_back(self):
        order, line = str(uuid.uuid4()), str(uuid.uuid4())
        unknown = self.end(order, line, "unknown")
        parked = self.sync(
            self.order_data(
                order, [self.card_line(line, unknown.uuid, state="unknown", status="cardUnknown")], state="draft"
            )
        )
        with self.assertRaises(UserError):
            self.grant(100, orders=parked)

    def test_money_that_did_not_come_by_card(self):
        cash = self.sync(self.order_data(str(uuid.uuid4()), [self.cash_line()]))
        for orders in (cash, self.env["pos.order"]):
            with self.assertRaises(UserError):
                self.grant(100, orders=orders)
            self.assertIsNone(self.grant(100, orders=orders, user=self.env.user)["original"])

    def test_two_cards_on_one_order(self):
        order, lines = str(uuid.uuid4()), [str(uuid.uuid4()), str(uuid.uuid4())]
        sales = [self.sell(order, lines[0], 700), self.sell(order, lines[1], 300)]
        self.sold = self.sync(
            self.order_data(
                order, [self.card_line(lines[0], sales[0].uuid, 7.0), self.card_line(lines[1], sales[1].uuid, 3.0)]
            )
        )
        with self.assertRaises(UserError):
            self.grant(1000)
        self.assertEqual(self.grant(300)["original"], sales[1].uuid)
        self.assertEqual(self.grant(700)["original"], sales[0].uuid)
        self.assertLeft(0)

    def test_requests_that_make_no_sense(self):
        for changes in (
            {"amount": 0},
            {"amount": -1},
            {"amount": "10"},
            {"amount": 10.0},
            {"amount": True},
            {"kind": "sale"},
            {"kind": "settlement"},
            {"currency": "XXX"},
            {"terminal": str(uuid.uuid4())},
            {"terminal": None},
            {"uuid": "x"},
            {"uuid": None},
        ):
            with self.subTest(changes), self.assertRaises(UserError):
                self.grant(**changes)
        self.assertFalse(self.env["card.terminal.grant"].search_count([("session_id", "=", self.pos_session.id)]))

    def test_a_terminal_of_another_till(self):
        self.config.card_terminal_spare_ids = [(5,)]
        with self.assertRaises(UserError):
            self.grant(100, terminal=self.spare.uuid)

    def test_users_without_the_point_of_sale(self):
        nobody = self.cashier.copy({"login": "nobody", "group_ids": [(6, 0, self.env.ref("base.group_user").ids)]})
        with self.assertRaises(AccessError):
            self.grant(user=nobody)


@tagged("post_install", "-at_install")
class TestTwoTills(TransactionCase):
    """Two tills ask at the same moment, in two database transactions that commit."""

    def setUp(self):
        super().setUp()
        with self.real_cursor() as cr:
            self.sale, self.session = self.commit_sale(api.Environment(cr, SUPERUSER_ID, {}))
        self.addCleanup(self.clean)

    def real_cursor(self):
        """Return a cursor of its own, which the tests' transaction does not hold together."""
        return db_connect(self.env.cr.dbname).cursor()

    def commit_sale(self, env):
        """Return (id of an approved sale of 10.00, id of an open session), committed."""
        company = env["res.company"].search([("chart_template", "!=", False)], limit=1) or env.company
        env = env(context={"allowed_company_ids": company.ids})
        driver = env["card.terminal.driver"].create({"name": "Two tills", "company_id": company.id})
        driver.key = KEY
        terminal = env["card.terminal"].create({"name": "Two tills", "driver_id": driver.id, "host": "192.0.2.1"})
        journal = env["account.journal"].create(
            {"name": "Two tills", "code": "TWO", "type": "general", "company_id": company.id}
        )
        config = env["pos.config"].create(
            {
                "name": "Two tills",
                "journal_id": journal.id,
                "invoice_journal_id": journal.id,
                "company_id": company.id,
                "payment_method_ids": [(5,)],
                "card_terminal_id": terminal.id,
            }
        )
        session = env["pos.session"].create({"config_id": config.id, "user_id": env.uid})
        sale = env["card.transaction"].create(
            {
                "uuid": str(uuid.uuid4()),
                "driver_id": driver.id,
                "company_id": company.id,
                "kind": "sale",
                "state": "approved",
                "currency_id": session.currency_id.id,
                "amount_requested_minor": 1000,
                "amount_approved_minor": 1000,
                "order_uuid": str(uuid.uuid4()),
                "session_id": session.id,
                "config_id": config.id,
                "terminal_id": terminal.id,
            }
        )
        return sale.id, session.id

    def clean(self):
        with self.real_cursor() as cr:
            cr.execute("DELETE FROM card_terminal_grant WHERE session_id = %s", [self.session])
            cr.execute(
                "DELETE FROM card_transaction WHERE id = %s RETURNING driver_id, terminal_id, config_id", [self.sale]
            )
            driver, terminal, config = cr.fetchone()
            cr.execute("DELETE FROM pos_session WHERE id = %s", [self.session])
            cr.execute("DELETE FROM pos_config WHERE id = %s RETURNING journal_id", [config])
            cr.execute("DELETE FROM account_journal WHERE id = %s", cr.fetchone())
            cr.execute("DELETE FROM card_terminal WHERE id = %s", [terminal])
            cr.execute("DELETE FROM card_terminal_driver WHERE id = %s", [driver])

    def give(self, cr):
        """Grant 8.00 of the 10.00 in this database transaction."""
        env = api.Environment(cr, SUPERUSER_ID, {})
        session, sale = env["pos.session"].browse(self.session), env["card.transaction"].browse(self.sale)
        grants = env["card.terminal.grant"]
        request = {
            "uuid": str(uuid.uuid4()),
            "kind": "refund",
            "amount": 800,
            "currency": session.currency_id.name,
            "terminal": session.config_id.card_terminal_id.uuid,
        }
        order = env["pos.order"].new({"uuid": sale.order_uuid})
        with patch.object(
            type(grants), "_check", lambda self, session, request: (session.config_id.card_terminal_id, order)
        ):
            return grants._give(session, request)[1]

    def test_the_second_starts_over_and_is_refused(self):
        with self.real_cursor() as second:
            second.execute("SELECT 1")  # its view of the database begins before the first has committed
            with self.real_cursor() as first:
                self.assertEqual(self.give(first).id, self.sale)
            with mute_logger("odoo.sql_db"), self.assertRaises(psycopg2.errors.SerializationFailure):
                self.give(second)
            second.rollback()
            with self.assertRaises(UserError):
                self.give(second)
            second.rollback()
