"""Tips added after the payment: an order of their own, one payment, once; and what goes back of both."""

import uuid

from odoo.tests import tagged

from .common import KEY, decode_grant
from .common_grants import GrantCase
from .test_day_end import DayCase


@tagged("post_install", "-at_install")
class TestTip(DayCase, GrantCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.terminal.write({"protocol": "zvt", "options": {"tip": True, "currency": "EUR"}})
        cls.article = cls.create_product("Tips", cls.categ_basic, 0.0)
        cls.config.write({"iface_tipproduct": True, "tip_product_id": cls.article.id})

    def setUp(self):
        super().setUp()
        self.sale, self.order = self.sold(1000, details={"tippable": "yes"})
        self.asked = {"kind": "tip", "amount": 200, "refunded_order_ids": [], "original": self.sale.uuid}

    def tip(self, amount=200, state="approved"):
        """Let the driver report a tip; return (transaction, place of its order and line)."""
        place = (str(uuid.uuid4()), str(uuid.uuid4()))
        transaction = self.ask(*place, amount, kind="tip", original={"uuid": self.sale.uuid})
        self.report_end(transaction, state, amount)
        return self.transaction(transaction), place

    def booked(self, amount=200):
        """Let the driver report a tip, and the till send the order of it."""
        transaction, (order, line) = self.tip(amount)
        data = self.create_ui_order_data([(self.article, 1, 0)], payments=[], uuid=order)
        (command,) = data["lines"]
        worth = amount / 100
        command[2].update(price_unit=worth, price_subtotal=worth, price_subtotal_incl=worth)
        payment = self.card_line(line, transaction.uuid, worth, card_tipped_uuid=self.sale.uuid)
        totals = {"amount_total": worth, "amount_paid": worth, "tip_amount": worth, "is_tipped": True}
        return transaction, self.sync({**data, **totals, "payment_ids": [payment], "state": "paid"})

    def test_it_is_allowed_over_exactly_this(self):
        answer = self.grant()
        claims = decode_grant(answer["grant"], KEY)
        wanted = {"typ": "once", "kind": "tip", "max_amount": 200, "original": self.sale.uuid}
        self.assertLessEqual(wanted.items(), claims.items())
        self.assertEqual(answer["original"], self.sale.uuid)

    def test_what_it_needs(self):
        self.assertRefused("not heard from", original=str(uuid.uuid4()))
        self.assertRefused("not heard from", original=None)
        self.assertRefused("more than zero", amount=0)
        other, _order = self.sold(1000)
        self.assertRefused("takes no tip on this payment", original=other.uuid)
        self.config.iface_tipproduct = False
        self.assertRefused("no article")
        self.config.iface_tipproduct = True
        self.terminal.options = {"tip": False}
        self.assertRefused("cannot do that")

    def test_once_however_it_ended(self):
        for state, refused in (("declined", False), ("failed", False), ("unknown", True), ("sent", True)):
            with self.subTest(state), self.undone():
                self.tip(state=state)
                if refused:
                    self.assertRefused("already, or may have been")
                else:
                    self.grant()

    def test_not_after_money_went_back(self):
        back = self.ask(self.order.uuid, str(uuid.uuid4()), 100, kind="refund", original={"uuid": self.sale.uuid})
        self.approve(back, 100)
        self.report()
        self.assertRefused("given back")

    def test_an_order_of_its_own_booked_once(self):
        transaction, order = self.booked()
        self.assertEqual((transaction.exception, transaction.payment_id), ("none", order.payment_ids))
        self.assertEqual((order.state, order.amount_total, order.amount_paid), ("paid", 2.0, 2.0))
        self.assertEqual(order.payment_ids.card_tipped_uuid, self.sale.uuid)
        self.assertEqual((self.order.amount_total, self.order.payment_ids.amount), (10.0, 10.0), "as it was paid")
        self.assertTrue(self.order.payment_ids.card_tippable)
        (told,) = self.sale._to_till()
        self.assertEqual((told["tippable"], told["added"]), (True, 200))
        self.assertEqual(self.closing()["tips"], {"card": 2.0, "cash": 0.0, "other": 0.0})
        settlement = self.settle(1200)
        self.assertEqual((settlement.odoo_count, settlement.difference), (1, 0.0))
        self.pos_session.close_session_from_ui()
        self.assertEqual(self.pos_session.state, "closed")
        moves = self.env["account.move.line"].search([
            ("account_id", "=", self.outstanding_bank.id), ("move_id.date", "!=", False),
            ("payment_id.pos_session_id", "=", self.pos_session.id),
        ])  # fmt: skip
        self.assertAlmostEqual(sum(moves.mapped("balance")), 12.0)

    def test_one_that_no_order_has_is_an_exception(self):
        transaction, _place = self.tip()
        self.assertEqual(transaction.exception, "approved_without_payment")
        self.assertTrue(transaction.needs_attention)
        self.assertTrue(self.pos_session._card_problems())
        unknown, _place = self.tip(state="unknown")
        self.assertEqual(unknown.exception, "unknown")

    def test_a_line_of_which_only_the_till_has_told(self):
        order, line, attempt = (str(uuid.uuid4()) for _each in range(3))
        command = self.card_line(line, attempt, 2.0, "unknown", "cardUnknown", card_tipped_uuid=self.sale.uuid)
        payment = self.sync(self.order_data(order, [command], state="draft")).payment_ids
        adopted = payment._adopt_card_transaction()
        self.assertEqual((adopted.kind, adopted.original_uuid, adopted.exception), ("tip", self.sale.uuid, "unknown"))
        self.assertRefused("already, or may have been")

    def test_the_whole_goes_back_with_its_tip(self):
        self.booked()
        self.assertRefused("with the tip", kind="reversal", amount=1000)
        self.assertRefused("", kind="reversal", amount=1201)
        self.grant(kind="reversal", amount=1200)

    def test_a_tip_goes_back_to_the_card_that_paid(self):
        _transaction, order = self.booked()
        request = {"kind": "refund", "amount": 200, "original": None, "refunded_order_ids": order.ids}
        self.assertRefused("At most", **{**request, "amount": 1201})
        self.assertEqual(self.grant(**request)["original"], self.sale.uuid)
