"""One-time grants: no more goes back than was approved, the unknown and the granted counted; one tip for a payment."""

import re
from datetime import UTC, datetime

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..hw_driver.protocols.states import OPEN, Kind, State
from .card_money import from_minor
from .card_transaction import GIVING_BACK

#: Kinds that a till asks Odoo to allow, each over an earlier payment.
ALLOWED = GIVING_BACK | {Kind.TIP}


class NotHeardYet(UserError):
    """The till has heard more from the driver than Odoo: it asks again in a moment, by this name."""


class CardTerminalGrant(models.Model):
    _name = "card.terminal.grant"
    _description = "One-time Grant to a Card Terminal Driver"
    _order = "id desc"
    _rec_name = "uuid"

    uuid = fields.Char("Transaction ID", required=True, readonly=True)
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    session_id = fields.Many2one("pos.session", required=True, readonly=True, ondelete="restrict")
    terminal_id = fields.Many2one("card.terminal", required=True, readonly=True, ondelete="restrict")
    original_id = fields.Many2one("card.transaction", readonly=True, ondelete="restrict", index=True)
    kind = fields.Selection([(kind.value, kind.value.capitalize()) for kind in Kind], required=True, readonly=True)
    amount_minor = fields.Integer("Amount, in Minor Units", required=True, readonly=True)
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    order_uuid = fields.Char(readonly=True)
    payment_uuid = fields.Char(readonly=True)
    user_id = fields.Many2one("res.users", required=True, readonly=True, default=lambda self: self.env.uid)
    expires = fields.Datetime(required=True, readonly=True)

    _unique_uuid = models.Constraint("UNIQUE(uuid)", "This transaction has a grant already.")

    @api.model
    def _give(self, session, request, sale=None):
        """Return (grant, original) for a refund, reversal or tip; raise `UserError` where it may not be.

        `request`: {uuid, kind, amount (minor units), currency, terminal (uuid), refunded_order_ids, order, line,
        original (uuid of the sale, where the till means one)}. `sale`: the one it goes back to.
        """
        terminal, orders = self._check(session, request)
        sale = sale or self._named(session, request)
        known = self.sudo().search([("uuid", "=", request["uuid"])])
        if known:
            original = known._same(request, terminal)
        elif request["kind"] == Kind.TIP:
            original = self._to_be_tipped(session, terminal, sale)
        else:
            original = self._original(session, orders, request["amount"], sale)
            if request["kind"] == Kind.REVERSAL:
                self._refuse_other_than_whole(terminal, original, request["amount"])
        grant, expires = terminal.driver_id._one_time_grant(
            session,
            {
                "uuid": request["uuid"],
                "kind": request["kind"],
                "max_amount": request["amount"],
                "currency": request["currency"],
                "terminal": terminal.uuid,
                "original": original.uuid or None,
            },
        )
        expires_at = datetime.fromtimestamp(expires, UTC).replace(tzinfo=None)
        if known:
            known.expires = expires_at
        else:
            self.sudo().create({
                "uuid": request["uuid"],
                "company_id": session.company_id.id,
                "session_id": session.id,
                "terminal_id": terminal.id,
                "original_id": original.id,
                "kind": request["kind"],
                "amount_minor": request["amount"],
                "currency_id": session.currency_id.id,
                "order_uuid": request.get("order"),
                "payment_uuid": request.get("line"),
                "user_id": self.env.uid,
                "expires": expires_at,
            })  # fmt: skip
        return grant, original

    @api.model
    def _check(self, session, request):
        """Return (terminal, refunded orders) of a request that makes sense for this session."""
        terminal = self._terminal_of(session, request)
        if request.get("kind") not in ALLOWED or request["kind"] not in terminal.kinds:
            raise UserError(self.env._("This terminal cannot do that from the till."))
        if request.get("currency") != session.currency_id.name:
            raise UserError(self.env._("The currency of this point of sale is %s.", session.currency_id.name))
        amount = request.get("amount")
        if type(amount) is not int or not 0 < amount < 2**31:
            raise UserError(self.env._("The amount must be more than zero."))
        orders = self.env["pos.order"].browse(request.get("refunded_order_ids") or []).exists()
        orders.check_access("read")
        if orders.company_id - session.company_id:
            raise UserError(self.env._("The order to give back is of another company."))
        return terminal, orders

    @api.model
    def _named(self, session, request):
        """Return the card payment that the till names; empty where it names none."""
        named = request.get("original")
        if not named and request["kind"] == Kind.REFUND:
            return self.env["card.transaction"]
        sale = self.env["card.transaction"].sudo().search([
            ("uuid", "=", str(named)),
            ("company_id", "=", session.company_id.id),
            ("currency_id", "=", session.currency_id.id),
            ("kind", "in", [Kind.SALE, Kind.COMPLETION]),
        ])  # fmt: skip
        if not sale or sale.state in (State.REQUESTED, State.SENT):
            raise NotHeardYet(
                self.env._(
                    "Odoo has not heard from the driver yet how this card payment ended, so it cannot allow this. "
                    "Try again in a moment."
                )
            )
        return sale

    @api.model
    def _refuse_other_than_whole(self, terminal, sale, amount):
        """A terminal reverses a payment that it took itself, all of it, while nothing of it has gone back."""
        if sale.state != State.APPROVED or sale.terminal_id != terminal or not sale.driver_id:
            raise UserError(self.env._("Only the terminal that took this payment can cancel it. Refund it instead."))
        if not self._left(sale) == sale._with_tips_minor() == amount:
            raise UserError(
                self.env._(
                    "A payment is cancelled as a whole, with the tip that was added to it, and only while nothing of "
                    "it was given back. Refund what is left instead."
                )
            )

    @api.model
    def _give_settlement(self, session, request):
        """Return the grant for a settlement: no money of a customer moves, so any cashier of the till may ask."""
        terminal = self._terminal_of(session, request)
        if Kind.SETTLEMENT not in (terminal.kinds or []):
            raise UserError(self.env._("This terminal cannot do that from the till."))
        claims = {"uuid": request["uuid"], "kind": Kind.SETTLEMENT.value, "terminal": terminal.uuid}
        claims |= {"max_amount": 0, "currency": "", "original": None}
        return terminal.driver_id._one_time_grant(session, claims)[0]

    @api.model
    def _terminal_of(self, session, request):
        """Return the terminal of this session's till that a request names, after a look at the request's uuid."""
        terminal = session.config_id.card_terminal_ids.filtered(lambda record: record.uuid == request.get("terminal"))
        if not terminal or not terminal.driver_id.has_key:
            raise UserError(self.env._("This terminal is not set up for this point of sale."))
        if not re.fullmatch(r"[0-9a-f-]{36}", request.get("uuid") or ""):
            raise UserError(self.env._("The till sent no valid transaction ID. Reload the point of sale."))
        return terminal

    def _same(self, request, terminal):
        """Return the original of a grant that is asked for again, which must be for the same thing."""
        same = (self.kind, self.amount_minor, self.terminal_id) == (request["kind"], request["amount"], terminal)
        if not same or self.env["card.transaction"].sudo().search_count([("uuid", "=", self.uuid)], limit=1):
            raise UserError(self.env._("This refund has been started already. Begin a new one."))
        return self.original_id

    @api.model
    def _original(self, session, orders, amount, sale=None):
        """Return the sale the money goes back to, locked against a second till; empty if a manager gives it freely."""
        sales = sale or (
            self.env["card.transaction"]
            .sudo()
            .search(
                [
                    ("order_uuid", "in", orders.mapped("uuid")),
                    ("kind", "in", [Kind.SALE, Kind.COMPLETION, Kind.TIP]),
                    ("state", "in", [State.APPROVED, State.SETTLED_BY_HAND]),
                    ("company_id", "=", session.company_id.id),
                    ("currency_id", "=", session.currency_id.id),
                ],
                order="id",
            )
            ._tipped()
        )
        if not sales:
            if self.env.user.has_group("point_of_sale.group_pos_manager"):
                return sales
            raise UserError(
                self.env._(
                    "There is no card payment that this money could go back to. Give it back another way, or ask a "
                    "Point of Sale administrator."
                )
            )
        # Written, not only locked: a second till's transaction fails to serialise, starts over, and sees this grant.
        self.env.execute_query(
            SQL(
                "UPDATE card_transaction SET grant_count = coalesce(grant_count, 0) + 1 WHERE id IN %s RETURNING id",
                sales._ids,
            )
        )
        sales.invalidate_recordset(["grant_count"])
        left = {sale: self._left(sale) for sale in sales}
        best = max(sales, key=lambda sale: (left[sale] >= amount, -left[sale] if left[sale] >= amount else left[sale]))
        if left[best] < amount:
            currency = session.currency_id
            raise UserError(
                self.env._(
                    "At most %(left)s can still go back to this card (%(asked)s asked). "
                    "Refunds under way or not known count as done.",
                    left=currency.format(from_minor(max(left[best], 0), currency)),
                    asked=currency.format(from_minor(amount, currency)),
                )
            )
        return best

    @api.model
    def _left(self, sale):
        """Return what may still go back to a sale's card, in minor units."""
        given = self.sudo().search([("original_id", "=", sale.id), ("kind", "in", list(GIVING_BACK))])
        back = (
            self.env["card.transaction"]
            .sudo()
            .search(
                [
                    "|",
                    ("original_uuid", "=", sale.uuid),
                    ("uuid", "in", given.mapped("uuid")),
                    ("kind", "in", list(GIVING_BACK)),
                ]
            )
        )
        done = sum(
            record.amount_requested_minor
            if record.state in OPEN
            else record._is_approved() and record.amount_approved_minor
            for record in back
        )
        used = set(back.mapped("uuid"))
        pending = sum(grant.amount_minor for grant in given if grant.uuid not in used and grant._may_be_used())
        return (sale._is_approved() and sale._with_tips_minor()) - done - pending

    def _may_be_used(self):
        """Return whether a transaction may still come of it: not expired, or its driver has not reported since."""
        caught_up = self.terminal_id.driver_id.caught_up_at
        return self.expires > fields.Datetime.now() or not caught_up or caught_up <= self.expires
