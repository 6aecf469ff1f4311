"""Payouts by the hundred: in parts with a bar, and with the trail of changes that Odoo writes one by one."""

import re
from contextlib import nullcontext
from unittest.mock import patch

from odoo.tests import tagged

from .test_case_books import FrenchCase
from .test_match import Payouts

#: A journal item in a message: its number is another each time.
ANY_ITEM = re.compile(r"\d+")


def at_once(matches):
    """Stand in for `_card_trail`: each message is written when it is made."""
    return nullcontext(matches)


@tagged("post_install", "-at_install")
class TestParts(Payouts, FrenchCase):
    def test_in_parts_with_a_bar(self):
        for day, amount in ((16, 110.0), (17, 230.0), (18, 470.0)):
            self.batch_at(day, amount, number=f"0{day}")
            self.line(amount, day + 1)
        self.close()
        matches = self.find()
        matches.action_accept()
        with patch("odoo.addons.pos_card_terminal.models.card_match_progress.IN_DIALOG", 2):
            action = matches.action_post()
        params = action["params"]
        self.assertEqual((action["tag"], params["parts"]), ("card_progress", [matches[:2].ids, matches[2:].ids]))
        self.assertEqual(matches.mapped("state"), ["queued"] * 3)
        done = [getattr(matches.browse(part), params["method"])() for part in params["parts"][:1]]
        self.assertEqual((done, matches.mapped("state")), ([{"refused": 0}], ["posted", "posted", "queued"]))
        getattr(matches, params["stop"])()
        self.assertEqual(
            (matches.mapped("state"), self.movement("511500")), (["posted"] * 2 + ["accepted"], (470.0, 470.0))
        )

    def test_several_bank_accounts_one_after_the_other(self):
        self.batch_at(16, 100.0)
        self.batch_at(16, 96.0, "AMEX")
        self.close()
        self.amex.bank_journal_id = self.bank.copy({"name": "Second", "code": "BNK9"})
        self.line(100.0, 17)
        action = self.env["card.match"].with_company(self.company).action_find()
        self.assertEqual(action["params"]["parts"], [[self.cb.id], [self.amex.id]])
        self.cb.find_some()
        self.assertEqual(self.env["card.match"].search([("company_id", "=", self.company.id)]).gross, 100.0)

    def test_the_trail_of_changes_is_the_one_that_odoo_writes(self):
        """Written together, it says the same as message by message."""
        self.batch_at(16, 100.0)
        self.close()
        line = self.line(100.0, 17)
        match = self.find().with_context(tracking_disable=False, mail_notrack=False)
        match.action_accept()
        self.env.flush_all()
        self.env.cr.precommit.run()

        def trail():
            self.env.flush_all()
            self.env.cr.precommit.run()
            records = (line.move_id, match, self.session.bank_payment_ids)
            return sorted(
                (message.model, message.res_id, ANY_ITEM.sub("#", message.body), value.field_id.name,
                 value.old_value_char or value.old_value_float, value.new_value_char or value.new_value_float)
                for record in records
                for message in record.message_ids
                for value in message.tracking_value_ids
            )  # fmt: skip

        before = trail()
        with self.env.cr.savepoint(flush=False) as point:
            with patch.object(type(match), "_card_trail", at_once):
                match.action_post()
                match.env.flush_all()  # the state of the payment is tracked where it is computed
            one_by_one = trail()
            point.rollback()
        self.env.invalidate_all()
        self.assertEqual(trail(), before)
        match.action_post()
        together = trail()
        self.assertEqual(together, one_by_one)
        said = {(model, name) for model, _id, _body, name, *_values in set(together) - set(before)}
        self.assertLessEqual(
            {
                ("account.move", "account_id"),
                ("account.move", "ref"),
                ("card.match", "state"),
                ("account.payment", "state"),
            },
            said,
        )
