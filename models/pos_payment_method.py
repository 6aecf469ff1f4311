from odoo import models

CARD_TERMINAL = "card_terminal"


class PosPaymentMethod(models.Model):
    _inherit = "pos.payment.method"

    def _get_payment_terminal_selection(self):
        return [
            *super()._get_payment_terminal_selection(),
            (CARD_TERMINAL, self.env._("Card terminal (CONCERT, ZVT …)")),
        ]

    def _is_card_terminal(self):
        """Return whether payments of this method need a card terminal's approval."""
        return self.use_payment_terminal == CARD_TERMINAL
