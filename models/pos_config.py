from odoo import api, fields, models
from odoo.exceptions import AccessError

#: Odoo lets cashiers write on `pos.config`; these decide whose approvals are booked.
CARD_SETTINGS = frozenset({"card_terminal_id", "card_terminal_spare_ids", "card_terminal_training"})
SETTERS = "point_of_sale.group_pos_manager,base.group_system"


class PosConfig(models.Model):
    _inherit = "pos.config"

    card_terminal_id = fields.Many2one(
        "card.terminal",
        check_company=True,
        ondelete="restrict",
        help="The terminal this till uses by itself.",
    )
    card_terminal_spare_ids = fields.Many2many(
        "card.terminal",
        "pos_config_card_terminal_rel",
        "config_id",
        "terminal_id",
        "Spare Card Terminals",
        check_company=True,
        help="Terminals that the cashier can switch to.",
    )
    card_terminal_ids = fields.Many2many(
        "card.terminal", string="Usable Card Terminals", compute="_compute_card_terminal_ids"
    )
    card_terminal_training = fields.Boolean(
        "Training", help="Approvals of virtual terminals are booked here. Anywhere else they are exceptions."
    )

    @api.depends("card_terminal_id.active", "card_terminal_spare_ids.active")
    def _compute_card_terminal_ids(self):
        for config in self:
            config.card_terminal_ids = (config.card_terminal_id | config.card_terminal_spare_ids).filtered("active")

    def write(self, vals):
        if vals.keys() & CARD_SETTINGS and not self.env.su and not self.env.user.has_groups(SETTERS):
            raise AccessError(self.env._("Only a Point of Sale administrator can change card terminals of a till."))
        return super().write(vals)
