"""From a short code to a driver that Odoo trusts; its key sealed, changed and taken back; replaced by another."""

import hashlib
import io
import json
import re
import zipfile
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from ..hw_driver import __version__, signing
from .common import KEY, CardTerminalCase, Journal, signature

HEX = re.compile(r"[0-9a-f]{64}")
OTHER = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class DriverCase(CardTerminalCase):
    def stored(self, driver, column):
        """Return what the database holds."""
        self.env.flush_all()
        self.env.cr.execute(f'SELECT "{column}" FROM card_terminal_driver WHERE id = %s', [driver.id])
        return self.env.cr.fetchone()[0]

    def wrong(self, code):
        """Return the code with another last letter."""
        return code[:-1] + next(letter for letter in OTHER if letter != code[-1])


@tagged("post_install", "-at_install")
class TestKeys(DriverCase):
    def test_the_key_is_sealed_and_opens_only_here(self):
        self.assertNotIn(KEY, self.stored(self.driver, "sealed_key"))
        self.assertTrue(self.driver.has_key)
        self.env["ir.config_parameter"].set_param("database.secret", "a copy has another one")
        self.env.invalidate_all()
        self.assertFalse(self.driver.key)
        self.assertFalse(self.driver.has_key)

    def test_rotation_keeps_both_until_the_driver_uses_the_new_one(self):
        self.driver.action_rotate_key()
        riding = self.report()["new_key"]
        new = signing.unwrap_key(bytes.fromhex(KEY), riding).hex()
        self.assertEqual(new, self.driver.next_key)
        self.assertNotIn(new, riding)
        body = b"{}"
        self.assertEqual(self.driver._signed_by(signature(body), body)[0].hex(), KEY)
        self.assertEqual(self.driver._signed_by(signature(body, new), body)[0].hex(), new)
        self.assertEqual((self.driver.key, self.driver.next_key), (new, False))
        self.assertIsNone(self.driver._signed_by(signature(body), body), "the old key still opens")
        self.assertNotIn("new_key", self.report())

    def test_old_keys_are_changed_by_themselves_where_the_driver_is_there(self):
        self.driver.write({"key_date": fields.Date.today() - timedelta(days=200)})
        self.env["card.terminal.driver"]._cron_rotate_keys()
        self.assertFalse(self.driver.next_key, "the driver is away")
        self.driver.last_seen = fields.Datetime.now()
        self.env["card.terminal.driver"]._cron_rotate_keys()
        self.assertRegex(self.driver.next_key, HEX)
        waiting = self.driver.next_key
        self.env["card.terminal.driver"]._cron_rotate_keys()
        self.assertEqual(self.driver.next_key, waiting)

    def test_a_retired_driver_tells_and_sells_nothing(self):
        session = self.open()
        self.driver.action_retire()
        self.ask("order", "line")
        answer = self.report()
        self.assertEqual((answer["standing"]["state"], answer["configuration"]), ("retired", None))
        self.assertTrue(self.env["card.transaction"].search([("order_uuid", "=", "order")]))
        self.assertEqual(session.card_terminal_grants(), [])
        with self.assertRaises(UserError):
            self.driver._session_grant(session)

    def test_versions(self):
        for version, api, state, standing in (
            (__version__, 1, "current", "active"),
            ("1.0.0.dev1", 1, "required", "outdated"),
            ("99.0", 1, "current", "active"),
            (__version__, 99, "newer", "outdated"),
            (__version__, 0, "required", "outdated"),
        ):
            with self.subTest(version=version, api=api):
                answer = self.receive(self.journal.payload(self.driver.last_seq + 1, version=version, api=api))
                self.assertEqual((self.driver.update_state, answer["standing"]["state"]), (state, standing))
                self.assertEqual(bool(answer["standing"]["text"]), standing != "active")

    def test_replacing_a_driver(self):
        self.open()
        unknown = self.ask("order", "line")
        self.report()
        new = self.env["card.terminal.driver"].create({"name": "New till", "company_id": self.company.id})
        wizard = self.env["card.driver.replace"].create({"old_id": self.driver.id, "new_id": new.id})
        self.assertEqual(wizard.open_count, 1)
        with self.assertRaises(UserError):
            wizard.action_replace()  # not paired
        new.key = "6b" * 32
        self.terminal.active = False
        wizard.action_replace()
        self.assertEqual((self.terminal | self.spare).driver_id, new)
        transaction = self.transaction(unknown)
        self.assertEqual((transaction.state, transaction.code), ("unknown", "driver_replaced"))
        self.assertTrue(transaction.needs_attention)
        # The old one comes back and knows how it ended: law 6.
        self.approve(unknown)
        self.assertEqual(self.report()["standing"]["state"], "retired")
        self.assertEqual(self.transaction(unknown).state, "approved")
        told = Journal(new.uuid, self.database_uuid)
        claims = self.receive(told.payload(), driver=new)["configuration"]
        self.assertTrue(claims)


