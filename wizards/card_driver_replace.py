"""Replace a driver: another one takes its terminals, and what the old one left open becomes a person's question."""

from odoo import api, fields, models
from odoo.exceptions import UserError


class CardDriverReplace(models.TransientModel):
    _name = "card.driver.replace"
    _description = "Replace a Card Terminal Driver"

    old_id = fields.Many2one("card.terminal.driver", "Old Driver", required=True, readonly=True, ondelete="cascade")
    company_id = fields.Many2one(related="old_id.company_id")
    new_id = fields.Many2one(
        "card.terminal.driver",
        "New Driver",
        required=True,
        ondelete="cascade",
        domain="[('id', '!=', old_id), ('company_id', '=', company_id), ('key_state', '=', 'active')]",
    )
    terminal_ids = fields.One2many(related="old_id.terminal_ids")
    open_count = fields.Integer("Payments Left Open", compute="_compute_open_count")

    @api.depends("old_id")
    def _compute_open_count(self):
        for wizard in self:
            wizard.open_count = len(wizard.old_id._open_transactions())

    def action_replace(self):
        """Hand over."""
        self.ensure_one()
        old, new = self.old_id, self.new_id
        (old | new)._check_manager()
        if old == new:
            raise UserError(self.env._("Choose another driver than the old one."))
        if not new.has_key:
            raise UserError(self.env._("%s is not paired yet. Connect it first, then replace.", new.name))
        terminals = old.with_context(active_test=False).terminal_ids
        names = ", ".join(terminals.mapped("name"))
        terminals.driver_id = new
        old.action_retire()
        left = old.sudo()._leave_open_to_people()
        said = self.env._(
            "%(user)s replaced %(old)s by %(new)s. Terminals: %(terminals)s. Payments left open: %(left)s.",
            user=self.env.user.name,
            old=old.name,
            new=new.name,
            terminals=names or "-",
            left=left,
        )
        for driver in old | new:
            driver.sudo().message_post(body=said)
        return {"type": "ir.actions.act_window_close"}
