"""The page that connects a till: the driver's package, one command with a short code, and the terminal beside it."""

from urllib.parse import urlsplit

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.http import db_list

from ..hw_driver.install import package
from ..hw_driver.protocols.registry import PROTOCOLS
from ..models.card_terminal_reach import PLACE_FIELDS
from ..models.card_terminal_version import PACKAGE_PATH

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class CardDriverConnect(models.TransientModel):
    _name = "card.driver.connect"
    _description = "Connect a Till to its Card Terminal"

    driver_id = fields.Many2one("card.terminal.driver", required=True, readonly=True, ondelete="cascade")
    config_id = fields.Many2one("pos.config", "Point of Sale", ondelete="cascade")
    # Not stored: the code is seen here once, and nowhere kept but hashed.
    code = fields.Char(compute="_compute_command")
    command = fields.Char("Linux", compute="_compute_command")
    command_windows = fields.Char("Windows (PowerShell)", compute="_compute_command")
    plain = fields.Boolean("Without HTTPS", compute="_compute_command")
    connected = fields.Boolean(compute="_compute_connected")
    last_seen = fields.Datetime(related="driver_id.last_seen")
    version = fields.Char(related="driver_id.version")

    terminal_name = fields.Char("Name of the Terminal", default=lambda self: self.env._("Counter"))
    protocol = fields.Selection(selection=lambda self: self.env["card.terminal"]._selection_protocol())
    transports = fields.Json(compute="_compute_transports")
    transport = fields.Selection(
        selection=lambda self: self.env["card.terminal"]._selection_transport(),
        string="Connected by",
        compute="_compute_transport",
        store=True,
        readonly=False,
    )
    host = fields.Char("IP Address of the Terminal")
    port = fields.Integer(default=8888)
    usb = fields.Char("USB Device", help="As “card-terminal ports” shows it on the till.")
    device = fields.Char("Serial Port", help="As “card-terminal ports” shows it on the till.")
    has_terminal = fields.Boolean(compute="_compute_has_terminal")

    @api.model
    def _open(self, driver, config=None):
        """Return the action that shows the page with a new code."""
        code = self.env["card.terminal.pairing"].sudo()._new_code(driver)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Connect This Till"),
            "res_model": self._name,
            "view_mode": "form",
            "target": "new",
            "context": {
                "card_code": code,
                "card_code_at": fields.Datetime.to_string(fields.Datetime.now()),
                "default_driver_id": driver.id,
                "default_config_id": config.id if config else False,
                "default_protocol": next(iter(PROTOCOLS)),
            },
        }

    @api.depends("driver_id")
    @api.depends_context("card_code")
    def _compute_command(self):
        code = self.env.context.get("card_code", "")
        for wizard in self:
            wizard.code = code
            url = wizard.driver_id.get_base_url()
            database = self.env.cr.dbname if len(db_list(force=True, host=urlsplit(url).netloc)) > 1 else ""
            header = f' -H "X-Odoo-Database: {database}"' if database else ""
            file = package.ZIPAPP
            pair = f"{file} pair {url} {code}{f' --database {database}' if database else ''} --install"
            fetch = f"-fsSLO{header} {url}{PACKAGE_PATH}{file}"
            wizard.command = f"curl {fetch} && python3 {pair}"
            wizard.command_windows = f"curl.exe {fetch}; py {pair}"
            parts = urlsplit(url)
            wizard.plain = parts.scheme != "https" and parts.hostname not in LOOPBACK

    @api.depends("driver_id.last_seen")
    @api.depends_context("card_code_at")
    def _compute_connected(self):
        since = fields.Datetime.to_datetime(self.env.context.get("card_code_at")) or fields.Datetime.now()
        for wizard in self:
            seen = wizard.driver_id.last_seen
            wizard.connected = wizard.driver_id.has_key and bool(seen and seen >= since)

    @api.depends("driver_id", "config_id")
    def _compute_has_terminal(self):
        for wizard in self:
            wizard.has_terminal = not wizard.config_id or bool(wizard.config_id.card_terminal_id)

    @api.depends("protocol")
    def _compute_transports(self):
        for wizard in self:
            info = PROTOCOLS.get(wizard.protocol)
            wizard.transports = list(info.transports) if info else []

    @api.depends("protocol")
    def _compute_transport(self):
        for wizard in self:
            known = wizard.transports or []  # Odoo keeps an empty list as nothing
            if wizard.transport not in known:
                wizard.transport = known[0] if known else False

    @api.onchange("protocol")
    def _onchange_protocol(self):
        if self.protocol:
            self.port = PROTOCOLS[self.protocol].default_port

    def action_check(self):
        """Look whether the driver has called."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Connect This Till"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
            "context": self.env.context,
        }

    def action_done(self):
        """Give the point of sale its terminal and a way to pay with it."""
        self.ensure_one()
        self.driver_id._check_manager()
        config = self.config_id
        if config and not config.card_terminal_id:
            if self.transport == "tcp" and not self.host:
                raise UserError(self.env._("Enter the IP address of the terminal; its menu or its slip shows it."))
            config.card_terminal_id = self.env["card.terminal"].create({
                "name": self.terminal_name or config.name,
                "driver_id": self.driver_id.id,
                "protocol": self.protocol,
                "transport": self.transport,
                **self._place(),
            })  # fmt: skip
        if config:
            config._give_card_method()
        return {"type": "ir.actions.act_window_close"}

    def _place(self):
        """Return where the terminal is, as its record says it."""
        place = {name: self[name] for name in PLACE_FIELDS[self.transport]}
        return {name: value.strip() if isinstance(value, str) else value for name, value in place.items()}
