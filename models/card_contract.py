"""What a shop agreed with an acquirer: under which number and for which brands money is collected, where it comes in.

One *Card* button serves all contracts: the cashier does not know the brand before the tap, the terminal's answer does.
"""

import re
from datetime import datetime, time, timedelta

import pytz
from odoo import api, fields, models
from odoo.exceptions import ValidationError

NOT_A_DIGIT = re.compile(r"\D")


class CardBrand(models.Model):
    _name = "card.brand"
    _description = "Card Brand"
    _order = "name"

    name = fields.Char(required=True, help="As the terminal says it: CB, VISA, girocard …")

    _unique_name = models.UniqueIndex("(lower(name))", "This brand is there already.")


class CardContract(models.Model):
    _name = "card.contract"
    _description = "Card Contract"
    _inherit = ["mail.thread"]
    _order = "sequence, id"
    _check_company_auto = True

    name = fields.Char(required=True, tracking=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, default=lambda self: self.env.company, index=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    acquirer = fields.Char(help="Bank, acquirer or issuer that pays: it stands in its statements.")
    number = fields.Char(
        "Contract Number",
        tracking=True,
        help="As the terminal says it and as slips show it (contract, VU or merchant number).",
    )
    brand_ids = fields.Many2many("card.brand", string="Brands", help="Cards whose money comes under this contract.")
    takes_others = fields.Boolean(
        "All Other Brands", tracking=True, help="Also takes brands that no contract names. One contract may."
    )
    payment_method_ids = fields.Many2many(
        "pos.payment.method",
        string="Payment Methods",
        check_company=True,
        domain="[('journal_id.type', '=', 'bank')]",
        help="Empty: all that are taken on card terminals. Name the methods of terminals that are not connected, "
        "of meal vouchers and the like.",
    )
    terminal_ids = fields.Many2many(
        "card.terminal", string="Terminals", check_company=True, help="Empty: all terminals of the company."
    )

    bank_journal_id = fields.Many2one(
        "account.journal",
        "Bank Account",
        check_company=True,
        domain="[('type', '=', 'bank')]",
        tracking=True,
        help="Where the acquirer pays.",
    )
    outstanding_account_id = fields.Many2one(
        "account.account",
        required=True,
        check_company=True,
        ondelete="restrict",
        domain="[('reconcile', '=', True), ('account_type', '=', 'asset_current')]",
        tracking=True,
        help="Where the money waits from the closing of the session until the bank pays. One account for each contract "
        "shows at a glance what is still to come.",
    )
    settlement = fields.Selection(
        [("gross", "In full; fees are charged apart"), ("net", "Less the fee")],
        "Acquirer Pays",
        required=True,
        default="gross",
        tracking=True,
    )
    fee_account_id = fields.Many2one("account.account", check_company=True, ondelete="restrict", tracking=True)
    fee_tax_id = fields.Many2one(
        "account.tax", check_company=True, domain="[('type_tax_use', '=', 'purchase')]", help="Empty: fees bear no tax."
    )
    fee_rate = fields.Float("Agreed Rate (%)", digits=(6, 4), tracking=True)
    fee_fixed = fields.Monetary("Agreed Fee for Each Payment", tracking=True)
    label_pattern = fields.Char(
        help="A regular expression that finds this contract's money on bank statements, such as REMISE CB 5091540. "
        "The contract number is looked for in any case."
    )
    cut_hour = fields.Float(
        "Batches End at",
        default=-1,
        help="By the company's clock; -1: the terminal's end of day, or a person, ends them.",
    )
    cut_by_clock = fields.Boolean(
        "Batches End by the Clock",
        compute="_compute_cut_by_clock",
        inverse="_inverse_cut_by_clock",
        help="For terminals whose end of day Odoo never hears of. Otherwise they tell, or a person.",
    )
    missing_hours = fields.Float(
        "Warn without End of Day (Hours)", default=26, help="After the batch's first payment; 0: never."
    )
    days_min = fields.Integer("Earliest Payment (Days)", help="After the terminal's end of day.")
    days_max = fields.Integer("Latest Payment (Days)", default=4, help="Money that is later is listed as missing.")
    tolerance = fields.Monetary(help="By how much a payout may differ from what is expected, as fee.")

    _days_in_order = models.Constraint(
        "CHECK (days_min >= 0 AND days_max >= days_min)", "Money cannot come before its earliest day."
    )
    _unique_others = models.UniqueIndex(
        "(company_id) WHERE takes_others AND active", "Another contract takes all other brands already."
    )

    @api.depends("cut_hour")
    def _compute_cut_by_clock(self):
        for contract in self:
            contract.cut_by_clock = contract.cut_hour >= 0

    @api.onchange("cut_by_clock")
    def _inverse_cut_by_clock(self):
        for contract in self:
            if contract.cut_by_clock != (contract.cut_hour >= 0):
                contract.cut_hour = 0 if contract.cut_by_clock else -1

    @api.constrains("label_pattern")
    def _check_label_pattern(self):
        for contract in self.filtered("label_pattern"):
            try:
                re.compile(contract.label_pattern)
            except re.error as error:
                raise ValidationError(
                    self.env._("“%(pattern)s” is not a pattern: %(why)s", pattern=contract.label_pattern, why=error)
                ) from error

    _cut_hour_of_a_day = models.Constraint("CHECK (cut_hour < 24)", "A day has 24 hours.")

    def _latest_cut(self):
        """Return the last moment (UTC) at which the clock stood at the hour this contract's batches end."""
        self.ensure_one()
        zone = pytz.timezone(self.company_id.partner_id.tz or self.env.user.tz or "UTC")
        now = datetime.now(zone)
        cut = timedelta(hours=self.cut_hour)
        days = (now.date() - timedelta(days=back) for back in (0, 1))
        moments = (zone.localize(datetime.combine(day, time.min) + cut) for day in days)
        latest = next(moment for moment in moments if moment <= now)
        return latest.astimezone(pytz.utc).replace(tzinfo=None)

    @api.model
    def _of_company(self, company):
        """Return the contracts of a company, whoever asks: a cashier closes sessions."""
        return self.sudo().search([("company_id", "=", company.id)])

    def _fitting(self, method, terminal, number, brand):
        """Return the one of these contracts that a payment came under; empty where none or several would do.

        `method` may be empty: not known. The number the terminal said counts most, then the brand, then whoever takes
        all others. It is never guessed. A method that no connected terminal serves says nothing but itself.
        """
        if method and not method._is_card_terminal():
            named = self.filtered(lambda contract: method in contract.payment_method_ids)
            return named if len(named) == 1 else self.browse()
        fits = self.filtered(
            lambda contract: (
                (not method or not contract.payment_method_ids or method in contract.payment_method_ids)
                and (not contract.terminal_ids or terminal in contract.terminal_ids)
            )
        )
        said, named = _digits(number), (brand or "").casefold()
        for suits in (
            lambda contract: said and _digits(contract.number) == said,
            lambda contract: named and named in {name.casefold() for name in contract.brand_ids.mapped("name")},
            lambda contract: contract.takes_others,
        ):
            if found := fits.filtered(suits):
                return found if len(found) == 1 else self.browse()
        return self.browse()


def _digits(number):
    """Return what tells numbers apart: terminals pad them."""
    return NOT_A_DIGIT.sub("", number or "").lstrip("0")
