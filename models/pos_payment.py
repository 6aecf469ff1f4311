"""Payment lines: what the till says of the attempt, and what Odoo has as evidence for it."""

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..hw_driver.protocols.states import ENDED_WITHOUT_CHARGE, OPEN, Kind, State
from .card_money import to_minor
from .scrubbed import ScrubbedChar, ScrubbedText

#: Changing one of these on a line makes it another payment.
IDENTITY_FIELDS = frozenset({"amount", "payment_method_id", "pos_order_id", "card_transaction_uuid", "uuid"})
#: Of these, what a till changes between attempts, perhaps before Odoo has heard how the last one ended.
ATTEMPT_FIELDS = frozenset({"amount", "card_transaction_uuid"})
#: Statuses in which an electronic line counts as paid; a line made in the back office has none.
DONE_STATUSES = frozenset({False, "", "done", "reversed"})


class PosPayment(models.Model):
    _name = "pos.payment"
    _inherit = ["pos.payment", "card.contract.mixin"]
    _guarded = frozenset({
        "card_transaction_id", "card_evidence", "card_acknowledged_reason", "card_acknowledged_by",
        "card_acknowledged_at",
    })  # fmt: skip

    card_transaction_uuid = fields.Char("Card Attempt", copy=False, index="btree_not_null")
    card_terminal_id = fields.Many2one("card.terminal", copy=False, ondelete="restrict", index="btree_not_null")
    card_driver_ref = fields.Char("Card Driver", copy=False)
    card_journal_ref = fields.Char("Card Journal", copy=False)
    card_state = fields.Char(
        "State at the Till", copy=False, help="The last state of the card transaction that the till saw."
    )
    card_text = ScrubbedChar("Words for the Cashier", copy=False)
    card_reversed_uuid = fields.Char(
        "Gives Back", copy=False, help="The card transaction whose money this payment gives back, as the till says."
    )

    card_transaction_id = fields.Many2one(
        "card.transaction", readonly=True, copy=False, ondelete="restrict", index="btree_not_null"
    )
    card_evidence = fields.Selection(
        [("none", "None"), ("pending", "Not yet reported"), ("matched", "Matched"), ("exception", "Exception")],
        default="none",
        required=True,
        readonly=True,
        copy=False,
        index=True,
        help="Whether a card terminal's approval stands behind this payment.",
    )
    card_acknowledged_reason = ScrubbedText("Taken Note Because", readonly=True, copy=False)
    card_acknowledged_by = fields.Many2one("res.users", "Taken Note by", readonly=True, copy=False)
    card_acknowledged_at = fields.Datetime("Taken Note at", readonly=True, copy=False)

    _unique_card_transaction = models.UniqueIndex(
        "(card_transaction_id) WHERE card_transaction_id IS NOT NULL", "A card transaction is booked once."
    )

    @api.model_create_multi
    def create(self, vals_list):
        orders = self.env["pos.order"].browse({vals["pos_order_id"] for vals in vals_list if vals.get("pos_order_id")})
        orders.sudo().payment_ids._refuse_beside_open_line()
        payments = super().create(vals_list)
        payments._judge_card_evidence()
        return payments

    def write(self, vals):
        if vals.keys() & IDENTITY_FIELDS:
            self._refuse_other_identity(vals)
        result = super().write(vals)
        if vals.keys() & (IDENTITY_FIELDS | {"card_state", "payment_status"}):
            self._judge_card_evidence()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_card_money(self):
        protected = self.filtered(lambda line: not line._card_is_free())
        if protected:
            raise UserError(
                self.env._(
                    "A card payment that is under way, not known or approved cannot be deleted (%s). "
                    "Park the order; a manager settles it under Card Terminals, Exceptions.",
                    ", ".join(protected.mapped("display_name")),
                )
            )

    # What is known of a line ------------------------------------------------------------------------------------------

    def _card_transaction(self):
        """Return the transaction of the attempt this line names (empty where no driver has reported it)."""
        self.ensure_one()
        joined = self.sudo().card_transaction_id
        if not self.card_transaction_uuid or joined.uuid == self.card_transaction_uuid:
            return joined
        return self.env["card.transaction"].sudo().search([("uuid", "=", self.card_transaction_uuid)])

    def _card_is_open(self):
        """Return whether this line's attempt is under way or not known.

        The till may hear an approval before Odoo does: then the line is not open, its evidence is pending.
        """
        self.ensure_one()
        if not self.payment_method_id._is_card_terminal():
            return False
        transaction = self._card_transaction()
        if transaction.state in {State.REQUESTED, State.SENT}:
            return not self._card_said_approved()
        return (transaction.state or self.card_state) in OPEN

    def _card_said_approved(self):
        return self.card_state == State.APPROVED and self.payment_status in DONE_STATUSES

    def _card_is_free(self):
        """Return whether certainly no card was charged for this line, in any attempt: it may go."""
        self.ensure_one()
        attempts = self.env["card.transaction"].sudo().search([("payment_uuid", "=", self.uuid)])
        if not self.payment_method_id._is_card_terminal() and not attempts:
            return True
        if any(not attempt._is_free() for attempt in attempts):
            return False
        current = self._card_transaction()
        return current._is_free() if current else self.card_state not in {*OPEN, State.APPROVED}

    def _card_is_given_back(self, going):
        """Return whether this line and the one that gives it back, both of orders that go, come to nothing."""
        self.ensure_one()
        return bool(going and self.card_transaction_id and self.card_transaction_id._is_given_back(going))

    def _card_counts(self):
        """Return whether this line may count as paid, before its evidence is asked for."""
        self.ensure_one()
        if not self.payment_method_id._is_card_terminal():
            return True
        transaction = self._card_transaction()
        if transaction:
            return transaction._is_approved() or (transaction.state in OPEN and not self._card_is_open())
        return self.payment_status in DONE_STATUSES and self.card_state not in {*OPEN, *ENDED_WITHOUT_CHARGE}

    # Guards -----------------------------------------------------------------------------------------------------------

    def _refuse_beside_open_line(self):
        """While a card payment of an order is an open question, the order takes no other payment."""
        if any(line._card_is_open() for line in self):
            raise UserError(
                self.env._(
                    "The result of a card payment of this order is not known yet. Do not take the money another way: "
                    "park the order until the question is settled."
                )
            )

    def _refuse_other_identity(self, vals):
        """A line whose money may have moved stays the line it is; a new attempt needs a free end of the last."""
        for line in self:
            changed = {name for name in IDENTITY_FIELDS & vals.keys() if line._card_would_change(name, vals[name])}
            if changed - ATTEMPT_FIELDS:
                refused = not line._card_is_free()
            else:
                transaction = line._card_transaction()
                binding = transaction and (transaction.state == State.UNKNOWN or transaction._is_approved())
                refused = changed and binding and not (changed == {"amount"} and line._card_books(transaction, vals))
            if refused:
                raise UserError(
                    self.env._(
                        "A card payment that is approved or not known cannot be changed (%s).", line.display_name
                    )
                )

    def _card_would_change(self, name, value):
        if name == "amount":
            return to_minor(value, self.currency_id) != to_minor(self.amount, self.currency_id)
        return self._fields[name].convert_to_write(self[name], self) != value

    def _card_books(self, transaction, vals):
        return transaction._is_approved() and to_minor(vals["amount"], self.currency_id) == transaction._signed_minor()

    # Evidence ---------------------------------------------------------------------------------------------------------

    def _judge_card_evidence(self):
        """Bring `card_evidence` up to what Odoo knows."""
        for line in self.sudo():
            evidence = line._card_evidence_now()
            if evidence != line.card_evidence:
                line._write_guarded({"card_evidence": evidence})
            if evidence == "matched" and line.card_suspense_move_id:
                line._release_quietly()

    def _card_evidence_now(self):
        self.ensure_one()
        if self.card_transaction_id:
            return "matched" if self.card_transaction_id.exception == "none" else "exception"
        if not self.payment_method_id._is_card_terminal() or self.currency_id.is_zero(self.amount):
            return "none"
        transaction = self._card_transaction()
        if self.card_transaction_uuid and (not transaction or transaction.state in OPEN):
            free = (
                not transaction and self.card_state in ENDED_WITHOUT_CHARGE and self.payment_status not in DONE_STATUSES
            )
            return "none" if free else "pending"
        paid = self.payment_status in DONE_STATUSES - {False, ""} or self.pos_order_id.state not in ("draft", "cancel")
        return "exception" if paid else "none"

    def _fill_from_card_transaction(self):
        """Take over what the terminal said, whatever the till wrote."""
        for line in self:
            transaction = line.card_transaction_id
            said = {
                "card_brand": transaction.brand,
                "card_no": transaction.last4,
                "card_type": transaction.application,
                "payment_method_authcode": transaction.auth_code,
                "payment_method_payment_mode": transaction.entry_mode,
                "payment_ref_no": transaction.terminal_ref,
                "transaction_id": transaction.uuid,
                "ticket": transaction.receipt,
                "card_terminal_id": transaction.terminal_id.id,
            }
            changed = {
                name: value
                for name, value in said.items()
                if line._fields[name].convert_to_write(line[name], line) != value
            }
            if changed:
                line._write_guarded(changed)

    # A person's word --------------------------------------------------------------------------------------------------

    def action_card_settle(self):
        """Settle a line by hand whose transaction no driver has reported."""
        self.ensure_one()
        if not self.env.user.has_group("point_of_sale.group_pos_manager"):
            raise AccessError(self.env._("Only a Point of Sale administrator can settle a card transaction."))
        self.check_access("read")
        return (self._card_transaction() or self._adopt_card_transaction()).with_env(self.env).action_settle()

    def action_card_acknowledge(self):
        """Open the dialog that takes note of payments without evidence."""
        transactions = self.env["card.transaction"]
        return transactions._dialog(
            "card.exception.acknowledge", self.env._("Take Note of Exceptions"), {"default_payment_ids": self.ids}
        )

    def _adopt_card_transaction(self):
        """Return a transaction, not known, for an attempt of which only the till has told."""
        self.ensure_one()
        driver = self.card_terminal_id.driver_id
        if not driver or not self.card_transaction_uuid:
            raise UserError(self.env._("The till has not noted a card terminal and an attempt on this payment."))
        return self.env["card.transaction"]._adopt({
            "uuid": self.card_transaction_uuid,
            "terminal_id": self.card_terminal_id.id,
            "journal_ref": self.card_journal_ref,
            "kind": self._card_kind().value,
            "original_uuid": self.card_tipped_uuid,
            "amount_requested_minor": abs(to_minor(self.amount, self.currency_id)),
            "order_uuid": self.pos_order_id.uuid,
            "payment_uuid": self.uuid,
            "session_id": self.session_id.id,
        })  # fmt: skip

    def _card_kind(self):
        """Return what the till asked a terminal for with this line, as far as the line says."""
        return Kind.REFUND if self.amount < 0 else Kind.TIP if self.card_tipped_uuid else Kind.SALE

    def _acknowledge_card(self, reason):
        """Keep who took note of these payments without evidence, when and why."""
        if not self.env.user.has_group("point_of_sale.group_pos_manager"):
            raise AccessError(self.env._("Only a Point of Sale administrator can take note of exceptions."))
        self.check_access("read")
        self.sudo().filtered(lambda line: line.card_evidence == "exception")._write_guarded({
            "card_acknowledged_reason": reason,
            "card_acknowledged_by": self.env.uid,
            "card_acknowledged_at": fields.Datetime.now(),
        })  # fmt: skip
