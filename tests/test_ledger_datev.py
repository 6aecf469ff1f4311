"""Files for the accountant in Germany: DATEV's rows, exact and as the ledger moves, and DSFinV-K's classes."""

import io
import zipfile
from datetime import date, timedelta
from decimal import Decimal

from odoo import Command
from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from ..ledger_files import datev
from .common_ledger import check_datev, check_fec, datev_movement, fec_movement
from .test_ledger_export import LedgerExportCase
from .test_statement_import import CAMT, GERMAN


@tagged("post_install", "-at_install")
class TestGermany(LedgerExportCase):
    """A girocard batch paid in full and a credit card payout net of its fee, in SKR03 (the spec's case 8)."""

    chart = "de_skr03"

    @classmethod
    def take_offers(cls):
        cls.giro = cls.offered("girocard", ["girocard"])
        cls.credit = cls.offered("Kreditkarten", ["VISA"], settlement="net")

    def setUp(self):
        super().setUp()
        self.company.write({"card_datev_consultant": 29098, "card_datev_client": 55003, "card_datev_chart": "03"})
        self.book(564.2, "girocard")
        self.book(490.0, "VISA")
        self.end_of_day(("girocard", 1, 56420), ("VISA", 1, 49000), number="SCHNITT 0217")
        self.close()
        bank = self.bank.default_account_id
        giro, credit = self.giro.outstanding_account_id, self.credit.outstanding_account_id
        self.gross = self.entry((bank, 564.2, "Gutschrift"), (giro, -564.2, "girocard"), ref="SCHNITT 0217")
        self.net = self.entry(
            (bank, 481.9, "Auszahlung"),
            (self.credit.fee_account_id, 8.1, 'Disagio "VISA"'),
            (credit, -490.0, "Kreditkarten"),
            ref="PAYOUT 4711",
        )
        self.match(self.paid_by_session(self.giro), self.gross, account=giro)
        self.match(self.paid_by_session(self.credit), self.net, account=credit)

    def test_the_five_rows(self):
        name, content = self.export("datev")
        day = f"{self.today:%Y%m%d}"
        self.assertEqual(name, f"EXTF_Buchungsstapel_{day}_{day}.csv")
        header, rows = check_datev(content)
        year = f"{self.today.year}0101"
        self.assertEqual(header[10:16], ["29098", "55003", year, "4", day, day])
        self.assertEqual((header[21], header[26]), ('"EUR"', '"03"'))
        self.assertCountEqual(
            [(amount, f"{account}/{counter}") for amount, _side, account, counter, *_rest in rows],
            [("564,20", "1361/1411"), ("490,00", "1362/1411"), ("564,20", "1201/1361"), ("481,90", "1201/1362"),
             ("8,10", "4970/1362")],
        )  # fmt: skip
        self.assertEqual({side for _amount, side, *_rest in rows}, {"S"})
        self.assertEqual(
            [row[5] for row in rows], ["SCHNITT0217", "SCHNITT0217", "SCHNITT0217", "PAYOUT4711", "PAYOUT4711"]
        )
        moved = datev_movement(rows)
        self.assertEqual((moved["1361"], moved["1362"], moved["4970"]), (0, 0, 810))

    def test_every_account_moves_as_in_the_ledger(self):
        suspense, chargeback = self.company.card_suspense_account_id, self.giro.chargeback_account_id
        bank = self.bank.default_account_id
        self.entry((bank, 45.0, "Zuviel"), (suspense, -45.0, "Zuviel"), ref="R1")
        self.entry((chargeback, 20.0, "Rückbelastung"), (bank, -20.0, "Rückbelastung"), ref="R2")
        _header, rows = check_datev(self.export("datev")[1])
        moved = datev_movement(rows)
        fec_rows = check_fec(self.export("fec")[1])
        fec = fec_movement(fec_rows)
        journal = self.table("journal_csv")
        for account in (
            self.giro.outstanding_account_id, self.credit.outstanding_account_id, self.credit.fee_account_id,
            suspense, chargeback,
        ):  # fmt: skip
            code, ledger = account.with_company(self.company).code, self.ledger(account)
            with self.subTest(code):
                self.assertEqual(moved[code], ledger)
                self.assertEqual(fec[code], Decimal(ledger) / 100)
                own = [row for row in journal if row["Account"] == code]
                self.assertEqual(sum(Decimal(row["Debit"]) - Decimal(row["Credit"]) for row in own) * 100, ledger)
        self.assertEqual(self.ledger(suspense), -4500)
        self.assertEqual(self.ledger(chargeback), 2000)

    def test_chosen_contracts_alone(self):
        _header, rows = check_datev(self.export("datev", contract_ids=[Command.set(self.giro.ids)])[1])
        self.assertEqual([row[0] for row in rows], ["564,20", "564,20"])
        journal = self.table("journal_csv", contract_ids=[Command.set(self.credit.ids)])
        self.assertEqual({row["Account"] for row in journal}, {"1362", "4970"})

    def test_one_file_for_each_fiscal_year(self):
        giro, bank = self.giro.outstanding_account_id, self.bank.default_account_id
        last_year = date(self.today.year - 1, 12, 30)
        self.entry((giro, 10.0, "x"), (bank, -10.0, "x"), day=last_year)
        name, content = self.export("datev", first=last_year)
        self.assertTrue(name.endswith(".zip"))
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            checked = [check_datev(archive.read(each)) for each in archive.namelist()]
        self.assertEqual([len(rows) for _header, rows in checked], [1, 5])
        self.assertEqual([header[12] for header, _rows in checked], [f"{last_year.year}0101", f"{self.today.year}0101"])
        self.assertEqual(checked[0][0][15], f"{last_year.year}1231")

    def test_numbers_of_the_tax_adviser(self):
        receivable = self.card_pm.receivable_account_id
        self.env["card.datev.account"].create(
            {"account_id": receivable.id, "number": "1360", "company_id": self.company.id}
        )
        _header, rows = check_datev(self.export("datev")[1])
        self.assertEqual([row[3] for row in rows[:2]], ["1360", "1360"])

    def test_tax_keys_and_automatic_accounts(self):
        tax = self.company_data["default_tax_purchase"]
        self.credit.fee_tax_id = tax
        waits = self.credit.outstanding_account_id
        parts = self.credit._fee_lines(2.38, self.company.currency_id, self.today, "Gebühr")
        self.credit._post_card_entry([*parts, {"account_id": waits.id, "amount": -2.38}], self.today, "R9")

        def rows_of(reference):
            rows = check_datev(self.export("datev")[1])[1]
            return [(row[0], row[1], f"{row[2]}/{row[3]}", row[7]) for row in rows if row[5] == reference]

        vat = tax.invoice_repartition_line_ids.account_id.with_company(self.company).code
        self.assertCountEqual(rows_of("R9"), [("2,00", "S", "4970/1362", ""), ("0,38", "S", f"{vat}/1362", "")])
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            tax.card_datev_code = "9a"
        tax.card_datev_code = "9"
        self.assertEqual(rows_of("R9"), [("2,38", "H", "1362/4970", "0009")], "the key goes by the counter account")
        self.env["card.datev.account"].create([
            {"account_id": account.id, "number": code, "is_automatic": True, "company_id": self.company.id}
            for account, code in ((self.credit.fee_account_id, "4970"), (self.card_pm.receivable_account_id, "1411"))
        ])  # fmt: skip
        self.assertEqual(rows_of("R9"), [("2,38", "H", "1362/4970", "0009")])
        self.assertCountEqual(
            rows_of("PAYOUT4711"), [("481,90", "S", "1201/1362", ""), ("8,10", "H", "1362/4970", "0040")]
        )
        self.assertIn(("490,00", "S", "1362/1411", "0040"), rows_of("SCHNITT0217"))

    def test_another_currency(self):
        dollar, franc = (self.env.ref(f"base.{name}") for name in ("USD", "CHF"))
        (dollar | franc).active = True
        for currency, amount, ref in ((dollar, 11.0, "USD1"), (franc, 9.5, "CHF1")):
            move = self.env["account.move"].create({
                "move_type": "entry", "journal_id": self.bank.id, "date": self.today, "ref": ref,
                "line_ids": [
                    Command.create({
                        "account_id": account.id, "balance": sign * 10.0, "amount_currency": sign * amount,
                        "currency_id": currency.id,
                    })
                    for account, sign in ((self.bank.default_account_id, 1), (self.giro.outstanding_account_id, -1))
                ],
            })  # fmt: skip
            move.action_post()
        rows = {row[5]: row for row in check_datev(self.export("datev")[1])[1]}
        self.assertEqual((rows["USD1"][0], rows["USD1"][8:]), ("10,00", ("11,00", "USD", "1,100000")))
        self.assertEqual(rows["CHF1"][8:], ("10,00", "EUR", ""), "DATEV takes no rate below 1")
        fec = {row["PieceRef"]: (row["Montantdevise"], row["Idevise"]) for row in check_fec(self.export("fec")[1])}
        self.assertEqual((fec["USD1"], fec["CHF1"]), (("11,00", "USD"), ("9,50", "CHF")))

    def test_more_postings_than_a_file_takes(self):
        _header, whole = check_datev(self.export("datev")[1])
        self.patch(datev, "MOST_ROWS", 2)
        name, content = self.export("datev")
        self.assertTrue(name.endswith(".zip"))
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            parts = [check_datev(archive.read(each))[1] for each in names]
        day = f"{self.today:%Y%m%d}"
        self.assertEqual(names, [f"EXTF_Buchungsstapel_{day}_{day}_{part}.csv" for part in (1, 2, 3)])
        self.assertEqual([len(rows) for rows in parts], [2, 2, 1])
        self.assertEqual([row for rows in parts for row in rows], whole)

    def test_what_datev_does_not_take_is_said(self):
        self.company.card_datev_consultant = 0
        with self.assertRaisesRegex(UserError, "consultant number"):
            self.export("datev")
        self.company.card_datev_consultant = 29098
        lettered = self.account("1201").copy({"code": "12A1"})
        self.entry((lettered, 1.0, "x"), (self.giro.outstanding_account_id, -1.0, "x"))
        with self.assertRaisesRegex(UserError, "12A1 has no number"):
            self.export("datev")

    def test_dsfinvk(self):
        rows = self.table("dsfinvk")
        self.assertEqual(
            [
                (row["ZAHLART_TYP"], row["ZAHLART_NAME"], row["ZAHLWAEH_BETRAG"], row["BASISWAEH_BETRAG"])
                for row in rows
            ],
            [("ECKarte", "girocard", "564.20", "564.20"), ("Kreditkarte", "VISA", "490.00", "490.00")],
        )
        self.assertEqual(sum(Decimal(row["BASISWAEH_BETRAG"]) for row in rows), Decimal("1054.20"))
        self.env["card.brand"].search([("name", "=", "VISA")]).dsfinvk_type = "Guthabenkarte"
        self.assertEqual(self.table("dsfinvk")[1]["ZAHLART_TYP"], "Guthabenkarte")

    def test_a_debit_card_of_a_credit_brand_and_an_unknown_one(self):
        payment = self.session.order_ids.payment_ids[0]
        for brand, application, kind in (
            ("VISA", "VISA DEBIT", "ECKarte"), ("Mastercard", "", "Kreditkarte"), ("Clan", "", "Unbar"),
            ("", "", "Unbar"),
        ):  # fmt: skip
            payment._write_guarded({"card_brand": brand, "card_type": application})
            self.assertEqual(payment._dsfinvk_type({}), kind)

    def test_open_at_a_date(self):
        tomorrow = self.today + timedelta(days=1)
        giro, bank = self.giro.outstanding_account_id, self.bank.default_account_id
        waiting = self.entry((giro, 100.0, "waits"), (bank, -100.0, "waits"))
        paid = self.entry((bank, 60.0, "pays"), (giro, -60.0, "pays"), day=tomorrow)
        self.match(waiting, paid, account=giro)
        self.assertEqual([(row["Open"], row["Booked"]) for row in self.table("open_csv")], [("100.00", "100.00")])
        (row,) = self.table("open_csv", last=tomorrow)
        self.assertEqual((row["Open"], row["Account"], row["Contract"]), ("40.00", "1361", "girocard"))


