"""What ZVT terminals say beside the result, and the end of a day: tips, signatures, the sums beside those of Odoo."""

import uuid

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import CardTerminalCase

DETAILS = {"trace": "000017", "card_type": "5", "verification": "signature", "signature": "yes", "tip": "200"}


class DayCase(CardTerminalCase):
    def setUp(self):
        super().setUp()
        self.pos_session = self.open()

    def sold(self, amount=1000, details=None, brand="CB", **line):
        """Let a card pay for one coffee; return (transaction, order)."""
        place = (str(uuid.uuid4()), str(uuid.uuid4()))
        transaction = self.ask(*place)
        said = {"terminal_id": "29001006", "terminal_ref": "0017", "details": details or {}, "brand": brand}
        self.approve(transaction, amount, **said)
        self.report()
        order = self.paid_order(*place, transaction, amount / 100, **line)
        return self.transaction(transaction), order

    def settle(self, amount, count=1):
        return self.settle_groups(("CB", count, amount))

    def settle_groups(self, *groups):
        """Let the terminal tell its sums: (card, count, minor units)."""
        totals = [
            {"brand": brand, "count": count, "amount": amount, "currency": self.currency_name}
            for brand, count, amount in groups
        ]
        transaction = self.ask("", "", 0, kind="settlement", currency="")
        self.journal.add(
            "approved", transaction, state="approved", code="settled", text="", totals=totals, merchant_receipt="SLIP"
        )
        self.report()
        return self.env["card.terminal.settlement"].search([("transaction_id.uuid", "=", transaction)])

    def notices(self, settlement):
        return self.env["card.notice"].search([
            ("code", "=", "settlement_differs"), ("res_id", "=", settlement.id), ("state", "!=", "done"),
        ])  # fmt: skip

    def closing(self):
        data = self.pos_session.with_user(self.cashier).get_closing_control_data()
        return data["card_terminal"]


@tagged("post_install", "-at_install")
class TestDetails(DayCase):
    def test_they_are_kept(self):
        transaction, order = self.sold(details=DETAILS)
        self.assertRecordValues(transaction, [{
            "trace": "000017", "card_type": "5", "verification": "signature", "terminal_number": "29001006",
            "terminal_ref": "0017", "amount_tip": 2.0, "signature_wanted": True, "signature": "wanted",
        }])  # fmt: skip
        self.assertRecordValues(order.payment_ids, [{
            "card_trace": "000017", "card_terminal_number": "29001006", "card_verification": "signature",
            "card_tip": 2.0, "card_signature": "wanted", "payment_ref_no": "0017",
        }])  # fmt: skip
        (told,) = transaction._to_till()
        self.assertEqual((told["tip"], told["signature"]), (200, True))

    def test_what_is_not_as_expected_is_left_out(self):
        for details in ("x", {"trace": 17, "tip": "-2"}, {"tip": "9" * 13}, {"tip": 200}, {"signature": True}):
            with self.subTest(details):
                transaction, _order = self.sold(details=details)
                self.assertFalse(transaction.trace or transaction.amount_tip or transaction.signature_wanted)
                self.assertEqual(transaction.exception, "none")

    def test_the_answer_to_the_signature_comes_with_the_order(self):
        transaction, order = self.sold(details=DETAILS)
        self.assertEqual(len(self.closing()["signatures"]), 1)
        order.payment_ids.with_user(self.cashier).card_signature = "good"
        self.assertEqual(transaction.signature, "good")
        self.assertFalse(self.closing()["signatures"])

    def test_the_merchants_slip_at_its_own_till_only(self):
        place = (str(uuid.uuid4()), str(uuid.uuid4()))
        transaction = self.ask(*place)
        self.approve(transaction, merchant_receipt="HAENDLERBELEG")
        self.report()
        request = {"uuid": transaction}
        session = self.pos_session.with_user(self.cashier)
        self.assertEqual(session.card_terminal_merchant_slip(request), "HAENDLERBELEG")
        self.transaction(transaction).sudo().config_id = False
        self.assertEqual(session.card_terminal_merchant_slip(request), "")
        self.assertEqual(session.card_terminal_merchant_slip({}), "")

    def test_words_for_a_result_that_is_not_finished(self):
        transaction = self.ask(str(uuid.uuid4()), str(uuid.uuid4()))
        self.journal.add("heard", transaction, amount_approved=1200, brand="girocard", details={"tip": "200"})
        self.report()
        words = [step["text"] for step in self.transaction(transaction)._timeline()]
        self.assertRegex(words[-1], r"told its result.*12.00.*tip.*2.00.*girocard")
        self.assertEqual(self.transaction(transaction).state, "sent")


