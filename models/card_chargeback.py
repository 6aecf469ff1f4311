"""Chargebacks: money that a customer took back through the bank. It waits until the dispute ends; the sale stays."""

from odoo import api, fields, models
from odoo.exceptions import UserError

#: {state: states before it}
STEPS = {
    "received": {"new"},
    "contested": {"received"},
    "won": {"received", "contested"},
    "lost": {"received", "contested"},
}


class CardChargeback(models.Model):
    _name = "card.chargeback"
    _description = "Card Chargeback"
    _inherit = ["card.guarded.mixin", "mail.thread", "mail.activity.mixin", "card.export.mixin"]
    _order = "date desc, id desc"
    _rec_name = "reference"
    _check_company_auto = True
    _guarded = frozenset({"state", "move_ids", "batch_id"})

    reference = fields.Char(required=True, copy=False, help="As the acquirer's notice says it.")
    contract_id = fields.Many2one("card.contract", required=True, ondelete="restrict", index=True, check_company=True)
    company_id = fields.Many2one(related="contract_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    payment_id = fields.Many2one(
        "pos.payment",
        ondelete="restrict",
        index="btree_not_null",
        check_company=True,
        domain="[('card_contract_id', '=', contract_id)]",
        help="Empty: not found yet.",
    )
    batch_id = fields.Many2one(related="payment_id.card_batch_id", store=True)
    date = fields.Date(required=True, default=fields.Date.context_today)
    amount = fields.Monetary(required=True, tracking=True)
    reason = fields.Char(help="As the acquirer says it.")
    deadline = fields.Date("Contest until")
    state = fields.Selection(
        [("new", "New"), ("received", "Received"), ("contested", "Contested"), ("won", "Won"), ("lost", "Lost")],
        required=True,
        readonly=True,
        default="new",
        index=True,
        tracking=True,
    )
    received_line_id = fields.Many2one(
        "account.bank.statement.line",
        "Bank Line",
        copy=False,
        ondelete="restrict",
        domain="[('company_id', '=', company_id), ('amount', '<', 0), ('is_reconciled', '=', False)]",
        help="That took the money. Empty: the acquirer keeps it from the next payout.",
    )
    won_line_id = fields.Many2one(
        "account.bank.statement.line",
        "Bank Line That Gave It Back",
        copy=False,
        ondelete="restrict",
        domain="[('company_id', '=', company_id), ('amount', '>', 0), ('is_reconciled', '=', False)]",
    )
    loss_account_id = fields.Many2one(
        "account.account", check_company=True, domain="[('internal_group', '=', 'expense')]"
    )
    loss_tax_id = fields.Many2one(
        "account.tax",
        "VAT Corrected",
        check_company=True,
        domain="[('type_tax_use', '=', 'sale')]",
        help="Empty: the VAT of the sale stays as it was declared.",
    )
    move_ids = fields.Many2many("account.move", string="Entries", readonly=True, copy=False)

    _amount_positive = models.Constraint("CHECK (amount > 0)", "Enter how much was taken back, as a positive amount.")

    @api.constrains("amount", "payment_id")
    def _check_amount(self):
        for chargeback in self.filtered("payment_id"):
            if chargeback.currency_id.compare_amounts(chargeback.amount, chargeback.payment_id.amount) > 0:
                raise UserError(
                    self.env._("No more can be taken back than was paid (%s).", chargeback.payment_id.amount)
                )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_booked(self):
        if self.filtered("move_ids"):
            raise UserError(self.env._("A chargeback that is booked stays: correct it by a reversal of its entry."))

    def write(self, vals):
        if vals.keys() & {"contract_id", "amount"} and self.filtered("move_ids"):
            raise UserError(self.env._("A chargeback that is booked stays: correct it by a reversal of its entry."))
        return super().write(vals)

    # What happens to it -----------------------------------------------------------------------------------------------

    def action_receive(self):
        """Book that the money is gone: it waits on the account for contested payments."""
        self._check_step("received")
        account = self._waiting_account()
        if self.received_line_id:
            self._book_bank_line(self.received_line_id)
        else:
            outstanding = self.contract_id.outstanding_account_id
            self._book([
                {"account_id": account.id, "amount": self.amount, "name": self.reference},
                {"account_id": outstanding.id, "amount": -self.amount, "name": self.reference},
            ])  # fmt: skip
        self._write_guarded({"state": "received"})

    def action_contest(self):
        """Note that the shop disputes it: nothing is booked."""
        self._check_step("contested")
        self._write_guarded({"state": "contested"})

    def action_win(self):
        """Book that the bank gave the money back."""
        self._check_step("won")
        if not self.won_line_id:
            raise UserError(self.env._("Choose the bank line that gave the money back."))
        self._book_bank_line(self.won_line_id)
        self._clear("won")

    def action_lose(self):
        """Book the loss, with the VAT of the sale corrected where the accountant chose so."""
        self._check_step("lost")
        if not self.loss_account_id:
            raise UserError(self.env._("Choose the account on which the loss is booked."))
        parts = self.contract_id._parts_with_tax(
            self.loss_account_id, self.loss_tax_id, self.amount, self.currency_id, self.reference, refund=True
        )
        waiting = {"account_id": self._waiting_account().id, "amount": -self.amount, "name": self.reference}
        self._book([*parts, waiting])
        self._clear("lost")

    def _receive(self, statement_line):
        """Take a bank line as this chargeback."""
        self.received_line_id = statement_line
        self.action_receive()

    def _win(self, statement_line):
        self.won_line_id = statement_line
        self.action_win()

    def _lose(self, account, tax=None):
        self.write({"loss_account_id": account.id, "loss_tax_id": tax and tax.id})
        self.action_lose()

    def _check_step(self, state):
        self.ensure_one()
        self.check_access("write")
        if self.state not in STEPS[state]:
            states = dict(self._fields["state"]._description_selection(self.env))
            raise UserError(
                self.env._(
                    "%(name)s is %(state)s: that cannot be done now.", name=self.reference, state=states[self.state]
                )
            )

    def _waiting_account(self):
        account = self.contract_id.chargeback_account_id
        if not account:
            raise UserError(self.env._("The contract %s has no account for contested payments.", self.contract_id.name))
        return account

    def _book_bank_line(self, line):
        part = {"account_id": self._waiting_account().id, "amount": -line.amount, "name": self.reference}
        if self.currency_id.compare_amounts(abs(line.amount), self.amount) or line.currency_id != self.currency_id:
            raise UserError(
                self.env._(
                    "The bank line is over %(bank)s, the chargeback over %(amount)s.",
                    bank=line.amount,
                    amount=self.amount,
                )
            )
        line._book_card_parts([part], self.contract_id, self.reference)
        self._write_guarded({"move_ids": [(4, line.move_id.id)]})

    def _book(self, parts):
        move = self.contract_id._post_card_entry(parts, fields.Date.context_today(self), self.reference)
        self._write_guarded({"move_ids": [(4, move.id)]})

    def _clear(self, state):
        """Match what was taken with what ended it."""
        self._write_guarded({"state": state})
        account = self._waiting_account()
        lines = self.move_ids.line_ids.filtered(lambda line: line.account_id == account and not line.reconciled)
        if account.reconcile:
            lines.reconcile()
