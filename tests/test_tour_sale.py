"""Sales and refunds by card at the till, as the cashier and the cardholder do them."""

from odoo.tests import tagged

from .common_tour import CardTourCase


@tagged("post_install", "-at_install")
class TestSaleTours(CardTourCase):
    def test_approved(self):
        self.tour("card_terminal_approved")
        (transaction,) = self.delivered()
        order = self.orders()
        self.assertEqual(order.state, "paid")
        self.assertEqual((transaction.state, transaction.amount_approved_minor), ("approved", 198))
        self.assertEqual(transaction.payment_id, order.payment_ids)
        self.assertEqual(order.payment_ids.card_evidence, "matched")
        self.assertEqual(order.payment_ids.payment_method_authcode, transaction.auth_code)
        self.assertEqual(self.counter.charges, [("sale", 198)])

    def test_declined_then_retried(self):
        self.counter.fault("decline")
        self.tour("card_terminal_declined_then_retried")
        first, second = self.delivered()
        self.assertEqual((first.state, second.state), ("declined", "approved"))
        self.assertEqual(first.payment_uuid, second.payment_uuid, "the same line was tried again")
        self.assertNotEqual(first.uuid, second.uuid, "as a new attempt")
        self.assertEqual(self.orders().payment_ids.card_transaction_id, second)
        self.assertEqual(self.counter.charges, [("sale", 198)])

    def test_aborted_then_cash(self):
        self.tour("card_terminal_aborted_then_cash")
        (transaction,) = self.delivered()
        self.assertEqual(transaction.state, "cancelled")
        self.assertEqual(self.orders().payment_ids.payment_method_id, self.cash_method())
        self.assertEqual(self.counter.charges, [])

    def test_partial(self):
        self.counter.fault("partial")
        self.tour("card_terminal_partial")
        (transaction,) = self.delivered()
        self.assertEqual(transaction.amount_approved_minor, 99)
        by_method = {line.payment_method_id: line.amount for line in self.orders().payment_ids}
        self.assertEqual(by_method, {self.card: 0.99, self.cash_method(): 0.99})
        self.assertEqual(self.counter.charges, [("sale", 99)])

    def test_refund(self):
        self.tour("card_terminal_refund")
        sale, refund = self.delivered()
        self.assertEqual((sale.kind, refund.kind), ("sale", "refund"))
        self.assertEqual((refund.state, refund.original_uuid), ("approved", sale.uuid))
        sold, refunded = self.orders()
        self.assertEqual(sold.payment_ids.card_transaction_id, sale)
        self.assertEqual((refunded.state, refunded.payment_ids.amount), ("paid", -1.98))
        self.assertEqual(refunded.payment_ids.card_transaction_id, refund)
        self.assertEqual(self.counter.charges, [("sale", 198), ("refund", 198)])

    def test_refund_of_a_cash_sale_is_refused(self):
        self.tour("card_terminal_refund_refused")
        self.assertFalse(self.delivered(), "nothing was asked of a terminal")
        self.assertEqual(self.orders().payment_ids.payment_method_id, self.cash_method())
        self.assertEqual(self.counter.charges, [])

    def test_spare(self):
        self.counter.stop()
        self.tour("card_terminal_unplugged_then_spare")
        failed, approved = self.delivered()
        self.assertEqual((failed.state, failed.terminal_id.name), ("failed", "Counter"))
        self.assertEqual((approved.state, approved.terminal_id.name), ("approved", "Spare"))
        self.assertEqual(self.spare.charges, [("sale", 198)])

    def cash_method(self):
        return self.main_pos_config.payment_method_ids.filtered("is_cash_count")


@tagged("post_install", "-at_install")
class TestInterruptedTours(CardTourCase):
    def test_reload_while_waiting(self):
        self.tour("card_terminal_reload_while_waiting")
        (transaction,) = self.delivered()
        self.assertEqual(transaction.state, "approved")
        self.assertEqual(self.orders().payment_ids.card_transaction_id, transaction)
        self.assertEqual(self.counter.charges, [("sale", 198)])

    def test_approved_while_another_is_served(self):
        self.tour("card_terminal_approved_while_another_is_served")
        (transaction,) = self.delivered()
        paid = self.orders().filtered(lambda order: order.state == "paid")
        self.assertEqual(paid.payment_ids.card_transaction_id, transaction)
        self.assertEqual(self.counter.charges, [("sale", 198)])

    def test_busy_then_spare(self):
        """Two customers pay at the same time, each on a terminal."""
        self.tour("card_terminal_busy_then_spare")
        on_counter, on_spare = self.delivered()
        self.assertEqual((on_counter.terminal_id.name, on_spare.terminal_id.name), ("Counter", "Spare"))
        self.assertEqual((self.counter.charges, self.spare.charges), ([("sale", 198)], [("sale", 198)]))
        self.assertEqual(set(self.orders().mapped("state")), {"paid"})

    def test_driver_not_running(self):
        """It has run before, so that the browser could still show its words of then."""
        self.tour("card_terminal_driver_stopped")
        by_card, by_cash = self.orders()
        self.assertEqual((by_card.state, by_cash.state), ("paid", "paid"))
        self.assertEqual(by_cash.payment_ids.payment_method_id.is_cash_count, True)
        self.assertEqual(self.counter.charges, [("sale", 198)])

    def test_unknown(self):
        terminal = self.replay_terminal("cut_after_charge:30")
        self.tour("card_terminal_unknown")
        unknown, after = self.delivered()
        self.assertEqual((unknown.state, after.state), ("unknown", "approved"))
        self.assertEqual(len(terminal.ledger), 2, "each card was charged once")
        frozen = self.orders().filtered(lambda order: order.uuid == unknown.order_uuid)
        self.assertEqual(frozen.state, "draft")
        self.assertEqual(frozen.payment_ids.card_state, "unknown")
        answer = self.env["card.terminal.answer"].search([("transaction_id", "=", unknown.id)])
        self.assertEqual((answer.answer, answer.authorisation, answer.state), ("paid", "123456", "provisional"))
