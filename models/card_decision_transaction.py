"""What a manager decides about a card transaction. Each `_decide_…` returns a sentence that says what was done."""

from odoo import fields, models
from odoo.exceptions import UserError

from ..hw_driver.protocols.states import OPEN, Kind, State
from .card_money import from_minor, to_minor

#: Hours in which a till may use the permission to give money back.
REFUND_HOURS = 24


class CardTransaction(models.Model):
    _name = "card.transaction"
    _inherit = ["card.transaction", "card.decision.mixin", "card.suspense.mixin"]

    origin = fields.Selection(
        [("driver", "Driver"), ("till", "Only the till told of it"), ("typed", "Typed by hand")],
        required=True,
        readonly=True,
        default="driver",
    )
    attached_order_uuid = fields.Char(readonly=True, index="btree_not_null", help="Where a manager has put it.")
    attached_payment_uuid = fields.Char(readonly=True)
    slip = fields.Char("Slip Number", readonly=True)
    matched_with = fields.Char("Matched with Settlement", readonly=True)
    matched_by = fields.Many2one("res.users", readonly=True)
    matched_at = fields.Datetime(readonly=True)
    refund_allowed_by = fields.Many2one("res.users", readonly=True)
    refund_allowed_at = fields.Datetime(readonly=True)
    approval_ids = fields.One2many(
        "card.approval",
        "transaction_id",
        "Decisions",
        readonly=True,
        groups="pos_card_terminal.group_card_transaction_accountant",
    )

    _driver_or_typed = models.Constraint(
        "CHECK(driver_id IS NOT NULL OR origin = 'typed')", "Only what was typed by hand has no driver."
    )

    # How it stands ----------------------------------------------------------------------------------------------------

    def _decision_exception(self):
        if self.state in OPEN and self.exception != "unknown":
            return self._can_be_settled() and "under_way"
        return self.exception

    def _decision_order(self):
        """Return its order; an order that came at the same moment as the events is not joined yet."""
        uuid = self._place()[0]
        if uuid and self.order_id.uuid != uuid:
            order = self.env["pos.order"].search([("uuid", "=", uuid), ("company_id", "=", self.company_id.id)])
            return order or self.order_id
        return self.order_id

    def _decision_prepare(self):
        self._join()

    def _decision_log(self):
        return {
            "transaction_id": self.id,
            "transaction_uuid": self.uuid,
            "payment_id": self.payment_id.id,
            "payment_uuid": self._place()[1],
            "order_uuid": self._place()[0],
            "amount": self.amount_approved or self.amount_requested,
        }

    def _decision_fits(self, action):
        if action == "suspense":
            return self._suspense_minor() != 0 and not self.card_suspense_move_id
        if action == "acknowledge":
            return self.needs_attention
        if action == "not_paid":
            return bool(self.payment_id) and not self.card_suspense_move_id
        if action == "refund":
            return self.kind == Kind.SALE and self._is_booked() and not self.virtual
        return True

    def _place(self):
        """Return (order uuid, payment line uuid) where this belongs: a manager's word before the till's."""
        if self.attached_order_uuid:
            return self.attached_order_uuid, self.attached_payment_uuid
        return self.order_uuid, self.payment_uuid

    def _holds_order(self, going=None):
        """Return whether an order must stay for this: approved, and nobody has put the money elsewhere."""
        return self._is_booked() and not self.acknowledged_at and not self._is_given_back(going)

    def _suspense_minor(self):
        """Return what the terminal says minus what is booked, in minor units; negative where money went back."""
        payment = self.payment_id
        posted = payment.pos_order_id.state not in (False, "draft", "cancel")
        booked = to_minor(payment.amount, payment.currency_id) if payment and posted else 0
        return self._terminal_minor() - booked

    def _terminal_minor(self):
        """Return what moved at the terminal by its last word, or by a person's where it has none."""
        if self.virtual:
            return 0
        if self.exception != "disagrees":
            return self._signed_minor() if self._is_booked() else 0
        last = self.event_ids.filtered(lambda event: event._ends())[-1:]
        if last._ends() != State.APPROVED:
            return 0
        minor = last._approved_minor(self)
        return -minor if self.kind in (Kind.REFUND, Kind.REVERSAL) else minor

    def _suspense_config(self):
        return self.config_id

    def _suspense_method(self):
        """Return the card method whose money this is; empty where only a person can say."""
        methods = self.payment_id.payment_method_id or self.config_id.payment_method_ids.filtered(
            lambda method: method._is_card_terminal()
        )
        return methods if len(methods) == 1 else methods.browse()

    # Decisions --------------------------------------------------------------------------------------------------------

    def _decide_force_done(self, values):
        amount = values.get("amount_minor")
        self._settle_by_hand(
            paid=True,
            reason=self.env.context["card_reason"],
            amount_minor=self.amount_requested_minor if amount is None else amount,
            auth_code=self._typed_text(values.get("auth_code"), 16),
        )
        return self.env._("Settled as paid: %s.", self.currency_id.format(self.amount_approved))

    def _decide_force_cancel(self, _values):
        self._settle_by_hand(paid=False, reason=self.env.context["card_reason"])
        return self.env._("Settled as not paid.")

    def _decide_acknowledge(self, _values):
        self._acknowledge(self.env.context["card_reason"])
        return self.env._("Taken note.")

    def _decide_suspense(self, values):
        method = self.env["pos.payment.method"].browse(values.get("method_id"))
        move = self._to_suspense(self._suspense_minor(), method)
        self._acknowledge(self.env.context["card_reason"])
        return self.env._("Put on the suspense account: %s.", move.name)

    def _decide_not_paid(self, values):
        method = self.env["pos.payment.method"].browse(values.get("method_id"))
        payment = self.payment_id
        move = self._to_suspense(-to_minor(payment.amount, payment.currency_id), method)
        self._acknowledge(self.env.context["card_reason"])
        return self.env._("The money never came: %s keeps it in suspense.", move.name)

    def _decide_matched(self, values):
        settlement = self._typed_text(values.get("settlement"), 64)
        if not settlement:
            raise UserError(self.env._("Name the settlement in which the terminal lists this payment."))
        self.write({
            "matched_with": settlement, "matched_by": self.env.uid, "matched_at": fields.Datetime.now()
        })  # fmt: skip
        self._join()
        return self.env._("Matched with settlement %s.", settlement)

    def _decide_refund(self, _values):
        self.write({"refund_allowed_by": self.env.uid, "refund_allowed_at": fields.Datetime.now()})
        self._notify_till()
        return self.env._(
            "%(amount)s may go back to the card: the till shows it under its card exceptions for %(hours)s hours.",
            amount=self.currency_id.format(self.amount_approved),
            hours=REFUND_HOURS,
        )

    def _refund_is_allowed(self):
        """Return whether a till may give the money back without asking a manager again."""
        given = self.refund_allowed_at
        fresh = given and (fields.Datetime.now() - given).total_seconds() < REFUND_HOURS * 3600
        return bool(fresh) and "refund" in self._decision_actions()

    def _decide_attach(self, values):
        uuid = values.get("order") or self.order_uuid
        order = self.env["pos.order"].search([("uuid", "=", uuid)]) if uuid else self.env["pos.order"]
        if not order or order.company_id != self.company_id or order.currency_id != self.currency_id:
            raise UserError(self.env._("Odoo does not know this order. Save it at the till first, then try again."))
        return self._attach(order, values.get("line"))

    # Attaching --------------------------------------------------------------------------------------------------------

    def _attach(self, order, line_uuid=None):
        """Put the money on a line of an order that no approval supports, or on a new one of a draft."""
        if order.state == "cancel":
            raise UserError(self.env._("%s is cancelled. Take another order, or book a new one.", order.display_name))
        line = self.payment_id if self.payment_id.pos_order_id == order else self._line_for(order, line_uuid)
        vals = {
            "card_transaction_uuid": self.uuid,
            "card_state": self.state,
            "payment_status": "done",
            "card_terminal_id": self.terminal_id.id,
        }
        amount = from_minor(self._signed_minor(), self.currency_id)
        if line and order.state == "draft":
            vals["amount"] = amount
        if not line and not line_uuid:
            line = self._new_line(order, amount)
        self.write({"attached_order_uuid": order.uuid, "attached_payment_uuid": line.uuid or line_uuid})
        line.write(vals)
        self._join()
        if line and order.state == "draft":
            order.amount_paid = order._compute_amount_paid()
            if not line_uuid and order._is_pos_order_paid():
                order._process_saved_order(False)
            order.config_id.notify_synchronisation(order.session_id.id, 0)
        self._notify_till()
        return self.env._("Put on order %s.", order.pos_reference or order.display_name)

    def _line_for(self, order, line_uuid):
        """Return the line that takes the money; empty where a draft gets a new one."""
        lines = order.payment_ids.filtered(lambda line: line._takes_approval())
        if line_uuid:
            line = order.payment_ids.filtered(lambda line: line.uuid == line_uuid)
            if line - lines:
                raise UserError(self.env._("This payment line is taken. Add a new card payment to the order."))
            return line
        same = lines.filtered(lambda line: to_minor(line.amount, line.currency_id) == self._signed_minor())[:1]
        if not same and order.state != "draft":
            raise UserError(
                self.env._(
                    "%(order)s has no card payment of %(amount)s without an approval.",
                    order=order.pos_reference or order.display_name,
                    amount=self.currency_id.format(from_minor(self._signed_minor(), self.currency_id)),
                )
            )
        return same

    def _new_line(self, order, amount):
        due = to_minor(order.amount_total - order._compute_amount_paid(), self.currency_id)
        signed = self._signed_minor()
        if abs(signed) > abs(due) or signed * due <= 0:
            raise UserError(
                self.env._(
                    "%(order)s has %(due)s left to pay: %(amount)s does not fit.",
                    order=order.pos_reference or order.display_name,
                    due=self.currency_id.format(from_minor(due, self.currency_id)),
                    amount=self.currency_id.format(amount),
                )
            )
        method = order.config_id.payment_method_ids.filtered(lambda record: record._is_card_terminal())[:1]
        if not method:
            raise UserError(self.env._("%s has no card payment method.", order.config_id.name))
        return self.env["pos.payment"].create({
            "pos_order_id": order.id, "amount": amount, "payment_method_id": method.id, "payment_status": "retry"
        })  # fmt: skip
