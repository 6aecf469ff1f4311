"""Fees: what an acquirer keeps or charges, with or without VAT, beside what its contract says."""

from decimal import ROUND_HALF_UP, Decimal

from odoo import api, fields, models
from odoo.exceptions import UserError

from .card_money import from_minor, to_minor, total


class CardContract(models.Model):
    _inherit = "card.contract"

    def _fee_lines(self, fee, currency, date, label):
        """Return the journal items of a fee: [{account_id, amount, name, tax…}], debit positive, summing to `fee`.

        VAT, where the contract names one, is in the fee: 2.40 are 2.00 and 0.40. Odoo adds no tax line by itself to
        entries made by code.
        """
        self.ensure_one()
        if not self.fee_account_id:
            raise UserError(self.env._("The contract %s has no account for fees.", self.name))
        return self._parts_with_tax(self.fee_account_id, self.fee_tax_id, fee, currency, label)

    def _parts_with_tax(self, account, tax, amount, currency, label, refund=False):
        """Return the journal items of an amount on an account, with the tax that is in it on lines of its own."""
        base = {"account_id": account.id, "amount": amount, "name": label}
        if not tax:
            return [base]
        company = self.company_id
        taxes = tax.with_company(company).sudo()
        computed = taxes.with_context(force_price_include=True).compute_all(
            amount, currency=currency, is_refund=refund, handle_price_include=True
        )
        lines = [
            {
                "account_id": part["account_id"] or account.id,
                "amount": part["amount"],
                "name": part["name"],
                "tax_repartition_line_id": part["tax_repartition_line_id"],
                "tax_tag_ids": [(6, 0, part["tag_ids"])],
                "tax_base_amount": computed["total_excluded"],
            }
            for part in computed["taxes"]
            if part["amount"]
        ]
        base |= {"tax_ids": [(6, 0, tax.ids)], "tax_tag_ids": [(6, 0, computed["base_tags"])]}
        base["amount"] = total([amount, *(-line["amount"] for line in lines)], currency)
        return [base, *lines]

    def _expected_fee(self, gross, count, currency):
        """Return the fee that this contract says for `count` payments that come to `gross`."""
        minor = abs(to_minor(gross, currency)) * Decimal(repr(self.fee_rate)) / 100
        minor = int(minor.to_integral_value(ROUND_HALF_UP)) + count * to_minor(self.fee_fixed, currency)
        return from_minor(minor, currency)

    def _judge_fee(self, record, fee, gross, count, currency):
        """Raise a notice on a record whose fee is above what this contract says; withdraw it where it is not."""
        self.ensure_one()
        if not self.fee_rate and not self.fee_fixed:
            return
        expected = self._expected_fee(gross, count, currency)
        excess = to_minor(fee, currency) - to_minor(expected, currency)
        # each payment's fee is rounded on its own
        if excess <= count // 2:
            self.env["card.notice"]._withdraw_notice("fee_rate", record, self.env._("The fee is as agreed."))
            return
        text = self.env._(
            "%(contract)s: a fee of %(fee)s on %(gross)s is %(rate).2f %%. The contract says %(expected)s: "
            "%(excess)s more.",
            contract=self.name,
            fee=currency.format(fee),
            gross=currency.format(gross),
            rate=100 * fee / gross if gross else 0,
            expected=currency.format(expected),
            excess=currency.format(from_minor(excess, currency)),
        )
        self.env["card.notice"]._raise_notice("fee_rate", record, text)

    def _turnover(self, first, last):
        """Return (amount, count) of the payments in this contract's batches of these business days."""
        [(amount, count)] = (
            self.env["pos.payment"]
            .sudo()
            ._read_group(
                [
                    ("card_contract_id", "=", self.id),
                    ("card_batch_id.currency_id", "=", self.currency_id.id),
                    ("card_batch_id.day", ">=", first),
                    ("card_batch_id.day", "<=", last),
                ],
                [],
                ["amount:sum", "__count"],
            )
        )
        return total([amount or 0.0], self.currency_id), count

    def _fees_booked(self, first, last):
        """Return what entries of these days put on the account for fees under this contract."""
        [(balance,)] = self.env["account.move.line"]._read_group(
            [
                ("account_id", "=", self.fee_account_id.id),
                ("move_id.card_contract_id", "=", self.id),
                ("parent_state", "=", "posted"),
                ("date", ">=", first),
                ("date", "<=", last),
            ],
            [],
            ["balance:sum"],
        )
        return total([balance or 0.0], self.currency_id)


