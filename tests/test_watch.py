"""Terminals that say they are another one, and rules over card transactions: each raises its notice, and only then."""

import uuid
from datetime import datetime
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..models.card_watch_rule import KINDS
from .common import CardTerminalCase


class WatchCase(CardTerminalCase):
    def setUp(self):
        super().setUp()
        self.open()
        self.manager = new_test_user(
            self.env, "watch_manager", "base.group_user,point_of_sale.group_pos_manager",
            company_id=self.company.id, company_ids=[(6, 0, self.company.ids)],
        )  # fmt: skip

    def notices(self, code):
        return self.env["card.notice"].search([("code", "=", code)])


@tagged("post_install", "-at_install")
class TestIdentity(WatchCase):
    REAL = {"serial": "12345", "terminal_id": "00112233", "contract CB": "424242"}

    def say(self, **identity):
        self.journal.add("identity", "", terminal=self.terminal.uuid, identity=identity, before=None)
        self.report()

    def changed(self):
        return self.notices("identity_changed")

    def test_the_first_word_is_pinned_and_more_of_it_learned(self):
        self.say(**self.REAL)
        self.assertEqual(self.terminal.identity, self.REAL)
        self.say(**self.REAL, **{"contract AMEX": "777"})
        self.assertEqual(self.terminal.identity["contract AMEX"], "777")
        self.assertFalse(self.changed())
        self.assertFalse(self.terminal.identity_difference)

    def test_another_terminal_is_told_with_before_and_after(self):
        self.say(**self.REAL)
        self.say(**{**self.REAL, "serial": "99999"})
        notice = self.changed()
        self.assertEqual((notice.state, notice.level, notice.res_id), ("open", "danger", self.terminal.id))
        self.assertIn("12345", notice.text)
        self.assertIn("99999", notice.text)
        self.assertEqual(self.terminal.identity, self.REAL, "stays pinned until somebody says it is right")
        self.say(**{**self.REAL, "serial": "99999", "terminal_id": "4"})
        self.assertEqual(len(self.changed()), 1)

    def test_a_manager_says_it_is_right(self):
        self.say(**self.REAL)
        self.say(**{**self.REAL, "serial": "99999"})
        number = self.driver.configuration_number
        with self.assertRaises(AccessError):
            self.terminal.with_user(self.cashier).action_accept_identity()
        self.changed().with_user(self.manager).action_accept_identity()
        self.assertEqual(self.terminal.identity["serial"], "99999")
        notice = self.changed()
        self.assertEqual((notice.state, notice.done_by), ("done", self.manager))
        self.assertGreater(self.driver.configuration_number, number, "the driver hears of it")
        with self.assertRaises(UserError):
            self.terminal.with_user(self.manager).action_accept_identity()

    def test_the_old_one_comes_back(self):
        self.say(**self.REAL)
        self.say(**{**self.REAL, "serial": "99999"})
        self.say(**self.REAL)
        self.assertEqual(self.changed().state, "done")
        self.assertEqual(self.terminal.identity, self.REAL)

    def test_a_program_in_the_place_of_a_terminal(self):
        self.say(**self.REAL)
        self.say(**self.REAL, virtual="yes")
        self.assertEqual(self.changed().state, "open")
        self.assertNotIn("virtual", self.terminal.identity)

    def test_the_driver_is_told_who_it_should_be(self):
        self.say(**self.REAL)
        self.terminal.exclusive = True
        told = self.terminal._configuration()
        self.assertEqual((told["identity"], told["exclusive"]), (self.REAL, True))
        self.assertNotIn("identity", self.spare._configuration())

    def test_words_about_a_terminal_of_nobody_change_nothing(self):
        self.journal.add("identity", "", terminal="elsewhere", identity={"serial": "1"}, before=None)
        self.journal.add("identity", "", terminal=self.terminal.uuid, identity="rubbish", before=None)
        self.report()
        self.assertFalse(self.terminal.identity)


