"""What a till asks Odoo to allow over an approved payment, and what the driver then reports of it."""

import uuid
from contextlib import contextmanager

from odoo.exceptions import UserError

from .common import CardTerminalCase


class GrantCase(CardTerminalCase):
    """`asked`: what a request says beside its terminal and its place, unless told otherwise."""

    asked = {}

    def grant(self, user=None, **changes):
        return self.pos_session.with_user(user or self.cashier).card_terminal_refund_grant({
            "uuid": str(uuid.uuid4()), "currency": self.currency_name, "terminal": self.terminal.uuid,
            "order": str(uuid.uuid4()), "line": str(uuid.uuid4()), **self.asked, **changes,
        })  # fmt: skip

    def assertRefused(self, words, **changes):
        with self.assertRaisesRegex(UserError, words), self.env.cr.savepoint():
            self.grant(**changes)

    def report_end(self, transaction, state, amount):
        """Let the driver report how what was asked of a terminal ended; "sent": it has not."""
        if state == "approved":
            self.approve(transaction, amount)
        elif state != "sent":
            self.journal.add(state, transaction, state=state, code=state)
        self.report()

    @contextmanager
    def undone(self):
        """What happens inside never was, in the driver's journal either."""
        journal, self.journal = self.journal, self.journal.snapshot()
        with self.env.cr.savepoint() as savepoint:
            yield
            savepoint.rollback()
        self.env.invalidate_all()
        self.journal = journal
