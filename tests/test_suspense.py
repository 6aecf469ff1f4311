"""Card money in suspense: exact entries, and 0.00 on the suspense account once the money has found its place."""

import uuid

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common_books import BooksCase
from .common_currency import OtherCurrencyCase


@tagged("post_install", "-at_install")
class TestSuspense(BooksCase):
    def test_no_account_no_entry(self):
        self.company.card_suspense_account_id = False
        loose = self.charge()
        with self.assertRaises(UserError):
            self.decide(loose, "suspense")
        self.assertBooks({})
        self.assertTrue(loose.needs_attention)

    def test_an_approval_without_an_order(self):
        loose = self.charge(1234)
        self.decide(loose, "suspense")
        self.assertBooks({self.outstanding_bank: 12.34, self.suspense: -12.34})
        move = loose.card_suspense_move_id
        self.assertEqual((move.state, move.journal_id), ("posted", self.config.journal_id))
        self.assertEqual(self.row(loose).stage, "suspense")
        self.assertEqual(self.env["card.approval"].search([("action", "=", "suspense")]).move_id, move)
        with self.assertRaises(UserError):
            self.decide(loose, "suspense")
        self.close()
        self.assertBooks({self.outstanding_bank: 12.34, self.suspense: -12.34})

    def test_the_till_brings_the_order_after_all(self):
        loose = self.charge()
        self.decide(loose, "suspense")
        self.paid_order(self.order, self.line, loose.uuid)
        self.assertFalse(loose.card_suspense_move_id)
        self.assertFalse(self.row(loose))
        self.assertBooks({})
        self.assertSettled(self.suspense)
        self.close()
        self.assertBooks({self.sales_account: -10.0, self.outstanding_bank: 10.0})

    def test_attached_later_in_another_session(self):
        loose = self.charge()
        self.decide(loose, "suspense")
        self.close()
        self.session = self.open()
        order = self.draft()
        self.decide(loose, "attach", order=order.uuid)
        self.assertEqual(len(loose.card_suspense_move_ids), 2)
        self.close()
        self.assertBooks({self.sales_account: -10.0, self.outstanding_bank: 10.0})
        self.assertSettled(self.suspense)

    def test_the_bank_has_paid_meanwhile(self):
        loose = self.charge()
        self.decide(loose, "suspense")
        entry = loose.card_suspense_move_id
        bank = self.company_data["default_journal_bank"].default_account_id
        paid = self.env["account.move"].create({"move_type": "entry", "line_ids": [
            (0, 0, {"account_id": bank.id, "balance": 10.0}),
            (0, 0, {"account_id": self.outstanding_bank.id, "balance": -10.0}),
        ]})  # fmt: skip
        paid.action_post()
        waiting = (entry | paid).line_ids.filtered(lambda line: line.account_id == self.outstanding_bank)
        waiting.reconcile()
        order = self.draft()
        self.decide(loose, "attach", order=order.uuid)
        self.assertTrue(all(waiting.mapped("reconciled")))  # what the bank matched stays matched
        self.assertSettled(self.suspense)
        self.close()
        self.assertBooks({self.sales_account: -10.0, bank: 10.0})

    def test_given_back_at_the_terminal(self):
        loose = self.charge()
        self.decide(loose, "suspense")
        refund = self.ask(None, None, 1000, kind="refund", original={"uuid": loose.uuid})
        self.approve(refund)
        self.report()
        self.assertBooks({})
        self.assertSettled(self.suspense)

    def test_money_that_went_back_without_an_order(self):
        loose = self.charge(500, kind="refund")
        self.decide(loose, "suspense")
        self.assertBooks({self.outstanding_bank: -5.0, self.suspense: 5.0})

    def test_the_terminal_approved_less(self):
        sale = self.charge(900)
        self.paid_order(self.order, self.line, sale.uuid)
        self.decide(sale, "suspense")
        self.assertBooks({self.outstanding_bank: -1.0, self.suspense: 1.0})
        self.close()
        self.assertBooks({self.sales_account: -10.0, self.outstanding_bank: 9.0, self.suspense: 1.0})

    def test_a_line_whose_money_never_came(self):
        line = self.forged()
        self.decide(line, "not_paid")
        self.assertEqual(self.row(line).stage, "suspense")
        self.close()
        self.assertBooks({self.sales_account: -10.0, self.suspense: 10.0})
        with self.assertRaises(UserError):
            self.decide(line, "not_paid")

    def test_a_line_whose_money_came_after_all(self):
        line = self.forged()
        self.decide(line, "not_paid")
        loose = self.sell(str(uuid.uuid4()), str(uuid.uuid4()))
        self.decide(loose, "attach", order=self.order)
        self.close()
        self.assertBooks({self.sales_account: -10.0, self.outstanding_bank: 10.0})
        self.assertSettled(self.suspense)

    def test_an_invoiced_order_whose_money_never_came(self):
        line = self.card_line(self.line, None, state=False, card_terminal_id=False, card_journal_ref=False)
        order = self.sync(self.order_data(
            self.order, [line], to_invoice=True, partner_id=self.customer.id
        ))  # fmt: skip
        payment = order.payment_ids
        self.assertTrue(order.account_move)
        self.assertEqual(payment._decision_order_state(), "invoiced")
        self.decide(payment, "not_paid")
        self.close()
        self.assertBooks({self.sales_account: -10.0, self.suspense: 10.0})
        self.assertEqual(order.account_move.amount_residual, 0.0)
        loose = self.sell(str(uuid.uuid4()), str(uuid.uuid4()))
        self.decide(payment, "attach", transaction=loose.uuid)
        self.assertBooks({self.sales_account: -10.0, self.outstanding_bank: 10.0})

    def test_a_virtual_approval_in_a_real_shop(self):
        transaction = self.ask(self.order, self.line)
        self.approve(transaction, virtual=True)
        self.report()
        self.paid_order(self.order, self.line, transaction)
        virtual = self.transaction(transaction)
        self.assertEqual(virtual._decision_actions(), ["not_paid", "acknowledge"])
        self.decide(virtual, "not_paid")
        self.close()
        self.assertBooks({self.sales_account: -10.0, self.suspense: 10.0})

    def test_settled_as_not_paid_and_approved_later(self):
        unknown = self.end(self.order, self.line, "unknown")
        self.decide(unknown, "force_cancel")
        self.approve(unknown.uuid, 800)
        self.report()
        self.assertEqual(unknown.exception, "disagrees")
        self.decide(unknown, "suspense")
        self.assertBooks({self.outstanding_bank: 8.0, self.suspense: -8.0})

    def test_settled_as_paid_and_declined_later(self):
        unknown = self.end(self.order, self.line, "unknown")
        self.decide(unknown, "force_done", amount_minor=1000)
        self.paid_order(self.order, self.line, unknown.uuid, state="paid")
        self.journal.add("declined", unknown.uuid, state="declined", code="declined", text="No")
        self.report()
        self.decide(unknown, "suspense")
        self.close()
        self.assertBooks({self.sales_account: -10.0, self.suspense: 10.0})

    def test_books_that_take_nothing_stop_no_order(self):
        loose = self.charge()
        self.decide(loose, "suspense")
        self.suspense.active = False
        order = self.sync(self.order_data(self.order, [self.card_line(self.line, loose.uuid)]))
        self.assertEqual(order.payment_ids.card_evidence, "matched")
        self.assertTrue(loose.card_suspense_move_id)
        told = self.env["card.notice"].search([("code", "=", "suspense_stays"), ("res_id", "=", loose.id)])
        self.assertIn(loose.card_suspense_move_id.name, told.text)
        self.assertEqual(self.row(loose).stage, "suspense")

    def test_two_card_methods_need_a_choice(self):
        other = self.card_pm.copy(
            {"name": "Meal", "outstanding_account_id": self.copy_account(self.outstanding_bank).id}
        )
        other.use_payment_terminal = "card_terminal"
        self.close()
        self.config.payment_method_ids = [(6, 0, (self.config.payment_method_ids | other).ids)]
        self.session = self.open()
        loose = self.charge()
        with self.assertRaises(UserError):
            self.decide(loose, "suspense")
        self.decide(loose, "suspense", method_id=other.id)
        self.assertBooks({other.outstanding_account_id: 10.0, self.suspense: -10.0})


@tagged("post_install", "-at_install")
class TestSuspenseOtherCurrency(OtherCurrencyCase, BooksCase):
    def test_in_both_currencies(self):
        loose = self.charge(5000)
        self.decide(loose, "suspense")
        self.assertBooks({self.outstanding_bank: 10.0, self.suspense: -10.0})
        lines = loose.card_suspense_move_id.line_ids
        self.assertEqual(sorted(lines.mapped("amount_currency")), [-5.0, 5.0])
        self.assertEqual(lines.currency_id, self.config.currency_id)
