"""How a driver reaches a terminal, and what an address gives away while it is typed."""

import ipaddress
import re

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import LazyTranslate

from ..hw_driver.usb_vendors import looks_like

_lt = LazyTranslate(__name__)

TRANSPORTS = {"tcp": _lt("Network (IP)"), "serial": _lt("Cable (USB or serial)")}
#: Fields that say where a terminal is, by transport.
PLACE_FIELDS = {"tcp": ("host", "port"), "serial": ("device", "usb")}
USB = re.compile(r"[0-9a-f]{4}:[0-9a-f]{4}(:.+)?", re.IGNORECASE)
#: What a device's path gives away; the first that matches counts.
DEVICES = (
    (r"/dev/serial/by-(id|path)/.+", "stays"),
    (r"COM[0-9]+", "windows"),
    (r"/dev/(ttyACM|ttyUSB)[0-9]+", "moves"),
    (r"/dev/.+", "path"),
)


class CardTerminal(models.Model):
    _inherit = "card.terminal"

    transport = fields.Selection(
        selection="_selection_transport",
        string="Connected by",
        compute="_compute_transport",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
    )
    transports = fields.Json(compute="_compute_transports")
    host = fields.Char("IP Address", help="Address or name of the terminal in the shop's network; its menu shows it.")
    port = fields.Integer(compute="_compute_port", store=True, readonly=False, precompute=True)
    device = fields.Char(
        "Serial Port",
        help="The path of the port on the driver's machine; “card-terminal ports” lists what is plugged in.",
    )
    usb = fields.Char(
        "USB Device",
        help="Vendor and product, and the serial number where there are two alike. The terminal is found again in "
        "whatever socket it is put.",
    )
    reach_hint = fields.Char("Connection Hint", compute="_compute_reach_hint")
    other_network = fields.Boolean(
        "In a Network of Its Own",
        help="The same address is also used in another shop's network, for another terminal.",
    )

    @api.model
    def _selection_transport(self):
        return [(kind, self.env._(name)) for kind, name in TRANSPORTS.items()]

    @api.depends("protocol")
    def _compute_transports(self):
        for terminal in self:
            info = terminal._protocol_info()
            terminal.transports = list(info.transports) if info else []

    @api.depends("protocol")
    def _compute_transport(self):
        for terminal in self:
            info = terminal._protocol_info()
            if info and terminal.transport not in info.transports:
                terminal.transport = info.transports[0]

    @api.depends("protocol")
    def _compute_port(self):
        for terminal in self:
            info = terminal._protocol_info()
            terminal.port = info.default_port if info else 0

    @api.depends("transport", "host", "device", "usb")
    def _compute_reach_hint(self):
        for terminal in self:
            hint = terminal._hint_tcp if terminal.transport == "tcp" else terminal._hint_serial
            terminal.reach_hint = hint()

    def _hint_tcp(self):
        host = (self.host or "").strip()
        if not host:
            return self.env._("The terminal's menu shows its address. It should be a fixed one.")
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return self.env._("A name: the driver's machine must be able to look it up.")
        if address.is_loopback:
            return self.env._("The driver's own machine: a virtual terminal.")
        if address.is_private:
            return self.env._("An address of a shop's network.")
        return self.env._("An address of the internet, not of a shop's network: is it right?")

    def _hint_serial(self):
        if self.usb:
            vendor = self.usb.strip().lower()
            if not USB.fullmatch(vendor):
                return self.env._("Vendor and product look like 0b00:0057; “card-terminal ports” shows them.")
            return self.env._("Looks like %s.", looks_like(vendor[:4]))
        words = {
            "stays": self.env._("A name that stays the same in this socket."),
            "windows": self.env._("A port of Windows. It may change when the cable is put into another socket."),
            "moves": self.env._("This name changes when devices are plugged in: the USB device is safer."),
            "path": self.env._("A port of the driver's machine."),
        }
        device = (self.device or "").strip()
        found = next((word for pattern, word in DEVICES if re.fullmatch(pattern, device)), None)
        if found:
            return words[found]
        if device:
            return self.env._("A serial port looks like /dev/serial/by-id/… or COM3.")
        return self.env._("“card-terminal ports” on the driver's machine shows what to write here.")

    @api.constrains("transport", "protocol", *(name for names in PLACE_FIELDS.values() for name in names))
    def _check_reach(self):
        for terminal in self:
            info = terminal._protocol_info()
            if terminal.transport not in info.transports:
                kinds = " / ".join(self.env._(TRANSPORTS[kind]) for kind in info.transports)
                raise ValidationError(
                    self.env._(
                        "%(protocol)s is spoken over %(kinds)s.", protocol=terminal._protocol_name(), kinds=kinds
                    )
                )
            if terminal.transport == "tcp":
                terminal._check_reach_tcp()
            else:
                terminal._check_reach_serial()

    def _check_reach_tcp(self):
        if not self.host or not 0 < self.port < 65536:
            raise ValidationError(self.env._("%s needs an IP address and a port from 1 to 65535.", self.name))
        if not re.fullmatch(r"[\w.:-]+", self.host) or self.host.count(":") == 1:
            raise ValidationError(
                self.env._(
                    "“%s” is no address: write 192.168.1.50 or a name, and the port in its own field.", self.host
                )
            )

    def _check_reach_serial(self):
        if bool(self.device) == bool(self.usb):
            raise ValidationError(
                self.env._(
                    "%s needs its serial port or its USB device, one of the two. On the driver's machine, "
                    "“card-terminal ports” shows what is plugged in.",
                    self.name,
                )
            )
        if self.usb and not USB.fullmatch(self.usb):
            raise ValidationError(
                self.env._(
                    "“%s” is no USB device: write vendor:product or vendor:product:serial, like 0b00:0057.", self.usb
                )
            )

    def _transport(self):
        """Return how the driver reaches this terminal (docs/api.md 2.2)."""
        self.ensure_one()
        place = {name: self[name] for name in PLACE_FIELDS[self.transport] if self[name]}
        return {"kind": self.transport, **place, **self._set_options(of_transport=True)}

    @api.constrains("driver_id", "transport", "host", "port", "device", "usb", "active", "other_network")
    def _check_address(self):
        """Two drivers on one terminal would charge behind each other's back; one driver knows a terminal once."""
        for terminal in self.filtered("active"):
            others = terminal._at_the_same_place()
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
            # A cable ends at one machine: the same port of another machine is another terminal's.
            elsewhere = others if terminal.transport == "tcp" else others.browse()
            if elsewhere and not terminal.other_network and not all(elsewhere.mapped("other_network")):
                raise ValidationError(
                    self.env._(
                        "%(other)s of driver %(driver)s has the same address: a terminal has one driver. If it is "
                        "another terminal in another shop's network, tick “In a Network of Its Own”.",
                        other=elsewhere[0].name,
                        driver=elsewhere[0].driver_id.name,
                    )
                )

    def _at_the_same_place(self):
        """Return the other terminals of this company with the same address or port."""
        self.ensure_one()
        there = [("id", "!=", self.id), ("transport", "=", self.transport), ("company_id", "=", self.company_id.id)]
        if self.transport == "tcp":
            there += [("host", "=ilike", _escaped(self.host)), ("port", "=", self.port)]
        else:
            named = "usb" if self.usb else "device"
            there += [(named, "=ilike", _escaped(self[named]))]
        return self.sudo().search(there)


def _escaped(text):
    """Return a text as `=ilike` finds just this one, in capitals or not."""
    return (text or "").replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
