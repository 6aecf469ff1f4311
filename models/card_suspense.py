"""Card money whose place is not known yet: an entry between where the bank's money is awaited and a suspense account.

The entry is what the terminal says minus what the point of sale has booked. When the money finds its place the entry is
reversed, so that both accounts end where they would have been without it.
"""

from odoo import fields, models
from odoo.exceptions import UserError

from .card_money import from_minor

ACCOUNTANT = "pos_card_terminal.group_card_transaction_accountant"


class CardSuspense(models.AbstractModel):
    """For a card transaction, or a payment line without one; it says `_suspense_method()`, `_suspense_config()`."""

    _name = "card.suspense.mixin"
    _description = "Card Money in Suspense"

    card_suspense_move_id = fields.Many2one(
        "account.move",
        "Entry in Suspense",
        readonly=True,
        copy=False,
        ondelete="restrict",
        index="btree_not_null",
        groups=ACCOUNTANT,
    )
    card_suspense_move_ids = fields.Many2many(
        "account.move",
        string="Suspense Entries",
        readonly=True,
        copy=False,
        groups=ACCOUNTANT,
        help="Entries and reversals, oldest first.",
    )

    def _suspense_moves(self):
        return self.sudo().card_suspense_move_ids

    def _to_suspense(self, minor, method=None):
        """Post an entry over `minor` units (negative: money that was booked and never came); return it."""
        self.ensure_one()
        company = self.company_id
        account = company.card_suspense_account_id
        if not account:
            raise UserError(
                self.env._(
                    "No suspense account is set for %s. Choose one under Point of Sale, Configuration, Settings, "
                    "Card Terminals; your accountant knows which.",
                    company.name,
                )
            )
        method = method or self._suspense_method()
        if not minor or not method:
            raise UserError(self.env._("Choose the card payment method whose money this is."))
        currency = self.currency_id
        amount = from_minor(minor, currency)
        date = fields.Date.context_today(self)
        balance = currency._convert(amount, company.currency_id, company, date)
        label = self.env._("Card money in suspense: %s", self.display_name)
        move = self.env["account.move"].sudo().with_company(company).create({
            "move_type": "entry",
            "journal_id": self._suspense_journal().id,
            "date": date,
            "ref": label,
            "line_ids": [
                (0, 0, {
                    "account_id": target.id, "name": label, "currency_id": currency.id,
                    "amount_currency": sign * amount, "balance": sign * balance,
                })
                for target, sign in ((method._card_money_account(), 1), (account, -1))
            ],
        })  # fmt: skip
        move._post(soft=False)
        self._write_suspense({"card_suspense_move_id": move.id, "card_suspense_move_ids": [(4, move.id)]})
        return move

    def _release_suspense(self):
        """Reverse the entry, if there is one: the money has found its place."""
        for record in self.filtered("card_suspense_move_id"):
            move = record.card_suspense_move_id
            reason = self.env._("Found its place: %s", move.ref)
            reversal = move._reverse_moves([{"ref": reason, "date": fields.Date.context_today(self)}])
            reversal._post(soft=False)
            record._reconcile_suspense(move | reversal)
            record._write_suspense({"card_suspense_move_id": False, "card_suspense_move_ids": [(4, reversal.id)]})

    def _release_quietly(self):
        """Release what has found its place; a closed period or the like must not stop an event or an order."""
        for record in self.filtered("card_suspense_move_id"):
            try:
                with self.env.cr.savepoint():
                    record._release_suspense()
            except UserError as error:
                self.env["card.notice"]._raise_notice(
                    "suspense_stays",
                    record,
                    self.env._(
                        "%(name)s has found its place, but its entry %(move)s in suspense could not be reversed: "
                        "%(why)s",
                        name=record.display_name,
                        move=record.card_suspense_move_id.name,
                        why=error,
                    ),
                )

    def _reconcile_suspense(self, moves):
        """Reconcile entry and reversal where neither has been matched with the bank meanwhile."""
        open_lines = moves.line_ids.filtered(lambda line: line.account_id.reconcile and not line.reconciled)
        for lines in open_lines.grouped("account_id").values():
            if len(lines) == len(moves):
                lines.reconcile()

    def _suspense_journal(self):
        journal = self._suspense_config().journal_id
        journal = journal or self.env["account.journal"].search(
            [*self.env["account.journal"]._check_company_domain(self.company_id), ("type", "=", "general")], limit=1
        )
        if not journal:
            raise UserError(self.env._("%s has no journal for miscellaneous entries.", self.company_id.name))
        return journal

    def _write_suspense(self, vals):
        self.write(vals)


class PosPaymentMethod(models.Model):
    _inherit = "pos.payment.method"

    def _card_money_account(self):
        """Return the account on which closing a session leaves this method's money until the bank pays it."""
        self.ensure_one()
        method = self.sudo().with_company(self.company_id)
        account = (
            method.outstanding_account_id or method.journal_id.inbound_payment_method_line_ids[:1].payment_account_id
        )
        if account:
            return account
        if self.env["account.move"]._get_invoice_in_payment_state() == "in_payment":
            payment = self.env["account.payment"].sudo().new({"company_id": method.company_id.id})
            return payment._get_outstanding_account("inbound")
        # Without an outstanding account Odoo leaves the money on the receivable for the bank's line to meet.
        return method.receivable_account_id or method.company_id.account_default_pos_receivable_account_id
