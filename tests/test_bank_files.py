"""Bank files: what each format says, and that damage gives one clear sentence and nothing else."""

import io
import itertools
import zipfile
from dataclasses import replace
from datetime import date, datetime, time
from pathlib import Path

import openpyxl
from hypothesis import given, settings
from hypothesis import strategies as st
from odoo.tests import TransactionCase, tagged

from ..bank_files import archive, camt, cfonb120, reader, sheet
from ..bank_files.reference import hide_cards
from ..bank_files.statement import BankFileError, keys

SAMPLES = Path(__file__).parent / "bank_samples"
CAMT = (SAMPLES / "camt053_card_batch.xml").read_bytes()
CFONB = (SAMPLES / "cfonb120_card_month.cfo").read_bytes()
OFX_1 = b"""OFXHEADER:100
DATA:OFXSGML
CHARSET:1252

<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>EUR
<BANKACCTFROM><BANKID>30003<BRANCHID>01234<ACCTID>01234567890</BANKACCTFROM>
<BANKTRANLIST><DTSTART>20261101<DTEND>20261130
<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20261117<TRNAMT>+980,00<FITID>A1<NAME>REMISE CB 5091540010
<MEMO>D\xe9tail &amp; suite</STMTTRN>
<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>20261130120000[+1:CET]<TRNAMT>-8.75<FITID>A2<NAME>COMMISSIONS</STMTTRN>
</BANKTRANLIST><LEDGERBAL><BALAMT>1971.25<DTASOF>20261130</LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>
"""
PAYOUTS = sheet.Mapping(
    account="ACQ-1",
    currency="EUR",
    columns={
        "booked": ("Datum",),
        "gross": ("Brutto",),
        "fee": ("Gebühr",),
        "net": ("Netto",),
        "label": ("Marke", "Terminal"),
        "batch": ("Batch",),
        "count": ("Anzahl",),
    },
    dates="%d.%m.%Y",
    thousands=".",
)
PAYOUT_FILE = """Datum;Batch;Marke;Terminal;Anzahl;Brutto;Gebühr;Netto
17.11.2026;4711;VISA;54000123;7;1.490,00;8,10;1.481,90
18.11.2026;4712;MC;54000123;1;20,00;0,00;20,00
""".encode()
PAYOUT_CELLS = [
    ["Datum", "Batch", "Marke", "Terminal", "Anzahl", "Brutto", "Gebühr", "Netto"],
    [datetime.combine(date(2026, 11, 17), time(8)), 4711, "VISA", 54000123, 7, 1490, 8.1, 1481.9],
    [date(2026, 11, 18), "4712", "MC", "54000123", 1.0, 20.0, 0, 10 + 10.000000000000002],
]
EACH = settings(max_examples=150, deadline=None)


def workbook(*sheets):
    """Return an XLSX of these sheets."""
    book, stream = openpyxl.Workbook(), io.BytesIO()
    book.remove(book.active)
    for rows in sheets:
        sheet_of_book = book.create_sheet()
        for row in rows:
            sheet_of_book.append(row)
    book.save(stream)
    return stream.getvalue()


