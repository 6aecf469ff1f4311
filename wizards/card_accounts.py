"""Accounts for a contract, as the company's chart has them: what exists, and what would be made. A person confirms."""

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..models.card_contract_accounts import ROLES

ACCOUNTANT = "pos_card_terminal.group_card_settlement"
#: Where a role's account is kept on the contract; the suspense account is the company's.
CONTRACT_FIELDS = {
    "outstanding": "outstanding_account_id",
    "fee": "fee_account_id",
    "chargeback": "chargeback_account_id",
    "accrual": "accrual_account_id",
}


class CardAccounts(models.TransientModel):
    _name = "card.accounts"
    _description = "Accounts for a Card Contract"
    _inherit = ["card.company.mixin"]

    company_id = fields.Many2one(readonly=True)
    contract_id = fields.Many2one("card.contract", ondelete="cascade", help="Empty: a new one is made.")
    name = fields.Char("New Contract", default=lambda self: self.env._("Cards"))
    number = fields.Char("Contract Number")
    brand_ids = fields.Many2many("card.brand", string="Brands")
    takes_others = fields.Boolean("All Other Brands")
    bank_journal_id = fields.Many2one(
        "account.journal", "Bank Account", domain="[('type', '=', 'bank'), ('company_id', '=', company_id)]"
    )
    settlement = fields.Selection(
        [("gross", "In full; fees are charged apart"), ("net", "Less the fee")],
        "Acquirer Pays",
        default="gross",
        required=True,
    )
    line_ids = fields.One2many(
        "card.accounts.line",
        "wizard_id",
        "Accounts",
        compute="_compute_line_ids",
        compute_sudo=False,
        store=True,
        readonly=False,
    )

    @api.depends("company_id", "contract_id")
    def _compute_line_ids(self):
        for wizard in self:
            wizard.line_ids = [(5,), *((0, 0, line) for line in wizard._offered())]

    def _offered(self):
        """Return a line for each account that is not chosen yet."""
        chart, taken, lines = self.env["card.chart"], set(), []
        for role, (account_type, reconcile) in ROLES.items():
            if self._chosen(role):
                continue
            code, account = chart._offer(self.company_id, role, taken)
            taken.add(code)
            lines.append({
                "role": role,
                "code": code,
                "account_id": account.id,
                "account_type": account_type,
                "reconcile": reconcile,
                "name": account.name or self._account_name(role),
            })  # fmt: skip
        return lines

    def _chosen(self, role):
        if role == "suspense":
            return self.company_id.sudo().card_suspense_account_id
        return self.contract_id[CONTRACT_FIELDS[role]]

    def _account_name(self, role):
        contract = self.contract_id.name or self.name
        return {
            "outstanding": self.env._("Card payments to collect, %s", contract or ""),
            "fee": self.env._("Card fees"),
            "chargeback": self.env._("Contested card payments"),
            "accrual": self.env._("Card fees not yet charged"),
            "suspense": self.env._("Card money in suspense"),
        }[role]

    def action_confirm(self):
        """Take the accounts, make those that are missing, and open the contract."""
        self.ensure_one()
        if not self.env.user.has_group(ACCOUNTANT) or self.company_id not in self.env.user.company_ids:
            raise AccessError(self.env._("Only an accountant of this company can choose the accounts of contracts."))
        taken = self.line_ids.filtered("take")
        if not self.contract_id and "outstanding" not in taken.mapped("role"):
            raise UserError(self.env._("A new contract needs the account on which its money waits."))
        accounts = {line.role: line._account() for line in taken}
        values = {field: accounts[role].id for role, field in CONTRACT_FIELDS.items() if role in accounts}
        if not self.contract_id:
            values |= {
                "name": self.name,
                "company_id": self.company_id.id,
                "number": self.number,
                "brand_ids": [(6, 0, self.brand_ids.ids)],
                "takes_others": self.takes_others,
                "bank_journal_id": self.bank_journal_id.id,
                "settlement": self.settlement,
            }
            self.contract_id = self.env["card.contract"].create(values)
        else:
            self.contract_id.write(values)
        if "suspense" in accounts:
            self.company_id.sudo().card_suspense_account_id = accounts["suspense"]
        return {
            "type": "ir.actions.act_window",
            "res_model": "card.contract",
            "res_id": self.contract_id.id,
            "view_mode": "form",
        }


class CardAccountsLine(models.TransientModel):
    _name = "card.accounts.line"
    _description = "Account Offered for a Card Contract"

    wizard_id = fields.Many2one("card.accounts", required=True, ondelete="cascade")
    company_id = fields.Many2one(related="wizard_id.company_id")
    take = fields.Boolean("Use It", default=True)
    role = fields.Selection(
        [
            ("outstanding", "Waits for the bank"),
            ("fee", "Fees"),
            ("chargeback", "Contested by customers"),
            ("accrual", "Fees not yet charged"),
            ("suspense", "Suspense, for the whole company"),
        ],
        "Purpose",
        required=True,
        readonly=True,
    )
    account_id = fields.Many2one(
        "account.account", "Existing Account", check_company=True, help="Empty: the account would be made."
    )
    code = fields.Char(required=True)
    name = fields.Char(required=True)
    account_type = fields.Selection(
        selection=lambda self: self.env["account.account"]._fields["account_type"].selection
    )
    reconcile = fields.Boolean()
    change = fields.Char("What Changes", compute="_compute_change")

    @api.depends("account_id", "code", "name", "reconcile")
    def _compute_change(self):
        for line in self:
            account = line.account_id
            if not account:
                line.change = self.env._("Account %(code)s “%(name)s” is made.", code=line.code, name=line.name)
            elif line.reconcile and not account.reconcile:
                line.change = self.env._("%s will allow matching of its lines.", account.display_name)
            else:
                line.change = self.env._("Nothing: %s is taken as it is.", account.display_name)

    def _account(self):
        """Return the account of this line, made or made reconcilable where that is needed, by the user's own right."""
        accounts = self.env["account.account"].with_company(self.company_id)
        account = self.account_id.with_company(self.company_id)
        changes = not account or (self.reconcile and not account.reconcile)
        if changes and not accounts.has_access("create"):
            raise UserError(self.env._("%s Only an accounting administrator may do so.", self.change or self.code))
        if not account:
            return accounts.create({
                "code": self.code,
                "name": self.name,
                "account_type": self.account_type,
                "reconcile": self.reconcile,
                "company_ids": [(6, 0, self.company_id.ids)],
            })  # fmt: skip
        if changes:
            account.reconcile = True
        return account
