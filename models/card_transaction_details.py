"""What some terminals say beside the result: their numbers, how the cardholder was verified, a tip, a signature.

The driver tells them as `details` of an outcome, texts by name (docs/api.md 2.1); ZVT terminals tell most of them.
"""

from odoo import api, fields, models

from ..hw_driver.protocols.states import Kind, State
from .card_money import from_minor
from .card_transaction import BigInteger
from .card_transaction_event import tip_of

#: Details that a transaction keeps, by its field.
DETAILS = {
    "trace": "trace",
    "original_trace": "original_trace",
    "card_type": "card_type",
    "verification": "verification",
}
SIGNATURE = [("wanted", "To be checked"), ("good", "All right"), ("bad", "Not all right")]


class CardTransaction(models.Model):
    _inherit = "card.transaction"

    terminal_number = fields.Char("Terminal ID", readonly=True, help="The acquirer's number of the terminal (TID).")
    trace = fields.Char("Trace Number", readonly=True, index="btree_not_null")
    original_trace = fields.Char(
        "Trace of the Original", readonly=True, help="Of what a reversal takes back, as the terminal says it."
    )
    card_type = fields.Char(readonly=True, help="The number of the kind of card, as the terminal says it.")
    verification = fields.Char(
        "Cardholder Verified by", readonly=True, help="PIN, signature … as the terminal says it."
    )
    amount_tip_minor = BigInteger("Tip, in Minor Units", readonly=True)
    amount_tip = fields.Monetary(
        "Tip", compute="_compute_amount_tip", store=True, help="Of what was approved, what the cardholder added."
    )
    signature_wanted = fields.Boolean(
        readonly=True, help="The cardholder signs the merchant's slip, and the cashier compares."
    )
    signature = fields.Selection(
        SIGNATURE, compute="_compute_signature", store=True, help="What the cashier said of the signature."
    )

    @api.depends("amount_tip_minor", "currency_id")
    def _compute_amount_tip(self):
        for transaction in self:
            currency = transaction.currency_id
            transaction.amount_tip = currency and from_minor(transaction.amount_tip_minor, currency)

    @api.depends("signature_wanted", "payment_id.card_signature")
    def _compute_signature(self):
        for transaction in self:
            wanted = transaction.signature_wanted
            transaction.signature = wanted and (transaction.payment_id.card_signature or "wanted")

    def _to_till(self):
        rows = super()._to_till()
        for transaction, row in zip(self, rows, strict=True):
            row["tip"] = transaction.amount_tip_minor
            row["signature"] = transaction.signature_wanted
        return rows


class CardTransactionEvent(models.Model):
    _inherit = "card.transaction.event"

    def _outcome(self, transaction):
        return {**super()._outcome(transaction), **self._details(transaction)}

    def _details(self, transaction):
        """Return the values of a transaction that this event's details say; what is not as expected is left out."""
        said = self.body.get("details")
        said = said if isinstance(said, dict) else {}
        vals = {field: said[name][:64] for field, name in DETAILS.items() if isinstance(said.get(name), str)}
        if isinstance(self.body.get("terminal_id"), str):
            vals["terminal_number"] = self.body["terminal_id"][:32]
        if self.type == State.APPROVED:
            vals["signature_wanted"] = said.get("signature") == "yes"
            is_tip = transaction.kind == Kind.TIP  # nothing else is in it
            vals["amount_tip_minor"] = self._approved_minor(transaction) if is_tip else tip_of(self.body)
            vals["tippable"] = said.get("tippable") == "yes"
        return vals


class PosPayment(models.Model):
    _inherit = "pos.payment"

    card_signature = fields.Selection(
        SIGNATURE, "Signature", copy=False, help="Whether the cardholder's signature is all right, as the cashier says."
    )
    card_trace = fields.Char("Trace Number", related="card_transaction_id.trace")
    card_terminal_number = fields.Char("Terminal ID", related="card_transaction_id.terminal_number")
    card_contract_number = fields.Char("Contract Number", related="card_transaction_id.contract")
    card_aid = fields.Char("Application ID", related="card_transaction_id.aid")
    card_verification = fields.Char("Cardholder Verified by", related="card_transaction_id.verification")
    card_tip = fields.Monetary("Tip", related="card_transaction_id.amount_tip")

    def _fill_from_card_transaction(self):
        result = super()._fill_from_card_transaction()
        for line in self.filtered(lambda record: record.card_transaction_id.signature_wanted):
            if not line.card_signature:
                line._write_guarded({"card_signature": "wanted"})
        return result