@tagged("post_install", "-at_install")
class TestRules(WatchCase):
    def setUp(self):
        super().setUp()
        self.env["card.watch.rule"].search([]).active = False
        self.env.cr.execute("UPDATE pos_session SET start_at = '2026-01-01'")
        self.env.invalidate_all()

    def rule(self, kind, **thresholds):
        return self.env["card.watch.rule"].create({"kind": kind, **thresholds})

    def give_back(self, amount=1000, original=None, **changes):
        asked = self.ask(
            str(uuid.uuid4()),
            str(uuid.uuid4()),
            amount,
            kind="refund",
            original=original and {"uuid": original},
            **changes,
        )
        self.approve(asked, amount)
        self.report()
        return self.transaction(asked)

    def buy(self, amount=1000, **changes):
        asked = self.ask(str(uuid.uuid4()), str(uuid.uuid4()), amount)
        self.approve(asked, amount, **changes)
        self.report()
        return self.transaction(asked)

    def decline(self):
        return self.end(str(uuid.uuid4()), str(uuid.uuid4()), "declined")

    def raised(self, kind):
        return self.notices(f"watch_{kind}")

    def test_refund_over(self):
        self.rule("refund_over", amount=10)
        self.give_back(1000, str(uuid.uuid4()))
        self.buy(5000)
        self.assertFalse(self.raised("refund_over"))
        refund = self.give_back(1001, str(uuid.uuid4()))
        self.assertEqual(self.raised("refund_over").res_id, refund.id)

    def test_refunds_a_day(self):
        self.rule("refunds_a_day", count=2)
        self.give_back()
        self.give_back()
        self.give_back(operator="Somebody else")
        self.assertFalse(self.raised("refunds_a_day"))
        self.give_back()
        self.assertEqual(self.raised("refunds_a_day").res_id, self.pos_session.id)
        self.give_back()
        self.assertEqual(len(self.raised("refunds_a_day")), 1)

    def test_refund_without_sale(self):
        self.rule("refund_without_sale")
        self.give_back(original=self.buy().uuid)
        self.assertFalse(self.raised("refund_without_sale"))
        self.assertEqual(self.give_back().id, self.raised("refund_without_sale").res_id)

    def test_card_again(self):
        self.rule("card_again", count=3, minutes=60)
        self.buy()
        self.buy()
        self.buy(last4="0000")
        self.buy(brand="VISA")
        self.assertFalse(self.raised("card_again"))
        self.buy()
        self.assertEqual(self.raised("card_again").res_id, self.config.id)

    def test_card_again_after_the_time(self):
        self.rule("card_again", count=2, minutes=60)
        self.buy()
        self.env.cr.execute("UPDATE card_transaction SET requested_at = requested_at - interval '2 hours'")
        self.env.invalidate_all()
        self.buy()
        self.assertFalse(self.raised("card_again"))

    def test_after_hours(self):
        """Events are of 12:00 UTC: 13:00 in Paris."""
        rule = self.rule("after_hours", hour_from=9, hour_to=14, tz="Europe/Paris")
        self.buy()
        rule.write({"hour_from": 18, "hour_to": 14})  # past midnight
        self.buy()
        self.assertFalse(self.raised("after_hours"))
        rule.write({"hour_from": 9, "hour_to": 13})
        self.assertEqual(self.buy().id, self.raised("after_hours").res_id)

    def test_outside_session(self):
        self.rule("outside_session")
        self.buy()
        self.assertFalse(self.raised("outside_session"))
        self.env.cr.execute("UPDATE pos_session SET start_at = '2026-03-02'")
        self.env.invalidate_all()
        self.assertEqual(self.buy().id, self.raised("outside_session").res_id)

    def test_declines_in_row(self):
        self.rule("declines_in_row", count=3)
        self.decline()
        self.decline()
        self.buy()
        self.decline()
        self.decline()
        self.assertFalse(self.raised("declines_in_row"))
        self.decline()
        self.assertEqual(self.raised("declines_in_row").res_id, self.terminal.id)

    def test_every_kind_is_tested(self):
        self.assertLessEqual({f"test_{kind}" for kind in KINDS}, set(dir(self)))

    def test_only_where_it_applies(self):
        company = self.env["res.company"].create({"name": "Other"})
        self.rule("refund_without_sale", company_id=company.id)
        self.rule("refund_without_sale", config_ids=[(6, 0, self.other_currency_config.ids)])
        self.give_back()
        self.assertFalse(self.raised("refund_without_sale"))

    def test_a_rule_that_fails_keeps_no_event_out(self):
        self.rule("refund_without_sale")
        broken = KINDS["refund_without_sale"]._replace(judge=lambda rule, transaction: 1 / 0)
        with (
            patch.dict(KINDS, {"refund_without_sale": broken}),
            mute_logger("odoo.addons.pos_card_terminal.models.card_watch_rule"),
        ):
            refund = self.give_back()
        self.assertEqual(refund.state, "approved")

    def test_thresholds_make_sense(self):
        for kind, values in {
            "refunds_a_day": {"count": 0},
            "card_again": {"minutes": 0},
            "refund_over": {"amount": -1},
        }.items():
            with self.assertRaises(ValidationError):
                self.rule(kind, **values)

    def test_rules_come_with_the_addon_and_are_for_managers(self):
        shipped = self.env["card.watch.rule"].with_context(active_test=False).search([])
        self.assertEqual(set(shipped.mapped("kind")), set(KINDS))
        shipped.with_user(self.manager).write({"level": "info"})
        with self.assertRaises(AccessError):
            shipped.with_user(self.cashier).write({"active": True})
        self.env["card.watch.rule"].with_user(self.manager).get_view(view_type="list")
        self.assertIsInstance(shipped[0].create_date, datetime)
