"""A payout: which bank lines pay which batches, on what evidence, and what became of it.

Proposed by the passes of `card_match_find`, or put together by a person; accepted; posted by `card_match_post`. Where
several would do, each is listed as ambiguous and a person chooses: nothing is guessed.
"""

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools.misc import format_date, formatLang

#: States that hold their bank lines and batches: no pass looks at those again.
HOLDING = ("accepted", "queued", "posted")
#: Pieces of evidence that are money, and those that are days.
EVIDENCE_AMOUNTS = ("sum", "paid", "gross", "expected_fee", "declared")
EVIDENCE_DAYS = ("first_day", "last_day")


class Links(fields.Many2many):
    """Links by the hundred thousand: PostgreSQL checking each of them takes longer than all else.

    Counted payments are never deleted, and payouts take their links along.
    """

    def update_db_foreign_keys(self, model):
        """Leave out the foreign keys."""


class CardMatch(models.Model):
    _name = "card.match"
    _description = "Card Payout"
    _inherit = ["mail.thread"]
    _order = "date desc, id desc"
    _rec_name = "label"

    contract_id = fields.Many2one("card.contract", required=True, readonly=True, ondelete="restrict", index=True)
    journal_id = fields.Many2one("account.journal", required=True, readonly=True, ondelete="restrict")
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    date = fields.Date(required=True, readonly=True, help="Of the last bank line.")
    label = fields.Char(readonly=True, help="As the bank says it.")
    state = fields.Selection(
        [
            ("ambiguous", "One of several"),
            ("proposed", "Proposed"),
            ("accepted", "Accepted"),
            ("queued", "Waiting to be posted"),
            ("posted", "Posted"),
        ],
        required=True,
        readonly=True,
        default="proposed",
        index=True,
        tracking=True,
    )
    found_by = fields.Selection(
        [
            ("reference", "The batch's number"),
            ("amount", "Contract, date and amount"),
            ("split", "Several credits for one batch"),
            ("days", "One credit for several days"),
            ("pooled", "One credit for several terminals"),
            ("declared", "What the terminal declared"),
            ("kept", "Less what was taken back"),
            ("manual", "A person"),
        ],
        required=True,
        readonly=True,
    )
    evidence = fields.Json("Evidence, as Data", readonly=True, help="Label, numbers, days, sums.")
    evidence_text = fields.Text("Evidence", compute="_compute_evidence_text")
    amount = fields.Monetary("Paid", readonly=True, help="The bank lines.")
    gross = fields.Monetary("Batch Amount", readonly=True, help="What this payout pays of its batches.")
    fee = fields.Monetary(readonly=True)
    kept = fields.Monetary("Kept for Chargebacks", readonly=True)
    over = fields.Monetary(
        "Not Explained", readonly=True, tracking=True, help="Paid beyond what Odoo holds: it waits in suspense."
    )
    fee_expected = fields.Monetary("Fee Agreed", compute="_compute_fee_expected")
    fee_difference = fields.Monetary("Fee above Agreed", compute="_compute_fee_expected")
    line_ids = fields.One2many("card.match.line", "match_id", "Bank Lines", readonly=True)
    batch_ids = fields.One2many("card.match.batch", "match_id", "Batches", readonly=True)
    chargeback_ids = fields.Many2many(
        "card.chargeback", "card_match_chargeback_rel", "match_id", "chargeback_id", "Chargebacks", readonly=True
    )
    payment_ids = Links("pos.payment", "card_match_payment_rel", "match_id", "payment_id", "Payments", readonly=True)
    problem = fields.Text(readonly=True, help="Why it could not be posted.")

    @api.depends("contract_id", "gross", "fee", "batch_ids.payment_count")
    def _compute_fee_expected(self):
        for match in self:
            count = sum(match.batch_ids.mapped("payment_count"))
            match.fee_expected = match.contract_id._expected_fee(match.gross, count, match.currency_id)
            agreed = match.contract_id.fee_rate or match.contract_id.fee_fixed
            match.fee_difference = match.fee and agreed and match.currency_id.round(match.fee - match.fee_expected)

    @api.depends("evidence", "found_by")
    def _compute_evidence_text(self):
        names = {
            "label": self.env._("The label names the contract"),
            "only_contract": self.env._("No label names a contract; it is the only one it can be"),
            "number": self.env._("Batch number in the label"),
            "sum": self.env._("Sum of the batches"),
            "paid": self.env._("Sum of the bank lines"),
            "gross": self.env._("Before charges, as the bank says"),
            "expected_fee": self.env._("Fee agreed"),
            "first_day": self.env._("First business day"),
            "last_day": self.env._("Last business day"),
            "days": self.env._("Days from the last batch to the bank"),
            "payments": self.env._("Payments"),
            "declared": self.env._("Declared by the terminal"),
            "kept": self.env._("Kept for chargebacks"),
            "said": self.env._("Why"),
        }
        for match in self:
            said = match.evidence or {}
            match.evidence_text = "\n".join(
                names[key] if said[key] is True else f"{names[key]}: {match._in_words(key, said[key])}"
                for key in names
                if said.get(key) not in (None, False, "")
            )

    def unlink(self):
        """Take the links to payments along."""
        self.env.cr.execute("DELETE FROM card_match_payment_rel WHERE match_id = ANY(%s)", [self.ids])
        return super().unlink()

    def _in_words(self, key, value):
        """Return a piece of evidence as the user writes amounts and days."""
        if key in EVIDENCE_AMOUNTS:
            return formatLang(self.env, float(value), currency_obj=self.currency_id)
        return format_date(self.env, value) if key in EVIDENCE_DAYS else value

    # What a person does -----------------------------------------------------------------------------------------------

    def action_accept(self):
        """Take these payouts as right. One of several: the others that want the same lines or batches go."""
        self._check_accountant()
        chosen = self.filtered(lambda match: match.state in ("proposed", "ambiguous"))
        for match in chosen.filtered(lambda match: match.state == "ambiguous"):
            rivals = match._rivals()
            if rivals & chosen or any(rival.state in HOLDING for rival in rivals):
                raise UserError(self.env._("“%s” and another payout exclude each other: choose one.", match.label))
            match._link_payments()
            rivals.sudo().unlink()
        chosen.sudo().write({"state": "accepted"})

    def action_reject(self):
        """Put proposals away. The bank lines and batches are free for others."""
        self._check_accountant()
        if held := self.filtered(lambda match: match.state in ("queued", "posted")):
            raise UserError(self.env._("“%s” is posted: undo it first.", held[0].label))
        self.sudo().unlink()

    def _check_accountant(self):
        if not self.env.user.has_group("pos_card_terminal.group_card_settlement"):
            raise AccessError(self.env._("Only an accountant can match and post payouts."))
        self.check_access("read")

    def _rivals(self):
        """Return the other payouts that want a bank line or a batch of this one, unless those hold their part only."""
        self.ensure_one()
        lines = self.line_ids.statement_line_id
        by_line = self.env["card.match.line"].search([("statement_line_id", "in", lines.ids)]).match_id
        free = self.env["card.match.batch"].search([("batch_id", "in", self.batch_ids.batch_id.ids)]).match_id
        free |= self.search([("chargeback_ids", "in", self.chargeback_ids.ids)])
        return (by_line | free.filtered(lambda match: match.state not in HOLDING)) - self

    def _link_payments(self):
        """Write down which payments these payouts pay."""
        self.env.flush_all()
        self.env.cr.execute(
            """
            INSERT INTO card_match_payment_rel (match_id, payment_id)
            SELECT part.match_id, payment.id
              FROM card_match_batch part
              JOIN pos_payment payment ON payment.card_batch_id = part.batch_id
             WHERE part.match_id = ANY(%s)
            ON CONFLICT DO NOTHING
            """,
            [self.ids],
        )
        self.invalidate_recordset(["payment_ids"])