class CardFee(models.Model):
    _name = "card.fee"
    _description = "Card Fee Charged Apart"
    _inherit = ["card.guarded.mixin", "mail.thread", "card.export.mixin"]
    _order = "date desc, id desc"
    _rec_name = "contract_id"
    _check_company_auto = True
    _guarded = frozenset({"state", "move_id", "turnover", "payment_count", "rate", "expected"})

    contract_id = fields.Many2one("card.contract", required=True, ondelete="restrict", index=True, check_company=True)
    company_id = fields.Many2one(related="contract_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    date = fields.Date(required=True, default=fields.Date.context_today)
    date_from = fields.Date("For the Days from", required=True)
    date_to = fields.Date("To", required=True)
    statement_line_id = fields.Many2one(
        "account.bank.statement.line",
        "Bank Line",
        ondelete="restrict",
        index="btree_not_null",
        domain="[('company_id', '=', company_id), ('amount', '<', 0), ('is_reconciled', '=', False)]",
        help="That took the fee from the bank account. Empty: an invoice that is paid later.",
    )
    partner_id = fields.Many2one("res.partner", "Owed to", help="Who is paid later, where no bank line took the fee.")
    reference = fields.Char(help="The number of the invoice or of the acquirer's statement.")
    amount = fields.Monetary(
        "Fee", compute="_compute_amount", store=True, readonly=False, tracking=True, help="With VAT where there is any."
    )
    turnover = fields.Monetary(compute="_compute_turnover", store=True, help="Of the batches of these days.")
    payment_count = fields.Integer("Payments", compute="_compute_turnover", store=True)
    rate = fields.Float("Rate (%)", digits=(6, 2), compute="_compute_rate", store=True, aggregator=None)
    expected = fields.Monetary("Fee Agreed", compute="_compute_rate", store=True)
    move_id = fields.Many2one("account.move", "Entry", readonly=True, copy=False, ondelete="restrict")
    state = fields.Selection(
        [("draft", "To be booked"), ("booked", "Booked")], required=True, readonly=True, default="draft", tracking=True
    )

    _days_in_order = models.Constraint("CHECK (date_to >= date_from)", "A period ends after it begins.")
    _unique_line = models.UniqueIndex(
        "(statement_line_id) WHERE statement_line_id IS NOT NULL", "This bank line is another fee already."
    )

    @api.depends("statement_line_id")
    def _compute_amount(self):
        for fee in self:
            fee.amount = -fee.statement_line_id.amount if fee.statement_line_id else fee.amount

    @api.depends("contract_id", "date_from", "date_to")
    def _compute_turnover(self):
        for fee in self:
            known = fee.contract_id and fee.date_from and fee.date_to
            fee.turnover, fee.payment_count = (
                fee.contract_id._turnover(fee.date_from, fee.date_to) if known else (0.0, 0)
            )

    @api.depends("amount", "turnover", "payment_count", "contract_id.fee_rate", "contract_id.fee_fixed")
    def _compute_rate(self):
        for fee in self:
            fee.rate = 100 * fee.amount / fee.turnover if fee.turnover else 0.0
            contract = fee.contract_id
            fee.expected = contract and contract._expected_fee(fee.turnover, fee.payment_count, fee.currency_id)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_booked(self):
        if self.filtered("move_id"):
            raise UserError(self.env._("A fee that is booked stays: correct it by a reversal of its entry."))

    def write(self, vals):
        if vals.keys() & {"contract_id", "amount", "date", "statement_line_id", "partner_id"} and self.filtered(
            "move_id"
        ):
            raise UserError(self.env._("A fee that is booked stays: correct it by a reversal of its entry."))
        return super().write(vals)

    def action_book(self):
        """Book the fee: against the bank line that took it, else against whom it is owed to."""
        self.check_access("write")
        for fee in self.filtered(lambda record: record.state == "draft"):
            if fee.currency_id.compare_amounts(fee.amount, 0) <= 0:
                raise UserError(self.env._("Enter how much the fee was."))
            label = fee.reference or self.env._("Card fees %(contract)s", contract=fee.contract_id.name)
            parts = fee.contract_id._fee_lines(fee.amount, fee.currency_id, fee.date, label)
            if fee.statement_line_id:
                fee.statement_line_id._book_card_parts(parts, fee.contract_id, label)
                move = fee.statement_line_id.move_id
            elif fee.partner_id:
                payable = fee.partner_id.with_company(fee.company_id).property_account_payable_id
                owed = {"account_id": payable.id, "amount": -fee.amount, "name": label, "partner_id": fee.partner_id.id}
                move = fee.contract_id._post_card_entry([*parts, owed], fee.date, label)
            else:
                raise UserError(self.env._("Choose the bank line that took the fee, or whom it is owed to."))
            fee._write_guarded({"move_id": move.id, "state": "booked"})
            fee.contract_id._judge_fee(fee, fee.amount, fee.turnover, fee.payment_count, fee.currency_id)
