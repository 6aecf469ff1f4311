"""Entries of a session after closing, line by line, to the cent."""

import uuid

from odoo.tests import tagged

from .common import CardTerminalCase
from .common_currency import OtherCurrencyCase


@tagged("post_install", "-at_install")
class TestAccounting(CardTerminalCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.taxed = cls.create_product("Lunch", cls.categ_basic, 12.0, tax_ids=cls.taxes["tax10"].ids)
        cls.meal_account = cls.copy_account(cls.outstanding_bank, {"name": "Outstanding Meal Vouchers"})
        cls.meal_receivable = cls.copy_account(cls.pos_receivable_bank, {"name": "POS Receivable Meal Vouchers"})
        cls.meal_pm = cls.card_pm.copy({
            "name": "Meal vouchers",
            "outstanding_account_id": cls.meal_account.id,
            "receivable_account_id": cls.meal_receivable.id,
        })  # fmt: skip
        cls.meal_pm.write({"use_payment_terminal": "card_terminal"})
        cls.config.write({"payment_method_ids": [(4, cls.meal_pm.id)]})

    def setUp(self):
        super().setUp()
        self.session = self.open()

    def book(self, quantity, *cards, cash=0.0):
        """Sell (or take back) coffees at 10.00, paid by (method, amount) on the terminal and the rest in cash."""
        order = str(uuid.uuid4())
        payments = [self.cash_line(cash)] if cash else []
        for method, amount in cards:
            line = str(uuid.uuid4())
            minor = round(abs(amount) * 100)
            transaction = self.ask(order, line, minor, kind="refund" if amount < 0 else "sale")
            self.approve(transaction, minor)
            payments.append(self.card_line(line, transaction, amount, payment_method_id=method.id))
        self.report()
        booked = self.sync(self.order_data(order, payments, quantity=quantity))
        self.assertEqual(booked.state, "paid")
        return booked

    def close(self, cash=0.0):
        self.session.post_closing_cash_details(cash)
        self.assertEqual(self.session.close_session_from_ui(), {"successful": True})

    def assertEntry(self, move, *lines):
        """The entry is posted, balanced, and has exactly these (account, debit, credit)."""
        self.assertEqual(move.state, "posted")
        found = sorted((line.account_id.display_name, line.debit, line.credit) for line in move.line_ids)
        self.assertEqual(found, sorted((account.display_name, debit, credit) for account, debit, credit in lines))

    def assertReconciled(self, *accounts):
        for account in accounts:
            lines = self.env["account.move.line"].search(
                [("account_id", "=", account.id), ("parent_state", "=", "posted")]
            )
            self.assertTrue(lines)
            self.assertEqual(lines.mapped("amount_residual"), [0.0] * len(lines))

    def payment(self, method):
        payments = self.session.bank_payment_ids.filtered(lambda payment: payment.pos_payment_method_id == method)
        self.assertEqual(len(payments), 1)
        return payments

    def assertOutstanding(self, amount, method=None):
        """What the cards of a method paid waits on its outstanding account; its receivable is empty."""
        method = method or self.card_pm
        given = (amount, 0) if amount > 0 else (0, -amount)
        self.assertEntry(
            self.payment(method).move_id,
            (method.outstanding_account_id, *given),
            (method.receivable_account_id, *reversed(given)),
        )

    def test_one_sale(self):
        self.book(1, (self.card_pm, 10.0))
        self.close()
        self.assertEntry(self.session.move_id, (self.sales_account, 0, 10), (self.pos_receivable_bank, 10, 0))
        self.assertOutstanding(10)
        self.assertReconciled(self.pos_receivable_bank)

    def test_one_sale_with_tax(self):
        order, line = str(uuid.uuid4()), str(uuid.uuid4())
        sale = self.sell(order, line, 1200)
        data = self.create_ui_order_data([(self.taxed, 1)], payments=[], uuid=order)
        self.sync(
            {
                **data,
                "access_token": "t",
                "amount_paid": 12.0,
                "payment_ids": [self.card_line(line, sale.uuid, 12.0)],
                "state": "paid",
            }
        )
        self.close()
        self.assertEntry(
            self.session.move_id,
            (self.sales_account, 0, 10.91), (self.tax_received_account, 0, 1.09), (self.pos_receivable_bank, 12, 0),
        )  # fmt: skip
        self.assertOutstanding(12)

    def test_sale_and_refund(self):
        self.book(3, (self.card_pm, 30.0))
        self.book(-1, (self.card_pm, -10.0))
        self.close()
        self.assertEntry(
            self.session.move_id,
            (self.sales_account, 0, 30),
            (self.sales_account, 10, 0),
            (self.pos_receivable_bank, 20, 0),
        )
        self.assertOutstanding(20)
        self.assertReconciled(self.pos_receivable_bank)

    def test_only_a_refund(self):
        self.book(-1, (self.card_pm, -10.0))
        self.close()
        self.assertEntry(self.session.move_id, (self.sales_account, 10, 0), (self.pos_receivable_bank, 0, 10))
        payment = self.payment(self.card_pm)
        self.assertEqual((payment.payment_type, payment.amount), ("outbound", 10.0))
        self.assertOutstanding(-10)
        self.assertReconciled(self.pos_receivable_bank)

    def test_more_refunded_than_sold(self):
        self.book(1, (self.card_pm, 10.0))
        self.book(-3, (self.card_pm, -30.0))
        self.close()
        self.assertEntry(
            self.session.move_id,
            (self.sales_account, 0, 10),
            (self.sales_account, 30, 0),
            (self.pos_receivable_bank, 0, 20),
        )
        self.assertOutstanding(-20)
        self.assertReconciled(self.pos_receivable_bank)

    def test_sold_and_given_back_is_nothing(self):
        self.book(1, (self.card_pm, 10.0))
        self.book(-1, (self.card_pm, -10.0))
        self.close()
        self.assertEqual(sum(self.session.move_id.line_ids.mapped("balance")), 0)
        moved = (self.session.move_id | self.session.bank_payment_ids.move_id).line_ids
        self.assertEqual(
            sum(moved.filtered(lambda line: line.account_id == self.outstanding_bank).mapped("balance")), 0
        )
        self.assertEqual(sum(moved.filtered(lambda line: line.account_id == self.sales_account).mapped("balance")), 0)

    def test_partial_approval_and_cash(self):
        self.book(2, (self.card_pm, 12.34), cash=7.66)
        self.close(7.66)
        self.assertEntry(
            self.session.move_id,
            (self.sales_account, 0, 20), (self.pos_receivable_bank, 12.34, 0), (self.pos_receivable_cash, 7.66, 0),
        )  # fmt: skip
        self.assertOutstanding(12.34)
        self.assertReconciled(self.pos_receivable_bank, self.pos_receivable_cash)

    def test_half_cash_half_card(self):
        self.book(1, (self.card_pm, 5.0), cash=5.0)
        self.close(5.0)
        self.assertEntry(
            self.session.move_id,
            (self.sales_account, 0, 10), (self.pos_receivable_bank, 5, 0), (self.pos_receivable_cash, 5, 0),
        )  # fmt: skip
        (cash,) = self.session.statement_line_ids
        self.assertEntry(
            cash.move_id, (self.pos_receivable_cash, 0, 5), (self.cash_pm1.journal_id.default_account_id, 5, 0)
        )
        self.assertOutstanding(5)

    def test_two_card_methods(self):
        self.book(2, (self.card_pm, 8.5), (self.meal_pm, 11.5))
        self.book(-1, (self.meal_pm, -10.0))
        self.close()
        self.assertEntry(
            self.session.move_id,
            (self.sales_account, 0, 20), (self.sales_account, 10, 0),
            (self.pos_receivable_bank, 8.5, 0), (self.meal_receivable, 1.5, 0),
        )  # fmt: skip
        self.assertOutstanding(8.5)
        self.assertOutstanding(1.5, self.meal_pm)
        self.assertReconciled(self.pos_receivable_bank, self.meal_receivable)

    def test_an_open_question_is_not_booked(self):
        order, line = str(uuid.uuid4()), str(uuid.uuid4())
        unknown = self.end(order, line, "unknown")
        parked = self.sync(
            self.order_data(
                order, [self.card_line(line, unknown.uuid, state="unknown", status="cardUnknown")], state="draft"
            )
        )
        self.book(1, (self.card_pm, 10.0))
        self.assertFalse(self.session.close_session_from_ui()["successful"])
        unknown._settle_by_hand(paid=False, reason="Slip.")
        parked.payment_ids.unlink()
        parked.action_pos_order_cancel()
        self.close()
        self.assertEntry(self.session.move_id, (self.sales_account, 0, 10), (self.pos_receivable_bank, 10, 0))


@tagged("post_install", "-at_install")
class TestOtherCurrency(OtherCurrencyCase):
    def assertEntries(self, sign):
        session = self.pos_session
        self.assertEqual(session.close_session_from_ui(), {"successful": True})
        lines = (session.move_id | session.bank_payment_ids.move_id).line_ids
        balance = {
            account: (sum(found.mapped("balance")), sum(found.mapped("amount_currency")))
            for account, found in lines.grouped("account_id").items()
        }
        self.assertEqual(
            balance,
            {
                self.sales_account: (-10.0 * sign, -5.0 * sign),
                self.pos_receivable_bank: (0.0, 0.0),
                self.outstanding_bank: (10.0 * sign, 5.0 * sign),
            },
        )
        receivable = lines.filtered(lambda line: line.account_id == self.pos_receivable_bank)
        self.assertEqual(receivable.mapped("amount_residual"), [0.0, 0.0])

    def test_a_sale(self):
        self.open()
        self.assertEqual(self.currency.decimal_places, 3)
        self.assertEqual(self.book(1), 5.0)
        self.assertEntries(1)

    def test_only_a_refund(self):
        self.open()
        self.assertEqual(self.book(-1), -5.0)
        self.assertEntries(-1)
