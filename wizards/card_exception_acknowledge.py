"""A manager takes note of exceptions, with a reason that is kept. The exceptions stay on record."""

from odoo import fields, models


class CardExceptionAcknowledge(models.TransientModel):
    _name = "card.exception.acknowledge"
    _description = "Take Note of Card Exceptions"

    transaction_ids = fields.Many2many("card.transaction", readonly=True)
    payment_ids = fields.Many2many("pos.payment", readonly=True)
    reason = fields.Text(required=True, help="What happened, and how it was put right in the books.")

    def action_acknowledge(self):
        """Take note, and close the dialog."""
        self.ensure_one()
        self.transaction_ids._acknowledge(self.reason)
        self.payment_ids._acknowledge_card(self.reason)
        return {"type": "ir.actions.act_window_close"}
