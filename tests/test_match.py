"""Payouts: found on evidence or listed as ambiguous, posted to the cent, undone, and settled only by residuals."""

from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged

from .test_case_books import FrenchCase

CB = "REMISE CB 5091540010"


class Payouts:
    """What a test does with batches and payouts, on any chart."""

    def batch_at(self, day, amount, brand="CB", number="042", declared=None):
        """Sell, and let the terminal end its day in November 2026; return the batch."""
        self.journal.at = f"2026-11-{day:02}T20:00:00.000Z"
        self.book(amount, brand)
        minor = round((amount if declared is None else declared) * 100)
        return self.end_of_day((brand, 1, minor), number=number).batch_ids

    def closed_batch(self, contract, day, payments, terminal, number=False):
        """Put payments into a batch of their own that ended that day."""
        batch = self.env["card.batch"].sudo().create({
            "contract_id": contract.id,
            "terminal_id": terminal.id,
            "currency_id": self.company.currency_id.id,
            "opened_at": f"2026-11-{day:02} 08:00:00",
            "closed_at": f"2026-11-{day:02} 20:00:00",
            "state": "closed",
            "number": number,
        })  # fmt: skip
        payments._write_guarded({"card_batch_id": batch.id})
        return batch

    def line(self, amount, day, label=CB, **facts):
        line = self.bank_line(amount, label, f"2026-11-{day:02}")
        line._write_guarded(facts)
        return line

    def find(self):
        self.env["card.match"].sudo()._find(self.env["card.contract"].search([("company_id", "=", self.company.id)]))
        return self.env["card.match"].search([("company_id", "=", self.company.id)], order="date, id")

    def found(self):
        """Return [(state, how, paid, amounts of the bank lines)] of what is found."""
        return [(match.state, match.found_by, match.gross, match.line_ids.mapped("amount")) for match in self.find()]

    def post(self, matches=None):
        matches = self.find() if matches is None else matches
        matches.action_accept()
        matches.action_post()
        return matches

    def entries(self, matches):
        return matches.line_ids.statement_line_id.move_id


