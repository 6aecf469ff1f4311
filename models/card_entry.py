"""Entries about card money that no bank line and no session makes."""

from odoo import models
from odoo.exceptions import UserError


class CardContract(models.Model):
    _inherit = "card.contract"

    def _post_card_entry(self, parts, date, reference):
        """Post an entry of these items (dicts with `account_id` and `amount` in company currency); return it."""
        self.ensure_one()
        move = self.env["account.move"].with_company(self.company_id).with_context(skip_invoice_sync=True).create({
            "move_type": "entry",
            "journal_id": self._card_entry_journal().id,
            "date": date,
            "ref": reference,
            "line_ids": [
                (0, 0, {**{name: value for name, value in part.items() if name != "amount"}, "balance": part["amount"]})
                for part in parts
            ],
        })  # fmt: skip
        move.sudo()._write_guarded({"card_contract_id": self.id})
        move._post(soft=False)
        return move

    def _card_entry_journal(self):
        journals = self.env["account.journal"]
        domain = [*journals._check_company_domain(self.company_id), ("type", "=", "general")]
        journal = journals.search(domain, limit=1)
        if not journal:
            raise UserError(self.env._("%s has no journal for miscellaneous entries.", self.company_id.name))
        return journal
