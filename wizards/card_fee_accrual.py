"""Fees at the end of a period that the acquirer has not charged yet: booked on its last day, taken back on the next."""

from datetime import timedelta

from dateutil.relativedelta import relativedelta
from odoo import api, fields, models
from odoo.exceptions import UserError

from ..models.card_money import total


class CardFeeAccrual(models.TransientModel):
    _name = "card.fee.accrual"
    _description = "Card Fees at the End of a Period"
    _inherit = ["card.company.mixin"]

    company_id = fields.Many2one(readonly=True)
    date_from = fields.Date(
        "From", required=True, default=lambda self: fields.Date.context_today(self) + relativedelta(months=-1, day=1)
    )
    date_to = fields.Date(
        "To", required=True, default=lambda self: fields.Date.context_today(self) + relativedelta(day=1, days=-1)
    )
    line_ids = fields.One2many(
        "card.fee.accrual.line",
        "wizard_id",
        "Contracts",
        compute="_compute_line_ids",
        compute_sudo=False,
        store=True,
        readonly=False,
    )

    @api.depends("company_id", "date_from", "date_to")
    def _compute_line_ids(self):
        for wizard in self:
            lines = [(5,)]
            for contract in self.env["card.contract"].search([("company_id", "=", wizard.company_id.id)]):
                turnover, count = contract._turnover(wizard.date_from, wizard.date_to)
                expected = contract._expected_fee(turnover, count, contract.currency_id)
                booked = contract._fees_booked(wizard.date_from, wizard.date_to)
                rest = max(total([expected, -booked], contract.currency_id), 0.0)
                lines.append((0, 0, {
                    "contract_id": contract.id, "turnover": turnover, "payment_count": count,
                    "expected": expected, "booked": booked, "amount": rest,
                }))  # fmt: skip
            wizard.line_ids = lines

    def action_book(self):
        """Post the entries, and their reversals of the day after the period."""
        self.ensure_one()
        self.check_access("write")
        moves = self.env["account.move"]
        for line in self.line_ids.filtered("amount"):
            contract = line.contract_id
            contract.check_access("write")
            if line.amount < 0:
                raise UserError(self.env._("An accrual is a positive amount."))
            if not contract.accrual_account_id or not contract.fee_account_id:
                raise UserError(
                    self.env._("%s needs an account for fees and one for fees not yet charged.", contract.name)
                )
            label = self.env._(
                "Card fees not yet charged, %(contract)s, until %(day)s", contract=contract.name, day=self.date_to
            )
            parts = [
                {"account_id": contract.fee_account_id.id, "amount": line.amount, "name": label},
                {"account_id": contract.accrual_account_id.id, "amount": -line.amount, "name": label},
            ]
            move = contract._post_card_entry(parts, self.date_to, label)
            after = self.date_to + timedelta(days=1)
            reversal = move._reverse_moves([{"date": after, "ref": self.env._("Taken back: %s", label)}])
            reversal.sudo()._write_guarded({"card_contract_id": contract.id})
            reversal._post(soft=False)
            moves |= move | reversal
        if not moves:
            raise UserError(self.env._("No fees are missing in this period."))
        return {
            "type": "ir.actions.act_window",
            "res_model": "account.move",
            "name": self.env._("Card Fees Not Yet Charged"),
            "view_mode": "list,form",
            "domain": [("id", "in", moves.ids)],
        }


class CardFeeAccrualLine(models.TransientModel):
    _name = "card.fee.accrual.line"
    _description = "Card Fees of a Contract at the End of a Period"

    wizard_id = fields.Many2one("card.fee.accrual", required=True, ondelete="cascade")
    contract_id = fields.Many2one("card.contract", required=True, readonly=True, ondelete="cascade")
    currency_id = fields.Many2one(related="contract_id.currency_id")
    turnover = fields.Monetary(readonly=True)
    payment_count = fields.Integer("Payments", readonly=True)
    expected = fields.Monetary("Fee Agreed", readonly=True)
    booked = fields.Monetary("Charged", readonly=True)
    amount = fields.Monetary("To Be Booked")
