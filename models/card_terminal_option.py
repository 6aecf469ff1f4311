"""What is set for one terminal beyond its address: one line per option of its protocol, and of its cable.

The driver's own tables (`hw_driver.protocols`) say which options there are, what each is for and which values it takes.
An empty line leaves the standard value, and is not sent.
"""

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..hw_driver.protocols.registry import PROTOCOLS
from ..hw_driver.protocols.serial_line import OPTIONS as SERIAL_LINE
from ..hw_driver.protocols.serial_line import settings_of
from ..hw_driver.protocols.tcp_line import OPTIONS as TCP_LINE

#: Settings of the transport that are options, by the transport's kind.
TRANSPORT_OPTIONS = {"tcp": TCP_LINE, "serial": SERIAL_LINE}
YES, NO = "true", "false"
#: Options that are kept from cashiers, in any protocol.
SECRETS = frozenset(name for info in PROTOCOLS.values() for name, option in info.options.items() if option.secret)


def options_of(protocol, transport):
    """Return {name: Option} of what can be set, the transport's first."""
    info = PROTOCOLS.get(protocol)
    return {**TRANSPORT_OPTIONS.get(transport, {}), **info.options} if info else {}


def in_words(env, text, **values):
    """Return a text of the driver's tables in the user's language; `hw_driver.protocols.texts` lists them for it."""
    return env._(text, **values) if text else ""


def to_text(value):
    """Return a value of an option as a line keeps it."""
    if isinstance(value, bool):
        return YES if value else NO
    return f"{value:g}" if isinstance(value, float) else str(value)


def from_text(option, text):
    """Return the value that a line's text stands for; a text that stands for none is returned as it is."""
    kind = type(option.default)
    try:
        return {YES: True, NO: False}[text] if kind is bool else kind(text)
    except (KeyError, ValueError):
        return text


class CardTerminalOption(models.Model):
    _name = "card.terminal.option"
    _description = "Option of a Card Terminal"
    _order = "sequence, id"
    _rec_name = "name"

    terminal_id = fields.Many2one("card.terminal", required=True, readonly=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="terminal_id.company_id", store=True, index=True)
    sequence = fields.Integer(readonly=True)
    name = fields.Char(required=True, readonly=True, help="As the driver's documentation names it.")
    value = fields.Char(help="Empty: the standard value.")

    secret = fields.Boolean(
        compute="_compute_secret", store=True, precompute=True, help="Only administrators read it; tills never get it."
    )
    label = fields.Char("Option", compute="_compute_option")
    text = fields.Char("What It Is For", compute="_compute_option")
    standard = fields.Char(compute="_compute_option", help="What counts while nothing is set.")
    kind = fields.Char(compute="_compute_option")
    choices = fields.Json(compute="_compute_option")
    allowed = fields.Char(compute="_compute_option")

    _unique_name = models.Constraint("UNIQUE(terminal_id, name)", "An option is set once.")

    @api.depends("name")
    def _compute_secret(self):
        for line in self:
            line.secret = line.name in SECRETS

    @api.depends("name", "terminal_id.protocol", "terminal_id.transport", "terminal_id.option_ids.value")
    @api.depends_context("lang")
    def _compute_option(self):
        for line in self:
            option = line._option()
            line.label = option and line._label(option)
            text = option and in_words(self.env, option.text)
            line.text = f"{text} ({option.unit})" if option and option.unit else text
            line.standard = option and line._standard(option)
            line.kind = option and type(option.default).__name__
            line.choices = option and [
                [to_text(value), in_words(self.env, choice)] for value, choice in option.choices.items()
            ]
            line.allowed = option and line._allowed(option)

    def _option(self):
        """Return what the protocol says of this option, None where it has none of this name."""
        self.ensure_one()
        return options_of(self.terminal_id.protocol, self.terminal_id.transport).get(self.name)

    def _label(self, option):
        label = in_words(self.env, option.label)
        return self.env._("Cable: %s", label) if self.name in SERIAL_LINE and self._is_of_transport() else label

    def _allowed(self, option):
        sentence, values = option.allowed_in_parts
        return in_words(self.env, sentence, **values)

    def _is_of_transport(self):
        """Return whether this is a setting of the cable, not of the protocol."""
        return self.name in TRANSPORT_OPTIONS.get(self.terminal_id.transport, {})

    def _standard(self, option):
        """Return what counts while nothing is set: the preset of a cable decides about the rest of it."""
        default = option.default
        if self._is_of_transport():
            default = settings_of(self.terminal_id._set_options(of_transport=True)).get(self.name, default)
        return to_text(default)

    @api.constrains("name", "value")
    def _check_value(self):
        for line in self.filtered("value"):
            option = line._option()
            if not option:
                names = ", ".join(options_of(line.terminal_id.protocol, line.terminal_id.transport))
                raise ValidationError(
                    self.env._(
                        "%(terminal)s has no option “%(name)s”. There are: %(names)s.",
                        terminal=line.terminal_id.name,
                        name=line.name,
                        names=names,
                    )
                )
            if not option.fits(from_text(option, line.value)):
                raise ValidationError(
                    self.env._(
                        "%(terminal)s: “%(option)s” must be %(allowed)s, not “%(value)s”.",
                        terminal=line.terminal_id.name,
                        option=line._label(option),
                        allowed=line._allowed(option),
                        value="…" if line.secret else line.value,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._tell_terminals()
        return lines

    def write(self, vals):
        result = super().write(vals)
        self._tell_terminals()
        return result

    def unlink(self):
        terminals = self.terminal_id
        result = super().unlink()
        self._tell_terminals(terminals)
        return result

    def _tell_terminals(self, terminals=None):
        """Check lines written by themselves, and tell the drivers; a terminal's own write does it at its end."""
        if not self.env.context.get("card_terminal_whole"):
            terminals = (self.terminal_id if terminals is None else terminals).exists()
            terminals._check_configuration()
            terminals.driver_id._refresh_configuration()
