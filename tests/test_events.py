"""The door for drivers: each refusal, and what a batch does. docs/api.md section 2."""

import hashlib
import hmac
import json
import time
import uuid

from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .common import CardTerminalCase, compact, signature

URL = "/card_terminal/v1/events"
CONTROLLER = "odoo.addons.pos_card_terminal.controllers.events"


@tagged("post_install", "-at_install")
class TestEvents(CardTerminalCase, HttpCase):
    def post(self, payload, *, driver=None, sign=signature, body=None, **headers):
        body = compact(payload) if body is None else body
        headers = {
            "Content-Type": "application/json",
            "X-Odoo-Database": self.env.cr.dbname,
            "X-Card-Terminal-Driver": driver or self.driver.uuid,
            "X-Card-Terminal-Signature": sign(body),
            **headers,
        }
        return self.url_open(URL, data=body, headers=headers, method="POST")

    def refused(self, status, payload, **changes):
        with mute_logger(CONTROLLER, "odoo.http"):
            answer = self.post(payload, **changes)
        self.assertEqual(answer.status_code, status, answer.text)
        self.assertTrue(answer.json()["error"])
        self.assertFalse(self.env["card.transaction.event"].search_count([("driver_id", "=", self.driver.id)]))

    def test_a_batch_is_taken_and_answered(self):
        self.open()
        transaction = self.ask("o", "l")
        self.approve(transaction)
        answer = self.post(self.journal.payload())
        self.assertEqual(answer.status_code, 200, answer.text)
        data = answer.json()
        asked = answer.request.headers["X-Card-Terminal-Signature"]
        signed = hmac.new(bytes.fromhex(self.driver.key), f"{asked}.".encode() + answer.content, hashlib.sha256)
        self.assertEqual(answer.headers["X-Card-Terminal-Signature"], f"v1={signed.hexdigest()}")
        self.assertEqual((data["acked"], data["want"]), (4, 5))
        self.assertEqual(data["database_uuid"], self.database_uuid)
        self.assertEqual(data["settled"], [])
        mirrored = self.transaction(transaction)
        self.assertRecordValues(
            mirrored,
            [
                {
                    "state": "approved",
                    "money": "final",
                    "amount_requested_minor": 1000,
                    "amount_approved_minor": 1000,
                    "amount_approved": 10.0,
                    "brand": "CB",
                    "last4": "4242",
                    "auth_code": "A1B2C3",
                    "entry_mode": "contactless",
                    "terminal_id": self.terminal.id,
                    "session_id": self.pos_session.id,
                    "config_id": self.config.id,
                    "exception": "approved_without_payment",
                }
            ],
        )
        self.assertEqual(mirrored.event_ids.mapped("type"), ["requested", "sent", "approved"])
        self.assertEqual(self.terminal.contract, "0012345")

    def test_the_same_batch_again_changes_nothing(self):
        self.open()
        transaction = self.ask("o", "l")
        self.approve(transaction)
        first = self.post(self.journal.payload()).json()
        again = self.post(self.journal.payload()).json()
        self.assertEqual((first["acked"], again["acked"]), (4, 4))
        self.assertEqual(self.env["card.transaction.event"].search_count([("driver_id", "=", self.driver.id)]), 4)
        self.assertFalse(self.driver.alarm)
        self.assertFalse(self.transaction(transaction).disagreement)

    def test_heartbeat(self):
        answer = self.post(self.journal.payload(events=[])).json()
        self.assertEqual((answer["acked"], answer["want"]), (0, 1))
        self.assertTrue(self.driver.last_seen)
        self.assertEqual(self.driver.version, "1.0.0")

    def test_events_from_further_on_are_asked_for_from_the_start(self):
        self.ask("o", "l")
        answer = self.post(self.journal.payload(since=2)).json()
        self.assertEqual((answer["acked"], answer["want"]), (0, 1))
        self.assertFalse(self.env["card.transaction"].search_count([("driver_id", "=", self.driver.id)]))

    def test_configuration_until_the_driver_has_it(self):
        signed = self.post(self.journal.payload()).json()["configuration"]
        self.assertTrue(signed.startswith("odoo."))
        number = self.driver.configuration_number
        self.assertIsNone(self.post(self.journal.payload(configuration=number)).json()["configuration"])
        self.terminal.port = 9999
        self.assertEqual(self.driver.configuration_number, number + 1)
        self.assertTrue(self.post(self.journal.payload(configuration=number)).json()["configuration"])

    def test_unknown_driver(self):
        self.refused(401, self.journal.payload(), driver=str(uuid.uuid4()))

    def test_driver_without_key(self):
        self.driver.key = False
        self.refused(401, self.journal.payload(), sign=lambda body: signature(body, key=""))

    def test_signature_of_another_key(self):
        self.refused(401, self.journal.payload(), sign=lambda body: signature(body, key="00" * 32))

    def test_signature_of_another_body(self):
        self.refused(401, self.journal.payload(), sign=lambda body: signature(body + b" "))

    def test_no_signature(self):
        for header in ("", "t=,v1=", "nonsense", "t=1"):
            self.refused(401, self.journal.payload(), sign=lambda body, header=header: header)

    def test_a_clock_a_week_off(self):
        for error in (-8, 8):
            at = int(time.time()) + error * 24 * 3600
            self.refused(401, self.journal.payload(), sign=lambda body, at=at: signature(body, at=at))
        at = int(time.time()) - 6 * 24 * 3600
        self.assertEqual(self.post(self.journal.payload(), sign=lambda body: signature(body, at=at)).status_code, 200)

    def test_another_database(self):
        self.refused(409, self.journal.payload(database_uuid=str(uuid.uuid4())))

    def test_malformed(self):
        for body in (b"", b"{", b"[]", b"\xff\xfe", b'{"driver": 1}', b"[" * 100_000):
            self.refused(400, None, body=body)
        for changes in (
            {"last": "1"},
            {"last": True},
            {"events": {}},
            {"journal_id": ""},
            {"journal_id": "a~2"},
            {"driver": "x"},
        ):
            self.refused(400, self.journal.payload(**changes))

    def test_malformed_events(self):
        good = self.ask("o", "l") and self.journal.events[1]
        wrong = (
            {"seq": 0}, {"seq": "2"}, {"at": "yesterday"}, {"body": []}, {"hash": "0" * 64},
            {"body": {**good["body"], "amount": "10"}}, {"body": {**good["body"], "amount": 10.0}},
            {"body": {**good["body"], "amount": -1}}, {"body": {**good["body"], "kind": "gift"}},
            {"body": {**good["body"], "currency": None}}, {"body": {**good["body"], "original": "x"}},
        )  # fmt: skip
        for change in wrong:
            self.refused(400, self.journal.payload(events=[self.journal.events[0], {**good, **change}]))
        self.refused(400, self.journal.payload(events=["event"]))

    def test_a_gap_inside_a_batch(self):
        self.ask("o", "l")
        self.refused(400, self.journal.payload(events=[self.journal.events[0], self.journal.events[2]]))

    def test_a_broken_chain_inside_a_batch(self):
        self.ask("o", "l")
        self.journal.events[1] = {**self.journal.events[1], "prev": "f" * 64}
        self.refused(400, self.journal.payload())

    def test_too_large(self):
        self.refused(413, None, body=b" " * ((1 << 20) + 1))
        for _ in range(500):
            self.journal.add("driver_started")
        self.refused(413, self.journal.payload())

    def test_500_events_fit(self):
        for _ in range(499):
            self.journal.add("driver_started")
        self.assertEqual(self.post(self.journal.payload()).json()["acked"], 500)

    def test_amounts_of_twelve_digits_and_bytes_that_no_database_takes(self):
        transaction = self.ask("o", "l", amount=10**12 - 1)
        self.journal.add("declined", transaction, state="declined", text="no\0thing", code="declined")
        self.assertEqual(self.post(self.journal.payload()).json()["acked"], 4)
        self.assertRecordValues(
            self.transaction(transaction),
            [{"amount_requested_minor": 10**12 - 1, "state": "declined", "text": "nothing"}],
        )

    def test_get_is_not_allowed(self):
        with mute_logger("odoo.http"):
            self.assertEqual(self.url_open(URL).status_code, 405)

    def test_driver_toml_is_for_administrators(self):
        url = f"/card_terminal/driver/{self.driver.id}/driver.toml"
        self.cashier.password = "card_cashier"
        self.authenticate("card_cashier", "card_cashier")
        with mute_logger("odoo.http"):
            self.assertNotIn(KEY_HEX, self.url_open(url).text)
        self.cashier.group_ids += self.env.ref("point_of_sale.group_pos_manager")
        text = self.url_open(url).text
        self.assertIn(f'key = "{KEY_HEX}"', text)
        self.assertIn(f"database_uuid = {json.dumps(self.database_uuid)}", text)


KEY_HEX = "5a" * 32
