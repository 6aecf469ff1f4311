"""A terminal used alone, its slip typed by hand: it counts on a manager's word, and is named as such."""

import uuid

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common_books import BooksCase


@tagged("post_install", "-at_install")
class TestTypedByHand(BooksCase):
    def setUp(self):
        super().setUp()
        self.typed = str(uuid.uuid4())

    def type(self, **changes):
        values = {"amount_minor": 1000, "slip": "000123", "auth_code": "778899", "last4": "4242", **changes}
        request = {
            "action": "typed_by_hand", "manager": None, "pin": None, "reason": "The network was down.",
            "uuid": values.pop("uuid", self.typed), "order": self.order, "line": values.pop("line", self.line),
            "values": values,
        }  # fmt: skip
        return self.session.with_user(self.manager).card_terminal_decide(request)

    def sold(self):
        """Type by hand, and sync the order as the till does then."""
        self.type()
        line = self.card_line(self.line, self.typed, state="settled_by_hand", card_journal_ref=False)
        return self.sync(self.order_data(self.order, [line]))

    def test_it_pays_and_says_what_it_is(self):
        order = self.sold()
        transaction = self.transaction(self.typed)
        self.assertRecordValues(transaction, [{
            "origin": "typed", "driver_id": False, "state": "settled_by_hand", "exception": "typed_by_hand",
            "slip": "000123", "last4": "4242", "amount_approved": 10.0, "settled_by": self.manager.id,
            "payment_id": order.payment_ids.id, "needs_attention": True,
        }])  # fmt: skip
        self.assertEqual((order.state, order.payment_ids.card_evidence), ("paid", "exception"))
        self.assertEqual(self.row(transaction).stage, "by_hand")

    def test_closing_shows_it_and_goes_on(self):
        self.sold()
        shown = self.session.get_closing_control_data()["card_terminal"]
        self.assertEqual(len(shown["typed_by_hand"]), 1)
        self.assertIn("000123", shown["typed_by_hand"][0])
        self.assertEqual(shown["problems"], [])
        self.close()
        self.assertBooks({self.sales_account: -10.0, self.outstanding_bank: 10.0})
        self.assertEqual(self.transaction(self.typed).exception, "typed_by_hand")

    def test_without_its_order_it_stops_the_closing(self):
        self.type()
        self.assertEqual(self.transaction(self.typed).exception, "approved_without_payment")
        self.assertFalse(self.session.close_session_from_ui()["successful"])

    def test_matched(self):
        order = self.sold()
        transaction = self.transaction(self.typed)
        with self.assertRaises(UserError):
            self.decide(transaction, "matched", settlement=" ")
        self.decide(transaction, "matched", settlement="Z-0042")
        self.assertEqual(
            (transaction.exception, transaction.matched_with, transaction.matched_by), ("none", "Z-0042", self.manager)
        )
        self.assertEqual(order.payment_ids.card_evidence, "matched")
        self.assertFalse(self.row(transaction))

    def test_no_settlement_shows_it(self):
        self.sold()
        transaction = self.transaction(self.typed)
        self.assertEqual(transaction._decision_actions(), ["matched", "not_paid"])
        self.decide(transaction, "not_paid")
        self.assertEqual(self.row(transaction).stage, "suspense")
        self.close()
        self.assertBooks({self.sales_account: -10.0, self.suspense: 10.0})
        self.decide(transaction, "matched", settlement="Z-0043")
        self.assertBooks({self.sales_account: -10.0, self.outstanding_bank: 10.0})
        self.assertSettled(self.suspense)

    def test_asked_again_is_the_same_one(self):
        self.type()
        self.type()
        self.assertEqual(len(self.transaction(self.typed)), 1)
        self.assertEqual(self.env["card.approval"].search_count([("result", "=", "done")]), 1)
        for changes in ({"amount_minor": 900}, {"slip": "000124"}, {"line": str(uuid.uuid4())}):
            with self.assertRaises(UserError):
                self.type(**changes)

    def test_a_refund(self):
        self.type(kind="refund")
        line = self.card_line(self.line, self.typed, -10.0, state="settled_by_hand")
        order = self.sync(self.order_data(self.order, [line], quantity=-1))
        self.assertEqual((order.state, self.transaction(self.typed).exception), ("paid", "typed_by_hand"))
        self.close()
        self.assertBooks({self.sales_account: 10.0, self.outstanding_bank: -10.0})

    def test_what_cannot_be_typed(self):
        for changes in (
            {"amount_minor": 0}, {"amount_minor": -5}, {"amount_minor": 10.0}, {"amount_minor": None}, {"slip": ""},
            {"slip": None}, {"slip": "4" * 33}, {"slip": "4970 1012 3456 7890"},
            {"auth_code": "4970101234567890"}, {"last4": "424"},
            {"last4": "49701012"}, {"kind": "preauth"}, {"uuid": "x"}, {"uuid": None},
        ):  # fmt: skip
            with self.subTest(changes=changes), self.assertRaises(UserError):
                self.type(**changes)
        self.assertFalse(self.env["card.transaction"].search([("origin", "=", "typed")]))

    def test_not_beside_an_open_question(self):
        unknown = self.end(self.order, self.line, "unknown")
        line = self.card_line(self.line, unknown.uuid, state="unknown", status="cardUnknown")
        self.sync(self.order_data(self.order, [line], state="draft"))
        with self.assertRaises(UserError):
            self.type()
        self.assertFalse(self.transaction(self.typed))

    def test_from_the_desk(self):
        line = self.forged()
        self.decide(line, "typed_by_hand", slip="000777")
        transaction = line.card_transaction_id
        self.assertEqual((transaction.slip, transaction.exception), ("000777", "typed_by_hand"))
        self.assertFalse(self.row(line))
        self.assertEqual(self.row(transaction).stage, "by_hand")
        self.close()
