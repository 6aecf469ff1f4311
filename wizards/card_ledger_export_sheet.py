"""A sheet for each batch, to file with the terminal's ticket."""

from odoo import fields, models
from odoo.tools.misc import format_date, format_datetime, formatLang

from ..ledger_files import sheet


class CardLedgerExport(models.TransientModel):
    _inherit = "card.ledger.export"

    def _sheets_pdf_files(self):
        batches = self._batches().sudo()  # names of tills and orders, which accountants may not open
        if not batches:
            return []
        sheets = [self._sheet_of(batch) for batch in batches]
        return [(f"{self._stem('card_batch_sheets')}.pdf", sheet.write(sheets, self.env._("Card Batches")))]

    def _sheet_of(self, batch):
        selection = batch._fields["closed_by"]._description_selection(self.env)

        def money(amount):
            return formatLang(self.env, amount, currency_obj=batch.currency_id)

        def declared(amount):
            return money(amount) if batch.is_declared else self.env._("not known")

        def moment(at):
            return format_datetime(self.env, at) if at else ""

        facts = [
            (self.env._("Contract"), " ".join(filter(None, [batch.contract_id.name, batch.contract_id.number]))),
            (self.env._("Acquirer"), batch.contract_id.acquirer or ""),
            (self.env._("Terminal"), batch.terminal_id.name or self.env._("not connected")),
            (self.env._("Terminal's Number"), batch.number or ""),
            (self.env._("Opened"), moment(batch.opened_at)),
            (
                self.env._("Ended"),
                " · ".join(filter(None, [moment(batch.closed_at), dict(selection).get(batch.closed_by)])),
            ),
            (self.env._("In Odoo"), f"{batch.odoo_count} · {money(batch.odoo_amount)}"),
            (
                self.env._("Declared by the terminal"),
                f"{batch.declared_count} · {money(batch.declared_amount)}"
                if batch.is_declared
                else self.env._("not known"),
            ),
            (self.env._("Difference"), declared(batch.difference)),
            (self.env._("Due from the Bank"), money(batch.amount_due)),
            (self.env._("Paid by the Bank"), money(batch.paid_amount)),
        ]
        kinds = dict(batch.difference_ids._fields["kind"]._description_selection(self.env))
        grids = [
            sheet.Grid(
                self.env._("By Brand"),
                (
                    self.env._("Brand"),
                    self.env._("Payments in Odoo"),
                    self.env._("In Odoo"),
                    self.env._("Payments Declared"),
                    self.env._("Declared"),
                ),
                [
                    (
                        line.brand or self.env._("all"),
                        str(line.odoo_count),
                        money(line.odoo_amount),
                        str(line.declared_count) if line.is_declared else "",
                        money(line.declared_amount) if line.is_declared else "",
                    )
                    for line in batch.line_ids
                ],
                4,
            ),
            sheet.Grid(
                self.env._("Differences"),
                (self.env._("Difference"), self.env._("Payments"), self.env._("Amount")),
                [
                    (
                        kinds[row.kind],
                        ", ".join(payment.pos_order_id.pos_reference or "" for payment in row.payment_ids)
                        or ", ".join(row.transaction_ids.mapped("display_name")),
                        money(row.amount),
                    )
                    for row in batch.difference_ids
                ],
            ),
            sheet.Grid(
                self.env._("Payments"),
                (
                    self.env._("Date"),
                    self.env._("Order"),
                    self.env._("Brand"),
                    self.env._("Authorisation"),
                    self.env._("Amount"),
                ),
                [
                    (
                        moment(payment.payment_date),
                        payment.pos_order_id.pos_reference or "",
                        payment.card_brand or "",
                        payment.payment_method_authcode or "",
                        money(payment.amount),
                    )
                    for payment in batch.payment_ids.sorted(lambda payment: (payment.payment_date, payment.id))
                ],
            ),
        ]
        company = batch.company_id
        return sheet.Sheet(
            title=self.env._("Card batch %s", batch.name),
            subtitle=f"{company.name} · {format_date(self.env, batch.day)}",
            facts=facts,
            grids=grids,
            footer=f"{company.name} · {moment(fields.Datetime.now())}",
        )


class CardBatch(models.Model):
    _inherit = "card.batch"

    def action_sheet(self):
        """Download the sheet of these batches."""
        self.check_access("read")
        days = self.mapped("day")
        export = self.env["card.ledger.export"].create(
            {
                "kind": "sheets_pdf",
                "date_from": min(days),
                "date_to": max(days),
                "batch_ids": [(6, 0, self.ids)],
                "company_ids": [(6, 0, self.company_id.ids)],
            }
        )
        return export.action_export()
