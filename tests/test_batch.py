"""Batches: filled by approvals, ended by the terminal, compared with what it declared, and guarded from then on."""

import base64
import uuid
from datetime import UTC, datetime, timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .test_contract import ContractCase


class BatchCase(ContractCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.batches = cls.env["card.batch"]

    def end_of_day(self, *totals, number="042"):
        """Let the terminal settle and tell these (brand, count, minor units)."""
        transaction = self.ask("", "", 0, kind="settlement", currency="")
        said = [{"brand": brand, "count": count, "amount": minor} for brand, count, minor in totals]
        outcome = {"state": "approved", "code": "approved", "text": "", "terminal_ref": number}
        self.journal.add("approved", transaction, **outcome, totals=said or None)
        self.report()
        return self.env["card.terminal.settlement"].search([("transaction_id.uuid", "=", transaction)])

    def batch(self, contract):
        return self.batches.search([("contract_id", "=", contract.id)])


@tagged("post_install", "-at_install")
class TestBatch(BatchCase):
    def test_the_first_approval_opens_it_and_the_end_of_day_ends_it(self):
        for _sale in range(19):
            self.book(46.0, "CB")
        self.book(61.0, "CB")
        (batch,) = self.batch(self.cb)
        self.assertEqual((batch.state, batch.odoo_count, batch.odoo_amount), ("open", 20, 935.0))
        settlement = self.end_of_day(("CB", 21, 98000))
        self.assertEqual(settlement.batch_ids, batch)
        self.assertEqual((batch.state, batch.closed_by, batch.number), ("closed", "terminal", "042"))
        self.assertEqual((batch.declared_count, batch.declared_amount, batch.difference), (21, 980.0, 45.0))
        self.assertEqual([(row.kind, row.amount) for row in batch.difference_ids], [("not_in_odoo", 45.0)])
        self.assertFalse(self.env["account.move"].search([("ref", "ilike", batch.name)]))

    def test_what_was_missing_comes_late_and_the_difference_goes(self):
        self.book(10.0, "CB")
        order, line = str(uuid.uuid4()), str(uuid.uuid4())
        lost = self.sell(order, line, 4500, currency=self.currency_name)
        batch = self.batch(self.cb)
        self.end_of_day(("CB", 2, 5500))
        self.assertEqual((batch.difference, batch.difference_ids.kind), (45.0, "not_in_odoo"))
        self.assertEqual(batch.difference_ids.transaction_ids, lost)
        self.sync(self.order_data(order, [self.card_line(line, lost.uuid, 45.0)], quantity=4.5))
        self.assertEqual(lost.payment_id.card_batch_id, batch)
        self.assertEqual((batch.odoo_count, batch.odoo_amount, batch.difference), (2, 55.0, 0.0))
        self.assertFalse(batch.difference_ids)
        self.assertIn("Came after the end", "".join(batch.message_ids.mapped("body")))

    def test_the_first_of_its_contract_comes_after_the_end_of_day(self):
        self.book(10.0, "CB")
        order, line = str(uuid.uuid4()), str(uuid.uuid4())
        late = self.ask(order, line, 4500, currency=self.currency_name)
        self.approve(late, 4500, brand="AMEX")
        settlement = self.end_of_day(("CB", 1, 1000), ("AMEX", 1, 4500))
        self.sync(self.order_data(order, [self.card_line(line, late, 45.0)], quantity=4.5))
        for contract, amount in ((self.cb, 10.0), (self.amex, 45.0)):
            batch = self.batch(contract)
            self.assertEqual((batch.state, batch.settlement_id), ("closed", settlement))
            self.assertEqual((batch.declared_amount, batch.odoo_amount, batch.difference), (amount, amount, 0.0))

    def test_totals_go_to_the_contracts_of_their_brands(self):
        self.book(30.0, "CB")
        self.book(96.0, "AMEX")
        self.end_of_day(("CB", 1, 3000), ("AMEX", 1, 9600))
        for contract, amount in ((self.cb, 30.0), (self.amex, 96.0)):
            batch = self.batch(contract)
            self.assertEqual((batch.is_declared, batch.declared_amount, batch.difference), (True, amount, 0.0))

    def test_one_sum_over_two_contracts_is_known_of_neither(self):
        self.book(30.0, "CB")
        self.book(96.0, "AMEX")
        self.end_of_day(("", 2, 12600))
        self.assertEqual(self.batch(self.cb).mapped("is_declared"), [False])
        self.assertEqual(self.batch(self.amex).difference, 0.0)

    def test_not_told_is_not_zero_and_the_typed_ticket_says_it(self):
        self.book(30.0, "CB")
        settlement = self.end_of_day()
        batch = self.batch(self.cb)
        self.assertEqual(
            (settlement.source, batch.state, batch.is_declared, batch.difference), ("none", "closed", False, 0.0)
        )
        settlement.write({"line_ids": [(0, 0, {"brand": "CB", "count": 1, "amount": 29.0})]})
        self.assertEqual((batch.declared_amount, batch.difference), (29.0, -1.0))
        self.assertEqual(batch.difference_ids.kind, "not_on_terminal")

    def test_a_session_over_two_batches(self):
        self.book(980.0, "CB")
        self.end_of_day(("CB", 1, 98000))
        self.journal.at = "2026-03-01T18:00:00.000Z"
        self.book(380.0, "CB")
        self.close()
        first, second = self.batch(self.cb).sorted("id")
        self.assertEqual((first.odoo_amount, second.odoo_amount), (980.0, 380.0))
        self.assertEqual((first.state, second.state), ("closed", "open"))
        self.assertEqual(self.balance(self.cb_account), 1360.0)

    def test_numbers_rise_without_a_gap(self):
        self.book(10.0, "CB")
        self.book(10.0, "AMEX")
        names = self.batches.search([], order="id").mapped("name")
        numbers = [int(name.rsplit("/", 1)[1]) for name in names]
        self.assertEqual(numbers, [numbers[0], numbers[0] + 1])
        with self.assertRaises(UserError):
            self.batches.search([]).unlink()

    def test_the_hour_of_the_contract(self):
        self.book(10.0, "CB")
        self.cb.cut_hour = 23.5
        cut = self.cb._latest_cut()
        now = datetime.now(UTC).replace(tzinfo=None)
        self.assertTrue(now - timedelta(days=1, minutes=1) < cut <= now)
        self.batches._cron_cut_hours()
        batch = self.batch(self.cb)
        self.assertEqual(
            (batch.state, batch.closed_by, batch.closed_at, batch.is_declared), ("closed", "cut", cut, False)
        )

    def test_the_acquirers_file_ends_it(self):
        """Case 8.3: what the acquirer counted, in its CSV or XLSX, for a terminal that told no totals."""
        for amount in (900.0, 35.0):
            self.book(amount, "CB")
        batch = self.batch(self.cb)
        self.env["card.csv.mapping"].create({
            "contract_id": self.cb.id, "dates": "%d.%m.%Y", "column_booked": "Day", "column_gross": "Gross",
            "column_net": "Gross", "column_batch": "Remise", "column_count": "Count", "column_label": "Card",
        })  # fmt: skip
        text = "Day;Remise;Card;Count;Gross\n01.03.2026;000042;CB;20;930,00\n01.03.2026;000042;VISA;1;50,00\n"
        other = "02.03.2026;000043;CB;1;10,00\n"
        wizard = self.env["card.batch.ticket"].create({"batch_id": batch.id})
        wrong = {"several batches": text + other, "no column": "Day\n", "is not a date": text.replace("01.03.", "1/3/")}
        for words, content in wrong.items():
            wizard.file = base64.b64encode(content.encode())
            with self.assertRaisesRegex(UserError, words), self.env.cr.savepoint():
                wizard.action_enter()
        self.assertEqual(batch.state, "open")
        wizard.write({"file": base64.b64encode((text + other).encode()), "number": "42"})
        wizard.action_enter()
        self.assertEqual((batch.state, batch.closed_by, batch.number), ("closed", "file", "000042"))
        self.assertEqual(str(batch.day), "2026-03-01")
        self.assertEqual((batch.declared_count, batch.declared_amount, batch.difference), (21, 980.0, 45.0))
        self.assertEqual(
            sorted((line.brand, line.declared_amount, line.odoo_amount) for line in batch.line_ids),
            [("CB", 930.0, 935.0), ("VISA", 50.0, 0.0)],
        )

    def test_an_accountant_ends_it_by_hand(self):
        self.book(10.0, "CB")
        batch = self.batch(self.cb)
        with self.assertRaises(AccessError):
            batch.with_user(self.cashier).action_close()
        batch.action_close()
        self.assertEqual((batch.state, batch.closed_by), ("closed", "manual"))


@tagged("post_install", "-at_install")
class TestCounted(BatchCase):
    def setUp(self):
        super().setUp()
        self.payment = self.book(96.0, "AMEX").payment_ids
        self.end_of_day(("AMEX", 1, 9600))
        self.close()
        self.booked = self.session.bank_payment_ids

    def test_every_road_is_guarded(self):
        other = self.card_pm.copy({"name": "Other"})
        for road, change in {
            "method": lambda: self.payment.write({"payment_method_id": other.id}),
            "card": lambda: self.payment.write({"card_brand": "CB"}),
            "authorisation": lambda: self.payment.write({"payment_method_authcode": "X"}),
            "deletion": self.payment.unlink,
            "draft payment": self.booked.action_draft,
            "cancelled payment": self.booked.action_cancel,
            "draft entry": self.booked.move_id.button_draft,
            "draft entry of the session": self.session.move_id.button_draft,
            "match deleted": self.booked.move_id.line_ids.matched_debit_ids.unlink,
            "unmatched": lambda: self.booked.move_id.line_ids.filtered("reconciled").remove_move_reconcile(),
        }.items():
            with (
                self.subTest(road),
                self.assertRaisesRegex(UserError, "counted in batch|cannot be deleted"),
                self.env.cr.savepoint(),
            ):
                change()
        self.assertReceivableEmpty()

    def test_what_changes_nothing_is_let_through(self):
        self.payment.write({"card_brand": "AMEX", "name": "Note"})
        self.assertEqual(self.payment.card_batch_id.odoo_amount, 96.0)
