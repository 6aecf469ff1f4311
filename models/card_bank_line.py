"""Booking a bank line that is no payout: what waits on the bank's suspense account gets its accounts."""

from odoo import models
from odoo.exceptions import UserError

from .card_money import from_minor, to_minor


class AccountBankStatementLine(models.Model):
    _inherit = "account.bank.statement.line"

    def _book_card_parts(self, parts, contract, reference):
        """Put what this bank line waits with onto accounts; return the new journal items, in the order of `parts`.

        `parts`: dicts of `account_id`, `amount` (in the line's currency, debit positive) and what else a journal item
        has; together they are what the bank's side lacks, to the minor unit.
        """
        self.ensure_one()
        bank, waiting, others = self._seek_for_lines()
        if not waiting or others:
            raise UserError(self.env._("The bank line “%s” is matched already.", self.payment_ref or self.name))
        currency = waiting.currency_id[:1]
        company = self.company_id.currency_id
        open_minor = to_minor(sum(waiting.mapped("amount_currency")), currency)
        open_balance = to_minor(sum(waiting.mapped("balance")), company)
        minors = [to_minor(part["amount"], currency) for part in parts]
        if sum(minors) != open_minor:
            raise UserError(
                self.env._(
                    "The bank line “%(label)s” is over %(bank)s, and %(parts)s would be booked.",
                    label=self.payment_ref or self.name,
                    bank=from_minor(-open_minor, currency),
                    parts=from_minor(-sum(minors), currency),
                )
            )
        balances = [minor * open_balance // open_minor if open_minor else 0 for minor in minors]
        balances[-1] = open_balance - sum(balances[:-1])
        known = self.line_ids
        self.with_context(force_delete=True, skip_readonly_check=True).write({
            "line_ids": [
                *((2, line.id) for line in waiting),
                *(
                    (0, 0, {
                        **{name: value for name, value in part.items() if name != "amount"},
                        "move_id": self.move_id.id,
                        "partner_id": part.get("partner_id") or bank.partner_id.id,
                        "currency_id": currency.id,
                        "amount_currency": from_minor(minor, currency),
                        "balance": from_minor(balance, company),
                    })
                    for part, minor, balance in zip(parts, minors, balances, strict=True)
                ),
            ],
        })  # fmt: skip
        self.move_id.with_context(skip_readonly_check=True).write({"ref": reference})
        self.move_id.sudo()._write_guarded({"card_contract_id": contract.id})
        return (self.line_ids - known).sorted("id")
