"""What a person may do about an exception: one table, by exception and by the state of its order."""

from odoo import api, models
from odoo.exceptions import AccessError, UserError

from ..hw_driver.protocols.scrub import scrub
from .res_users import MANAGER

FORCE = ("force_done", "force_cancel")
#: A transaction whose driver says nothing more, after this many seconds.
SILENT_SECONDS = 15 * 60

#: exception -> state of the order (`ANY`: every other) -> actions, in the order they are offered.
ANY = "any"
DECISIONS = {
    "unknown": {ANY: FORCE},
    "under_way": {ANY: FORCE},
    "not_reported": {ANY: FORCE},
    "approved_without_payment": {
        "none": ("attach", "book", "refund", "suspense", "acknowledge"),
        ANY: ("attach", "refund", "suspense", "acknowledge"),
    },
    "paid_otherwise": {ANY: ("refund", "attach", "suspense", "acknowledge")},
    "payment_differs": {"draft": ("attach",), ANY: ("suspense", "acknowledge")},
    "virtual_not_training": {"none": ("acknowledge",), "draft": ("acknowledge",), ANY: ("not_paid", "acknowledge")},
    "disagrees": {"none": ("suspense", "acknowledge"), "draft": ("acknowledge",), ANY: ("suspense", "acknowledge")},
    "typed_by_hand": {"none": ("matched",), "draft": ("matched",), ANY: ("matched", "not_paid")},
    "no_approval": {
        "draft": ("attach", "typed_by_hand", "not_paid"),
        ANY: ("attach", "typed_by_hand", "not_paid", "acknowledge"),
    },
}


class CardDecisionMixin(models.AbstractModel):
    """For a card transaction, or a payment line that has none.

    It says `_decision_exception()`, `_decision_order()`, `_decision_log()` and has a method `_decide_<action>(values)`
    for each action, which does it and returns a sentence that says what was done.
    """

    _name = "card.decision.mixin"
    _description = "Decisions about Card Money"

    @api.model
    def _action_labels(self):
        return {
            "attach": self.env._("Put on an order"),
            "book": self.env._("Book on a new order"),
            "refund": self.env._("Refund on the terminal"),
            "suspense": self.env._("To the suspense account"),
            "force_done": self.env._("It was paid"),
            "force_cancel": self.env._("It was not paid"),
            "not_paid": self.env._("Not paid, because …"),
            "typed_by_hand": self.env._("Card, typed by hand"),
            "matched": self.env._("Matched with a settlement"),
            "acknowledge": self.env._("Take note"),
        }

    def _decision_actions(self):
        """Return the actions that are open to a manager now."""
        self.ensure_one()
        table = DECISIONS.get(self._decision_exception(), {})
        actions = table.get(self._decision_order_state(), table.get(ANY, ()))
        return [action for action in actions if self._decision_fits(action)]

    def _decision_prepare(self):
        """Bring the record up to what Odoo knows, before what may be done is looked up."""

    def _decision_order_state(self):
        return order_state(self._decision_order())

    def _decision_advice(self):
        """Return one sentence that says what this is and where to look."""
        return {
            "unknown": self.env._("The card may have been charged. Look at the slip or at the terminal's own report."),
            "under_way": self.env._("The driver stopped reporting. Look at the slip or at the terminal's own report."),
            "not_reported": self.env._("Only the till told of it. Is the driver running? Look at the slip."),
            "approved_without_payment": self.env._("The card was charged, and no order holds the money."),
            "paid_otherwise": self.env._("The card was charged for an order that was paid another way as well."),
            "payment_differs": self.env._("The terminal approved another amount than the order books."),
            "virtual_not_training": self.env._("A virtual terminal approved it: no money moves."),
            "disagrees": self.env._("The terminal said something else after this was settled."),
            "typed_by_hand": self.env._("Counted on a manager's word. Look for the slip in the terminal's settlement."),
            "no_approval": self.env._("The order counts this as paid, and no terminal has approved it."),
        }.get(self._decision_exception(), "")

    def _decision_fits(self, action):
        """Return whether an action of the table makes sense for this very record."""
        if action == "suspense":
            return self._suspense_minor() != 0
        return True

    @api.model
    def _typed_text(self, value, length):
        """Return a number that somebody typed off a slip; a card number is refused, not kept (law 11)."""
        text = str(value or "").strip()
        if scrub(text) != text:
            raise UserError(
                self.env._("That looks like a card number. Type the number that the slip gives the payment.")
            )
        return text[:length]

    def _decide(self, action, reason, values=None):
        """Carry out a manager's decision, keep it, and return (what was done, what its method returned beside it)."""
        self.ensure_one()
        if not self.env.user.has_group(MANAGER):
            raise AccessError(self.env._("Only a Point of Sale administrator can decide about card money."))
        self.check_access("read")
        reason = (reason or "").strip()
        if not reason:
            raise UserError(self.env._("Write down why: it is kept with the decision."))
        record = self.sudo()
        record.lock_for_update(allow_referencing=True)
        record.invalidate_recordset()
        record._decision_prepare()
        if action not in record._decision_actions():
            raise UserError(
                self.env._(
                    "“%(action)s” is not possible for %(name)s (any more). Reload the page to see how it stands.",
                    action=self._action_labels().get(action, action),
                    name=record.display_name,
                )
            )
        moves = record._suspense_moves()
        before = record._decision_log()
        text = getattr(record.with_context(card_reason=reason), f"_decide_{action}")(values or {})
        log = {**before, **{name: value for name, value in record._decision_log().items() if value}}
        move = record._suspense_moves() - moves
        self.env["card.approval"]._keep(record, action, reason, text, move_id=move[-1:].id, **log)
        return text


def order_state(order):
    """Return none, draft, paid, invoiced or closed."""
    if not order or order.state == "cancel":
        return "none"
    if order.state == "draft":
        return "draft"
    if order.account_move:
        return "invoiced"
    return "closed" if order.session_id.state == "closed" else "paid"
