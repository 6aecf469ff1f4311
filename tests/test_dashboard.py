"""What the accountant looks at: open money as of any date, what is expected, what it costs, what needs a person."""

import json
from datetime import datetime, timedelta
from itertools import pairwise
from unittest.mock import patch

from odoo import Command, fields
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from .test_batch import BatchCase


class MoneyCase(BatchCase):
    def setUp(self):
        super().setUp()
        self.today = fields.Date.context_today(self.company)
        self.bank_journal = self.company_data["default_journal_bank"]
        self.bank = self.bank_journal.default_account_id
        self.fees = self.company_data["default_account_expense"]
        (self.cb | self.amex).fee_account_id = self.fees
        self.items = self.env["card.open.item"]

    def entry(self, *lines, day=None, contract=None, **values):
        """Post an entry of (account, signed amount)."""
        move = self.env["account.move"].create({
            "move_type": "entry", "journal_id": self.bank_journal.id, "date": day or self.today,
            "line_ids": [
                Command.create({"account_id": account.id, "balance": amount, "name": "x", **values})
                for account, amount in lines
            ],
        })  # fmt: skip
        move.action_post()
        move._write_guarded({"card_contract_id": contract and contract.id})
        return move

    def waits(self, amount, days=0, account=None):
        """Book money that waits since so many days; return its journal item."""
        account = account or self.cb_account
        move = self.entry((account, amount), (self.bank, -amount), day=self.today - timedelta(days=days))
        return move.line_ids.filtered(lambda line: line.account_id == account)

    def open_at(self, day, account=None):
        """Return [(journal item, what was open)] in cents."""
        found = self.items._as_of(day).search([("account_id", "=", (account or self.cb_account).id)])
        return {item.line_id: round(item.open_amount * 100) for item in found}

    def ledger_at(self, day, account=None):
        lines = self.env["account.move.line"].search([
            ("account_id", "=", (account or self.cb_account).id), ("parent_state", "=", "posted"), ("date", "<=", day),
        ])  # fmt: skip
        return sum(round(line.balance * 100) for line in lines)


