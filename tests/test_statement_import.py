"""Importing statements: the samples to the cent, nothing twice, nothing half, and every refusal says what to do."""

import contextlib
import io
import zipfile
from datetime import date
from pathlib import Path
from unittest.mock import patch

from odoo import SUPERUSER_ID, api
from odoo.exceptions import AccessError, UserError
from odoo.sql_db import db_connect
from odoo.tests import TransactionCase, tagged
from odoo.tools import mute_logger
from psycopg2.errors import SerializationFailure

from ..bank_files.archive import MOST_BYTES
from ..wizards.card_statement_import import KEPT_AS
from .common_people import PeopleCase
from .test_bank_files import packed, workbook
from .test_contract import ContractCase

STATEMENT_IMPORT = "odoo.addons.pos_card_terminal.wizards.card_statement_import"
SAMPLES = Path(__file__).parent / "bank_samples"
CAMT = (SAMPLES / "camt053_card_batch.xml").read_bytes()
CFONB = (SAMPLES / "cfonb120_card_month.cfo").read_bytes()
GERMAN, FRENCH = "DE89370400440532013000", "FR7630003012340123456789047"


class StatementCase(ContractCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bank, cls.german = (cls.euro_bank(code, number) for code, number in (("FRB", FRENCH), ("DEB", GERMAN)))
        (cls.cb | cls.amex).bank_journal_id = cls.bank

    @classmethod
    def euro_bank(cls, code, number):
        return cls.env["account.journal"].create({
            "name": code, "code": code, "type": "bank", "company_id": cls.company.id, "bank_acc_number": number,
            "currency_id": cls.env.ref("base.EUR").id,
        })  # fmt: skip

    def bring(self, *files, user=None, **values):
        """Import files: (name, bytes). Return the wizard."""
        wizards = self.env["card.statement.import"].with_user(user or self.env.user)
        attachments = (
            self.env["ir.attachment"]
            .with_user(user or self.env.user)
            .create([{"name": name, "raw": content} for name, content in files])
        )
        wizard = wizards.create({"attachment_ids": [(6, 0, attachments.ids)], "company_id": self.company.id, **values})
        wizard.action_import()
        return wizard

    def lines(self, journal=None):
        return self.env["account.bank.statement.line"].search(
            [("journal_id", "=", (journal or self.bank).id)], order="id"
        )

    def amounts(self, journal=None):
        return [line.amount for line in self.lines(journal)]

    def refused(self, words, *files, **values):
        """The import is refused with these words, and changes nothing."""
        before = self.env["account.bank.statement.line"].search_count([])
        with self.assertRaises(UserError) as caught, self.env.cr.savepoint():
            self.bring(*files, **values)
        self.assertIn(words, str(caught.exception))
        self.assertEqual(self.env["account.bank.statement.line"].search_count([]), before)


@tagged("post_install", "-at_install")
class TestStatementImport(StatementCase):
    def test_the_camt_sample_twice(self):
        first = self.bring(("a.xml", CAMT))
        self.assertEqual((first.added, first.known), (2, 0))
        one, two = self.lines(self.german)
        self.assertEqual((one.amount, two.amount), (564.20, 481.90))
        self.assertEqual((two.card_charges, two.card_gross, two.date), (8.10, 490.0, date(2026, 11, 17)))
        self.assertEqual((one.card_reference, one.card_code), ("2026111700001", "PMNT/MCRD/POSP"))
        self.assertEqual(one.card_batch_reference, "TID 54000123 SCHNITT 0217")
        self.assertEqual([part["amount"] for part in one.card_details["parts"]], [50000, 6420])
        statement = one.statement_id
        self.assertEqual((statement.balance_start, statement.balance_end_real), (1000.0, 2046.10))
        self.assertTrue(statement.is_complete and statement.is_valid)
        again = self.bring(("b.xml", CAMT))
        self.assertEqual((again.added, again.known, again.statement_ids.ids), (0, 2, []))
        self.assertEqual(self.amounts(self.german), [564.20, 481.90])

    def test_the_cfonb_sample_twice(self):
        self.bring(("a.cfo", CFONB))
        self.assertEqual(self.amounts(), [980.0, 270.0, 93.60, -8.75, -45.0])
        statement = self.lines().statement_id
        self.assertEqual((statement.balance_start, statement.balance_end_real), (1000.0, 2289.85))
        self.assertEqual(statement.attachment_ids.mapped("name"), ["a.cfo"])
        self.assertEqual(self.bring(("b.cfo", CFONB)).added, 0)
        self.assertEqual(len(self.lines()), 5)

    def test_both_in_one_zip_go_to_their_journals(self):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("a.xml", CAMT)
            archive.writestr("b.cfo", CFONB)
        self.assertEqual(self.bring(("month.zip", packed.getvalue())).added, 7)
        self.assertEqual((len(self.lines(self.german)), len(self.lines())), (2, 5))

    def test_overlapping_files_add_what_is_new(self):
        entry = CAMT[CAMT.index(b"<Ntry>") : CAMT.index(b"</Ntry>") + 7]
        shorter = CAMT.replace(CAMT[CAMT.rindex(b"<Ntry>") : CAMT.rindex(b"</Ntry>") + 7], b"").replace(
            b"2046.10", b"1564.20"
        )
        self.bring(("a.xml", shorter))
        wizard = self.bring(("b.xml", CAMT))
        self.assertEqual((wizard.added, wizard.known), (1, 1))
        self.assertEqual(self.amounts(self.german), [564.20, 481.90])
        self.assertEqual(wizard.statement_ids.balance_start, 1564.20)
        self.assertFalse(wizard.warnings)
        self.assertIn(b"564.20", entry)

    def test_identical_lines_inside_a_file_survive(self):
        entry = CAMT[CAMT.index(b"<Ntry>") : CAMT.index(b"</Ntry>") + 7]
        twice = CAMT.replace(entry, entry + entry).replace(b"2046.10", b"2610.30")
        self.bring(("a.xml", twice))
        self.assertEqual(self.amounts(self.german), [564.20, 564.20, 481.90])
        self.assertEqual(self.bring(("b.xml", twice)).added, 0)

    def test_the_pages_of_one_file_are_not_the_same_page(self):
        statement = CAMT[CAMT.index(b"<Stmt>") : CAMT.index(b"</Stmt>") + 7]
        self.bring(("a.xml", CAMT.replace(statement, statement + statement)))
        self.assertEqual(self.amounts(self.german), [564.20, 481.90, 564.20, 481.90])

    def test_a_missing_statement_is_told(self):
        self.bring(("a.xml", CAMT))
        later = (
            CAMT.replace(b"2026-11-17", b"2026-11-19").replace(b"1000.00", b"5000.00").replace(b"2046.10", b"6046.10")
        )
        self.assertIn("missing", self.bring(("b.xml", later)).warnings)

    def test_another_importers_lines_are_known_again(self):
        self.env["account.bank.statement.line"].create(
            {"journal_id": self.german.id, "date": "2026-11-17", "payment_ref": "girocard", "amount": 564.20}
        )
        wizard = self.bring(("a.xml", CAMT))
        self.assertEqual((wizard.added, wizard.known), (1, 1))
        self.assertEqual(self.amounts(self.german), [564.20, 481.90])
        self.assertEqual(self.lines(self.german)[0].card_reference, "2026111700001")
        self.assertEqual(self.bring(("b.xml", CAMT)).added, 0)

    def test_a_batch_that_another_importer_took_apart_is_known_again(self):
        """Other importers make one line of each transaction in a batch: 500.00 and 64.20 for 564.20."""
        for amount in (64.20, 500.0):
            self.env["account.bank.statement.line"].create(
                {"journal_id": self.german.id, "date": "2026-11-17", "payment_ref": "/", "amount": amount}
            )
        for added, known in ((1, 1), (0, 2)):
            wizard = self.bring(("a.xml", CAMT))
            self.assertEqual((wizard.added, wizard.known), (added, known))
        self.assertEqual(self.amounts(self.german), [64.20, 500.0, 481.90])
        parts = self.lines(self.german)[:2]
        self.assertEqual(parts.mapped("card_batch_reference"), ["TID 54000123 SCHNITT 0217"] * 2)
        self.assertEqual(len(set(parts.mapped("card_import_key"))), 2)

    def test_camt054_is_evidence_and_no_line(self):
        told = CAMT.replace(b"camt.053", b"camt.054").replace(b"BkToCstmrStmt", b"BkToCstmrDbtCdtNtfctn")
        told = told.replace(b"<Stmt>", b"<Ntfctn>").replace(b"</Stmt>", b"</Ntfctn>")
        wizard = self.bring(("054.xml", told), ("053.xml", CAMT))
        self.assertEqual((wizard.added, wizard.evidence), (2, 1))
        line = self.lines(self.german)[0]
        self.assertEqual(line.card_evidence_ids.mapped("amount"), [564.20])
        self.assertFalse(self.lines(self.german)[1].card_evidence_ids)
        self.assertEqual(self.bring(("054.xml", told)).evidence, 0)

    def test_a_reference_that_is_a_card_number_still_links(self):
        number = b"4970101122334455"
        statement = CAMT.replace(b"2026111700001", number)
        told = statement.replace(b"camt.053", b"camt.054").replace(b"BkToCstmrStmt", b"BkToCstmrDbtCdtNtfctn")
        told = told.replace(b"<Stmt>", b"<Ntfctn>").replace(b"</Stmt>", b"</Ntfctn>")
        self.bring(("054.xml", told), ("053.xml", statement))
        self.assertEqual(self.bring(("053 again.xml", statement)).added, 0)
        line, evidence = self.lines(self.german)[0], self.env["card.bank.evidence"].search([])
        self.assertEqual(line.card_evidence_ids.mapped("amount"), [564.20])
        self.assertTrue(line.card_reference.startswith("XXXXXXXXXXXX4455 #"))
        self.env.flush_all()
        kept = [line.read(), evidence.read()]
        for table in ("account_bank_statement_line", "card_bank_evidence", "account_move"):
            self.env.cr.execute(f"SELECT row::text FROM {table} row")
            kept.append(self.env.cr.fetchall())
        self.assertNotIn(number.decode(), repr(kept))
        self.assertFalse(line.statement_id.attachment_ids, "nor is the file kept")
        self.assertFalse([each for each in self.env["ir.attachment"].search([]) if number in (each.raw or b"")])

    def test_csv_by_the_mapping_of_a_contract(self):
        self.env["card.csv.mapping"].create({
            "contract_id": self.amex.id, "dates": "%d.%m.%Y", "thousands": ".", "column_booked": "Datum",
            "column_gross": "Brutto", "column_fee": "Gebühr", "column_net": "Netto", "column_label": "Marke | Terminal",
            "column_batch": "Batch", "column_count": "Anzahl",
        })  # fmt: skip
        text = (
            "Datum;Batch;Marke;Terminal;Anzahl;Brutto;Gebühr;Netto\n"
            "17.11.2026;4711;VISA;54000123;7;1.490,00;8,10;1.481,90\n"
        )
        for added in (1, 0):
            self.assertEqual(self.bring(("p.csv", text.encode()), contract_id=self.amex.id).added, added)
        line = self.lines()
        self.assertEqual((line.amount, line.card_gross, line.card_charges), (1481.90, 1490.0, 8.10))
        self.assertEqual((line.payment_ref, line.card_batch_reference), ("VISA 54000123", "4711"))
        self.refused("needs a mapping", ("p.csv", text.encode()))
        cells = [["Datum", "Batch", "Marke", "Terminal", "Anzahl", "Brutto", "Gebühr", "Netto"],
                 [date(2026, 11, 17), 4711, "VISA", 54000123, 7, 1490, 8.1, 1481.9]]  # fmt: skip
        again = self.bring(("p.xlsx", workbook(cells)), contract_id=self.amex.id)
        self.assertEqual((again.added, again.known), (0, 1), "the same in its XLSX")
        self.refused("has no column", ("p.csv", text.replace("Netto", "Net").encode()), contract_id=self.amex.id)
        self.refused("Line 2", ("p.csv", text.replace("17.11.", "17.13.").encode()), contract_id=self.amex.id)

    def test_wrong_files_change_nothing(self):
        bomb = b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "x"><!ENTITY b "&a;&a;">]><Document>&b;</Document>'
        for words, content in {
            "lead from": CAMT.replace(b"2046.10", b"2046.11"),
            "no bank journal": CAMT.replace(GERMAN.encode(), b"DE02120300000000202051"),
            "is in USD": CAMT.replace(b'"EUR"', b'"USD"').replace(b"<Ccy>EUR", b"<Ccy>USD"),
            "Line 1": CAMT.replace(
                b">564.20</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>", b">564.2x</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>"
            ),
            "damaged": CAMT[:-40],
            "DOCTYPE": bomb,
            "empty": b" ",
            "whether it came in": CAMT.replace(b"<CdtDbtInd>CRDT", b"<CdtDbtInd>+"),
            "lines lead": CAMT.replace(b"<CdtDbtInd>CRDT", b"<CdtDbtInd>DBIT", 3),
            "is damaged: ": CAMT.replace(b"girocard", b"giro\xffcard"),
            "cannot be read": CFONB.replace(b"0000000009800{", b"0000000009800Z"),
            "larger than": packed(bytes(MOST_BYTES + 1)),
            "than 64 MiB": bytes(MOST_BYTES + 1),
            "cut off": CFONB[: CFONB.rindex(b"07")],
        }.items():
            with self.subTest(words):
                self.refused(words, ("bad", content))

    def test_all_files_or_none(self):
        self.refused("lead from", ("good.cfo", CFONB), ("bad.xml", CAMT.replace(b"2046.10", b"2046.11")))

    def test_another_journals_account_is_refused(self):
        self.refused("has FR76", ("a.xml", CAMT), journal_id=self.bank.id)
        self.bank.bank_account_id = False
        self.refused("enter it there first", ("a.cfo", CFONB), journal_id=self.bank.id)

    def test_other_accounts_are_left_out_where_wished(self):
        self.german.bank_account_id = False
        wizard = self.bring(("a.xml", CAMT), ("b.cfo", CFONB), leave_out_others=True)
        self.assertEqual(wizard.added, 5)
        self.assertIn("was left out", wizard.warnings)

    def test_a_closed_period_is_refused_with_the_line(self):
        self.company.fiscalyear_lock_date = "2026-11-17"
        self.refused("line 2", ("a.cfo", CFONB))
        self.company.fiscalyear_lock_date = "2026-11-16"
        self.assertEqual(self.bring(("a.cfo", CFONB)).added, 5)

    def test_a_card_number_in_a_label_is_not_kept(self):
        self.bring(("a.xml", CAMT.replace(b"PAYOUT 4711", b"4970101234567890")))
        text = str(self.lines(self.german)[1].read(["payment_ref", "card_details"]))
        self.assertNotIn("4970101234567890", text)
        self.assertIn("7890", text)


