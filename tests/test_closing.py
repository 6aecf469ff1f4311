"""Law 6: no session closes over card money that is not accounted for, by any road."""

import uuid
from datetime import timedelta

from odoo import fields
from odoo.exceptions import RedirectWarning, UserError
from odoo.tests import tagged

from .common import CardTerminalCase, Journal


@tagged("post_install", "-at_install")
class TestClosing(CardTerminalCase):
    def setUp(self):
        super().setUp()
        self.session = self.open()
        self.order, self.line = str(uuid.uuid4()), str(uuid.uuid4())

    def assertRefused(self, *words):
        """Every road to closing is refused, with these words."""
        answer = self.session.close_session_from_ui()
        self.assertFalse(answer["successful"])
        self.assertFalse(answer["redirect"])
        for word in words:
            self.assertIn(word, answer["message"])
        self.assertFalse(self.session.post_closing_cash_details(0)["successful"])
        wizard = self.env["pos.close.session.wizard"].create({"account_id": self.sales_account.id})
        roads = (
            self.session.action_pos_session_closing_control,
            self.session.action_pos_session_validate,
            self.session.action_pos_session_close,
            self.session._validate_session,
            wizard.with_context(active_ids=self.session.ids, active_model="pos.session").close_session,
            lambda: self.session.write({"state": "closed"}),
            lambda: self.session.with_user(self.cashier).write({"state": "closed"}),
        )
        for road in roads:
            with self.assertRaises(RedirectWarning) as refusal, self.env.cr.savepoint():
                road()
            for word in words:
                self.assertIn(word, refusal.exception.args[0])
            self.assertEqual(refusal.exception.args[1], self.env.ref("pos_card_terminal.action_card_exception").id)
        self.env.invalidate_all()
        self.assertNotEqual(self.session.state, "closed")

    def close(self):
        paid = self.session.order_ids.payment_ids.filtered(lambda line: line.payment_method_id == self.cash_pm1)
        self.session.post_closing_cash_details(sum(paid.mapped("amount")))
        self.assertEqual(self.session.close_session_from_ui(), {"successful": True})
        self.assertEqual(self.session.state, "closed")

    def test_nothing_to_settle(self):
        transaction = self.sell(self.order, self.line)
        self.paid_order(self.order, self.line, transaction.uuid)
        self.end(str(uuid.uuid4()), str(uuid.uuid4()), "declined")
        self.close()

    def test_under_way(self):
        self.ask(self.order, self.line)
        self.report()
        self.assertRefused("under way")

    def test_unknown(self):
        self.end(self.order, self.line, "unknown")
        self.assertRefused("Result not known")

    def test_a_rescue_session(self):
        self.session = self.env["pos.session"].create({"config_id": self.config.id, "rescue": True})
        self.session.write({"state": "opened", "name": "Rescue"})
        self.end(self.order, self.line, "unknown", session="Rescue")
        self.assertRefused("Result not known")

    def test_an_order_moved_to_another_session(self):
        unknown = self.end(self.order, self.line, "unknown")
        line = self.card_line(self.line, unknown.uuid, state="unknown", status="cardUnknown")
        order = self.sync(self.order_data(self.order, [line], state="draft"))
        self.session = self.env["pos.session"].create({"config_id": self.config.id, "rescue": True})
        self.session.write({"state": "opened", "name": "Rescue"})
        order.session_id = self.session
        self.assertRefused("Result not known")

    def test_approved_and_not_booked(self):
        self.sell(self.order, self.line)
        self.assertRefused("Approved, not booked")

    def test_forged_line(self):
        line = self.card_line(
            self.line, None, card_terminal_id=False, payment_method_authcode="999999", card_brand="VISA"
        )
        order = self.sync(self.order_data(self.order, [line]))
        self.assertEqual((order.state, order.payment_ids.card_evidence), ("paid", "exception"))
        self.assertRefused("no terminal has approved this payment")
        order.payment_ids._acknowledge_card("Paid on the terminal of the shop next door.")
        self.assertRecordValues(
            order.payment_ids,
            [
                {
                    "card_evidence": "exception",
                    "card_acknowledged_by": self.env.uid,
                    "card_acknowledged_reason": "Paid on the terminal of the shop next door.",
                }
            ],
        )
        self.close()

    def test_forged_attempt(self):
        order = self.paid_order(self.order, self.line, str(uuid.uuid4()))
        self.assertRefused("has not reported")
        with self.assertRaises(UserError):
            order.payment_ids.with_user(self.cashier).action_card_settle()

    def test_the_driver_reports_at_last(self):
        transaction = self.ask(self.order, self.line)
        self.approve(transaction)
        self.paid_order(self.order, self.line, transaction)
        self.assertRefused("has not reported")
        self.report()
        self.close()

    def test_closing_joins_first(self):
        transaction = self.sell(self.order, self.line)
        self.paid_order(self.order, self.line, transaction.uuid)
        self.part()
        self.close()

    def test_virtual_approval(self):
        transaction = self.ask(self.order, self.line)
        self.approve(transaction, virtual=True)
        self.report()
        self.paid_order(self.order, self.line, transaction)
        self.assertRefused("training")

    def test_amount_differs(self):
        transaction = self.sell(self.order, self.line, 900)
        self.paid_order(self.order, self.line, transaction.uuid)
        self.assertRefused("Payment differs")
        transaction._acknowledge("Ten per cent agreed with the customer.")
        self.assertEqual(transaction.exception, "payment_differs")
        self.close()

    def test_a_journal_that_was_lost(self):
        self.ask(self.order, self.line)
        self.report()
        self.journal = Journal(self.driver.uuid, self.database_uuid)
        self.report(since=1)
        self.assertRefused("Result not known")

    def test_a_transaction_that_names_no_session(self):
        self.sell(self.order, self.line, session="somewhere")
        self.assertRefused("Approved, not booked")

    def test_under_way_in_a_session_that_has_no_name_yet(self):
        self.ask(self.order, self.line, session="/")
        self.report()
        self.assertRefused("under way")

    def test_what_came_after_closing_stops_the_next_session(self):
        first = self.session
        self.close()
        self.session = self.open()
        self.assertNotEqual(self.session, first)
        transaction = self.sell(self.order, self.line, session=first.name)
        self.assertEqual(transaction.session_id, first)
        self.assertRefused("Approved, not booked")

    def test_an_approval_in_an_order_for_later(self):
        transaction = self.sell(self.order, self.line)
        order = self.sync(self.order_data(self.order, [self.card_line(self.line, transaction.uuid)], state="draft"))
        order.preset_time = fields.Datetime.now() + timedelta(days=3)
        self.assertEqual(transaction.exception, "none")
        self.assertRefused("its order is not validated")

    def test_cancelling_orders_is_no_way_out(self):
        transaction = self.ask(self.order, self.line)
        self.report()
        order = self.sync(
            self.order_data(
                self.order, [self.card_line(self.line, transaction, state="sent", status="waitingCard")], state="draft"
            )
        )
        with self.assertRaises(UserError), self.env.cr.savepoint():
            order.action_pos_order_cancel()
        self.assertRefused("under way")

    def test_another_tills_questions_do_not_stop_this_one(self):
        other = self.config.copy({"name": "Other till", "card_terminal_id": False, "card_terminal_spare_ids": [(5,)]})
        transaction = self.end(self.order, self.line, "unknown")
        transaction.sudo().write({"config_id": other.id, "session_id": False, "terminal_id": False})
        self.close()

    def test_a_register_that_calls_its_session_nothing_yet(self):
        for name in ("/", ""):
            transaction = self.ask(str(uuid.uuid4()), str(uuid.uuid4()), session=name)
            self.env.flush_all()
            self.env.cr.execute("UPDATE pos_session SET start_at = '2026-03-01', create_date = '2026-03-01'")
            self.env.invalidate_all()
            self.report()
            self.assertRecordValues(
                self.transaction(transaction), [{"session_id": self.session.id, "config_id": self.config.id}]
            )

    def test_of_two_open_registers_the_till_says_which(self):
        other = self.config.copy({"name": "Other till"})
        other.write({"card_terminal_spare_ids": [(6, 0, self.terminal.ids)]})
        other.open_ui()
        self.env.flush_all()
        self.env.cr.execute("UPDATE pos_session SET start_at = '2026-03-01', create_date = '2026-03-01'")
        self.env.invalidate_all()
        mine = self.ask(self.order, self.line, session="/")
        nobodys = self.ask(str(uuid.uuid4()), str(uuid.uuid4()), session="/", till="Renamed")
        theirs = self.ask(str(uuid.uuid4()), str(uuid.uuid4()), session="/", till="Other till")
        self.report()
        self.assertEqual(self.transaction(mine).config_id, self.config)
        self.assertEqual(self.transaction(theirs).config_id, other)
        self.assertFalse(self.transaction(nobodys).config_id)
