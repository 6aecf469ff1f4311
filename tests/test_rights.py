"""Who may read and do what."""

import uuid

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common import CardTerminalCase


@tagged("post_install", "-at_install")
class TestRights(CardTerminalCase):
    def setUp(self):
        super().setUp()
        self.open()
        self.sale = self.sell(str(uuid.uuid4()), str(uuid.uuid4()))
        company = {"company_id": self.company.id, "company_ids": [(6, 0, self.company.ids)]}
        self.manager = new_test_user(
            self.env, "card_manager", "base.group_user,point_of_sale.group_pos_manager", **company
        )
        self.accountant = new_test_user(
            self.env, "card_accountant", "base.group_user,account.group_account_user", **company
        )
        self.nobody = new_test_user(self.env, "card_nobody", "base.group_user", **company)

    def may(self, user, record, operation):
        return record.with_user(user).has_access(operation)

    def test_access_per_group(self):
        event = self.sale.event_ids[:1]
        answer = self.env["card.terminal.answer"].sudo().create({"transaction_id": self.sale.id, "answer": "paid"})
        table = {  # record: who reads, who writes
            self.driver: ("cashier manager accountant", "manager"),
            self.terminal: ("cashier manager accountant", "manager"),
            self.sale: ("cashier manager accountant", ""),
            event: ("manager accountant", ""),
            answer: ("cashier manager accountant", ""),
        }
        for record, (readers, writers) in table.items():
            for name in ("cashier", "manager", "accountant", "nobody"):
                with self.subTest(model=record._name, user=name):
                    user = getattr(self, name)
                    self.assertEqual(self.may(user, record, "read"), name in readers.split())
                    for operation in ("write", "create", "unlink"):
                        self.assertEqual(self.may(user, record, operation), name in writers.split())

    def test_the_key_is_for_the_system_alone(self):
        for user in (self.cashier, self.manager, self.accountant):
            with self.subTest(user.login):
                driver = self.driver.with_user(user)
                with self.assertRaises(AccessError):
                    driver.read(["key"])
                self.assertNotIn("key", driver.fields_get())
                self.assertNotIn("key", driver.read()[0])
                with self.assertRaises(AccessError):
                    driver.search([("key", "=like", "5%")])
        self.assertTrue(self.driver.with_user(self.cashier).has_key)

    def test_the_file_with_the_key(self):
        self.assertIn("key = ", self.driver.with_user(self.manager)._driver_toml())
        for user in (self.cashier, self.accountant):
            for method in ("_driver_toml", "action_new_key", "action_download_configuration", "action_clear_alarm"):
                with self.subTest(user=user.login, method=method), self.assertRaises(AccessError):
                    getattr(self.driver.with_user(user), method)()

    def test_merchant_slips_are_not_for_cashiers(self):
        self.assertNotIn("merchant_receipt", self.sale.with_user(self.cashier).read()[0])
        self.assertIn("merchant_receipt", self.sale.with_user(self.accountant).read()[0])

    def test_views_open_for_each(self):
        for user in (self.cashier, self.manager, self.accountant):
            for view_type in ("list", "form", "search", "pivot", "graph"):
                self.env["card.transaction"].with_user(user).get_view(view_type=view_type)
            self.sale.with_user(user).read(["display_name", "state", "amount_approved"])

    def test_every_view_opens(self):
        for model in (
            "card.terminal",
            "card.terminal.driver",
            "card.terminal.answer",
            "card.transaction.settle",
            "card.exception.acknowledge",
            "card.transaction.export",
            "pos.payment",
            "pos.session",
            "pos.order",
            "pos.config",
        ):
            for view_type in ("form", "list", "search"):
                with self.subTest(model=model, view=view_type):
                    self.env[model].with_user(self.manager).get_view(view_type=view_type)

    def test_an_accountant_reads_what_stands_behind(self):
        order, line = str(uuid.uuid4()), str(uuid.uuid4())
        sale = self.sell(order, line)
        booked = self.paid_order(order, line, sale.uuid)
        names = {
            name: {"fields": {"display_name": {}}} for name in ("order_id", "payment_id", "session_id", "config_id")
        }
        (read,) = sale.with_user(self.accountant).web_read({"display_name": {}, "event_ids": {}, **names})
        self.assertEqual(read["order_id"]["display_name"], booked.display_name)
        self.assertEqual(read["payment_id"]["id"], booked.payment_ids.id)
        self.assertEqual(len(read["event_ids"]), 3)

    def test_nobody_writes_transactions(self):
        for user in (self.cashier, self.manager, self.accountant):
            for call in (
                lambda record: record.write({"exception": "none"}),
                lambda record: record.unlink(),
                lambda record: record.copy(),
                lambda record: record.create({"uuid": "x", "driver_id": record.driver_id.id, "kind": "sale"}),
            ):
                with self.assertRaises(AccessError):
                    call(self.sale.with_user(user))

    def test_other_companies(self):
        company = self.env["res.company"].create({"name": "Other"})
        manager = new_test_user(
            self.env,
            "other_manager",
            "base.group_user,point_of_sale.group_pos_manager",
            company_id=company.id,
            company_ids=[(6, 0, company.ids)],
        )
        for model, record in (
            ("card.terminal.driver", self.driver),
            ("card.terminal", self.terminal),
            ("card.transaction", self.sale),
            ("card.transaction.event", self.sale.event_ids),
        ):
            with self.subTest(model):
                self.assertFalse(self.env[model].with_user(manager).search([("id", "in", record.ids)]))
                with self.assertRaises(AccessError):
                    record.with_user(manager).read(["display_name"])
        for call in (
            lambda session: session.card_terminal_grants(),
            lambda session: session.card_terminal_transactions({"uuids": [self.sale.uuid]}),
            lambda session: session.card_terminal_refund_grant({}),
            lambda session: session.card_terminal_answer({"answer": "paid", "uuid": self.sale.uuid}),
        ):
            with self.assertRaises(AccessError):
                call(self.pos_session.with_user(manager))
        for call in (
            lambda: self.driver.with_user(manager)._driver_toml(),
            lambda: self.driver.with_user(manager).action_new_key(),
            lambda: self.driver.with_user(manager).action_clear_alarm(),
            lambda: self.sale.with_user(manager)._acknowledge("x"),
            lambda: self.sale.with_user(manager)._settle_by_hand(paid=False, reason="x"),
        ):
            with self.assertRaises(AccessError):
                call()
        self.assertTrue(self.sale.needs_attention)

    def test_cashiers_do_not_choose_terminals_nor_training(self):
        config = self.config.with_user(self.cashier)
        for vals in (
            {"card_terminal_training": True},
            {"card_terminal_id": self.spare.id},
            {"card_terminal_spare_ids": [(5,)]},
        ):
            with self.assertRaises(AccessError):
                config.write(vals)
        self.config.with_user(self.manager).card_terminal_training = True
        self.assertTrue(self.config.card_terminal_training)

    def test_terminals_stay_in_their_company(self):
        company = self.env["res.company"].create({"name": "Other"})
        driver = self.env["card.terminal.driver"].create({"name": "Other", "company_id": company.id})
        terminal = self.env["card.terminal"].create({"name": "Other", "driver_id": driver.id, "host": "192.0.2.50"})
        self.assertEqual(terminal.company_id, company)
        for vals in ({"card_terminal_id": terminal.id}, {"card_terminal_spare_ids": [(4, terminal.id)]}):
            with self.assertRaises(UserError), self.env.cr.savepoint():
                self.config.write(vals)

    def test_the_till_is_told_of_its_company_only(self):
        told = self.pos_session.with_user(self.cashier).card_terminal_transactions({"uuids": [self.sale.uuid]})
        self.assertEqual(
            told,
            [
                {
                    "uuid": self.sale.uuid,
                    "state": "approved",
                    "money": "final",
                    "order": self.sale.order_uuid,
                    "line": self.sale.payment_uuid,
                    "amount_approved": 1000,
                    "currency": self.currency_name,
                    "text": "Approved",
                    "brand": "CB",
                    "last4": "4242",
                    "auth_code": "A1B2C3",
                    "receipt": "CARTE BANCAIRE\nMERCI",
                    "answer": None,
                    "origin": "driver",
                    "settled_paid": None,
                    "till": self.config.name,
                    "operator": "Cashier",
                    "tip": 0,
                    "signature": False,
                    "tippable": False,
                    "added": 0,
                }
            ],
        )

    def test_a_cashier_syncs_and_closes(self):
        order, line = str(uuid.uuid4()), str(uuid.uuid4())
        sale = self.sell(order, line)
        booked = self.sync(self.order_data(order, [self.card_line(line, sale.uuid)]), user=self.cashier)
        self.assertEqual((booked.state, booked.payment_ids.card_evidence), ("paid", "matched"))
        answer = self.pos_session.with_user(self.cashier).close_session_from_ui()
        self.assertFalse(answer["successful"])
        self.assertIn("Approved, not booked", answer["message"])

    def test_card_numbers_that_people_write_are_not_kept(self):
        number, spaced = "4970101122334452", "4970 1011 2233 4452"
        unknown = self.end(str(uuid.uuid4()), str(uuid.uuid4()), "unknown")
        session = self.pos_session.with_user(self.cashier)
        session.card_terminal_answer({"uuid": unknown.uuid, "answer": "paid", "authorisation": number})
        unknown.with_user(self.manager)._settle_by_hand(paid=False, reason=f"The slip says {spaced}")
        self.sale.with_user(self.manager)._acknowledge(f"Booked by hand for {number}")
        notice = self.env["card.notice"]._raise_notice("test", self.terminal, f"Look at {number}")
        notice.with_user(self.manager)._done(f"Was {spaced}")
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertTrue(unknown.answer_ids.authorisation.endswith("4452"))
        self.assertIn("The slip says", unknown.settled_reason)
        kept = repr([unknown.read(), unknown.answer_ids.read(), self.sale.read(), notice.read()])
        self.assertNotIn(number, kept)
        self.assertNotIn("4970 1011", kept)
