"""Who a terminal is: pinned when it says so first; whatever it says differently later is a manager's to judge."""

from odoo import fields, models
from odoo.exceptions import AccessError, UserError

from .card_notice import MANAGER

CODE = "identity_changed"


class CardTerminal(models.Model):
    _inherit = "card.terminal"

    exclusive = fields.Boolean(
        "Only This Driver Uses It",
        help="No other till, no stand-alone payments: then the terminal's last result tells how a lost payment ended.",
    )
    identity = fields.Json("Pinned Identity", readonly=True, copy=False)
    identity_said = fields.Json("Identity as Last Said", readonly=True, copy=False)
    identity_text = fields.Text("Identity", compute="_compute_identity_text")
    identity_difference = fields.Text("Says Differently Now", compute="_compute_identity_text")

    def _compute_identity_text(self):
        for terminal in self:
            pinned = terminal.identity or {}
            terminal.identity_text = "\n".join(f"{_word(name)}: {value}" for name, value in pinned.items())
            terminal.identity_difference = terminal._differences()

    def _differences(self):
        """Return what the terminal says differently from what is pinned, as lines."""
        self.ensure_one()
        pinned, said = self.identity or {}, self.identity_said or {}
        changed = [name for name in pinned if said.get(name, pinned[name]) != pinned[name]]
        if pinned and said.get("virtual") and not pinned.get("virtual"):
            changed.append("virtual")  # a program in the place of a terminal
        return "\n".join(
            self.env._(
                "%(what)s: %(before)s → %(after)s", what=_word(name), before=pinned.get(name) or "–", after=said[name]
            )
            for name in changed
        )

    def _learn_identity(self, said):
        """Take what a driver reports of the terminal: pin what is new, raise a notice over what is different."""
        self.ensure_one()
        self.identity_said = said
        difference = self._differences()
        if difference:
            text = self.env._("%(terminal)s says it is another terminal than before.", terminal=self.name)
            self.env["card.notice"]._raise_notice(CODE, self, f"{text}\n{difference}", level="danger")
            return
        if (self.identity or {}) | said != self.identity:
            self.identity = (self.identity or {}) | said
        self.env["card.notice"]._withdraw_notice(CODE, self, self.env._("It says again what it said before."))

    def action_accept_identity(self):
        """Pin what the terminal says now: it was exchanged, and that is right."""
        if not self.env.su and not self.env.user.has_group(MANAGER):
            raise AccessError(self.env._("Only a Point of Sale administrator can accept another terminal."))
        self.check_access("write")
        for terminal in self:
            difference = terminal._differences()
            if not difference:
                raise UserError(self.env._("%s says what it said before: there is nothing to accept.", terminal.name))
            terminal.sudo().identity = {**terminal.identity, **terminal.identity_said}
            notices = self.env["card.notice"].sudo()._open_about(CODE, terminal)
            notices._end(self.env._("This is right: %s", difference), self.env.user)

    def _configuration(self):
        configuration = super()._configuration()
        told = {"exclusive": self.exclusive or None, "identity": self.identity or None}
        return configuration | {name: value for name, value in told.items() if value}


class CardTransactionEvent(models.Model):
    _inherit = "card.transaction.event"

    def _apply(self):
        transactions = super()._apply()
        for event in self.filtered(lambda record: record.type == "identity" and not record.uuid):
            terminal = event.driver_id.with_context(active_test=False).terminal_ids.filtered(
                lambda record, event=event: record.uuid == event.body.get("terminal")
            )
            said = event.body.get("identity")
            if terminal and isinstance(said, dict):
                terminal._learn_identity({str(name)[:64]: str(value)[:128] for name, value in said.items() if value})
        return transactions


class CardNotice(models.Model):
    _inherit = "card.notice"

    def action_accept_identity(self):
        """Say that the terminal this notice is about is the right one."""
        self.ensure_one()
        self._check_manager()
        if self.code != CODE:
            raise UserError(self.env._("This notice is not about a terminal's identity."))
        self.env["card.terminal"].browse(self.res_id).action_accept_identity()


def _word(name):
    return name.replace("_", " ")
