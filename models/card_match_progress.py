"""Looking for payouts and posting them in parts, with a bar that tells how far it is; what is done stays done.

The browser asks for one part after the other (`static/src/backend/card_progress`), each a transaction of its own. What
it leaves when its page is closed, a cron goes on with.
"""

from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

#: Payouts of one part: a killed run has lost at most the part it was in.
IN_BACKGROUND, IN_DIALOG = 200, 50
#: By then a page that shows a bar is through, or was closed.
WAIT = timedelta(minutes=10)


class CardMatch(models.Model):
    _inherit = "card.match"

    def action_find(self):  # not api.model: a list's button hands it ids
        """Look for payouts of the company's contracts anew; what was accepted or posted stays."""
        self._check_accountant()
        contracts = self.env["card.contract"].search(
            [("company_id", "in", self.env.companies.ids), ("bank_journal_id", "!=", False)]
        )
        shown = self.env["ir.actions.act_window"]._for_xml_id("pos_card_terminal.action_card_match")
        parts = [of_journal.ids for of_journal in contracts.grouped("bank_journal_id").values()]
        if len(parts) > 1:
            return self._in_parts(
                self.env._("Looking for payouts"),
                parts,
                shown,
                model="card.contract",
                method="find_some",
                closed=self.env._("Bank accounts that are left when this is closed are looked at in the night."),
            )
        self.sudo()._find(contracts)
        return shown

    def action_post(self):
        """Post accepted payouts: a few at once, many in parts."""
        self._check_accountant()
        ready = self.filtered(lambda match: match.state in ("accepted", "queued"))
        if len(ready) <= IN_DIALOG:
            ready._post()
            return None
        ready.sudo().write({"state": "queued", "problem": False})
        self.env.ref("pos_card_terminal.cron_post_matches").sudo()._trigger(fields.Datetime.now() + WAIT)
        ready = ready.sorted(lambda match: (match.date, match.id))
        parts = [ready[place : place + IN_DIALOG].ids for place in range(0, len(ready), IN_DIALOG)]
        shown = {"type": "ir.actions.client", "tag": "soft_reload"}
        return self._in_parts(
            self.env._("Posting payouts"),
            parts,
            shown,
            model="card.match",
            method="post_some",
            stop="action_stop_posting",
            done=self.env._("Payouts posted: %s"),
            closed=self.env._("What is left when this is closed is posted in the background, within ten minutes."),
        )

    def _in_parts(self, name, parts, shown, **params):
        """Return the dialog that does `parts` one after the other and then shows something: see `card_progress.js`."""
        return {
            "type": "ir.actions.client",
            "tag": "card_progress",
            "target": "new",
            "name": name,
            "context": {"dialog_size": "medium"},
            "params": {"parts": parts, "next": shown, **params},
        }

    def post_some(self):
        """Post those of these payouts that wait; return how many could not be posted."""
        self._check_accountant()
        return {"refused": len(self._post_waiting())}

    def action_stop_posting(self):
        """Take payouts that wait to be posted back to accepted."""
        self._check_accountant()
        self.filtered(lambda match: match.state == "queued").sudo().write({"state": "accepted"})

    @api.model
    def _cron_post(self):
        """Post what waits, in parts (cron). What was done when it is killed stays done."""
        waiting = self.search([("state", "=", "queued")], order="date, id")
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(waiting))
        while waiting:
            part, waiting = waiting[:IN_BACKGROUND], waiting[IN_BACKGROUND:]
            part._post_waiting()
            if not cron._commit_progress(len(part)):
                return
            self.env.invalidate_all()

    def _post_waiting(self):
        """Post those of these payouts that wait and nobody else is posting; return those that could not be posted."""
        mine = self.sudo().try_lock_for_update(allow_referencing=True)
        part = mine.filtered(lambda match: match.state == "queued")
        try:
            with self.env.cr.savepoint():
                part._post()
        except UserError:
            for match in part:  # one of them cannot be posted: the others are not to wait for it
                match._post_or_tell()
        return part.filtered("problem")

    def _post_or_tell(self):
        try:
            with self.env.cr.savepoint():
                self._post()
        except UserError as error:
            self.invalidate_recordset()
            self.write({"state": "accepted", "problem": str(error)})


class CardContract(models.Model):
    _inherit = "card.contract"

    def find_some(self):
        """Look for payouts of these contracts, which are paid on one bank account."""
        matches = self.env["card.match"]
        matches._check_accountant()
        self.check_access("read")
        matches.sudo()._find(self)
        return {"refused": 0}
