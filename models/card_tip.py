"""Tips that are added after the payment, on the terminal that took it, where that terminal says that it takes one.

A paid order is not changed any more (invoices, the chains of numbers that fiscal law wants): the tip is an order of its
own, with Odoo's article for tips, in the session that is open then. Its one payment is the terminal's approval of the
tip, so what the customer pays in all stands in two payments, each once.
"""

from odoo import fields, models
from odoo.exceptions import UserError

from ..hw_driver.protocols.states import OPEN, Kind, State


class CardTransaction(models.Model):
    _inherit = "card.transaction"

    tippable = fields.Boolean(
        "Takes a Tip", readonly=True, help="The terminal said that a tip can be added to this payment afterwards."
    )

    def _tips(self):
        """Return the tips that were added to these payments, or may have been."""
        found = self.search([("original_uuid", "in", self.mapped("uuid")), ("kind", "=", Kind.TIP.value)])
        return found.filtered(lambda record: record.state in OPEN or record._is_approved())

    def _with_tips_minor(self):
        """Return what this payment and its tips came to, as far as they are certain."""
        self.ensure_one()
        tips = self._tips().filtered(lambda record: record._is_approved())
        return self.amount_approved_minor + sum(tips.mapped("amount_approved_minor"))

    def _tipped(self):
        """Return these payments, those for a tip replaced by the payment that it was added to."""
        tips = self.filtered(lambda record: record.kind == Kind.TIP)
        return (self - tips) | tips._given_back_to()

    def _to_till(self):
        rows = super()._to_till()
        tips = self._tips().grouped("original_uuid")
        for transaction, row in zip(self, rows, strict=True):
            row["tippable"] = transaction.tippable
            added = tips.get(transaction.uuid, self.browse()).filtered(lambda record: record._is_approved())
            row["added"] = sum(added.mapped("amount_approved_minor"))
        return rows


class CardTerminalGrant(models.Model):
    _inherit = "card.terminal.grant"

    def _to_be_tipped(self, session, terminal, sale):
        """Return the payment that a tip may be added to; raise `UserError` where it may not."""
        config = session.config_id
        if not config.iface_tipproduct or not config.tip_product_id:
            raise UserError(self.env._("This point of sale takes no tips: it has no article for them."))
        if sale.state != State.APPROVED or sale.terminal_id != terminal or not sale.tippable:
            raise UserError(self.env._("The terminal takes no tip on this payment any more."))
        if sale.payment_id.pos_order_id.state in (False, "draft", "cancel"):
            raise UserError(
                self.env._("Odoo does not have the finished order of this payment yet. Try again in a moment.")
            )
        if sale._tips():
            raise UserError(self.env._("A tip was added to this payment already, or may have been."))
        if self._left(sale) != sale.amount_approved_minor:
            raise UserError(self.env._("Of this payment money was given back: no tip can be added."))
        return sale


class PosPayment(models.Model):
    _inherit = "pos.payment"

    card_tippable = fields.Boolean(
        "Takes a Tip", copy=False, help="The terminal said that a tip can be added to this payment afterwards."
    )
    card_tipped_uuid = fields.Char(
        "Tip on", copy=False, help="The card transaction that this payment is a tip on, as the till says."
    )

    def _fill_from_card_transaction(self):
        result = super()._fill_from_card_transaction()
        for line in self:
            transaction = line.card_transaction_id
            said = {"card_tippable": transaction.tippable}
            if transaction.kind == Kind.TIP:
                said["card_tipped_uuid"] = transaction.original_uuid
            changed = {name: value for name, value in said.items() if line[name] != value}
            if changed:
                line._write_guarded(changed)
        return result