def packed(*files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive_of_files:
        for place, content in enumerate(files):
            archive_of_files.writestr(str(place), content)
    return stream.getvalue()


def windows(text, size):
    return [text[start : start + size] for start in range(len(text) - size + 1)]


def with_part(packed, name, content):
    """Return a zip file with one of its members exchanged."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(packed)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            new.writestr(member, content if member == name else old.read(member))
    return stream.getvalue()


def amounts(statements):
    return [[line.amount for line in statement.lines] for statement in statements]


@tagged("post_install", "-at_install")
class TestBankFiles(TransactionCase):
    def refused(self, content, words, mapping=None):
        with self.assertRaises(BankFileError) as caught:
            reader.read(content, mapping)
        self.assertIn(words, self.env._(caught.exception.text))

    def test_camt_entries_are_lines_and_their_transactions_evidence(self):
        (statement,) = reader.read(CAMT)
        self.assertEqual((statement.account, statement.currency), ("DE89370400440532013000", "EUR"))
        self.assertEqual((statement.opening, statement.closing), (100000, 204610))
        batch, payout = statement.lines
        self.assertEqual((batch.amount, batch.count, batch.batch), (56420, 2, "TID 54000123 SCHNITT 0217"))
        self.assertEqual([detail.amount for detail in batch.details], [50000, 6420])
        self.assertEqual((payout.amount, payout.gross, payout.charges[0].amount), (48190, 49000, -810))
        self.assertTrue(payout.charges[0].included)
        self.assertEqual((payout.booked, payout.valued), (date(2026, 11, 17), date(2026, 11, 18)))
        self.assertEqual(payout.code, "PMNT/MCRD/POSC")
        self.assertIn("VU 455600123", payout.label)

    def test_camt_versions_differ_in_where_the_state_stands(self):
        old = CAMT.replace(b".001.08", b".001.02").replace(b"<Sts><Cd>BOOK</Cd></Sts>", b"<Sts>BOOK</Sts>")
        self.assertEqual(reader.read(old), reader.read(CAMT))

    def test_camt_pending_entries_are_not_booked(self):
        pending = CAMT.replace(b"BOOK", b"PDNG", 1).replace(b">2046.10<", b">1481.90<")
        self.assertEqual(amounts(reader.read(pending)), [[48190]])

    def test_camt_a_reversed_credit_goes_out(self):
        entry = b'<Ntry><Amt Ccy="EUR">64.20</Amt><CdtDbtInd>DBIT</CdtDbtInd><RvslInd>true</RvslInd>'
        entry += b"<Sts>BOOK</Sts><BookgDt><Dt>2026-11-17</Dt></BookgDt></Ntry>"
        changed = CAMT.replace(b"</Stmt>", entry + b"</Stmt>").replace(b">2046.10<", b">1981.90<")
        line = reader.read(changed)[0].lines[-1]
        self.assertEqual((line.amount, line.reversal), (-6420, True))

    def test_camt_054_is_evidence(self):
        told = CAMT.replace(b"BkToCstmrStmt", b"BkToCstmrDbtCdtNtfctn").replace(b"Stmt>", b"Ntfctn>")
        told = b"".join(part for part in told.splitlines() if b"<Bal>" not in part)
        self.assertTrue(reader.read(told)[0].evidence)

    def test_camt_several_accounts_in_one_file(self):
        second = CAMT[CAMT.index(b"<Stmt>") : CAMT.index(b"</BkToCstmrStmt>")].replace(
            b"DE89370400440532013000", b"DE02120300000000202051"
        )
        both = CAMT.replace(b"</BkToCstmrStmt>", second + b"</BkToCstmrStmt>")
        self.assertEqual(
            [each.account for each in reader.read(both)], ["DE89370400440532013000", "DE02120300000000202051"]
        )

    def test_camt_transactions_that_do_not_add_up_are_told(self):
        changed = CAMT.replace(b">64.20<", b">64.00<")
        self.assertIn("do not add up", self.env._(reader.read(changed)[0].warnings[0]))

    def test_cfonb_sample(self):
        (statement,) = reader.read(CFONB)
        self.assertEqual((statement.opening, statement.closing), (100000, 228985))
        self.assertEqual([line.amount for line in statement.lines], [98000, 27000, 9360, -875, -4500])
        contact, contactless, *_rest, chargeback = statement.lines
        self.assertEqual(contact.reference, "5091540")
        self.assertIn("CONTRAT 5091540 TPE 010", contact.label)
        self.assertIn("SANS CONTACT", contactless.label)
        self.assertEqual((chargeback.booked, statement.lines[3].code), (date(2026, 11, 30), "62"))

    def test_cfonb_without_line_breaks_says_the_same(self):
        glued = b"".join(line.ljust(cfonb120.LENGTH) for line in CFONB.splitlines())
        self.assertEqual(amounts(reader.read(glued)), amounts(reader.read(CFONB)))

    def test_cfonb_fee_in_a_detail(self):
        records = CFONB.splitlines()
        fee = (records[2][:45] + b"FEEEUR2" + b"0000000000024{").ljust(cfonb120.LENGTH)
        statement = reader.read(b"\n".join([*records[:3], fee, *records[3:]]))[0]
        self.assertEqual(statement.lines[0].charges[0].amount, -240)

    def test_ofx(self):
        (statement,) = reader.read(OFX_1)
        self.assertEqual((statement.account, statement.currency), ("300030123401234567890", "EUR"))
        self.assertEqual(
            [(line.amount, line.reference, line.booked.day) for line in statement.lines],
            [(98000, "A1", 17), (-875, "A2", 30)],
        )
        self.assertEqual(statement.lines[0].label, "REMISE CB 5091540010 Détail & suite")

    def test_csv_of_payouts(self):
        (statement,) = reader.read(PAYOUT_FILE, PAYOUTS)
        first, second = statement.lines
        self.assertEqual((first.amount, first.gross, first.charges[0].amount, first.count), (148190, 149000, -810, 7))
        self.assertEqual((first.label, first.batch), ("VISA 54000123", "4711"))
        self.assertEqual((second.amount, second.charges), (2000, ()))

    def test_csv_with_debit_credit_and_balance(self):
        mapping = sheet.Mapping(
            "A",
            "EUR",
            {"booked": ("D",), "debit": ("Out",), "credit": ("In",), "balance": ("Bal",)},
            delimiter=",",
            sign=".",
            dates="%Y-%m-%d",
        )
        rows = b"D,Out,In,Bal\n2026-11-02,5.00,,15.00\n2026-11-01,,20.00,20.00\n"
        statement = reader.read(rows, mapping)[0]
        self.assertEqual(
            ([line.amount for line in statement.lines], statement.opening, statement.closing), ([-500, 2000], 0, 1500)
        )
        self.refused(rows.replace(b"15.00", b"16.00"), "lines lead from", mapping)

    def test_a_workbook_says_what_its_csv_says(self):
        notes = [["Payouts of the week"], [], ["Please keep"]]
        for content in (workbook(PAYOUT_CELLS), workbook(notes, PAYOUT_CELLS), packed(workbook(PAYOUT_CELLS))):
            self.assertEqual(reader.read(content, PAYOUTS), reader.read(PAYOUT_FILE, PAYOUTS))
        skipped = replace(PAYOUTS, skip=2)
        lines = reader.read(workbook([["Acquirer"], [None], *PAYOUT_CELLS]), skipped)[0].lines
        self.assertEqual([(line.amount, line.place) for line in lines], [(148190, 4), (2000, 5)])

    def test_a_workbook_that_is_wrong(self):
        good = workbook(PAYOUT_CELLS)
        self.refused(good, "needs a mapping")
        self.refused(workbook([["Datum"]]), "no column", PAYOUTS)
        self.refused(workbook([]), "no column", PAYOUTS)
        self.refused(good[:-40], "damaged", PAYOUTS)
        self.refused(good[: len(good) // 2], "damaged", PAYOUTS)
        self.refused(with_part(good, "xl/worksheets/sheet1.xml", b"<worksheet><sheetData><row>"), "damaged", PAYOUTS)
        bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><worksheet>&b;</worksheet>'
        for part in (bomb, bomb.decode().encode("utf-16")):
            self.refused(with_part(good, "xl/worksheets/sheet1.xml", part), "DOCTYPE", PAYOUTS)
        huge = with_part(good, "xl/worksheets/sheet1.xml", bytes(archive.MOST_BYTES + 1))
        self.refused(huge, "larger than", PAYOUTS)
        self.refused(workbook([*PAYOUT_CELLS, [date(2026, 11, 18)]]), "Line 4 has no amount", PAYOUTS)
        self.refused(workbook([*PAYOUT_CELLS, ["#N/A", "1", "x", "y", 1, 1, 0, 1]]), "“#N/A” is not a date", PAYOUTS)

    def test_zip(self):
        both = packed(CAMT, CFONB)
        self.assertEqual(amounts(reader.read(both)), amounts([*reader.read(CAMT), *reader.read(CFONB)]))
        self.refused(both[:-30], "zip file is damaged")

    def test_bombs(self):
        self.refused(packed(bytes(archive.MOST_BYTES + 1)), "larger than")
        self.refused(packed(*[b"x"] * (archive.MOST_MEMBERS + 1)), "larger than")
        entities = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]><Document>&b;</Document>'
        self.refused(entities, "DOCTYPE")
        outside = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]><Document>&a;</Document>'
        self.refused(outside, "DOCTYPE")

    def test_what_is_wrong_is_said(self):
        for content, words in (
            (b" ", "empty"),
            (bytes(archive.MOST_BYTES + 1), "larger than"),
            (CAMT.replace(b"<CdtDbtInd>CRDT", b"<CdtDbtInd>PLUS"), "whether it came in or went out"),
            (CAMT.replace(b"<CdtDbtInd>CRDT", b"<CdtDbtInd>DBIT", 3), "lines lead from"),
            (CAMT.replace(b"girocard", b"giro\xffcard"), "damaged"),
            (CAMT.decode().encode("utf-16"), "This is not a CAMT.053"),
            (CFONB.replace(b"0000000009800{", b"0000000009800}"), "lines lead from"),
            (CFONB.replace(b"0000000009800{", b"0000000009800Z"), "amount cannot be read"),
            (OFX_1.replace(b"CHARSET:1252", b"ENCODING:UTF-8"), "written in utf-8, and is not"),
            (b"hello;you", "needs a mapping"),
            (b"<Document/>", "neither a bank statement"),
            (CAMT[:900], "damaged"),
            (CAMT.replace(b">2046.10<", b">2046.11<"), "lines lead from 1000.00 EUR to 2046.10 EUR"),
            (CAMT.replace(b">564.20<", b">564.2x<"), "Line 1: “564.2x” is not an amount"),
            (CAMT.replace(b">564.20<", b">564.201<"), "is not an amount"),
            (CAMT.replace(b"<Dt>2026-11-17</Dt>", b"<Dt>2026-13-17</Dt>"), "is not a date"),
            (CFONB[:600], "cut off"),
            (CFONB.replace(b"0000000009800{", b"0000000009801{"), "lines lead from"),
            (CFONB.replace(b"0000000009800{", b"00000000098001"), "amount cannot be read"),
            (CFONB.replace(b"171126", b"311126", 1), "is not a date"),
            (OFX_1.replace(b"</OFX>", b""), "cut off"),
            (OFX_1.replace(b"<FITID>A1", b""), "lacks FITID"),
            (PAYOUT_FILE.replace(b"Netto", b"Net"), "needs a mapping"),
        ):
            with self.subTest(words):
                self.refused(content, words)
        for content, words in (
            (PAYOUT_FILE.replace(b"Netto", b"Net"), "no column “Netto”"),
            (PAYOUT_FILE.replace(b"8,10", b"8,11"), "gross less fee"),
            (PAYOUT_FILE.replace(b"17.11.2026", b"11/17/2026"), "Line 2: “11/17/2026” is not a date"),
            (PAYOUT_FILE.replace(b";20,00\n", b"\n"), "fewer columns"),
            (PAYOUT_FILE.decode().encode("cp1252"), "not written in utf-8-sig"),
        ):
            with self.subTest(words):
                self.refused(content, words, PAYOUTS)

    def test_keys_are_the_same_in_every_file_and_tell_twins_apart(self):
        entry = CAMT[CAMT.index(b"<Ntry>") : CAMT.index(b"</Ntry>") + 7]
        twice = CAMT.replace(b"</Stmt>", entry + b"</Stmt>").replace(b">2046.10<", b">2610.30<")
        one, two = ([key for key, _line in keys(reader.read(content)[0])] for content in (CAMT, twice))
        self.assertEqual(two[:2], one)
        self.assertEqual(len(set(two)), 3)

    def test_a_reference_that_is_a_card_number_is_hidden_and_found_again(self):
        secret = b"s" * 32
        for number in (
            "4970101122334455", "5555555555554444", "2223003122003222", "378282246310005", "30569309025904",
            "3530111333300000", "6011111111111117", "6759649826438453", "4222222222222", "4970 1011 2233 4455",
            "REF4970101122334455/1",
        ):  # fmt: skip
            with self.subTest(number):
                hidden = hide_cards(number, secret)
                digits = "".join(char for char in number if char.isdigit())
                self.assertFalse(set(windows(digits, 7)) & set(windows(hidden, 7)))
                self.assertEqual(hide_cards(number, secret), hidden)
                self.assertNotEqual(hide_cards(number, b"another"), hidden)
        same_end = hide_cards("4970101122334455", secret), hide_cards("4970109920064455", secret)
        self.assertEqual([hidden[:18] for hidden in same_end], ["XXXXXXXXXXXX4455 #"] * 2)
        self.assertNotEqual(*same_end)
        dated = ("2026111700001", "2026111700004")
        for reference in (*dated, "A1", "", "5091540010", "4970101122334453", "49701011223344551234567"):
            self.assertEqual(hide_cards(reference, secret), reference)

    def test_what_a_line_says_cannot_be_found_by_trying(self):
        statement = reader.read(CAMT)[0]
        one, two = ([key for key, _line in keys(statement, secret=secret)] for secret in (b"1", b"2"))
        self.assertFalse(set(one) & set(two))

    @EACH
    @given(st.sampled_from([CAMT, CFONB, OFX_1]), st.data())
    def test_damage_is_refused_or_balances(self, content, data):
        damaged = bytearray(content)
        for _time in range(data.draw(st.integers(1, 4))):
            at = data.draw(st.integers(0, len(damaged) - 1))
            damaged[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
        try:
            statements = reader.read(bytes(damaged), PAYOUTS)
        except BankFileError as error:
            self.assertTrue(self.env._(error.text))
            return
        for statement in statements:
            if None not in (statement.opening, statement.closing):
                self.assertEqual(statement.opening + sum(line.amount for line in statement.lines), statement.closing)

    @EACH
    @given(st.sampled_from([CAMT, CFONB, OFX_1]), st.integers(0, 5000))
    def test_a_file_cut_anywhere_is_refused(self, content, cut):
        cut = min(cut, len(content.rstrip()) - 10)
        with self.assertRaises(BankFileError):
            reader.read(content[:cut])

    def test_every_camt_sign(self):
        for sign, reversal in itertools.product(("CRDT", "DBIT"), (b"true", b"false")):
            entry = f'<Ntry><Amt Ccy="EUR">1.00</Amt><CdtDbtInd>{sign}</CdtDbtInd><RvslInd>'.encode() + reversal
            entry += b"</RvslInd><BookgDt><Dt>2026-11-17</Dt></BookgDt></Ntry>"
            head = b"<Document><BkToCstmrStmt><Stmt><Acct><Id><IBAN>X</IBAN></Id><Ccy>EUR</Ccy></Acct>"
            (statement,) = camt.read(head + entry + b"</Stmt></BkToCstmrStmt></Document>")
            self.assertEqual(statement.lines[0].amount, {"CRDT": 100, "DBIT": -100}[sign])
