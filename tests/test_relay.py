"""The relay on Odoo's side: who may send what to which driver, and where a driver's answers may go."""

import json
import time
import uuid
from datetime import timedelta

from odoo import SUPERUSER_ID
from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, tagged

from .common import KEY, CardTerminalCase, decode_grant, signature

URL = "/card_terminal/v1/relay"


class RelayCase(CardTerminalCase):
    def setUp(self):
        super().setUp()
        self.session = self.open()
        self.listen()

    def listen(self, **changes):
        """Let the driver say that it listens, and return Odoo's answer."""
        return self.receive(self.journal.payload(self.driver.last_seq + 1, relay=True, **changes))

    def request(self, **changes):
        return {
            "driver": self.driver.uuid, "command": str(uuid.uuid4()), "op": "ask", "uuid": str(uuid.uuid4()), **changes
        }  # fmt: skip

    def relay(self, user=None, session=None, **changes):
        session = session or self.session
        return session.with_user(user or self.cashier).card_terminal_relay(self.request(**changes))

    def commit_waits(self):
        """Put on the bus what is to get there, as a commit would, and return whether the commit waits for the disk."""
        self.env.cr.execute("SET LOCAL synchronous_commit TO on")
        self.env.cr.precommit.run()
        self.env.cr.execute("SHOW synchronous_commit")
        return self.env.cr.fetchone() == ("on",)

    def on_the_bus(self):
        """Return (channel, message) of what was put on the bus."""
        waiting = self.env.cr.precommit.data.get("bus.bus.values", [])
        return [(json.loads(row["channel"])[-1], json.loads(row["message"])) for row in waiting]

    def commands(self, channel):
        return [
            decode_grant(message["payload"]["command"], KEY) for name, message in self.on_the_bus() if name == channel
        ]

    def results(self, *results, **changes):
        return {
            "driver": self.driver.uuid,
            "database_uuid": self.database_uuid,
            "journal_id": self.journal.journal_id,
            "now": "2026-03-01T12:00:00.000Z",
            "at": time.time(),
            "results": list(results),
            **changes,
        }

    def result(self, **changes):
        told = {"command": "c", "uuid": "u", "status": 200, "body": {"state": "sent"}}
        return {"reply": self.config.id, **told, **changes}

    def told_to(self, config):
        """Return what was put on a point of sale's channel by the relay."""
        name = f"{config.access_token}-CARD_TERMINAL_RELAY"
        return [message["payload"] for channel, message in self.on_the_bus() if message["type"] == name]


