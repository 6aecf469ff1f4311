"""Card data goes when its time is over, also from what a batch has counted; what was counted stays."""

from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from .test_batch import BatchCase


@tagged("post_install", "-at_install")
class TestRetention(BatchCase):
    def setUp(self):
        super().setUp()
        self.payment = self.book(96.0, "AMEX").payment_ids
        self.payment.cardholder_name = "A. Holder"
        self.end_of_day(("AMEX", 1, 9600))
        self.close()
        self.sale = self.payment.card_transaction_id
        self.long_ago = fields.Datetime.now() - timedelta(days=500)

    def age(self, payments=True, transactions=True):
        self.env.flush_all()
        if payments:
            self.env.cr.execute(
                "UPDATE pos_payment SET payment_date = %s WHERE id = ANY(%s)", [self.long_ago, self.payment.ids]
            )
        if transactions:
            self.env.cr.execute(
                "UPDATE card_transaction SET requested_at = %s WHERE id = ANY(%s)", [self.long_ago, self.sale.ids]
            )
        self.env.invalidate_all()

    def blank(self):
        limit = self.company._card_retention_limit()
        return self.company._blank_card_data(limit)

    def data(self):
        return (self.payment.card_no, self.payment.cardholder_name, self.payment.ticket, self.sale.last4,
                self.sale.receipt, self.sale.merchant_receipt)  # fmt: skip

    def test_what_is_young_stays(self):
        before = self.data()
        self.assertEqual(before[0], "4242")
        self.age(payments=False, transactions=False)
        self.blank()
        self.assertEqual(self.data(), before)
        self.assertEqual(self.sale.event_ids.sorted("seq")[-1].body["last4"], "4242")

    def test_what_is_old_goes_and_what_was_counted_stays(self):
        batch, entry = self.payment.card_batch_id, self.session.bank_payment_ids.move_id
        kept = (batch.odoo_amount, batch.odoo_count, batch.declared_amount, entry.amount_total, self.payment.amount)
        events = [(event.seq, event.hash) for event in self.sale.event_ids]
        with self.assertRaises(UserError):
            self.payment.write({"card_no": False})
        self.age()
        self.assertEqual(self.blank(), 2)
        self.assertEqual(self.data(), (False,) * 6)
        self.assertEqual(
            (batch.odoo_amount, batch.odoo_count, batch.declared_amount, entry.amount_total, self.payment.amount), kept
        )
        self.assertEqual(
            (self.sale.state, self.sale.auth_code, self.payment.card_brand), ("approved", "A1B2C3", "AMEX")
        )
        self.assertEqual([(event.seq, event.hash) for event in self.sale.event_ids], events)
        for event in self.sale.event_ids:
            self.assertFalse((event.body or {}).keys() & {"last4", "receipt", "merchant_receipt", "details"})
        self.assertIn("Card data of 1 payments was blanked", "".join(batch.message_ids.mapped("body")))
        self.assertEqual(self.blank(), 0, "once")
        with self.assertRaises(UserError):
            self.payment.write({"card_brand": "CB"})

    def test_authorisations_too_where_the_company_says_so(self):
        self.company.card_retention_authorisation = True
        self.age()
        self.blank()
        self.assertFalse(self.payment.payment_method_authcode)
        self.assertFalse(self.sale.auth_code)
        self.assertNotIn("A1B2C3", repr(self.sale.event_ids.mapped("body")))

    def test_zero_months_keep_everything_and_others_are_counted(self):
        self.company.card_retention_months = 0
        self.assertIsNone(self.company._card_retention_limit())
        self.company.card_retention_months = 24
        self.age()
        self.assertEqual(self.blank(), 0)
        self.company.card_retention_months = 12
        self.assertEqual(self.blank(), 2)

    def test_an_open_exception_keeps_its_evidence(self):
        self.env.cr.execute(
            "UPDATE card_transaction SET exception = 'disagrees', needs_attention = true WHERE id = %s", [self.sale.id]
        )
        self.age()
        self.blank()
        self.assertEqual((self.payment.card_no, self.sale.last4), (False, "4242"))

    def test_another_companys_data_is_not_touched(self):
        self.age()
        other = self.env["res.company"].create({"name": "Other", "card_retention_months": 1})
        self.assertEqual(other._blank_card_data(other._card_retention_limit()), 0)
        self.assertEqual(self.payment.card_no, "4242")

    def test_the_cron_works_in_portions(self):
        self.age()
        with self.enter_registry_test_mode():
            self.env.ref("pos_card_terminal.cron_card_retention").method_direct_trigger()
        self.env.invalidate_all()
        self.assertEqual(self.data(), (False,) * 6)
