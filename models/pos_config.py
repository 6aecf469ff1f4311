from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

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
    card_terminal_slips = fields.Boolean(
        "Card Slips on Receipts",
        default=True,
        help="Prints the customer's slip of the terminal, where it gives one to the till, below the receipt. It can be "
        "printed again from the orders in any case.",
    )
    card_terminal_merchant_slips = fields.Boolean(
        "Merchant's Card Slips",
        help="Prints the merchant's slip of the terminal after each payment, where it gives one to the till. With a "
        "signature it is printed in any case.",
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

    # Connecting a till ------------------------------------------------------------------------------------------------

    def action_card_connect(self):
        """Open the page that connects this till: its driver, a code, its terminal."""
        self.ensure_one()
        driver = self.card_terminal_id.driver_id or self.env["card.terminal.driver"].create(
            {"name": self.name, "company_id": self.company_id.id}
        )
        driver._check_manager()
        return self.env["card.driver.connect"]._open(driver, self)

    def _give_card_method(self):
        """Let this till take cards; one method serves all tills of a company."""
        self.ensure_one()
        cards = [("use_payment_terminal", "=", "card_terminal"), ("card_means", "=", "card")]
        if self.payment_method_ids.filtered_domain(cards):
            return
        if self.has_active_session:
            raise UserError(
                self.env._("Close the open session first: then this till can be given the payment method for cards.")
            )
        Method = self.env["pos.payment.method"]
        company = ("company_id", "=", self.company_id.id)
        method = Method.search([*cards, company], limit=1)
        bank = self.env["account.journal"].search([("type", "=", "bank"), company], limit=1)
        self.payment_method_ids |= method or Method.create({
            "name": self.env._("Card"),
            "payment_method_type": "terminal",
            "use_payment_terminal": "card_terminal",
            "journal_id": bank.id,
            "company_id": self.company_id.id,
        })  # fmt: skip