class CardMatchLine(models.Model):
    _name = "card.match.line"
    _description = "Bank Line of a Card Payout"
    _rec_name = "statement_line_id"

    match_id = fields.Many2one("card.match", "Payout", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="match_id.company_id")
    statement_line_id = fields.Many2one(
        "account.bank.statement.line", required=True, readonly=True, ondelete="cascade", index=True
    )
    date = fields.Date(related="statement_line_id.date")
    payment_ref = fields.Char(related="statement_line_id.payment_ref")
    currency_id = fields.Many2one(related="match_id.currency_id")
    amount = fields.Monetary(compute="_compute_amount", help="In the currency of the payout.")
    card_gross = fields.Monetary(related="statement_line_id.card_gross")
    card_charges = fields.Monetary(related="statement_line_id.card_charges")

    @api.depends("statement_line_id.amount", "statement_line_id.amount_currency")
    def _compute_amount(self):
        for part in self:
            part.amount = part.statement_line_id._card_paid()


class CardMatchBatch(models.Model):
    _name = "card.match.batch"
    _description = "Batch of a Card Payout"
    _rec_name = "batch_id"

    match_id = fields.Many2one("card.match", "Payout", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="match_id.company_id")
    batch_id = fields.Many2one("card.batch", required=True, readonly=True, ondelete="restrict", index=True)
    currency_id = fields.Many2one(related="match_id.currency_id")
    amount = fields.Monetary("Paid", readonly=True, help="What the payout pays of it.")
    payment_count = fields.Integer("Payments", readonly=True)
    day = fields.Date(related="batch_id.day")
    number = fields.Char(related="batch_id.number")
    terminal_id = fields.Many2one(related="batch_id.terminal_id")


class AccountBankStatementLine(models.Model):
    _inherit = "account.bank.statement.line"

    card_match_line_ids = fields.One2many("card.match.line", "statement_line_id", "Card Payouts", readonly=True)

    def _card_paid(self):
        """Return what the bank paid, in the currency of the payer where the bank says it."""
        return self.amount_currency if self.foreign_currency_id else self.amount


class CardChargeback(models.Model):
    _inherit = "card.chargeback"

    match_ids = fields.Many2many(
        "card.match", "card_match_chargeback_rel", "chargeback_id", "match_id", "Payouts", readonly=True, copy=False
    )

    def _kept_lines(self):
        """Return what is open of these on the outstanding account: an acquirer keeps it from a payout to come."""
        accounts = self.contract_id.outstanding_account_id
        return self.move_ids.line_ids.filtered(
            lambda line: line.account_id in accounts and line.parent_state == "posted" and not line.reconciled
        )


class CardBatch(models.Model):
    _inherit = "card.batch"

    card_match_ids = fields.One2many("card.match.batch", "batch_id", "Payouts", readonly=True)