@tagged("post_install", "-at_install")
class TestStatementRights(PeopleCase):
    def test_accountants_import_and_others_do_not(self):
        self.env["account.journal"].create({
            "name": "Bank", "code": "DEB", "type": "bank", "company_id": self.company.id, "bank_acc_number": GERMAN,
            "currency_id": self.env.ref("base.EUR").id,
        })  # fmt: skip
        for name in ("accountant", "nobody", "cashier", "manager"):
            wizards = self.env["card.statement.import"].with_user(self.people[name])
            attachment = (
                self.env["ir.attachment"].with_user(self.people["accountant"]).create({"name": "a.xml", "raw": CAMT})
            )
            values = {"attachment_ids": [(6, 0, attachment.ids)], "company_id": self.company.id}
            if name == "accountant":
                wizard = wizards.create(values)
                wizard.action_import()
                self.assertEqual(wizard.added, 2)
            else:
                with self.assertRaises(AccessError):
                    wizards.create(values).action_import()


@tagged("post_install", "-at_install")
class TestSecret(TransactionCase):
    def test_it_is_there_from_the_installation_on(self):
        parameter = self.env["ir.config_parameter"].search([("key", "=", KEPT_AS)])
        self.assertEqual(bytes.fromhex(parameter.value), self.env["card.statement.import"]._secret())
        self.assertEqual(len(parameter.value), 64)

    def test_of_two_that_make_it_at_once_the_second_takes_the_firsts(self):
        """In two database transactions that see nothing of each other until they commit."""
        self.enterContext(patch(f"{STATEMENT_IMPORT}.KEPT_AS", "pos_card_terminal.two_at_once"))
        first, second = (self.enterContext(contextlib.closing(self.connect())) for _each in range(2))
        self.addCleanup(self.forget, "pos_card_terminal.two_at_once")
        second.execute("SELECT 1")  # sees from now on what is now
        made = self.secret(first)
        first.commit()
        with self.assertRaises(SerializationFailure), mute_logger("odoo.sql_db"):
            self.secret(second)
        second.rollback()  # as Odoo does before it begins anew
        self.assertEqual(self.secret(second), made)

    def connect(self):
        return db_connect(self.env.cr.dbname).cursor()

    def secret(self, cr):
        return api.Environment(cr, SUPERUSER_ID, {})["card.statement.import"]._secret()

    def forget(self, key):
        with self.connect() as cr:
            cr.execute("DELETE FROM ir_config_parameter WHERE key = %s", [key])
