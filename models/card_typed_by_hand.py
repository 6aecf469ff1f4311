"""Payments typed on a terminal standing alone. They count on a manager's word, until a settlement shows them."""

import re

from odoo import fields, models
from odoo.exceptions import UserError

from ..hw_driver.protocols.states import Kind, State


class CardTransaction(models.Model):
    _inherit = "card.transaction"

    def _type_by_hand(self, session, request, line=None):
        """Return the transaction of a manager's word; the same uuid again returns the one it made.

        `request`: {uuid, order, line, values: {amount_minor, slip, auth_code, last4, kind, terminal (uuid)}}.
        """
        values = request.get("values") or {}
        amount, kind = values.get("amount_minor"), values.get("kind") or Kind.SALE.value
        slip = self._typed_text(values.get("slip"), 64)
        last4 = str(values.get("last4") or "").strip()
        if type(amount) is not int or not 0 < amount < 10**15 or kind not in (Kind.SALE, Kind.REFUND):
            raise UserError(self.env._("The amount of the slip must be more than zero."))
        if not slip or len(slip) > 32:
            raise UserError(self.env._("Type the number of the terminal's slip: it is looked for in the settlement."))
        if last4 and not re.fullmatch(r"[0-9]{4}", last4):
            raise UserError(self.env._("Type the last four digits of the card, or nothing."))
        if not re.fullmatch(r"[0-9a-f-]{36}", request.get("uuid") or ""):
            raise UserError(self.env._("The till sent no valid transaction ID. Reload the point of sale."))
        known = self.sudo().search([("uuid", "=", request["uuid"])])
        if known:
            same = (known.origin, known.amount_approved_minor, known.slip, known.kind, known.payment_uuid)
            if same != ("typed", amount, slip, kind, request.get("line")):
                raise UserError(self.env._("This payment has been kept already, with other values."))
            return known
        transaction = self.sudo().create({
            "uuid": request["uuid"],
            "origin": "typed",
            "state": State.SETTLED_BY_HAND.value,
            "kind": kind,
            "company_id": session.company_id.id,
            "config_id": session.config_id.id,
            "session_id": session.id,
            "terminal_id": session.config_id.card_terminal_ids.filtered(
                lambda terminal: terminal.uuid == values.get("terminal")
            ).id,
            "currency_id": session.currency_id.id,
            "order_uuid": request.get("order"),
            "payment_uuid": request.get("line"),
            "till": session.config_id.name,
            "operator": self.env["res.users"].browse(self.env.context.get("card_asked_by") or self.env.uid).name,
            "code": "typed_by_hand",
            "text": self.env._("Typed by hand on the terminal alone. No terminal has reported it."),
            "amount_requested_minor": amount,
            "amount_approved_minor": amount,
            "slip": slip,
            "auth_code": self._typed_text(values.get("auth_code"), 16),
            "last4": last4,
            "settled_paid": True,
            "settled_by": self.env.uid,
            "settled_reason": self.env.context["card_reason"],
            "settled_at": fields.Datetime.now(),
            "settled_reported": True,
            "requested_at": fields.Datetime.now(),
            "ended_at": fields.Datetime.now(),
        })  # fmt: skip
        if line:
            line.write({"card_transaction_uuid": transaction.uuid, "card_state": transaction.state})
        transaction._join()
        transaction._notify_till()
        return transaction