@tagged("post_install", "-at_install")
class TestDayEnd(DayCase):
    def test_sums_that_agree(self):
        self.sold(1000)
        settlement = self.settle(1000)
        self.assertTrue(settlement.is_compared)
        self.assertEqual((settlement.odoo_count, settlement.odoo_amount, settlement.difference), (1, 10.0, 0.0))
        self.assertFalse(self.notices(settlement))
        self.assertFalse(self.closing()["differences"])
        self.assertEqual(settlement.slip, "SLIP")
        told = settlement._to_till()["compared"]
        self.assertEqual(told, {"count": 1, "amount": 1000, "difference": 0})

    def test_sums_that_differ_are_shown_and_told(self):
        self.settle(0, count=0)
        self.sold(1000)
        self.sold(1000)
        settlement = self.settle(2510, count=3)
        self.assertEqual((settlement.odoo_count, settlement.difference), (2, 5.1))
        self.assertIn("5.10", self.notices(settlement).text)
        (said,) = self.closing()["differences"]
        self.assertIn("25.10", said)
        after = self.settle(0, count=0)
        self.assertEqual((after.odoo_count, after.difference), (0, 0.0))

    def test_sums_that_agree_in_all_and_not_by_card(self):
        """The terminal counted a card in another group than Odoo: shown, told, and nothing unknown is called zero."""
        self.sold(1000)  # a CB card
        self.sold(1000, brand="Maestro")
        settlement = self.settle_groups(("CB", 2, 1500), ("girocard", 1, 500))
        self.assertEqual((settlement.is_compared, settlement.difference), (True, 0.0))
        rows = {row["brand"]: row for row in settlement._groups()}
        self.assertEqual([rows["CB"]["odoo_amount"], rows["CB"]["difference"]], [1000, 500])
        self.assertEqual([rows["girocard"]["odoo_amount"], rows["girocard"]["difference"]], [0, 500])
        maestro = rows["Maestro"]
        self.assertEqual([maestro["amount"], maestro["odoo_amount"], maestro["difference"]], [None, 1000, None])
        self.assertRegex(settlement.group_text, "CB: .*15.00.*10.00")
        self.assertRegex(settlement.group_text, "Maestro: .*10.00, and the terminal told no sum")
        self.assertTrue(self.notices(settlement))
        self.assertIn("not by card", self.closing()["differences"][0])
        self.assertEqual(len(settlement._to_till()["groups"]), 3)

    def test_what_a_terminal_leaves_out_of_a_reversal(self):
        sale, order = self.sold(1000)
        self.sold(1000)
        back = self.ask(order.uuid, str(uuid.uuid4()), 1000, kind="reversal", original={"uuid": sale.uuid})
        self.approve(back, 1000, brand="")
        self.report()
        self.assertFalse(self.settle(1000)._group_sentences())

    def test_groups_that_terminals_name_otherwise(self):
        self.sold(1000, brand="AMEX")
        self.sold(1000, brand="Edenred")
        settlement = self.settle_groups(("American Express", 1, 1000), ("others", 1, 1000))
        self.assertFalse(settlement.group_text or self.notices(settlement))

    def test_what_no_terminal_told_is_not_compared(self):
        self.sold(1000)
        transaction = self.ask("", "", 0, kind="settlement", currency="")
        self.journal.add("approved", transaction, state="approved", code="settled", text="", totals=None)
        self.report()
        settlement = self.env["card.terminal.settlement"].search([("transaction_id.uuid", "=", transaction)])
        self.assertFalse(settlement.is_compared or self.notices(settlement))
        self.assertNotIn("compared", settlement._to_till())

    def test_tips_by_card_and_in_cash(self):
        self.sold(1000, details={"tip": "200"}, is_tipped=True, tip_amount=2.0)
        order = self.order_data(str(uuid.uuid4()), [self.cash_line(10.0)], is_tipped=True, tip_amount=3.0)
        self.sync(order)
        self.assertEqual(self.closing()["tips"], {"card": 2.0, "cash": 3.0, "other": 0.0})


@tagged("post_install", "-at_install")
class TestSecretOption(DayCase):
    def setUp(self):
        super().setUp()
        self.terminal.write({"protocol": "zvt", "options": {"password": "482913", "currency": "EUR"}})

    def test_the_driver_gets_it(self):
        self.assertEqual(self.terminal._configuration()["options"]["password"], "482913")

    def test_a_cashier_does_not_read_it(self):
        terminal = self.terminal.with_user(self.cashier)
        self.env.invalidate_all()
        with self.assertRaises(AccessError):
            terminal.read(["options"])
        lines = self.env["card.terminal.option"].with_user(self.cashier).search([("terminal_id", "=", terminal.id)])
        self.assertIn("currency", lines.mapped("name"))
        self.assertNotIn("password", lines.mapped("name"))
        self.assertNotIn("482913", f"{lines.read(['name', 'value', 'standard'])}")
        secret = lines.sudo().search([("terminal_id", "=", terminal.id), ("name", "=", "password")])
        self.assertEqual(secret.value, "482913")
        with self.assertRaises(AccessError):
            secret.with_user(self.cashier).check_access("read")
        self.assertIn("sale", terminal.read(["kinds"])[0]["kinds"])

    def test_what_a_cashier_reads_takes_it_from_nobody(self):
        terminal = self.terminal.with_user(self.cashier)
        self.env.invalidate_all()
        self.assertNotIn("password", terminal.option_ids.mapped("name"))
        self.assertEqual(self.terminal._configuration()["options"]["password"], "482913")

    def test_a_till_never_gets_it(self):
        loaded = self.pos_session.with_user(self.cashier).load_data(["card.terminal", "card.terminal.driver"])
        self.assertIn(self.terminal.uuid, f"{loaded}")
        self.assertNotIn("482913", f"{loaded}")

    def test_an_error_does_not_tell_it(self):
        secret = self.terminal.option_ids.filtered(lambda line: line.name == "password")
        with self.assertRaisesRegex(Exception, "Password") as caught, self.env.cr.savepoint():
            secret.value = "48291"
        self.assertNotIn("48291", f"{caught.exception}")
