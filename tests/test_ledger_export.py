"""Files for the accountant from real books: the exact rows, and that they move what the ledger moves."""

import base64
import csv
import io
import zipfile
from datetime import date, timedelta
from decimal import Decimal

import openpyxl
from odoo import Command, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools.pdf import PdfFileReader

from ..ledger_files import datev
from .common_charts import ChartCase
from .common_ledger import check_datev, check_fec, datev_movement, fec_movement
from .test_statement_import import CAMT, GERMAN


class LedgerExportCase(ChartCase):
    def setUp(self):
        super().setUp()
        self.today = fields.Date.context_today(self.company)

    def export(self, kind, first=None, last=None, user=None, **values):
        """Return (file name, content)."""
        model = self.env["card.ledger.export"].with_user(user or self.env.user)
        wizard = model.create({
            "kind": kind, "date_from": first or self.today, "date_to": last or self.today,
            "company_ids": [Command.set(self.company.ids)], **values,
        })  # fmt: skip
        action = wizard.action_export()
        self.assertIn(f"/{wizard.id}/content/{wizard.file_name}?download=true", action["url"])
        return wizard.file_name, base64.b64decode(wizard.content)

    def table(self, kind, **period):
        _name, content = self.export(kind, **period)
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))
        return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]

    def entry(self, *lines, ref="", day=None, journal=None):
        """Post an entry of (account, signed amount, text)."""
        move = self.env["account.move"].create({
            "move_type": "entry",
            "journal_id": (journal or self.bank).id,
            "date": day or self.today,
            "ref": ref,
            "line_ids": [
                Command.create({"account_id": account.id, "balance": amount, "name": text})
                for account, amount, text in lines
            ],
        })  # fmt: skip
        move.action_post()
        return move

    def ledger(self, account, first=None, last=None):
        """Return what the ledger moved on an account, in cents."""
        lines = self.env["account.move.line"].search([
            ("account_id", "=", account.id), ("parent_state", "=", "posted"),
            ("date", ">=", first or self.today), ("date", "<=", last or self.today),
        ])  # fmt: skip
        return sum(round(line.debit * 100) - round(line.credit * 100) for line in lines)

    def match(self, *moves, account):
        lines = self.env["account.move"].concat(*moves).line_ids
        lines.filtered(lambda line: line.account_id == account).reconcile()

    def paid_by_session(self, contract):
        return self.session.bank_payment_ids.filtered(lambda payment: payment.card_contract_id == contract).move_id


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


