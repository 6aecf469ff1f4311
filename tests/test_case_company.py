"""Contracts, batches, fees and chargebacks beside another company's, and in another currency than the company's."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common_currency import OtherCurrencyCase
from .test_batch import BatchCase


@tagged("post_install", "-at_install")
class TestTwoCompanies(BatchCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = cls.setup_other_company(name="Other")["company"]
        cls.other_account = cls.env["account.account"].with_company(cls.other).create({
            "name": "Cards to Collect", "code": "511599", "account_type": "asset_current", "reconcile": True,
            "company_ids": [(6, 0, cls.other.ids)],
        })  # fmt: skip
        cls.here, cls.there = (
            new_test_user(
                cls.env,
                f"card_books_{company.id}",
                "account.group_account_user,point_of_sale.group_pos_user",
                company_id=company.id,
                company_ids=[(6, 0, company.ids)],
            )
            for company in (cls.company, cls.other)
        )

    def test_a_contract_takes_no_account_of_another_company(self):
        with self.assertRaises(UserError):
            self.cb.outstanding_account_id = self.other_account

    def test_another_companys_contract_takes_no_payment_of_ours(self):
        self.env["card.contract"].create({
            "name": "CB", "company_id": self.other.id, "outstanding_account_id": self.other_account.id,
            "brand_ids": [(6, 0, self.cb.brand_ids.ids)],
        })  # fmt: skip
        payment = self.book(10.0, "CB").payment_ids
        self.assertEqual(payment.card_contract_id, self.cb)
        self.assertEqual(payment.card_batch_id.company_id, self.company)

    def test_each_sees_and_does_their_own(self):
        self.book(10.0, "CB")
        batch = self.batch(self.cb)
        fee = self.env["card.fee"].create(
            {"contract_id": self.cb.id, "date_from": "2026-03-01", "date_to": "2026-03-31", "amount": 1}
        )
        chargeback = self.env["card.chargeback"].create({"contract_id": self.cb.id, "reference": "1", "amount": 1})
        for record in (self.cb, batch, fee, chargeback):
            with self.subTest(record._name):
                self.assertEqual(record.with_user(self.here).search([("id", "=", record.id)]), record)
                self.assertFalse(record.with_user(self.there).search([("id", "=", record.id)]))
        theirs = self.env(user=self.there.id, context={"allowed_company_ids": self.other.ids})
        for name, act in {
            "end": batch.with_env(theirs).action_close,
            "fee": fee.with_env(theirs).action_book,
            "chargeback": chargeback.with_env(theirs).action_receive,
            "accounts": lambda: theirs["card.accounts"].create({"company_id": self.company.id}),
            "accrual": lambda: theirs["card.fee.accrual"].create({"company_id": self.company.id}),
            "take over": lambda: theirs["card.take.over"].create({"contract_id": self.cb.id}),
        }.items():
            with self.subTest(name), self.assertRaises(AccessError), self.env.cr.savepoint():
                act()
        self.assertEqual((batch.state, fee.state, chargeback.state), ("open", "draft", "new"))
        batch.with_user(self.here).action_close()
        self.assertEqual(batch.state, "closed")

    def test_numbers_rise_in_each_company_alone(self):
        theirs = self.env["card.contract"].create(
            {"name": "CB", "company_id": self.other.id, "outstanding_account_id": self.other_account.id}
        )
        for contract in (self.cb, theirs, self.cb, theirs):
            self.batches.sudo().create({
                "contract_id": contract.id, "currency_id": self.company.currency_id.id, "state": "closed",
                "closed_at": "2026-03-01 12:00:00",
            })  # fmt: skip
        for contract in (self.cb, theirs):
            numbers = [int(name.rsplit("/", 1)[1]) for name in self.batch(contract).sorted("id").mapped("name")]
            self.assertEqual(numbers, [numbers[0], numbers[0] + 1])


@tagged("post_install", "-at_install")
class TestOtherCurrency(OtherCurrencyCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.waits = cls.copy_account(cls.outstanding_bank, {"name": "Cards to Collect", "code": "511500"})
        cls.contract = cls.env["card.contract"].create(
            {"name": "CB", "outstanding_account_id": cls.waits.id, "takes_others": True}
        )

    def test_a_session(self):
        """5.000 of the till's are 10.00 of the company's, on the contract's account in both."""
        session = self.open()
        for quantity in (1, 1, -1):
            self.book(quantity)
        batch = self.env["card.batch"].search([("contract_id", "=", self.contract.id)])
        self.assertEqual((batch.currency_id, batch.odoo_count, batch.odoo_amount), (self.currency, 3, 5.0))
        self.assertEqual(session.get_closing_control_data()["card_terminal"]["contracts"][0]["odoo_amount"], 5000)
        self.assertEqual(session.close_session_from_ui(), {"successful": True})
        line = session.bank_payment_ids.move_id.line_ids.filtered(lambda item: item.account_id == self.waits)
        self.assertEqual((line.balance, line.amount_currency, line.currency_id), (10.0, 5.0, self.currency))
        receivable = session.bank_payment_ids.move_id.line_ids - line
        self.assertEqual(receivable.amount_residual, 0.0)
