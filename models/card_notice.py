"""Notices: what a person should look at, each once, with who looked at it, when, and what came of it."""

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import mail, mute_logger
from psycopg2.errors import UniqueViolation

from .scrubbed import ScrubbedText

MANAGER = "point_of_sale.group_pos_manager"


class CardNotice(models.Model):
    _name = "card.notice"
    _description = "Card Terminal Notice"
    _inherit = ["mail.thread", "mail.activity.mixin", "card.export.mixin"]
    _order = "state, id desc"
    _rec_name = "text"
    _mail_post_access = "read"

    code = fields.Char(required=True, readonly=True, index=True, help="What kind of notice it is.")
    level = fields.Selection(
        [("info", "For information"), ("warning", "Warning"), ("danger", "Act now")],
        required=True,
        readonly=True,
        default="warning",
    )
    text = ScrubbedText(required=True, readonly=True)
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    res_model = fields.Char("Model", readonly=True)
    res_id = fields.Many2oneReference("Record", model_field="res_model", readonly=True)
    record_name = fields.Char("About", readonly=True)
    state = fields.Selection(
        [("open", "Open"), ("seen", "Seen"), ("done", "Done")],
        required=True,
        readonly=True,
        default="open",
        index=True,
    )
    raised_count = fields.Integer("Times Raised", readonly=True, default=1, help="How often it was raised while open.")
    raised_at = fields.Datetime("Last Raised", readonly=True, default=fields.Datetime.now)
    seen_by = fields.Many2one("res.users", readonly=True)
    seen_at = fields.Datetime(readonly=True)
    done_by = fields.Many2one("res.users", readonly=True)
    done_at = fields.Datetime(readonly=True)
    reason = ScrubbedText("What Came of It", readonly=True)

    _one_open = models.UniqueIndex(
        "(code, company_id, COALESCE(res_model, ''), COALESCE(res_id, 0)) WHERE state != 'done'",
        "There is an open notice of this kind about this record.",
    )

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("Notices are never deleted."))

    # Raising ----------------------------------------------------------------------------------------------------------

    @api.model
    def _raise_notice(self, code, record, text, level="warning"):
        """Raise a notice about a record (or none: an empty recordset), once while it is open; return it.

        Raised again while open it counts, keeps its state and takes the newer text.
        """
        company = record.company_id if "company_id" in record._fields and record.company_id else self.env.company
        about = {"res_model": record._name, "res_id": record.id} if record else {"res_model": False, "res_id": False}
        notices = self.sudo()
        known = notices._open_one(code, about, company)
        if known:
            known.write({"raised_count": known.raised_count + 1, "raised_at": fields.Datetime.now(), "text": text})
            return known
        vals = {"code": code, "level": level, "text": text, "company_id": company.id, **about}
        try:
            with mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                notice = notices.create({**vals, "record_name": record.display_name if record else False})
        except UniqueViolation:  # raised at the same moment by another worker
            return notices._open_one(code, about, company)
        notice._tell_managers()
        return notice

    @api.model
    def _withdraw_notice(self, code, record, reason):
        """End the open notices of this kind about these records: what they told of is over by itself."""
        self.sudo()._open_about(code, record)._end(reason)

    @api.model
    def _open_about(self, code, records):
        """Return the open notices of this kind about these records."""
        return self.search(
            [
                ("code", "=", code),
                ("res_model", "=", records._name),
                ("res_id", "in", records.ids),
                ("state", "!=", "done"),
            ]
        )

    def _open_one(self, code, about, company):
        return self.search([
            ("code", "=", code), ("company_id", "=", company.id), ("state", "!=", "done"),
            ("res_model", "=", about["res_model"]), ("res_id", "=", about["res_id"]),
        ], limit=1)  # fmt: skip

    # Telling ----------------------------------------------------------------------------------------------------------

    def _tell_managers(self):
        """Tell the managers in the way the company has chosen."""
        self.ensure_one()
        company = self.company_id
        managers = company._card_notice_managers() if company.card_notice_way != "list" else self.env["res.users"]
        if company.card_notice_way == "activity":
            for manager in managers:
                self.activity_schedule(
                    "mail.mail_activity_data_todo", summary=self.text.splitlines()[0][:120], user_id=manager.id
                )
        elif company.card_notice_way == "email":
            self._mail_managers(managers)

    def _mail_managers(self, managers):
        subject = self.env._("Card terminals: %s", self.text.splitlines()[0][:120])
        body = mail.plaintext2html("\n".join(filter(None, [self.text, self.record_name, self._address()])))
        self.env["mail.mail"].create([
            {"subject": subject, "body_html": body, "email_to": manager.email_formatted, "auto_delete": True}
            for manager in managers
            if manager.email
        ])  # fmt: skip

    def _address(self):
        return f"{self.get_base_url()}/odoo/card.notice/{self.id}"

    # A person's word --------------------------------------------------------------------------------------------------

    def action_seen(self):
        """Say that somebody is looking after it."""
        self._check_manager()
        self.sudo().filtered(lambda notice: notice.state == "open").write(
            {"state": "seen", "seen_by": self.env.uid, "seen_at": fields.Datetime.now()}
        )

    def action_done(self):
        """Ask what came of it."""
        self._check_manager()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("What Came of It?"),
            "res_model": "card.notice.done",
            "view_mode": "form",
            "target": "new",
            "context": {**self.env.context, "default_notice_ids": self.ids},
        }

    def action_open_record(self):
        """Open what the notice is about."""
        self.ensure_one()
        if not self.res_id or not self.env[self.res_model].browse(self.res_id).exists():
            raise UserError(self.env._("This notice is not about a record that is still there."))
        return {
            "type": "ir.actions.act_window",
            "res_model": self.res_model,
            "res_id": self.res_id,
            "view_mode": "form",
        }

    def _done(self, reason):
        """End these notices by a manager's word."""
        self._check_manager()
        if not reason or not reason.strip():
            raise UserError(self.env._("Write down what came of it: it is kept with the notice."))
        self.sudo()._end(reason.strip(), self.env.user)

    def _end(self, reason, user=None):
        for notice in self.filtered(lambda record: record.state != "done"):
            by = {"done_at": fields.Datetime.now(), "done_by": user.id if user else False}
            notice.write({"state": "done", "reason": reason, **by})
            notice.activity_unlink(["mail.mail_activity_data_todo"])

    def _check_manager(self):
        if not self.env.su and not self.env.user.has_group(MANAGER):
            raise AccessError(self.env._("Only a Point of Sale administrator can settle notices."))
        self.check_access("read")
