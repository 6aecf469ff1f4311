"""What a manager decides about a payment line that no approval supports."""

import uuid

from odoo import fields, models
from odoo.exceptions import UserError

from ..hw_driver.protocols.states import Kind
from .card_money import to_minor


class PosPayment(models.Model):
    _name = "pos.payment"
    _inherit = ["pos.payment", "card.decision.mixin", "card.suspense.mixin"]
    _guarded = frozenset({"card_suspense_move_id", "card_suspense_move_ids"})

    card_approval_ids = fields.One2many(
        "card.approval",
        "payment_id",
        "Decisions",
        readonly=True,
        groups="pos_card_terminal.group_card_transaction_accountant",
    )

    def _decision_exception(self):
        if self.card_transaction_id:
            return False
        if self.card_evidence == "pending" and not self._card_transaction():
            return "not_reported"
        return self.card_evidence == "exception" and "no_approval"

    def _decision_order(self):
        return self.pos_order_id

    def _decision_log(self):
        transaction = self._card_transaction()
        return {
            "transaction_id": transaction.id,
            "transaction_uuid": self.card_transaction_uuid,
            "payment_id": self.id,
            "payment_uuid": self.uuid,
            "order_uuid": self.pos_order_id.uuid,
            "amount": self.amount,
        }

    def _decision_fits(self, action):
        if action == "not_paid":
            return not self.card_suspense_move_id
        if action == "acknowledge":
            return not self.card_acknowledged_at
        if action in ("force_done", "force_cancel"):
            return bool(self.card_terminal_id and self.card_transaction_uuid)
        return True

    def _takes_approval(self):
        """Return whether an approval may be put on this line: it has none, and no attempt of its own is open."""
        if not self.payment_method_id._is_card_terminal() or self.card_transaction_id:
            return False
        attempt = self._card_transaction()
        return attempt._is_free() if attempt else not self._card_is_open()

    def _suspense_method(self):
        return self.payment_method_id

    def _suspense_config(self):
        return self.session_id.config_id

    def _write_suspense(self, vals):
        self._write_guarded(vals)

    # Decisions --------------------------------------------------------------------------------------------------------

    def _decide_attach(self, values):
        transaction = self.env["card.transaction"].search([("uuid", "=", values.get("transaction") or "")])
        if not transaction or transaction.company_id != self.company_id:
            raise UserError(self.env._("Choose the approval that belongs to this payment."))
        if "attach" not in transaction._decision_actions():
            raise UserError(self.env._("%s is booked already.", transaction.display_name))
        return transaction._attach(self.pos_order_id, self.uuid)

    def _decide_acknowledge(self, _values):
        self._acknowledge_card(self.env.context["card_reason"])
        return self.env._("Taken note.")

    def _decide_not_paid(self, _values):
        """Free the line of a draft; for money that is booked, an entry keeps what never came."""
        if self.pos_order_id.state == "draft":
            self.write({"payment_status": "retry", "card_state": False})
            self.pos_order_id.amount_paid = self.pos_order_id._compute_amount_paid()
            return self.env._("The payment does not count any more: the order is open for another one.")
        move = self._to_suspense(-to_minor(self.amount, self.currency_id))
        self._acknowledge_card(self.env.context["card_reason"])
        return self.env._("The money never came: %s keeps it in suspense.", move.name)

    def _decide_typed_by_hand(self, values):
        self.env["card.transaction"]._type_by_hand(self.session_id, {
            "uuid": str(uuid.uuid4()),
            "order": self.pos_order_id.uuid,
            "line": self.uuid,
            "values": {
                **values,
                "amount_minor": abs(to_minor(self.amount, self.currency_id)),
                "kind": (Kind.REFUND if self.amount < 0 else Kind.SALE).value,
            },
        }, line=self)  # fmt: skip
        return self.env._("Kept as typed by hand, until a settlement shows it.")

    def _decide_force_done(self, values):
        return self._adopted_transaction()._decide_force_done(values)

    def _decide_force_cancel(self, values):
        return self._adopted_transaction()._decide_force_cancel(values)

    def _adopted_transaction(self):
        transaction = self._card_transaction() or self._adopt_card_transaction()
        return transaction.with_context(card_reason=self.env.context["card_reason"])
