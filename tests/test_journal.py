"""Law 12: journals have an identity and lose nothing silently."""

import uuid

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import KEY, CardTerminalCase, Journal, decode_grant


@tagged("post_install", "-at_install")
class TestJournal(CardTerminalCase):
    def setUp(self):
        super().setUp()
        self.open()
        self.order, self.line = str(uuid.uuid4()), str(uuid.uuid4())

    def test_another_journal_is_an_alarm_and_what_was_open_is_unknown(self):
        open_one = self.ask(self.order, self.line)
        declined = self.end(str(uuid.uuid4()), str(uuid.uuid4()), "declined")
        self.journal = Journal(self.driver.uuid, self.database_uuid)
        answer = self.report(since=1)
        self.assertEqual((answer["acked"], answer["want"]), (1, 2))
        self.assertIn(self.journal.journal_id, self.driver.alarm)
        self.assertRecordValues(
            self.transaction(open_one),
            [{"state": "unknown", "code": "journal_lost", "exception": "unknown", "needs_attention": True}],
        )
        self.assertEqual((declined.state, declined.exception), ("declined", "none"))

    def test_the_old_journal_comes_back(self):
        transaction = self.sell(self.order, self.line)
        old, seq = self.journal, self.driver.last_seq
        self.journal = Journal(self.driver.uuid, self.database_uuid)
        self.report(since=1)
        old.add("driver_started")
        answer = self.report(old, since=seq + 1)
        self.assertEqual(answer["acked"], seq + 1)
        self.assertEqual(len(transaction.event_ids), 3)

    def test_a_journal_that_lost_numbers(self):
        snapshot = self.journal.snapshot()
        open_one = self.ask(self.order, self.line)
        self.report()
        answer = self.receive(snapshot.payload(events=[]))
        self.assertEqual(answer["want"], 4, "the driver sees that Odoo knows more than it")
        self.assertTrue(self.driver.alarm)
        self.assertEqual(self.transaction(open_one).state, "unknown")

    def test_a_forked_journal_is_kept_beside_the_first(self):
        snapshot = self.journal.snapshot()
        lost = self.ask(self.order, self.line)
        self.report()
        self.journal = snapshot
        other = self.ask(str(uuid.uuid4()), str(uuid.uuid4()))
        self.approve(other)
        answer = self.receive(self.journal.payload(since=2))
        self.assertEqual((answer["acked"], answer["want"]), (0, 1), "all of it is wanted")
        self.assertTrue(self.driver.alarm)
        answer = self.receive(self.journal.payload())
        self.assertEqual(answer["acked"], 4)
        self.assertEqual(self.driver.journal_ref, f"{self.journal.journal_id}~2")
        self.assertEqual(self.transaction(lost).state, "unknown")
        self.assertEqual(self.transaction(other).state, "approved")
        self.approve(lost)
        self.assertEqual(self.report()["acked"], 5)
        self.assertEqual(self.driver.journal_ref, f"{self.journal.journal_id}~2")

    def test_yesterdays_journal_that_sold_offline_is_told_again_though_it_is_shorter(self):
        snapshot = self.journal.snapshot()
        for _ in range(3):
            self.sell(str(uuid.uuid4()), str(uuid.uuid4()))
        self.journal = snapshot
        offline = self.ask(self.order, self.line)
        self.approve(offline)
        answer = self.receive(self.journal.payload(events=[], head=self.journal.events[-1]["hash"]))
        self.assertEqual((answer["acked"], answer["want"]), (0, 1), "all of it is wanted")
        self.assertIn("tells another story", self.driver.alarm)
        self.report(since=1)
        self.assertEqual(self.transaction(offline).state, "approved")
        self.assertEqual(self.env["card.transaction"].search_count([("state", "=", "approved")]), 4)

    def test_two_machines_that_use_one_journal_in_turns_are_told_apart(self):
        twin = self.journal.snapshot()
        for journal in (self.journal, twin, self.journal, twin):
            self.journal = journal
            self.approve(self.ask(str(uuid.uuid4()), str(uuid.uuid4())))
            for _ in range(4):  # as often as the driver is told to send from another number
                want = self.receive(journal.payload(events=[], head=journal.events[-1]["hash"]))["want"]
                self.receive(journal.payload(want, head=journal.events[-1]["hash"]))
            self.assertEqual(self.driver.last_hash, journal.events[-1]["hash"])
        self.assertEqual(self.driver._branches(twin.journal_id), [twin.journal_id, f"{twin.journal_id}~2"])
        self.assertEqual(self.env["card.transaction"].search_count([("state", "=", "approved")]), 4)
        self.assertIn("used twice", self.driver.alarm)

    def test_yesterdays_journal_that_sold_nothing_is_told_that_it_is_behind(self):
        snapshot = self.journal.snapshot()
        self.sell(self.order, self.line)
        answer = self.receive(snapshot.payload(events=[], head=snapshot.events[-1]["hash"]))
        self.assertEqual(answer["want"], 5)
        self.assertIn("restored from a copy", self.driver.alarm)

    def set_aside(self):
        """Let the driver come with a new journal, as after a damage; return the old one."""
        old, self.journal = self.journal, Journal(self.driver.uuid, self.database_uuid)
        self.report(since=1)
        return old

    def test_what_a_journal_that_was_set_aside_had_not_told_is_taken_once(self):
        self.report()
        told = self.ask(self.order, self.line)
        self.report()
        self.approve(told)
        not_told, left_open = (self.ask(str(uuid.uuid4()), str(uuid.uuid4())) for _ in range(2))
        self.approve(not_told)
        old = self.set_aside()
        self.assertEqual(self.transaction(told).state, "unknown")
        alarm, current = self.driver.alarm, self.driver.journal_ref
        new_one = self.ask(str(uuid.uuid4()), str(uuid.uuid4()))
        self.report()

        closed = {"closed": True}
        self.assertEqual(self.receive(old.payload(events=[], **closed))["want"], 4)
        for _ in range(2):
            answer = self.receive(old.payload(since=4, **closed))
            self.assertEqual(answer["acked"], len(old.events))
        self.assertEqual(self.transaction(left_open).state, "sent")
        self.receive(old.payload(events=[], finished=True, **closed))
        states = {each: self.transaction(each).state for each in (told, not_told, left_open, new_one)}
        self.assertEqual(states, {told: "approved", not_told: "approved", left_open: "unknown", new_one: "sent"})
        self.assertEqual((self.driver.journal_ref, self.driver.alarm), (current, alarm))
        self.assertEqual(self.driver.last_seq, len(self.journal.events))
        self.approve(new_one)
        self.report()
        self.assertEqual(self.transaction(new_one).state, "approved")

    def test_a_restored_odoo_numbers_its_configuration_above_the_drivers(self):
        answer = self.receive(self.journal.payload(configuration=40))
        claims = decode_grant(answer["configuration"], KEY)
        self.assertEqual((claims["number"], self.driver.configuration_number), (41, 41))
        self.assertIsNone(self.receive(self.journal.payload(events=[], configuration=41))["configuration"])

    def test_what_cannot_be_read_of_it_is_an_alarm(self):
        self.report()
        self.ask(self.order, self.line)
        old = self.set_aside()
        self.receive(old.payload(events=[], closed=True, finished=True))
        self.assertIn("from 2 to 3 cannot be read", self.driver.alarm)

    def test_a_closed_journal_is_none_that_is_in_use(self):
        self.report()
        with self.assertRaisesRegex(ValueError, "in use"):
            self.receive(self.journal.payload(closed=True))

    def test_a_replay_of_a_journal_that_odoo_has_forgotten(self):
        transaction = self.sell(self.order, self.line)
        state = self.driver.last_seq
        self.driver.write({"last_seq": 0, "last_hash": False})
        self.env.cr.execute("ALTER TABLE card_transaction_event DISABLE TRIGGER ALL")
        self.env.cr.execute("DELETE FROM card_transaction_event WHERE driver_id = %s", self.driver.ids)
        self.env.invalidate_all()
        answer = self.receive(self.journal.payload(since=3))
        self.assertEqual(answer["want"], 1)
        self.assertEqual(self.receive(self.journal.payload())["acked"], state)
        self.assertFalse(self.driver.alarm)
        self.assertEqual((transaction.state, transaction.disagreement), ("approved", False))

    def test_an_event_about_nothing_is_an_alarm(self):
        self.journal.add("approved", str(uuid.uuid4()), amount_approved=1000)
        self.report()
        self.assertIn("never requested", self.driver.alarm)

    def test_another_driver_cannot_speak_of_a_transaction(self):
        transaction = self.ask(self.order, self.line)
        self.report()
        other = self.driver.copy({"name": "Till 2"})
        other.key = "00" * 32
        foreign = Journal(other.uuid, self.database_uuid)
        foreign.add("declined", transaction, state="declined")
        self.receive(foreign.payload(), other)
        self.assertEqual(self.transaction(transaction).state, "sent")
        self.assertEqual(self.transaction(transaction).exception, "disagrees")

    def test_alarms_stay_until_a_manager_takes_note(self):
        self.report()
        self.journal = Journal(self.driver.uuid, self.database_uuid)
        self.report(since=1)
        self.report()
        self.assertEqual(self.driver.alarm.count("\n"), 0, "the same alarm is not repeated")
        self.driver.action_clear_alarm()
        self.assertFalse(self.driver.alarm)

    def test_ended_transactions_are_immutable(self):
        transaction = self.sell(self.order, self.line)
        for vals in (
            {"amount_approved_minor": 1},
            {"state": "declined"},
            {"brand": "AMEX"},
            {"uuid": "x"},
            {"driver_id": False},
        ):
            with self.assertRaises(UserError):
                transaction.write(vals)
        with self.assertRaises(UserError):
            transaction.unlink()
        with self.assertRaises(UserError):
            transaction.event_ids[0].write({"body": {}})
        with self.assertRaises(UserError):
            transaction.event_ids.unlink()
        with self.assertRaises(UserError):
            self.driver.unlink()
        with self.assertRaises(UserError):
            self.terminal.unlink()
