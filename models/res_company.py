"""How a company's managers are told of notices."""

from odoo import fields, models

from .card_notice import MANAGER


class ResCompany(models.Model):
    _inherit = "res.company"

    card_notice_way = fields.Selection(
        [("list", "In the list of notices"), ("activity", "And as an activity"), ("email", "And by e-mail")],
        "Card Notices",
        required=True,
        default="activity",
        help="How Point of Sale administrators are told of what they should look at.",
    )
    card_notice_user_ids = fields.Many2many(
        "res.users",
        "res_company_card_notice_user_rel",
        string="Who Is Told",
        help="Nobody named: every Point of Sale administrator of the company.",
    )

    card_suspense_account_id = fields.Many2one(
        "account.account",
        help="Where card money waits whose place in the books is not known yet. Nothing is put there by itself.",
    )
    card_unknown_minutes = fields.Integer(
        "Card Result Not Known For",
        default=30,
        help="Minutes after which Point of Sale administrators are told of a card payment whose result is not known.",
    )

    def _card_notice_managers(self):
        """Return who is told of this company's notices."""
        self.ensure_one()
        managers = self.env.ref(MANAGER).sudo().all_user_ids
        chosen = self.sudo().card_notice_user_ids & managers or managers
        return chosen.filtered(lambda user: user.active and not user.share and self in user.company_ids)
