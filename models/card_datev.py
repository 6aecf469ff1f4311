"""What DATEV wants to know of a company: whose client it is, and how accounts are numbered there."""

from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ResCompany(models.Model):
    _inherit = "res.company"

    card_datev_consultant = fields.Integer("DATEV Consultant", help="Beraternummer, as your tax adviser says it.")
    card_datev_client = fields.Integer("DATEV Client", help="Mandantennummer, as your tax adviser says it.")
    card_datev_digits = fields.Integer("Digits of DATEV Accounts", default=4, help="Sachkontenlänge: 4 to 8.")
    card_datev_chart = fields.Selection([("03", "SKR03"), ("04", "SKR04")], "DATEV Chart")
    card_datev_locked = fields.Boolean(
        "Locked in DATEV", help="Festschreibung: DATEV takes the postings as final; they can only be reversed there."
    )

    @api.constrains("card_datev_digits")
    def _check_card_datev_digits(self):
        for company in self:
            if not 4 <= company.card_datev_digits <= 8:
                raise ValidationError(company.env._("DATEV accounts have 4 to 8 digits."))


class CardDatevAccount(models.Model):
    _name = "card.datev.account"
    _description = "Account in DATEV"
    _order = "company_id, number"
    _rec_name = "number"
    _check_company_auto = True

    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company, ondelete="cascade"
    )
    account_id = fields.Many2one("account.account", required=True, check_company=True, ondelete="cascade")
    number = fields.Char("Number in DATEV", required=True, help="Where it differs from the account's code.")
    is_automatic = fields.Boolean(
        "Automatic", help="DATEV calculates tax on this account by itself (AM, AV): postings say that it shall not."
    )

    _unique_account = models.Constraint("UNIQUE(company_id, account_id)", "This account has a number already.")

    @api.constrains("number")
    def _check_number(self):
        for row in self:
            if not row.number.isdecimal() or len(row.number) > 9:
                raise ValidationError(
                    row.env._("“%s” is no account number: DATEV takes up to nine digits.", row.number)
                )

    @api.model
    def _automatic(self, company):
        """Return the accounts on which DATEV calculates tax by itself."""
        return self.sudo().search([("company_id", "=", company.id), ("is_automatic", "=", True)]).account_id

    @api.model
    def _numbers(self, company):
        """Return a function that tells an account's number in DATEV: the mapped one, else its code."""
        mapped = {row.account_id: row.number for row in self.sudo().search([("company_id", "=", company.id)])}
        return lambda account: mapped.get(account.sudo()) or account.with_company(company).code or ""


class AccountTax(models.Model):
    _inherit = "account.tax"

    card_datev_code = fields.Char(
        "Tax Key in DATEV",
        help="BU-Schlüssel of one to four digits, such as 9: fees with this tax are exported with it, as one gross "
        "posting. Empty: the tax is a posting of its own.",
    )

    @api.constrains("card_datev_code")
    def _check_card_datev_code(self):
        for tax in self.filtered("card_datev_code"):
            if not tax.card_datev_code.isdecimal() or not 0 < len(tax.card_datev_code) <= 4:
                raise ValidationError(
                    tax.env._("“%s” is no tax key: DATEV takes one to four digits.", tax.card_datev_code)
                )
