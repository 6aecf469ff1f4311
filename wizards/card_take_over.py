"""Take over card money that was booked before contracts were kept, as batches that the bank has to pay."""

from datetime import datetime, time

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..models.card_money import total


class CardTakeOver(models.TransientModel):
    _name = "card.take.over"
    _description = "Take Over Outstanding Card Money"

    contract_id = fields.Many2one("card.contract", required=True, ondelete="cascade")
    company_id = fields.Many2one(related="contract_id.company_id")
    account_id = fields.Many2one(
        "account.account",
        "From Account",
        required=True,
        check_company=True,
        compute="_compute_account_id",
        precompute=True,
        store=True,
        readonly=False,
        domain="[('reconcile', '=', True), ('account_type', '=', 'asset_current')]",
        help="Where the money waits today. From another account than the contract's it is moved to the contract's.",
    )
    date = fields.Date("Until", required=True, default=fields.Date.context_today)
    line_ids = fields.Many2many(
        "account.move.line",
        string="Open Items",
        compute="_compute_line_ids",
        compute_sudo=False,
        store=True,
        readonly=False,
        domain="[('account_id', '=', account_id), ('reconciled', '=', False), ('parent_state', '=', 'posted')]",
    )

    @api.constrains("contract_id")
    def _check_contract_is_mine(self):
        self.contract_id.sudo(False).check_access("write")  # constraints run as superuser

    @api.depends("contract_id")
    def _compute_account_id(self):
        for wizard in self:
            methods = (
                self.env["pos.payment.method"]
                .sudo()
                .search(
                    [
                        ("company_id", "=", wizard.contract_id.company_id.id),
                        ("use_payment_terminal", "=", "card_terminal"),
                    ]
                )
            )
            accounts = methods.outstanding_account_id.filtered("reconcile")
            wizard.account_id = accounts[:1] or wizard.contract_id.outstanding_account_id

    @api.depends("account_id", "date", "contract_id")
    def _compute_line_ids(self):
        for wizard in self:
            wizard.line_ids = wizard._open_items() if wizard.account_id and wizard.contract_id else False

    def _open_items(self):
        """Return what is open on the account and in no batch: neither taken over, nor booked under a contract."""
        taken = self.env["card.batch"].sudo().search([("company_id", "=", self.company_id.id)]).taken_over_line_ids
        found = self.env["account.move.line"].search([
            ("company_id", "=", self.company_id.id),
            ("account_id", "=", self.account_id.id),
            ("parent_state", "=", "posted"),
            ("reconciled", "=", False),
            ("date", "<=", self.date),
            ("id", "not in", taken.ids),
            ("move_id.card_contract_id", "=", False),
        ])  # fmt: skip
        return found.filtered(lambda line: not line.move_id.origin_payment_id.card_contract_id)

    def action_take_over(self):
        """Make a batch of each day's open items."""
        self.ensure_one()
        self.check_access("write")
        self.contract_id.check_access("write")
        if not self.line_ids:
            raise UserError(self.env._("Nothing is open on this account until that day."))
        if self.line_ids - self._open_items():
            raise UserError(self.env._("Some of these items are matched, in a batch or under a contract already."))
        batches = self.env["card.batch"].sudo()
        for (day, currency), lines in self.line_ids.grouped(lambda line: (line.date, line.currency_id)).items():
            ended = datetime.combine(day, time(12))
            amount = total(lines.mapped("amount_residual_currency"), currency)
            batch = batches.create({
                "contract_id": self.contract_id.id,
                "currency_id": currency.id,
                "state": "closed",
                "closed_by": "taken_over",
                "opened_at": ended,
                "closed_at": ended,
                "opening_amount": amount,
                "taken_over_line_ids": [(6, 0, self._on_the_contracts_account(lines, day).ids)],
            })  # fmt: skip
            batch.message_post(
                body=self.env._(
                    "Taken over by %(user)s from %(account)s: %(moves)s.",
                    user=self.env.user.name,
                    account=self.account_id.display_name,
                    moves=", ".join(lines.move_id.mapped("name")),
                )
            )
            batches |= batch
        return {
            "type": "ir.actions.act_window",
            "res_model": "card.batch",
            "name": self.env._("Taken Over"),
            "view_mode": "list,form",
            "domain": [("id", "in", batches.ids)],
        }

    def _on_the_contracts_account(self, lines, day):
        """Return these items, moved to the contract's account where they lie elsewhere."""
        contract = self.contract_id
        target = contract.outstanding_account_id
        if target == self.account_id:
            return lines
        label = self.env._("Taken over for %s", contract.name)
        parts = []
        for line in lines:
            common = {"name": line.name or label, "currency_id": line.currency_id.id}
            for account, sign in ((target, 1), (self.account_id, -1)):
                parts.append({
                    **common,
                    "account_id": account.id,
                    "amount": sign * line.amount_residual,
                    "amount_currency": sign * line.amount_residual_currency,
                })  # fmt: skip
        move = contract._post_card_entry(parts, self.date, label)
        moved = move.line_ids.filtered(lambda line: line.account_id == target).sorted("id")
        left = move.line_ids.filtered(lambda line: line.account_id == self.account_id).sorted("id")
        for line, counter in zip(lines, left, strict=True):
            (line | counter).reconcile()
        return moved
