"""Case 8.6: what a batch counted, in a French company with l10n_fr_pos_cert; and what an accountant writes over RPC."""

import uuid

from odoo.exceptions import UserError
from odoo.service.model import call_kw
from odoo.tests import new_test_user, tagged

from . import test_batch
from .test_case_books import FrenchCase


@tagged("post_install", "-at_install")
class TestCountedInFrance(FrenchCase, test_batch.TestCounted):
    """Every road is guarded there too; the two logged exceptions leave Odoo's chain of hashes whole."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.country_id = cls.env.ref("base.fr")

    def assertReceivableEmpty(self, account=None):
        return super().assertReceivableEmpty(account or self.receivable)

    def assertChainWhole(self):
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(self.company._check_pos_hash_integrity()["corrupted_orders"], "None")

    def test_the_module_is_there_and_the_chain_stays_whole(self):
        self.assertEqual(self.env["ir.module.module"]._get("l10n_fr_pos_cert").state, "installed")
        order = self.payment.pos_order_id
        self.assertTrue(order.l10n_fr_hash)
        with self.assertRaisesRegex(UserError, "French law"), self.env.cr.savepoint():
            order.date_order = "2026-01-01"
        self.session = self.open()
        self.journal.at = "2026-03-02T12:00:00.000Z"
        self.book(10.0, "CB")
        late = str(uuid.uuid4()), str(uuid.uuid4())
        lost = self.sell(*late, 4500)
        self.end_of_day(("CB", 2, 5500), number="043")
        self.sync(self.order_data(late[0], [self.card_line(late[1], lost.uuid, 45.0)], quantity=4.5))
        batch = self.batch(self.cb)
        self.assertEqual((batch.odoo_amount, batch.difference), (55.0, 0.0))
        self.assertIn("Came after the end", "".join(batch.message_ids.mapped("body")))
        self.assertChainWhole()
        self.payment._blank_card_data(["card_no", "cardholder_name", "ticket"])
        self.assertFalse(self.payment.card_no)
        self.assertIn("was blanked", "".join(self.payment.card_batch_id.message_ids.mapped("body")))
        self.assertChainWhole()
        self.assertEqual(self.payment.card_batch_id.odoo_amount, 96.0)


@tagged("post_install", "-at_install")
class TestWrittenOverRpc(FrenchCase):
    """What forms show read-only is read-only over RPC: it is left out, as a form would leave it out."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        groups = "account.group_account_manager,point_of_sale.group_pos_manager"
        cls.administrator = new_test_user(
            cls.env, "case_administrator", groups, company_id=cls.company.id, company_ids=[(6, 0, cls.company.ids)]
        )

    def call(self, model, method, *arguments):
        env = self.env(user=self.administrator.id, context={"allowed_company_ids": self.company.ids})
        result = call_kw(env[model], method, list(arguments), {})
        env.cr.flush()
        self.env.invalidate_all()
        return result

    def test_what_is_under_a_contract_stays_under_it(self):
        payment = self.sold(96.0, "AMEX")
        booked = self.session.bank_payment_ids
        line = self.pay_out(93.60, self.amex, 96.0, 2.40)
        self.call("account.move", "write", line.move_id.ids, {"card_contract_id": self.cb.id, "narration": "Note"})
        self.call("account.bank.statement.line", "write", line.ids, {"card_contract_id": False})
        self.call("account.payment", "write", booked.ids, {"card_contract_id": False})
        self.call("pos.payment", "write", payment.ids, {"card_contract_id": self.cb.id, "card_batch_id": False})
        self.assertIn("Note", line.move_id.narration)
        contracts = line.move_id.card_contract_id, booked.card_contract_id, payment.card_contract_id
        self.assertEqual(contracts, (self.amex,) * 3)
        self.assertEqual(payment.card_batch_id, self.batch(self.amex))
        journal = self.cb._card_entry_journal()
        (made,) = self.call("account.move", "create", [{"journal_id": journal.id, "card_contract_id": self.cb.id}])
        self.assertFalse(self.env["account.move"].browse(made).card_contract_id)

    def test_what_the_bank_said_stays_as_it_said_it(self):
        told = {"card_import_key": "x", "card_reference": "R1", "card_gross": 96.0, "card_charges": 2.4}
        values = {"journal_id": self.bank.id, "amount": 93.6, "payment_ref": "AMEX", "date": "2026-03-02"}
        (made,) = self.call("account.bank.statement.line", "create", [{**values, **told}])
        line = self.env["account.bank.statement.line"].browse(made)
        line._write_guarded({**told, "card_gross": 95.0})
        self.call("account.bank.statement.line", "write", line.ids, {**told, "payment_ref": "Note"})
        self.assertEqual((line.payment_ref, line.card_gross, line.card_reference), ("Note", 95.0, "R1"))

    def test_states_are_those_of_actions(self):
        month = {"contract_id": self.cb.id, "date_from": "2026-03-01", "date_to": "2026-03-31"}
        (made,) = self.call("card.fee", "create", [{**month, "amount": 8.75, "state": "booked"}])
        fee = self.env["card.fee"].browse(made)
        move = self.env["account.move"].search([("company_id", "=", self.company.id)], limit=1)
        self.call("card.fee", "write", fee.ids, {"state": "booked", "move_id": move.id, "turnover": 1.0})
        self.assertEqual((fee.state, fee.move_id.id, fee.turnover, fee.amount), ("draft", False, 0.0, 8.75))
        values = {"contract_id": self.cb.id, "reference": "IMP 1", "amount": 45.0, "state": "won"}
        (made,) = self.call("card.chargeback", "create", [values])
        chargeback = self.env["card.chargeback"].browse(made)
        self.call("card.chargeback", "write", chargeback.ids, {"state": "won", "move_ids": [(4, move.id)]})
        self.assertEqual((chargeback.state, chargeback.move_ids.ids), ("new", []))
        self.call("card.chargeback", "action_receive", chargeback.ids)
        self.assertEqual(chargeback.state, "received")
        tracked = chargeback.message_ids.tracking_value_ids.field_id.mapped("name")
        self.assertIn("state", tracked, "an action's change of state is in the log")
