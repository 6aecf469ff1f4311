"""What a bank's file says of a line beyond what Odoo keeps: by it lines are known again, and matched with batches."""

from odoo import api, fields, models


class AccountBankStatementLine(models.Model):
    _name = "account.bank.statement.line"
    _inherit = ["account.bank.statement.line", "card.guarded.mixin"]
    _guarded = frozenset({
        "card_import_key", "card_reference", "card_code", "card_batch_reference", "card_gross", "card_charges",
        "card_details",
    })  # fmt: skip

    card_import_key = fields.Char(
        "Key in the Bank's Files", readonly=True, copy=False, help="The same in every file that has this line."
    )
    card_reference = fields.Char("Bank's Reference", readonly=True, copy=False, index="btree_not_null")
    card_code = fields.Char("Kind of Movement", readonly=True, copy=False, help="In the words of the file's format.")
    card_batch_reference = fields.Char("Payer's Batch", readonly=True, copy=False)
    card_gross = fields.Monetary("Before Charges", readonly=True, copy=False, help="0.00: the file does not say.")
    card_charges = fields.Monetary("Charges Kept", readonly=True, copy=False, help="Taken out of the amount.")
    card_details = fields.Json("What It Is Made of", readonly=True, copy=False)
    card_evidence_ids = fields.Many2many(
        "card.bank.evidence", string="Bank's Details", compute="_compute_card_evidence_ids"
    )

    _card_import_key_unique = models.UniqueIndex(
        "(journal_id, card_import_key) WHERE card_import_key IS NOT NULL", "This line was imported already."
    )

    @api.depends("card_reference", "journal_id")
    def _compute_card_evidence_ids(self):
        evidence = self.env["card.bank.evidence"]
        for line in self:
            where = [("journal_id", "=", line.journal_id.id), ("reference", "=", line.card_reference)]
            line.card_evidence_ids = evidence.search(where) if line.card_reference else evidence


class CardBankEvidence(models.Model):
    """A camt.054 tells what a line of another file is made of: evidence, never a second line."""

    _name = "card.bank.evidence"
    _description = "What a Bank Tells of a Line"
    _order = "date desc, id desc"
    _rec_name = "reference"

    journal_id = fields.Many2one("account.journal", required=True, readonly=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="journal_id.company_id", store=True, index=True)
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    reference = fields.Char("Bank's Reference", required=True, readonly=True, index=True)
    key = fields.Char(required=True, readonly=True)
    date = fields.Date(readonly=True)
    amount = fields.Monetary(readonly=True)
    label = fields.Char(readonly=True)
    details = fields.Json(readonly=True)

    _unique_key = models.Constraint("UNIQUE(journal_id, key)", "This was imported already.")
