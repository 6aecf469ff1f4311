"""Booking at closing: each contract's money waits on its own account, whatever the button was.

Odoo books one payment for each session and method. Here it is one for each contract; what no contract takes stays on
the method's own account.
"""

from odoo import models
from odoo.exceptions import UserError

from .card_money import total


class PosSession(models.Model):
    _inherit = "pos.session"

    def _cannot_close_session(self, bank_payment_method_diffs=None):
        if problem := self._card_difference_problem(bank_payment_method_diffs):
            return {"successful": False, "message": problem, "redirect": False}
        return super()._cannot_close_session(bank_payment_method_diffs)

    def _validate_session(self, balancing_account=False, amount_to_balance=0, bank_payment_method_diffs=None):
        if problem := self._card_difference_problem(bank_payment_method_diffs):
            raise UserError(problem)
        return super()._validate_session(balancing_account, amount_to_balance, bank_payment_method_diffs)

    def _card_difference_problem(self, differences):
        """Return why a typed total is not booked as a loss, where it is of a method whose money has contracts.

        The money is on its way, or was never taken: the terminal's end of day tells which, and the bank.
        """
        typed = {method for method, amount in (differences or {}).items() if not self.currency_id.is_zero(amount)}
        methods = self.payment_method_ids.filtered(lambda method: method.id in typed and method._is_card_routed())
        if methods:
            return self.env._(
                "A difference cannot be booked on %s: enter what Odoo counted. What the terminal counted is compared "
                "in its batch, and what is missing is shown there.",
                ", ".join(methods.mapped("name")),
            )
        return None

    def _create_combine_account_payment(self, payment_method, amounts, diff_amount):
        if not (payment_method._is_card_terminal() or payment_method._is_card_routed()):
            return super()._create_combine_account_payment(payment_method, amounts, diff_amount)
        parts = self._card_parts(payment_method)
        if list(parts) == [self.env["card.contract"]] and self.currency_id.compare_amounts(amounts["amount"], 0) > 0:
            return super()._create_combine_account_payment(payment_method, amounts, diff_amount)
        receivable = self._get_receivable_account(payment_method)
        lines = self.env["account.move.line"]
        for contract, payments in parts.items():
            amount = total(payments.mapped("amount"), self.currency_id)
            if self.currency_id.is_zero(amount):
                continue
            booked = self._book_card_money(
                payment_method, contract, amount, receivable, self._card_memo(payment_method)
            )
            if not contract and not self.currency_id.is_zero(diff_amount):
                self._apply_diff_on_account_payment_move(booked, payment_method, diff_amount)
            lines |= booked.move_id.line_ids.filtered(lambda line: line.account_id == receivable)
        return lines

    def _create_split_account_payment(self, payment, amounts):
        if payment.payment_method_id._is_card_routed():
            payment._find_card_contract()
            payment._enter_card_batches()
        if not payment.card_contract_id:
            return super()._create_split_account_payment(payment, amounts)
        partner = self.env["res.partner"]._find_accounting_partner(payment.partner_id)
        receivable = partner.property_account_receivable_id
        memo = self.env._(
            "%(payment_method)s POS payment of %(partner)s in %(session)s",
            payment_method=payment.payment_method_id.name,
            partner=payment.partner_id.display_name,
            session=self.name,
        )
        booked = self._book_card_money(
            payment.payment_method_id, payment.card_contract_id, amounts["amount"], receivable, memo, partner
        )
        return booked.move_id.line_ids.filtered(lambda line: line.account_id == receivable)

    def _card_parts(self, payment_method):
        """Return {contract: payments} of a method in this session; the empty contract is what none takes."""
        payments = self._get_closed_orders().payment_ids.filtered(
            lambda payment: payment.payment_method_id == payment_method
        )
        payments._find_card_contract()
        payments._enter_card_batches()
        self._tell_of_no_contract(payments.filtered(lambda payment: not payment.card_contract_id))
        return payments.grouped("card_contract_id")

    def _tell_of_no_contract(self, payments):
        """Raise a notice where a company has contracts and none takes these payments."""
        if payments and self.env["card.contract"]._of_company(self.company_id):
            brands = sorted({payment.card_brand or self.env._("brand not told") for payment in payments})
            text = self.env._(
                "No contract, or more than one, takes these brands: %(brands)s. Their money waits on the account of "
                "the payment method: name the brands in a contract.",
                brands=", ".join(brands),
            )
            self.env["card.notice"]._raise_notice("no_contract", self, text)

    def _card_memo(self, payment_method):
        return self.env._(
            "Combine %(payment_method)s POS payments from %(session)s",
            payment_method=payment_method.name,
            session=self.name,
        )

    def _book_card_money(self, payment_method, contract, amount, receivable, memo, partner=None):
        """Post a payment over what came in (negative: went out) under a contract, and return it.

        Odoo 19.0 turns a negative payment's direction and swaps its accounts; with an outstanding account set on the
        method the swap is undone halfway, both lines land on that account, and the receivable stays open. So the
        direction is said here.
        """
        outward = self.currency_id.compare_amounts(amount, 0) < 0
        outstanding = contract.outstanding_account_id or payment_method.outstanding_account_id
        payment = (
            self.env["account.payment"]
            .with_context(pos_payment=True)
            .create(
                {
                    "payment_type": "outbound" if outward else "inbound",
                    "partner_type": "customer",
                    "partner_id": partner.id if partner else False,
                    "amount": abs(amount),
                    "journal_id": payment_method.journal_id.id,
                    "force_outstanding_account_id": outstanding.id,
                    "destination_account_id": receivable.id,
                    "memo": " · ".join(filter(None, (memo, contract.name))),
                    "pos_payment_method_id": payment_method.id,
                    "pos_session_id": self.id,
                    "company_id": self.company_id.id,
                }
            )
        )
        payment._write_guarded({"card_contract_id": contract.id})
        in_payment = self.env["account.move"]._get_invoice_in_payment_state() == "in_payment"
        if not payment.outstanding_account_id and in_payment:
            payment.outstanding_account_id = payment._get_outstanding_account(payment.payment_type)
        payment.action_post()
        return payment


class AccountPayment(models.Model):
    _name = "account.payment"
    _inherit = ["account.payment", "card.contract.mixin"]
