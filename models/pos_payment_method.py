from odoo import api, fields, models

from ..hw_driver.protocols.registry import PROTOCOLS

CARD_TERMINAL = "card_terminal"
CARD = "card"


class PosPaymentMethod(models.Model):
    _inherit = "pos.payment.method"

    card_means = fields.Selection(
        selection="_selection_card_means",
        string="Paid with",
        required=True,
        default=CARD,
        help="What the terminal is told to take. A method for cheques uses the terminal's cheque reader; tills whose "
        "terminals have none do not show it.",
    )

    @api.model
    def _selection_card_means(self):
        """Return every means of payment that a protocol has a word for, cards first."""
        words = {CARD: self.env._("Card")}
        for info in PROTOCOLS.values():
            words = {**info.means, **words}
        return sorted(words.items(), key=lambda item: (item[0] != CARD, item[1]))

    def _get_payment_terminal_selection(self):
        return [
            *super()._get_payment_terminal_selection(),
            (CARD_TERMINAL, self.env._("Card terminal (CONCERT, ZVT …)")),
        ]

    @api.model
    def _load_pos_data_fields(self, config):
        return [*super()._load_pos_data_fields(config), "card_means"]

    def _is_card_terminal(self):
        """Return whether payments of this method need a card terminal's approval."""
        return self.use_payment_terminal == CARD_TERMINAL
