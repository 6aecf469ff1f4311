"""The companion driver on a till: its pairing key, its configuration, and the grants that Odoo signs for it."""

import secrets
import time
import uuid
from urllib.parse import urlsplit

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from ..hw_driver import signing

SESSION_GRANT_SECONDS = 7 * 24 * 3600
ONE_TIME_GRANT_SECONDS = 10 * 60
SESSION_OPERATIONS = ["sale", "status", "cancel", "identify", "reprint"]


class CardTerminalDriver(models.Model):
    _name = "card.terminal.driver"
    _description = "Card Terminal Driver"
    _inherit = ["mail.thread", "pos.load.mixin"]
    _order = "name, id"

    name = fields.Char(required=True, help="Where it runs, for people: the till or the machine.")
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", required=True, default=lambda self: self.env.company, index=True)
    uuid = fields.Char("Driver ID", required=True, readonly=True, copy=False, default=lambda self: str(uuid.uuid4()))
    url = fields.Char(
        "Address",
        required=True,
        default="http://127.0.0.1:8765",
        help="The driver as the till's browser reaches it. 127.0.0.1 is the till itself.",
    )
    origins = fields.Char(
        "Further Addresses of Odoo",
        help="Tills may call the driver from pages of Odoo's own address (web.base.url). Where tills open Odoo under "
        "other addresses too, write them here, separated by spaces: https://pos.example.com",
    )
    terminal_ids = fields.One2many("card.terminal", "driver_id", "Terminals")

    configuration_number = fields.Integer(default=1, readonly=True, copy=False)
    configuration_digest = fields.Char(readonly=True, copy=False)
    configuration_reported = fields.Integer("Configuration in Use", readonly=True, copy=False)

    journal_ref = fields.Char("Journal", readonly=True, copy=False)
    last_seq = fields.Integer("Last Event", readonly=True, copy=False)
    last_hash = fields.Char(readonly=True, copy=False)
    last_seen = fields.Datetime(readonly=True, copy=False)
    caught_up_at = fields.Datetime(
        readonly=True, copy=False, help="When the driver last said that Odoo has every event of its journal."
    )
    alarm = fields.Text(readonly=True, copy=False)
    alarm_at = fields.Datetime(readonly=True, copy=False)

    grant = fields.Char(
        compute="_compute_grant", help="Session grant of the session being opened; filled when a till loads."
    )
    grant_expires = fields.Integer(compute="_compute_grant")

    _unique_uuid = models.Constraint("UNIQUE(uuid)", "Another driver has this ID.")

    def _compute_grant(self):
        self.grant = False
        self.grant_expires = 0

    @api.constrains("url", "origins")
    def _check_addresses(self):
        for driver in self:
            for address in [driver.url, *(driver.origins or "").split()]:
                parts = urlsplit(address)
                if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
                    raise ValidationError(
                        self.env._("%s is not an address. Write it like http://127.0.0.1:8765.", address)
                    )

    def write(self, vals):
        result = super().write(vals)
        if vals.keys() & {"origins", "url"}:
            self._refresh_configuration()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        if self.env["card.transaction.event"].sudo().search_count([("driver_id", "in", self.ids)], limit=1):
            raise UserError(self.env._("A driver that has reported events is archived, not deleted."))

    # Pairing ----------------------------------------------------------------------------------------------------------

    def action_connect(self):
        """Open the page with the driver's package and the command that pairs it."""
        self.ensure_one()
        self._check_manager()
        return self.env["card.driver.connect"]._open(self)

    def _note_paired(self, name, version, address):
        """Make the key of a driver that brought a good code; the one before counts until the new one is used."""
        self.ensure_one()
        self.write({"next_key": secrets.token_hex(32), "next_key_rides": False})
        self.message_post(
            body=self.env._(
                "Paired with %(name)s (driver %(version)s) from %(address)s.",
                name=name or "?",
                version=version or "?",
                address=address,
            )
        )

    def action_new_key(self):
        """Make a new pairing key for the file; the old one is worth nothing from now on."""
        self._check_manager()
        for driver in self.sudo():
            driver.write({"key": secrets.token_hex(32), "key_state": "active", "next_key_rides": False})
            driver.message_post(body=self.env._("%s made a new pairing key.", self.env.user.name))

    def action_download_configuration(self):
        """Download driver.toml, which holds the key."""
        self.ensure_one()
        self._check_manager()
        if not self.has_key:
            self.action_new_key()
        return {
            "type": "ir.actions.act_url",
            "url": f"/card_terminal/driver/{self.id}/driver.toml",
            "target": "download",
        }

    def action_test_connection(self):
        """Say when the driver was last heard of."""
        self.ensure_one()
        seen = self.last_seen
        fresh = seen and (fields.Datetime.now() - seen).total_seconds() < 60
        if fresh:
            message = self.env._(
                "The driver was heard %s seconds ago.", int((fields.Datetime.now() - seen).total_seconds())
            )
        elif seen:
            message = self.env._("Last heard of at %s UTC. Is it running, and does its machine reach Odoo?", seen)
        else:
            message = self.env._("Never heard of. Run the command on the till, and try again.")
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success" if fresh else "warning",
                "message": message,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def action_clear_alarm(self):
        """Take note of the alarm; what it was stays in the chatter."""
        self._check_manager()
        for driver in self.sudo().filtered("alarm"):
            driver.message_post(body=self.env._("%s took note of the alarm.", self.env.user.name))
            driver.write({"alarm": False, "alarm_at": False})

    def _raise_alarm(self, text):
        """Keep an alarm on the driver until a manager takes note of it."""
        self.ensure_one()
        if text in (self.alarm or ""):
            return
        self.write({"alarm": "\n".join(filter(None, [self.alarm, text])), "alarm_at": fields.Datetime.now()})
        self.message_post(body=text)

    def _check_manager(self):
        if not self.env.su and not self.env.user.has_group("point_of_sale.group_pos_manager"):
            raise AccessError(self.env._("Only a Point of Sale administrator may do this."))
        self.check_access("write")  # what follows is done with more rights, for drivers of the user's companies only

    def _driver_tables(self):
        """Return the driver's own file as tables, docs/api.md section 3, with the key it is to use."""
        self.ensure_one()
        driver = self.sudo()
        parts = urlsplit(driver.url)
        listen = parts.hostname if parts.hostname in ("127.0.0.1", "localhost") else "0.0.0.0"  # noqa: S104 (a driver for the LAN)
        return {
            "driver": {"listen": "127.0.0.1" if listen == "localhost" else listen, "port": parts.port or 80},
            "odoo": {
                "url": driver.get_base_url(),
                "database": self.env.cr.dbname,
                "database_uuid": driver._database_uuid(),
                "driver": driver.uuid,
                "key": driver.next_key or driver.key or "",
            },
        }

    def _driver_toml(self):
        """Return the driver's own file."""
        self._check_manager()
        lines = ["# Keep this file private: its key lets a program speak for this driver."]
        for table, values in self._driver_tables().items():
            lines += ["", f"[{table}]", *(f"{name} = {_toml(value)}" for name, value in values.items())]
        return "\n".join(lines) + "\n"

    # Configuration ----------------------------------------------------------------------------------------------------

    def _database_uuid(self):
        return self.env["ir.config_parameter"].sudo().get_param("database.uuid")

    def _origins(self):
        """Return the origins whose pages may call the driver."""
        self.ensure_one()
        addresses = [self.get_base_url(), *(self.origins or "").split()]
        return sorted({f"{parts.scheme}://{parts.netloc}" for parts in map(urlsplit, addresses)})

    def _configuration(self):
        """Return the claims of docs/api.md 2.2, without the number."""
        self.ensure_one()
        host = urlsplit(self.url).hostname
        return {
            "typ": "configuration",
            "drv": self.uuid,
            "db": self._database_uuid(),
            "origins": self._origins(),
            "hosts": [] if host in ("127.0.0.1", "localhost") else [host],
            "terminals": [terminal._configuration() for terminal in self.terminal_ids.filtered("active").sorted("id")],
        }

    def _refresh_configuration(self):
        """Give the configuration a new number where it is no longer what the last number stood for."""
        for driver in self.sudo():
            digest = signing.canonical(driver._configuration()).hex()
            if digest != driver.configuration_digest:
                number = driver.configuration_number + bool(driver.configuration_digest)
                driver.write({"configuration_digest": digest, "configuration_number": number})

    def _signed_configuration(self):
        """Return the configuration as the driver verifies and keeps it."""
        self.ensure_one()
        return self._sign({**self._configuration(), "number": self.configuration_number})

    # Grants -----------------------------------------------------------------------------------------------------------

    def _sign(self, claims):
        if not self.has_key:
            raise UserError(self.env._("The card driver %s is not paired. Nothing was charged.", self.name))
        return signing.sign("odoo", bytes.fromhex(self.sudo().key), claims)

    def _claims(self, session):
        """Return the claims that every grant for a session's till has (docs/api.md 1.2)."""
        self.ensure_one()
        return {
            "drv": self.uuid,
            "db": self._database_uuid(),
            "till": session.config_id.name,
            "session": session.name,
            "user": self.env.user.name,
        }

    def _session_claims(self, session):
        """Return what a session's till may do with this driver, and where answers to it go."""
        terminals = session.config_id.card_terminal_ids.filtered(lambda terminal: terminal.driver_id == self)
        return {
            **self._claims(session),
            "ops": SESSION_OPERATIONS,
            "terminals": terminals.mapped("uuid"),
            "reply": session.config_id.id,
        }

    def _session_grant(self, session):
        """Return (grant, expiry in unix seconds) for the terminals that this session's till may use."""
        expires = int(time.time()) + SESSION_GRANT_SECONDS
        return self._sign({**self._session_claims(session), "typ": "session", "exp": expires}), expires

    def _open_grant(self, grant):
        """Return the claims of a session grant of this driver that still counts, or None."""
        key = bytes.fromhex(self.sudo().key) if self.has_key else None
        try:
            _kid, claims = signing.verify(grant, {"odoo": key}.get)
        except signing.BadSignature:
            return None
        mine = {"typ": "session", "drv": self.uuid, "db": self._database_uuid()}
        return claims if mine.items() <= claims.items() and claims["exp"] > time.time() and "reply" in claims else None

    def _one_time_grant(self, session, transaction):
        """Return (grant, expiry) over one transaction: {uuid, kind, max_amount, currency, terminal, original}."""
        self.ensure_one()
        expires = int(time.time()) + ONE_TIME_GRANT_SECONDS
        return self._sign({**self._claims(session), **transaction, "typ": "once", "exp": expires}), expires

    # To the till ------------------------------------------------------------------------------------------------------

    @api.model
    def _load_pos_data_domain(self, data, config):
        return [("id", "in", config.card_terminal_ids.driver_id.ids)]

    @api.model
    def _server_date_to_domain(self, domain):
        return domain  # always: grants age, and a terminal can be given to a till without being changed

    @api.model
    def _load_pos_data_fields(self, config):
        return ["id", "name", "uuid", "url", "grant", "grant_expires"]

    @api.model
    def _load_pos_data_read(self, records, config):
        rows = super()._load_pos_data_read(records, config)
        session = config.current_session_id
        for row in rows:
            driver = self.browse(row["id"])
            if session and driver.has_key:
                row["grant"], row["grant_expires"] = driver._session_grant(session)
        return rows


def _toml(value):
    """Return a string or number as TOML says it (a JSON string is a TOML basic string)."""
    return signing.canonical(value).decode()