@tagged("post_install", "-at_install")
class TestOpenItems(MoneyCase):
    def test_a_session_paid_tomorrow_in_two_parts(self):
        self.book(120.0, "CB")
        self.book(60.0, "CB contactless")
        self.close()
        (booked,) = self.open_at(self.today)
        self.assertEqual(self.open_at(self.today), {booked: 18000})
        for day, amount in ((1, -100.0), (3, -80.0)):
            (booked | self.waits(amount, -day)).reconcile()
        self.assertEqual(self.open_at(self.today), {booked: 18000}, "what is paid later was open")
        self.assertEqual(self.open_at(self.today + timedelta(days=1)), {booked: 8000})
        self.assertEqual(self.open_at(self.today + timedelta(days=2)), {booked: 8000})
        self.assertEqual(self.open_at(self.today + timedelta(days=3)), {})
        self.assertEqual(booked.amount_residual, 0.0)

    def test_every_day_equals_the_ledger(self):
        """Items and partial matches over three weeks, some matched before one side is booked."""
        debits = [self.waits(10.0 * number + 0.07, 21 - number) for number in range(1, 9)]
        credits_ = [self.waits(-15.0 * number - 0.01, 18 - 2 * number) for number in range(1, 6)]
        for debit, credit in zip(debits, credits_, strict=False):
            (debit | credit).reconcile()
        for first, second in pairwise(debits[5:]):
            (first | second | credits_[-1]).filtered(lambda line: not line.reconciled).reconcile()
        for back in range(-12, 23):
            day = self.today - timedelta(days=back)
            with self.subTest(back):
                self.assertEqual(sum(self.open_at(day).values()), self.ledger_at(day))
        last = {line: round(line.amount_residual * 100) for line in self.open_at(self.today + timedelta(days=30))}
        self.assertEqual(self.open_at(self.today + timedelta(days=30)), last, "without a later match: the residual")

    def test_in_another_currency(self):
        values = {"currency_id": self.other_currency.id}
        move = self.env["account.move"].create({
            "move_type": "entry", "journal_id": self.bank_journal.id, "date": self.today,
            "line_ids": [
                Command.create({"account_id": account.id, "balance": sign * 10, "amount_currency": sign * 5, **values})
                for account, sign in ((self.cb_account, 1), (self.bank, -1))
            ],
        })  # fmt: skip
        move.action_post()
        (item,) = self.items._as_of(self.today).search([("account_id", "=", self.cb_account.id)])
        self.assertEqual((item.open_amount, item.open_amount_currency), (10.0, 5.0))
        self.assertEqual(item.item_currency_id, self.other_currency)

    def test_age_and_lateness(self):
        self.assertEqual(self.cb.days_max, 4)
        for days in (0, 3, 4, 5, 8, 31):
            self.waits(1.0, days)
        found = self.items._as_of(self.today).search([("account_id", "=", self.cb_account.id)], order="date desc")
        self.assertEqual(
            [(item.days, item.age, item.is_late) for item in found],
            [(0, "0_3", False), (3, "0_3", False), (4, "4_7", False), (5, "4_7", True), (8, "8_30", True),
             (31, "31", True)],
        )  # fmt: skip
        self.assertEqual(found[0].expected_on, self.today + timedelta(days=4))
        self.assertEqual(found.contract_id, self.cb)

    def test_expected_is_less_the_fee_where_it_is_netted(self):
        (self.cb | self.amex).fee_rate = 2.5
        self.book(96.0, "AMEX")
        self.book(100.0, "CB")
        self.close()
        expected = {item.contract_id: item.expected_amount for item in self.items._as_of(self.today).search([])}
        self.assertEqual(expected[self.amex], 93.6)
        self.assertEqual(expected[self.cb], 100.0, "paid in full, charged apart")

    def test_other_accounts_and_companies_are_not_card_money(self):
        self.entry((self.bank, 5.0), (self.fees, -5.0))
        self.assertFalse(self.items._as_of(self.today).search([("account_id", "in", (self.bank | self.fees).ids)]))
        self.waits(7.0)
        other = self.env["res.company"].create({"name": "Other"})
        accountant = new_test_user(
            self.env, "other_accountant", "account.group_account_user", company_id=other.id,
            company_ids=[Command.set(other.ids)],
        )  # fmt: skip
        self.assertFalse(self.items.with_user(accountant).search([]))
        with self.assertRaises(AccessError):
            self.items.with_user(self.cashier).search([])

    def test_the_dialog_of_the_date(self):
        waiting = self.waits(50.0, 10)
        (waiting | self.waits(-50.0, 2)).reconcile()
        for day, count in ((self.today, 0), (self.today - timedelta(days=5), 1)):
            action = self.env["card.open.item.at"].create({"date": day}).action_show()
            items = self.items.with_context(**action["context"])
            self.env.invalidate_all()
            self.assertEqual(items.search_count([("account_id", "=", self.cb_account.id)]), count)


@tagged("post_install", "-at_install")
class TestFees(MoneyCase):
    def fees_of(self, *groupby):
        self.env.flush_all()
        groups = self.env["card.fee.report"]._read_group(
            [("contract_id", "=", self.cb.id)], list(groupby),
            ["turnover:sum", "fee:sum", "fee_rate:avg", "agreed_fee:sum", "agreed_rate:avg"],
        )  # fmt: skip
        return [tuple(round(cell, 4) if isinstance(cell, float) else cell for cell in group) for group in groups]

    def test_a_monthly_debit(self):
        self.cb.fee_rate = 0.5
        self.book(980.0, "CB")
        self.book(270.0, "CB contactless")
        self.close()
        self.entry((self.fees, 8.75), (self.bank, -8.75), contract=self.cb)
        self.assertEqual(self.fees_of(), [(1250.0, 8.75, 0.7, 6.25, 0.5)])
        by_brand = {brand: row for brand, *row in self.fees_of("brand")}
        self.assertEqual(by_brand, {
            "CB": [980.0, 6.86, 0.7, 4.9, 0.5], "CB contactless": [270.0, 1.89, 0.7, 1.35, 0.5],
        })  # fmt: skip

    def test_rates_are_weighed_not_averaged(self):
        self.book(1000.0, "CB")
        self.close()
        last_month = self.today.replace(day=1) - timedelta(days=1)
        self.entry((self.fees, 10.0), (self.bank, -10.0), contract=self.cb)
        payment = self.session.order_ids.payment_ids
        self.env.cr.execute("UPDATE pos_payment SET payment_date = %s WHERE id = %s", [last_month, payment.id])
        self.env.invalidate_all()
        rows = self.env["card.fee.report"].search([("contract_id", "=", self.cb.id)])
        self.assertEqual(
            [(row.turnover, row.fee, row.fee_rate) for row in rows], [(0.0, 10.0, 0.0), (1000.0, 0.0, 0.0)]
        )
        self.assertEqual(self.fees_of()[0][:3], (1000.0, 10.0, 1.0))

    def test_netted_fees_and_shares_to_the_cent(self):
        for brand in ("CB", "CB contactless"):
            self.book(33.3, brand)
        self.close()
        self.entry((self.bank, 66.59), (self.fees, 0.01), (self.cb_account, -66.6))
        shares = sorted(row[2] for row in self.fees_of("brand"))
        self.assertEqual(shares, [0.0, 0.01], "no cent is made or lost")
        self.entry((self.fees, 5.0), (self.bank, -5.0))
        self.assertEqual(self.fees_of()[0][1], 0.01, "another bank fee is not the contract's")


