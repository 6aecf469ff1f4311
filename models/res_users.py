"""A manager's PIN for approvals at the till: kept hashed, checked on the server, never loaded into a browser."""

import re

from odoo import api, fields, models
from odoo.exceptions import ValidationError

MANAGER = "point_of_sale.group_pos_manager"


class ResUsers(models.Model):
    _inherit = "res.users"

    card_approval_hash = fields.Char(groups=fields.NO_ACCESS, copy=False)
    card_approval_pin = fields.Char(
        "Card Approval PIN",
        compute="_compute_card_approval_pin",
        inverse="_inverse_card_approval_pin",
        exportable=False,
        help="At least 4 digits. Point of Sale administrators approve decisions about card money with it at the till. "
        "It is never shown; leave it empty to keep the one you have.",
    )
    card_approval_pin_set = fields.Boolean("Has a Card Approval PIN", compute="_compute_card_approval_pin")

    @property
    def SELF_READABLE_FIELDS(self):  # noqa: N802 - Odoo's name
        return [*super().SELF_READABLE_FIELDS, "card_approval_pin", "card_approval_pin_set"]

    @property
    def SELF_WRITEABLE_FIELDS(self):  # noqa: N802 - Odoo's name
        return [*super().SELF_WRITEABLE_FIELDS, "card_approval_pin"]

    @api.depends("card_approval_hash")
    def _compute_card_approval_pin(self):
        for user in self:
            user.card_approval_pin = ""
            user.card_approval_pin_set = bool(user.sudo().card_approval_hash)

    def _inverse_card_approval_pin(self):
        for user in self.filtered("card_approval_pin"):
            if not re.fullmatch(r"[0-9]{4,12}", user.card_approval_pin):
                raise ValidationError(self.env._("The PIN for card approvals has 4 to 12 digits."))
            user.sudo().card_approval_hash = user._crypt_context().hash(user.card_approval_pin)
        self.invalidate_recordset(["card_approval_pin"])  # it stays readable nowhere, not even in the cache

    def _card_pin_is(self, pin):
        """Return whether this is the user's PIN. Count the tries: see `card.approval`."""
        self.ensure_one()
        kept = self.sudo().card_approval_hash
        return bool(kept and isinstance(pin, str) and self._crypt_context().verify(pin, kept))

    def _can_approve_cards(self, company):
        """Return those who may approve decisions about card money of a company."""
        return self.filtered(lambda user: user.active and user.has_group(MANAGER) and company in user.company_ids)
