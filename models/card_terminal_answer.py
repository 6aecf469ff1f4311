"""What a cashier says of a card payment whose result is not known. It decides nothing until a manager confirms it."""

from odoo import api, fields, models
from odoo.exceptions import UserError

from .scrubbed import ScrubbedChar


class CardTerminalAnswer(models.Model):
    _name = "card.terminal.answer"
    _description = "Cashier's Answer about a Card Payment"
    _inherit = ["card.export.mixin"]
    _order = "id desc"
    _rec_name = "transaction_uuid"

    transaction_id = fields.Many2one("card.transaction", required=True, readonly=True, ondelete="restrict", index=True)
    transaction_uuid = fields.Char(related="transaction_id.uuid", store=True, index=True)
    company_id = fields.Many2one(related="transaction_id.company_id", store=True, index=True)
    config_id = fields.Many2one(related="transaction_id.config_id")
    currency_id = fields.Many2one(related="transaction_id.currency_id")
    amount_requested = fields.Monetary(related="transaction_id.amount_requested")
    terminal_id = fields.Many2one(related="transaction_id.terminal_id")
    answer = fields.Selection([("paid", "Paid"), ("not_paid", "Not paid")], required=True, readonly=True)
    authorisation = ScrubbedChar(readonly=True, help="As the cashier read it on the terminal's slip.")
    user_id = fields.Many2one("res.users", "Cashier", required=True, readonly=True, default=lambda self: self.env.uid)
    at = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    state = fields.Selection(
        [("provisional", "Provisional"), ("confirmed", "Confirmed"), ("rejected", "Rejected")],
        required=True,
        readonly=True,
        default="provisional",
        index=True,
    )

    def action_settle(self):
        """Open the dialog that settles the transaction, filled with this answer."""
        self.ensure_one()
        action = self.transaction_id.action_settle()
        action["context"] |= {
            "default_verdict": self.answer, "default_auth_code": self.authorisation or ""
        }  # fmt: skip
        return action

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("Cashiers' answers are never deleted."))
