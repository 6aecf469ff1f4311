"""Each language of the module is complete, words of the till included."""

import io
import re
from pathlib import Path

import polib
from odoo.tests import TransactionCase, tagged
from odoo.tools import file_path
from odoo.tools.translate import trans_export

PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[sd]|</?\w[^>]*>")
NAMES = {
    *("0b00:0057", "192.168.1.50", "https://pos.example.com", "ID", "JSON", "Linux", "Odoo", "Windows (PowerShell)"),
    *("amount", "count", "hour_from", "no_approval", "not_reported"),  # names in code that stand beside a text
}
"""What every language writes as English does."""
LIKE_ENGLISH = {
    "de": {
        *("%(terminal)s: %(reason)s", "%(what)s: %(before)s → %(after)s", "Alarm", "Code", "Hash", "Journal", "Name"),
        *("Option", "Original", "PIN", "Port", "Status", "Terminal", "Terminals", "Standard", "Text", "Version"),
    },
    "fr": {
        *("Action", "Actions", "Code", "Configuration", "Contradiction", "Date", "Exception", "Exceptions"),
        *("Interface", "Journal", "Message", "Messages", "Net", "Option", "Options", "Original", "Port", "Session"),
        *("Standard", "Terminal", "Transaction", "Type", "Verdict", "Version", "minutes"),
    },
}
"""By language, the words that it shares with English."""
BAD_TYPOGRAPHY = {
    "de": re.compile("”|“[^“„]*“"),  # quotes are „…“
    "fr": re.compile(r"[“”„]| [:;!?»]|« "),  # quotes are «…», and a line never breaks before high punctuation
}


@tagged("post_install", "-at_install")
class TestTranslation(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        buffer = io.BytesIO()
        trans_export(None, ["pos_card_terminal"], buffer, "po", cls.env)
        cls.terms = {entry.msgid for entry in polib.pofile(buffer.getvalue().decode())}
        cls.languages = {}
        for path in Path(file_path("pos_card_terminal/i18n")).glob("*.po"):
            cls.languages[path.stem] = {entry.msgid: entry.msgstr for entry in polib.pofile(path.read_text())}

    def check(self, wrong):
        """Fail for each language in which a term and its translation are wrong together."""
        for language, words in self.languages.items():
            with self.subTest(language=language):
                self.assertEqual([each for each in words.items() if wrong(language, *each)], [])

    def test_complete(self):
        self.assertGreater(len(self.terms), 300)
        self.assertEqual(set(self.languages), set(LIKE_ENGLISH))
        for language, words in self.languages.items():
            with self.subTest(language=language):
                self.assertEqual(sorted(term for term in self.terms if not words.get(term)), [])

    def test_placeholders_and_tags_are_kept(self):
        self.check(lambda _, term, text: sorted(PLACEHOLDER.findall(text)) != sorted(PLACEHOLDER.findall(term)))

    def test_not_english(self):
        self.check(lambda language, term, text: term == text and term not in NAMES | LIKE_ENGLISH[language])

    def test_typography(self):
        self.check(lambda language, _, text: BAD_TYPOGRAPHY[language].search(text))