@tagged("post_install", "-at_install")
class TestGermanSample(LedgerExportCase):
    """The sample of a bank, imported, matched and posted: its rows are those of the spec."""

    chart = "de_skr03"

    @classmethod
    def take_offers(cls):
        cls.giro = cls.offered("girocard", ["girocard"], number="54000123")
        cls.credit = cls.offered("Kreditkarten", ["VISA"], number="455600123", settlement="net")

    def test_from_the_till_to_datev(self):
        self.company.write({"card_datev_consultant": 29098, "card_datev_client": 55003, "card_datev_chart": "03"})
        self.bank.bank_acc_number = GERMAN
        self.journal.at = "2026-11-16T20:00:00.000Z"
        self.book(564.2, "girocard")
        self.book(490.0, "VISA")
        self.end_of_day(("girocard", 1, 56420), ("VISA", 1, 49000), number="0217")
        self.close()
        attachment = self.env["ir.attachment"].create({"name": "day.xml", "raw": CAMT})
        self.env["card.statement.import"].create(
            {"attachment_ids": [Command.set(attachment.ids)], "company_id": self.company.id}
        ).action_import()
        self.env["card.match"].sudo()._find(self.giro | self.credit)
        matches = self.env["card.match"].search([("company_id", "=", self.company.id)])
        matches.action_accept()
        matches.action_post()
        name, content = self.export("datev", first=date(2026, 11, 1), last=max(self.today, date(2026, 11, 30)))
        files = [content]
        if name.endswith(".zip"):  # where today is in a later fiscal year than the sample
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                files = [archive.read(each) for each in archive.namelist()]
        rows = [row for each in files for row in check_datev(each)[1]]
        self.assertCountEqual(
            [(amount, side, f"{account}/{counter}") for amount, side, account, counter, *_rest in rows],
            [("564,20", "S", "1361/1411"), ("490,00", "S", "1362/1411"), ("564,20", "S", "1201/1361"),
             ("481,90", "S", "1201/1362"), ("8,10", "S", "4970/1362")],
        )  # fmt: skip
        moved = datev_movement(rows)
        self.assertEqual((moved["1361"], moved["1362"], moved["1201"], moved["4970"]), (0, 0, 104610, 810))
        paid = self.table("batches_csv", first=date(2026, 11, 1), last=date(2026, 11, 30))
        self.assertEqual([(row["Due from the Bank"], row["Paid by the Bank"]) for row in paid],
                         [("564.20", "564.20"), ("490.00", "490.00")])  # fmt: skip
        report = self.env["card.fee.report"].search([("contract_id", "=", self.credit.id), ("fee", "!=", 0)])
        self.assertEqual(report.fee, 8.1, "a netted fee is the contract's")
