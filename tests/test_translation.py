"""The French translation is complete, words of the till included."""

import io
import re

import polib
from odoo.tests import TransactionCase, tagged
from odoo.tools import file_open, file_path
from odoo.tools.translate import trans_export

PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[sd]")


@tagged("post_install", "-at_install")
class TestTranslation(TransactionCase):
    def test_french(self):
        buffer = io.BytesIO()
        trans_export(None, ["pos_card_terminal"], buffer, "po", self.env)
        terms = {entry.msgid for entry in polib.pofile(buffer.getvalue().decode())}
        with file_open("pos_card_terminal/i18n/fr.po") as file:
            french = {entry.msgid: entry.msgstr for entry in polib.pofile(file.read())}
        self.assertGreater(len(terms), 300, file_path("pos_card_terminal/i18n/fr.po"))
        self.assertEqual(sorted(term for term in terms if not french.get(term)), [])
        for term, translation in french.items():
            self.assertEqual(sorted(PLACEHOLDER.findall(term)), sorted(PLACEHOLDER.findall(translation)), term)