@tagged("post_install", "-at_install")
class TestFrance(LedgerExportCase):
    chart = "fr"

    @classmethod
    def take_offers(cls):
        cls.cb = cls.offered("CB", ["CB"], number="5091540")
        cls.amex = cls.offered("AMEX", ["AMEX"], settlement="net")

    def setUp(self):
        super().setUp()
        self.book(980.0, "CB")
        self.book(96.0, "AMEX")
        self.end_of_day(("CB", 1, 98000), ("AMEX", 1, 9600), number="000042")
        self.close()
        bank, account = self.bank.default_account_id, self.amex.outstanding_account_id
        self.payout = self.entry(
            (bank, 93.6, "AMEX"), (self.amex.fee_account_id, 2.4, "Commission | AMEX"), (account, -96.0, "AMEX"),
            ref="AMEX 77",
        )  # fmt: skip
        self.match(self.paid_by_session(self.amex), self.payout, account=account)

    def test_fec(self):
        name, content = self.export("fec")
        self.assertRegex(name, r"^(\d{9}_)?FEC_EXTRACT_")
        rows = check_fec(content)
        self.assertEqual(
            sorted((row["CompteNum"], row["Debit"], row["Credit"], row["PieceRef"]) for row in rows),
            sorted([
                ("511500", "980,00", "0,00", "000042"), ("411101", "0,00", "980,00", "000042"),
                ("511510", "96,00", "0,00", "000042"), ("411101", "0,00", "96,00", "000042"),
                (self.bank.default_account_id.with_company(self.company).code, "93,60", "0,00", "AMEX 77"),
                ("627800", "2,40", "0,00", "AMEX 77"), ("511510", "0,00", "96,00", "AMEX 77"),
            ]),
        )  # fmt: skip
        matched = {row["EcritureLet"] for row in rows if row["CompteNum"] == "511510"}
        self.assertEqual(len(matched), 1)
        self.assertTrue(matched.pop())
        self.assertEqual({row["EcritureLet"] for row in rows if row["CompteNum"] == "511500"}, {""})
        self.assertIn("Commission / AMEX", {row["EcritureLib"] for row in rows})

    def test_xlsx_holds_numbers_and_no_formula(self):
        for text in ("=cmd|'/c calc'!A0", "+1", "-1", "@SUM(A1)", "\tx"):
            bank = self.bank.default_account_id
            self.entry((bank, 1.0, text), (self.cb.outstanding_account_id, -1.0, text), ref=text)
        _name, content = self.export("journal_xlsx")
        book = openpyxl.load_workbook(io.BytesIO(content))
        self.assertEqual(book.sheetnames, ["Totals", "card_journal", "card_batches", "card_payments"])
        for sheet in book:
            for row in sheet.iter_rows():
                for cell in row:
                    self.assertNotEqual(cell.data_type, "f", cell.value)
                    if isinstance(cell.value, str):
                        self.assertFalse(cell.value.startswith(("=", "+", "-", "@", "\t")), cell.value)
        totals = {
            row[3].value: (row[6].value, row[7].value, row[8].value) for row in book["Totals"].iter_rows(min_row=2)
        }
        self.assertEqual(totals["511500"], (980, 5, 975))
        self.assertEqual(totals["511510"], (96, 96, 0))
        self.assertEqual(totals["627800"], (2.4, 0, 2.4))

    def test_csv_holds_no_formula(self):
        bank = self.bank.default_account_id
        self.entry((bank, 1.0, "=1+1"), (self.cb.outstanding_account_id, -1.0, "=1+1"), ref="@x")
        (row,) = [row for row in self.table("journal_csv") if row["Credit"] == "1.00"]
        self.assertEqual((row["Text"], row["Reference"], row["Credit"]), ("'=1+1", "'@x", "1.00"))

    def test_batches(self):
        day = self.batch(self.cb).day
        rows = self.table("batches_csv", first=day, last=day)
        said = ("Contract", "Terminal's Number", "In Odoo", "Declared", "Difference")
        self.assertEqual(
            [tuple(row[title] for title in said) for row in rows],
            [("CB", "000042", "980.00", "980.00", "0.00"), ("AMEX", "000042", "96.00", "96.00", "0.00")],
        )

    def test_sheets(self):
        batch = self.batch(self.cb)
        day = batch.day
        name, content = self.export("sheets_pdf", first=day, last=day)
        self.assertTrue(name.endswith(".pdf"))
        pages = PdfFileReader(io.BytesIO(content)).pages
        self.assertEqual(len(pages), 2)
        text = pages[0].extract_text().replace("\xa0", " ")
        for words in (batch.name, "000042", "CB 5091540", "980.00"):
            self.assertIn(words, text)
        action = batch.action_sheet()
        self.assertIn("card_batch_sheets", action["url"])

    def test_what_a_terminal_said_is_no_markup_in_a_sheet(self):
        batch = self.batch(self.cb)
        batch.sudo().line_ids[0].brand = "<b>CB</b> & <font color='red'>€ ł"
        _name, content = self.export("sheets_pdf", first=batch.day, last=batch.day)
        text = PdfFileReader(io.BytesIO(content)).pages[0].extract_text()
        self.assertIn("<b>CB</b> & <font", " ".join(text.split()))

    def test_the_dialog_says_what_it_contains(self):
        with Form(self.env["card.ledger.export"]) as form:
            form.date_from = form.date_to = self.today
            form.kind = "fec"
            self.assertIn("not the FEC of a year", form.contents)
            self.assertIn("511510", form.contents)
            self.assertIn("980.00", form.contents.replace("\xa0", " "))

    def test_a_file_that_would_not_move_the_ledger_is_refused(self):
        model = type(self.env["card.ledger.export"])
        whole = model._card_lines
        self.patch(model, "_card_lines", lambda *args: whole(*args)[:-1])
        for kind in ("journal_csv", "fec"):
            with self.assertRaisesRegex(UserError, "by another amount than the ledger"):
                self.export(kind)

    def test_nothing_and_wrong_periods_are_said(self):
        with self.assertRaisesRegex(UserError, "nothing of this kind"):
            self.export("fec", first=date(2020, 1, 1), last=date(2020, 1, 31))
        with self.assertRaisesRegex(UserError, "ends before it begins"):
            self.export("fec", first=self.today, last=date(2020, 1, 31))

    def test_rights(self):
        accountant = new_test_user(
            self.env, "ledger_accountant", "account.group_account_user", company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )  # fmt: skip
        for kind in ("journal_xlsx", "journal_csv", "fec", "dsfinvk"):
            self.assertTrue(self.export(kind, user=accountant)[1])
        manager = new_test_user(self.env, "ledger_manager", "point_of_sale.group_pos_manager")
        for user in (self.cashier, manager):
            with self.assertRaises(AccessError):
                self.export("fec", user=user)
        stranger = self.env["res.company"].create({"name": "Other"})
        with self.assertRaises(AccessError):
            self.export("fec", user=accountant, company_ids=[Command.set(stranger.ids)])


