"""Laws 4 and 7 on the server, where the browser may be forged or absent."""

import uuid

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import CardTerminalCase


@tagged("post_install", "-at_install")
class TestGuards(CardTerminalCase):
    def setUp(self):
        super().setUp()
        self.open()
        self.order, self.line = str(uuid.uuid4()), str(uuid.uuid4())

    def parked(self, state="unknown", reported=True, **changes):
        """Return (order, attempt) of a parked order whose card payment stands in this state."""
        transaction = self.ask(self.order, self.line)
        if state == "unknown":
            self.journal.add("unknown", transaction, state="unknown", code="link_lost", text="No answer")
        if reported:
            self.report()
        line = self.card_line(
            self.line, transaction, state=state, status="cardUnknown" if state == "unknown" else "waitingCard"
        )
        return self.sync(self.order_data(self.order, [line], state="draft", **changes)), transaction

    def assertStillThere(self, order):
        self.env.invalidate_all()
        self.assertTrue(order.exists())
        self.assertEqual(order.state, "draft")
        self.assertEqual(len(order.payment_ids), 1)

    def all_refused(self, order):
        """Try every road around an open question."""
        payment = order.payment_ids
        cash = self.cash_line()
        update = [(1, payment.id, {"payment_status": "done", "card_state": "approved"})]
        roads = {
            "paid with cash": lambda: self.sync(self.order_data(self.order, [cash])),
            "paid with cash, the line deleted": lambda: self.sync(
                self.order_data(self.order, [(2, payment.id, {"amount": 0}), cash])
            ),
            "another line on the draft": lambda: self.sync(self.order_data(self.order, [cash], state="draft")),
            "another card line": lambda: self.sync(
                self.order_data(self.order, [self.card_line(str(uuid.uuid4()), str(uuid.uuid4()))], state="draft")
            ),
            "the line deleted on the draft": lambda: self.sync(
                self.order_data(self.order, [(2, payment.id, {"amount": 0})], state="draft")
            ),
            "line deleted": payment.unlink,
            "order deleted": order.unlink,
            "order removed from the till": lambda: self.env["pos.order"].remove_from_ui(order.ids),
            "order cancelled": order.action_pos_order_cancel,
            "order cancelled by a write": lambda: order.write({"state": "cancel"}),
            "order paid by a write": lambda: order.write({"state": "paid"}),
            "payment added": lambda: order.add_payment(
                {
                    "pos_order_id": order.id,
                    "amount": 10.0,
                    "payment_method_id": self.cash_pm1.id,
                }
            ),
            "payment wizard": lambda: self.make_payment(order, self.cash_pm1, 10.0),
            "method changed": lambda: payment.write({"payment_method_id": self.cash_pm1.id}),
            "attempt changed": lambda: payment.write({"card_transaction_uuid": str(uuid.uuid4())}),
            "moved to another order": lambda: payment.write(
                {"pos_order_id": self.sync(self.order_data(str(uuid.uuid4()), [], state="draft")).id}
            ),
        }
        if self.transaction(payment.card_transaction_uuid).state == "unknown":
            roads["forged as done"] = lambda: self.sync({**self.order_data(self.order, []), "payment_ids": update})
        else:  # under way, or not heard of: the till may know of its end before Odoo
            del roads["attempt changed"]
        for name, road in roads.items():
            with self.subTest(name), self.assertRaises(UserError), self.env.cr.savepoint():
                road()
            self.assertStillThere(order)

    def test_unknown(self):
        order, _transaction = self.parked("unknown")
        self.assertEqual(order.payment_ids.card_evidence, "pending")
        self.all_refused(order)

    def test_under_way(self):
        order, _transaction = self.parked("sent")
        self.all_refused(order)

    def test_sent_by_the_tills_word_alone(self):
        order, _transaction = self.parked("sent", reported=False)
        self.all_refused(order)

    def test_parking_again_is_allowed(self):
        order, transaction = self.parked("unknown")
        self.sync(
            self.order_data(self.order, [(1, order.payment_ids.id, {"card_text": "Ask the manager"})], state="draft")
        )
        self.assertEqual(order.payment_ids.card_text, "Ask the manager")
        self.assertEqual(order.payment_ids.card_transaction_uuid, transaction)
        self.assertEqual(order.amount_paid, 0, "an open question is not money")

    def test_half_cash_half_open_can_be_parked(self):
        transaction = self.ask(self.order, self.line, 500)
        card = self.card_line(self.line, transaction, 5.0, state="sent", status="waitingCard")
        order = self.sync(self.order_data(self.order, [self.cash_line(5.0), card], state="draft"))
        self.assertEqual((len(order.payment_ids), order.amount_paid), (2, 5.0))

    def test_an_order_that_odoo_has_never_seen(self):
        self.ask(self.order, self.line)
        self.report()
        with self.assertRaises(UserError):
            self.sync(self.order_data(self.order, [self.cash_line()]))

    def test_statuses_that_do_not_count(self):
        for state, status in (
            ("requested", "waiting"),
            ("sent", "waitingCard"),
            ("unknown", "cardUnknown"),
            ("unknown", "done"),
            ("declined", "retry"),
            ("declined", "done"),
            (False, "waitingCapture"),
            (False, "force_done"),
            (False, "pending"),
        ):
            with self.subTest(state=state, status=status), self.assertRaises(UserError), self.env.cr.savepoint():
                line = self.card_line(str(uuid.uuid4()), str(uuid.uuid4()), state=state, status=status)
                self.sync(self.order_data(str(uuid.uuid4()), [line]))

    def test_approved_line_stays(self):
        transaction = self.sell(self.order, self.line)
        order = self.sync(self.order_data(self.order, [self.card_line(self.line, transaction.uuid)], state="draft"))
        self.assertEqual(order.payment_ids.card_evidence, "matched")
        for road in (
            order.payment_ids.unlink,
            order.unlink,
            order.action_pos_order_cancel,
            lambda: self.env["pos.order"].remove_from_ui(order.ids),
            lambda: order.payment_ids.write({"amount": 5.0}),
            lambda: order.payment_ids.write({"card_transaction_uuid": str(uuid.uuid4())}),
            lambda: order.payment_ids.write({"payment_method_id": self.cash_pm1.id}),
        ):
            with self.assertRaises(UserError), self.env.cr.savepoint():
                road()
            self.assertStillThere(order)
        self.sync(self.order_data(self.order, []))
        self.assertEqual(order.state, "paid")

    def test_partial_approval_takes_what_was_approved(self):
        transaction = self.ask(self.order, self.line)
        order = self.sync(
            self.order_data(
                self.order, [self.card_line(self.line, transaction, state="sent", status="waitingCard")], state="draft"
            )
        )
        self.approve(transaction, amount=600)
        self.report()
        update = {"amount": 6.0, "payment_status": "done", "card_state": "approved"}
        self.sync(
            {**self.order_data(self.order, []), "payment_ids": [(1, order.payment_ids.id, update)], "state": "draft"}
        )
        self.assertEqual((order.amount_paid, order.payment_ids.card_evidence), (6.0, "matched"))
        self.sync(self.order_data(self.order, [self.cash_line(4.0)]))
        self.assertEqual((order.state, order.amount_paid), ("paid", 10.0))

    def test_free_attempts_let_go(self):
        for state in ("declined", "cancelled", "failed"):
            with self.subTest(state):
                self.order, self.line = str(uuid.uuid4()), str(uuid.uuid4())
                attempt = self.end(self.order, self.line, state)
                line = self.card_line(self.line, attempt.uuid, state=state, status="retry")
                order = self.sync(self.order_data(self.order, [line], state="draft"))
                self.sync(
                    {
                        **self.order_data(self.order, [self.cash_line()]),
                        "payment_ids": [(2, order.payment_ids.id, {"amount": 10.0}), self.cash_line()],
                    }
                )
                self.assertEqual((order.state, order.payment_ids.payment_method_id), ("paid", self.cash_pm1))

    def test_the_till_hears_the_end_of_an_earlier_attempt_before_odoo(self):
        declined = self.ask(self.order, self.line)
        self.report()
        approved = self.ask(self.order, self.line)
        order = self.paid_order(self.order, self.line, approved)
        self.assertEqual((order.state, order.payment_ids.card_evidence), ("paid", "pending"))
        self.approve(approved)
        self.approve(declined)
        self.report()
        self.assertEqual(order.payment_ids.card_evidence, "matched")
        self.assertNotEqual(self.transaction(declined).exception, "none", "charged all the same: a person sees it")

    def test_an_earlier_attempt_that_is_not_known_freezes(self):
        earlier = self.ask(self.order, self.line)
        self.journal.add("unknown", earlier, state="unknown", code="link_lost", text="No answer")
        self.report()
        with self.assertRaises(UserError):
            self.paid_order(self.order, self.line, self.ask(self.order, self.line))

    def test_a_stale_word_of_the_till_does_not_freeze(self):
        order, transaction = self.parked("unknown")
        self.journal.add("declined", transaction, state="declined", code="declined", text="Refused")
        self.report()
        self.assertEqual(order.payment_ids.card_state, "unknown")
        order.payment_ids.unlink()
        self.sync(self.order_data(self.order, [self.cash_line()]))
        self.assertEqual(order.state, "paid")

    def test_other_methods_are_left_alone(self):
        order = self.sync(self.order_data(self.order, [self.cash_line()], state="draft"))
        self.assertEqual(order.payment_ids.card_evidence, "none")
        order.payment_ids.write({"amount": 4.0})
        order.payment_ids.unlink()
        order.action_pos_order_cancel()
        self.assertEqual(order.state, "cancel")
