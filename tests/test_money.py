"""Money is added up in minor units."""

from odoo.tests import TransactionCase, tagged

from ..models.card_money import total


@tagged("post_install", "-at_install")
class TestMoney(TransactionCase):
    def setUp(self):
        super().setUp()
        self.euro = self.env["res.currency"].create({"name": "X2", "symbol": "X", "rounding": 0.01})
        self.dinar = self.env["res.currency"].create({"name": "X3", "symbol": "Y", "rounding": 0.001})

    def test_many_small_amounts_on_a_large_one(self):
        """Added as floats each 0.10 loses a little: the sum is 0.24 short."""
        self.assertEqual(total([10.0**12, *[0.10] * 10_000], self.euro), 10.0**12 + 1000)
        self.assertNotEqual(self.euro.round(_as_floats([10.0**12, *[0.10] * 10_000])), 10.0**12 + 1000)

    def test_three_decimals(self):
        self.assertEqual(total([10.0**11, *[0.001] * 10_000], self.dinar), 10.0**11 + 10)
        self.assertNotEqual(self.dinar.round(_as_floats([10.0**11, *[0.001] * 10_000])), 10.0**11 + 10)

    def test_what_comes_to_nothing(self):
        self.assertEqual(total([0.1, 0.2, -0.3], self.euro), 0.0)
        self.assertEqual(total([], self.dinar), 0.0)


def _as_floats(amounts):
    added = 0.0
    for amount in amounts:
        added += amount
    return added
