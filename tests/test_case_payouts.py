"""Payouts as each country's acquirers make them, entries line by line: meal vouchers in France, a week in Germany."""

from datetime import date

from odoo.tests import tagged

from .common_charts import ChartCase
from .common_ledger import check_datev
from .test_case_books import FrenchCase
from .test_match import Payouts


@tagged("post_install", "-at_install")
class TestMealVouchers(Payouts, FrenchCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.issuers = [cls.offered(name, [name], number=number, settlement="net")
                       for name, number in (("Issuer A", "771001"), ("Issuer B", "882002"))]  # fmt: skip
        for issuer in cls.issuers:
            issuer.write({
                "fee_rate": 4.8, "fee_tax_id": cls.company_data["default_tax_purchase"].id, "days_min": 7,
                "days_max": 30, "tolerance": 0.01,
            })  # fmt: skip

    def test_two_issuers_pay_weeks_later_less_a_fee_with_vat(self):
        """Case 8.15: each issuer has its own contract, account and delay; 4.8 % are fee and 20 % of VAT on it."""
        self.journal.at = "2026-11-02T20:00:00.000Z"
        self.book(54.0, "Issuer A")
        self.book(36.0, "Issuer B")
        self.book(20.0, "CB")
        self.end_of_day(("Issuer A", 1, 5400), ("Issuer B", 1, 3600), ("CB", 1, 2000), number="7")
        self.close()
        self.assertEqual([self.movement(code)[0] for code in ("511500", "511520", "511530")], [20.0, 54.0, 36.0])
        early = self.line(51.41, 6, "771001 RBT TITRES")
        self.assertEqual(self.found(), [], "no issuer pays before a week")
        early.unlink()
        self.line(51.41, 24, "771001 RBT TITRES")
        self.line(34.27, 26, "882002 RBT TITRES")
        one, two = self.post()
        self.assertEntry(
            self.entries(one), (self.bank_code, 51.41, 0), ("627800", 2.16, 0), ("445660", 0.43, 0), ("511520", 0, 54)
        )
        self.assertEntry(
            self.entries(two), (self.bank_code, 34.27, 0), ("627800", 1.44, 0), ("445660", 0.29, 0), ("511530", 0, 36)
        )
        self.assertEqual([self.movement(code)[1] for code in ("511500", "511520", "511530")], [20.0, 0.0, 0.0])

    def test_nothing_is_open_for_more_than_four_days(self):
        """Case 9: 511500 open for more than 4 days is 0.00 once the bank has paid."""
        self.batch_at(16, 980.0)
        self.close()
        items = self.env["card.open.item"]
        day = self.session.bank_payment_ids.move_id.date
        where = [("account_id", "=", self.account("511500").id), ("days", ">", 4)]

        def old(after):
            return sum(items._as_of(date.fromordinal(day.toordinal() + after)).search(where).mapped("open_amount"))

        self.assertEqual((old(4), old(5)), (0.0, 980.0))
        self.line(980.0, 17)
        self.post()
        self.assertEqual(old(5), 0.0)


class GermanWeekCase(Payouts, ChartCase):
    @classmethod
    def take_offers(cls):
        cls.girocard = cls.offered("girocard", ["girocard"], number="54000123")
        cls.credit = cls.offered("Kreditkarten", ["VISA", "MC"], number="455600123", settlement="net")
        cls.credit.write({"fee_rate": 1.65, "tolerance": 0.02, "days_max": 7})
        cls.company.write({"card_datev_consultant": 29098, "card_datev_client": 55003})

    def assertWeek(self, giro, credit, bank, fee, receivable):
        """Cases 5, 8.9 and 8.11: five batches in one net payout, two terminals in one credit, and their DATEV rows."""
        for day, amount in ((9, 120.0), (10, 80.0), (11, 150.0), (12, 90.0), (13, 50.0)):
            self.batch_at(day, amount, "VISA", number=f"02{day}")
        orders = [self.book(amount, "girocard") for amount in (300.0, 264.20)]
        self.close()
        self.assertEntry(
            self.session.bank_payment_ids.move_id,
            (giro, 564.20, 0), (receivable, 0, 564.20), (credit, 490, 0), (receivable, 0, 490),
        )  # fmt: skip
        for order, terminal in zip(orders, (self.terminal, self.spare), strict=True):
            self.closed_batch(self.girocard, 13, order.payment_ids, terminal)
        self.line(564.20, 16, "GIROCARD 54000123")
        self.line(481.90, 18, "KARTEN 455600123")
        pooled, week = self.post()
        found = [(match.found_by, len(match.batch_ids)) for match in (pooled, week)]
        self.assertEqual(found, [("pooled", 2), ("days", 5)])
        self.assertEntry(self.entries(pooled), (bank, 564.20, 0), (giro, 0, 564.20))
        self.assertEntry(self.entries(week), (bank, 481.90, 0), (fee, 8.10, 0), (credit, 0, 490))
        self.assertEqual((self.movement(giro), self.movement(credit)), ((0.0, 0.0), (0.0, 0.0)))
        days = [*self.session.bank_payment_ids.move_id.mapped("date"), date(2026, 11, 16), date(2026, 11, 18)]
        wizard = self.env["card.ledger.export"].create({
            "kind": "datev", "date_from": min(days), "date_to": max(days),
            "company_ids": [(6, 0, self.company.ids)],
        })  # fmt: skip
        files = wizard._datev_files()  # two where today is in a later year than the payouts
        rows = [row for _name, content in files for row in check_datev(content)[1]]
        self.assertCountEqual(
            [(row[0], row[1], f"{row[2]}/{row[3]}") for row in rows],
            [("564,20", "S", f"{giro}/{receivable}"), ("490,00", "S", f"{credit}/{receivable}"),
             ("564,20", "S", f"{bank}/{giro}"), ("481,90", "S", f"{bank}/{credit}"), ("8,10", "S", f"{fee}/{credit}")],
        )  # fmt: skip


@tagged("post_install", "-at_install")
class TestGermanWeek03(GermanWeekCase):
    chart = "de_skr03"

    def test_a_week(self):
        self.assertWeek("1361", "1362", "1201", "4970", "1411")


@tagged("post_install", "-at_install")
class TestGermanWeek04(GermanWeekCase):
    chart = "de_skr04"

    def test_a_week(self):
        self.assertWeek("1461", "1462", "1801", "6855", "1206")
