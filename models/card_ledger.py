"""Card money in the ledger: the accounts it moves on, and the entries that move it.

Exports, open items and the dashboard ask here, so that all of them speak of the same lines.
"""

from odoo import models
from odoo.fields import Domain

from .card_money import to_minor

#: What an account is to card money; the field of a contract that names it.
CONTRACT_ROLES = {
    "outstanding": "outstanding_account_id",
    "fee": "fee_account_id",
    "chargeback": "chargeback_account_id",
}


class ResCompany(models.Model):
    _inherit = "res.company"

    def _card_ledger_accounts(self, contracts=None):
        """Return {role: accounts} of card money in this company; of these contracts alone where they are given.

        Roles are those of CONTRACT_ROLES and "suspense". An account with several roles is listed under the first.
        """
        self.ensure_one()
        company = self.sudo()
        every = self.env["card.contract"].sudo().with_context(active_test=False)
        chosen = contracts.sudo() if contracts else every.search([("company_id", "=", self.id)])
        found = {
            role: chosen[field] if field in chosen._fields else self.env["account.account"]
            for role, field in CONTRACT_ROLES.items()
        }
        if not contracts:
            found["outstanding"] |= company._card_method_accounts()
            found["suspense"] = company.card_suspense_account_id
        seen = self.env["account.account"]
        for role, accounts in found.items():
            found[role] = (accounts.sudo() - seen).sudo(False)
            seen |= accounts
        return found

    def _card_method_accounts(self):
        """Return where money waits that no contract takes; a receivable, used where nothing is set, is left out."""
        methods = self.env["pos.payment.method"].sudo().with_context(active_test=False)
        methods = methods.search([("company_id", "=", self.id), ("use_payment_terminal", "=", "card_terminal")])
        accounts = self.env["account.account"].sudo()
        for method in methods:
            accounts |= method._card_money_account()
        return accounts.filtered(lambda account: account.account_type == "asset_current")

    def _card_ledger_domain(self, first, last, contracts=None):
        """Return the domain of posted journal items on accounts of card money, from one day to another.

        Of contracts alone: in entries that are theirs, or touch an account where their money waits.
        """
        roles = self._card_ledger_accounts(contracts)
        accounts = self.env["account.account"].concat(*roles.values())
        domain = (
            Domain("company_id", "=", self.id)
            & Domain("parent_state", "=", "posted")
            & Domain("account_id", "in", accounts.ids)
            & Domain("date", ">=", first)
            & Domain("date", "<=", last)
        )
        if contracts:
            domain &= (
                Domain("move_id.card_contract_id", "in", contracts.ids)
                | Domain("move_id.origin_payment_id.card_contract_id", "in", contracts.ids)
                | Domain("move_id.line_ids.account_id", "in", roles["outstanding"].ids)
            )
        return domain

    def _card_ledger_movement(self, first, last, contracts=None):
        """Return {account: (debit, credit)} of card money in minor units, as the ledger says it."""
        groups = self.env["account.move.line"]._read_group(
            self._card_ledger_domain(first, last, contracts), ["account_id"], ["debit:sum", "credit:sum"]
        )
        currency = self.currency_id
        return {account: (to_minor(debit, currency), to_minor(credit, currency)) for account, debit, credit in groups}


class AccountMove(models.Model):
    _name = "account.move"
    _inherit = ["account.move", "card.contract.mixin"]

    def _card_contract(self):
        """Return the contract whose money this entry moves; empty where it is none's or not told."""
        self.ensure_one()
        return self.card_contract_id or self.origin_payment_id.sudo().card_contract_id

    def _card_reference(self):
        """Return the number that clears this entry against others: the batch's, else what the entry refers to."""
        self.ensure_one()
        payment = self.origin_payment_id.sudo()
        if payment.card_contract_id and payment.pos_session_id:
            counted = payment.pos_session_id.order_ids.payment_ids
            batches = counted.filtered(lambda line: line.card_contract_id == payment.card_contract_id).card_batch_id
            return (batches.number or batches.name) if len(batches) == 1 else payment.pos_session_id.name
        return self.ref or self.name
