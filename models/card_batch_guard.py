"""What a batch has counted stays as it was counted, by every road. Corrections are reversals.

Odoo lets a closed session's payments change their method, be deleted, drafted and unreconciled, also with France's
anti-fraud module. A payment that comes late still enters, and leaves a trace.
"""

from odoo import api, models
from odoo.exceptions import UserError

#: What makes a payment the payment that was counted.
COUNTED_FIELDS = frozenset({
    "amount", "payment_method_id", "pos_order_id", "payment_date", "card_type", "card_brand", "card_no",
    "payment_method_authcode", "payment_method_issuer_bank", "payment_ref_no", "transaction_id", "cardholder_name",
})  # fmt: skip


class PosPayment(models.Model):
    _inherit = "pos.payment"

    def _card_is_counted(self):
        """Return whether a batch that has ended counted this payment."""
        self.ensure_one()
        return self.sudo().card_batch_id.state == "closed"

    def _refuse_counted(self):
        if counted := self.filtered(lambda payment: payment._card_is_counted()):
            payment = counted[0]
            raise UserError(
                self.env._(
                    "%(payment)s was counted in batch %(batch)s, which has ended. It stays as it is: correct it by "
                    "a refund or a reversal.",
                    payment=payment.display_name,
                    batch=payment.sudo().card_batch_id.name,
                )
            )

    def write(self, vals):
        changed = vals.keys() & COUNTED_FIELDS
        if changed:
            self.filtered(
                lambda payment: any(payment._card_would_change(name, vals[name]) for name in changed)
            )._refuse_counted()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_counted(self):
        self._refuse_counted()


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def _card_batches(self):
        """Return the batches that have ended over the money of these payments."""
        counted = self.env["card.batch"].sudo()
        for payment in self.sudo().filtered("card_contract_id"):
            if payment.pos_session_id.state == "closed":
                lines = payment.pos_session_id.order_ids.payment_ids
                own = lines.filtered(lambda line, payment=payment: line.card_contract_id == payment.card_contract_id)
                counted |= own.card_batch_id.filtered(lambda batch: batch.state == "closed")
        return counted

    def _refuse_counted(self):
        if batches := self._card_batches():
            raise UserError(
                self.env._(
                    "The money of this payment was counted in batch %s, which has ended. Correct it by a reversal.",
                    ", ".join(batches.mapped("name")),
                )
            )

    def action_draft(self):
        self._refuse_counted()
        return super().action_draft()

    def action_cancel(self):
        self._refuse_counted()
        return super().action_cancel()

    @api.ondelete(at_uninstall=False)
    def _unlink_except_counted(self):
        self._refuse_counted()


class AccountMove(models.Model):
    _inherit = "account.move"

    def _refuse_counted(self):
        """Keep the entries of counted payments, and those of the sessions that took them."""
        self.origin_payment_id._refuse_counted()
        self.env["pos.session"].sudo().search([("move_id", "in", self.ids)]).order_ids.payment_ids._refuse_counted()

    def button_draft(self):
        self._refuse_counted()
        return super().button_draft()

    def button_cancel(self):
        self._refuse_counted()
        return super().button_cancel()


class AccountPartialReconcile(models.Model):
    _inherit = "account.partial.reconcile"

    @api.ondelete(at_uninstall=False)
    def _unlink_except_counted(self):
        """Keep the session's receivable matched; matches with the bank are undone where they were made."""
        for line in self.debit_move_id | self.credit_move_id:
            payment = line.move_id.origin_payment_id
            if payment.card_contract_id and line.account_id == payment.destination_account_id:
                payment._refuse_counted()
