"""What a terminal collects under one contract, from one end of day to the next: declared by it, and booked by Odoo.

A batch is no entry. It says which payments the acquirer will pay together; a session may span several, and a batch
several sessions. What was not declared is not known, never zero.
"""

from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from .card_group import group_of
from .card_money import from_minor, to_minor, total

#: Numbers further apart are another way of numbering, no hole.
LONGEST_HOLE = 1000


class CardBatch(models.Model):
    _name = "card.batch"
    _description = "Card Batch"
    _inherit = ["mail.thread", "card.export.mixin"]
    _order = "closed_at desc nulls first, id desc"
    _check_company_auto = True

    name = fields.Char(required=True, readonly=True, copy=False, help="Our own number: rising, without a gap.")
    number = fields.Char("Terminal's Number", readonly=True, copy=False, help="As its end-of-day ticket says it.")
    contract_id = fields.Many2one("card.contract", required=True, readonly=True, ondelete="restrict", index=True)
    terminal_id = fields.Many2one(
        "card.terminal", readonly=True, ondelete="restrict", index="btree_not_null", help="Empty: not connected."
    )
    company_id = fields.Many2one(related="contract_id.company_id", store=True, index=True)
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    state = fields.Selection(
        [("open", "Open"), ("closed", "Closed")],
        required=True,
        readonly=True,
        default="open",
        index=True,
        tracking=True,
    )
    opened_at = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    closed_at = fields.Datetime(readonly=True, copy=False, index=True, tracking=True)
    day = fields.Date(
        "Business Day", compute="_compute_day", store=True, index=True, help="Of its end, by the company's clock."
    )
    closed_by = fields.Selection(
        [
            ("terminal", "The terminal's end of day"),
            ("typed", "Its ticket, typed"),
            ("file", "A file"),
            ("cut", "The hour of the contract"),
            ("manual", "A person"),
            ("taken_over", "Taken over: booked before contracts were kept"),
        ],
        "Closed by",
        readonly=True,
        copy=False,
    )
    settlement_id = fields.Many2one(
        "card.terminal.settlement", "End of Day", readonly=True, copy=False, ondelete="restrict", index="btree_not_null"
    )
    payment_ids = fields.One2many("pos.payment", "card_batch_id", "Payments", readonly=True)
    line_ids = fields.One2many("card.batch.line", "batch_id", "Totals", readonly=True)
    difference_ids = fields.One2many("card.batch.difference", "batch_id", "Differences", readonly=True)

    is_declared = fields.Boolean("Totals Known", readonly=True, tracking=True)
    declared_count = fields.Integer("Payments Declared", readonly=True)
    declared_amount = fields.Monetary("Declared", readonly=True, tracking=True)
    odoo_count = fields.Integer("Payments in Odoo", compute="_compute_odoo", store=True)
    odoo_amount = fields.Monetary("In Odoo", compute="_compute_odoo", store=True)
    difference = fields.Monetary(
        compute="_compute_difference",
        store=True,
        help="Declared less what Odoo booked; 0.00 while nothing is declared.",
    )

    opening_amount = fields.Monetary(
        "Taken Over", readonly=True, copy=False, help="Booked before contracts were kept, without payments here."
    )
    taken_over_line_ids = fields.Many2many(
        "account.move.line", string="Items Taken Over", readonly=True, copy=False, help="Where that money waits."
    )
    amount_due = fields.Monetary(
        "To Be Paid",
        compute="_compute_amount_due",
        store=True,
        help="By the bank: what Odoo booked, and what was taken over.",
    )

    _unique_name = models.Constraint("UNIQUE(company_id, name)", "Another batch has this number.")
    _one_open = models.UniqueIndex(
        "(contract_id, COALESCE(terminal_id, 0), currency_id) WHERE state = 'open'",
        "There is an open batch of this contract on this terminal already.",
    )

    @api.depends("closed_at", "opened_at")
    def _compute_day(self):
        for batch in self:
            moment = batch.closed_at or batch.opened_at
            zoned = batch.with_context(tz=batch.company_id.partner_id.tz or self.env.user.tz)
            batch.day = fields.Datetime.context_timestamp(zoned, moment).date()

    @api.depends("payment_ids.amount")
    def _compute_odoo(self):
        for batch in self:
            batch.odoo_count = len(batch.payment_ids)
            batch.odoo_amount = total(batch.payment_ids.mapped("amount"), batch.currency_id)

    @api.depends("odoo_amount", "declared_amount", "is_declared")
    def _compute_difference(self):
        for batch in self:
            parts = (batch.declared_amount, -batch.odoo_amount) if batch.is_declared else ()
            batch.difference = total(parts, batch.currency_id)

    @api.depends("odoo_amount", "opening_amount")
    def _compute_amount_due(self):
        for batch in self:
            batch.amount_due = total((batch.odoo_amount, batch.opening_amount), batch.currency_id)

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            contract = self.env["card.contract"].browse(vals["contract_id"])
            vals["name"] = self._sequence(contract.company_id).next_by_id()
        return super().create(vals_list)

    def _sequence(self, company):
        """Return the numbers of a company's batches, begun with its first one."""
        sequences = self.env["ir.sequence"].sudo()
        own = sequences.search([("code", "=", "card.batch"), ("company_id", "=", company.id)], limit=1)
        if own:
            return own
        self.env.cr.execute("SELECT 1 FROM res_company WHERE id = %s FOR UPDATE", [company.id])
        return self.env.ref("pos_card_terminal.sequence_card_batch").sudo().copy({"company_id": company.id})

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("Batches are never deleted: their numbers rise without a gap."))

    # Filling ----------------------------------------------------------------------------------------------------------

    @api.model
    def _of(self, contract, terminal, currency, at):
        """Return the batch of what was approved at that moment: the first that ended after it, else the open one.

        Where the terminal settled after that moment and this contract had no batch then, it gets one, ended by that.
        """
        where = [
            ("contract_id", "=", contract.id),
            ("terminal_id", "=", terminal.id),
            ("currency_id", "=", currency.id),
        ]
        over = [*where, ("state", "=", "closed"), ("closed_by", "!=", "taken_over"), ("closed_at", ">=", at)]
        if ended := self.search(over, order="closed_at", limit=1):
            return ended
        settlement = terminal and self.env["card.terminal.settlement"].sudo()._first_since(terminal, at)
        standing = [] if settlement else [*where, ("state", "=", "open")]
        batch = (standing and self.search(standing, limit=1)) or self.create(
            {"contract_id": contract.id, "terminal_id": terminal.id, "currency_id": currency.id, "opened_at": at}
        )
        if settlement:
            settlement._end(batch)
            settlement._declare_to_batches()
        return batch

    def _take_late(self, payment):
        """Note that a payment came to a batch after it had ended: its approval was on its way."""
        self.ensure_one()
        said = self.env._(
            "Came after the end: %(payment)s, %(amount)s.", payment=payment.display_name, amount=payment.amount
        )
        self.message_post(body=said)
        self._count()

    # Ending -----------------------------------------------------------------------------------------------------------

    def _close(self, at, closed_by, number="", settlement=None):
        """End these open batches at that moment; what was approved later begins the next ones."""
        for batch in self.filtered(lambda record: record.state == "open"):
            batch.write({
                "state": "closed",
                "closed_at": at,
                "closed_by": closed_by,
                "number": number or False,
                "settlement_id": settlement and settlement.id,
            })  # fmt: skip
            later = batch.payment_ids.filtered(lambda payment, at=at: payment._card_approved_at() > at)
            later._write_guarded({"card_batch_id": False})
            later._enter_card_batches()
            batch._count()
            batch._tell_of_a_hole()
            self.env["card.notice"]._withdraw_notice("batch_missing", batch, self.env._("It has ended."))

    def _tell_of_a_hole(self):
        """Raise a notice where the terminal's numbers leave some out: a batch that Odoo never heard of."""
        before = self.search(
            [
                ("contract_id", "=", self.contract_id.id),
                ("terminal_id", "=", self.terminal_id.id),
                ("number", "!=", False),
                ("closed_at", "<", self.closed_at),
            ],
            order="closed_at desc",
            limit=1,
        )
        numbers = [batch.number for batch in (before, self)]
        if not all(number and number.isdecimal() for number in numbers):
            return
        last, own = map(int, numbers)
        told = self.settlement_id.search([("terminal_id", "=", self.terminal_id.id), ("number", "!=", False)])
        known = {int(number) for number in told.mapped("number") if number.isdecimal()}
        if own - last <= LONGEST_HOLE and set(range(last + 1, own)) - known:
            text = self.env._(
                "%(terminal)s went from batch %(last)s to %(own)s: Odoo has not heard of those between. "
                "Look for their tickets, and for their money.",
                terminal=self.terminal_id.name or self.contract_id.name,
                last=before.number,
                own=self.number,
            )
            self.env["card.notice"]._raise_notice("batch_number_hole", self, text)

    @api.model
    def _cron_missing(self):
        """Raise a notice for batches that should have ended long ago (cron); withdraw those that have."""
        notices = self.env["card.notice"]
        opened = self.sudo().search([("state", "=", "open"), ("payment_ids", "!=", False)])
        for batch in opened:
            hours = batch.contract_id.missing_hours
            if hours and batch.opened_at < fields.Datetime.now() - timedelta(hours=hours):
                text = self.env._(
                    "%(batch)s of %(contract)s on %(terminal)s: %(amount)s (payments: %(count)s), and no end of day "
                    "for more than %(hours)g hours.",
                    batch=batch.name,
                    contract=batch.contract_id.name,
                    terminal=batch.terminal_id.name or "–",
                    amount=batch.currency_id.format(batch.odoo_amount),
                    count=batch.odoo_count,
                    hours=hours,
                )
                notices._raise_notice("batch_missing", batch, text)

    def _declare(self, totals):
        """Take what the terminal declared: [(brand, count, amount)]. Said again, the later word counts."""
        self.ensure_one()
        self.line_ids.filtered("is_declared").unlink()
        self.write({
            "is_declared": True,
            "declared_count": sum(count for _brand, count, _amount in totals),
            "declared_amount": total((amount for _brand, _count, amount in totals), self.currency_id),
            "line_ids": [
                (0, 0, {"brand": brand, "is_declared": True, "declared_count": count, "declared_amount": amount})
                for brand, count, amount in totals
            ],
        })  # fmt: skip
        self._count()

    def _count(self):
        """Bring the totals by brand up to date, and what explains the difference."""
        for batch in self:
            batch.line_ids.filtered(lambda line: not line.is_declared).unlink()
            lines = {(line.brand or "").casefold(): line for line in batch.line_ids}
            for line in batch.line_ids:
                line.write({"odoo_count": 0, "odoo_amount": 0})
            groups = batch.line_ids.mapped("brand")
            for brand, payments in batch.payment_ids.grouped(
                lambda payment, groups=groups: group_of(self._brand_of(payment), groups)
            ).items():
                amount = total(payments.mapped("amount"), batch.currency_id)
                counted = {"odoo_count": len(payments), "odoo_amount": amount}
                line = lines.get(brand.casefold())
                if line:
                    line.write(counted)
                else:
                    batch.write({"line_ids": [(0, 0, {"brand": brand, **counted})]})
            batch._explain()

    def _brand_of(self, payment):
        """Return whose card paid."""
        transaction = payment.card_transaction_id.sudo()
        return payment.card_brand or (transaction and transaction._brand()) or ""

    def _check_accountant(self):
        if not self.env.user.has_group("pos_card_terminal.group_card_settlement"):
            raise AccessError(self.env._("Only an accountant can end a batch."))
        self.check_access("read")

    def action_close(self):
        """End a batch by hand, now: its totals are not known until somebody enters them."""
        self._check_accountant()
        self.sudo()._close(fields.Datetime.now(), "manual")

    @api.model
    def _cron_cut_hours(self):
        """End the batches of contracts that end by the clock (cron)."""
        for contract in self.env["card.contract"].sudo().search([("cut_hour", ">=", 0)]):
            at = contract._latest_cut()
            batches = self.sudo().search(
                [("contract_id", "=", contract.id), ("state", "=", "open"), ("opened_at", "<", at)]
            )
            batches._close(at, "cut")


