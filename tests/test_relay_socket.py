"""The relay over Odoo's websockets: what comes there is judged as by HTTP, by the server that really serves them."""

import json
import time
import uuid

from odoo.addons.bus.tests.common import WebsocketCase
from odoo.tests import tagged

from ..hw_driver import signing
from .common import KEY, decode_grant, signature
from .test_relay import RelayCase

PASSWORD = "cashier-of-the-relay"
NOBODY = ""


@tagged("post_install", "-at_install")
class TestRelaySocket(RelayCase, WebsocketCase):
    def setUp(self):
        super().setUp()
        self.pos, self.session = self.session, None  # the browser's from here on
        self.cashier.password = PASSWORD
        self.env.cr.precommit.run()
        self.seen = self.last()

    def last(self):
        return self.env["bus.bus"].sudo().search([], order="id desc", limit=1).id

    def on_the_bus(self):
        """Return (channel, message) of what was put on the bus since the last call."""
        rows = self.env["bus.bus"].sudo().search([("id", ">", self.seen)], order="id")
        self.seen = self.last()
        return [(json.loads(row.channel)[1:], json.loads(row.message)) for row in rows]

    def say(self, event, data, login=NOBODY, **options):
        """Send a frame on a websocket of this user's, and wait until Odoo has served it."""
        if login:
            browser = self.authenticate(login, PASSWORD)
            options["cookie"] = f"session_id={browser.sid}"
        self.env.flush_all()
        websocket = self.websocket_connect(**options)
        websocket.send(json.dumps({"event_name": event, "data": data}))
        websocket.ping()
        websocket.recv_data_frame(control_frame=True)  # frames are served in turn
        self._close_websockets()

    def command(self, login="card_cashier", by=None, options=None, **changes):
        """Send a command as a till does: return the claims that drivers were sent, and what the asker was told."""
        request = self.request(**changes)
        data = {"grant": self.grant() if by is None else by, "request": request}
        self.say("card_terminal_command", data, login, **(options or {}))
        sent, told = [], []
        for channel, message in self.on_the_bus():
            if message["type"] == "card_terminal_relay":
                sent.append(decode_grant(message["payload"]["command"], KEY))
            elif message["type"] == "CARD_TERMINAL_NOT_SENT":
                self.assertEqual(message["payload"]["command"], request["command"])
                asker = self.env["res.users"].search([("login", "=", login)])
                self.assertEqual(channel, ["res.partner", asker.partner_id.id], "nobody but who asked is told")
                told.append(message["payload"]["problem"]["code"])
        return sent, told

    def grant(self, driver=None):
        """Return the session grant that the cashier's till has."""
        return (driver or self.driver).with_user(self.cashier)._session_grant(self.pos)[0]

    def signed(self, **changes):
        """Return a session grant that Odoo never gave, or not like this, signed with the driver's key."""
        return self.driver._sign({**decode_grant(self.grant(), KEY), **changes})

    def test_a_command_is_what_it_is_as_a_call(self):
        number, body = str(uuid.uuid4()), {"amount": 1000}
        ((claims,), told) = self.command(op="start", uuid=number, body=body, grant="once")
        self.assertEqual((claims["op"], claims["uuid"], claims["body"]), ("start", number, body))
        self.assertEqual((claims["once"], claims["user"]), ("once", self.cashier.name))
        self.assertEqual(claims["reply"], self.config.id)
        self.assertTrue(claims["iat"] <= time.time() < claims["exp"] <= claims["iat"] + 10)
        self.assertFalse(told)
        as_called = self.session_commands(op="start", uuid=number, body=body, grant="once")
        changing = dict.fromkeys(("id", "iat", "exp"))
        self.assertEqual({**claims, **changing}, {**as_called, **changing})

    def session_commands(self, **changes):
        """Return the claims of the same command as a call."""
        self.pos.with_user(self.cashier).card_terminal_relay(self.request(**changes))
        self.env.cr.precommit.run()
        return decode_grant(self.on_the_bus()[-1][1]["payload"]["command"], KEY)

    def test_who_may_not_send_sends_nothing(self):
        stranger = self.cashier.copy({"login": "stranger", "group_ids": [(6, 0, [self.env.ref("base.group_user").id])]})
        company = self.env["res.company"].create({"name": "Elsewhere"})
        away = self.cashier.copy({"login": "away", "company_id": company.id, "company_ids": [(6, 0, company.ids)]})
        (stranger | away).password = PASSWORD
        other = self.env["card.terminal.driver"].create({"name": "Not of this till", "company_id": self.company.id})
        other.key = KEY
        silence, good = ([], []), self.grant()
        for login in ("stranger", "away", NOBODY):
            with self.subTest(login=login):
                self.assertEqual(self.command(login), silence)
        grants = {
            "of another driver": self.grant(other),
            "of another key": signing.sign("odoo", bytes(32), decode_grant(good, KEY)),
            "of the driver's own": signing.sign("local", bytes.fromhex(KEY), decode_grant(good, KEY)),
            "over": self.signed(exp=int(time.time()) - 1),
            "for one payment": self.signed(typ="once"),
            "of another database": self.signed(db="x"),
            "that names another": self.signed(drv=other.uuid),
            "none": "x",
            "no text": 1,
        }
        for name, grant in grants.items():
            with self.subTest(grant=name):
                self.assertEqual(self.command(by=grant), silence)
        for driver in (other.uuid, None, [self.driver.uuid]):
            with self.subTest(driver=driver):
                self.assertEqual(self.command(driver=driver), silence)
        self.assertEqual(self.command(op="backup"), ([], ["odoo_refused"]))
        self.assertEqual(len(self.command()[0]), 1)
        self.driver.relay_connected = False
        self.assertEqual(self.command(), ([], ["not_listening"]))
        self.driver.relay_connected = True
        self.pos.state = "closed"
        self.assertEqual(self.command(by=good), silence)
        self.pos.state = "opened"
        self.assertEqual(len(self.command(by=good)[0]), 1)
        self.driver.key_state = "revoked"
        self.assertEqual(self.command(by=good), silence)

    def test_a_page_of_another_origin_sends_nothing(self):
        """A browser adds the cookie to a websocket that a page of another port of this host opens."""
        self.assertEqual(self.command(options={"origin": "http://127.0.0.1:1"}), ([], []))
        self.assertEqual(self.command(options={"origin": "http://shop.example"}), ([], []))
        self.assertEqual(len(self.command()[0]), 1)

    def answer(self, payload, **changes):
        """Send answers as a driver does: return what tills were told."""
        body = json.dumps(payload)
        data = {"driver": self.driver.uuid, "signature": signature(body.encode()), "body": body, **changes}
        self.say("card_terminal_answers", data)
        return [message["payload"] for _channel, message in self.on_the_bus() if "RELAY" in message["type"]]

    def test_answers_are_known_by_their_signature(self):
        (told,) = self.answer(self.results(self.result()))
        self.assertEqual((told["driver"], told["command"], told["status"]), (self.driver.uuid, "c", 200))
        other = self.env["card.terminal.driver"].create({"name": "Other", "company_id": self.company.id})
        other.key = "cd" * 32
        good = self.results(self.result())
        for changes in (
            {"signature": "t=1,v1=00"},
            {"signature": "\ud800"},
            {"signature": None},
            {"driver": other.uuid},
            {"driver": ["x"]},
            {"body": json.dumps(self.results())},
        ):
            with self.subTest(changes=str(changes)[:40]):
                self.assertFalse(self.answer(good, **changes))
        for malformed in (self.results(self.result(), at=0), self.results(self.result(), database_uuid="x"), [1], "x"):
            with self.subTest(body=str(malformed)[:40]):
                self.assertFalse(self.answer(malformed))
        for state in ("retired", "revoked"):
            self.driver.sudo().key_state = state
            self.assertFalse(self.answer(good))
