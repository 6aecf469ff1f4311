"""Card transactions of a period as CSV, for accountants.

UTF-8 with a byte order mark, semicolons and CR/LF, dates as ISO 8601 in the user's time zone, amounts with the
currency's decimals and the decimal sign of the user's language: what a spreadsheet opens by a double click.
"""

import base64
import codecs
import csv
import io
from datetime import datetime, time, timedelta
from decimal import Decimal

import pytz
from odoo import api, fields, models
from odoo.exceptions import UserError

from ..ledger_files.table import plain_cell
from ..models.card_transaction import GIVING_BACK


class CardTransactionExport(models.TransientModel):
    _name = "card.transaction.export"
    _description = "Export of Card Transactions"

    date_from = fields.Date("From", required=True, default=lambda self: fields.Date.context_today(self).replace(day=1))
    date_to = fields.Date("To", required=True, default=fields.Date.context_today)
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company)
    content = fields.Binary("File", readonly=True, attachment=False)
    file_name = fields.Char(readonly=True)

    def action_export(self):
        """Make the file and download it."""
        self.ensure_one()
        if self.date_from > self.date_to:
            raise UserError(self.env._("The period ends before it begins."))
        self.file_name = f"card_transactions_{self.date_from}_{self.date_to}.csv"
        self.content = base64.b64encode(self._csv())
        url = f"/web/content/{self._name}/{self.id}/content/{self.file_name}?download=true"
        return {"type": "ir.actions.act_url", "url": url, "target": "download"}

    def _csv(self):
        """Return the file's bytes."""
        text = io.StringIO()
        writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
        columns = self._columns()
        writer.writerow(columns)
        for transaction in self._transactions().sudo():  # names of tills and orders, which accountants may not open
            writer.writerow([column(transaction) for column in columns.values()])
        return codecs.BOM_UTF8 + text.getvalue().encode()

    def _transactions(self):
        zone = pytz.timezone(self.env.user.tz or "UTC")
        first, after = (
            zone.localize(datetime.combine(day, time.min)).astimezone(pytz.utc).replace(tzinfo=None)
            for day in (self.date_from, self.date_to + timedelta(days=1))
        )
        return self.env["card.transaction"].search(
            [("company_id", "=", self.company_id.id), ("requested_at", ">=", first), ("requested_at", "<", after)],
            order="requested_at, id",
        )

    @api.model
    def _columns(self):
        """Return {title: text of a transaction}, in order."""
        kinds, states = (
            dict(self.env["card.transaction"]._fields[name]._description_selection(self.env))
            for name in ("kind", "state")
        )
        sign = self.env["res.lang"]._get_data(code=self.env.user.lang or "en_US").decimal_point or "."

        def amount(transaction, minor):
            currency = transaction.currency_id
            signed = -minor if transaction.kind in GIVING_BACK else minor
            return f"{Decimal(signed).scaleb(-currency.decimal_places):f}".replace(".", sign) if currency else ""

        def entry(transaction):
            payment = transaction.payment_id.sudo()
            move = payment.account_move_id or (payment and transaction.session_id.sudo().move_id)
            return move.name if move else ""

        def local(transaction):
            moment = transaction.requested_at
            return fields.Datetime.context_timestamp(self, moment).strftime("%Y-%m-%d %H:%M:%S") if moment else ""

        return {
            self.env._("Date"): local,
            self.env._("Till"): lambda record: plain_cell(record.config_id.name or record.till),
            self.env._("Order"): lambda record: plain_cell(record.order_id.pos_reference or record.order_uuid),
            self.env._("Terminal"): lambda record: plain_cell(record.terminal_ref or record.terminal_id.name),
            self.env._("Brand"): lambda record: plain_cell(record.brand),
            self.env._("Last four"): lambda record: plain_cell(record.last4),
            self.env._("Authorisation"): lambda record: plain_cell(record.auth_code),
            self.env._("Kind"): lambda record: kinds[record.kind],
            self.env._("State"): lambda record: states[record.state],
            self.env._("Asked"): lambda record: amount(record, record.amount_requested_minor),
            self.env._("Approved"): lambda record: amount(record, record.amount_approved_minor),
            self.env._("Currency"): lambda record: record.currency_id.name or "",
            self.env._("Journal entry"): entry,
        }
