"""Each language of the module is complete, words of the till included."""

import io
import re
from pathlib import Path

import polib
from odoo.tests import TransactionCase, tagged
from odoo.tools import file_path
from odoo.tools.translate import trans_export

from ..hw_driver.protocols.texts import texts

PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[sd]|</?\w[^>]*>")
NAMES = {
    *("0b00:0057", "192.168.1.50", "5091540", "REMISE CB 5091540", "https://pos.example.com"),
    *("ID", "JSON", "Linux", "Odoo", "Windows (PowerShell)"),
    *("1361", "DATEV", "SKR03", "SKR04", "ISO 8859-15", "UTF-8", "UTF-16"),
    *("count", "hour_from", "id", "no_approval", "not_reported"),  # names in code that stand beside a text
}
"""What every language writes as English does."""
LIKE_ENGLISH = {
    "de": {
        *("%(company)s: %(why)s", "%(file)s: %(why)s", "%(terminal)s: %(reason)s"),
        *("%(what)s: %(before)s → %(after)s", "Acquirer", "Alarm", "Code", "Hash", "In Odoo", "Journal", "Name"),
        *("Option", "Original", "PIN", "Port", "Problem", "Standard", "Status", "Terminal"),
        *("Terminals", "Text", "Version"),
    },
    "fr": {
        *("Action", "Actions", "Code", "Configuration", "Contradiction", "Date", "Dates", "Duplicata", "Exception"),
        *("Exceptions", "Initialisation", "Interface", "Journal", "Messages", "Net", "Note", "Option", "Options"),
        *("Original", "Point", "Port", "Secret", "Session", "Signature", "Standard", "Terminal", "Ticket", "Tickets"),
        *("Total", "Transaction", "Type", "Version", "exceptions", "minutes"),
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
        cls.terms = {entry.msgid for entry in polib.pofile(buffer.getvalue().decode())} | texts()
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

    def test_words_of_the_driver_in_the_form(self):
        english = dict(self.env["card.terminal"]._selection_family())
        for language, words in self.languages.items():
            lang = self.env["res.lang"].with_context(active_test=False).search([("iso_code", "=", language)], limit=1)
            self.env["res.lang"]._activate_lang(lang.code)
            told = dict(self.env["card.terminal"].with_context(lang=lang.code)._selection_family())
            expected = {family: words[f"{text}."].rstrip(".") for family, text in english.items()}
            self.assertEqual(told, expected)
            self.assertNotEqual(told, english)

    def test_placeholders_and_tags_are_kept(self):
        self.check(lambda _, term, text: sorted(PLACEHOLDER.findall(text)) != sorted(PLACEHOLDER.findall(term)))

    def test_not_english(self):
        self.check(lambda language, term, text: term == text and term not in NAMES | LIKE_ENGLISH[language])

    def test_typography(self):
        self.check(lambda language, _, text: BAD_TYPOGRAPHY[language].search(text))
