"""Closing: no session closes over card money that is not accounted for, by any road."""

from odoo import api, models
from odoo.exceptions import UserError

from ..hw_driver.protocols.states import OPEN


class PosSession(models.Model):
    _inherit = "pos.session"

    @api.model
    def _load_pos_data_models(self, config):
        return [*super()._load_pos_data_models(config), "card.terminal.driver", "card.terminal"]

    def _cannot_close_session(self, bank_payment_method_diffs=None):
        problems = self._card_problems()
        if problems:
            return {"successful": False, "message": self._card_problem_message(problems), "redirect": False}
        return super()._cannot_close_session(bank_payment_method_diffs)

    def _validate_session(self, balancing_account=False, amount_to_balance=0, bank_payment_method_diffs=None):
        problems = self._card_problems()
        if problems:
            raise UserError(self._card_problem_message(problems))
        return super()._validate_session(balancing_account, amount_to_balance, bank_payment_method_diffs)

    def _card_transactions(self):
        """Return what was asked of terminals in this session, and what could not be told from it.

        A transaction whose session nobody knows, or which came after its session was closed, belongs to whoever can use
        its terminal and closes next.
        """
        self.ensure_one()
        terminals = self.config_id.with_context(active_test=False)
        usable = terminals.card_terminal_id | terminals.card_terminal_spare_ids
        return self.env["card.transaction"].sudo().search(
            [
                ("company_id", "=", self.company_id.id),
                "|", ("session_id", "=", self.id),
                "&", ("needs_attention", "=", True),
                "|", "&", ("config_id", "=", self.config_id.id), ("session_id.state", "=", "closed"),
                "&", ("session_id", "=", False), ("terminal_id", "in", usable.ids),
            ]
        )  # fmt: skip

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
        ]
        for payment in orders.payment_ids.filtered(lambda line: not line.card_transaction_id):
            if payment.card_evidence == "exception" and not payment.card_acknowledged_at:
                problems.append(self.env._("%s: no terminal has approved this payment.", self._card_payment_name(payment)))
            elif payment.card_evidence == "pending" and not payment._card_transaction():
                problems.append(
                    self.env._("%s: the driver has not reported this payment. Is it running?", self._card_payment_name(payment))
                )
        return problems

    def _card_payment_name(self, payment):
        return f"{payment.pos_order_id.pos_reference or payment.pos_order_id.name}, {payment.display_name}"

    def _card_problem_message(self, problems):
        head = self.env._("Card payments must be settled before this session can be closed (Card Terminals, Open Questions):")
        return "\n".join([head, *(f"- {problem}" for problem in problems)])

    def action_view_card_transactions(self):
        """Open the card transactions of this session."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("pos_card_terminal.action_card_transaction")
        return {**action, "domain": [("session_id", "=", self.id)], "context": {}}
