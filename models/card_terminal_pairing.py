"""Pairing by a short code: made in Odoo for one driver, good for five minutes and five tries, used once."""

import secrets
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

#: Without the letters and digits that people mix up (Crockford's base 32, without U).
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
MISREAD = str.maketrans("OIL", "011", " -")
#: The first letters say which code is meant, so that tries can be counted; the others are the secret.
SELECTOR, LENGTH = 3, 8
LIFE = timedelta(minutes=5)
TRIES = 5
#: Wrong tries from one address in an hour, over all codes.
TRIES_OF_ADDRESS = 20


class CardTerminalPairing(models.Model):
    _name = "card.terminal.pairing"
    _description = "Pairing Code of a Card Terminal Driver"
    _order = "id desc"
    _rec_name = "driver_id"

    driver_id = fields.Many2one("card.terminal.driver", required=True, readonly=True, ondelete="cascade", index=True)
    selector = fields.Char(readonly=True, index=True)
    code_hash = fields.Char(readonly=True, exportable=False, groups="base.group_system")
    expires = fields.Datetime(required=True, readonly=True)
    tries = fields.Integer(required=True, readonly=True, default=0)
    used_at = fields.Datetime(readonly=True)

    @api.model
    def _new_code(self, driver):
        """Return a new code for a driver; codes it had before are worth nothing."""
        self.search([("driver_id", "=", driver.id), ("used_at", "=", False)]).unlink()
        code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
        while self.search_count([("selector", "=", code[:SELECTOR])]):
            code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
        self.create({
            "driver_id": driver.id,
            "selector": code[:SELECTOR],
            "code_hash": self.env["res.users"]._crypt_context().hash(code),
            "expires": fields.Datetime.now() + LIFE,
        })  # fmt: skip
        return f"{code[:4]}-{code[4:]}"

    @api.model
    def _redeem(self, code, address):
        """Return the driver of a code, or an empty recordset; a try is counted before it is judged.

        The caller must let this transaction commit whatever comes out.
        """
        code = str(code).upper().translate(MISREAD)
        nobody = self.env["card.terminal.driver"]
        if len(code) != LENGTH or not self.env["card.terminal.pairing.try"]._may_try(address):
            return nobody
        counted = self.env.execute_query(SQL(
            """UPDATE card_terminal_pairing SET tries = tries + 1
                WHERE selector = %s AND tries < %s AND used_at IS NULL AND expires > %s RETURNING id""",
            code[:SELECTOR], TRIES, fields.Datetime.now(),
        ))  # fmt: skip
        pairing = self.browse([row[0] for row in counted])
        pairing.invalidate_recordset(["tries"])
        if not pairing or not self.env["res.users"]._crypt_context().verify(code, pairing.code_hash):
            self.env["card.terminal.pairing.try"].create({"address": address})
            return nobody
        pairing.write({"used_at": fields.Datetime.now(), "selector": False, "code_hash": False})
        return pairing.driver_id

    @api.autovacuum
    def _gc_codes(self):
        self.search([("expires", "<", fields.Datetime.now() - timedelta(days=1))]).unlink()


class CardTerminalPairingTry(models.Model):
    _name = "card.terminal.pairing.try"
    _description = "Wrong Try at a Pairing Code"
    _order = "id desc"
    _rec_name = "address"

    address = fields.Char(readonly=True, index=True)

    @api.model
    def _may_try(self, address):
        """Say whether this address may still guess."""
        since = fields.Datetime.now() - timedelta(hours=1)
        return self.search_count([("address", "=", address), ("create_date", ">", since)]) < TRIES_OF_ADDRESS

    @api.autovacuum
    def _gc_tries(self):
        self.search([("create_date", "<", fields.Datetime.now() - timedelta(days=1))]).unlink()
