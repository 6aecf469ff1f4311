"""FEC-shaped entries and DATEV postings, read back by the rules of their publishers."""

import csv
import re
from datetime import UTC, date, datetime

from odoo.tests import TransactionCase, tagged

from ..ledger_files import datev, fec

DAY = date(2026, 11, 17)
ENTRY = fec.Entry(
    journal="BNK1",
    journal_name="Banque",
    number="BNK1/2026/0001",
    date=DAY,
    account="512001",
    account_name="Banque",
    reference="000042",
    reference_date=DAY,
    text="Remise\tCB | contact",
    debit=98000,
    credit=0,
    validated=DAY,
)
HEADER = datev.Header(
    consultant=29098,
    client=55003,
    year_start=date(2026, 1, 1),
    first=date(2026, 11, 1),
    last=date(2026, 11, 30),
    created=datetime(2026, 12, 1, 8, tzinfo=UTC),
    chart="03",
)
#: The five rows of a girocard batch and a credit card payout net of its fee, in SKR03.
POSTINGS = [
    datev.Posting(56420, "1361", "1411", DAY, "SCHNITT 0217", "girocard"),
    datev.Posting(49000, "1362", "1411", DAY, "4711", "Kreditkarten"),
    datev.Posting(56420, "1201", "1361", DAY, "SCHNITT 0217", "Gutschrift"),
    datev.Posting(48190, "1201", "1362", DAY, "4711", "Auszahlung"),
    datev.Posting(810, "4970", "1362", DAY, "4711", 'Disagio "VISA"'),
]
#: Rules of the publisher for the columns that are filled.
DATEV_RULES = {
    "Umsatz (ohne Soll/Haben-Kz)": r"\d{1,10},\d{2}",
    "Soll/Haben-Kennzeichen": "[SH]",
    "WKZ Umsatz": "[A-Z]{3}",
    "Konto": r"\d{1,9}",
    "Gegenkonto (ohne BU-Schlüssel)": r"\d{1,9}",
    "Belegdatum": r"(0[1-9]|[12]\d|3[01])(0[1-9]|1[0-2])",
    "Belegfeld 1": r"[A-Za-z0-9$&%*+/-]{0,36}",
    "Buchungstext": ".{0,60}",
    "Festschreibung": "[01]",
}


def read_datev(content):
    """Return header, and rows as {title: text}; anything the publisher's rules forbid raises."""
    text = content.decode("cp1252")
    assert text.endswith("\r\n")
    assert "\n" not in text.replace("\r\n", "")
    header, titles, *rows = csv.reader(text.splitlines(), delimiter=";", strict=True)
    assert len(header) == 31
    assert len(titles) == len(set(titles)) == 125
    return header, [dict(zip(titles, row, strict=True)) for row in rows]


@tagged("post_install", "-at_install")
class TestLedgerFiles(TransactionCase):
    def test_fec_columns(self):
        content = fec.write([ENTRY]).decode()
        titles, row, end = content.split("\r\n")
        self.assertEqual(end, "")
        self.assertEqual(titles.split("\t"), list(fec.COLUMNS))
        said = dict(zip(fec.COLUMNS, row.split("\t"), strict=True))
        self.assertEqual((said["Debit"], said["Credit"], said["PieceRef"]), ("980,00", "0,00", "000042"))
        self.assertEqual((said["EcritureDate"], said["EcritureLib"]), ("20261117", "Remise CB / contact"))
        self.assertEqual((said["DateLet"], said["Montantdevise"]), ("", ""))

    def test_datev_file(self):
        content = datev.write(HEADER, POSTINGS)
        header, rows = read_datev(content)
        self.assertEqual(header[:5], ["EXTF", "700", "21", "Buchungsstapel", "13"])
        self.assertEqual(header[10:16], ["29098", "55003", "20260101", "4", "20261101", "20261130"])
        self.assertEqual((header[21], header[26]), ("EUR", "03"))
        self.assertEqual(
            [row["Umsatz (ohne Soll/Haben-Kz)"] for row in rows], ["564,20", "490,00", "564,20", "481,90", "8,10"]
        )
        for row in rows:
            for title, rule in DATEV_RULES.items():
                self.assertTrue(re.fullmatch(rule, row[title]), (title, row[title]))
        self.assertEqual((rows[0]["Belegfeld 1"], rows[4]["Buchungstext"]), ("SCHNITT0217", 'Disagio "VISA"'))
        self.assertEqual(datev.COLUMNS.index("Festschreibung") + 1, 114)
        self.assertTrue(datev.file_name(HEADER).startswith("EXTF_"))

    def test_datev_turns_negative_amounts(self):
        _header, rows = read_datev(datev.write(HEADER, [datev.Posting(-4500, "1201", "1361", DAY, "R", "Impayé €")]))
        self.assertEqual((rows[0]["Umsatz (ohne Soll/Haben-Kz)"], rows[0]["Soll/Haben-Kennzeichen"]), ("45,00", "H"))
        self.assertEqual(rows[0]["Buchungstext"], "Impayé €")

    def test_datev_says_what_it_cannot_hold(self):
        for posting, words in (
            (datev.Posting(0, "1201", "1361", DAY, "", ""), "no posting of 0,00"),
            (datev.Posting(10**13, "1201", "1361", DAY, "", ""), "no posting of"),
            (datev.Posting(1, "12A1", "1361", DAY, "", ""), "Account 12A1"),
            (datev.Posting(1, "120100", "1361", DAY, "", ""), "Account 120100"),
            (datev.Posting(1, "1201", "1361", date(2026, 12, 1), "", ""), "outside the period"),
        ):
            with self.subTest(words), self.assertRaises(datev.DatevError) as caught:
                datev.write(HEADER, [posting])
            self.assertIn(words, self.env._(caught.exception.text))
        with self.assertRaises(datev.DatevError):
            datev.write(datev.Header(0, 1, DAY, DAY, DAY, datetime(2026, 1, 1, tzinfo=UTC)), [])
