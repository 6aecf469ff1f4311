"""Whether payouts and batches are settled, by what is open on the outstanding accounts: the only word that counts.

A bank line still says that it is matched after somebody has unmatched the line it paid.
"""

from odoo import api, fields, models
from odoo.tools import SQL

from .card_match import HOLDING
from .card_money import from_minor, to_minor


class CardMatch(models.Model):
    _inherit = "card.match"

    settled = fields.Boolean(compute="_compute_settled", help="Posted, and everything it paid is still matched.")

    @api.depends("state")
    def _compute_settled(self):
        posted = self.filtered(lambda match: match.state == "posted")
        self.settled = False
        if not posted:
            return
        self.env.flush_all()
        self.env.cr.execute(
            """
            SELECT part.match_id
              FROM card_match_line part
              JOIN account_bank_statement_line bank ON bank.id = part.statement_line_id
              JOIN account_move_line line ON line.move_id = bank.move_id
              JOIN account_account account ON account.id = line.account_id
              JOIN card_match match ON match.id = part.match_id
              JOIN res_company company ON company.id = match.company_id
             WHERE part.match_id = ANY(%s)
             GROUP BY part.match_id
            HAVING bool_and(bank.is_reconciled)
               AND bool_and(line.reconciled OR NOT account.reconcile
                            OR line.account_id IS NOT DISTINCT FROM company.card_suspense_account_id)
            """,
            [posted.ids],
        )
        self.browse([row[0] for row in self.env.cr.fetchall()]).settled = True


class CardBatch(models.Model):
    _inherit = "card.batch"

    paid_amount = fields.Monetary("Paid by the Bank", compute="_compute_paid_amount")
    settlement_state = fields.Selection(
        [("open", "To be paid"), ("partly", "Paid in part"), ("settled", "Paid")],
        "Payment",
        compute="_compute_paid_amount",
    )
    is_to_be_paid = fields.Boolean(
        "Still to Be Paid",
        compute="_compute_is_to_be_paid",
        search="_search_is_to_be_paid",
        help="Not all of it is in payouts that were accepted.",
    )

    @api.depends("amount_due", "card_match_ids.amount", "card_match_ids.match_id.state")
    def _compute_is_to_be_paid(self):
        open_ones = self.search([("id", "in", self.ids), ("is_to_be_paid", "=", True)])
        for batch in self:
            batch.is_to_be_paid = batch._origin in open_ones

    @api.model
    def _search_is_to_be_paid(self, operator, value):
        if operator != "in":
            return NotImplemented
        found = SQL(
            """(
                SELECT batch.id
                  FROM card_batch batch
                  LEFT JOIN card_match_batch part ON part.batch_id = batch.id
                  LEFT JOIN card_match match ON match.id = part.match_id AND match.state = ANY(%s)
                 GROUP BY batch.id
                HAVING batch.amount_due <> COALESCE(sum(part.amount) FILTER (WHERE match.id IS NOT NULL), 0)
            )""",
            list(HOLDING),
        )
        return [("id", "in" if True in value else "not in", found)]

    @api.depends("amount_due", "card_match_ids.amount", "card_match_ids.match_id.state")
    def _compute_paid_amount(self):
        for batch in self:
            currency = batch.currency_id
            parts = batch.sudo().card_match_ids.filtered("match_id.settled")
            paid = sum(to_minor(part.amount, currency) for part in parts)
            owed = to_minor(batch.amount_due, currency)
            batch.paid_amount = from_minor(paid, currency)
            batch.settlement_state = "open" if not paid else "settled" if paid == owed else "partly"
