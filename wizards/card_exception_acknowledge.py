"""A manager takes note of exceptions, with a reason that is kept. The exceptions stay on record."""

from odoo import fields, models

from ..models.scrubbed import ScrubbedText


class CardExceptionAcknowledge(models.TransientModel):
    _name = "card.exception.acknowledge"
    _description = "Take Note of Card Exceptions"

    transaction_ids = fields.Many2many("card.transaction", readonly=True)
    payment_ids = fields.Many2many("pos.payment", readonly=True)
    reason = ScrubbedText(required=True, help="What happened, and how it was put right in the books.")

    def action_acknowledge(self):
        """Take note, and close the dialog."""
        self.ensure_one()
        for record in [*self.transaction_ids.filtered("needs_attention"), *self.payment_ids]:
            record._decide("acknowledge", self.reason)
        return {"type": "ir.actions.act_window_close"}
