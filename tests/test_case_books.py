"""The numbered cases of contracts, batches, fees and chargebacks on the French chart, entries line by line."""

import uuid
from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged

from .common_charts import ChartCase


class FrenchCase(ChartCase):
    """CB on 511500 (gross), AMEX on 511510 (net), the suspense account on 471010."""

    chart = "fr"

    @classmethod
    def take_offers(cls):
        cls.cb = cls.offered("CB", ["CB", "CB contactless"], number="5091540")
        cls.amex = cls.offered("AMEX", ["AMEX"], number="9345678901", settlement="net")
        cls.bank_code = cls.bank.default_account_id.with_company(cls.company).code
        cls.receivable = cls.account("411101")

    def sold(self, amount, brand="CB"):
        order = self.book(amount, brand)
        self.close()
        return order.payment_ids

    def pay_out(self, amount, contract, gross, fee=0.0, label="REMISE CB 5091540010"):
        """Book a credit of the bank against what waits under a contract, as a matched payout does."""
        line = self.bank_line(amount, label)
        today = fields.Date.context_today(contract)
        outstanding = contract.outstanding_account_id
        parts = [{"account_id": outstanding.id, "amount": -gross, "name": label}]
        if fee:
            parts += contract._fee_lines(fee, self.company.currency_id, today, label)
        (paid, *_fees) = line._book_card_parts(parts, contract, "042")
        waiting = self.env["account.move.line"].search([
            ("account_id", "=", outstanding.id), ("reconciled", "=", False), ("balance", ">", 0),
        ])  # fmt: skip
        (paid | waiting).reconcile()
        return line


@tagged("post_install", "-at_install")
class TestRouted(FrenchCase):
    def test_a_refund_alone(self):
        """Case 8.1: Odoo alone books the outstanding account against itself and leaves the receivable at -20.00."""
        self.sold(-20.0)
        self.assertEntry(self.session.move_id, ("707000", 16.67, 0), ("445710", 3.33, 0), ("411101", 0, 20))
        self.assertEntry(self.session.bank_payment_ids.move_id, ("511500", 0, 20), ("411101", 20, 0))
        self.assertEqual(self.session.bank_payment_ids.payment_type, "outbound")
        self.assertReceivableEmpty(self.receivable)

    def test_a_typed_difference_makes_no_loss(self):
        """Case 8.1: Odoo alone turns 96.00 into 12.00 for a typed difference of -12.00."""
        self.book(96.0, "AMEX")
        self.session.post_closing_cash_details(0)
        self.assertFalse(self.session.close_session_from_ui([(self.card_pm.id, -12.0)])["successful"])
        self.close()
        self.assertEntry(self.session.bank_payment_ids.move_id, ("511510", 96, 0), ("411101", 0, 96))
        self.assertReceivableEmpty(self.receivable)

    def test_a_terminal_that_is_not_connected_and_meal_vouchers(self):
        """Case 8.15: methods without a terminal of ours go to the contract that names them."""
        vouchers = self.bank_pm1.copy({"name": "Meal vouchers", "receivable_account_id": self.receivable.id})
        self.close()
        self.config.write({"payment_method_ids": [(4, vouchers.id)]})
        self.session = self.open()
        issuer = self.offered("Vouchers", [])
        issuer.payment_method_ids = vouchers
        order, line = str(uuid.uuid4()), str(uuid.uuid4())
        payment = (
            0,
            0,
            {"uuid": line, "name": fields.Datetime.now(), "amount": 36.0, "payment_method_id": vouchers.id},
        )
        self.sync(self.order_data(order, [payment], quantity=3.6))
        self.session.post_closing_cash_details(0)
        answer = self.session.close_session_from_ui([(vouchers.id, -6.0)])
        self.assertIn("difference cannot be booked", answer["message"])
        self.close()
        self.assertEntry(self.session.bank_payment_ids.move_id, ("511520", 36, 0), ("411101", 0, 36))
        batch = self.batch(issuer)
        self.assertEqual((batch.odoo_count, batch.odoo_amount, batch.terminal_id.id), (1, 36.0, False))
        ticket = {"batch_id": batch.id, "number": "7", "line_ids": [(0, 0, {"count": 1, "amount": 35.0})]}
        with self.assertRaisesRegex(UserError, "after the batch's first payment"):
            self.env["card.batch.ticket"].create({**ticket, "at": "2020-01-01 12:00:00"}).action_enter()
        self.env["card.batch.ticket"].create(ticket).action_enter()
        self.assertEqual((batch.state, batch.closed_by, batch.number, batch.difference), ("closed", "typed", "7", -1.0))
        self.assertReceivableEmpty(self.receivable)


