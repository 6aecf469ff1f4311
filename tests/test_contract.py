"""Contracts: which one a payment comes under, and what is booked at closing, line by line."""

import uuid

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger
from psycopg2.errors import UniqueViolation

from .common import CardTerminalCase


class ContractCase(CardTerminalCase):
    """A shop with contracts for CB (contact and contactless) and American Express, on accounts of their own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.make_contracts()

    @classmethod
    def make_contracts(cls):
        cls.cb_account, cls.amex_account = (
            cls.copy_account(cls.outstanding_bank, {"name": name, "code": code})
            for name, code in (("Cards to Collect CB", "511500"), ("Cards to Collect AMEX", "511510"))
        )
        cls.cb = cls.contract("CB", cls.cb_account, ["CB", "CB contactless"], number="5091540")
        cls.amex = cls.contract("AMEX", cls.amex_account, ["AMEX"], number="9345678901", settlement="net")

    @classmethod
    def contract(cls, name, account, brands, **values):
        known = cls.env["card.brand"].search([]).grouped("name")
        brands = [known.get(brand) or cls.env["card.brand"].create({"name": brand}) for brand in brands]
        return cls.env["card.contract"].create({
            "name": name,
            "company_id": cls.company.id,
            "outstanding_account_id": account.id,
            "brand_ids": [(6, 0, [brand.id for brand in brands])],
            **values,
        })  # fmt: skip

    def setUp(self):
        super().setUp()
        self.session = self.open()

    def book(self, amount, brand, *, contract="", method=None, **order):
        """Sell for `amount` euros (negative: take back) on the terminal, which says `brand` and `contract`."""
        method = method or self.card_pm
        order_uuid, line = str(uuid.uuid4()), str(uuid.uuid4())
        minor = round(abs(amount) * 100)
        transaction = self.ask(order_uuid, line, minor, kind="refund" if amount < 0 else "sale")
        self.approve(transaction, minor, brand=brand, application=brand, contract=contract)
        self.report()
        payment = self.card_line(line, transaction, amount, payment_method_id=method.id)
        booked = self.sync(self.order_data(order_uuid, [payment], quantity=amount / 10, **order))
        self.assertIn(booked.state, ("paid", "done"))
        return booked

    def close(self, session=None):
        session = session or self.session
        session.post_closing_cash_details(0)
        self.assertEqual(session.close_session_from_ui(), {"successful": True})

    def balance(self, account):
        lines = self.env["account.move.line"].search([("account_id", "=", account.id), ("parent_state", "=", "posted")])
        return round(sum(lines.mapped("balance")), 2)

    def assertReceivableEmpty(self, account=None):
        """The receivable ends at 0.00, every line of it matched."""
        account = account or self.pos_receivable_bank
        lines = self.env["account.move.line"].search([("account_id", "=", account.id), ("parent_state", "=", "posted")])
        self.assertTrue(lines)
        self.assertEqual(lines.mapped("amount_residual"), [0.0] * len(lines))


@tagged("post_install", "-at_install")
class TestRouting(ContractCase):
    def test_one_button_two_contracts(self):
        self.book(120.0, "CB")
        self.book(60.0, "CB contactless")
        order = self.book(96.0, "AMEX")
        self.assertEqual(order.payment_ids.card_contract_id, self.amex)
        self.close()
        self.assertEqual((self.balance(self.cb_account), self.balance(self.amex_account)), (180.0, 96.0))
        self.assertEqual(self.balance(self.outstanding_bank), 0.0)
        self.assertReceivableEmpty()
        payments = self.session.bank_payment_ids
        self.assertEqual(
            sorted((payment.card_contract_id.name, payment.amount) for payment in payments),
            [("AMEX", 96.0), ("CB", 180.0)],
        )

    def test_only_a_refund(self):
        self.book(-20.0, "CB")
        self.close()
        self.assertEqual(self.balance(self.cb_account), -20.0)
        self.assertEqual(self.session.bank_payment_ids.payment_type, "outbound")
        self.assertReceivableEmpty()

    def test_one_contract_gives_back_more_than_it_took(self):
        self.book(50.0, "CB")
        self.book(10.0, "AMEX")
        self.book(-30.0, "AMEX")
        self.close()
        self.assertEqual((self.balance(self.cb_account), self.balance(self.amex_account)), (50.0, -20.0))
        self.assertReceivableEmpty()

    def test_nothing_remains_in_all(self):
        self.book(30.0, "CB")
        self.book(-30.0, "AMEX")
        self.close()
        self.assertEqual((self.balance(self.cb_account), self.balance(self.amex_account)), (30.0, -30.0))
        self.assertReceivableEmpty()

    def test_a_contract_that_ends_at_nothing_is_not_booked(self):
        self.book(30.0, "CB")
        self.book(-30.0, "CB")
        self.close()
        self.assertFalse(self.session.bank_payment_ids)
        self.assertReceivableEmpty()

    def test_a_brand_nobody_named_waits_on_the_methods_account(self):
        self.book(10.0, "CB")
        self.book(40.0, "JCB")
        self.close()
        self.assertEqual((self.balance(self.cb_account), self.balance(self.outstanding_bank)), (10.0, 40.0))
        notice = self.env["card.notice"].search([("code", "=", "no_contract")])
        self.assertEqual(notice.record_name, self.session.display_name)
        self.assertIn("JCB", notice.text)
        self.assertReceivableEmpty()

    def test_an_invoiced_order(self):
        self.book(120.0, "CB", partner_id=self.customer.id, to_invoice=True)
        self.book(96.0, "AMEX")
        self.close()
        self.assertEqual((self.balance(self.cb_account), self.balance(self.amex_account)), (120.0, 96.0))
        self.assertReceivableEmpty()

    def test_a_method_that_asks_for_the_customer(self):
        method = self.card_pm.copy({"name": "Card, customer", "split_transactions": True})
        method.write({"use_payment_terminal": "card_terminal"})
        self.session.post_closing_cash_details(0)
        self.session.close_session_from_ui()
        self.config.write({"payment_method_ids": [(4, method.id)]})
        self.session = self.open()
        self.book(50.0, "CB", method=method, partner_id=self.customer.id)
        self.book(-20.0, "AMEX", method=method, partner_id=self.customer.id)
        self.close()
        self.assertEqual((self.balance(self.cb_account), self.balance(self.amex_account)), (50.0, -20.0))
        self.assertReceivableEmpty(self.customer.property_account_receivable_id)

    def test_a_typed_difference_is_refused(self):
        self.book(96.0, "AMEX")
        self.session.post_closing_cash_details(0)
        answer = self.session.close_session_from_ui([(self.card_pm.id, -12.0)])
        self.assertFalse(answer["successful"])
        self.assertIn("difference cannot be booked", answer["message"])
        with self.assertRaises(UserError):
            self.session._validate_session(bank_payment_method_diffs={self.card_pm.id: -12.0})
        self.close()
        self.assertEqual(self.balance(self.amex_account), 96.0)

    def test_the_past_stays_what_it_was(self):
        order = self.book(96.0, "AMEX")
        self.close()
        self.amex.brand_ids = False
        self.amex.number = "1"
        order.payment_ids._find_card_contract()
        self.assertEqual(order.payment_ids.card_contract_id, self.amex)


@tagged("post_install", "-at_install")
class TestFitting(ContractCase):
    def fitting(self, brand="", number="", method=None, terminal=None):
        contracts = self.env["card.contract"]._of_company(self.company)
        return contracts._fitting(method or self.card_pm, terminal or self.terminal, number, brand)

    def test_the_number_counts_more_than_the_brand(self):
        self.assertEqual(self.fitting("CB", "0009345678901"), self.amex)
        self.assertEqual(self.fitting("cb contactless", "777"), self.cb)

    def test_nothing_is_guessed(self):
        twin = self.contract("CB 2", self.amex_account, ["CB"])
        self.assertFalse(self.fitting("CB"))
        twin.terminal_ids = self.spare
        self.assertEqual(self.fitting("CB"), self.cb)
        self.assertFalse(self.fitting("CB", terminal=self.spare))
        self.cb.terminal_ids = self.terminal
        self.assertEqual(self.fitting("CB", terminal=self.spare), twin)

    def test_all_other_brands(self):
        self.assertFalse(self.fitting("JCB"))
        self.cb.takes_others = True
        self.assertEqual(self.fitting("JCB"), self.cb)
        self.assertEqual(self.fitting(), self.cb)
        with mute_logger("odoo.sql_db"), self.assertRaises(UniqueViolation), self.cr.savepoint():
            self.amex.takes_others = True

    def test_a_method_of_its_own(self):
        cheques = self.card_pm.copy({"name": "Cheque"})
        self.cb.payment_method_ids = self.card_pm
        self.assertFalse(self.fitting("CB", method=cheques))

    def test_a_pattern_that_is_none_is_refused(self):
        with self.assertRaisesRegex(ValidationError, "is not a pattern"):
            self.cb.label_pattern = "REMISE ("
