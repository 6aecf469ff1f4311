"""A result that stays unknown is told to managers, once, and withdrawn when it is known."""

import uuid
from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from .common import CardTerminalCase

NOTICE = [("code", "=", "unknown_too_long")]


@tagged("post_install", "-at_install")
class TestUnknown(CardTerminalCase):
    def tell(self):
        self.env["card.transaction"]._cron_tell_of_unknown()
        return self.env["card.notice"].search(NOTICE)

    def aged(self, transaction, minutes):
        transaction.flush_recordset()
        requested_at = fields.Datetime.now() - timedelta(minutes=minutes)
        self.env.cr.execute(
            "UPDATE card_transaction SET requested_at = %s WHERE id = %s", [requested_at, transaction.id]
        )
        transaction.invalidate_recordset()

    def lost(self):
        return self.end(str(uuid.uuid4()), str(uuid.uuid4()), "unknown")

    def test_an_old_unknown_is_told_once_until_it_is_known(self):
        self.open()
        fresh, old = self.lost(), self.lost()
        self.aged(fresh, 1)
        self.aged(old, 29)
        self.assertFalse(self.tell())
        self.aged(old, 31)
        notice = self.tell()
        self.assertEqual((notice.res_model, notice.res_id, notice.level), ("card.transaction", old.id, "danger"))
        self.assertEqual((self.tell(), notice.raised_count), (notice, 1))
        self.journal.add("declined", old.uuid, state="declined", code="declined", text="Declined")
        self.report()
        self.tell()
        self.assertEqual(notice.state, "done")
        self.env["ir.config_parameter"].set_param("pos_card_terminal.unknown_minutes", "5")
        self.aged(fresh, 6)
        self.assertEqual((self.tell() - notice).res_id, fresh.id)