@tagged("post_install", "-at_install")
class TestBatches(FrenchCase):
    def test_what_was_missing_is_attached(self):
        """Case 2: 21 payments of 980.00 declared, 20 of 935.00 found; with the missing 45.00 nothing differs."""
        for _sale in range(19):
            self.book(46.0, "CB")
        self.book(61.0, "CB")
        moves = self.env["account.move"].search_count([("company_id", "=", self.company.id)])
        order, line = str(uuid.uuid4()), str(uuid.uuid4())
        lost = self.sell(order, line, 4500)
        self.end_of_day(("CB", 21, 98000))
        batch = self.batch(self.cb)
        self.assertEqual((batch.odoo_count, batch.odoo_amount, batch.difference), (20, 935.0, 45.0))
        (row,) = batch.difference_ids
        self.assertEqual((row.kind, row.amount, row.transaction_ids), ("not_in_odoo", 45.0, lost))
        self.assertEqual(self.env["account.move"].search_count([("company_id", "=", self.company.id)]), moves)
        self.sync(self.order_data(order, [self.card_line(line, lost.uuid, 45.0)], quantity=4.5))
        self.assertEqual((batch.odoo_count, batch.odoo_amount, batch.difference), (21, 980.0, 0.0))

    def test_a_session_over_two_batches(self):
        """Case 3: of 1,360.00 the first batch pays 980.00; 380.00 stay open until the second."""
        self.book(980.0, "CB")
        self.end_of_day(("CB", 1, 98000), number="042")
        self.journal.at = "2026-03-01T18:00:00.000Z"
        self.book(380.0, "CB")
        self.end_of_day(("CB", 1, 38000), number="043")
        self.close()
        first, second = self.batch(self.cb).sorted("number")
        self.assertEqual((first.amount_due, second.amount_due), (980.0, 380.0))
        (payment,) = self.session.bank_payment_ids
        self.assertEntry(payment.move_id, ("511500", 1360, 0), ("411101", 0, 1360))
        self.pay_out(980.0, self.cb, 980.0)
        self.assertEqual((self.movement("511500"), payment.state), ((380.0, 380.0), "in_process"))
        self.pay_out(380.0, self.cb, 380.0)
        self.assertEqual((self.movement("511500"), payment.state), ((0.0, 0.0), "paid"))

    def test_a_hole_in_the_terminals_numbers(self):
        """Case 8.3: the terminal's number and our own gapless one; 042 then 044 raises a notice, 045 does not."""
        for hour, number in (("10", "042"), ("12", "044"), ("14", "045")):
            self.journal.at = f"2026-03-01T{hour}:00:00.000Z"
            self.book(10.0, "CB")
            self.end_of_day(("CB", 1, 1000), number=number)
        batches = self.batch(self.cb).sorted("number")
        ours = [int(name.rsplit("/", 1)[1]) for name in batches.mapped("name")]
        self.assertEqual(ours, [ours[0], ours[0] + 1, ours[0] + 2])
        notices = self.env["card.notice"].search([("code", "=", "batch_number_hole")])
        self.assertEqual(notices.mapped("res_id"), batches[1].ids)
        self.assertIn("042 to 044", notices.text)

    def test_a_number_of_a_batch_without_this_contract_is_no_hole(self):
        for hour, brand, number in (("10", "AMEX", "042"), ("12", "CB", "043"), ("14", "AMEX", "044")):
            self.journal.at = f"2026-03-01T{hour}:00:00.000Z"
            self.book(10.0, brand)
            self.end_of_day((brand, 1, 1000), number=number)
        self.assertFalse(self.env["card.notice"].search([("code", "=", "batch_number_hole")]))

    def test_a_batch_that_does_not_end(self):
        """Case 9: payments of 500.00 and no end of day after 26 hours."""
        self.book(500.0, "CB")
        batch = self.batch(self.cb)
        now = fields.Datetime.now()
        missing = self.env["card.notice"].search
        for hours, told in ((25, 0), (27, 1)):
            batch.sudo().opened_at = now - timedelta(hours=hours)
            self.batches._cron_missing()
            self.assertEqual(len(missing([("code", "=", "batch_missing"), ("state", "!=", "done")])), told, hours)
        self.assertIn("500.00", missing([("code", "=", "batch_missing")]).text)
        batch.action_close()
        self.assertFalse(missing([("code", "=", "batch_missing"), ("state", "!=", "done")]))

    def test_the_closing_shows_both(self):
        """What the terminal counted beside what Odoo booked, per contract, in minor units."""
        self.book(120.0, "CB")
        self.book(96.0, "AMEX")
        rows = self.session.get_closing_control_data()["card_terminal"]["contracts"]
        self.assertEqual({row["contract"]: row["known"] for row in rows}, {"CB": False, "AMEX": False})
        self.end_of_day(("CB", 2, 16500), ("AMEX", 1, 9600))
        told = self.session.with_user(self.cashier).get_closing_control_data()["card_terminal"]["contracts"]
        rows = {row["contract"]: row for row in told}
        cb = rows["CB"]
        self.assertEqual((cb["odoo_count"], cb["odoo_amount"], cb["session_amount"]), (1, 12000, 12000))
        self.assertEqual((cb["declared_count"], cb["declared_amount"], cb["difference"]), (2, 16500, 4500))
        self.assertIn("not in Odoo", cb["text"])
        self.assertEqual((rows["AMEX"]["difference"], rows["AMEX"]["text"]), (0, "The terminal counted the same."))

    def test_what_a_batch_counted(self):
        """Cases 8.6 and 10: nothing of it changes; a reversal of its entry posts the exact opposite."""
        payment = self.sold(96.0, "AMEX")
        self.end_of_day(("AMEX", 1, 9600))
        other = self.card_pm.copy({"name": "Other"})
        with self.assertRaisesRegex(UserError, "counted in batch"):
            payment.write({"payment_method_id": other.id})
        booked = self.session.bank_payment_ids.move_id
        opposite = booked._reverse_moves([{"ref": "Reversal", "date": fields.Date.context_today(booked)}])
        opposite._post(soft=False)
        self.assertEntry(booked, ("511510", 96, 0), ("411101", 0, 96))
        self.assertEntry(opposite, ("511510", 0, 96), ("411101", 96, 0))

    def test_a_late_refund(self):
        """A refund after the batch was paid goes into the next one, and lowers what the bank has to pay."""
        self.book(100.0, "CB")
        self.end_of_day(("CB", 1, 10000), number="042")
        self.close()
        self.pay_out(100.0, self.cb, 100.0)
        self.session = self.open()
        self.journal.at = "2026-03-05T10:00:00.000Z"
        self.book(-30.0, "CB")
        self.book(80.0, "CB")
        self.end_of_day(("CB", 2, 5000), number="043")
        self.close()
        late = self.batch(self.cb).filtered(lambda batch: batch.number == "043")
        self.assertEqual((late.odoo_count, late.amount_due, late.difference), (2, 50.0, 0.0))
        self.assertEqual(self.movement("511500"), (50.0, 50.0))


