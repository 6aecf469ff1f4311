"""The accountant's morning: one card for each contract, and one for what needs a person in each company."""

import json
from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.misc import format_date

from .card_money import from_minor, to_minor

#: Days of expected payouts in the picture.
DAYS_AHEAD = 7


class CardDashboard(models.Model):
    _name = "card.dashboard"
    _description = "Card Money"
    _auto = False
    _order = "sequence, id"
    _depends = {"card.contract": ["active", "company_id", "name", "sequence"], "res.company": ["name"]}

    name = fields.Char(readonly=True)
    sequence = fields.Integer(readonly=True)
    contract_id = fields.Many2one("card.contract", readonly=True, help="Empty: the whole company.")
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    open_amount = fields.Monetary("Open", compute="_compute_money")
    late_amount = fields.Monetary("Late", compute="_compute_money")
    next_amount = fields.Monetary("Next Payout", compute="_compute_money")
    next_on = fields.Date("Expected by", compute="_compute_money")
    graph = fields.Text(compute="_compute_money", help="Open money by age, or expected payouts by day, as a picture.")
    fee_rate = fields.Float("Fee Rate (%)", digits=(6, 2), compute="_compute_fee_rate", help="Of the last 90 days.")
    agreed_rate = fields.Float("Agreed Rate (%)", digits=(6, 2), compute="_compute_fee_rate")
    difference_count = fields.Integer("Batches that Differ", compute="_compute_batches")
    missing_count = fields.Integer("Ends of Day Missing", compute="_compute_batches")
    exception_count = fields.Integer("Exceptions", compute="_compute_exceptions")
    payout_count = fields.Integer("Payouts to Look at", compute="_compute_exceptions")

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT 2 * id AS id, name, sequence, id AS contract_id, company_id FROM card_contract WHERE active
             UNION ALL
            SELECT DISTINCT 2 * company.id + 1, company.name, -1, NULL::integer, company.id
              FROM res_company company
              JOIN card_contract contract ON contract.company_id = company.id AND contract.active
            """
        )

    def _domain(self):
        """Return what lies under this card in models that have a contract and a company."""
        self.ensure_one()
        if self.contract_id:
            return Domain("contract_id", "=", self.contract_id.id)
        return Domain("company_id", "=", self.company_id.id)

    # Money ------------------------------------------------------------------------------------------------------------

    @api.depends_context("allowed_company_ids")
    def _compute_money(self):
        items = self.env["card.open.item"]
        today = items._card_date()
        for card in self:
            currency, domain = card.currency_id, card._domain()
            by_age = dict(items._read_group(domain, ["age"], ["open_amount:sum"]))
            late = items._read_group(domain & Domain("is_late", "=", True), [], ["open_amount:sum"])[0][0]
            coming = card._coming(domain & Domain("expected_on", ">=", today))
            card.open_amount = from_minor(sum(to_minor(amount, currency) for amount in by_age.values()), currency)
            card.late_amount = from_minor(to_minor(late or 0, currency), currency)
            card.next_on = min(coming, default=False)
            card.next_amount = coming.get(card.next_on, 0)
            card.graph = json.dumps(card._age_graph(by_age) if card.contract_id else card._coming_graph(coming, late))

    def _coming(self, domain):
        """Return {day: what the bank is expected to pay}.

        What a contract's acquirer keeps, chargebacks and days of refunds, is taken off its payouts that come next.
        """
        coming, kept = {}, {}
        for contract, day, amount in self.env["card.open.item"]._read_group(
            domain, ["contract_id", "expected_on:day"], ["expected_amount:sum"], order="expected_on:day"
        ):
            minor = to_minor(amount, self.currency_id) + kept.pop(contract, 0)
            if minor > 0:
                coming[day] = coming.get(day, 0) + minor
            else:
                kept[contract] = minor
        return {day: from_minor(minor, self.currency_id) for day, minor in coming.items()}

    def _age_graph(self, by_age):
        names = (("0_3", "0–3"), ("4_7", "4–7"), ("8_30", "8–30"), ("31", "> 30"))
        last = self.contract_id.days_max
        starts = {"0_3": 0, "4_7": 4, "8_30": 8, "31": 31}
        return self._bars(
            self.env._("Open"),
            [(name, by_age.get(age) or 0, "past" if starts[age] > last else "future") for age, name in names],
        )

    def _coming_graph(self, coming, late):
        today = self.env["card.open.item"]._card_date()
        days = [today + timedelta(days=ahead) for ahead in range(DAYS_AHEAD)]
        bars = [(self.env._("Late"), late or 0, "past")]
        bars += [(format_date(self.env, day, date_format="EEE d"), coming.get(day, 0), "future") for day in days]
        return self._bars(self.env._("Expected"), bars)

    def _bars(self, key, bars):
        """Return bars as Odoo's dashboard_graph draws them."""
        return [{
            "key": key,
            "title": "",
            "is_sample_data": False,
            "values": [{"label": label, "value": amount, "type": kind} for label, amount, kind in bars],
        }]  # fmt: skip

    # Fees -------------------------------------------------------------------------------------------------------------

    def _compute_fee_rate(self):
        first = (fields.Date.context_today(self) - timedelta(days=90)).replace(day=1)
        report = self.env["card.fee.report"]
        for card in self:
            domain = card._domain() & Domain("month", ">=", first)
            [(card.fee_rate, card.agreed_rate)] = report._read_group(domain, [], ["fee_rate:avg", "agreed_rate:avg"])

    # What needs a person ----------------------------------------------------------------------------------------------

    def _compute_batches(self):
        batches = self.env["card.batch"]
        for card in self:
            card.difference_count = batches.search_count(card._domain() & self._differs())
            card.missing_count = len(batches.search(card._domain() & Domain("state", "=", "open"))._overdue())

    @api.model
    def _differs(self):
        return Domain("state", "!=", "open") & Domain("is_declared", "=", True) & Domain("difference", "!=", 0)

    def _compute_exceptions(self):
        for card in self:
            company = Domain("company_id", "=", card.company_id.id)
            whole = not card.contract_id
            card.exception_count = whole and self.env["card.exception"].search_count(company)
            card.payout_count = self.env["card.match"].search_count(
                card._domain() & Domain("state", "in", ("ambiguous", "proposed"))
            )

    # Where a click leads ----------------------------------------------------------------------------------------------

    def _open(self, action, domain=None, **context):
        self.ensure_one()
        found = self.env["ir.actions.actions"]._for_xml_id(f"pos_card_terminal.{action}")
        return {**found, "domain": list(self._domain() if domain is None else domain), "context": context}

    def action_open_items(self):
        """Show the open money."""
        return self._open("action_card_open_item")

    def action_late_items(self):
        """Show what is late."""
        return self._open("action_card_open_item", self._domain() & Domain("is_late", "=", True))

    def action_expected(self):
        """Show what is expected."""
        return self._open("action_card_expected_payout")

    def action_fees(self):
        """Show fees by month and brand."""
        return self._open("action_card_fee_report")

    def action_differences(self):
        """Show the batches whose totals differ."""
        return self._open("action_card_batch", self._domain() & self._differs())

    def action_missing(self):
        """Show the batches whose end of day is missing."""
        overdue = self.env["card.batch"].search(self._domain() & Domain("state", "=", "open"))._overdue()
        return self._open("action_card_batch", Domain("id", "in", overdue.ids))

    def action_exceptions(self):
        """Show the exceptions desk."""
        return self._open("action_card_exception", Domain("company_id", "=", self.company_id.id))

    def action_payouts(self):
        """Show payouts that wait for a person."""
        return self._open("action_card_match", self._domain() & Domain("state", "in", ("ambiguous", "proposed")))


class CardBatch(models.Model):
    _inherit = "card.batch"

    def _overdue(self):
        """Return the open batches whose end of day should have come, by the hours their contracts allow."""
        now = fields.Datetime.now()
        return self.filtered(
            lambda batch: (
                batch.state == "open"
                and batch.odoo_count
                and batch.contract_id.missing_hours
                and batch.opened_at < now - timedelta(hours=batch.contract_id.missing_hours)
            )
        )
