"""What happened to a payment, as one file: every source is in it, in order, and nothing of the card."""

import base64
import json
import uuid

from odoo.tests import tagged

from .common_people import PeopleCase


@tagged("post_install", "-at_install")
class TestTimeline(PeopleCase):
    def story(self, transaction, user="manager", **options):
        model = self.env["card.timeline.export"].with_user(self.people[user])
        wizard = model.create({"transaction_id": transaction.id, **options})
        action = wizard.action_export()
        self.assertIn(f"/{wizard.id}/content/", action["url"])
        text = base64.b64decode(wizard.content).decode()
        return json.loads(text) if wizard.file_format == "json" else text

    def settled(self):
        """Return an unknown sale with a cashier's answer, a manager's word and a notice."""
        order, line = str(uuid.uuid4()), str(uuid.uuid4())
        unknown = self.end(order, line, "unknown")
        draft = self.card_line(line, unknown.uuid, state="unknown", status="waiting", card_text="Read the slip")
        self.sync(self.order_data(order, [draft], state="draft", amount_paid=0))
        self.pos_session.with_user(self.cashier).card_terminal_answer(
            {"uuid": unknown.uuid, "answer": "paid", "authorisation": "A1"}
        )
        self.env["card.notice"]._raise_notice("test", unknown, "Odd: 4970101122334452")
        unknown.with_user(self.people["manager"])._settle_by_hand(paid=True, reason="On the slip", amount_minor=1000)
        return unknown

    def test_every_source_is_in_it_in_order(self):
        story = self.story(self.settled())
        steps = story["timeline"]
        self.assertEqual({step["source"] for step in steps}, {"browser", "driver", "terminal", "odoo"})
        self.assertEqual([step["at"] for step in steps], sorted(step["at"] for step in steps))
        texts = " ".join(step["text"] for step in steps)
        for said in ("paid A1", "On the slip", "notice test"):
            self.assertIn(said, texts)
        types = [step["event"]["type"] for step in steps if "event" in step]
        self.assertEqual(types, ["requested", "sent", "unknown"])
        (marks,) = [step["marks"] for step in steps if "marks" in step]
        self.assertEqual((marks["card_state"], marks["card_text"]), ("unknown", "Read the slip"))

    def test_nothing_of_the_card(self):
        self.assertEqual(self.sale.last4, "4242")
        for file_format in ("json", "txt"):
            told = json.dumps(self.story(self.sale, file_format=file_format), ensure_ascii=False)
            self.assertNotIn(" 4242", told)
            self.assertNotIn('"4242"', told)
            self.assertNotIn("CARTE BANCAIRE", told, "no slip")
            self.assertIn("A1B2C3", told, "the authorisation is how a bank finds it")
            self.assertIn("4242", json.dumps(self.story(self.sale, file_format=file_format, with_last4=True)))
        self.assertNotIn("4970101122334452", json.dumps(self.story(self.settled())))

    def test_for_whom(self):
        for name in ("accountant", "manager"):
            self.assertEqual(self.story(self.sale, name)["payment"]["uuid"], self.sale.uuid)
        self.env["card.timeline.export"].with_user(self.people["manager"]).get_view(view_type="form")
