"""The join of what drivers reported and what tills booked. Either may come first; running it again changes nothing.

An approval belongs to exactly one payment line: the one it was asked for, in the attempt the line names. Whatever does
not fit is an exception that a person settles; nothing is made to fit.
"""

from datetime import timedelta

from odoo import api, fields, models

from ..hw_driver.protocols.states import OPEN, State
from .card_money import to_minor
from .card_transaction import BOOKED_KINDS, GIVING_BACK

UNKNOWN_TOO_LONG = "unknown_too_long"


class CardTransaction(models.Model):
    _inherit = "card.transaction"

    @api.model
    def _cron_join(self):
        """Join what is still apart."""
        self.search([("payment_id", "=", False), ("state", "in", [State.APPROVED, State.SETTLED_BY_HAND])])._join()
        self.search(["|", ("needs_attention", "=", True), ("state", "=", State.UNKNOWN)])._join()
        self.env["pos.payment"].search([("card_evidence", "in", ["pending", "exception"])])._judge_card_evidence()

        self._alert_unknown()

    @api.model
    def _alert_unknown(self):
        """Tell managers of what has been unknown for longer than their company allows; take back what is over."""
        notices = self.env["card.notice"].sudo()
        told = notices.search([("code", "=", UNKNOWN_TOO_LONG), ("res_model", "=", self._name)])
        still_open = told.filtered(lambda notice: notice.state != "done")
        over = self.browse(still_open.mapped("res_id")).exists().filtered(lambda record: record.state not in OPEN)
        notices._withdraw_notice(UNKNOWN_TOO_LONG, over, self.env._("The result is known now."))
        for (company,) in self.sudo()._read_group([("state", "in", list(OPEN))], ["company_id"]):
            since = fields.Datetime.now() - timedelta(minutes=max(company.card_unknown_minutes, 1))
            late = self.sudo().search([
                ("company_id", "=", company.id), ("state", "in", list(OPEN)), ("requested_at", "<", since),
                ("id", "not in", told.mapped("res_id")),
            ])  # fmt: skip
            for record in late:
                notices._raise_notice(
                    UNKNOWN_TOO_LONG,
                    record,
                    self.env._(
                        "%(name)s: the result has not been known for %(minutes)s minutes.",
                        name=record.display_name,
                        minutes=company.card_unknown_minutes,
                    ),
                    "danger",
                )

    @api.model
    def _join_orders(self, orders):
        """Join everything that has to do with these orders."""
        payments = orders.sudo().payment_ids
        uuids = list(filter(None, payments.mapped("card_transaction_uuid")))
        self.sudo().search(["|", ("order_uuid", "in", orders.mapped("uuid")), ("uuid", "in", uuids)])._join()
        payments._judge_card_evidence()

    def _join(self):
        """Find the orders and payment lines of these transactions, fill the lines, and name what does not fit."""
        transactions = self.sudo()
        transactions |= transactions._given_back_to()
        transactions._find_orders()
        transactions._find_payments()
        for transaction in transactions:
            exception = transaction._judge()
            if exception != transaction.exception:
                transaction.exception = exception
            if exception == "none":
                transaction._release_quietly()
        transactions.payment_id._fill_from_card_transaction()
        lines = self.env["pos.payment"].sudo().search([("card_transaction_uuid", "in", transactions.mapped("uuid"))])
        (lines | transactions.payment_id)._judge_card_evidence()

    def _find_orders(self):
        places = {transaction: transaction._place()[0] for transaction in self}
        uuids = list({place for transaction, place in places.items() if place and transaction.order_id.uuid != place})
        orders = {order.uuid: order for order in self.env["pos.order"].search([("uuid", "in", uuids)])} if uuids else {}
        for transaction in self:
            order = orders.get(places[transaction]) or transaction.order_id
            if order and order.company_id == transaction.company_id:
                found = {"order_id": order.id, "session_id": order.session_id.id, "config_id": order.config_id.id}
                changed = {name: value for name, value in found.items() if value and transaction[name].id != value}
                if changed:
                    transaction.write(changed)

    def _find_payments(self):
        waiting = self.filtered(lambda record: not record.payment_id and record._is_booked())
        if not waiting:
            return
        lines = self.env["pos.payment"].search([
            ("card_transaction_uuid", "in", waiting.mapped("uuid")), ("card_transaction_id", "=", False)
        ])  # fmt: skip
        by_attempt = {(line.card_transaction_uuid, line.uuid): line for line in lines}
        for transaction in waiting:
            line = by_attempt.get((transaction.uuid, transaction._place()[1]))
            if line and line.company_id == transaction.company_id and line.payment_method_id._is_card_terminal():
                transaction.payment_id = line
                line._write_guarded({"card_transaction_id": transaction.id})

    def _is_booked(self):
        """Return whether a payment must stand for this transaction."""
        return self.kind in BOOKED_KINDS and self._is_approved()

    def _given_back_to(self):
        """Return the sales to which these refunds went."""
        originals = list(filter(None, self.mapped("original_uuid")))
        return self.search([("uuid", "in", originals)]) if originals else self.browse()

    def _brand(self):
        """Return whose card it was; what a terminal leaves out of a reversal or a tip, the payment before it says."""
        self.ensure_one()
        return self.brand or self._given_back_to()[:1].brand or ""

    def _is_given_back(self, going=None):
        """Return whether this unbooked approval and its unbooked refunds come to nothing; `going`: orders that go."""
        sale = self._given_back_to() if self.kind in GIVING_BACK else self
        if not sale or not sale._is_unbooked(going):
            return False
        later = self.search([("original_uuid", "=", sale.uuid)]).filtered(
            lambda record: record._is_booked() and record._is_unbooked(going)
        )
        return sale.amount_approved_minor + sum(record._signed_minor() for record in later) == 0

    def _is_unbooked(self, going=None):
        """Return whether no payment stands for this, or only one of an order that is cancelled or about to be."""
        order = self.payment_id.pos_order_id
        return not order or order.state == "cancel" or (going is not None and order in going)

    def _judge(self):
        """Return which exception this transaction is, if any."""
        self.ensure_one()
        if self.disagreement:
            return "disagrees"
        if self.state == State.UNKNOWN:
            return "unknown"
        if not self._is_booked():
            return "payment_differs" if self.payment_id else "none"
        if self.virtual and not self.config_id.card_terminal_training:
            return "virtual_not_training"
        if not self.payment_id or self.payment_id.pos_order_id.state == "cancel":
            if self._is_given_back():
                return "none"
            covered = self.order_id.state in ("paid", "done")
            return "paid_otherwise" if covered else "approved_without_payment"
        if self.origin == "typed" and not self.matched_with:
            return "typed_by_hand"
        return "none" if self._fits(self.payment_id) else "payment_differs"

    def _fits(self, payment):
        """Return whether this line books what was approved, in the order it was asked for."""
        return (
            payment.currency_id == self.currency_id
            and payment.pos_order_id.uuid == self._place()[0]
            and to_minor(payment.amount, payment.currency_id) == self._signed_minor()
        )
