"""The mirror of what drivers report: one record per transaction, never edited, never deleted."""

from odoo import api, fields, models
from odoo.exceptions import AccessError, ConcurrencyError, UserError
from odoo.tools import mute_logger
from psycopg2.errors import UniqueViolation

from ..hw_driver.protocols.states import (
    ENDED,
    ENDED_WITHOUT_CHARGE,
    MONEY_KINDS,
    MONEY_OF_STATE,
    OPEN,
    Kind,
    Money,
    State,
)
from .card_money import from_minor
from .scrubbed import ScrubbedText

#: Kinds whose money goes back to the customer.
GIVING_BACK = frozenset({Kind.REFUND, Kind.REVERSAL})
#: Kinds that are booked as a payment. A pre-authorisation only reserves.
BOOKED_KINDS = MONEY_KINDS - {Kind.PREAUTH}

#: What Odoo learns after the end, or keeps for itself; everything else is frozen once a transaction has ended.
NOT_EVIDENCE = frozenset(
    {
        "order_id",
        "payment_id",
        "session_id",
        "config_id",
        "terminal_id",
        "exception",
        "disagreement",
        "acknowledged_exception",
        "acknowledged_reason",
        "acknowledged_by",
        "acknowledged_at",
        "settled_reported",
        "grant_count",
        "attached_order_uuid",
        "attached_payment_uuid",
        "matched_with",
        "matched_by",
        "matched_at",
        "refund_allowed_by",
        "refund_allowed_at",
        "card_suspense_move_id",
        "card_suspense_move_ids",
    }
)


class BigInteger(fields.Integer):
    """Integer of 8 bytes: terminals take 12 digits of minor units."""

    _column_type = ("int8", "int8")