@tagged("post_install", "-at_install")
class TestFees(FrenchCase):
    def test_kept_from_the_payout(self):
        """Case 5: 96.00 paid as 93.60; the fee is 2.5 %, the contract says 2.0 %: 0.48 more."""
        self.amex.fee_rate = 2.0
        self.sold(96.0, "AMEX")
        line = self.pay_out(93.60, self.amex, 96.0, 2.40, label="AMEX 9345678901")
        self.assertEntry(line.move_id, (self.bank_code, 93.60, 0), ("627800", 2.40, 0), ("511510", 0, 96))
        self.assertEqual(self.movement("511510"), (0.0, 0.0))
        self.assertEqual((self.session.bank_payment_ids.state, line.is_reconciled), ("paid", True))
        self.assertEqual(self.amex._expected_fee(96.0, 1, self.company.currency_id), 1.92)
        self.amex._judge_fee(self.batch(self.amex), 2.40, 96.0, 1, self.company.currency_id)
        notice = self.env["card.notice"].search([("code", "=", "fee_rate")])
        self.assertIn("2.50", notice.text)
        self.assertIn("0.48", notice.text)
        self.amex._judge_fee(self.batch(self.amex), 1.92, 96.0, 1, self.company.currency_id)
        self.assertEqual(notice.state, "done")

    def test_with_vat(self):
        """Case 8.10: 2.40 are 2.00 and 0.40 of VAT; Odoo adds no tax line by itself."""
        self.amex.fee_tax_id = self.company_data["default_tax_purchase"]
        self.sold(96.0, "AMEX")
        line = self.pay_out(93.60, self.amex, 96.0, 2.40)
        self.assertEntry(
            line.move_id, (self.bank_code, 93.60, 0), ("627800", 2, 0), ("445660", 0.40, 0), ("511510", 0, 96)
        )
        tax = line.move_id.line_ids.filtered("tax_line_id")
        self.assertEqual((tax.tax_line_id, tax.tax_base_amount), (self.amex.fee_tax_id, 2.0))

    def test_charged_by_the_month(self):
        """Case 9: 8.75 on 1,250.00 are 0.70 %."""
        self.cb.fee_rate = 0.7
        self.book(980.0, "CB")
        self.book(270.0, "CB contactless")
        self.end_of_day(("CB", 2, 125000))
        self.close()
        line = self.bank_line(-8.75, "COMMISSIONS CB 03/2026")
        fee = self.env["card.fee"].create({
            "contract_id": self.cb.id, "date_from": "2026-03-01", "date_to": "2026-03-31", "statement_line_id": line.id,
        })  # fmt: skip
        self.assertEqual((fee.amount, fee.turnover, fee.payment_count, fee.rate), (8.75, 1250.0, 2, 0.7))
        fee.action_book()
        self.assertEntry(line.move_id, (self.bank_code, 0, 8.75), ("627800", 8.75, 0))
        self.assertEqual((fee.state, fee.expected, line.is_reconciled), ("booked", 8.75, True))
        self.assertFalse(self.env["card.notice"].search([("code", "=", "fee_rate")]))
        with self.assertRaisesRegex(UserError, "stays"):
            fee.unlink()
        with self.assertRaisesRegex(UserError, "matched already"):
            line._book_card_parts([{"account_id": fee.id, "amount": 8.75, "name": "x"}], self.cb, "x")

    def test_an_invoice_with_vat(self):
        self.cb.fee_tax_id = self.company_data["default_tax_purchase"]
        self.book(1000.0, "CB")
        acquirer = self.env["res.partner"].create({"name": "Acquirer"})
        fee = self.env["card.fee"].create({
            "contract_id": self.cb.id, "date_from": "2026-03-01", "date_to": "2026-03-31", "partner_id": acquirer.id,
            "amount": 12.0, "reference": "INV 7",
        })  # fmt: skip
        fee.action_book()
        self.assertEntry(fee.move_id, ("627800", 10, 0), ("445660", 2, 0), ("401100", 0, 12))
        self.assertEqual((fee.move_id.ref, fee.move_id.card_contract_id), ("INV 7", self.cb))

    def test_at_the_end_of_a_period(self):
        """Case 8.15: what was not charged by the last day is booked on it and taken back on the next."""
        self.cb.fee_rate = 0.7
        self.book(1250.0, "CB")
        self.end_of_day(("CB", 1, 125000))
        wizard = self.env["card.fee.accrual"].create({"date_from": "2026-03-01", "date_to": "2026-03-31"})
        line = wizard.line_ids.filtered(lambda row: row.contract_id == self.cb)
        self.assertEqual((line.turnover, line.expected, line.booked, line.amount), (1250.0, 8.75, 0.0, 8.75))
        wizard.action_book()
        accrued, taken_back = self.env["account.move"].search([("card_contract_id", "=", self.cb.id)], order="date")
        self.assertEntry(accrued, ("627800", 8.75, 0), ("408100", 0, 8.75))
        self.assertEntry(taken_back, ("627800", 0, 8.75), ("408100", 8.75, 0))
        self.assertEqual([str(accrued.date), str(taken_back.date)], ["2026-03-31", "2026-04-01"])
        again = self.env["card.fee.accrual"].create({"date_from": "2026-03-01", "date_to": "2026-03-31"})
        self.assertEqual(again.line_ids.filtered(lambda row: row.contract_id == self.cb).amount, 0.0)


