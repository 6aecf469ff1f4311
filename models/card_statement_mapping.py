"""How the CSV of a contract's bank or acquirer is read: kept, so that it is said once."""

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..bank_files.sheet import FIELDS, Mapping

#: Between the titles of several columns whose texts are put together.
BETWEEN = "|"


class CardCsvMapping(models.Model):
    _name = "card.csv.mapping"
    _description = "Mapping of a Bank's CSV"
    _rec_name = "contract_id"

    contract_id = fields.Many2one("card.contract", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="contract_id.company_id", store=True, index=True)
    delimiter = fields.Selection(
        [(";", "Semicolon"), (",", "Comma"), ("tab", "Tab"), ("bar", "Vertical bar")], required=True, default=";"
    )
    encoding = fields.Selection(
        [
            ("utf-8-sig", "UTF-8"),
            ("cp1252", "Windows (Western Europe)"),
            ("iso8859-15", "ISO 8859-15"),
            ("utf-16", "UTF-16"),
        ],
        required=True,
        default="utf-8-sig",
    )
    sign = fields.Selection([(",", "Comma"), (".", "Point")], "Decimal Sign", required=True, default=",")
    thousands = fields.Selection(
        [("none", "Nothing or a space"), (".", "Point"), (",", "Comma")], required=True, default="none"
    )
    dates = fields.Char("Date Format", required=True, default="%d/%m/%Y", help="%d day, %m month, %Y year.")
    skip = fields.Integer("Lines before the Titles")
    column_booked = fields.Char("Date", required=True, help="The title of the column, as the file has it.")
    column_valued = fields.Char("Value Date")
    column_amount = fields.Char("Amount", help="With its sign.")
    column_debit = fields.Char("Debit")
    column_credit = fields.Char("Credit")
    column_gross = fields.Char("Before Fees")
    column_fee = fields.Char("Fee")
    column_net = fields.Char("Paid Out")
    column_label = fields.Char("Label", help="Several columns: write a | between them.")
    column_reference = fields.Char("Reference")
    column_code = fields.Char("Kind")
    column_batch = fields.Char("Batch")
    column_count = fields.Char("Number of Payments")
    column_balance = fields.Char("Balance after It")

    _one_for_each = models.UniqueIndex("(contract_id)", "This contract has a mapping already.")

    @api.constrains("column_amount", "column_credit", "column_net")
    def _check_amount(self):
        for mapping in self:
            if not (mapping.column_amount or mapping.column_credit or mapping.column_net):
                raise ValidationError(self.env._("Name the column that holds the amount."))

    @api.constrains("sign", "thousands")
    def _check_signs(self):
        for mapping in self:
            if mapping.sign == mapping.thousands:
                raise ValidationError(self.env._("Decimals and thousands cannot have the same sign."))

    def _mapping(self, account, currency):
        """Return how to read a file of this account."""
        self.ensure_one()
        columns = {name: self[f"column_{name}"] for name in FIELDS}
        return Mapping(
            account=account,
            currency=currency,
            columns={
                name: tuple(title.strip() for title in said.split(BETWEEN)) for name, said in columns.items() if said
            },
            delimiter={"tab": "\t", "bar": "|"}.get(self.delimiter, self.delimiter),
            encoding=self.encoding,
            sign=self.sign,
            thousands={"none": " "}.get(self.thousands, self.thousands),
            dates=self.dates,
            skip=self.skip,
        )


class CardContract(models.Model):
    _inherit = "card.contract"

    csv_mapping_ids = fields.One2many("card.csv.mapping", "contract_id", "CSV of the Bank")
