"""Card money the bank has not paid, as of any date, equal to the ledger of that date.

What was open then is the item less what had been matched by then: a match counts from the day on which both sides are
booked. Today's residual would forget what has been paid since.
"""

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

#: Days since booking, with what they are called.
AGES = ((3, "0_3"), (7, "4_7"), (30, "8_30"))


class CardOpenItem(models.Model):
    _name = "card.open.item"
    _description = "Open Card Money"
    _auto = False
    _inherit = ["card.export.mixin"]
    _order = "date, id"
    _rec_name = "label"
    _depends = {
        "account.move.line": ["account_id", "amount_currency", "balance", "company_id", "date", "parent_state"],
        "account.partial.reconcile": [
            "amount", "credit_amount_currency", "credit_move_id", "debit_amount_currency", "debit_move_id", "max_date",
        ],
        "account.move": ["card_contract_id", "name", "origin_payment_id"],
        "account.payment": ["card_contract_id"],
        "card.chargeback": ["move_ids"],
        "card.contract": ["active", "company_id", "days_max", "fee_rate", "outstanding_account_id", "settlement"],
    }  # fmt: skip

    line_id = fields.Many2one("account.move.line", "Journal Item", readonly=True)
    move_id = fields.Many2one("account.move", "Entry", readonly=True)
    label = fields.Char(readonly=True)
    date = fields.Date("Booked on", readonly=True)
    account_id = fields.Many2one("account.account", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    contract_id = fields.Many2one("card.contract", readonly=True)
    currency_id = fields.Many2one("res.currency", "Company Currency", readonly=True)
    item_currency_id = fields.Many2one("res.currency", "Currency", readonly=True)
    amount = fields.Monetary("Booked", readonly=True)
    open_amount = fields.Monetary("Open", readonly=True)
    open_amount_currency = fields.Monetary("Open in Currency", currency_field="item_currency_id", readonly=True)
    expected_amount = fields.Monetary(
        "Expected", readonly=True, help="What is open, less the agreed rate where the acquirer pays net."
    )
    expected_on = fields.Date(
        "Expected by",
        readonly=True,
        help="The latest day the contract allows. A chargeback that the acquirer keeps is taken off the next payout.",
    )
    days = fields.Integer("Days Open", readonly=True, aggregator="max")
    age = fields.Selection(
        [("0_3", "0 to 3 days"), ("4_7", "4 to 7 days"), ("8_30", "8 to 30 days"), ("31", "More than 30 days")],
        readonly=True,
    )
    is_late = fields.Boolean("Late", readonly=True, help="Open for longer than the contract allows.")

    @api.model
    def _as_of(self, date):
        """Return this model as of a date; what is cached of another date is forgotten."""
        self.env.invalidate_all()
        return self.with_context(card_as_of=fields.Date.to_string(date))

    @api.model
    def _card_date(self):
        """Return the date that is asked for: the context's, else today."""
        return fields.Date.to_date(self.env.context.get("card_as_of")) or fields.Date.context_today(self)

    @api.model
    def _search(self, domain, *args, **kwargs):
        """Keep to the accounts of card money of the companies that are looked at."""
        return super()._search(Domain(domain) & Domain("account_id", "in", self._card_accounts().ids), *args, **kwargs)

    @api.model
    def _card_accounts(self):
        accounts = self.env["account.account"]
        for company in self.env.companies:
            accounts |= company._card_ledger_accounts()["outstanding"]
        return accounts.filtered("reconcile")

    @property
    def _table_query(self):
        date = self._card_date()
        ages = SQL(" ").join(SQL("WHEN %s::date - line.date <= %s THEN %s", date, days, name) for days, name in AGES)
        return SQL(
            """
            WITH sole AS (
                SELECT outstanding_account_id AS account_id, company_id, min(id) AS contract_id
                  FROM card_contract
                 GROUP BY outstanding_account_id, company_id
                HAVING count(*) = 1
            )
            SELECT line.id, line.id AS line_id, line.move_id, line.date, line.account_id, line.company_id,
                   line.currency_id AS item_currency_id, line.company_currency_id AS currency_id,
                   COALESCE(NULLIF(line.name, ''), line.move_name) AS label, line.balance AS amount,
                   line.balance - COALESCE(cleared.amount, 0) AS open_amount,
                   line.amount_currency - COALESCE(cleared.amount_currency, 0) AS open_amount_currency,
                   contract.id AS contract_id,
                   CASE WHEN kept.yes THEN %(date)s::date
                        ELSE line.date + COALESCE(contract.days_max, 0) END AS expected_on,
                   ROUND(
                       (line.balance - COALESCE(cleared.amount, 0))
                       * (1 - CASE WHEN contract.settlement = 'net' AND NOT kept.yes
                                   THEN COALESCE(contract.fee_rate, 0) ELSE 0 END::numeric / 100),
                       COALESCE(currency.decimal_places, 2)
                   ) AS expected_amount,
                   %(date)s::date - line.date AS days,
                   NOT kept.yes AND %(date)s::date - line.date > COALESCE(contract.days_max, 0) AS is_late,
                   CASE %(ages)s ELSE '31' END AS age
              FROM account_move_line line
              JOIN account_move move ON move.id = line.move_id
              JOIN res_currency currency ON currency.id = line.company_currency_id
              LEFT JOIN account_payment payment ON payment.id = move.origin_payment_id
              LEFT JOIN sole ON sole.account_id = line.account_id AND sole.company_id = line.company_id
              LEFT JOIN card_contract contract
                ON contract.id = COALESCE(move.card_contract_id, payment.card_contract_id, sole.contract_id)
             CROSS JOIN LATERAL (
                SELECT EXISTS (SELECT FROM account_move_card_chargeback_rel booked
                                WHERE booked.account_move_id = line.move_id) AS yes
              ) kept
              LEFT JOIN LATERAL (
                SELECT SUM(CASE WHEN partial.debit_move_id = line.id THEN 1 ELSE -1 END * partial.amount) AS amount,
                       SUM(CASE WHEN partial.debit_move_id = line.id THEN partial.debit_amount_currency
                                ELSE -partial.credit_amount_currency END) AS amount_currency
                  FROM account_partial_reconcile partial
                 WHERE (partial.debit_move_id = line.id OR partial.credit_move_id = line.id)
                   AND partial.max_date <= %(date)s
              ) cleared ON TRUE
             WHERE line.parent_state = 'posted' AND line.date <= %(date)s
               AND (line.balance <> COALESCE(cleared.amount, 0)
                    OR line.amount_currency <> COALESCE(cleared.amount_currency, 0))
            """,
            date=date,
            ages=ages,
        )

    def action_open_move(self):
        """Show the entry."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window", "res_model": "account.move", "res_id": self.move_id.id,
            "view_mode": "form", "views": [(False, "form")],
        }  # fmt: skip
