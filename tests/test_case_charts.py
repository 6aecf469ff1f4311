"""Cases 1 and 8.1 on the charts of five countries: the accounts that are offered, and what a session books on them."""

import uuid

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common_charts import ChartCase


class OfferCase(ChartCase):
    def accounts(self):
        return self.env["account.account"].search([("company_ids", "in", self.company.ids)])

    def assertOffered(self, expected):
        """`expected`: {role: (code, whether it exists)}; confirming makes exactly those that do not."""
        before = self.accounts()
        wizard = self.env["card.accounts"].create({"company_id": self.company.id, "name": "Cards"})
        self.assertEqual({line.role: (line.code, bool(line.account_id)) for line in wizard.line_ids}, expected)
        self.assertEqual(self.accounts(), before)
        wizard.action_confirm()
        made = (self.accounts() - before).with_company(self.company)
        self.assertEqual(sorted(made.mapped("code")), sorted(code for code, exists in expected.values() if not exists))
        contract = wizard.contract_id
        chosen = {
            "outstanding": contract.outstanding_account_id,
            "fee": contract.fee_account_id,
            "chargeback": contract.chargeback_account_id,
            "accrual": contract.accrual_account_id,
            "suspense": self.company.card_suspense_account_id,
        }
        codes = {role: account.with_company(self.company).code for role, account in chosen.items()}
        self.assertEqual(codes, {role: code for role, (code, _exists) in expected.items()})
        self.assertTrue(all(chosen[role].reconcile for role in ("outstanding", "chargeback", "suspense")))
        return contract

    def assertOneButton(self, *booked):
        """Case 1 through one button: CB 120.00, contactless 60.00, AMEX 96.00; `booked`: the session's entry."""
        cb = self.offered("CB", ["CB", "CB contactless"])
        amex = self.offered("AMEX", ["AMEX"], settlement="net")
        self.book(120.0, "CB")
        self.book(60.0, "CB contactless")
        self.book(96.0, "AMEX")
        self.close()
        receivable = self.card_pm.receivable_account_id.with_company(self.company)
        self.assertEntry(self.session.move_id, *booked)
        for contract, amount in ((cb, 180.0), (amex, 96.0)):
            (payment,) = self.session.bank_payment_ids.filtered(
                lambda record, contract=contract: record.card_contract_id == contract
            )
            waits = contract.outstanding_account_id.with_company(self.company).code
            self.assertEntry(payment.move_id, (waits, amount, 0), (receivable.code, 0, amount))
        self.assertReceivableEmpty(receivable)
        return cb, amex

    def assertMixedSession(self, sales, vat, taken, given):
        """Case 8.1: an invoiced order, one paid partly in cash, a refund; `taken`, `given`: base and VAT."""
        cb, amex = self.offered("CB", ["CB"]), self.offered("AMEX", ["AMEX"], settlement="net")
        self.book(120.0, "CB", partner_id=self.customer.id, to_invoice=True)
        order, line = str(uuid.uuid4()), str(uuid.uuid4())
        paid = self.sell(order, line, 3000)
        self.sync(self.order_data(order, [self.card_line(line, paid.uuid, 30.0), self.cash_line(20.0)], quantity=5))
        self.book(-36.0, "AMEX")
        self.session.post_closing_cash_details(20.0)
        self.assertEqual(self.session.close_session_from_ui(), {"successful": True})
        invoiced = self.company.account_default_pos_receivable_account_id
        card, cash, on_invoice = (
            account.with_company(self.company).code
            for account in (
                self.card_pm.receivable_account_id,
                self.cash_pm1.receivable_account_id,
                invoiced,
            )
        )
        self.assertEntry(
            self.session.move_id,
            (sales, 0, taken[0]), (vat, 0, taken[1]), (sales, given[0], 0), (vat, given[1], 0),
            (card, 114, 0), (cash, 20, 0), (on_invoice, 0, 120),
        )  # fmt: skip
        payments = self.session.bank_payment_ids.grouped("card_contract_id")
        codes = {each: each.outstanding_account_id.with_company(self.company).code for each in (cb, amex)}
        self.assertEntry(payments[cb].move_id, (codes[cb], 150, 0), (card, 0, 150))
        self.assertEntry(payments[amex].move_id, (codes[amex], 0, 36), (card, 36, 0))
        self.assertReceivableEmpty(self.card_pm.receivable_account_id)
        self.assertReceivableEmpty(invoiced)


@tagged("post_install", "-at_install")
class TestFrance(OfferCase):
    chart = "fr"

    def test_offer(self):
        # 471000 is where Odoo keeps bank lines that nobody has looked at: not shared
        self.assertOffered({
            "outstanding": ("511500", False), "fee": ("627800", True), "chargeback": ("416000", True),
            "accrual": ("408100", True), "suspense": ("471010", False),
        })  # fmt: skip

    def test_one_button(self):
        cb, amex = self.assertOneButton(("411101", 276, 0), ("445710", 0, 46), ("707000", 0, 230))
        codes = (cb | amex).outstanding_account_id.with_company(self.company).mapped("code")
        self.assertEqual(codes, ["511500", "511510"])

    def test_mixed_invoiced_and_refunded(self):
        self.assertMixedSession("707000", "445710", (41.67, 8.33), (30.0, 6.0))


