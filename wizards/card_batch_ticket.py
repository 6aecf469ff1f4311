"""What ends a batch that no terminal ends: its ticket, typed, or the acquirer's file. Both say what was counted."""

import base64
from datetime import datetime, time

import pytz
from odoo import api, fields, models
from odoo.exceptions import UserError

from ..bank_files import reader
from ..bank_files.statement import BankFileError
from ..hw_driver.protocols.scrub import scrub
from ..models.card_money import from_minor


class CardBatchTicket(models.TransientModel):
    _name = "card.batch.ticket"
    _description = "End-of-Day Ticket of a Card Batch"

    batch_id = fields.Many2one("card.batch", required=True, readonly=True, ondelete="cascade")
    currency_id = fields.Many2one(related="batch_id.currency_id")
    number = fields.Char("Number on the Ticket")
    at = fields.Datetime("Printed at", required=True, default=fields.Datetime.now)
    line_ids = fields.One2many("card.batch.ticket.line", "wizard_id", "Totals")
    file = fields.Binary(
        "Acquirer's File", attachment=False, help="CSV or XLSX, by the contract's mapping: read instead of typing."
    )
    file_name = fields.Char()

    @api.onchange("file")
    def _onchange_file(self):
        if self.file:
            self._take_file()

    def action_enter(self):
        """End the batch with this ticket; one that has ended takes its totals."""
        self.ensure_one()
        self.batch_id._check_accountant()
        batch = self.batch_id.sudo()
        if self.file:
            self._take_file()
        elif batch.terminal_id:
            raise UserError(self.env._("Enter the ticket of a connected terminal under Settlements."))
        if not self.line_ids:
            raise UserError(self.env._("Type at least one total: how many payments, and their amount."))
        if not batch.opened_at <= self.at <= fields.Datetime.now():
            raise UserError(self.env._("The ticket was printed after the batch's first payment, and before now."))
        batch._close(self.at, "file" if self.file else "typed", self.number)
        if self.number and not batch.number:
            batch.number = self.number
        batch._declare([(line.brand or "", line.count, line.amount) for line in self.line_ids])
        return {"type": "ir.actions.act_window_close"}

    def _take_file(self):
        """Fill the ticket in from the rows of this batch: of its number, or of the only one there is."""
        rows = self._read_file()
        numbers = {row.batch for row in rows}
        if self.number:
            numbers = {number for number in numbers if _bare(number) == _bare(self.number)}
        if len(numbers) != 1:
            raise UserError(
                self.env._("The file tells of no batch with this number.")
                if self.number
                else self.env._("The file tells of several batches: enter the number of this one.")
            )
        (number,) = numbers
        totals = {}
        for row in rows:
            if row.batch == number:
                count, amount = totals.get(row.label, (0, 0))
                amount += row.amount if row.gross is None else row.gross
                totals[row.label] = count + (1 if row.count is None else row.count), amount
        self.number = scrub(number)
        self.at = self._end_of(max(row.booked for row in rows if row.batch == number))
        self.line_ids = [(5,)] + [
            (0, 0, {"brand": scrub(brand), "count": count, "amount": from_minor(amount, self.currency_id)})
            for brand, (count, amount) in totals.items()
        ]

    def _read_file(self):
        mapping = self.batch_id.contract_id.csv_mapping_ids[:1]
        if not mapping:
            raise UserError(self.env._("The contract has no mapping that says what the columns of its files hold."))
        try:
            statements = reader.read(base64.b64decode(self.file), mapping._mapping("", self.currency_id.name))
        except BankFileError as error:
            said = self.env._("%(file)s: %(why)s", file=self.file_name or "", why=self.env._(error.text))
            raise UserError(said) from error
        return [line for statement in statements for line in statement.lines]

    def _end_of(self, day):
        """Return the end of a day by the company's clock, or now while it lasts."""
        zone = pytz.timezone(self.batch_id.company_id.partner_id.tz or self.env.user.tz or "UTC")
        end = zone.localize(datetime.combine(day, time.max)).astimezone(pytz.utc).replace(tzinfo=None, microsecond=0)
        return min(end, fields.Datetime.now())


def _bare(number):
    return "".join(char for char in number.upper() if char.isalnum()).lstrip("0")


class CardBatchTicketLine(models.TransientModel):
    _name = "card.batch.ticket.line"
    _description = "Total on an End-of-Day Ticket"
    _rec_name = "brand"

    wizard_id = fields.Many2one("card.batch.ticket", required=True, ondelete="cascade")
    currency_id = fields.Many2one(related="wizard_id.currency_id")
    brand = fields.Char(help="As the ticket says it; empty for the sum of all.")
    count = fields.Integer("Payments")
    amount = fields.Monetary(help="Negative where more was given back than taken.")