@tagged("post_install", "-at_install")
class TestChargebacks(FrenchCase):
    def setUp(self):
        super().setUp()
        self.payment = self.sold(45.0)
        self.end_of_day(("CB", 1, 4500), number="042")
        self.sales = self.movement("707000")[0], self.movement("445710")[0]
        self.line = self.bank_line(-45.0, "IMPAYE CB 042")
        self.chargeback = self.env["card.chargeback"].create({
            "reference": "IMP 1", "contract_id": self.cb.id, "payment_id": self.payment.id, "amount": 45.0,
            "date": "2026-03-20", "reason": "Not my purchase",
        })  # fmt: skip
        self.chargeback._receive(self.line)

    def assertSalesUntouched(self):
        self.assertEqual((self.movement("707000")[0], self.movement("445710")[0]), self.sales)

    def test_received(self):
        """Case 7: D 416000 45.00, C 512 45.00, linked to the payment; the sale stays."""
        self.assertEntry(self.line.move_id, ("416000", 45, 0), (self.bank_code, 0, 45))
        self.assertEqual((self.chargeback.state, self.chargeback.batch_id.number), ("received", "042"))
        self.assertTrue(self.line.is_reconciled)
        self.assertSalesUntouched()

    def test_won(self):
        """Cases 7 and 8.5: the credit of 45.00 clears 416000."""
        self.chargeback.action_contest()
        back = self.bank_line(45.0, "REGUL IMPAYE")
        self.chargeback._win(back)
        self.assertEntry(back.move_id, ("416000", 0, 45), (self.bank_code, 45, 0))
        self.assertEqual((self.chargeback.state, self.movement("416000")), ("won", (0.0, 0.0)))
        self.assertSalesUntouched()

    def test_lost(self):
        """Case 8.5: the loss without, and with, the VAT of the sale, as the accountant chooses."""
        self.chargeback._lose(self.account("654100"))
        self.assertEntry(self.chargeback.move_ids - self.line.move_id, ("654100", 45, 0), ("416000", 0, 45))
        self.assertEqual((self.chargeback.state, self.movement("416000")), ("lost", (0.0, 0.0)))
        self.assertSalesUntouched()

    def test_lost_with_vat_corrected(self):
        self.chargeback._lose(self.account("654100"), self.company_data["default_tax_sale"])
        self.assertEntry(
            self.chargeback.move_ids - self.line.move_id,
            ("654100", 37.50, 0), ("445710", 7.50, 0), ("416000", 0, 45),
        )  # fmt: skip
        self.assertEqual(self.movement("416000"), (0.0, 0.0))

    def test_kept_from_the_next_payout(self):
        chargeback = self.env["card.chargeback"].create(
            {"reference": "IMP 2", "contract_id": self.cb.id, "amount": 10.0, "date": "2026-03-21"}
        )
        chargeback.action_receive()
        self.assertEntry(chargeback.move_ids, ("416000", 10, 0), ("511500", 0, 10))

    def test_refusals(self):
        with self.assertRaisesRegex(UserError, "cannot be done now"):
            self.chargeback.action_receive()
        with self.assertRaisesRegex(UserError, "Choose the bank line"):
            self.chargeback.action_win()
        with self.assertRaisesRegex(UserError, "Choose the account"):
            self.chargeback.action_lose()
        with self.assertRaisesRegex(UserError, "The bank line is over"):
            self.chargeback._win(self.bank_line(44.0, "x"))
        with self.assertRaisesRegex(UserError, "No more can be taken back"):
            self.env["card.chargeback"].create(
                {"reference": "IMP 3", "contract_id": self.cb.id, "amount": 46.0, "payment_id": self.payment.id}
            )
        with self.assertRaisesRegex(UserError, "stays"):
            self.chargeback.unlink()
        self.assertEqual(self.chargeback.state, "received")

    def test_our_accountant_may(self):
        """Case 8.7: Odoo's accountant alone cannot write bank lines; ours can."""
        accountant = new_test_user(
            self.env,
            "case_accountant",
            "account.group_account_user",
            company_id=self.company.id,
            company_ids=[(6, 0, self.company.ids)],
        )
        self.chargeback.with_user(accountant)._win(self.bank_line(45.0, "x").with_user(accountant))
        self.assertEqual(self.chargeback.state, "won")


