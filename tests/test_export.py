"""The accountant's CSV."""

import base64
import csv
import io
import uuid
from datetime import date

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import CardTerminalCase


@tagged("post_install", "-at_install")
class TestExport(CardTerminalCase):
    def setUp(self):
        super().setUp()
        self.session = self.open()
        self.env.user.tz = "Europe/Paris"

    def export(self, first=date(2026, 3, 1), last=date(2026, 3, 1)):
        wizard = self.env["card.transaction.export"].create(
            {"date_from": first, "date_to": last, "company_id": self.company.id}
        )
        action = wizard.action_export()
        self.assertEqual(action["type"], "ir.actions.act_url")
        self.assertIn(f"/{wizard.id}/content/card_transactions_{first}_{last}.csv", action["url"])
        return base64.b64decode(wizard.content)

    def rows(self, **period):
        return list(csv.reader(io.StringIO(self.export(**period).decode("utf-8-sig")), delimiter=";"))

    def test_a_sale_a_refund_and_a_decline(self):
        order, line = str(uuid.uuid4()), str(uuid.uuid4())
        sale = self.sell(order, line, 1000)
        booked = self.paid_order(order, line, sale.uuid)
        back, back_line = str(uuid.uuid4()), str(uuid.uuid4())
        refund = self.ask(back, back_line, kind="refund")
        self.approve(refund)
        self.report()
        given = self.sync(self.order_data(back, [self.card_line(back_line, refund, -10.0)], quantity=-1))
        declined = self.end(str(uuid.uuid4()), str(uuid.uuid4()), "declined", 1234567)
        self.assertEqual(self.session.close_session_from_ui(), {"successful": True})
        entry, name, currency = self.session.move_id.name, self.config.name, self.currency_name
        when = "2026-03-01 13:00:00"
        terminal = "00112233"
        self.assertEqual(
            self.rows(),
            [
                [
                    "Date",
                    "Till",
                    "Order",
                    "Terminal",
                    "Brand",
                    "Last four",
                    "Authorisation",
                    "Kind",
                    "State",
                    "Asked",
                    "Approved",
                    "Currency",
                    "Journal entry",
                ],
                [
                    when,
                    name,
                    booked.pos_reference,
                    terminal,
                    "CB",
                    "4242",
                    "A1B2C3",
                    "Sale",
                    "Approved",
                    "10.00",
                    "10.00",
                    currency,
                    entry,
                ],
                [
                    when,
                    name,
                    given.pos_reference,
                    terminal,
                    "CB",
                    "4242",
                    "A1B2C3",
                    "Refund",
                    "Approved",
                    "-10.00",
                    "-10.00",
                    currency,
                    entry,
                ],
                [
                    when,
                    name,
                    declined.order_uuid,
                    "Counter",
                    "",
                    "",
                    "",
                    "Sale",
                    "Declined",
                    "12345.67",
                    "0.00",
                    currency,
                    "",
                ],
            ],
        )

    def test_form_of_the_file(self):
        self.sell(str(uuid.uuid4()), str(uuid.uuid4()))
        data = self.export()
        self.assertTrue(data.startswith(b"\xef\xbb\xbfDate;Till;"))
        self.assertEqual(data.count(b"\r\n"), 2)
        self.assertEqual(data.count(b"\n"), 2)

    def test_decimal_sign_of_the_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.env.user.lang = "fr_FR"
        self.sell(str(uuid.uuid4()), str(uuid.uuid4()), 123456)
        self.assertIn("1234,56", self.rows()[1])

    def test_period_is_the_users_day(self):
        self.sell(str(uuid.uuid4()), str(uuid.uuid4()))
        self.assertEqual(len(self.rows()), 2)
        self.assertEqual(len(self.rows(first=date(2026, 2, 1), last=date(2026, 2, 28))), 1)
        self.env.cr.execute("UPDATE card_transaction SET requested_at = '2026-02-28 23:30:00'")
        self.env.invalidate_all()
        self.assertEqual(self.rows()[1][0], "2026-03-01 00:30:00")
        with self.assertRaises(UserError):
            self.export(first=date(2026, 3, 2))

    def test_text_of_a_terminal_is_no_formula(self):
        for text in ("=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"):
            transaction = self.ask(str(uuid.uuid4()), str(uuid.uuid4()))
            self.approve(transaction, brand=text, auth_code=text)
        self.report()
        for row in self.rows()[1:]:
            self.assertEqual(row[4][0], "'")
            self.assertEqual(row[6][0], "'")

    def test_amounts_of_the_currency(self):
        yen = self.env.ref("base.JPY")
        yen.active = True
        self.sell(str(uuid.uuid4()), str(uuid.uuid4()), 1234, currency="JPY")
        self.assertEqual(self.rows()[1][9:12], ["1234", "1234", "JPY"])

    def test_odoos_own_export_holds_no_formula(self):
        sale = self.sell(str(uuid.uuid4()), str(uuid.uuid4()))
        self.env.cr.execute(
            "UPDATE card_transaction SET till = %s, operator = '+1', reference = '-x'", ["=cmd|'/c x'!A0"]
        )
        self.env.invalidate_all()
        (row,) = sale.export_data(["till", "operator", "reference", "state"])["datas"]
        self.assertEqual(row, ["'=cmd|'/c x'!A0", "'+1", "'-x", "Approved"])
        (event,) = sale.event_ids[:1].export_data(["type", "seq"])["datas"]
        self.assertEqual(event[0], "requested")