@tagged("post_install", "-at_install")
class TestAustria(LedgerExportCase):
    """Two companies in one archive; a currency without cents is refused by formats that want two decimals."""

    chart = "at"

    def test_two_companies(self):
        cb = self.offered("CB", ["CB"])
        self.book(10.0, "CB")
        self.close()
        other = self.setup_other_company(name="Second")["company"]
        self.env.user.company_ids |= other
        both = self.company | other
        codes = {}
        for company in both:
            account = self.env["account.account"].with_company(company).create({
                "name": "Cards", "code": "289900", "account_type": "asset_current", "reconcile": True,
                "company_ids": [Command.set(company.ids)],
            })  # fmt: skip
            codes[company] = account
        contract = self.env["card.contract"].create(
            {"name": "Second CB", "company_id": other.id, "outstanding_account_id": codes[other].id}
        )
        journal = self.env["account.journal"].search([("company_id", "=", other.id), ("type", "=", "general")], limit=1)
        against = self.env["account.account"].search(
            [("company_ids", "in", other.ids), ("account_type", "=", "income")], limit=1
        )
        move = self.env["account.move"].with_company(other).create({
            "move_type": "entry", "journal_id": journal.id, "date": self.today,
            "line_ids": [
                Command.create({"account_id": codes[other].id, "balance": 7.0}),
                Command.create({"account_id": against.id, "balance": -7.0}),
            ],
        })  # fmt: skip
        move.action_post()
        values = {"company_ids": [Command.set(both.ids)]}
        self.env.user.write({"company_id": self.company.id})
        name, content = self.export("fec", **values)
        self.assertTrue(name.endswith(".zip"))
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            self.assertEqual([len(check_fec(archive.read(each))) for each in archive.namelist()], [2, 2])
        rows = self.table("journal_csv", **values)
        self.assertEqual({row["Company"] for row in rows}, set(both.mapped("name")))
        (row,) = [row for row in rows if row["Company"] == other.name]
        self.assertEqual((row["Contract"], row["Debit"]), (contract.name, "7.00"))
        self.assertTrue(cb)
