"""Law 7 on the server: an order with an open card question is neither paid, cancelled nor deleted."""

from odoo import api, models
from odoo.exceptions import UserError

from ..hw_driver.protocols.states import OPEN, State
from .card_money import total


class PosOrder(models.Model):
    _inherit = "pos.order"

    @api.model
    def sync_from_ui(self, orders):
        uuids = [order.get("uuid") for order in orders]
        result = super().sync_from_ui(orders)
        self.env["card.transaction"]._join_orders(self.search([("uuid", "in", uuids)]))
        return result

    def write(self, vals):
        if vals.get("state") in {"paid", "cancel"}:
            self._refuse_card_question()
        if vals.get("state") == "cancel":
            self._refuse_card_money(going=self)  # its payments stay, so what was given back may go with it
        return super().write(vals)

    @api.model
    def remove_from_ui(self, server_ids):
        orders = self.search([("id", "in", server_ids), ("state", "=", "draft")])
        orders._refuse_card_question()
        orders._refuse_card_money()
        return super().remove_from_ui(server_ids)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_card_money(self):
        self._refuse_card_question()
        self._refuse_card_money()

    def _compute_amount_paid(self):
        counted = self.payment_ids.filtered(lambda line: line._card_counts())
        return total(counted.mapped("amount"), self.currency_id)

    def _compute_prices(self):
        result = super()._compute_prices()
        for order in self:
            uncounted = order.payment_ids.filtered(lambda line: not line._card_counts())
            if uncounted:
                counted = (order.payment_ids - uncounted).mapped("amount")
                order.amount_paid = total(counted, order.currency_id)
                order.amount_return = -total((amount for amount in counted if amount < 0), order.currency_id)
                order.amount_difference = total((order.amount_paid, -order.amount_total), order.currency_id)
        return result

    # Card questions ---------------------------------------------------------------------------------------------------

    def _open_card_transactions(self):
        """Return the transactions of these orders that are under way or not known, as far as Odoo has heard."""
        transactions = self.env["card.transaction"].sudo().search([
            ("order_uuid", "in", self.mapped("uuid")), ("state", "in", [state.value for state in OPEN])
        ])  # fmt: skip
        # A till begins the next attempt on a line only when the last has ended, perhaps before Odoo has heard of it.
        approved = self.sudo().payment_ids.filtered(lambda line: line._card_said_approved())
        attempts, lines = approved.mapped("card_transaction_uuid"), approved.mapped("uuid")
        return transactions.filtered(
            lambda record: (
                record.state == State.UNKNOWN or (record.uuid not in attempts and record.payment_uuid not in lines)
            )
        )

    def _refuse_card_question(self):
        """Raise where an order is frozen by a card payment that is under way or not known."""
        open_ones = self._open_card_transactions()
        frozen = self.filtered(
            lambda order: (
                order.uuid in open_ones.mapped("order_uuid")
                or any(line._card_is_open() for line in order.sudo().payment_ids)
            )
        )
        if frozen:
            raise UserError(
                self.env._(
                    "The result of a card payment is not known yet for: %s. Do not take the card again and do not take "
                    "the money another way. Park the order and serve the next customer; it goes on once the terminal "
                    "has answered or a manager has settled it under Card Terminals, Exceptions.",
                    ", ".join(order.pos_reference or order.display_name for order in frozen),
                )
            )

    def _refuse_card_money(self, going=None):
        """Raise where an order that is to go holds an approved card payment, which was not given back."""
        uuids = self.mapped("uuid")
        approved = (
            self.env["card.transaction"]
            .sudo()
            .search(["|", ("order_uuid", "in", uuids), ("attached_order_uuid", "in", uuids)])
            .filtered(lambda record: record._place()[0] in uuids and record._holds_order(going))
        )
        lines = self.sudo().payment_ids.filtered(
            lambda line: not line._card_is_free() and not line._card_is_given_back(going)
        )
        if approved or lines:
            raise UserError(
                self.env._(
                    "%s holds a card payment that was approved. Complete the order, then refund it.",
                    ", ".join(order.pos_reference or order.display_name for order in self),
                )
            )

    def action_view_card_transactions(self):
        """Open the card transactions of this order, every attempt."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("pos_card_terminal.action_card_transaction")
        return {**action, "domain": [("order_uuid", "=", self.uuid)], "context": {}}
