"""Payouts that a person puts together, and who may."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .test_case_books import FrenchCase
from .test_match import Payouts


@tagged("post_install", "-at_install")
class TestMatchByHand(Payouts, FrenchCase):
    def by_hand(self, lines, batches, **values):
        wizard = self.env["card.match.manual"].with_context(card_lines=lines.ids).create({
            "company_id": self.company.id, "contract_id": batches.contract_id.id, "reason": "Read the statement.",
            "statement_line_ids": [(6, 0, lines.ids)], "batch_ids": [(6, 0, batches.ids)], **values,
        })  # fmt: skip
        return self.env["card.match"].browse(wizard.action_accept()["res_id"])

    def test_a_person_says_what_the_difference_is(self):
        batch = self.batch_at(16, 100.0)
        self.close()
        line = self.line(98.0, 28, "VIREMENT")
        with self.assertRaisesRegex(UserError, "difference"):
            self.by_hand(line, batch)
        match = self.by_hand(line, batch, difference_is="fee")
        self.assertEqual((match.state, match.fee, match.gross, match.over), ("accepted", 2.0, 100.0, 0.0))
        match.action_post()
        self.assertEntry(self.entries(match), (self.bank_code, 98, 0), ("627800", 2, 0), ("511500", 0, 100))
        with self.assertRaisesRegex(UserError, "matched already"):
            self.by_hand(line, batch, difference_is="open")

    def test_paid_in_part_and_the_rest_later(self):
        batch = self.batch_at(16, 100.0)
        self.close()
        first = self.by_hand(self.line(60.0, 28, "VIREMENT"), batch, difference_is="open")
        first.action_post()
        self.assertEqual((self.movement("511500"), batch.settlement_state), ((40.0, 40.0), "partly"))
        second = self.by_hand(self.line(45.0, 29, "VIREMENT"), batch, difference_is="suspense")
        second.action_post()
        self.assertEqual((self.movement("511500"), second.over, batch.settlement_state), ((0.0, 0.0), 5.0, "settled"))

    def test_proposals_give_way(self):
        batch = self.batch_at(16, 100.0)
        self.close()
        line = self.line(100.0, 17)
        proposed = self.find()
        match = self.by_hand(line, batch)
        self.assertEqual((proposed.exists().ids, match.payment_ids), ([], batch.payment_ids))

    def test_only_accountants(self):
        batch = self.batch_at(16, 100.0)
        self.close()
        self.line(100.0, 17)
        match = self.find()
        accountant = new_test_user(
            self.env, "card_accountant_match", "base.group_user,account.group_account_user",
            company_id=self.company.id, company_ids=[(6, 0, self.company.ids)],
        )  # fmt: skip
        manager = new_test_user(
            self.env, "card_manager_match", "base.group_user,point_of_sale.group_pos_manager",
            company_id=self.company.id, company_ids=[(6, 0, self.company.ids)],
        )  # fmt: skip
        for method in ("action_accept", "action_post", "action_undo", "action_reject"):
            with self.assertRaises(AccessError):
                getattr(match.with_user(manager), method)()
        mine = match.with_user(accountant)
        mine.action_accept()
        mine.action_post()
        self.assertEqual((match.state, batch.settlement_state), ("posted", "settled"))
        mine.action_undo()
        self.assertEqual(match.state, "accepted")
