"""The samples of banks: imported, matched and posted, to the cent."""

from odoo.tests import tagged

from .common_charts import ChartCase
from .test_case_books import FrenchCase
from .test_match import Payouts
from .test_statement_import import CAMT, CFONB, FRENCH, GERMAN


@tagged("post_install", "-at_install")
class TestFrenchMonth(Payouts, FrenchCase):
    def test_the_sample_imported_matched_and_posted(self):
        self.bank.bank_acc_number = FRENCH
        self.amex.write({"fee_rate": 2.5, "tolerance": 0.01})
        self.journal.at = "2026-11-16T20:00:00.000Z"
        self.book(1250.0, "CB")
        self.book(96.0, "AMEX")
        self.end_of_day(("CB", 1, 125000), ("AMEX", 1, 9600))
        self.close()
        attachment = self.env["ir.attachment"].create({"name": "month.cfo", "raw": CFONB})
        wizard = self.env["card.statement.import"].create(
            {"attachment_ids": [(6, 0, attachment.ids)], "company_id": self.company.id}
        )
        wizard.action_import()
        statement = wizard.statement_ids
        self.assertEqual(statement.line_ids.sorted("id").mapped("amount"), [980.0, 270.0, 93.60, -8.75, -45.0])
        self.assertEqual((statement.balance_start, statement.balance_end_real), (1000.0, 2289.85))
        again = wizard.copy({"attachment_ids": [(6, 0, attachment.ids)], "statement_ids": False, "added": 0})
        again.action_import()
        self.assertEqual((again.added, again.known), (0, 5))
        matches = self.post()
        self.assertEqual([(match.gross, match.fee, match.found_by) for match in matches],
                         [(1250.0, 0.0, "reference"), (96.0, 2.40, "amount")])  # fmt: skip
        self.assertEqual((self.movement("511500"), self.movement("511510")), ((0.0, 0.0), (0.0, 0.0)))
        left = wizard.statement_ids.line_ids.filtered(lambda line: not line.is_reconciled)
        self.assertEqual(sorted(left.mapped("amount")), [-45.0, -8.75])


@tagged("post_install", "-at_install")
class TestGermanDay(Payouts, ChartCase):
    chart = "de_skr03"

    @classmethod
    def take_offers(cls):
        cls.girocard = cls.offered("girocard", ["girocard"], number="54000123")
        cls.credit = cls.offered("Credit cards", ["VISA", "MC"], number="455600123", settlement="net")

    def test_the_sample_imported_matched_and_posted(self):
        self.bank.bank_acc_number = GERMAN
        self.journal.at = "2026-11-16T20:00:00.000Z"
        self.book(564.20, "girocard")
        self.book(490.0, "VISA")
        self.end_of_day(("girocard", 1, 56420), ("VISA", 1, 49000), number="0217")
        self.close()
        attachment = self.env["ir.attachment"].create({"name": "day.xml", "raw": CAMT})
        self.env["card.statement.import"].create(
            {"attachment_ids": [(6, 0, attachment.ids)], "company_id": self.company.id}
        ).action_import()
        matches = self.post()
        self.assertEqual([match.found_by for match in matches], ["reference", "amount"])
        bank = self.bank.default_account_id.with_company(self.company).code
        waits, waits_net = (
            contract.outstanding_account_id.with_company(self.company).code for contract in (self.girocard, self.credit)
        )
        self.assertEntry(
            self.entries(matches),
            (bank, 564.20, 0), (waits, 0, 564.20), (bank, 481.90, 0), ("4970", 8.10, 0), (waits_net, 0, 490.0),
        )  # fmt: skip
        self.assertEqual((self.movement(waits), self.movement(waits_net)), ((0.0, 0.0), (0.0, 0.0)))
