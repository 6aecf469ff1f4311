"""Odoo's own exports: a spreadsheet runs no text that came from a terminal (Odoo's XLSX writes '=…' as a formula)."""

from odoo import models

from ..ledger_files.table import plain_cell


class CardExportMixin(models.AbstractModel):
    _name = "card.export.mixin"
    _description = "Export without Formulas"

    def export_data(self, fields_to_export):
        """Return Odoo's export with its texts defused."""
        exported = super().export_data(fields_to_export)
        rows = [[plain_cell(cell) if isinstance(cell, str) else cell for cell in row] for row in exported["datas"]]
        return {**exported, "datas": rows}