@tagged("post_install", "-at_install")
class TestGermany03(OfferCase):
    chart = "de_skr03"

    def test_offer(self):
        self.assertOffered({
            "outstanding": ("1361", False), "fee": ("4970", True), "chargeback": ("1460", True),
            "accrual": ("1700", True), "suspense": ("1590", True),
        })  # fmt: skip

    def test_one_button(self):
        self.assertOneButton(("1411", 276, 0), ("1776", 0, 44.07), ("8400", 0, 231.93))

    def test_mixed_invoiced_and_refunded(self):
        self.assertMixedSession("8400", "1776", (42.02, 7.98), (30.25, 5.75))


@tagged("post_install", "-at_install")
class TestGermany04(OfferCase):
    chart = "de_skr04"

    def test_offer(self):
        self.assertOffered({
            "outstanding": ("1461", False), "fee": ("6855", True), "chargeback": ("1241", True),
            "accrual": ("3500", True), "suspense": ("1370", True),
        })  # fmt: skip

    def test_one_button(self):
        self.assertOneButton(("1206", 276, 0), ("3806", 0, 44.07), ("4400", 0, 231.93))

    def test_mixed_invoiced_and_refunded(self):
        self.assertMixedSession("4400", "3806", (42.02, 7.98), (30.25, 5.75))


@tagged("post_install", "-at_install")
class TestAustria(OfferCase):
    chart = "at"

    def test_offer(self):
        # 2881 is Odoo's money in transit between banks
        self.assertOffered({
            "outstanding": ("2882", False), "fee": ("7790", True), "chargeback": ("2070", False),
            "accrual": ("3790", False), "suspense": ("2390", False),
        })  # fmt: skip

    def test_one_button(self):
        self.assertOneButton(("2099", 276, 0), ("3500", 0, 46), ("4000", 0, 230))


@tagged("post_install", "-at_install")
class TestSwitzerland(OfferCase):
    chart = "ch"

    def test_offer(self):
        self.assertOffered({
            "outstanding": ("1095", False), "fee": ("6940", False), "chargeback": ("1105", False),
            "accrual": ("2300", True), "suspense": ("1099", True),
        })  # fmt: skip

    def test_one_button(self):
        self.assertOneButton(("1101", 276, 0), ("2200", 0, 20.68), ("3200", 0, 255.32))


@tagged("post_install", "-at_install")
class TestGeneric(OfferCase):
    chart = "generic_coa"

    def test_offer(self):
        self.assertOffered({
            "outstanding": ("101510", False), "fee": ("620000", True), "chargeback": ("121510", False),
            "accrual": ("211100", True), "suspense": ("101590", False),
        })  # fmt: skip

    def test_one_button(self):
        self.assertOneButton(("101300", 276, 0), ("251000", 0, 36), ("400000", 0, 240))

    def test_a_chart_nobody_knows(self):
        self.company.chart_template = False
        wizard = self.env["card.accounts"].create({"company_id": self.company.id, "name": "Cards"})
        self.assertEqual(len(set(wizard.line_ids.mapped("code"))), 5)
        wizard.action_confirm()
        self.assertTrue(wizard.contract_id.outstanding_account_id.reconcile)

    def test_what_is_chosen_stays(self):
        contract = self.offered("CB", ["CB"])
        kept = contract.outstanding_account_id, contract.fee_account_id
        contract.chargeback_account_id = False
        wizard = self.env["card.accounts"].create({"company_id": self.company.id, "contract_id": contract.id})
        self.assertEqual(wizard.line_ids.mapped("role"), ["chargeback"])
        wizard.action_confirm()
        self.assertEqual((contract.outstanding_account_id, contract.fee_account_id), kept)
        self.assertTrue(contract.chargeback_account_id)

    def test_unticked_is_not_taken_and_a_new_contract_needs_its_account(self):
        wizard = self.env["card.accounts"].create({"company_id": self.company.id, "name": "CB"})
        wizard.line_ids.filtered(lambda line: line.role in ("outstanding", "suspense")).take = False
        with self.assertRaisesRegex(UserError, "needs the account"):
            wizard.action_confirm()
        wizard.line_ids.filtered(lambda line: line.role == "outstanding").take = True
        wizard.action_confirm()
        self.assertFalse(self.company.card_suspense_account_id)

    def test_who_may(self):
        def wizard(groups):
            user = new_test_user(
                self.env, f"offer_{groups}", groups, company_id=self.company.id, company_ids=[(6, 0, self.company.ids)]
            )
            return self.env["card.accounts"].with_user(user).create({"company_id": self.company.id, "name": "CB"})

        with self.assertRaises(AccessError):
            wizard("point_of_sale.group_pos_manager")
        with self.assertRaisesRegex(UserError, "accounting administrator"):
            wizard("account.group_account_user").action_confirm()
        administrator = wizard("account.group_account_manager")
        administrator.action_confirm()
        self.assertTrue(administrator.contract_id)
