"""A terminal's end of day ends its batches, and tells their totals."""

from odoo import api, fields, models


class CardTerminalSettlement(models.Model):
    _inherit = "card.terminal.settlement"

    batch_ids = fields.One2many("card.batch", "settlement_id", "Batches", readonly=True)

    @api.model_create_multi
    def create(self, vals_list):
        settlements = super().create(vals_list)
        settlements._end_batches()
        return settlements

    def write(self, vals):
        result = super().write(vals)
        if vals.keys() & {"line_ids", "number"}:
            self._end_batches()
        return result

    def _end_batches(self):
        """End the open batches of these terminals, and hand them what was declared for each."""
        for settlement in self.sudo():
            batches = self.env["card.batch"].sudo().search([
                ("terminal_id", "=", settlement.terminal_id.id),
                ("state", "=", "open"),
                ("opened_at", "<=", settlement.at),
            ])  # fmt: skip
            if not settlement.batch_ids:
                settlement._end(batches)
            elif settlement.number:
                without = settlement.batch_ids.filtered(lambda batch: not batch.number)
                without.number = settlement.number
                for batch in without:
                    batch._tell_of_a_hole()
            settlement._declare_to_batches()

    def _end(self, batches):
        by = {"terminal": "terminal", "none": "terminal"}.get(self.source, "typed")
        batches._close(self.at, by, self.number, self)

    @api.model
    def _first_since(self, terminal, at):
        """Return the first end of day of a terminal at or after that moment."""
        return self.search([("terminal_id", "=", terminal.id), ("at", ">=", at)], order="at, id", limit=1)

    def _declare_to_batches(self):
        """Give each total to the batch of its contract. A sum over several contracts is nobody's: not known."""
        batches = self.batch_ids
        totals = {batch: [] for batch in batches}
        for line in self.line_ids:
            of = batches
            if len(batches) > 1:
                contract = batches.contract_id._fitting(
                    self.env["pos.payment.method"], self.terminal_id, "", line.brand
                )
                of = batches.filtered(lambda batch, contract=contract: batch.contract_id == contract)
            if len(of) == 1:
                totals[of].append((line.brand or "", line.count, line.amount))
        for batch, own in totals.items():
            declared = batch.line_ids.filtered("is_declared")
            said = [(line.brand or "", line.declared_count, line.declared_amount) for line in declared]
            if own and own != said:
                batch._declare(own)
