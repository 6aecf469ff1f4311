"""A named person ends what the terminal did not: the cashier provisionally, a manager for good."""

import uuid

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .common import CardTerminalCase


@tagged("post_install", "-at_install")
class TestSettle(CardTerminalCase):
    def setUp(self):
        super().setUp()
        self.open()
        self.order, self.line = str(uuid.uuid4()), str(uuid.uuid4())

    def unknown(self):
        transaction = self.end(self.order, self.line, "unknown")
        line = self.card_line(self.line, transaction.uuid, state="unknown", status="cardUnknown")
        return transaction, self.sync(self.order_data(self.order, [line], state="draft"))

    def answer(self, transaction_uuid, answer="paid", **changes):
        return self.pos_session.with_user(self.cashier).card_terminal_answer({
            "uuid": transaction_uuid, "answer": answer, "authorisation": "778899", "terminal": self.terminal.uuid,
            "order": self.order, "line": self.line, "amount": 1000, **changes,
        })  # fmt: skip

    def test_a_cashiers_answer_decides_nothing(self):
        transaction, order = self.unknown()
        told = self.answer(transaction.uuid)
        self.assertEqual((told["answer"], told["state"], told["settled_paid"]), ("paid", "unknown", None))
        self.assertRecordValues(
            transaction.answer_ids, [{"state": "provisional", "user_id": self.cashier.id, "authorisation": "778899"}]
        )
        with self.assertRaises(UserError):
            self.sync({**self.order_data(self.order, []), "payment_ids": [
                (1, order.payment_ids.id, {"payment_status": "done", "card_state": "approved"})
            ]})  # fmt: skip

    def test_settled_as_paid(self):
        transaction, order = self.unknown()
        self.answer(transaction.uuid)
        action = transaction.answer_ids.action_settle()
        wizard = Form(self.env["card.transaction.settle"].with_context(**action["context"]))
        self.assertEqual((wizard.verdict, wizard.amount, wizard.auth_code), ("paid", 10.0, "778899"))
        wizard.reason = "The slip says ACCEPTED."
        wizard.save().action_settle()
        self.assertRecordValues(
            transaction,
            [
                {
                    "state": "settled_by_hand",
                    "money": "final",
                    "settled_paid": True,
                    "settled_by": self.env.uid,
                    "settled_reason": "The slip says ACCEPTED.",
                    "amount_approved_minor": 1000,
                    "auth_code": "778899",
                    "payment_id": order.payment_ids.id,
                    "exception": "none",
                }
            ],
        )
        self.assertEqual(transaction.answer_ids.state, "confirmed")
        self.assertEqual(order.payment_ids.card_evidence, "matched")
        told = self.pos_session.with_user(self.cashier).card_terminal_transactions({"orders": [self.order]})
        self.assertEqual([(item["uuid"], item["settled_paid"]) for item in told], [(transaction.uuid, True)])
        self.sync({**self.order_data(self.order, []), "payment_ids": [
            (1, order.payment_ids.id, {"payment_status": "done", "card_state": "settled_by_hand"})
        ]})  # fmt: skip
        self.assertEqual(order.state, "paid")

    def test_settled_as_not_paid(self):
        transaction, order = self.unknown()
        self.answer(transaction.uuid, "paid")
        transaction._settle_by_hand(paid=False, reason="Not in the terminal's report.")
        self.assertEqual(transaction.answer_ids.state, "rejected")
        self.assertEqual((transaction.amount_approved_minor, transaction.exception), (0, "none"))
        order.payment_ids.unlink()
        self.sync(self.order_data(self.order, [self.cash_line()]))
        self.assertEqual(order.state, "paid")

    def test_the_driver_is_told_until_it_knows(self):
        transaction, _order = self.unknown()
        transaction._settle_by_hand(paid=False, reason="Slip.")
        settled = self.report()["settled"]
        self.assertEqual(
            [(item["uuid"], item["paid"], item["by"]) for item in settled],
            [(transaction.uuid, False, self.env.user.name)],
        )
        self.assertRegex(settled[0]["at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual(len(self.report()["settled"]), 1)
        self.journal.add("settled_by_hand", transaction.uuid, paid=False, by=self.env.user.name, at=settled[0]["at"])
        self.assertEqual(self.report()["settled"], [])

    def test_the_terminal_contradicts_later(self):
        transaction, _order = self.unknown()
        transaction._settle_by_hand(paid=False, reason="Slip.")
        self.approve(transaction.uuid)
        self.report()
        self.assertEqual(
            (transaction.state, transaction.settled_paid, transaction.exception),
            ("settled_by_hand", False, "disagrees"),
        )

    def test_the_terminal_agrees_later(self):
        transaction, _order = self.unknown()
        transaction._settle_by_hand(paid=True, reason="Slip.", amount_minor=1000)
        self.approve(transaction.uuid)
        self.report()
        self.assertEqual((transaction.state, transaction.exception), ("settled_by_hand", "none"))

    def test_what_cannot_be_settled(self):
        transaction, _order = self.unknown()
        for vals in (
            {"paid": True, "reason": "x", "amount_minor": 0}, {"paid": True, "reason": "x", "amount_minor": 1001},
            {"paid": False, "reason": " "}, {"paid": False, "reason": ""},
        ):  # fmt: skip
            with self.assertRaises(UserError):
                transaction._settle_by_hand(**vals)
        with self.assertRaises(UserError):
            transaction._acknowledge("An unknown result needs a verdict.")
        approved = self.sell(str(uuid.uuid4()), str(uuid.uuid4()))
        with self.assertRaises(UserError):
            approved._settle_by_hand(paid=False, reason="No.")
        under_way = self.ask(str(uuid.uuid4()), str(uuid.uuid4()))
        self.report()
        self.env.cr.execute(
            "UPDATE card_transaction SET requested_at = now() at time zone 'UTC' WHERE uuid = %s", [under_way]
        )
        self.env.invalidate_all()
        with self.assertRaises(UserError):
            self.transaction(under_way)._settle_by_hand(paid=False, reason="The customer is still typing.")

    def test_only_managers_settle(self):
        transaction, _order = self.unknown()
        with self.assertRaises(AccessError):
            transaction.with_user(self.cashier)._settle_by_hand(paid=True, reason="x", amount_minor=1000)
        with self.assertRaises(AccessError):
            transaction.with_user(self.cashier)._acknowledge("x")
        with self.assertRaises(AccessError):
            self.env["card.transaction.settle"].with_user(self.cashier).create(
                {"transaction_id": transaction.id, "verdict": "paid", "reason": "x"}
            )

    def test_an_answer_before_the_driver_reports(self):
        transaction = self.ask(self.order, self.line)
        told = self.answer(transaction, "not_paid")
        self.assertEqual((told["state"], told["answer"]), ("unknown", "not_paid"))
        adopted = self.transaction(transaction)
        self.assertFalse(adopted.event_ids)
        self.approve(transaction)
        self.report()
        self.assertRecordValues(
            adopted, [{"state": "approved", "amount_approved_minor": 1000, "journal_ref": self.journal.journal_id}]
        )
        self.assertEqual(len(adopted.event_ids), 3)

    def test_a_line_that_no_driver_reports_is_settled_from_the_payment(self):
        attempt = str(uuid.uuid4())
        order = self.paid_order(self.order, self.line, attempt)
        action = order.payment_ids.action_card_settle()
        transaction = self.transaction(attempt)
        self.assertEqual(action["context"]["default_transaction_id"], transaction.id)
        self.assertEqual((transaction.state, transaction.exception), ("unknown", "unknown"))
        transaction._settle_by_hand(paid=True, reason="Seen on the bank's site.", amount_minor=1000)
        self.assertEqual(order.payment_ids.card_evidence, "matched")

    def test_answers_that_make_no_sense(self):
        transaction, _order = self.unknown()
        for changes in (
            {"answer": "maybe"},
            {"uuid": str(uuid.uuid4()), "terminal": "x"},
            {"uuid": str(uuid.uuid4()), "amount": 0},
        ):
            with self.assertRaises(UserError):
                self.answer(**{"transaction_uuid": changes.pop("uuid", transaction.uuid), **changes})
        self.assertFalse(transaction.answer_ids)

    def test_a_known_result_takes_no_answer(self):
        approved = self.sell(self.order, self.line)
        told = self.answer(approved.uuid, "not_paid")
        self.assertEqual((told["state"], told["answer"]), ("approved", None))
        self.assertFalse(approved.answer_ids)
