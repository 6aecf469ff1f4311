"""Card terminals. Odoo is the master of their configuration; drivers get it signed."""

import uuid

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command

from ..hw_driver.configuration import ConfigurationError, till_side
from ..hw_driver.protocols.registry import PROTOCOLS
from ..hw_driver.protocols.states import Kind
from .card_terminal_option import TRANSPORT_OPTIONS, from_text, in_words, options_of, to_text

#: What the terminal says of itself; the driver need not be told.
SAID = frozenset({"contract", "terminal_ref", "last_seen", "identity_said"})
#: Kinds that the till does by itself, without anybody asking for them.
UNSEEN = frozenset({Kind.IDENTIFY, Kind.STATUS})


class CardTerminal(models.Model):
    _name = "card.terminal"
    _description = "Card Terminal"
    _inherit = ["pos.load.mixin"]
    _order = "name, id"
    _check_company_auto = True

    name = fields.Char(required=True, help="What cashiers call it: Counter, Terrace …")
    active = fields.Boolean(default=True)
    uuid = fields.Char("Terminal ID", required=True, readonly=True, copy=False, default=lambda self: str(uuid.uuid4()))
    driver_id = fields.Many2one(
        "card.terminal.driver",
        required=True,
        check_company=True,
        ondelete="restrict",
        index=True,
        help="The driver that speaks to this terminal; one terminal has one driver.",
    )
    company_id = fields.Many2one(
        "res.company", related="driver_id.company_id", store=True, index=True, precompute=True, readonly=True
    )
    protocol = fields.Selection(selection="_selection_protocol", required=True, default="concert-v3")
    family = fields.Selection(
        selection="_selection_family",
        string="Kind of Terminal",
        help="Fills in what terminals of this kind need; what you change afterwards stays as you set it.",
    )
    families = fields.Json(compute="_compute_families")
    family_text = fields.Char("About This Family", compute="_compute_families")
    option_ids = fields.One2many(
        "card.terminal.option",
        "terminal_id",
        "Options",
        compute="_compute_option_ids",
        store=True,
        readonly=False,
        copy=True,
    )
    options = fields.Json(
        "Options Set",
        compute="_compute_options",
        inverse="_inverse_options",
        groups="point_of_sale.group_pos_manager",
        help="What differs from the standard, by the option's name. Written as a whole.",
    )

    contract = fields.Char(help="Merchant contract, as the terminal last said it.", readonly=True, copy=False)
    terminal_ref = fields.Char("Terminal Number", help="As the terminal last said it.", readonly=True, copy=False)
    serial = fields.Char("Serial Number")
    last_seen = fields.Datetime("Last Answer", readonly=True, copy=False)

    can_cancel = fields.Boolean(
        compute="_compute_capabilities", compute_sudo=True, help="The till can ask this terminal to abort."
    )
    kinds = fields.Json(compute="_compute_capabilities", compute_sudo=True)
    means = fields.Json(
        "Means of Payment",
        compute="_compute_capabilities",
        compute_sudo=True,
        help="What it takes: cards, cheques …",
    )
    able_text = fields.Char(
        "Can Do",
        compute="_compute_capabilities",
        compute_sudo=True,
        help="What the till offers with this terminal, as its options say.",
    )
    config_ids = fields.Many2many("pos.config", string="Point of Sale", compute="_compute_config_ids")

    _unique_uuid = models.Constraint("UNIQUE(uuid)", "Another terminal has this ID.")

    @api.model
    def _selection_protocol(self):
        return [(name, name.replace("-", " ").upper()) for name in PROTOCOLS]

    @api.model
    def _selection_family(self):
        return [
            (f"{info.name}/{preset.name}", in_words(self.env, preset.text).rstrip("."))
            for info in PROTOCOLS.values()
            for preset in info.presets
        ]

    def _protocol_info(self):
        """Return what the driver knows of this terminal's protocol; None where it has none of this name."""
        return PROTOCOLS.get(self.protocol)

    def _protocol_name(self):
        return dict(self._selection_protocol()).get(self.protocol, self.protocol)

    @api.depends("protocol", "option_ids.value", "transport")
    def _compute_capabilities(self):
        for terminal in self:
            info = terminal._protocol_info()
            able = info and info.able(terminal._set_options())
            terminal.can_cancel = bool(info and info.can_cancel)
            terminal.kinds = sorted(kind.value for kind in able.kinds) if able else []
            terminal.means = list(able.means) if able else []
            terminal.able_text = able and terminal._able_text(able)

    def _able_text(self, able):
        """Return in words what the terminal can do from the till."""
        kinds = dict(self.env["card.terminal.grant"]._fields["kind"]._description_selection(self.env))
        words = [kinds[kind.value] for kind in Kind if kind in able.kinds and kind not in UNSEEN]
        means = [self._protocol_info().means.get(word, word) for word in able.means if word != "card"]
        return ", ".join([*words, *means])

    def _compute_config_ids(self):
        for terminal in self:
            terminal.config_ids = self.env["pos.config"].search(
                ["|", ("card_terminal_id", "in", terminal.ids), ("card_terminal_spare_ids", "in", terminal.ids)]
            )

    # Options ----------------------------------------------------------------------------------------------------------

    @api.depends("protocol", "family")
    @api.depends_context("lang")
    def _compute_families(self):
        for terminal in self:
            info = terminal._protocol_info()
            terminal.families = [f"{info.name}/{preset.name}" for preset in info.presets] if info else []
            preset = terminal._preset()
            terminal.family_text = preset and in_words(self.env, preset.text)

    def _preset(self):
        """Return the preset of the chosen kind of terminal, None where none is chosen."""
        protocol, _slash, name = (self.family or "").partition("/")
        info = PROTOCOLS.get(protocol)
        return next((preset for preset in info.presets if preset.name == name), None) if info else None

    @api.depends("protocol", "transport")
    def _compute_option_ids(self):
        """Give each terminal a line for each option there is; what was set stays where the name stays."""
        for terminal in self.with_context(card_terminal_whole=True):
            wanted = list(options_of(terminal.protocol, terminal.transport))
            over = terminal.option_ids.filtered(lambda line, wanted=wanted: line.name not in wanted)
            there = {line.name: line for line in terminal.option_ids - over}
            terminal.option_ids = [
                *(Command.delete(line.id) for line in over),
                *(
                    Command.update(there[name].id, {"sequence": place})
                    if name in there
                    else Command.create({"name": name, "sequence": place})
                    for place, name in enumerate(wanted)
                ),
            ]

    @api.model
    def _add_new_options(self):
        """Give every terminal the lines of options that an update has brought."""
        terminals = self.with_context(active_test=False).search([("protocol", "in", list(PROTOCOLS))])
        self.env.add_to_compute(self._fields["option_ids"], terminals)

    @api.depends("option_ids.value", "option_ids.name")
    def _compute_options(self):
        for terminal in self:
            terminal.options = terminal._set_options(of_transport=True) | terminal._set_options()

    def _inverse_options(self):
        for terminal in self:
            given = terminal.options or {}
            if not isinstance(given, dict):
                raise ValidationError(self.env._("Options are written as names and values."))
            lines = {line.name: line for line in terminal.option_ids}
            if unknown := given.keys() - lines.keys():
                raise ValidationError(
                    self.env._(
                        "%(terminal)s has no option “%(name)s”. There are: %(names)s.",
                        terminal=terminal.name,
                        name=min(unknown),
                        names=", ".join(lines),
                    )
                )
            terminal._fill_options(given)

    def _fill_options(self, given):
        """Set these options ({name: value}), and the standard for all others."""
        self.ensure_one()
        for line in self.option_ids.with_context(card_terminal_whole=True):
            value = to_text(given[line.name]) if line.name in given else False
            if (line.value or False) != value:
                line.value = value

    def _set_options(self, *, of_transport=False):
        """Return {name: value} of the options that are set here: the protocol's, or those of the transport."""
        self.ensure_one()
        known = TRANSPORT_OPTIONS.get(self.transport, {}) if of_transport else self._protocol_info().options
        return {
            line.name: from_text(known[line.name], line.value)
            for line in self._options_lines()
            if line.value and line.name in known
        }

    def _options_lines(self):
        """Return all lines, secret ones too, whoever asks: what a cashier has read of them is cached without those."""
        if self != self._origin:
            return self.option_ids  # a form that is not saved
        return self.env["card.terminal.option"].sudo().search([("terminal_id", "=", self.id)])

    @api.onchange("protocol")
    def _onchange_protocol(self):
        if self.family and self.family not in (self.families or []):
            self.family = False

    @api.onchange("family")
    def _onchange_family(self):
        preset = self._preset()
        if not preset:
            return
        transport = dict(preset.transport)
        self.transport = transport.pop("kind", self.transport)
        self.port = transport.pop("port", self.port)
        self._fill_options({**transport, **preset.options})

    @api.constrains("protocol", "transport", "option_ids")
    def _check_configuration(self):
        """Let the driver's own check say what it would refuse."""
        for terminal in self:
            try:
                till_side({"number": 1, "terminals": [terminal._configuration()]}, frozenset())
            except ConfigurationError as error:
                reason = str(error).removeprefix(f"terminal {terminal.uuid}: ")
                raise ValidationError(
                    self.env._("%(terminal)s: %(reason)s", terminal=terminal.name, reason=reason)
                ) from error

    @api.model_create_multi
    def create(self, vals_list):
        terminals = super(CardTerminal, self.with_context(card_terminal_whole=True)).create(vals_list)
        terminals = terminals.with_env(self.env)
        terminals._check_configuration()
        terminals.driver_id._refresh_configuration()
        return terminals

    def write(self, vals):
        drivers = self.driver_id
        result = super(CardTerminal, self.with_context(card_terminal_whole=True)).write(vals)
        if not vals.keys() <= SAID:
            self.with_context(card_terminal_whole=True).flush_recordset()  # lines of another protocol
            self._check_configuration()
            (drivers | self.driver_id)._refresh_configuration()
        return result

    def unlink(self):
        drivers = self.driver_id
        result = super().unlink()
        drivers._refresh_configuration()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        if self.env["card.transaction"].sudo().search_count([("terminal_id", "in", self.ids)], limit=1):
            raise UserError(self.env._("A terminal that has transactions is archived, not deleted."))

    def _configuration(self):
        """Return this terminal as docs/api.md 2.2 says it."""
        self.ensure_one()
        return {
            "id": self.uuid,
            "name": self.name,
            "protocol": self.protocol,
            "transport": self._transport(),
            "options": self._set_options(),
        }

    @api.model
    def _load_pos_data_domain(self, data, config):
        return [("id", "in", config.card_terminal_ids.ids)]

    @api.model
    def _server_date_to_domain(self, domain):
        return domain  # always: a terminal can be given to a till without being changed

    @api.model
    def _load_pos_data_fields(self, config):
        return ["id", "name", "uuid", "driver_id", "protocol", "can_cancel", "kinds", "means"]
