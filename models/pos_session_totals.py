"""What the terminals counted, beside what Odoo booked, per contract: for the closing of a session."""

from odoo import models

from .card_money import to_minor


class PosSession(models.Model):
    _inherit = "pos.session"

    def get_closing_control_data(self):
        data = super().get_closing_control_data()
        return {**data, "card_terminal": {**data.get("card_terminal", {}), "contracts": self._card_totals()}}

    def _card_totals(self):
        """Return a row for each batch in which payments of this session are; amounts in minor units."""
        self.ensure_one()
        payments = self.sudo().order_ids.payment_ids.filtered("card_batch_id")
        return [batch._for_closing(own) for batch, own in payments.grouped("card_batch_id").items()]


class CardBatch(models.Model):
    _inherit = "card.batch"

    def _for_closing(self, payments):
        """Return this batch as the till's closing shows it, with what these payments are of it."""
        currency = self.currency_id
        return {
            "id": self.id,
            "batch": self.name,
            "number": self.number or "",
            "contract": self.contract_id.name,
            "terminal": self.terminal_id.name or "",
            "ended": self.state == "closed",
            "session_count": len(payments),
            "session_amount": sum(to_minor(amount, currency) for amount in payments.mapped("amount")),
            "odoo_count": self.odoo_count,
            "odoo_amount": to_minor(self.odoo_amount, currency),
            "known": self.is_declared,
            "declared_count": self.declared_count if self.is_declared else None,
            "declared_amount": to_minor(self.declared_amount, currency) if self.is_declared else None,
            "difference": to_minor(self.difference, currency) if self.is_declared else None,
            "text": self._closing_sentence(),
            "groups": self._differing_groups(),
        }

    def _closing_sentence(self):
        if self.state == "open":
            return self.env._("The terminal has not done its end of day yet.")
        if not self.is_declared:
            return self.env._("What the terminal counted is not known: enter its ticket under Settlements.")
        if not self.difference and self._differing_groups():
            return self.env._("The terminal counted the same in all, but not by card.")
        if not self.difference:
            return self.env._("The terminal counted the same.")
        kinds = dict(self.difference_ids._fields["kind"]._description_selection(self.env))
        return "; ".join(f"{kinds[row.kind]}: {self.currency_id.format(row.amount)}" for row in self.difference_ids)

    def _differing_groups(self):
        """Return the groups of cards of which the terminal counted another sum than Odoo, [] where it told no groups.

        {brand, declared, odoo, difference} in minor units; declared and difference are None where the terminal did not
        name the group.
        """
        if not any(line.is_declared and line.brand for line in self.line_ids):
            return []
        rows = []
        for line in self.line_ids:
            amounts = (line.declared_amount, line.odoo_amount, line.difference)
            declared, odoo, difference = (to_minor(amount, self.currency_id) for amount in amounts)
            if line.is_declared and difference:
                rows.append({"brand": line.brand, "declared": declared, "odoo": odoo, "difference": difference})
            elif not line.is_declared and odoo:
                rows.append({"brand": line.brand or "", "declared": None, "odoo": odoo, "difference": None})
        return rows
