"""Which drivers this module gets on with, what newer one it offers, and what each driver is told of that."""

import hashlib
from functools import cache

from odoo import api, fields, models
from odoo.tools import parse_version

from ..hw_driver import __version__
from ..hw_driver.install import package

#: Numbers of the interface (docs/api.md) that this module speaks with drivers.
APIS = (1,)
#: Drivers older than this sell nothing until they are updated.
MINIMUM = "1.0.0"
PACKAGE_PATH = "/card_terminal/driver/"


class CardTerminalDriver(models.Model):
    _inherit = "card.terminal.driver"

    version = fields.Char(readonly=True, copy=False)
    api_version = fields.Integer("Interface", readonly=True, copy=False)
    reported_url = fields.Char("Address It Reports", readonly=True, copy=False)
    update_state = fields.Selection(
        [
            ("unknown", "Never heard of"),
            ("current", "Up to date"),
            ("available", "Update available"),
            ("required", "Update required"),
            ("newer", "Newer than this module"),
        ],
        "Update",
        compute="_compute_update_state",
    )

    @api.depends("version", "api_version")
    def _compute_update_state(self):
        for driver in self:
            driver.update_state = driver._update_state()

    def _update_state(self):
        if not self.version:
            return "unknown"
        version = parse_version(self.version)
        if self.api_version > max(APIS):
            return "newer"
        if self.api_version not in APIS or version < parse_version(MINIMUM):
            return "required"
        return "available" if version < parse_version(__version__) else "current"

    def _words_to_driver(self):
        """Return what a signed answer says of the driver itself: docs/api.md 2.5."""
        words = {"standing": self._standing(), "offer": _offer()}
        if riding := self._riding_key():
            words["new_key"] = riding
        return words

    def _standing(self):
        """Return {state, text}; anything but `active` keeps the driver from selling, and the text says why."""
        if self._judge()[0] == "active":  # in every answer: without a look at the company
            return {"state": "active", "text": ""}
        lang = self.company_id.partner_id.lang or self.env.lang
        state, text = self.with_context(lang=lang)._judge()
        return {"state": state, "text": text}

    def _judge(self):
        if self.key_state == "revoked":
            return "revoked", self.env._("This card driver was revoked in Odoo. Pair it again to use it.")
        if self.key_state == "retired":
            return "retired", self.env._("Another card driver has taken this one's place. Reload the till.")
        if self.update_state == "required":
            return "outdated", self.env._("The card driver is too old for this Odoo. Run: card-terminal upgrade")
        if self.update_state == "newer":
            return "outdated", self.env._(
                "The card driver is newer than Odoo's module for card terminals. Update that."
            )
        return "active", ""

    def _note_version(self, payload):
        """Keep what the driver says of itself."""
        api_version = payload.get("api")
        said = {
            "version": str(payload.get("version") or "")[:64],
            "api_version": api_version if type(api_version) is int and 0 <= api_version < 1000 else 0,
            "reported_url": str(payload.get("url") or "")[:200],
        }
        self.write({name: value for name, value in said.items() if self[name] != value})

    def action_use_reported_url(self):
        """Let tills call the driver where it says it is."""
        self._check_manager()
        for driver in self.filtered("reported_url"):
            driver.url = driver.reported_url


@cache
def _offer():
    """Return the driver that this module carries: the same for as long as the process runs."""
    return {
        "version": __version__,
        "minimum": MINIMUM,
        "apis": list(APIS),
        "file": PACKAGE_PATH + package.wheel_name(__version__),
        "sha256": hashlib.sha256(package.wheel(__version__)).hexdigest(),
    }
