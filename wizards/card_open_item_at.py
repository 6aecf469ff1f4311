"""Which day's open card money to look at."""

from odoo import fields, models
from odoo.tools.misc import format_date


class CardOpenItemAt(models.TransientModel):
    _name = "card.open.item.at"
    _description = "Open Card Money at a Date"

    date = fields.Date("Open at the End of", required=True, default=fields.Date.context_today)

    def action_show(self):
        """Show what was open then."""
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.actions"]._for_xml_id("pos_card_terminal.action_card_open_item")
        name = self.env._("Open Card Money on %s", format_date(self.env, self.date))
        context = {"card_as_of": fields.Date.to_string(self.date), "search_default_by_contract": 1}
        return {**action, "name": name, "display_name": name, "context": context, "target": "current"}
