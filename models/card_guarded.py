"""Fields that only the addon's own code writes, whatever a person who may write the record sends over RPC.

Odoo's `readonly` is a hint to forms. What a field says that came from a terminal or a bank, or that an action has
booked, must be what it was.
"""

from odoo import api, fields, models
from odoo.exceptions import AccessError


class CardGuardedMixin(models.AbstractModel):
    """`_guarded`: names that `create` and `write` leave out, as they do what a form never sends.

    Each class a model is made of may name its own.
    """

    _name = "card.guarded.mixin"
    _description = "Fields That Only Code Writes"
    _guarded = frozenset()

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([self._without_guarded(vals) for vals in vals_list])

    def write(self, vals):
        return super().write(self._without_guarded(vals))

    def _write_guarded(self, vals):
        """Write guarded fields. Not reachable over RPC, unlike `write`."""
        return super().write(vals)  # pylint: disable=super-method-mismatch

    def _without_guarded(self, vals):
        guarded = frozenset().union(*(vars(part).get("_guarded", ()) for part in type(self).__mro__))
        return {name: value for name, value in vals.items() if name not in guarded}


class CardContractMixin(models.AbstractModel):
    """What is booked under a contract: `_write_guarded` says which."""

    _name = "card.contract.mixin"
    _description = "Card Money of a Contract"
    _inherit = ["card.guarded.mixin"]
    _guarded = frozenset({"card_contract_id"})

    card_contract_id = fields.Many2one(
        "card.contract",
        readonly=True,
        copy=False,
        ondelete="restrict",
        index="btree_not_null",
        help="Whose card money this moves.",
    )


class CardCompanyMixin(models.AbstractModel):
    """A dialog about one company, which must be one of the user's."""

    _name = "card.company.mixin"
    _description = "Dialog about a Company"

    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company)

    @api.constrains("company_id")
    def _check_company_is_mine(self):
        if self.company_id - self.env.user.company_ids:
            raise AccessError(self.env._("This company is not one of yours."))
