"""A manager ends an open question: paid or not paid, with a reason that is kept."""

from odoo import api, fields, models

from ..models.card_money import to_minor
from ..models.scrubbed import ScrubbedChar, ScrubbedText


class CardTransactionSettle(models.TransientModel):
    _name = "card.transaction.settle"
    _description = "Settle a Card Transaction by Hand"

    transaction_id = fields.Many2one("card.transaction", required=True, readonly=True, ondelete="cascade")
    currency_id = fields.Many2one(related="transaction_id.currency_id")
    answer_ids = fields.One2many(related="transaction_id.answer_ids")
    verdict = fields.Selection([("paid", "Paid"), ("not_paid", "Not paid")], "The Payment Is", required=True)
    amount = fields.Monetary(compute="_compute_amount", store=True, readonly=False)
    auth_code = ScrubbedChar("Authorisation", help="As printed on the terminal's slip.")
    reason = ScrubbedText(required=True, help="What you looked at: the slip, the terminal's report, the bank.")

    @api.depends("transaction_id")
    def _compute_amount(self):
        for wizard in self:
            wizard.amount = wizard.transaction_id.amount_requested

    def action_settle(self):
        """Settle, and close the dialog."""
        self.ensure_one()
        paid = self.verdict == "paid"
        self.transaction_id._decide(
            "force_done" if paid else "force_cancel",
            self.reason,
            {"amount_minor": to_minor(self.amount, self.currency_id), "auth_code": self.auth_code or ""},
        )
        return {"type": "ir.actions.act_window_close"}
