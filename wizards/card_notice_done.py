from odoo import fields, models

from ..models.scrubbed import ScrubbedText


class CardNoticeDone(models.TransientModel):
    _name = "card.notice.done"
    _description = "End Card Terminal Notices"

    notice_ids = fields.Many2many("card.notice", required=True)
    reason = ScrubbedText("What Came of It", required=True, help="What was found, and what was done.")

    def action_done(self):
        """End the notices."""
        self.notice_ids._done(self.reason)
        return {"type": "ir.actions.act_window_close"}
