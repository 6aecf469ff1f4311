"""Files for the accountant from real books: the exact rows, and that they move what the ledger moves."""

import base64
import csv
import io
import zipfile
from datetime import date

import openpyxl
from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools.pdf import PdfFileReader

from .common_charts import ChartCase
from .common_ledger import check_fec


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
