"""The end-of-day ticket of a terminal that is not connected, typed: it ends the batch and says what was counted."""

from odoo import fields, models
from odoo.exceptions import UserError


class CardBatchTicket(models.TransientModel):
    _name = "card.batch.ticket"
    _description = "End-of-Day Ticket of a Card Batch"

    batch_id = fields.Many2one("card.batch", required=True, readonly=True, ondelete="cascade")
    currency_id = fields.Many2one(related="batch_id.currency_id")
    number = fields.Char("Number on the Ticket")
    at = fields.Datetime("Printed at", required=True, default=fields.Datetime.now)
    line_ids = fields.One2many("card.batch.ticket.line", "wizard_id", "Totals")

    def action_enter(self):
        """End the batch with this ticket; one that has ended takes its totals."""
        self.ensure_one()
        self.batch_id._check_accountant()
        batch = self.batch_id.sudo()
        if batch.terminal_id:
            raise UserError(self.env._("Enter the ticket of a connected terminal under Settlements."))
        if not self.line_ids:
            raise UserError(self.env._("Type at least one total: how many payments, and their amount."))
        if not batch.opened_at <= self.at <= fields.Datetime.now():
            raise UserError(self.env._("The ticket was printed after the batch's first payment, and before now."))
        batch._close(self.at, "typed", self.number)
        if self.number and not batch.number:
            batch.number = self.number
        batch._declare([(line.brand or "", line.count, line.amount) for line in self.line_ids])
        return {"type": "ir.actions.act_window_close"}


class CardBatchTicketLine(models.TransientModel):
    _name = "card.batch.ticket.line"
    _description = "Total on an End-of-Day Ticket"
    _rec_name = "brand"

    wizard_id = fields.Many2one("card.batch.ticket", required=True, ondelete="cascade")
    currency_id = fields.Many2one(related="wizard_id.currency_id")
    brand = fields.Char(help="As the ticket says it; empty for the sum of all.")
    count = fields.Integer("Payments")
    amount = fields.Monetary(help="Negative where more was given back than taken.")
