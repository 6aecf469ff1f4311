"""Closing: no session closes over card money that is not accounted for, by any road."""

from odoo import api, fields, models
from odoo.exceptions import RedirectWarning
from odoo.fields import Domain

from ..hw_driver.protocols.states import OPEN


class PosSession(models.Model):
    _inherit = "pos.session"

    card_exception_count = fields.Integer("Card Exceptions", compute="_compute_card_exception_count")

    @api.model
    def _load_pos_data_models(self, config):
        return [*super()._load_pos_data_models(config), "card.terminal.driver", "card.terminal"]

    def _cannot_close_session(self, bank_payment_method_diffs=None):
        problems = self._card_problems()
        if problems:
            return {"successful": False, "message": self._card_problem_message(problems), "redirect": False}
        return super()._cannot_close_session(bank_payment_method_diffs)

    def action_pos_session_closing_control(self, *args, **kwargs):
        for session in self:
            session._refuse_closing_over_card_money()
        return super().action_pos_session_closing_control(*args, **kwargs)

    def _validate_session(self, balancing_account=False, amount_to_balance=0, bank_payment_method_diffs=None):
        self._refuse_closing_over_card_money()
        return super()._validate_session(balancing_account, amount_to_balance, bank_payment_method_diffs)

    def write(self, vals):
        if vals.get("state") == "closed":
            for session in self.filtered(lambda record: record.state != "closed"):
                session._refuse_closing_over_card_money()
        return super().write(vals)

    def _refuse_closing_over_card_money(self):
        """Raise, with a way to the desk, where card money of this session needs a person."""
        problems = self._card_problems()
        if problems:
            raise RedirectWarning(
                self._card_problem_message(problems),
                self.env.ref("pos_card_terminal.action_card_exception").id,
                self.env._("Open the Exceptions"),
            )

    def get_closing_control_data(self):
        data = super().get_closing_control_data()
        typed = self._card_transactions().filtered(lambda record: record.exception == "typed_by_hand")
        said = [
            self.env._("%(name)s: typed by hand, slip %(slip)s.", name=record.display_name, slip=record.slip)
            for record in typed
        ]
        return {**data, "card_terminal": {"typed_by_hand": said, "problems": self._card_problems()}}

    def _card_transactions(self):
        """Return what was asked of terminals in this session, and the unsettled that could not be told from it.

        A transaction whose session nobody knows, or which came after its session was closed, belongs to whoever can
        use its terminal and closes next.
        """
        self.ensure_one()
        config = self.config_id.with_context(active_test=False)
        terminals = config.card_terminal_id | config.card_terminal_spare_ids
        unsettled = Domain("needs_attention", "=", True) | Domain("state", "in", [state.value for state in OPEN])
        late = Domain("config_id", "=", config.id) & Domain("session_id.state", "=", "closed")
        homeless = Domain("session_id", "=", False) & Domain("terminal_id", "in", terminals.ids)
        mine = Domain("session_id", "=", self.id) | (unsettled & (late | homeless))
        return self.env["card.transaction"].sudo().search(Domain("company_id", "=", self.company_id.id) & mine)

    def _card_problems(self):
        """Join, then return one line for each thing that a person must settle first."""
        self.ensure_one()
        orders = self.sudo().order_ids.filtered(lambda order: order.state != "cancel")
        self.env["card.transaction"]._join_orders(orders)
        transactions = self._card_transactions()
        transactions._join()
        exceptions = dict(transactions._fields["exception"]._description_selection(self.env))
        problems = [
            self.env._("%s: still under way on the terminal.", transaction.display_name)
            for transaction in transactions
            if transaction.state in OPEN and transaction.exception == "none"
        ]
        problems += [
            f"{transaction.display_name}: {exceptions[transaction.exception]}."
            for transaction in transactions.filtered("needs_attention")
            if transaction.exception != "typed_by_hand"  # counted on a manager's word: shown, and no obstacle
        ]
        problems += [
            self.env._("%s: approved, but its order is not validated.", transaction.display_name)
            for transaction in transactions
            if transaction.exception in ("none", "typed_by_hand")
            and transaction.payment_id.pos_order_id.state == "draft"
        ]
        for payment in orders.payment_ids.filtered(lambda line: not line.card_transaction_id):
            if payment.card_evidence == "exception" and not payment.card_acknowledged_at:
                problems.append(
                    self.env._("%s: no terminal has approved this payment.", self._card_payment_name(payment))
                )
            elif payment.card_evidence == "pending" and not payment._card_transaction():
                problems.append(
                    self.env._(
                        "%s: the driver has not reported this payment. Is it running?", self._card_payment_name(payment)
                    )
                )
        return problems

    def _card_payment_name(self, payment):
        return f"{payment.pos_order_id.pos_reference or payment.pos_order_id.name}, {payment.display_name}"

    def _card_problem_message(self, problems):
        head = self.env._(
            "Card payments must be settled before this session can be closed (Card Terminals, Exceptions):"
        )
        return "\n".join([head, *(f"- {problem}" for problem in problems)])

    def _compute_card_exception_count(self):
        for session in self:
            found = self.env["card.exception"].search_count([("session_id", "=", session.id)])
            session.card_exception_count = found

    def action_view_card_exceptions(self):
        """Open what of this session needs a person."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("pos_card_terminal.action_card_exception")
        return {**action, "domain": [("session_id", "=", self.id)]}

    def action_view_card_transactions(self):
        """Open the card transactions of this session."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("pos_card_terminal.action_card_transaction")
        return {**action, "domain": [("session_id", "=", self.id)], "context": {}}