@tagged("post_install", "-at_install")
class TestTakeOver(FrenchCase):
    def test_money_from_before(self):
        """Case 8.15: outstanding lines from before the installation become batches that the bank has to pay."""
        old = self.card_pm.outstanding_account_id.with_company(self.company)
        before = self.env["account.move"].create({
            "journal_id": self.cb._card_entry_journal().id, "date": "2026-02-27",
            "line_ids": [
                (0, 0, {"account_id": old.id, "debit": 120.0, "name": "CB"}),
                (0, 0, {"account_id": self.receivable.id, "credit": 120.0, "name": "CB"}),
            ],
        })  # fmt: skip
        before._post(soft=False)
        wizard = self.env["card.take.over"].create({"contract_id": self.cb.id})
        self.assertEqual((wizard.account_id, wizard.line_ids), (old, before.line_ids[0]))
        wizard.action_take_over()
        batch = self.batch(self.cb)
        self.assertEqual(
            (batch.state, batch.closed_by, batch.opening_amount, batch.amount_due, batch.odoo_amount, str(batch.day)),
            ("closed", "taken_over", 120.0, 120.0, 0.0, "2026-02-27"),
        )
        moved = batch.taken_over_line_ids.move_id
        self.assertEntry(moved, ("511500", 120, 0), (old.code, 0, 120))
        self.assertEqual(before.line_ids[0].amount_residual, 0.0)
        self.assertEqual(self.movement("511500"), (120.0, 120.0))
        again = self.env["card.take.over"].create({"contract_id": self.cb.id})
        self.assertFalse(again.line_ids)
        with self.assertRaisesRegex(UserError, "Nothing is open"):
            again.action_take_over()
        self.pay_out(120.0, self.cb, 120.0)
        self.assertEqual(self.movement("511500"), (0.0, 0.0))
        self.book(10.0, "CB")
        self.assertEqual(len(self.batch(self.cb)), 2)
