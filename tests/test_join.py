"""The join of what drivers reported and what tills booked, in either order."""

import uuid
from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import SQL

from .common import CardTerminalCase


@tagged("post_install", "-at_install")
class TestJoin(CardTerminalCase):
    def setUp(self):
        super().setUp()
        self.open()
        self.order, self.line = str(uuid.uuid4()), str(uuid.uuid4())

    def assertMatched(self, transaction, order):
        self.assertRecordValues(
            transaction,
            [
                {
                    "exception": "none",
                    "order_id": order.id,
                    "payment_id": order.payment_ids.id,
                    "session_id": self.pos_session.id,
                }
            ],
        )
        self.assertRecordValues(
            order.payment_ids,
            [
                {
                    "amount": 10.0,
                    "card_evidence": "matched",
                    "card_transaction_id": transaction.id,
                    "card_brand": "CB",
                    "card_no": "4242",
                    "card_type": "CB",
                    "payment_method_authcode": "A1B2C3",
                    "payment_method_payment_mode": "contactless",
                    "payment_ref_no": "00112233",
                    "transaction_id": transaction.uuid,
                    "ticket": "CARTE BANCAIRE\nMERCI",
                    "card_terminal_id": self.terminal.id,
                }
            ],
        )

    def versions(self, *records):
        """Return where the rows lie in their tables: PostgreSQL moves a row that is written."""
        self.env.flush_all()
        found = []
        for record in records:
            self.env.cr.execute(
                SQL("SELECT ctid::text FROM %s WHERE id = %s", SQL.identifier(record._table), record.id)
            )
            found.append(self.env.cr.fetchone())
        return found

    def test_a_paid_order_is_not_touched(self):
        """What certified tills require: evidence that comes after the payment leaves the order as it was hashed."""
        transaction = self.ask(self.order, self.line)
        order = self.paid_order(self.order, self.line, transaction)
        before = self.versions(order, *order.lines)
        self.approve(transaction)
        self.report()
        self.assertEqual(self.versions(order, *order.lines), before)
        self.assertMatched(self.transaction(transaction), order)

    def test_event_first(self):
        transaction = self.sell(self.order, self.line)
        self.assertEqual(transaction.exception, "approved_without_payment")
        self.assertTrue(transaction.needs_attention)
        order = self.paid_order(self.order, self.line, transaction.uuid)
        self.assertEqual(order.state, "paid")
        self.assertMatched(transaction, order)

    def test_order_first(self):
        transaction = self.ask(self.order, self.line)
        order = self.paid_order(self.order, self.line, transaction)
        self.assertEqual(order.state, "paid")
        self.assertEqual(order.payment_ids.card_evidence, "pending")
        self.approve(transaction)
        self.report()
        self.assertMatched(self.transaction(transaction), order)

    def test_the_till_hears_of_the_approval_before_odoo(self):
        transaction = self.ask(self.order, self.line)
        self.report()
        self.assertEqual(self.transaction(transaction).state, "sent")
        order = self.paid_order(self.order, self.line, transaction)
        self.assertEqual((order.state, order.payment_ids.card_evidence), ("paid", "pending"))
        self.approve(transaction)
        self.report()
        self.assertMatched(self.transaction(transaction), order)

    def test_what_came_at_the_same_moment_is_joined_at_the_next_contact(self):
        transaction = self.ask(self.order, self.line)
        self.approve(transaction)
        self.report()
        self.assertFalse(self.driver._not_joined(), "no order has come")
        with patch.object(self.registry["card.transaction"], "_join_orders", lambda *_: None):
            order = self.paid_order(self.order, self.line, transaction)
        self.assertEqual(self.transaction(transaction).exception, "approved_without_payment")
        self.report()
        self.assertMatched(self.transaction(transaction), order)

    def test_again_changes_nothing(self):
        transaction = self.sell(self.order, self.line)
        order = self.paid_order(self.order, self.line, transaction.uuid)
        before = self.versions(transaction, order.payment_ids)
        transaction._join()
        self.env["card.transaction"]._cron_join()
        self.env.flush_all()
        self.assertEqual(self.versions(transaction, order.payment_ids), before)
        self.assertMatched(transaction, order)

    def test_words_of_the_browser_are_overwritten(self):
        transaction = self.sell(self.order, self.line)
        forged = self.card_line(
            self.line,
            transaction.uuid,
            card_brand="GOLD",
            card_no="0000",
            payment_method_authcode="FORGED",
            ticket="FORGED",
        )
        order = self.sync(self.order_data(self.order, [forged]))
        self.assertMatched(transaction, order)

    def test_evidence_cannot_be_written_by_a_browser(self):
        transaction = self.sell(self.order, self.line)
        forged = self.card_line(str(uuid.uuid4()), None, card_evidence="matched", card_transaction_id=transaction.id)
        order = self.sync(self.order_data(str(uuid.uuid4()), [forged]))
        self.assertEqual(order.payment_ids.card_evidence, "exception")
        self.assertFalse(order.payment_ids.card_transaction_id)
        order.payment_ids.write({"card_evidence": "matched", "card_transaction_id": transaction.id})
        self.assertEqual(order.payment_ids.card_evidence, "exception")

    def test_invented_attempt(self):
        order = self.paid_order(self.order, self.line, str(uuid.uuid4()))
        self.assertEqual(order.payment_ids.card_evidence, "pending")
        self.report()
        self.assertEqual(order.payment_ids.card_evidence, "pending")

    def test_one_approval_is_booked_once(self):
        transaction = self.sell(self.order, self.line)
        order = self.paid_order(self.order, self.line, transaction.uuid)
        other = self.paid_order(str(uuid.uuid4()), str(uuid.uuid4()), transaction.uuid)
        self.assertMatched(transaction, order)
        self.assertEqual(other.payment_ids.card_evidence, "exception")
        self.assertFalse(other.payment_ids.card_transaction_id)

    def test_an_approval_of_another_order_proves_nothing(self):
        transaction = self.sell(self.order, self.line)
        order = self.paid_order(str(uuid.uuid4()), self.line, transaction.uuid)
        self.assertEqual(transaction.exception, "payment_differs")
        self.assertEqual(order.payment_ids.card_evidence, "exception")

    def test_amount_differs(self):
        transaction = self.ask(self.order, self.line)
        self.approve(transaction, amount=999)
        self.report()
        order = self.paid_order(self.order, self.line, transaction)
        self.assertEqual(self.transaction(transaction).exception, "payment_differs")
        self.assertEqual(order.payment_ids.card_evidence, "exception")

    def test_currency_differs(self):
        other = "CHF" if self.currency_name != "CHF" else "NOK"
        transaction = self.sell(self.order, self.line, currency=other)
        self.paid_order(self.order, self.line, transaction.uuid)
        self.assertEqual(transaction.exception, "payment_differs")

    def test_a_refund_is_negative(self):
        transaction = self.ask(self.order, self.line, kind="refund")
        self.approve(transaction)
        self.report()
        order = self.sync(self.order_data(self.order, [self.card_line(self.line, transaction, -10.0)], quantity=-1))
        self.assertRecordValues(
            self.transaction(transaction),
            [{"exception": "none", "payment_id": order.payment_ids.id, "amount_approved": 10.0, "amount_net": -10.0}],
        )

    def test_a_refund_booked_as_a_sale(self):
        transaction = self.ask(self.order, self.line, kind="refund")
        self.approve(transaction)
        self.report()
        self.paid_order(self.order, self.line, transaction)
        self.assertEqual(self.transaction(transaction).exception, "payment_differs")

    def test_second_attempt(self):
        declined = self.end(self.order, self.line, "declined")
        approved = self.sell(self.order, self.line)
        order = self.paid_order(self.order, self.line, approved.uuid)
        self.assertMatched(approved, order)
        self.assertRecordValues(declined, [{"exception": "none", "payment_id": False, "order_id": order.id}])

    def test_first_attempt_approved_after_all(self):
        first = self.end(self.order, self.line, "unknown")
        self.assertEqual(first.exception, "unknown")
        self.approve(first.uuid)
        self.report()
        self.assertEqual((first.state, first.exception), ("approved", "approved_without_payment"))

    def test_declined_line_counted_as_paid(self):
        transaction = self.ask(self.order, self.line)
        order = self.paid_order(self.order, self.line, transaction)
        self.journal.add("declined", transaction, state="declined", code="declined", text="Refused")
        self.report()
        self.assertEqual(order.payment_ids.card_evidence, "exception")

    def test_virtual_approval_on_a_normal_point_of_sale(self):
        transaction = self.ask(self.order, self.line)
        self.approve(transaction, virtual=True)
        self.report()
        order = self.paid_order(self.order, self.line, transaction)
        self.assertEqual(self.transaction(transaction).exception, "virtual_not_training")
        self.assertEqual(order.payment_ids.card_evidence, "exception")

    def test_virtual_approval_in_training(self):
        self.config.card_terminal_training = True
        transaction = self.ask(self.order, self.line)
        self.approve(transaction, virtual=True)
        self.report()
        order = self.paid_order(self.order, self.line, transaction)
        self.assertMatched(self.transaction(transaction), order)

    def test_contradiction_after_the_end(self):
        transaction = self.end(self.order, self.line, "declined")
        self.journal.add("late_answer", transaction.uuid, state="approved", amount_approved=1000)
        self.report()
        self.assertEqual((transaction.state, transaction.exception), ("declined", "disagrees"))
        self.assertIn("1000", transaction.disagreement)

    def test_late_answer_that_agrees(self):
        transaction = self.end(self.order, self.line, "declined")
        self.journal.add("late_answer", transaction.uuid, state="declined")
        self.report()
        self.assertEqual(transaction.exception, "none")

    def test_cron_joins_what_was_left_apart(self):
        transaction = self.sell(self.order, self.line)
        order = self.paid_order(self.order, self.line, transaction.uuid)
        self.part()
        self.env["card.transaction"]._cron_join()
        self.assertMatched(transaction, order)


@tagged("post_install", "-at_install")
class TestJoinInFrance(TestJoin):
    """The same in a French company, whose paid orders are hashed where l10n_fr_pos_cert is installed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.country_id = cls.env.ref("base.fr")
