"""Card terminals. Odoo is the master of their configuration; drivers get it signed."""

import uuid

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..hw_driver.protocols.machine import InvalidRequest
from ..hw_driver.protocols.registry import PROTOCOLS

#: Field of `card.terminal` for each protocol option; a protocol is sent the options it knows.
OPTION_FIELDS = {
    "register": "register",
    "register_length": "register_length",
    "ipc": "ipc",
    "version": "protocol_version",
    "crlf": "crlf",
    "tickets": "tickets",
    "connect_timeout": "connect_timeout",
    "answer_timeout": "answer_timeout",
    "drain": "drain",
    "duplicata": "duplicata",
    "duplicata_idle": "duplicata_idle",
    "duplicata_refused": "duplicata_refused",
    "reference_tag": "reference_tag",
}


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
    host = fields.Char("IP Address", help="Address or name of the terminal in the shop's network.")
    port = fields.Integer(default=8888)

    register = fields.Char("Register Number", default="01", help="Tells tills apart on the terminal's own report.")
    register_length = fields.Integer("Register Digits", default=2)
    ipc = fields.Char("Till Software Number", help="12 digits, where the terminal's maker asks for them.")
    protocol_version = fields.Char(default="0300")
    crlf = fields.Boolean("End Messages with CR/LF")
    tickets = fields.Boolean(
        "Print the Terminal's Slip on the Receipt",
        help="Asks the terminal for the customer's slip. Some refuse to be asked.",
    )
    connect_timeout = fields.Integer("Connection Time-out", default=5, help="Seconds to reach the terminal.")
    answer_timeout = fields.Integer(
        "Answer Time-out", default=180, help="Seconds the terminal may take, the customer included."
    )
    drain = fields.Float("Ticket Delay", default=0.3, help="Seconds to wait for a ticket that comes after the result.")

    duplicata = fields.Boolean(
        "Tells Its Last Result",
        help="The terminal can be asked for a copy of its last result (duplicata). When an answer is lost it is asked, "
        "and prints that copy.",
    )
    duplicata_idle = fields.Boolean(
        "Refuses While a Payment Runs",
        help="The terminal gives no copy while a payment is under way, so an older result proves that none is.",
    )
    duplicata_refused = fields.Char(
        "Reason of a Last Payment Not Completed",
        help="Two digits (AF) with which this terminal refuses a copy because its last payment was not completed.",
    )
    reference_tag = fields.Selection(
        [("CF", "Private data (CF)"), ("CH", "Reference (CH)")],
        "Payment's Reference in",
        help="Where the terminal gives back what the till calls a payment. A copy with the right reference proves how "
        "that payment ended. Some terminals refuse to be given one.",
    )
    other_network = fields.Boolean(
        "In a Network of Its Own",
        help="The same address is also used in another shop's network, for another terminal.",
    )

    contract = fields.Char(help="Merchant contract, as the terminal last said it.", readonly=True, copy=False)
    terminal_ref = fields.Char("Terminal Number", help="As the terminal last said it.", readonly=True, copy=False)
    serial = fields.Char("Serial Number")
    last_seen = fields.Datetime("Last Answer", readonly=True, copy=False)

    can_cancel = fields.Boolean(compute="_compute_capabilities", help="The till can ask this terminal to abort.")
    kinds = fields.Json(compute="_compute_capabilities")
    config_ids = fields.Many2many("pos.config", string="Point of Sale", compute="_compute_config_ids")

    _unique_uuid = models.Constraint("UNIQUE(uuid)", "Another terminal has this ID.")

    @api.model
    def _selection_protocol(self):
        return [(name, name.replace("-", " ").upper()) for name in PROTOCOLS]

    @api.depends("protocol")
    def _compute_capabilities(self):
        known = PROTOCOLS
        for terminal in self:
            info = known.get(terminal.protocol)
            terminal.can_cancel = bool(info and info.can_cancel)
            terminal.kinds = sorted(info.kinds) if info else []

    def _compute_config_ids(self):
        for terminal in self:
            terminal.config_ids = self.env["pos.config"].search(
                ["|", ("card_terminal_id", "=", terminal.id), ("card_terminal_spare_ids", "in", terminal.ids)]
            )

    @api.onchange("protocol")
    def _onchange_protocol(self):
        if self.protocol:
            self.port = PROTOCOLS[self.protocol].default_port

    @api.constrains("protocol", "host", "port", *OPTION_FIELDS.values())
    def _check_configuration(self):
        for terminal in self:
            info = PROTOCOLS[terminal.protocol]
            if info.transports[0] == "tcp" and not (terminal.host and 0 < terminal.port < 65536):
                raise ValidationError(self.env._("%s needs an IP address and a port from 1 to 65535.", terminal.name))
            try:
                info.machine(terminal._options())
            except InvalidRequest as error:
                raise ValidationError(
                    self.env._("%(terminal)s: %(reason)s", terminal=terminal.name, reason=error)
                ) from error

    @api.constrains("driver_id", "host", "port", "active", "other_network")
    def _check_address(self):
        """Two drivers on one terminal would charge behind each other's back; one driver knows a terminal once."""
        for terminal in self.filtered(lambda terminal: terminal.active and terminal.host):
            there = [
                ("id", "!=", terminal.id),
                ("host", "=ilike", _escaped(terminal.host)),
                ("port", "=", terminal.port),
            ]
            others = self.sudo().search([*there, ("company_id", "=", terminal.company_id.id)])
            same_driver = others.filtered(lambda other, terminal=terminal: other.driver_id == terminal.driver_id)
            if same_driver:
                raise ValidationError(
                    self.env._(
                        "%(terminal)s and %(other)s have the same address. Set the terminal up once: several points "
                        "of sale can use it.",
                        terminal=terminal.name,
                        other=same_driver[0].name,
                    )
                )
            if others and not terminal.other_network and not all(others.mapped("other_network")):
                raise ValidationError(
                    self.env._(
                        "%(other)s of driver %(driver)s has the same address: a terminal has one driver. If it is "
                        "another terminal in another shop's network, tick “In a Network of Its Own”.",
                        other=others[0].name,
                        driver=others[0].driver_id.name,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        terminals = super().create(vals_list)
        terminals.driver_id._refresh_configuration()
        return terminals

    def write(self, vals):
        drivers = self.driver_id
        result = super().write(vals)
        if not vals.keys() <= {"contract", "terminal_ref", "last_seen"}:  # what the terminal says of itself
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

    def _options(self):
        """Return the options of the terminal's protocol that are set here; an empty text leaves its default."""
        self.ensure_one()
        known = PROTOCOLS[self.protocol].defaults
        values = {option: self[field] for option, field in OPTION_FIELDS.items() if option in known}
        texts = {option for option in values if self._fields[OPTION_FIELDS[option]].type in ("char", "selection")}
        return {option: value for option, value in values.items() if value or (known[option] and option not in texts)}

    def _configuration(self):
        """Return this terminal as docs/api.md 2.2 says it."""
        self.ensure_one()
        info = PROTOCOLS[self.protocol]
        return {
            "id": self.uuid,
            "name": self.name,
            "protocol": self.protocol,
            "transport": {"kind": info.transports[0], "host": self.host, "port": self.port},
            "options": self._options(),
        }

    @api.model
    def _load_pos_data_domain(self, data, config):
        return [("id", "in", config.card_terminal_ids.ids)]

    @api.model
    def _server_date_to_domain(self, domain):
        return domain  # always: a terminal can be given to a till without being changed

    @api.model
    def _load_pos_data_fields(self, config):
        return ["id", "name", "uuid", "driver_id", "protocol", "can_cancel", "kinds"]


def _escaped(text):
    """Return a text as `=ilike` finds just this one, in capitals or not."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
