"""At the counter: payments taken back, slips, cheques and settlements, with the real driver and terminals' bytes."""

from odoo.tests import tagged

from .common_tour import CardTourCase


@tagged("post_install", "-at_install")
class TestCounterTours(CardTourCase):
    def let(self, terminal, **options):
        """Set a terminal's options and wait until the driver has them."""
        record = self.env["card.terminal"].search([("name", "=", terminal)])
        record.options = options
        number = self.driver_record.configuration_number
        self.while_odoo_listens(lambda: self.taken(record.uuid, options), f"configuration {number}")

    def taken(self, uuid, options):
        try:
            told = self.ask_driver(f"/v1/terminals/{uuid}")["options"]
        except OSError:
            return False
        return {name: told[name] for name in options} == options

    def test_given_back_before_the_order_is_paid(self):
        self.counter.fault("partial")
        self.tour("card_terminal_given_back_before_paid")
        sale, reversal = self.delivered()
        self.assertEqual((sale.kind, reversal.kind), ("sale", "reversal"))
        self.assertEqual((reversal.state, reversal.original_uuid), ("approved", sale.uuid))
        order = self.orders()
        self.assertEqual(order.state, "paid")
        by_transaction = {line.card_transaction_id: line.amount for line in order.payment_ids}
        self.assertEqual(by_transaction[sale], 0.99)
        self.assertEqual(by_transaction[reversal], -0.99)
        self.assertEqual(sum(order.payment_ids.mapped("amount")), order.amount_total)
        self.assertFalse((sale | reversal).filtered("needs_attention"))
        self.assertEqual(self.counter.charges, [("sale", 99), ("reversal", 99)])

    def test_given_back_after_the_order_was_paid(self):
        self.let("Counter", tickets=True)
        self.main_pos_config.card_terminal_slips = False
        self.tour("card_terminal_given_back_after_paid")
        sale, reversal = self.delivered()
        self.assertEqual((reversal.kind, reversal.state, reversal.original_uuid), ("reversal", "approved", sale.uuid))
        sold, refunded = self.orders()
        self.assertEqual(refunded.refunded_order_id, sold)
        self.assertEqual((refunded.state, refunded.payment_ids.amount), ("paid", -1.98))
        self.assertEqual(refunded.payment_ids.card_transaction_id, reversal)
        self.assertIn("TICKET CLIENT", sold.payment_ids.ticket)
        self.assertEqual(self.counter.charges, [("sale", 198), ("reversal", 198)])

    def test_refunded_where_the_terminal_cannot_cancel(self):
        self.let("Counter", reversal=False)
        self.tour("card_terminal_refunded_where_it_cannot_cancel")
        sale, refund = self.delivered()
        self.assertEqual((refund.kind, refund.state, refund.original_uuid), ("refund", "approved", sale.uuid))
        self.assertEqual(self.counter.charges, [("sale", 198), ("refund", 198)])

    def test_cheque(self):
        """The terminal with the reader takes the cheque, whichever is chosen; what none takes is not offered."""
        self.let("Spare", accepts="card cheque")
        cheque, meal = self.card.copy({"name": "Cheque", "card_means": "cheque"}), self.card.copy(
            {"name": "Meal voucher", "card_means": "conecs"}
        )  # fmt: skip
        state, self.pos_session.state = self.pos_session.state, "closed"  # an open session keeps its methods
        self.main_pos_config.payment_method_ids |= cheque | meal
        self.pos_session.state = state
        self.tour("card_terminal_cheque")
        (transaction,) = self.delivered()
        self.assertEqual((transaction.state, transaction.terminal_id.name), ("approved", "Spare"))
        asked = transaction.event_ids.filtered(lambda event: event.type == "requested")
        self.assertEqual(asked.body["means"], "cheque")
        self.assertEqual(transaction.payment_id.payment_method_id, cheque)
        self.assertEqual(self.spare.charges, [("sale", 198)])

    def test_settled(self):
        self.let("Counter", settlement=True)
        self.tour("card_terminal_settled")
        _sale, settled = self.delivered()
        self.assertEqual((settled.kind, settled.state), ("settlement", "approved"))
        settlement = self.env["card.terminal.settlement"].search([("transaction_id", "=", settled.id)])
        self.assertEqual((settlement.number, settlement.count, settlement.amount), ("0042", 1, 1.98))
        self.assertEqual((settlement.source, settlement.typed_by), ("typed", self.pos_user))
