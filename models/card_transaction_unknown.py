"""A payment whose result is not known for long is a manager's to settle: it is told once, until it is settled."""

from datetime import timedelta

from odoo import api, fields, models

CODE = "unknown_too_long"
#: Minutes an unknown result may stand before managers are told; a system parameter changes it.
LIMIT = 30
PARAMETER = "pos_card_terminal.unknown_minutes"


class CardTransaction(models.Model):
    _inherit = "card.transaction"

    @api.model
    def _cron_tell_of_unknown(self):
        """Raise a notice over each unknown result that is older than its limit; withdraw those that are settled."""
        notices = self.env["card.notice"]
        minutes = int(self.env["ir.config_parameter"].sudo().get_param(PARAMETER, LIMIT))
        before = fields.Datetime.now() - timedelta(minutes=minutes)
        unknown = self.search([("state", "=", "unknown"), ("requested_at", "<", before)])
        known = notices.search([("code", "=", CODE), ("state", "!=", "done"), ("res_model", "=", self._name)])
        told = self.browse(known.mapped("res_id")).exists()
        for transaction in unknown - told:
            text = self.env._(
                "It is not known whether %(amount)s was paid at %(terminal)s (%(reference)s). Look at the terminal's "
                "slip or its journal, then settle the transaction.",
                amount=transaction.currency_id.format(transaction.amount_requested),
                terminal=transaction.terminal_id.name or transaction.till or "?",
                reference=transaction.reference or transaction.uuid,
            )
            notices._raise_notice(CODE, transaction, text, level="danger")
        settled = told.filtered(lambda transaction: transaction.state != "unknown")
        notices._withdraw_notice(CODE, settled, self.env._("Its result is known now."))