class CardBatchLine(models.Model):
    _name = "card.batch.line"
    _description = "Total of a Card Batch"
    _order = "batch_id, id"
    _rec_name = "brand"

    batch_id = fields.Many2one("card.batch", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="batch_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="batch_id.currency_id")
    brand = fields.Char(help="Empty: the sum of all.")
    is_declared = fields.Boolean("Declared by the Terminal")
    declared_count = fields.Integer("Payments Declared")
    declared_amount = fields.Monetary("Declared")
    odoo_count = fields.Integer("Payments in Odoo")
    odoo_amount = fields.Monetary("In Odoo")
    difference = fields.Monetary(
        compute="_compute_difference", help="Declared less what Odoo booked, where it was declared for this card."
    )

    @api.depends("brand", "is_declared", "declared_amount", "odoo_amount")
    def _compute_difference(self):
        for line in self:
            known = line.is_declared and line.brand  # a sum of all is compared as such
            parts = (line.declared_amount, -line.odoo_amount) if known else ()
            line.difference = total(parts, line.currency_id)


def signed_minor(payment):
    """Return what a payment moved, in minor units."""
    return to_minor(payment.amount, payment.currency_id)


def in_currency(minor, batch):
    """Return minor units as an amount of a batch."""
    return from_minor(minor, batch.currency_id)
