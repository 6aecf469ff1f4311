from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    pos_card_terminal_id = fields.Many2one(related="pos_config_id.card_terminal_id", readonly=False, check_company=True)
    pos_card_terminal_spare_ids = fields.Many2many(
        related="pos_config_id.card_terminal_spare_ids", readonly=False, check_company=True
    )
    card_notice_way = fields.Selection(related="company_id.card_notice_way", readonly=False)
    card_notice_user_ids = fields.Many2many(related="company_id.card_notice_user_ids", readonly=False)
    card_suspense_account_id = fields.Many2one(related="company_id.card_suspense_account_id", readonly=False)
    card_unknown_minutes = fields.Integer(related="company_id.card_unknown_minutes", readonly=False)
    card_digest = fields.Selection(related="company_id.card_digest", readonly=False)
    card_digest_user_ids = fields.Many2many(related="company_id.card_digest_user_ids", readonly=False)
    card_retention_months = fields.Integer(related="company_id.card_retention_months", readonly=False)
    card_retention_authorisation = fields.Boolean(related="company_id.card_retention_authorisation", readonly=False)
    card_datev_consultant = fields.Integer(related="company_id.card_datev_consultant", readonly=False)
    card_datev_client = fields.Integer(related="company_id.card_datev_client", readonly=False)
    card_datev_digits = fields.Integer(related="company_id.card_datev_digits", readonly=False)
    card_datev_chart = fields.Selection(related="company_id.card_datev_chart", readonly=False)
    card_datev_locked = fields.Boolean(related="company_id.card_datev_locked", readonly=False)
    pos_card_terminal_slips = fields.Boolean(related="pos_config_id.card_terminal_slips", readonly=False)
    pos_card_terminal_merchant_slips = fields.Boolean(
        related="pos_config_id.card_terminal_merchant_slips", readonly=False
    )
    pos_card_terminal_training = fields.Boolean(related="pos_config_id.card_terminal_training", readonly=False)

    def action_card_connect(self):
        """Open the page that connects the chosen point of sale."""
        return self.pos_config_id.action_card_connect()