@tagged("post_install", "-at_install")
class TestRelay(RelayCase):
    def test_the_driver_is_told_where_to_listen_and_what_time_it_is(self):
        words = self.listen()["relay"]
        self.assertEqual(len(set(words["channels"])), 2, "today's and tomorrow's")
        self.assertAlmostEqual(words["now"], time.time(), delta=60)
        self.assertRegex(words["version"], r"^19\.")
        self.assertTrue(self.driver.relay_connected)
        other = self.driver.copy({"name": "Other"})
        other.key = KEY
        self.assertFalse(set(words["channels"]) & set(other._relay_words()["channels"]))

    def test_a_driver_that_is_reached_directly_is_told_of_no_relay(self):
        self.driver.road = "direct"
        self.assertIsNone(self.listen()["relay"])
        self.assertEqual(self.relay()["problem"]["code"], "relay_off")
        self.assertFalse(self.commands(self.driver._relay_channel(int(time.time()) // 86400)))

    def test_a_command_is_signed_for_its_driver_its_session_and_seconds(self):
        body = {"amount": 1000}
        channel = self.listen()["relay"]["channels"][0]
        before = time.time()
        self.assertEqual(self.relay(op="start", body=body, grant="once"), {"sent": True})
        (claims,) = self.commands(channel)
        self.assertEqual(claims["typ"], "relay")
        self.assertEqual((claims["drv"], claims["db"]), (self.driver.uuid, self.database_uuid))
        self.assertEqual((claims["op"], claims["body"], claims["once"]), ("start", body, "once"))
        self.assertEqual(claims["user"], self.cashier.name)
        self.assertEqual(sorted(claims["terminals"]), sorted((self.terminal | self.spare).mapped("uuid")))
        self.assertEqual(claims["reply"], self.config.id)
        self.assertTrue(before <= claims["iat"] < claims["exp"] <= claims["iat"] + 10)

    def test_nothing_is_sent_to_a_driver_that_is_not_there(self):
        self.driver.relay_connected = False
        self.assertEqual(self.relay()["problem"]["code"], "not_listening")
        self.listen()
        self.driver.last_seen -= timedelta(minutes=1)
        problem = self.relay()["problem"]
        self.assertEqual((problem["code"], problem["money"]), ("not_listening", "safe"))

    def test_requests_that_cannot_be_read_are_refused(self):
        for changes in (
            {"op": "backup"},
            {"op": None},
            {"op": ["ask"]},
            {"command": "1"},
            {"uuid": "../health"},
            {"op": "health"},  # with a uuid
            {"body": "text"},
            {"grant": 1},
            {"body": {"reference": "x" * 20000}, "op": "start"},
        ):
            with self.subTest(changes=str(changes)[:40]), self.assertRaises(UserError):
                self.relay(**changes)
        with self.assertRaises(UserError):
            self.session.with_user(self.cashier).card_terminal_relay("ask")

    def test_only_a_cashier_of_the_company_with_a_driver_of_the_till(self):
        stranger = self.cashier.copy({"login": "stranger", "group_ids": [(6, 0, [self.env.ref("base.group_user").id])]})
        with self.assertRaises(AccessError):
            self.relay(user=stranger)
        company = self.env["res.company"].create({"name": "Elsewhere"})
        elsewhere = self.cashier.copy({"login": "away", "company_id": company.id, "company_ids": [(6, 0, company.ids)]})
        with self.assertRaises(AccessError):
            self.relay(user=elsewhere)
        other = self.env["card.terminal.driver"].create({"name": "Not of this till", "company_id": self.company.id})
        other.key = KEY
        with self.assertRaises(UserError):
            self.relay(driver=other.uuid)
        self.session.state = "closed"
        with self.assertRaises(UserError):
            self.relay()

    def test_answers_go_to_the_points_of_sale_of_the_driver_only(self):
        stranger = self.config.copy({"name": "Other", "card_terminal_id": False, "card_terminal_spare_ids": [(5,)]})
        taken = self.driver._pass_on(
            self.results(self.result(), self.result(reply=stranger.id), self.result(reply=2**40), "x", {"reply": "1"})
        )
        self.assertEqual(taken, 1)
        (message,) = self.told_to(self.config)
        self.assertEqual(message["driver"], self.driver.uuid)
        self.assertEqual((message["command"], message["status"], message["body"]), ("c", 200, {"state": "sent"}))
        self.assertFalse(self.told_to(stranger))

    def test_a_spare_terminal_counts_and_one_that_is_archived_does_not(self):
        only_spare = self.config.copy({"card_terminal_id": self.elsewhere().id})
        only_spare.card_terminal_spare_ids = self.spare
        self.assertEqual(self.driver._points_of_sale({only_spare.id}), {only_spare.id: only_spare})
        self.spare.active = False
        self.assertFalse(self.driver._points_of_sale({only_spare.id, 2**31 - 1}))

    def elsewhere(self):
        other = self.env["card.terminal.driver"].create({"name": "Elsewhere", "company_id": self.company.id})
        return self.terminal.copy({"driver_id": other.id, "port": 8901})

    def test_a_customer_waits_for_few_queries(self):
        driver, results = self.driver.with_user(SUPERUSER_ID), self.results(self.result())
        self.relay()  # what Odoo keeps in memory is there
        self.env.invalidate_all()
        with self.assertQueryCount(9):
            self.relay()
        grant, _expires = driver._session_grant(self.session)
        drivers = self.env["card.terminal.driver"].with_user(self.cashier)
        drivers._relay_by_grant(grant, self.request())
        request = self.request()
        self.env.invalidate_all()
        with self.assertQueryCount(3):
            drivers._relay_by_grant(grant, request)
        self.env.invalidate_all()
        driver.fetch(["uuid", "company_id"])
        with self.assertQueryCount(2):
            driver._pass_on(results)

    def test_messages_alone_are_committed_without_the_disk(self):
        self.assertTrue(self.commit_waits(), "the driver's events")
        self.relay()
        self.assertFalse(self.commit_waits())
        self.driver._pass_on(self.results(self.result()))
        self.assertFalse(self.commit_waits())
        rows = self.env["bus.bus"].sudo().search([], order="id desc", limit=2)
        self.assertEqual(
            [json.loads(row.message)["type"] for row in rows],
            [f"{self.config.access_token}-CARD_TERMINAL_RELAY", "card_terminal_relay"],
        )
        self.assertTrue(all(row.create_date for row in rows))

    def test_what_is_kept_beside_a_message_waits_for_the_disk(self):
        self.driver.sudo().write({"next_key": "ab" * 32, "next_key_rides": True})
        body = json.dumps(self.results(self.result())).encode()
        driver, _key = self.driver._who_signed(self.driver.uuid, signature(body, key="ab" * 32), body)
        driver._pass_on(json.loads(body))
        self.assertTrue(self.commit_waits())

    def test_an_answer_of_another_time_or_database_is_refused(self):
        for changes in ({"at": time.time() - 600}, {"at": None}, {"database_uuid": "x"}, {"results": 1}):
            with self.subTest(**changes), self.assertRaises(ValueError):
                self.driver._pass_on(self.results(self.result(), **changes))
        with self.assertRaises(ValueError):
            self.driver._pass_on([])
        self.assertFalse(self.told_to(self.config))


@tagged("post_install", "-at_install")
class TestErrands(RelayCase):
    """What the back office asks of a terminal itself; the answer comes the way of the relay."""

    def setUp(self):
        super().setUp()
        self.terminal.write({"protocol": "zvt", "options": {"currency": "EUR"}})

    def answer(self, **body):
        kind = {"kind": self.terminal.asked_kind} if "state" in body else {}
        said = self.result(uuid=self.terminal.asked_uuid, body={**kind, **body})
        self.driver._pass_on(self.results(said))

    def test_how_it_stands_and_what_it_wants(self):
        self.terminal.action_identify()
        (claims,) = self.commands(self.driver._relay_channel(int(time.time()) // 86400))
        body = {"kind": "identify", "amount": 0, "terminal": self.terminal.uuid, "order": "", "line": ""}
        self.assertLessEqual({"op": "start", "uuid": self.terminal.asked_uuid, "once": None}.items(), claims.items())
        self.assertLessEqual(body.items(), claims["body"].items())
        self.answer(state="sent")
        self.assertIn("not answered", self.terminal.said)
        wants = {"condition": "diagnosis_needed", "remedy": "diagnosis"}
        self.answer(state="approved", code="identified", text="x", outcome={"details": wants})
        self.assertEqual(self.terminal.said, "The terminal wants a diagnosis before it takes payments.")
        self.assertEqual(self.terminal.remedy, "diagnosis")
        (shown,) = [m["payload"] for _name, m in self.on_the_bus() if m["type"] == "simple_notification"]
        self.assertEqual((shown["message"], shown["type"]), (self.terminal.said, "warning"))
        self.terminal.action_diagnose()
        self.answer(state="approved", code="diagnosed", text="Diagnosis done.", outcome={})
        self.assertEqual((self.terminal.said, self.terminal.remedy), ("Diagnosis done.", False))

    def test_its_sums_so_far(self):
        self.terminal.action_totals()
        totals = [{"brand": "girocard", "count": 3, "amount": 4210, "currency": "EUR"}, "x", {"amount": "1"}]
        self.answer(state="approved", code="totals", text="So far.", outcome={"totals": totals})
        self.assertTrue(self.commit_waits(), "it is kept on the terminal")
        self.assertRegex(self.terminal.said, r"^So far\.\ngirocard: .*42\.10.* \(3\)$")

    def test_a_refusal_about_the_driver_itself_is_no_terminals_answer(self):
        self.assertEqual(self.driver._pass_on(self.results(self.result(uuid="", body={"detail": "Too late."}))), 1)
        self.assertFalse(self.terminal.said)

    def test_refused_or_not_to_be_asked(self):
        self.terminal.action_identify()
        self.answer(code="terminal_busy", detail="The terminal is in use by Till 2.", money="safe")
        self.assertEqual(self.terminal.said, "The terminal is in use by Till 2.")
        asked = self.terminal.asked_uuid
        self.driver._pass_on(self.results(self.result(uuid=asked, body={"state": "approved"}), self.result(body=[])))
        self.assertEqual(self.terminal.said, "The terminal is in use by Till 2.", "an answer counts once")
        self.driver.relay_connected = False
        with self.assertRaisesRegex(UserError, "at the till"):
            self.terminal.action_identify()
        with self.assertRaisesRegex(UserError, "cannot do that"):
            self.spare.action_initialise()
        with self.assertRaises(AccessError):
            self.terminal.with_user(self.cashier).action_identify()


@tagged("post_install", "-at_install")
class TestRelayRoute(RelayCase, HttpCase):
    def post(self, payload, **headers):
        body = json.dumps(payload).encode()
        return self.url_open(
            URL,
            body,
            headers={
                "Content-Type": "application/json",
                "X-Card-Terminal-Driver": self.driver.uuid,
                "X-Card-Terminal-Signature": signature(body),
                **headers,
            },
        )

    def test_a_signed_post_is_taken_and_answered_signed(self):
        answer = self.post(self.results(self.result()))
        self.assertEqual((answer.status_code, answer.json()), (200, {"taken": 1}))
        self.assertTrue(answer.headers["X-Card-Terminal-Signature"].startswith("v1="))

    def test_a_session_for_the_websocket_opens_nothing(self):
        sid = self.post(self.results(session=True)).json()["session"]
        self.opener.cookies["session_id"] = sid
        self.assertIn("/web/login", self.url_open("/odoo").url)

    def test_nobody_else_may_post(self):
        self.assertEqual(self.post(self.results(), **{"X-Card-Terminal-Signature": "t=1,v1=00"}).status_code, 401)
        self.assertEqual(self.post(self.results(), **{"X-Card-Terminal-Driver": str(uuid.uuid4())}).status_code, 401)
        self.assertEqual(self.post(self.results(at=0)).status_code, 400)
        self.assertEqual(self.post([1]).status_code, 400)
        self.assertEqual(self.post({"x": "y" * (1 << 20)}).status_code, 413)
