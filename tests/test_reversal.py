"""Cancelling an approved card payment on the terminal that took it: all of it, once, and only while none went back."""

import uuid

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..models.card_terminal_grant import NotHeardYet
from .common import KEY, decode_grant
from .common_grants import GrantCase


@tagged("post_install", "-at_install")
class TestReversal(GrantCase):
    def setUp(self):
        super().setUp()
        self.open()
        self.order_uuid, self.line_uuid = str(uuid.uuid4()), str(uuid.uuid4())
        self.sale = self.sell(self.order_uuid, self.line_uuid)
        self.asked = {
            "kind": "reversal", "amount": 1000, "refunded_order_ids": [], "original": self.sale.uuid,
            "order": self.order_uuid,
        }  # fmt: skip

    def give_back(self, kind, amount, state):
        """Let the driver report money that goes back of the sale, and return the transaction's uuid and its line's."""
        line = str(uuid.uuid4())
        transaction = self.ask(self.order_uuid, line, amount, kind=kind, original={"uuid": self.sale.uuid})
        self.report_end(transaction, state, amount)
        return transaction, line

    def test_a_payment_of_an_order_that_is_not_paid_yet(self):
        request = {"uuid": str(uuid.uuid4())}
        answer = self.grant(**request)
        claims = decode_grant(answer["grant"], KEY)
        wanted = {"typ": "once", "kind": "reversal", "max_amount": 1000, "original": self.sale.uuid, **request}
        self.assertLessEqual(wanted.items(), claims.items())

    def test_the_whole_of_it_only(self):
        for amount in (999, 1001, 1):
            self.assertRefused("", amount=amount)
        self.grant()

    def test_what_went_back_counts_however_it_ended(self):
        for kind in ("refund", "reversal"):
            for state, refused in (
                ("approved", True), ("unknown", True), ("sent", True), ("declined", False), ("failed", False),
            ):  # fmt: skip
                with self.subTest(kind=kind, state=state), self.undone():
                    self.give_back(kind, 1000 if kind == "reversal" else 1, state)
                    if refused:
                        self.assertRefused("")
                    else:
                        self.grant()

    def test_a_grant_that_was_given_counts(self):
        request = {"uuid": str(uuid.uuid4())}
        first = self.grant(**request)
        self.assertEqual(self.grant(**request)["original"], first["original"], "the same again after a lost answer")
        self.assertRefused("")
        self.assertRefused("", kind="refund", amount=1)

    def test_after_a_reversal_nothing_is_left_to_refund(self):
        self.give_back("reversal", 1000, "approved")
        self.assertRefused("", kind="refund", amount=1)

    def test_only_where_it_was_taken(self):
        self.assertRefused("Only the terminal that took", terminal=self.spare.uuid)

    def test_only_what_the_terminal_itself_approved(self):
        unknown = self.end(self.order_uuid, str(uuid.uuid4()), "unknown")
        self.assertRefused("", original=unknown.uuid)
        unknown._settle_by_hand(paid=True, reason="Slip.", amount_minor=1000)
        self.assertRefused("Only the terminal that took", original=unknown.uuid)

    def test_nobody_knows_of_what(self):
        for original in (None, "", str(uuid.uuid4()), ["x"]):
            self.assertRefused("not heard from", original=original)

    def test_the_till_hears_of_the_approval_before_odoo(self):
        sale = self.ask(self.order_uuid, str(uuid.uuid4()), 1000)
        self.report()
        with self.assertRaises(NotHeardYet), self.env.cr.savepoint():
            self.grant(original=sale)
        self.report_end(sale, "approved", 1000)
        self.grant(original=sale)

    def test_a_terminal_that_cannot(self):
        self.terminal.options = {"reversal": False}
        self.assertRefused("cannot do that")

    def test_the_due_comes_back(self):
        """The payment and its reversal both stand on the order; another payment takes their place."""
        sold = self.card_line(self.line_uuid, self.sale.uuid)
        draft = self.sync(self.order_data(self.order_uuid, [sold], state="draft"))
        reversal, line = self.give_back("reversal", 1000, "approved")
        back = self.card_line(line, reversal, -10.0, card_reversed_uuid=self.sale.uuid)
        paid = {"lines": [], "amount_paid": 10.0}  # the product and the first payment are there already
        order = self.sync(self.order_data(self.order_uuid, [back, self.cash_line()], **paid))
        self.assertEqual(order, draft)
        self.assertEqual((order.state, order.amount_paid), ("paid", 10.0))
        self.assertEqual(sorted(order.payment_ids.mapped("amount")), [-10.0, 10.0, 10.0])
        cards = order.payment_ids.filtered("card_transaction_uuid")
        self.assertEqual(cards.mapped("card_evidence"), ["matched", "matched"])
        self.assertFalse((self.sale | self.transaction(reversal)).filtered("needs_attention"))
        self.assertEqual(self.pos_session._card_problems(), [])
        self.pos_session.close_session_from_ui()
        self.assertEqual(self.pos_session.state, "closed")
        receivable = self.pos_receivable_bank
        lines = self.env["account.move.line"].search([
            ("account_id", "=", receivable.id), ("move_id.pos_session_ids", "in", self.pos_session.ids),
        ])  # fmt: skip
        self.assertAlmostEqual(sum(lines.mapped("balance")), 0)

    def test_an_order_whose_payment_was_cancelled_may_go(self):
        sold = self.card_line(self.line_uuid, self.sale.uuid)
        order = self.sync(self.order_data(self.order_uuid, [sold], state="draft"))
        with self.assertRaises(UserError), self.env.cr.savepoint():
            order.action_pos_order_cancel()
        reversal, line = self.give_back("reversal", 1000, "approved")
        back = self.card_line(line, reversal, -10.0, card_reversed_uuid=self.sale.uuid)
        self.sync(self.order_data(self.order_uuid, [back], state="draft", lines=[]))
        with self.assertRaises(UserError), self.env.cr.savepoint():
            order.remove_from_ui(order.ids)  # its payments would be deleted
        order.action_pos_order_cancel()
        self.assertEqual(order.state, "cancel")
        both = self.sale | self.transaction(reversal)
        both._join()
        self.assertEqual(set(both.mapped("exception")), {"none"})
        self.assertEqual(self.pos_session._card_problems(), [])
        self.pos_session.close_session_from_ui()
        self.assertEqual(self.pos_session.state, "closed")

    def test_an_unknown_reversal_freezes_the_order(self):
        sold = self.card_line(self.line_uuid, self.sale.uuid)
        self.sync(self.order_data(self.order_uuid, [sold], state="draft"))
        reversal, line = self.give_back("reversal", 1000, "unknown")
        back = self.card_line(line, reversal, -10.0, state="unknown", status="cardUnknown")
        order = self.sync(self.order_data(self.order_uuid, [back], state="draft"))
        self.assertEqual(len(order.payment_ids), 2)
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self.sync(self.order_data(self.order_uuid, [self.cash_line()]))

    def test_a_reversal_only_the_till_has_told_of(self):
        uuid_, line = str(uuid.uuid4()), str(uuid.uuid4())
        told = self.pos_session.with_user(self.cashier).card_terminal_answer({
            "uuid": uuid_, "answer": "paid", "terminal": self.terminal.uuid, "kind": "reversal", "amount": 1000,
            "order": self.order_uuid, "line": line,
        })  # fmt: skip
        self.assertEqual(told["state"], "unknown")
        self.assertEqual(self.transaction(uuid_).kind, "reversal")
