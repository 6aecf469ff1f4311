"""Notices: raised once while open, settled by a manager, told in the way the company has chosen."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from psycopg2.errors import UniqueViolation

from .common import CardTerminalCase


@tagged("post_install", "-at_install")
class TestNotice(CardTerminalCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        company = {"company_id": cls.company.id, "company_ids": [(6, 0, cls.company.ids)]}
        groups = "base.group_user,point_of_sale.group_pos_manager"
        cls.manager = new_test_user(cls.env, "notice_manager", groups, email="manager@example.com", **company)

    def notice(self, record=None, text="Look at it", **changes):
        record = self.terminal if record is None else record
        return self.env["card.notice"]._raise_notice("test", record, text, **changes)

    def end(self, notice, user=None, reason="Looked at it"):
        wizard = self.env["card.notice.done"].with_user(user or self.manager)
        wizard.create({"notice_ids": [(6, 0, notice.ids)], "reason": reason}).action_done()

    def test_once_while_open(self):
        first = self.notice(text="Before")
        again = self.notice(text="After")
        self.assertEqual(again, first)
        self.assertEqual((first.raised_count, first.text, first.state), (2, "After", "open"))
        first.with_user(self.manager).action_seen()
        self.assertEqual(self.notice(), first)
        self.assertEqual(first.state, "seen")
        self.end(first)
        later = self.notice()
        self.assertNotEqual(later, first)
        self.assertEqual((later.state, later.raised_count, first.state), ("open", 1, "done"))

    def test_each_record_code_and_company_has_its_own(self):
        other = self.env["res.company"].create({"name": "Other"})
        notices = [
            self.notice(),
            self.notice(self.spare),
            self.notice(self.env["card.terminal"]),
            self.env["card.notice"].with_company(other)._raise_notice("test", self.env["card.terminal"], "x"),
            self.env["card.notice"]._raise_notice("other", self.terminal, "x"),
        ]
        self.assertEqual(len({notice.id for notice in notices}), 5)
        self.assertEqual(notices[0].company_id, self.company)
        self.assertEqual(notices[3].company_id, other)

    def test_the_database_keeps_it_single(self):
        notice = self.notice()
        with self.assertRaises(UniqueViolation), self.env.cr.savepoint(), self.assertLogs("odoo.sql_db", "ERROR"):
            notice.copy()

    def test_who_when_why(self):
        notice = self.notice()
        with self.assertRaises(UserError):
            self.end(notice, reason="  ")
        self.assertEqual(notice.state, "open")
        notice.with_user(self.manager).action_seen()
        self.assertEqual((notice.seen_by, bool(notice.seen_at)), (self.manager, True))
        self.end(notice, reason="Terminal replaced by the bank")
        self.assertEqual((notice.done_by, notice.reason), (self.manager, "Terminal replaced by the bank"))
        self.assertTrue(notice.done_at)
        with self.assertRaises(UserError):
            notice.unlink()

    def test_withdrawn_when_it_is_over(self):
        notice, other = self.notice(), self.notice(self.spare)
        self.env["card.notice"]._withdraw_notice("test", self.terminal, "Answered again")
        self.assertEqual((notice.state, notice.reason, notice.done_by.id), ("done", "Answered again", False))
        self.assertEqual(other.state, "open")

    def test_rights(self):
        notice = self.notice()
        for call in (
            lambda record: record.read(["text"]),
            lambda record: record.action_seen(),
            lambda record: record.action_done(),
            lambda record: record._done("x"),
        ):
            with self.assertRaises(AccessError):
                call(notice.with_user(self.cashier))
        for call in (
            lambda record: record.write({"state": "done"}),
            lambda record: record.create({"code": "x", "text": "x", "company_id": self.company.id}),
            lambda record: record.unlink(),
        ):
            with self.assertRaises(AccessError):
                call(notice.with_user(self.manager))
        other = self.env["res.company"].create({"name": "Other"})
        groups = "base.group_user,point_of_sale.group_pos_manager"
        stranger = new_test_user(
            self.env, "notice_stranger", groups, company_id=other.id, company_ids=[(6, 0, other.ids)]
        )
        self.assertFalse(self.env["card.notice"].with_user(stranger).search([("id", "=", notice.id)]))
        with self.assertRaises(AccessError):
            notice.with_user(stranger)._done("x")
        self.assertEqual(notice.state, "open")

    def test_told_by_activity(self):
        self.company.write({"card_notice_way": "activity", "card_notice_user_ids": [(6, 0, self.manager.ids)]})
        notice = self.notice(text="<b>Odd</b>\nmore")
        self.assertEqual(notice.activity_ids.user_id, self.manager)
        self.assertEqual(notice.activity_ids.summary, "<b>Odd</b>")
        self.notice()
        self.assertEqual(len(notice.activity_ids), 1)
        self.end(notice)
        self.assertFalse(notice.activity_ids)

    def test_told_by_mail(self):
        self.company.write({"card_notice_way": "email", "card_notice_user_ids": [(6, 0, self.manager.ids)]})
        self.notice(text="<img src=x onerror=alert(1)>\nmore")
        mail = self.env["mail.mail"].search([("email_to", "like", "manager@example.com")])
        self.assertEqual(len(mail), 1)
        self.assertNotIn("<img", mail.body_html)
        self.assertIn("&lt;img", mail.body_html)

    def test_told_in_the_list_alone(self):
        self.company.card_notice_way = "list"
        before = self.env["mail.mail"].search_count([])
        notice = self.notice()
        self.assertFalse(notice.activity_ids)
        self.assertEqual(self.env["mail.mail"].search_count([]), before)

    def test_everybody_where_nobody_is_named(self):
        self.company.card_notice_user_ids = False
        told = self.company._card_notice_managers()
        self.assertIn(self.manager, told)
        self.assertNotIn(self.cashier, told)
        self.company.card_notice_user_ids = self.cashier  # no administrator (any more): the others are told
        self.assertIn(self.manager, self.company._card_notice_managers())
        self.assertNotIn(self.cashier, self.company._card_notice_managers())

    def test_views_open(self):
        self.notice()
        for view_type in ("list", "form", "search"):
            self.env["card.notice"].with_user(self.manager).get_view(view_type=view_type)
        self.env["card.notice.done"].with_user(self.manager).get_view(view_type="form")
        self.env["res.config.settings"].get_view(view_type="form")
        self.assertEqual(self.notice().with_user(self.manager).action_open_record()["res_id"], self.terminal.id)
