"""Which accounts a chart of accounts has for card money, by code. They are offered, and never made without a person."""

from odoo import fields, models

#: {chart: {role: (code, step to the next where each contract has its own)}}. Sources: the charts of Odoo 19
#: (l10n_fr_account, l10n_de, l10n_at, l10n_ch, account) and what practitioners of the country use where the chart has
#: no account: France 5115 (cartes à encaisser), SKR03 1361 and SKR04 1461 beside the money in transit.
CHARTS = {
    "fr": {"outstanding": "511500", "fee": "627800", "chargeback": "416000", "accrual": "408100", "suspense": "471000"},
    "de_skr03": {"outstanding": "1361", "fee": "4970", "chargeback": "1460", "accrual": "1700", "suspense": "1590"},
    "de_skr04": {"outstanding": "1461", "fee": "6855", "chargeback": "1241", "accrual": "3500", "suspense": "1370"},
    "at": {"outstanding": "2881", "fee": "7790", "chargeback": "2070", "accrual": "3790", "suspense": "2390"},
    "ch": {"outstanding": "1095", "fee": "6940", "chargeback": "1105", "accrual": "2300", "suspense": "1099"},
    "generic_coa": {
        "outstanding": "101510", "fee": "620000", "chargeback": "121510", "accrual": "211100", "suspense": "101590",
    },
}  # fmt: skip
#: How far apart the outstanding accounts of contracts are, where it is not 1.
STEPS = {"fr": 10}
#: {role: (account type, whether its lines are reconciled)}
ROLES = {
    "outstanding": ("asset_current", True),
    "fee": ("expense", False),
    "chargeback": ("asset_current", True),
    "accrual": ("liability_current", False),
    "suspense": ("asset_current", True),
}


class CardContract(models.Model):
    _inherit = "card.contract"

    chargeback_account_id = fields.Many2one(
        "account.account",
        check_company=True,
        ondelete="restrict",
        domain="[('reconcile', '=', True)]",
        tracking=True,
        help="Where money waits that a customer took back, until the dispute ends.",
    )
    accrual_account_id = fields.Many2one(
        "account.account",
        check_company=True,
        ondelete="restrict",
        tracking=True,
        help="Where fees wait at the end of a period that the acquirer has not charged yet.",
    )


class AccountChart(models.AbstractModel):
    """What a company's chart offers; used by the dialog that offers it."""

    _name = "card.chart"
    _description = "Accounts of a Chart for Card Money"

    def _codes(self, company):
        """Return {role: code} for a company; beside its money in transit where its chart is not one of the known."""
        known = CHARTS.get(company.chart_template)
        if known:
            return known
        width = len(company.account_journal_suspense_account_id.code or "") or 6
        prefix = company.transfer_account_code_prefix or company.bank_account_code_prefix or "1"
        return dict.fromkeys(ROLES, prefix.ljust(width, "0"))

    def _find(self, company, code):
        accounts = self.env["account.account"].sudo().with_company(company).with_context(active_test=False)
        return accounts.search([*accounts._check_company_domain(company), ("code", "=", code)], limit=1)

    def _offer(self, company, role, taken=()):
        """Return (code, account or empty) for a role. `taken`: codes offered for another role already."""
        code = self._codes(company)[role]
        account_type, _reconcile = ROLES[role]
        used = self._in_use(company, shared=role != "outstanding" and company.chart_template in CHARTS)
        step = STEPS.get(company.chart_template, 1)
        while True:
            account = self._find(company, code)
            if code not in taken and (not account or (account.account_type == account_type and account not in used)):
                return code, account
            code = str(int(code) + step).zfill(len(code)) if code.isdigit() else f"{code}1"

    def _in_use(self, company, shared):
        """Return the accounts that stand for something else already. A bank's suspense account is never shared: what
        lies there Odoo takes for a bank line that nobody has looked at."""
        journals = self.env["account.journal"].sudo().search([("company_id", "=", company.id)])
        waiting = journals.suspense_account_id | company.account_journal_suspense_account_id
        if shared:
            return waiting
        methods = journals.inbound_payment_method_line_ids | journals.outbound_payment_method_line_ids
        contracts = self.env["card.contract"].sudo().with_context(active_test=False)
        own = contracts.search([("company_id", "=", company.id)]).outstanding_account_id
        return waiting | journals.default_account_id | methods.payment_account_id | company.transfer_account_id | own
