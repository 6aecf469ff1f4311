"""Who asked for a decision about card money, who approved it, why, and what came of it.

A wrong PIN is counted in a database transaction of its own: the error that the till is answered with does not undo it.
"""

from datetime import timedelta

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from .res_users import MANAGER
from .scrubbed import ScrubbedText

WRONG_TRIES = 5
LOCKED_FOR = timedelta(minutes=15)
#: First key of the advisory lock under which the tries of one manager are counted.
LOCK_KEY = 0x43415244


class CardApproval(models.Model):
    _name = "card.approval"
    _description = "Decision about Card Money"
    _order = "id desc"
    _rec_name = "action"

    at = fields.Datetime("When", required=True, readonly=True, default=fields.Datetime.now)
    action = fields.Selection(selection="_selection_action", required=True, readonly=True)
    result = fields.Selection(
        [
            ("done", "Done"),
            ("pin_accepted", "PIN accepted"),
            ("pin_wrong", "Wrong PIN"),
            ("locked", "Locked"),
            ("not_allowed", "Not allowed"),
        ],
        required=True,
        readonly=True,
        index=True,
    )
    asked_by = fields.Many2one("res.users", required=True, readonly=True)
    approver_id = fields.Many2one("res.users", "Decided by", readonly=True, index="btree_not_null")
    reason = ScrubbedText(readonly=True)
    text = ScrubbedText("What Was Done", readonly=True)
    amount = fields.Monetary(readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    session_id = fields.Many2one("pos.session", readonly=True, ondelete="restrict")
    transaction_uuid = fields.Char("Transaction ID", readonly=True)
    order_uuid = fields.Char(readonly=True)
    payment_uuid = fields.Char("Payment Line", readonly=True)
    transaction_id = fields.Many2one("card.transaction", readonly=True, ondelete="restrict", index="btree_not_null")
    payment_id = fields.Many2one("pos.payment", readonly=True, ondelete="set null", index="btree_not_null")
    move_id = fields.Many2one("account.move", "Journal Entry", readonly=True, ondelete="restrict")

    @api.model
    def _selection_action(self):
        return [(name, label) for name, label in self.env["card.decision.mixin"]._action_labels().items()]

    def write(self, vals):
        if vals:
            raise UserError(self.env._("What was decided about card money is kept as it is."))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("What was decided about card money is never deleted."))

    @api.model
    def _approver(self, session, request):
        """Return the manager who approves a till's request; raise `UserError` where nobody does.

        Several people share a login where the till has employees: then a manager's login alone proves nothing.
        """
        shared = session.config_id.module_pos_hr
        if not request.get("manager") and not shared and self.env.user.has_group(MANAGER):
            return self.env.user
        self._verify_pin(session, request)
        return self.env["res.users"].browse(request["manager"])

    def _verify_pin(self, session, request):
        """Check the PIN in a database transaction of its own; every try is kept."""
        asked = {
            "action": request["action"],
            "asked_by": self.env.uid,
            "company_id": session.company_id.id,
            "session_id": session.id,
            "reason": str(request.get("reason") or "")[:2000],
            "transaction_uuid": str(request.get("uuid") or "")[:64],
            "order_uuid": str(request.get("order") or "")[:64],
            "payment_uuid": str(request.get("line") or "")[:64],
        }
        with self.env.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {"lang": self.env.lang, "tz": self.env.user.tz})
            refusal = env["card.approval"]._try(asked, request.get("manager"), request.get("pin"))
        if refusal:
            raise UserError(refusal)

    @api.model
    def _try(self, asked, manager, pin):
        """Keep one try and return why it is refused, or None."""
        company = self.env["res.company"].browse(asked["company_id"])
        known = type(manager) is int and self.env["res.users"].browse(manager).exists()
        approver = known and known._can_approve_cards(company)
        if not approver or not approver.card_approval_pin_set:
            self.create({**asked, "result": "not_allowed", "approver_id": known.id if known else False})
            return self.env._("A Point of Sale administrator who has a PIN for card approvals must decide this.")
        # One try at a time: tries side by side must not share one count.
        self.env.execute_query(SQL("SELECT pg_advisory_xact_lock(%s, %s)", LOCK_KEY, approver.id))
        wrong = self._wrong_tries(approver)
        if len(wrong) >= WRONG_TRIES:
            self.create({**asked, "result": "locked", "approver_id": approver.id})
            return self._locked_text(approver, wrong)
        right = approver._card_pin_is(pin)
        self.create({**asked, "result": "pin_accepted" if right else "pin_wrong", "approver_id": approver.id})
        if right:
            return None
        left = WRONG_TRIES - len(wrong) - 1
        if left:
            return self.env._("Wrong PIN. %s more tries, then it is locked for 15 minutes.", left)
        self.env["card.notice"]._raise_notice(
            "approval_locked",
            approver.with_company(company),
            self.env._("The card approval PIN of %s was typed wrong five times.", approver.name),
            "danger",
        )
        return self._locked_text(approver, self._wrong_tries(approver))

    def _wrong_tries(self, approver):
        """Return the wrong tries that count: of the last minutes, since the last right one."""
        domain = [("approver_id", "=", approver.id), ("at", ">", fields.Datetime.now() - LOCKED_FOR)]
        right = self.search([*domain, ("result", "=", "pin_accepted")], limit=1)
        return self.search([*domain, ("result", "=", "pin_wrong"), ("id", ">", right.id or 0)])

    def _locked_text(self, approver, wrong):
        until = fields.Datetime.context_timestamp(self, max(wrong.mapped("at")) + LOCKED_FOR)
        return self.env._(
            "Too many wrong PINs: %(name)s cannot approve until %(time)s. Another manager can.",
            name=approver.name,
            time=until.strftime("%H:%M"),
        )

    @api.model
    def _keep(self, record, action, reason, text, **vals):
        """Keep a decision that was carried out; only a manager's word counts, whoever typed it."""
        if not self.env.user.has_group(MANAGER):
            raise AccessError(self.env._("Only a Point of Sale administrator can decide about card money."))
        return self.sudo().create({
            "action": action,
            "result": "done",
            "asked_by": self.env.context.get("card_asked_by") or self.env.uid,
            "approver_id": self.env.uid,
            "reason": reason,
            "text": text,
            "company_id": record.company_id.id,
            "currency_id": record.currency_id.id,
            **vals,
        })  # fmt: skip
