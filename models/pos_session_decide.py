"""What a manager decides at the till. The browser collects it; here it is checked and carried out."""

import uuid

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..hw_driver.protocols.states import Kind
from .res_users import MANAGER

#: What a till may ask for; the rest needs the back office.
TILL_ACTIONS = frozenset(
    {"force_done", "force_cancel", "typed_by_hand", "attach", "not_paid", "suspense", "acknowledge", "refund"}
)
FORCED = frozenset({"force_done", "force_cancel"})


class PosSession(models.Model):
    _inherit = "pos.session"

    def card_terminal_managers(self):
        """Return who may approve with a PIN here: [{id, name}]."""
        company = self._card_session().company_id
        managers = self.env.ref(MANAGER).sudo().all_user_ids._can_approve_cards(company)
        found = managers.filtered("card_approval_pin_set").sorted("name")
        return [{"id": manager.id, "name": manager.name} for manager in found]

    def card_terminal_exceptions(self):
        """Return the open exceptions of this point of sale, as its short desk shows them."""
        session = self._card_session()
        terminals = session.config_id.card_terminal_ids
        homeless = Domain("config_id", "=", False) & Domain("terminal_id", "in", terminals.ids)
        domain = Domain("stage", "=", "open") & (Domain("config_id", "=", session.config_id.id) | homeless)
        rows = self.env["card.exception"].sudo().search(Domain("company_id", "=", session.company_id.id) & domain)
        return [row._to_till() for row in rows]

    def card_terminal_decide(self, request):
        """Carry out a decision with a manager's approval, and return {transaction, text} (refund: and the grant).

        `request`: {action, manager (user id; null: the user), pin, reason, order, line, uuid, values}.
        """
        session = self._card_session()
        if str(request.get("action")) not in TILL_ACTIONS:
            raise UserError(self.env._("The till asked for something that only the back office can do."))
        if not str(request.get("reason") or "").strip():
            raise UserError(self.env._("Write down why: it is kept with the decision."))
        found = self.env["card.transaction"].sudo().search([("uuid", "=", str(request.get("uuid") or ""))])
        if found.company_id - session.company_id:
            raise UserError(self.env._("This card transaction is of another company."))
        if request["action"] == "refund" and found._refund_is_allowed():
            return session._card_refund(found, request, self.env._("A manager has allowed it."))
        approver = self.env["card.approval"]._approver(session, request)
        decided = session.with_user(approver).with_context(card_asked_by=self.env.uid)
        transaction, text = decided._card_decide(request)
        if request["action"] == "refund":
            return session._card_refund(transaction.sudo(), request, text)
        return {"transaction": transaction.sudo()._to_till()[0] if transaction else None, "text": text}

    def _card_decide(self, request):
        """Carry out a decision as the manager; return (transaction, what was done)."""
        action, values = request["action"], dict(request.get("values") or {})
        reason = str(request["reason"]).strip()[:2000]
        transactions = self.env["card.transaction"]
        transaction = transactions.search([("uuid", "=", request.get("uuid") or "")])
        line = self.env["pos.payment"].sudo().search([("uuid", "=", request.get("line") or "")])
        if line.company_id - self.company_id:
            raise UserError(self.env._("This payment is of another company."))
        if action == "typed_by_hand":
            return self._card_type_by_hand(request, reason, line)
        if action in FORCED and not transaction:
            adopted = {**values, **{name: request.get(name) for name in ("uuid", "order", "line")}}
            transaction = self._card_adopt(self, adopted).with_env(self.env)
        if transaction:
            text = transaction._decide(
                action, reason, {**values, "order": request.get("order"), "line": request.get("line")}
            )
            return transaction, text
        if not line:
            raise UserError(self.env._("Odoo does not know this card payment. Save the order, then try again."))
        text = line.with_env(self.env)._decide(action, reason, values)
        return line.sudo()._card_transaction(), text

    def _card_type_by_hand(self, request, reason, line):
        known = self.env["card.transaction"].sudo().search_count([("uuid", "=", request.get("uuid") or "")], limit=1)
        if line and not known and not line._takes_approval():
            raise UserError(
                self.env._("The last attempt of this payment is not known or was approved: settle that one.")
            )
        transaction = self.env["card.transaction"].with_context(card_reason=reason)._type_by_hand(self, request)
        text = self.env._("Kept as typed by hand, until a settlement shows it.")
        if not known:
            self.env["card.approval"]._keep(
                transaction, "typed_by_hand", reason, text, session_id=self.id, **transaction._decision_log()
            )
        return transaction.with_env(self.env), text

    def _card_refund(self, sale, request, text):
        """Return the one-time grant with which a till gives an approved payment back to its card."""
        values = request.get("values") or {}
        terminals = self.config_id.card_terminal_ids
        terminal = terminals.filtered(lambda record: record.uuid == values.get("terminal")) or (
            sale.terminal_id if sale.terminal_id in terminals else terminals[:1]
        )
        wanted = {
            "uuid": values.get("refund_uuid") or str(uuid.uuid4()),
            "kind": (Kind.REFUND if Kind.REFUND in (terminal.kinds or ()) else Kind.REVERSAL).value,
            "amount": sale.amount_approved_minor,
            "currency": sale.currency_id.name,
            "terminal": terminal.uuid,
        }
        grant, original = self.env["card.terminal.grant"]._give(self, wanted, sale)
        return {
            "transaction": sale._to_till()[0],
            "text": text,
            "refund": {**wanted, "grant": grant, "original": original.uuid, "at": fields.Datetime.now().isoformat()},
        }
