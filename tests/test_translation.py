"""Each language of the module is complete, words of the till included."""

import io
import re

import polib
from odoo.tests import TransactionCase, tagged
from odoo.tools import file_open
from odoo.tools.translate import trans_export

PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[sd]|</?\w[^>]*>")
NAMES = {
    *("192.168.1.50", "https://pos.example.com", "ID", "JSON", "Linux", "Odoo", "Windows (PowerShell)"),
    *("amount", "count", "hour_from", "no_approval", "not_reported"),  # names in code that stand beside a text
}
"""What every language writes as English does."""
LIKE_ENGLISH = {
    "fr": {
        *("Action", "Actions", "Code", "Configuration", "Contradiction", "Date", "Exception", "Exceptions"),
        *("Interface", "Journal", "Message", "Messages", "Net", "Options", "Original", "Port", "Session", "Terminal"),
        *("Transaction", "Type", "Verdict", "Version", "minutes"),
    },
}
"""By language, the words that it shares with English."""


@tagged("post_install", "-at_install")
class TestTranslation(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        buffer = io.BytesIO()
        trans_export(None, ["pos_card_terminal"], buffer, "po", cls.env)
        cls.terms = {entry.msgid for entry in polib.pofile(buffer.getvalue().decode())}
        cls.languages = {}
        for language in LIKE_ENGLISH:
            with file_open(f"pos_card_terminal/i18n/{language}.po") as file:
                cls.languages[language] = {entry.msgid: entry.msgstr for entry in polib.pofile(file.read())}

    def test_complete(self):
        self.assertGreater(len(self.terms), 300)
        for language, words in self.languages.items():
            with self.subTest(language=language):
                self.assertEqual(sorted(term for term in self.terms if not words.get(term)), [])

    def test_placeholders_and_tags_are_kept(self):
        for language, words in self.languages.items():
            for term, translation in words.items():
                with self.subTest(language=language, term=term):
                    self.assertEqual(sorted(PLACEHOLDER.findall(translation)), sorted(PLACEHOLDER.findall(term)))

    def test_not_english(self):
        for language, words in self.languages.items():
            with self.subTest(language=language):
                same = {term for term, translation in words.items() if term == translation}
                self.assertEqual(sorted(same - NAMES - LIKE_ENGLISH[language]), [])