@tagged("post_install", "-at_install")
class TestDashboard(MoneyCase):
    def card(self, contract=None):
        self.env.flush_all()
        self.env.invalidate_all()
        domain = [("contract_id", "=", contract.id if contract else False), ("company_id", "=", self.company.id)]
        (card,) = self.env["card.dashboard"].search(domain)
        return card

    def test_a_contracts_card(self):
        self.amex.fee_rate = 2.5
        self.book(96.0, "AMEX")
        self.close()
        self.waits(30.0, 9, self.amex_account)
        card = self.card(self.amex)
        self.assertEqual((card.open_amount, card.late_amount), (126.0, 30.0))
        self.assertEqual((card.next_amount, card.next_on), (93.6, self.today + timedelta(days=4)))
        (graph,) = json.loads(card.graph)
        self.assertEqual(
            [(bar["value"], bar["type"]) for bar in graph["values"]],
            [(96.0, "future"), (0, "future"), (30.0, "past"), (0, "past")],
        )
        self.assertEqual(card.agreed_rate, 2.5)

    def test_the_companys_card_shows_the_coming_days(self):
        self.waits(180.0)
        self.waits(96.0, 1, self.amex_account)
        self.waits(50.0, 6)
        card = self.card()
        (graph,) = json.loads(card.graph)
        self.assertEqual([bar["value"] for bar in graph["values"]], [50.0, 0, 0, 0, 96.0, 180.0, 0, 0])
        self.assertEqual((card.open_amount, card.late_amount, card.next_amount), (326.0, 50.0, 96.0))

    def test_chargebacks_that_are_kept_are_taken_off_the_next_payouts_of_their_contract(self):
        self.amex.write({"fee_rate": 2.0, "chargeback_account_id": self.fees.id})
        self.waits(100.0, 1, self.amex_account)
        self.waits(200.0, 0, self.amex_account)
        self.waits(50.0)
        for amount, days in ((45.0, 9), (60.0, 0)):
            self.env["card.chargeback"].create({
                "reference": f"Dispute {amount}", "contract_id": self.amex.id, "amount": amount,
                "date": self.today - timedelta(days=days),
            }).action_receive()  # fmt: skip
        card = self.card(self.amex)
        self.assertEqual((card.open_amount, card.late_amount), (195.0, 0.0), "kept is not late")
        self.assertEqual(
            (card.next_amount, card.next_on), (189.0, self.today + timedelta(days=4)),
            "98.00 less 105.00 pays nothing; 196.00 less what is left of it",
        )  # fmt: skip
        (graph,) = json.loads(self.card().graph)
        self.assertEqual([bar["value"] for bar in graph["values"]], [0, 0, 0, 0, 0, 239.0, 0, 0])
        expected = self.items.search([("contract_id", "=", self.amex.id)]).mapped("expected_amount")
        self.assertEqual(sorted(expected), [-60.0, -45.0, 98.0, 196.0], "the fee is of what was sold")

    def test_what_needs_a_person(self):
        self.book(10.0, "CB")
        card = self.card(self.cb)
        self.assertEqual((card.missing_count, card.difference_count), (1, 0), "opened in March, never ended")
        self.assertEqual(self.env["card.batch"].search(card.action_missing()["domain"]), self.batch(self.cb))
        self.cb.missing_hours = 0
        self.assertEqual(self.card(self.cb).missing_count, 0)
        self.end_of_day(("CB", 2, 5500))
        card = self.card(self.cb)
        self.assertEqual((card.missing_count, card.difference_count), (0, 1))
        self.assertEqual(self.env["card.batch"].search(card.action_differences()["domain"]), self.batch(self.cb))
        self.end("o", "l", "unknown")
        self.assertEqual(self.card().exception_count, 1)
        self.assertEqual(self.env["card.exception"].search_count(self.card().action_exceptions()["domain"]), 1)

    def test_where_clicks_lead(self):
        self.waits(30.0, 9)
        self.waits(5.0)
        card = self.card(self.cb)
        late, every = card.action_late_items(), card.action_open_items()
        self.assertEqual(self.items.search_count(late["domain"]), 1)
        self.assertEqual(self.items.search_count(every["domain"]), 2)
        for action in (card.action_expected(), card.action_fees(), card.action_payouts(), late, every):
            self.env[action["res_model"]].search(action["domain"])

    def test_views_open_for_an_accountant_and_nobody_else(self):
        self.book(10.0, "CB")
        accountant = new_test_user(self.env, "dash_accountant", "account.group_account_user")
        for model, views in (
            ("card.dashboard", ("kanban", "search")), ("card.open.item", ("graph", "pivot", "list", "search")),
            ("card.fee.report", ("graph", "pivot", "list", "search")), ("card.batch", ("graph", "pivot")),
            ("card.ledger.export", ("form",)), ("card.open.item.at", ("form",)), ("card.datev.account", ("list",)),
        ):  # fmt: skip
            for view in views:
                self.env[model].with_user(accountant).get_view(view_type=view)
        self.assertTrue(self.env["card.dashboard"].with_user(accountant).search([]).read())
        for user in (self.cashier, new_test_user(self.env, "dash_manager", "point_of_sale.group_pos_manager")):
            with self.assertRaises(AccessError):
                self.env["card.dashboard"].with_user(user).search([])


