"""The keys that Odoo and its drivers share: sealed in the database, changed without a visit, taken back at once."""

import base64
import secrets
import time
from datetime import timedelta

from cryptography.fernet import Fernet, InvalidToken
from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import hmac

from ..hw_driver import signing

#: Days after which a key is changed by itself.
KEY_DAYS = 90
#: Seconds that a signature may be old, or of another clock.
MAX_CLOCK_ERROR = 7 * 24 * 3600
#: What is read of a driver, in one query, to know it by its signature.
TO_CHECK = ["uuid", "company_id", "key_state", "sealed_key", "sealed_next_key"]


class CardTerminalDriver(models.Model):
    _inherit = "card.terminal.driver"

    # Sealed with the database's own secret, which Odoo draws anew when it duplicates or copies a database: the keys
    # in such a copy open nothing, even where nobody neutralized it. They are no use in a dump of this table either.
    sealed_key = fields.Char(copy=False, readonly=True, exportable=False, groups="base.group_system")
    sealed_next_key = fields.Char(copy=False, readonly=True, exportable=False, groups="base.group_system")
    key = fields.Char(
        compute="_compute_key",
        inverse="_inverse_key",
        copy=False,
        exportable=False,
        groups="base.group_system",
        help="Shared secret of Odoo and this driver, 32 bytes in hex.",
    )
    next_key = fields.Char(
        compute="_compute_next_key",
        inverse="_inverse_next_key",
        copy=False,
        exportable=False,
        groups="base.group_system",
    )
    next_key_rides = fields.Boolean(
        "Next Key Under Way",
        copy=False,
        readonly=True,
        help="The new key is given to the driver in Odoo's next answer, under the old one.",
    )
    key_date = fields.Date("Key Since", copy=False, readonly=True)
    key_state = fields.Selection(
        [("active", "Trusted"), ("retired", "Retired"), ("revoked", "Revoked")],
        "Trust",
        default="active",
        required=True,
        readonly=True,
        copy=False,
        help="Retired: Odoo still takes what this driver has to tell, and nobody sells with it. Revoked: refused.",
    )
    has_key = fields.Boolean("Paired", compute="_compute_has_key")

    @api.depends("sealed_key")
    def _compute_key(self):
        for driver in self:
            driver.key = driver._unseal(driver.sealed_key)

    @api.depends("sealed_next_key")
    def _compute_next_key(self):
        for driver in self:
            driver.next_key = driver._unseal(driver.sealed_next_key)

    def _inverse_key(self):
        for driver in self:
            driver.write({
                "sealed_key": driver._seal(driver.key),
                "sealed_next_key": False,
                "key_date": driver.key and fields.Date.today(),
            })  # fmt: skip

    def _inverse_next_key(self):
        for driver in self:
            driver.sealed_next_key = driver._seal(driver.next_key)

    @api.depends("sealed_key", "key_state")
    def _compute_has_key(self):
        for driver in self:
            driver.has_key = driver.key_state == "active" and bool(driver.sudo().key)

    # Sealing ----------------------------------------------------------------------------------------------------------

    def _fernet(self):
        secret = hmac(self.env(su=True), "card.terminal.driver.key", "seal")
        return Fernet(base64.urlsafe_b64encode(bytes.fromhex(secret)))

    def _seal(self, key):
        return self._fernet().encrypt(key.encode()).decode() if key else False

    def _unseal(self, sealed):
        """Return the key, or False where there is none or it was sealed in another database."""
        try:
            return self._fernet().decrypt(sealed.encode()).decode() if sealed else False
        except InvalidToken:
            return False

    # Use --------------------------------------------------------------------------------------------------------------

    @api.model
    def _who_signed(self, uuid, header, body):
        """Return the driver that signed this, with superuser rights in its company, and its key; else (None, None)."""
        driver = self.sudo().search_fetch([("uuid", "=", uuid)], TO_CHECK)
        signed = driver and driver._signed_by(header, body)
        if not signed or abs(time.time() - signed[1]) > MAX_CLOCK_ERROR:
            return None, None
        return driver.with_user(SUPERUSER_ID).with_company(driver.company_id), signed[0]

    def _signed_by(self, header, body):
        """Return (key, unix seconds) that signed a request of this driver, or None.

        A key that the driver uses for the first time becomes the only one.
        """
        self.ensure_one()
        driver = self.sudo()
        for key in filter(None, (driver.key, driver.next_key)):
            try:
                at = signing.verify_body(bytes.fromhex(key), header, body)
            except signing.BadSignature:
                continue
            if key != driver.key:
                driver._take_next_key()
            return bytes.fromhex(key), at
        return None

    def _take_next_key(self):
        self.env["bus.bus"]._is_lasting()
        self.write({"key": self.next_key, "key_state": "active", "next_key_rides": False})
        self.message_post(body=self.env._("The driver uses its new key. The one before is worth nothing now."))

    def _riding_key(self):
        """Return the new key for the driver's eyes alone, or None."""
        driver = self.sudo()
        if not (driver.next_key_rides and driver.next_key and driver.has_key):
            return None
        return signing.wrap_key(bytes.fromhex(driver.key), bytes.fromhex(driver.next_key), secrets.token_bytes(16))

    # Change and end ---------------------------------------------------------------------------------------------------

    def action_rotate_key(self):
        """Give the driver a new key in Odoo's next answer; both are accepted until it has used the new one."""
        self._check_manager()
        for driver in self.sudo():
            if not driver.has_key:
                raise UserError(self.env._("%s is not paired. Press Connect This Till first.", driver.name))
            driver.write({"next_key": secrets.token_hex(32), "next_key_rides": True})
            driver.message_post(body=self.env._("%s changes the key.", self.env.user.name))

    def action_revoke(self):
        """Refuse the driver from now on; its tills cannot sell with it."""
        self._check_manager()
        for driver in self.sudo():
            driver.write({"key_state": "revoked", "next_key": False, "next_key_rides": False})
            driver.message_post(body=self.env._("%s revoked the driver's key.", self.env.user.name))

    def action_retire(self):
        """Take what the driver still has to tell, and let nobody sell with it."""
        self._check_manager()
        for driver in self.sudo():
            driver.write({"key_state": "retired", "next_key": False, "next_key_rides": False})
            driver.message_post(body=self.env._("%s retired the driver.", self.env.user.name))

    @api.model
    def _cron_rotate_keys(self):
        """Change old keys of drivers that are there; those that are away would only keep two."""
        today, now = fields.Date.today(), fields.Datetime.now()
        due = self.search([
            ("key_state", "=", "active"),
            ("sealed_key", "!=", False),
            ("key_date", "<", today - timedelta(days=KEY_DAYS)),
            ("last_seen", ">", now - timedelta(days=1)),
            ("next_key_rides", "=", False),
        ])  # fmt: skip
        due.filtered("has_key").action_rotate_key()
