"""A payout put together by a person: these bank lines pay these batches."""

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..models.card_match import HOLDING
from ..models.card_money import from_minor, to_minor, total


class CardMatchManual(models.TransientModel):
    _name = "card.match.manual"
    _description = "Payout by Hand"
    _inherit = ["card.company.mixin"]

    contract_id = fields.Many2one("card.contract", required=True, check_company=True)
    journal_id = fields.Many2one(related="contract_id.bank_journal_id")
    currency_id = fields.Many2one("res.currency", compute="_compute_amounts")
    statement_line_ids = fields.Many2many(
        "account.bank.statement.line",
        string="Bank Lines",
        required=True,
        domain="[('journal_id', '=', journal_id), ('is_reconciled', '=', False)]",
    )
    batch_ids = fields.Many2many(
        "card.batch",
        string="Batches",
        required=True,
        domain="[('contract_id', '=', contract_id), ('state', '=', 'closed'), ('is_to_be_paid', '=', True)]",
    )
    chargeback_ids = fields.Many2many(
        "card.chargeback",
        string="Less Chargebacks",
        domain="[('contract_id', '=', contract_id), ('received_line_id', '=', False), ('state', '!=', 'new')]",
        help="Which the acquirer kept.",
    )
    kept = fields.Monetary("Kept for Chargebacks", compute="_compute_amounts")
    paid = fields.Monetary("The Bank Paid", compute="_compute_amounts")
    owed = fields.Monetary("The Batches Come to", compute="_compute_amounts")
    difference = fields.Monetary(compute="_compute_amounts", help="Negative: the bank paid less.")
    difference_is = fields.Selection(
        [("fee", "A fee"), ("open", "Still to be paid"), ("suspense", "Not explained: keep it in suspense")],
        "The Difference Is",
    )
    reason = fields.Char(required=True)

    @api.model
    def default_get(self, fields):
        """Begin with the bank lines that were chosen in a list."""
        values = super().default_get(fields)
        lines = self.env["account.bank.statement.line"].browse(self.env.context.get("card_lines") or [])
        if lines:
            contracts = self.env["card.contract"].search([("bank_journal_id", "in", lines.journal_id.ids)])
            values["statement_line_ids"] = [(6, 0, lines.ids)]
            values["contract_id"] = contracts.id if len(contracts) == 1 else False
        return values

    @api.depends("statement_line_ids", "batch_ids", "chargeback_ids", "contract_id")
    def _compute_amounts(self):
        for wizard in self:
            wizard.currency_id = wizard.journal_id.currency_id or wizard.company_id.currency_id
            wizard.paid = total(wizard.statement_line_ids.mapped("amount"), wizard.currency_id)
            wizard.owed = total([wizard._left_of(batch) for batch in wizard.batch_ids], wizard.currency_id)
            open_lines = wizard.chargeback_ids._kept_lines()
            wizard.kept = total([-line.amount_residual_currency for line in open_lines], wizard.currency_id)
            wizard.difference = wizard.currency_id.round(wizard.paid + wizard.kept - wizard.owed)

    @api.model
    def _left_of(self, batch):
        """Return what no accepted payout pays of a batch yet."""
        held = batch.card_match_ids.filtered(lambda part: part.match_id.state in HOLDING)
        return batch.amount_due - total(held.mapped("amount"), batch.currency_id)

    def action_accept(self):
        """Make the payout, accepted."""
        self.ensure_one()
        matches = self.env["card.match"]
        matches._check_accountant()
        self._check_lines()
        currency = self.currency_id
        paid, owed, kept = (to_minor(amount, currency) for amount in (self.paid, self.owed, self.kept))
        fee = owed - kept - paid if self.difference_is == "fee" else 0
        parts = self._parts(paid + fee + kept)
        gross = sum(minor for _batch, minor in parts)
        lines = self.statement_line_ids.sorted(lambda line: (line.date, line.id))
        rivals = matches.search([
            ("state", "not in", HOLDING),
            "|",
            "|",
            ("chargeback_ids", "in", self.chargeback_ids.ids),
            ("line_ids.statement_line_id", "in", lines.ids),
            ("batch_ids.batch_id", "in", self.batch_ids.ids),
        ])  # fmt: skip
        rivals.sudo().unlink()
        match = matches.sudo().create({
            "contract_id": self.contract_id.id,
            "journal_id": self.journal_id.id,
            "company_id": self.contract_id.company_id.id,
            "currency_id": currency.id,
            "date": lines[-1].date,
            "label": lines[0].payment_ref,
            "state": "accepted",
            "found_by": "manual",
            "evidence": {"said": f"{self.env.user.name}: {self.reason}", "sum": str(self.owed), "paid": str(self.paid)},
            "amount": self.paid,
            "gross": from_minor(gross, currency),
            "fee": from_minor(fee, currency),
            "kept": self.kept,
            "over": from_minor(paid + fee + kept - gross, currency),
            "chargeback_ids": [(6, 0, self.chargeback_ids.ids)],
            "line_ids": [(0, 0, {"statement_line_id": line.id}) for line in lines],
            "batch_ids": [
                (0, 0, {
                    "batch_id": batch.id, "amount": from_minor(minor, currency), "payment_count": batch.odoo_count,
                })
                for batch, minor in parts
            ],
        })  # fmt: skip
        match._link_payments()
        return {
            "type": "ir.actions.act_window", "res_model": "card.match", "res_id": match.id, "view_mode": "form",
        }  # fmt: skip

    def _check_lines(self):
        lines, batches = self.statement_line_ids, self.batch_ids
        if not lines or not batches:
            raise UserError(self.env._("Choose the bank lines and the batches they pay."))
        if lines.journal_id != self.journal_id or batches.contract_id != self.contract_id:
            raise UserError(self.env._("Bank lines and batches must be of the contract."))
        if batches.currency_id != self.currency_id or lines.foreign_currency_id:
            raise UserError(self.env._("Bank lines and batches must be in one currency."))
        if lines.filtered("is_reconciled") or lines.card_match_line_ids.filtered(
            lambda part: part.match_id.state in HOLDING
        ):
            raise UserError(self.env._("One of these bank lines is matched already."))
        if held := self.chargeback_ids.filtered(
            lambda chargeback: (
                not chargeback._kept_lines()
                or any(match.state in HOLDING for match in chargeback.match_ids)
                or chargeback.contract_id != self.contract_id
            )
        ):
            raise UserError(
                self.env._(
                    "%s is not kept from payouts of this contract, or from another one already.", held[0].reference
                )
            )
        if batches.filtered(lambda batch: batch.state != "closed"):
            raise UserError(self.env._("A batch that is still open is not paid: end it first."))
        if not self.currency_id.is_zero(self.difference) and not self.difference_is:
            raise UserError(self.env._("Say what the difference is."))

    def _parts(self, pays):
        """Return [(batch, minor units paid of it)], oldest first; what is beyond all of them goes to suspense."""
        currency, rest = self.currency_id, pays
        parts = [(batch, to_minor(self._left_of(batch), currency)) for batch in self.batch_ids.sorted("day")]
        owed = sum(minor for _batch, minor in parts)
        if self.difference_is == "open" and abs(pays) < abs(owed):
            shortened = []
            for batch, minor in parts:
                part = minor if abs(minor) <= abs(rest) else rest
                rest -= part
                shortened.append((batch, part))
            parts = [(batch, minor) for batch, minor in shortened if minor]
        elif self.difference_is != "suspense" and pays != owed:
            raise UserError(self.env._("The bank paid more than the batches come to: keep the rest in suspense."))
        return parts
