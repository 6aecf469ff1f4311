"""What taking cards costs: fees beside turnover, by month, contract and brand."""

from odoo import fields, models
from odoo.tools import SQL

#: Shares that are not added up but weighed: of the sums, in percent.
WEIGHED = {"fee_rate": "fee", "agreed_rate": "agreed_fee"}


class CardFeeReport(models.Model):
    _name = "card.fee.report"
    _description = "Card Fees by Month and Brand"
    _auto = False
    _inherit = ["card.export.mixin"]
    _order = "month desc, contract_id, brand"
    _rec_name = "brand"
    _depends = {
        "account.move": ["card_contract_id", "origin_payment_id"],
        "account.move.line": ["account_id", "balance", "company_id", "date", "move_id", "parent_state"],
        "card.contract": ["company_id", "fee_account_id", "fee_fixed", "fee_rate", "outstanding_account_id"],
        "pos.order": ["currency_rate", "state"],
        "pos.payment": ["amount", "card_brand", "card_contract_id", "payment_date", "pos_order_id"],
    }  # fmt: skip

    month = fields.Date(readonly=True)
    contract_id = fields.Many2one("card.contract", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    brand = fields.Char(readonly=True)
    count = fields.Integer("Payments", readonly=True)
    turnover = fields.Monetary(readonly=True)
    fee = fields.Monetary(
        "Fees", readonly=True, help="As booked in the month, without tax; a contract's are shared out by turnover."
    )
    agreed_fee = fields.Monetary("Fees Agreed", readonly=True)
    fee_rate = fields.Float("Rate (%)", digits=(6, 2), readonly=True, aggregator="avg")
    agreed_rate = fields.Float("Agreed Rate (%)", digits=(6, 2), readonly=True, aggregator="avg")

    @property
    def _table_query(self):
        return SQL(
            """
            WITH sold AS (
                SELECT payment.card_contract_id AS contract_id,
                       date_trunc('month', payment.payment_date)::date AS month,
                       COALESCE(payment.card_brand, '') AS brand, count(*) AS count,
                       MAX(currency.decimal_places) AS digits,
                       SUM(ROUND(
                           payment.amount / COALESCE(NULLIF(pos_order.currency_rate, 0), 1)::numeric,
                           currency.decimal_places
                       )) AS turnover
                  FROM pos_payment payment
                  JOIN pos_order ON pos_order.id = payment.pos_order_id
                  JOIN res_company company ON company.id = pos_order.company_id
                  JOIN res_currency currency ON currency.id = company.currency_id
                 WHERE payment.card_contract_id IS NOT NULL AND pos_order.state IN ('paid', 'done', 'invoiced')
                 GROUP BY 1, 2, 3
            ), charged AS (
                SELECT contract.id AS contract_id, date_trunc('month', line.date)::date AS month,
                       SUM(line.balance) AS fee
                  FROM card_contract contract
                  JOIN account_move_line line
                    ON line.account_id = contract.fee_account_id AND line.company_id = contract.company_id
                   AND line.parent_state = 'posted'
                  JOIN account_move move ON move.id = line.move_id
                 WHERE move.card_contract_id = contract.id
                    OR move.card_contract_id IS NULL AND EXISTS (
                        SELECT FROM account_move_line waits
                         WHERE waits.move_id = move.id AND waits.account_id = contract.outstanding_account_id
                    )
                 GROUP BY 1, 2
            ), shared AS (
                SELECT contract_id, month, brand, count, turnover, digits,
                       SUM(turnover) OVER month_of AS of_month,
                       ROW_NUMBER() OVER (month_of ORDER BY turnover DESC, brand) = 1 AS takes_rest
                  FROM sold WINDOW month_of AS (PARTITION BY contract_id, month)
            ), told AS (
                SELECT COALESCE(shared.contract_id, charged.contract_id) AS contract_id,
                       COALESCE(shared.month, charged.month) AS month, shared.brand, COALESCE(shared.count, 0) AS count,
                       COALESCE(shared.turnover, 0) AS turnover, COALESCE(charged.fee, 0) AS whole,
                       COALESCE(shared.takes_rest, TRUE) AS takes_rest,
                       COALESCE(
                           ROUND(charged.fee * shared.turnover / NULLIF(shared.of_month, 0), shared.digits), 0
                       ) AS part
                  FROM shared
                  FULL JOIN charged ON charged.contract_id = shared.contract_id AND charged.month = shared.month
            ), fees AS (
                SELECT told.*, CASE WHEN takes_rest
                                    THEN whole - SUM(part) OVER (PARTITION BY contract_id, month) + part
                                    ELSE part END AS fee
                  FROM told
            )
            SELECT ROW_NUMBER() OVER (ORDER BY fees.month, fees.contract_id, fees.brand) AS id,
                   fees.month, fees.contract_id, contract.company_id, company.currency_id,
                   NULLIF(fees.brand, '') AS brand,
                   fees.count, fees.turnover, fees.fee, agreed.fee AS agreed_fee,
                   100 * fees.fee / NULLIF(fees.turnover, 0) AS fee_rate,
                   100 * agreed.fee / NULLIF(fees.turnover, 0) AS agreed_rate
              FROM fees
              JOIN card_contract contract ON contract.id = fees.contract_id
              JOIN res_company company ON company.id = contract.company_id
              JOIN res_currency currency ON currency.id = company.currency_id
              JOIN LATERAL (
                SELECT ROUND(
                    fees.turnover * COALESCE(contract.fee_rate, 0)::numeric / 100
                    + fees.count * COALESCE(contract.fee_fixed, 0), currency.decimal_places
                ) AS fee
              ) agreed ON TRUE
            """
        )

    def _read_group_select(self, aggregate_spec, query):
        """Weigh rates by turnover: the average of rates would be nobody's rate."""
        field, _sep, how = aggregate_spec.partition(":")
        if how == "avg" and field in WEIGHED:
            return SQL(
                "100 * %s / NULLIF(%s, 0)",
                self._read_group_select(f"{WEIGHED[field]}:sum", query),
                self._read_group_select("turnover:sum", query),
            )
        return super()._read_group_select(aggregate_spec, query)