@tagged("post_install", "-at_install")
class TestDigest(MoneyCase):
    def setUp(self):
        super().setUp()
        self.reader = new_test_user(
            self.env, "digest_reader", "account.group_account_user", email="reader@example.com",
            company_id=self.company.id, company_ids=[Command.set(self.company.ids)],
        )  # fmt: skip
        self.company.write({"card_digest": "daily", "card_digest_user_ids": [Command.set(self.reader.ids)]})

    def run_at(self, moment):
        """Let the cron run; return the mails it made."""
        before = self.env["mail.mail"].search([])
        with patch.object(fields.Datetime, "now", lambda: moment):
            self.env["res.company"]._cron_card_digest()
        return self.env["mail.mail"].search([]) - before

    def test_what_needs_a_person_is_mailed_once_a_day(self):
        self.waits(30.0, 9)
        self.end("o", "l", "unknown")
        noon = datetime.combine(self.today, datetime.min.time()) + timedelta(hours=12)
        (mail,) = self.run_at(noon)
        self.assertEqual(mail.email_to, self.reader.email_formatted)
        self.assertIn(self.company.name, mail.subject)
        body = mail.body_html.replace("\xa0", " ")
        for words in ("Late money: CB", "30.00", "Result not known", "Exceptions"):
            self.assertIn(words, body)
        self.assertNotIn("Batches whose totals differ", body, "none does")
        self.assertFalse(self.run_at(noon + timedelta(hours=2)))
        self.assertTrue(self.run_at(noon + timedelta(days=1)))

    def test_nothing_is_mailed_where_nothing_needs_anybody(self):
        self.assertFalse(self.run_at(datetime.combine(self.today, datetime.min.time()) + timedelta(hours=12)))

    def test_not_at_night_not_never_and_each_week(self):
        self.waits(30.0, 9)
        night = datetime.combine(self.today, datetime.min.time())
        self.assertFalse(self.run_at(night))
        self.company.card_digest = "weekly"
        noon = night + timedelta(hours=12)
        self.assertTrue(self.run_at(noon))
        self.assertFalse(self.run_at(noon + timedelta(days=6)))
        self.assertTrue(self.run_at(noon + timedelta(days=7)))
        self.company.write({"card_digest": "never", "card_digest_sent_on": False})
        self.assertFalse(self.run_at(noon))

    def test_only_to_who_may_read_it(self):
        self.waits(30.0, 9)
        stranger = new_test_user(self.env, "digest_stranger", "base.group_user", email="s@example.com")
        self.company.card_digest_user_ids |= stranger | self.cashier
        self.assertEqual(self.company._card_digest_readers(), self.reader)