@tagged("post_install", "-at_install")
class TestPairing(DriverCase, HttpCase):
    def setUp(self):
        super().setUp()
        self.new = self.env["card.terminal.driver"].create({"name": "New till", "company_id": self.company.id})

    def code(self, driver=None):
        return self.env["card.terminal.pairing"].sudo()._new_code(driver or self.new)

    def pair(self, code, **members):
        body = json.dumps({"code": code, "name": "till-7", "version": "1.0.0", **members})
        with mute_logger("odoo.addons.pos_card_terminal.controllers.pair"):
            return self.url_open("/card_terminal/v1/pair", data=body, headers={"Content-Type": "application/json"})

    def test_a_code_gives_a_key_once(self):
        code = self.code()
        self.assertNotIn(code.replace("-", ""), self.env["card.terminal.pairing"].sudo().search([]).mapped("code_hash"))
        answer = self.pair(code.lower().replace("-", " "))
        self.assertEqual(answer.status_code, 200)
        tables = answer.json()
        self.assertEqual(tables["odoo"]["driver"], self.new.uuid)
        self.assertEqual(tables["odoo"]["database_uuid"], self.database_uuid)
        self.assertRegex(tables["odoo"]["key"], HEX)
        self.assertFalse(self.new.has_key, "trusted before it was used")
        self.assertEqual(self.pair(code).status_code, 403)
        body = json.dumps(Journal(self.new.uuid, self.database_uuid).payload()).encode()
        headers = {
            "X-Card-Terminal-Driver": self.new.uuid,
            "X-Card-Terminal-Signature": signature(body, tables["odoo"]["key"]),
            "Content-Type": "application/json",
        }
        self.assertEqual(self.url_open("/card_terminal/v1/events", data=body, headers=headers).status_code, 200)
        self.assertEqual(self.new.key, tables["odoo"]["key"])

    def test_five_tries_per_code_and_five_minutes(self):
        code = self.code()
        for _ in range(5):
            self.assertEqual(self.pair(self.wrong(code)).status_code, 403)
        self.assertEqual(self.pair(code).status_code, 403, "a sixth try")
        late = self.code()
        self.env["card.terminal.pairing"].sudo().search([]).write(
            {"expires": fields.Datetime.now() - timedelta(seconds=1)}
        )
        self.assertEqual(self.pair(late).status_code, 403)
        self.assertEqual(self.pair(self.code()).status_code, 200, "a new code begins anew")

    def test_a_new_code_ends_the_one_before(self):
        first, second = self.code(), self.code()
        self.assertEqual(self.pair(first).status_code, 403)
        self.assertEqual(self.pair(second).status_code, 200)

    def test_one_address_cannot_guess_for_ever(self):
        for number in range(20):
            self.pair(f"{OTHER[number]}000-0000")
        self.assertEqual(self.pair(self.code()).status_code, 403)
        self.assertEqual(self.env["card.terminal.pairing.try"].sudo().search_count([]), 20)
        self.env["card.terminal.pairing.try"].sudo().search([]).write({"address": "192.0.2.1"})
        self.assertEqual(self.pair(self.code()).status_code, 200)

    def test_what_is_no_request_is_refused(self):
        for body in (" ", "[]", '{"code": 7}', "{" * 3000, "x" * 5000):
            answer = self.url_open("/card_terminal/v1/pair", data=body.encode(), headers={"Content-Type": "text/plain"})
            self.assertIn(answer.status_code, (400, 413))
            self.assertTrue(answer.json()["error"])

    def test_a_revoked_driver_is_told_so_by_the_odoo_it_knows(self):
        self.driver.action_revoke()
        body = json.dumps(self.journal.payload()).encode()
        headers = {"X-Card-Terminal-Driver": self.driver.uuid, "X-Card-Terminal-Signature": signature(body)}
        answer = self.url_open("/card_terminal/v1/events", data=body, headers=headers)
        self.assertEqual((answer.status_code, answer.json()["standing"]["state"]), (401, "revoked"))
        signing.verify_answer(
            bytes.fromhex(KEY), headers["X-Card-Terminal-Signature"], answer.headers["X-Card-Terminal-Signature"],
            answer.content,
        )  # fmt: skip
        self.assertFalse(self.driver.last_seq)

    def test_the_page(self):
        with self.assertRaises(AccessError):
            self.new.with_user(self.cashier).action_connect()
        action = self.config.action_card_connect()
        page = self.env["card.driver.connect"].with_context(**action["context"]).create({})
        self.assertEqual(page.driver_id, self.driver)
        code = re.search(r"pair \S+ ([0-9A-Z]{4}-[0-9A-Z]{4}) ", page.command)[1]
        self.assertIn(code, page.command_windows)
        self.assertFalse(page.connected)
        self.assertFalse(page.browse(page.id).with_context(card_code=False).command.count(code), "the code is kept")
        self.assertEqual(self.pair(code).status_code, 200)

    def test_the_page_gives_the_till_a_terminal_and_a_method(self):
        config = self.env["pos.config"].create({"name": "Bar", "company_id": self.company.id})
        config.payment_method_ids = self.cash_pm1.copy({"journal_id": self.cash_pm1.journal_id.copy().id})
        action = config.action_card_connect()
        page = self.env["card.driver.connect"].with_context(**action["context"]).create({})
        self.assertFalse(page.has_terminal)
        with self.assertRaises(UserError):
            page.action_done()
        page.write({"host": "192.0.2.77", "terminal_name": "Bar"})
        page.action_done()
        self.assertEqual((config.card_terminal_id.host, config.card_terminal_id.driver_id.name), ("192.0.2.77", "Bar"))
        self.assertIn(self.card_pm, config.payment_method_ids)

    def test_the_driver_comes_from_this_odoo(self):
        wheel = self.url_open(f"/card_terminal/driver/card_terminal_driver-{__version__}-py3-none-any.whl")
        offer = self.report()["offer"]
        self.assertEqual(hashlib.sha256(wheel.content).hexdigest(), offer["sha256"])
        self.assertEqual(self.url_open(offer["file"]).content, wheel.content)
        names = zipfile.ZipFile(io.BytesIO(wheel.content)).namelist()
        self.assertIn("hw_driver/cli.py", names)
        single = self.url_open("/card_terminal/driver/card-terminal.pyz")
        self.assertIn("__main__.py", zipfile.ZipFile(io.BytesIO(single.content)).namelist())
        self.assertEqual(self.url_open("/card_terminal/driver/__init__.py").status_code, 404)
