"""What the till's JavaScript asks of Odoo about card terminals."""

from odoo import models
from odoo.exceptions import AccessError, UserError

from ..hw_driver.protocols.states import OPEN, Kind
from .card_terminal_grant import ALLOWED


class PosSession(models.Model):
    _inherit = "pos.session"

    def card_terminal_grants(self):
        """Return fresh session grants: [{driver, url, grant, expires}]."""
        session = self._card_session()
        answer = []
        for driver in session.config_id.card_terminal_ids.driver_id.filtered("has_key"):
            grant, expires = driver._session_grant(session)
            answer.append({"driver": driver.uuid, "url": driver.url, "grant": grant, "expires": expires})
        return answer

    def card_terminal_relay(self, request):
        """Pass a till's command on to a driver: {driver, command, op, uuid, body, grant} -> {sent} or {problem}.

        The driver's answer comes over the bus; this call never waits for it.
        """
        session = self.with_context(prefetch_fields=False)._card_session()
        if not isinstance(request, dict):
            raise UserError(self.env._("The till sent a request that cannot be read. Reload the point of sale."))
        drivers = session._card_relay_fetch()
        driver = drivers.filtered(lambda each: each.uuid == request.get("driver") and each.has_key)
        if not driver:
            raise UserError(self.env._("This driver is not set up for this point of sale, or not paired."))
        self.env["bus.bus"]._is_fleeting()
        return driver._relay(driver._session_claims(session), request)

    def _card_relay_fetch(self):
        """Read what a relayed command needs, and no more: a customer waits. Return the drivers of the till."""
        config = self.config_id
        terminals = config.card_terminal_id | config.card_terminal_spare_ids
        terminals.fetch(["active", "uuid", "driver_id", "company_id"])
        drivers = config.card_terminal_ids.driver_id
        # In one query, as superuser for the key: they are drivers of terminals that the user was found to have.
        drivers.sudo().fetch(["uuid", "road", "relay_connected", "last_seen", "key_state", "company_id", "sealed_key"])
        return drivers

    def card_terminal_refund_grant(self, request):
        """Return {grant, original} for money that goes back (law 8 is checked here), or a tip afterwards."""
        session = self._card_session()
        grant, original = self.env["card.terminal.grant"]._give(session, request)
        return {"grant": grant, "original": original.uuid or None}

    def card_terminal_settlement_grant(self, request):
        """Return {grant} for a settlement: `request` {uuid, terminal}."""
        session = self._card_session()
        return {"grant": self.env["card.terminal.grant"]._give_settlement(session, request)}

    def card_terminal_settlement(self, request):
        """Return what is known of a settlement: `request` {transaction: uuid}; None where Odoo has not heard of it."""
        session = self._card_session()
        return self.env["card.terminal.settlement"].sudo()._of_till(session, request)._to_till()

    def card_terminal_settlement_totals(self, request):
        """Keep the totals that a person typed from a settlement's ticket, and return the settlement.

        `request`: {uuid, terminal, transaction (uuid or null), number, totals: [{brand, count, amount (minor units)}]}.
        """
        session = self._card_session()
        return self.env["card.terminal.settlement"].sudo()._type(session, request)._to_till()

    def card_terminal_merchant_slip(self, request):
        """Return the merchant's slip of a payment of this till, "" where there is none: `request` {uuid}."""
        session = self._card_session()
        found = self.env["card.transaction"].sudo().search([
            ("uuid", "=", str(request.get("uuid") or "")), ("config_id", "=", session.config_id.id),
        ])  # fmt: skip
        return found.merchant_receipt or ""

    def card_terminal_transactions(self, request):
        """Return what Odoo knows of these orders' and these transactions: {orders: [uuid], uuids: [uuid]}."""
        session = self._card_session()
        found = self.env["card.transaction"].sudo().search(
            [
                ("company_id", "=", session.company_id.id),
                "|", ("order_uuid", "in", request.get("orders") or []), ("uuid", "in", request.get("uuids") or []),
            ]
        )  # fmt: skip
        return found._to_till()

    def card_terminal_answer(self, request):
        """Keep the cashier's word and return the transaction.

        `request`: {uuid, answer, authorisation, terminal, order, line, amount (minor units)}.
        """
        session = self._card_session()
        if request.get("answer") not in ("paid", "not_paid"):
            raise UserError(self.env._("The answer is paid or not paid."))
        transaction = self.env["card.transaction"].sudo().search([("uuid", "=", request.get("uuid"))])
        if not transaction:
            transaction = self._card_adopt(session, request)
        if transaction.company_id != session.company_id:
            raise AccessError(self.env._("This card transaction is of another company."))
        if transaction.state in OPEN:
            self.env["card.terminal.answer"].sudo().create({
                "transaction_id": transaction.id,
                "answer": request["answer"],
                "authorisation": str(request.get("authorisation") or "")[:64],
                "user_id": self.env.uid,
            })  # fmt: skip
            transaction._notify_till()
        return transaction._to_till()[0]

    def _card_adopt(self, session, request):
        terminal = session.config_id.card_terminal_ids.filtered(lambda record: record.uuid == request.get("terminal"))
        amount = request.get("amount")
        if not terminal or not request.get("uuid") or type(amount) is not int or amount == 0:
            raise UserError(self.env._("The till did not say which card payment it means."))
        return self.env["card.transaction"]._adopt({
            "uuid": request["uuid"],
            "terminal_id": terminal.id,
            "kind": self._card_kind(request, amount).value,
            "amount_requested_minor": abs(amount),
            "order_uuid": request.get("order"),
            "payment_uuid": request.get("line"),
            "session_id": session.id,
        })  # fmt: skip

    def _card_kind(self, request, amount):
        said = request.get("kind")
        if said in ALLOWED:
            return Kind(said)
        return Kind.REFUND if amount < 0 else Kind.SALE

    def _card_session(self):
        """Return this session for a cashier who may use it."""
        self.ensure_one()
        if not self.env.user.has_group("point_of_sale.group_pos_user"):
            raise AccessError(self.env._("Only users of the Point of Sale may use its card terminals."))
        self.fetch(["state", "name", "config_id"])
        self.config_id.fetch(["name", "company_id", "card_terminal_id"])
        self.check_access("read")
        if self.company_id.id not in self.env.user._get_company_ids():
            raise AccessError(self.env._("This session is of another company."))
        if self.state == "closed":
            raise UserError(self.env._("This session is closed. Reload the point of sale."))
        return self