@tagged("post_install", "-at_install")
class TestMatch(Payouts, FrenchCase):
    def test_case_3_a_session_over_two_batches(self):
        first, second = self.batch_at(16, 980.0), self.batch_at(17, 380.0, number="043")
        self.close()
        payment = self.session.bank_payment_ids
        self.line(980.0, 17, f"{CB} 000042")
        match = self.post()
        self.assertEqual((match.found_by, match.state, match.settled), ("reference", "posted", True))
        self.assertEqual(self.movement("511500"), (380.0, 380.0))
        self.assertEqual(
            (payment.state, first.settlement_state, second.settlement_state), ("in_process", "settled", "open")
        )
        self.line(380.0, 18, f"{CB} 000043")
        self.post(self.find() - match)
        self.assertEqual(self.movement("511500"), (0.0, 0.0))
        self.assertEqual((payment.state, second.settlement_state), ("paid", "settled"))
        self.assertEqual(match.payment_ids, first.payment_ids)

    def test_case_4_one_batch_by_two_credits(self):
        batch = self.batch_at(16, 1250.0)
        self.close()
        self.line(980.0, 17, f"{CB} 000042")
        self.line(270.0, 19, f"{CB} SC 000042")
        match = self.post()
        self.assertEqual(sorted(match.line_ids.mapped("amount")), [270.0, 980.0])
        self.assertEqual((match.found_by, match.gross, batch.settlement_state), ("reference", 1250.0, "settled"))
        self.assertEntry(
            self.entries(match),
            (self.bank_code, 980, 0), ("511500", 0, 980), (self.bank_code, 270, 0), ("511500", 0, 270),
        )  # fmt: skip
        self.assertEqual(self.movement("511500"), (0.0, 0.0))
        self.assertEqual(self.entries(match).mapped("ref"), ["042"] * 2)
        self.assertIn("Batch number in the label: 42", match.evidence_text)

    def test_case_4_without_a_number_and_two_candidates(self):
        self.batch_at(16, 1250.0)
        self.close()
        self.line(980.0, 17)
        self.line(270.0, 17)
        self.assertEqual(self.found(), [("proposed", "split", 1250.0, [980.0, 270.0])])
        self.line(270.0, 17)
        self.assertEqual(self.found(), [("proposed", "split", 1250.0, [980.0, 270.0])], "not a neighbour")
        self.line(1250.0, 18)
        self.assertEqual({state for state, *_rest in self.found()}, {"ambiguous"})

    def test_case_5_net_with_the_fee_agreed(self):
        self.amex.write({"fee_rate": 2.5, "tolerance": 0.01})
        self.batch_at(16, 96.0, "AMEX")
        self.close()
        self.line(93.60, 18, "AMEX EUROPE 9345678901")
        match = self.post()
        self.assertEqual((match.found_by, match.fee, match.fee_difference), ("amount", 2.40, 0.0))
        self.assertEntry(self.entries(match), (self.bank_code, 93.60, 0), ("627800", 2.40, 0), ("511510", 0, 96))
        self.assertEqual(self.movement("511510"), (0.0, 0.0))
        self.assertEqual(self.session.bank_payment_ids.state, "paid")

    def test_case_5_a_fee_above_the_contract_is_told(self):
        self.amex.write({"fee_rate": 2.0, "tolerance": 0.47})
        self.batch_at(16, 96.0, "AMEX")
        self.close()
        self.line(93.60, 18, "AMEX EUROPE 9345678901")
        self.assertEqual(self.found(), [], "0.48 is more than 0.47")
        self.amex.tolerance = 0.48
        match = self.post()
        self.assertEqual((match.fee_expected, match.fee_difference), (1.92, 0.48))
        notice = self.env["card.notice"].search([("code", "=", "fee_rate")])
        self.assertIn("0.48", notice.text)

    def test_case_10_a_fee_with_vat(self):
        tax = self.company_data["default_tax_purchase"]
        self.amex.write({"fee_rate": 2.5, "fee_tax_id": tax.id})
        self.batch_at(16, 96.0, "AMEX")
        self.close()
        self.line(93.60, 18, "AMEX EUROPE 9345678901")
        match = self.post()
        vat = tax.invoice_repartition_line_ids.account_id.with_company(self.company).code
        rows = [(self.bank_code, 93.60, 0), ("627800", 2.0, 0), (vat, 0.40, 0), ("511510", 0, 96)]
        self.assertEntry(self.entries(match), *rows)
        match.action_undo()
        self.assertEntry(self.entries(match), (self.bank_code, 93.60, 0), (self.suspense_code(), 0, 93.60))
        match.action_post()
        self.assertEntry(self.entries(match), *rows)

    def suspense_code(self):
        return self.bank.suspense_account_id.with_company(self.company).code

    def test_case_8_4_more_than_odoo_holds(self):
        batch = self.batch_at(16, 935.0, declared=980.0)
        self.close()
        self.line(980.0, 17)
        match = self.post()
        self.assertEqual((match.found_by, match.gross, match.over), ("declared", 935.0, 45.0))
        suspense = self.company.card_suspense_account_id.with_company(self.company).code
        self.assertEntry(self.entries(match), (self.bank_code, 980, 0), ("511500", 0, 935), (suspense, 0, 45))
        self.assertEqual(self.movement("511500"), (0.0, 0.0))
        self.assertEqual((batch.settlement_state, match.settled), ("settled", True))

    def test_less_than_odoo_holds_leaves_the_rest_open(self):
        batch = self.batch_at(16, 935.0, declared=900.0)
        self.close()
        self.line(900.0, 17)
        match = self.post()
        self.assertEqual((match.gross, match.over, batch.settlement_state), (900.0, 0.0, "partly"))
        self.assertEqual(self.movement("511500"), (35.0, 35.0))
        self.line(35.0, 18)
        self.post(self.find() - match)
        self.assertEqual((self.movement("511500"), batch.settlement_state), ((0.0, 0.0), "settled"))

    def test_the_week_in_one_net_payout(self):
        self.amex.write({"fee_rate": 1.5, "tolerance": 0.02, "days_max": 5})
        for day, amount in ((9, 200.0), (10, 150.0), (11, 310.0), (12, 90.0)):
            self.batch_at(day, amount, "AMEX", number=f"{day}0")
        self.close()
        self.line(650.11, 14, "AMEX EUROPE 9345678901")  # 660.00 less 9.90 is 650.10
        match = self.post()
        self.assertEqual((match.found_by, match.gross, match.fee, len(match.batch_ids)), ("days", 660.0, 9.89, 3))
        self.assertEqual(self.movement("511510"), (90.0, 90.0))

    def test_days_that_are_no_neighbours_are_not_put_together(self):
        for day, amount in ((10, 150.0), (11, 310.0), (12, 90.0)):
            self.batch_at(day, amount)
        self.close()
        self.line(240.0, 14)
        self.assertEqual(self.found(), [])

    def test_what_was_paid_already_stands_between(self):
        for day, amount in ((10, 150.0), (11, 310.0), (12, 90.0)):
            self.batch_at(day, amount, number=f"{day}0")
        self.close()
        self.line(310.0, 12)
        self.post()
        self.line(240.0, 14)
        self.assertEqual([row for row in self.found() if row[0] != "posted"], [])

    def test_the_gross_that_the_bank_says(self):
        for day, amount in ((10, 150.0), (11, 340.0)):
            self.batch_at(day, amount, "AMEX", number=f"{day}0")
        self.close()
        self.line(481.90, 12, "AMEX EUROPE 9345678901", card_gross=490.0, card_charges=8.10)
        match = self.post()
        self.assertEqual((match.found_by, match.gross, match.fee), ("days", 490.0, 8.10))
        self.assertEntry(
            self.entries(match),
            (self.bank_code, 481.90, 0), ("627800", 8.10, 0), ("511510", 0, 490.0),
        )  # fmt: skip

    def test_several_terminals_in_one_credit(self):
        orders = [self.book(amount, "CB") for amount in (120.0, 80.0)]
        self.close()
        for order, terminal in zip(orders, (self.terminal, self.spare), strict=True):
            self.closed_batch(self.cb, 16, order.payment_ids, terminal)
        self.line(200.0, 17)
        match = self.post()
        self.assertEqual((match.found_by, len(match.batch_ids)), ("pooled", 2))
        self.assertEqual(self.movement("511500"), (0.0, 0.0))

    def test_a_refund_lowers_what_is_paid(self):
        self.journal.at = "2026-11-16T20:00:00.000Z"
        self.book(100.0, "CB")
        self.book(-30.0, "CB")
        self.end_of_day(("CB", 2, 7000))
        self.close()
        self.line(70.0, 17)
        self.post()
        self.assertEqual(self.movement("511500"), (0.0, 0.0))

    def test_a_batch_of_refunds_is_taken_from_the_bank(self):
        self.batch_at(16, -30.0)
        self.close()
        self.line(-30.0, 17)
        match = self.post()
        self.assertEntry(self.entries(match), (self.bank_code, 0, 30), ("511500", 30, 0))
        self.assertEqual(self.movement("511500"), (0.0, 0.0))

    def test_ambiguous_is_listed_and_a_person_chooses(self):
        self.batch_at(16, 100.0)
        self.batch_at(17, 100.0, number="043")
        self.close()
        line = self.line(100.0, 18)
        one, two = self.find()
        self.assertEqual(
            ((one | two).mapped("state"), (one | two).line_ids.statement_line_id), (["ambiguous"] * 2, line)
        )
        self.assertFalse(one.payment_ids)
        with self.assertRaises(UserError):
            (one | two).action_accept()
        two.action_accept()
        self.assertEqual(
            (one.exists().id, two.state, two.payment_ids), (False, "accepted", two.batch_ids.batch_id.payment_ids)
        )
        two.action_post()
        self.assertEqual(self.movement("511500"), (100.0, 100.0))
        self.assertEqual(self.found()[-1][0], "posted")

    def test_another_contracts_label_is_not_its_money(self):
        self.batch_at(16, 100.0)
        self.close()
        self.line(100.0, 17, "AMEX EUROPE 9345678901")
        self.assertEqual(self.found(), [])
        self.cb.label_pattern = "CB DU"
        self.line(100.0, 17, "VIREMENT")
        self.assertEqual(self.found(), [], "a contract with a pattern takes nothing else")
        self.line(100.0, 17, "REMISE cb du 16/11")
        self.assertEqual(len(self.found()), 1)

    def test_too_late_and_too_early(self):
        self.batch_at(16, 100.0)
        self.close()
        self.cb.days_min = 1
        self.line(100.0, 16)
        self.line(100.0, 21)
        self.assertEqual(self.found(), [])

    def test_the_same_again_is_the_same(self):
        for day in (10, 11, 12):
            self.batch_at(day, 50.0 + day, number=f"0{day}")
            self.line(50.0 + day, day + 1)
        self.close()
        first = self.found()
        self.assertEqual(len(first), 3)
        self.assertEqual(self.found(), first)

    def test_undo_and_locked(self):
        batch = self.batch_at(16, 100.0)
        self.close()
        line = self.line(100.0, 17)
        match = self.post()
        self.company.fiscalyear_lock_date = "2026-11-17"
        with self.assertRaises(UserError):
            match.action_undo()
        self.assertEqual((match.state, line.is_reconciled), ("posted", True))
        self.company.fiscalyear_lock_date = False
        match.action_undo()
        self.assertEqual((match.state, line.is_reconciled, batch.settlement_state), ("accepted", False, "open"))
        self.assertEqual(self.session.bank_payment_ids.state, "in_process")
        match.action_reject()
        self.assertEqual(len(self.find()), 1)

    def test_unmatched_by_hand_is_no_longer_settled(self):
        batch = self.batch_at(16, 100.0)
        self.close()
        line = self.line(100.0, 17)
        match = self.post()
        line.move_id.line_ids.remove_move_reconcile()
        self.assertTrue(line.is_reconciled, "Odoo says so still")
        match.invalidate_recordset()
        batch.invalidate_recordset()
        self.assertEqual((match.settled, batch.settlement_state, batch.paid_amount), (False, "open", 0.0))

    def test_matched_elsewhere_is_not_found_again(self):
        self.batch_at(16, 100.0)
        self.close()
        line = self.line(100.0, 17)
        line._book_card_parts([{"account_id": self.account("511500").id, "amount": -100.0}], self.cb, "x")
        waiting = self.env["account.move.line"].search([("account_id", "=", self.account("511500").id)])
        waiting.reconcile()
        self.line(100.0, 18)
        self.assertEqual(self.found(), [])

    def test_a_session_that_is_open_waits(self):
        self.batch_at(16, 100.0)
        line = self.line(100.0, 17)
        match = self.find()
        match.action_accept()
        with self.assertRaisesRegex(UserError, "not closed"), self.env.cr.savepoint():
            match.action_post()
        self.assertFalse(line.is_reconciled)
        self.close()
        match.action_post()
        self.assertEqual(self.movement("511500"), (0.0, 0.0))

    def test_in_the_background_one_that_fails_does_not_hold_up_the_others(self):
        self.batch_at(16, 100.0)
        self.batch_at(17, 935.0, number="043", declared=980.0)
        self.close()
        self.line(100.0, 17)
        self.line(980.0, 18)
        good, bad = self.find()
        self.company.card_suspense_account_id = False
        (good | bad).action_accept()
        (good | bad).sudo().state = "queued"
        with patch.object(type(self.env["ir.cron"]), "_commit_progress", lambda *args, **kwargs: 1.0):
            self.env["card.match"].sudo()._cron_post()
        self.assertEqual((good.state, bad.state, bool(good.problem)), ("posted", "accepted", False))
        self.assertIn("suspense", bad.problem)

    def test_money_taken_over_from_before(self):
        account = self.account("511500")
        before = self.env["account.move"].create({
            "move_type": "entry", "date": "2026-11-02",
            "line_ids": [
                (0, 0, {"account_id": account.id, "debit": 80.0}),
                (0, 0, {"account_id": self.account("707000").id, "credit": 80.0}),
            ],
        })  # fmt: skip
        before.action_post()
        batch = self.env["card.batch"].sudo().create({
            "contract_id": self.cb.id, "currency_id": self.company.currency_id.id, "state": "closed",
            "closed_by": "taken_over", "opening_amount": 80.0, "closed_at": "2026-11-16 20:00:00",
            "taken_over_line_ids": [(6, 0, before.line_ids.filtered("debit").ids)],
        })  # fmt: skip
        self.line(80.0, 17)
        match = self.post()
        self.assertEqual((match.batch_ids.batch_id, self.movement("511500")), (batch, (0.0, 0.0)))
