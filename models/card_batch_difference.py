"""Why a terminal declared another total than Odoo booked: each part of the difference with what explains it.

The parts are those an accountant must be able to tell apart; nothing is booked by naming them.
"""

from datetime import timedelta

from odoo import fields, models
from odoo.fields import Domain

from ..hw_driver.protocols.states import State
from .card_batch import in_currency, signed_minor
from .card_money import to_minor

#: So close to the end of day a payment may have come on either side of it: clocks differ.
NEAR_THE_END = timedelta(minutes=10)


class CardBatchDifference(models.Model):
    _name = "card.batch.difference"
    _description = "Difference of a Card Batch"
    _order = "batch_id, id"
    _rec_name = "kind"

    batch_id = fields.Many2one("card.batch", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="batch_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="batch_id.currency_id")
    kind = fields.Selection(
        [
            ("not_in_odoo", "On the terminal, not in Odoo"),
            ("not_on_terminal", "In Odoo, not on the terminal"),
            ("amount", "The amount differs"),
            ("boundary", "Beyond the end of day"),
            ("contract", "Under another contract"),
        ],
        required=True,
    )
    amount = fields.Monetary(help="Positive: the terminal declared more.")
    transaction_ids = fields.Many2many("card.transaction", string="Card Transactions")
    payment_ids = fields.Many2many("pos.payment", string="Payments")


class CardBatch(models.Model):
    _inherit = "card.batch"

    def _explain(self):
        """Say anew what makes up the difference of these batches."""
        for batch in self:
            batch.difference_ids.unlink()
            rest = to_minor(batch.difference, batch.currency_id)
            rows = []
            for kind, items in batch._candidates():
                for minor, transaction, payment in items:
                    if rest and minor * rest > 0 and abs(minor) <= abs(rest):
                        rows.append((kind, minor, transaction, payment))
                        rest -= minor
            if rest:
                rows.append(batch._whole_rest(rest))
            batch.write({
                "difference_ids": [
                    (0, 0, {
                        "kind": kind,
                        "amount": in_currency(minor, batch),
                        "transaction_ids": [(6, 0, transaction.ids)],
                        "payment_ids": [(6, 0, payment.ids)],
                    })
                    for kind, minor, transaction, payment in rows
                ]
            })  # fmt: skip

    def _candidates(self):
        """Yield (kind, [(minor units, transaction, payment)]) of what is known to make a difference, surest first."""
        nothing, no_payment = self.env["card.transaction"], self.env["pos.payment"]
        told = self.payment_ids.card_transaction_id
        yield (
            "amount",
            [
                (record._signed_minor() - signed_minor(record.payment_id), record, record.payment_id)
                for record in told
                if record._is_booked()
            ],
        )
        yield "not_in_odoo", [(record._signed_minor(), record, no_payment) for record in self._unbooked()]
        by_hand = self.payment_ids.filtered(lambda line: line.card_transaction_id.state != State.APPROVED)
        yield "not_on_terminal", [(-signed_minor(line), line.card_transaction_id or nothing, line) for line in by_hand]

    def _unbooked(self):
        """Return approvals on this terminal, in the time of this batch, that no payment stands for."""
        window = Domain("ended_at", "<=", self.closed_at or fields.Datetime.now())
        before = self.search(
            [
                ("contract_id", "=", self.contract_id.id),
                ("terminal_id", "=", self.terminal_id.id),
                ("closed_at", "<", self.closed_at),
            ],
            order="closed_at desc",
            limit=1,
        )
        if before:
            window &= Domain("ended_at", ">", before.closed_at)
        found = self.env["card.transaction"].search(
            Domain("terminal_id", "=", self.terminal_id.id)
            & Domain("payment_id", "=", False)
            & Domain("state", "=", State.APPROVED.value)
            & window
        )
        contracts = self.env["card.contract"]._of_company(self.company_id)
        none = self.env["pos.payment.method"]
        return found.filtered(
            lambda record: (
                record._is_booked()
                and contracts._fitting(none, self.terminal_id, record.contract, record.brand)
                in (self.contract_id, contracts.browse())
            )
        )

    def _whole_rest(self, rest):
        """Return the row of what remains: a payment near the end of day, another contract's, or nothing known."""
        nothing, no_payment = self.env["card.transaction"], self.env["pos.payment"]
        near = [line for line in self._near_the_end() if self._moves(line) == rest]
        if len(near) == 1:
            return "boundary", rest, near[0].card_transaction_id, near[0]
        beside = self.settlement_id.batch_ids - self
        other = beside.filtered(lambda batch: to_minor(batch.difference, batch.currency_id) == -rest)
        if len(other) == 1:
            return "contract", rest, nothing, no_payment
        return "not_in_odoo" if rest > 0 else "not_on_terminal", rest, nothing, no_payment

    def _near_the_end(self):
        if not self.closed_at:
            return self.env["pos.payment"]
        first, last = self.closed_at - NEAR_THE_END, self.closed_at + NEAR_THE_END
        return self.env["pos.payment"].search(
            [
                ("card_contract_id", "=", self.contract_id.id),
                ("card_terminal_id", "=", self.terminal_id.id),
                ("card_transaction_id.ended_at", ">=", first),
                ("card_transaction_id.ended_at", "<=", last),
            ]
        )

    def _moves(self, payment):
        """Return by how much this batch would change if the payment were on the other side of its end."""
        return -signed_minor(payment) if payment.card_batch_id == self else signed_minor(payment)