class CardTransaction(models.Model):
    _name = "card.transaction"
    _description = "Card Transaction"
    _inherit = ["card.export.mixin"]
    _order = "requested_at desc, id desc"
    _rec_name = "uuid"

    uuid = fields.Char("Transaction ID", required=True, readonly=True, copy=False)
    driver_id = fields.Many2one("card.terminal.driver", readonly=True, ondelete="restrict", index=True)
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    journal_ref = fields.Char("Journal", readonly=True)
    terminal_id = fields.Many2one("card.terminal", readonly=True, ondelete="restrict", index="btree_not_null")
    event_ids = fields.One2many(
        "card.transaction.event",
        "transaction_id",
        "Events",
        readonly=True,
        groups="pos_card_terminal.group_card_transaction_accountant",
    )

    order_uuid = fields.Char(readonly=True, index="btree_not_null")
    payment_uuid = fields.Char("Payment Line", readonly=True, index="btree_not_null")
    original_uuid = fields.Char("Original Transaction", readonly=True, index="btree_not_null")
    config_id = fields.Many2one(
        "pos.config", "Point of Sale", readonly=True, ondelete="restrict", index="btree_not_null"
    )
    session_id = fields.Many2one("pos.session", readonly=True, ondelete="restrict", index="btree_not_null")
    order_id = fields.Many2one("pos.order", readonly=True, ondelete="set null", index="btree_not_null")
    order_ref = fields.Char("Order Number", related="order_id.pos_reference", help="A draft has no name yet.")
    payment_id = fields.Many2one("pos.payment", readonly=True, ondelete="restrict", index="btree_not_null")
    till = fields.Char(readonly=True)
    operator = fields.Char("Cashier", readonly=True)
    reference = fields.Char(readonly=True)

    kind = fields.Selection([(kind.value, kind.value.capitalize()) for kind in Kind], required=True, readonly=True)
    state = fields.Selection(
        [(state.value, state.value.replace("_", " ").capitalize()) for state in State],
        required=True,
        readonly=True,
        default=State.REQUESTED.value,
        index=True,
    )
    money = fields.Selection(
        [(money.value, money.value.capitalize()) for money in Money],
        compute="_compute_money",
        store=True,
        help="Safe: certainly not charged. Unknown: may have been charged. Final: the terminal has spoken.",
    )
    currency_id = fields.Many2one("res.currency", readonly=True)
    amount_requested_minor = BigInteger("Asked, in Minor Units", readonly=True)
    amount_approved_minor = BigInteger("Approved, in Minor Units", readonly=True)
    amount_requested = fields.Monetary("Asked", compute="_compute_amounts", store=True)
    amount_approved = fields.Monetary("Approved", compute="_compute_amounts", store=True)
    amount_net = fields.Monetary(
        "Net", compute="_compute_amounts", store=True, help="What came in; negative where money went back."
    )

    brand = fields.Char(readonly=True)
    last4 = fields.Char("Last Four Digits", readonly=True)
    auth_code = fields.Char("Authorisation", readonly=True)
    entry_mode = fields.Char(readonly=True)
    application = fields.Char("Card Application", readonly=True)
    aid = fields.Char("Application ID", readonly=True)
    contract = fields.Char(readonly=True)
    terminal_ref = fields.Char("Terminal Number", readonly=True)
    terminal_time = fields.Char("Time on the Terminal", readonly=True)
    receipt = fields.Text("Customer's Slip", readonly=True)
    merchant_receipt = fields.Text(
        "Merchant's Slip",
        readonly=True,
        groups="pos_card_terminal.group_card_transaction_accountant",
    )
    code = fields.Char("Result Code", readonly=True)
    text = fields.Char("Result", readonly=True)
    virtual = fields.Boolean("Virtual Terminal", readonly=True)
    requested_at = fields.Datetime(readonly=True, index=True)
    ended_at = fields.Datetime(readonly=True)

    exception = fields.Selection(
        [
            ("none", "None"),
            ("approved_without_payment", "Approved, not booked"),
            ("paid_otherwise", "Approved, but its order is paid otherwise"),
            ("payment_differs", "Payment differs"),
            ("virtual_not_training", "Virtual terminal, not a training point of sale"),
            ("unknown", "Result not known"),
            ("disagrees", "Contradicted later"),
            ("typed_by_hand", "Typed by hand, in no settlement yet"),
        ],
        required=True,
        readonly=True,
        default="none",
        index=True,
    )
    disagreement = fields.Text("Contradiction", readonly=True)
    acknowledged_exception = fields.Char(readonly=True)
    acknowledged_reason = ScrubbedText("Taken Note Because", readonly=True)
    acknowledged_by = fields.Many2one("res.users", "Taken Note by", readonly=True)
    acknowledged_at = fields.Datetime("Taken Note at", readonly=True)
    needs_attention = fields.Boolean(
        compute="_compute_needs_attention", store=True, index=True, help="An exception that nobody has taken note of."
    )
    answer_ids = fields.One2many("card.terminal.answer", "transaction_id", "Cashier's Answers", readonly=True)

    settled_paid = fields.Boolean("Settled as Paid", readonly=True)
    settled_reason = ScrubbedText("Settled Because", readonly=True)
    settled_by = fields.Many2one("res.users", readonly=True)
    settled_at = fields.Datetime(readonly=True)
    settled_reported = fields.Boolean("Driver Knows of the Settlement", readonly=True)
    grant_count = fields.Integer(
        "Refund Grants Given", readonly=True, help="Counted so that two tills cannot grant at once."
    )

    _unique_uuid = models.Constraint("UNIQUE(uuid)", "Another transaction has this ID.")
    _unique_payment = models.UniqueIndex(
        "(payment_id) WHERE payment_id IS NOT NULL", "A payment belongs to one transaction."
    )

    @api.depends("state")
    def _compute_money(self):
        for transaction in self:
            transaction.money = MONEY_OF_STATE[State(transaction.state)].value

    @api.depends("amount_requested_minor", "amount_approved_minor", "currency_id", "kind", "state", "settled_paid")
    def _compute_amounts(self):
        for transaction in self:
            currency = transaction.currency_id
            transaction.amount_requested = currency and from_minor(transaction.amount_requested_minor, currency)
            transaction.amount_approved = currency and from_minor(transaction.amount_approved_minor, currency)
            booked = currency and transaction._is_booked()
            transaction.amount_net = from_minor(transaction._signed_minor(), currency) if booked else 0

    @api.depends("exception", "acknowledged_exception")
    def _compute_needs_attention(self):
        for transaction in self:
            transaction.needs_attention = transaction.exception not in ("none", transaction.acknowledged_exception)

    @api.depends("kind", "amount_requested", "currency_id", "terminal_id")
    def _compute_display_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for transaction in self:
            amount = transaction.currency_id and transaction.currency_id.format(transaction.amount_requested)
            words = [
                kinds.get(transaction.kind),
                amount,
                transaction.terminal_id.name,
                f"({(transaction.uuid or '')[:8]})",
            ]
            transaction.display_name = " ".join(filter(None, words))

    def write(self, vals):
        if vals.keys() - NOT_EVIDENCE:
            for transaction in self.filtered(lambda record: record.state in ENDED):
                raise UserError(self.env._("Card transaction %s has ended and cannot be changed.", transaction.uuid))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("Card transactions are never deleted."))

    @api.model
    def _adopt(self, vals):
        """Return a transaction only a till has told of: not known until its driver reports or a manager settles it."""
        terminal = self.env["card.terminal"].sudo().browse(vals["terminal_id"])
        session = self.env["pos.session"].sudo().browse(vals["session_id"])
        told = {
            **vals,
            "origin": "till",
            "driver_id": terminal.driver_id.id,
            "company_id": session.company_id.id,
            "config_id": session.config_id.id,
            "currency_id": session.currency_id.id,
            "state": State.UNKNOWN.value,
            "code": "only_the_till_told",
            "text": self.env._("The driver has not reported this transaction."),
            "till": session.config_id.name,
            "operator": self.env.user.name,
            "requested_at": fields.Datetime.now(),
        }
        try:
            with mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                transaction = self.sudo().create(told)
        except UniqueViolation as error:  # its driver reports it at this very moment: begin again, and find it
            raise ConcurrencyError("the driver reports this transaction now") from error
        transaction._join()
        return transaction

    # What stands behind a transaction ---------------------------------------------------------------------------------

    def _is_approved(self):
        """Return whether money moved, as far as the terminal or a named person said."""
        self.ensure_one()
        return self.state == State.APPROVED or (self.state == State.SETTLED_BY_HAND and self.settled_paid)

    def _is_free(self):
        """Return whether certainly no money moved: another attempt may follow, and the line may go."""
        self.ensure_one()
        return self.state in ENDED_WITHOUT_CHARGE or (self.state == State.SETTLED_BY_HAND and not self.settled_paid)

    def _signed_minor(self):
        """Return what the payment line must be worth: negative where money goes back."""
        self.ensure_one()
        return -self.amount_approved_minor if self.kind in GIVING_BACK else self.amount_approved_minor

    # A person's word --------------------------------------------------------------------------------------------------

    def action_settle(self):
        """Open the dialog that settles an unknown result by hand."""
        self.ensure_one()
        return self._dialog(
            "card.transaction.settle", self.env._("Settle by Hand"), {"default_transaction_id": self.id}
        )

    def action_acknowledge(self):
        """Open the dialog that takes note of exceptions."""
        name = self.env._("Take Note of Exceptions")
        return self._dialog("card.exception.acknowledge", name, {"default_transaction_ids": self.ids})

    def _dialog(self, model, name, context):
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": model,
            "view_mode": "form",
            "target": "new",
            "context": {**self.env.context, **context},
        }

    def _can_be_settled(self):
        """Return whether a person may end it: not known, or given up by a driver that says nothing more about it."""
        self.ensure_one()
        if self.state == State.UNKNOWN:
            return True
        asked = self.requested_at or self.create_date
        return self.state in OPEN and (fields.Datetime.now() - asked).total_seconds() > 15 * 60

    def _settle_by_hand(self, *, paid, reason, amount_minor=0, auth_code=""):
        """End an open question by a manager's word."""
        self.ensure_one()
        if not self.env.user.has_group("point_of_sale.group_pos_manager"):
            raise AccessError(self.env._("Only a Point of Sale administrator can settle a card transaction."))
        self.check_access("read")
        if not reason or not reason.strip():
            raise UserError(self.env._("Write down why: it is kept with the transaction."))
        transaction = self.sudo()
        if not transaction._can_be_settled():
            raise UserError(self.env._("This transaction is not an open question (any more): %s.", self.display_name))
        if paid and not 0 < amount_minor <= transaction.amount_requested_minor:
            raise UserError(self.env._("The amount must be more than zero and at most what was asked."))
        now = fields.Datetime.now()
        transaction.write(
            {
                "state": State.SETTLED_BY_HAND.value,
                "settled_paid": paid,
                "settled_reason": reason.strip(),
                "settled_by": self.env.uid,
                "settled_at": now,
                "ended_at": now,
                "amount_approved_minor": amount_minor if paid else 0,
                "auth_code": auth_code or transaction.auth_code,
            }
        )
        for answer in transaction.answer_ids.filtered(lambda record: record.state == "provisional"):
            answer.state = "confirmed" if (answer.answer == "paid") == paid else "rejected"
        transaction._join()
        transaction._notify_till()

    def _acknowledge(self, reason):
        """Keep who took note of these exceptions, when and why. The exception itself stays on the record."""
        if not self.env.user.has_group("point_of_sale.group_pos_manager"):
            raise AccessError(self.env._("Only a Point of Sale administrator can take note of exceptions."))
        self.check_access("read")
        if self.filtered(lambda record: record.exception == "unknown"):
            raise UserError(self.env._("A result that is not known is settled by hand: paid or not paid."))
        for transaction in self.sudo().filtered("needs_attention"):
            transaction.write(
                {
                    "acknowledged_exception": transaction.exception,
                    "acknowledged_reason": reason,
                    "acknowledged_by": self.env.uid,
                    "acknowledged_at": fields.Datetime.now(),
                }
            )

    # To the till ------------------------------------------------------------------------------------------------------

    def _notify_till(self):
        """Nudge the tills of these transactions' points of sale to ask again."""
        for transaction in self.filtered("config_id"):
            transaction.config_id._notify(
                "CARD_TERMINAL",
                {
                    "uuid": transaction.uuid,
                    "order": transaction.order_uuid,
                    "line": transaction.payment_uuid,
                    "state": transaction.state,
                },
            )

    def _to_till(self):
        """Return these transactions as the till's JavaScript reads them."""
        return [
            {
                "uuid": transaction.uuid,
                "state": transaction.state,
                "money": transaction.money,
                "order": transaction.order_uuid,
                "line": transaction.payment_uuid,
                "amount_approved": transaction.amount_approved_minor,
                "currency": transaction.currency_id.name,
                "text": transaction.text or "",
                "brand": transaction.brand or "",
                "last4": transaction.last4 or "",
                "auth_code": transaction.auth_code or "",
                "receipt": transaction.receipt or "",
                "answer": transaction.answer_ids.sorted("id")[-1:].answer or None,
                "settled_paid": transaction.settled_paid if transaction.state == State.SETTLED_BY_HAND else None,
                "origin": transaction.origin,
                "till": transaction.till or "",
                "operator": transaction.operator or "",
            }
            for transaction in self
        ]
