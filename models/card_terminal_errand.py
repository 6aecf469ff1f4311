"""What the back office asks of a terminal itself: how it stands, its sums so far, a diagnosis, an initialisation.

The command goes through Odoo's bus, as a till's would; the driver's answer comes back the same way, and is kept on the
terminal until the next one. Nothing of it is journalled: no money of a customer moves.
"""

import uuid
from datetime import UTC, datetime, timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..hw_driver.protocols.states import ENDED, Kind, State
from .card_money import from_minor
from .scrubbed import ScrubbedText

#: Seconds that clocks of Odoo and driver may differ by, for a command from the back office.
RELAYED_SECONDS = 120
ERRANDS = (Kind.IDENTIFY, Kind.TOTALS, Kind.DIAGNOSIS, Kind.INITIALISATION)
#: What makes a terminal take payments again (docs/api.md 1.3).
REMEDIES = (Kind.SETTLEMENT, Kind.DIAGNOSIS, Kind.INITIALISATION)


class CardTerminal(models.Model):
    _inherit = "card.terminal"

    can_identify = fields.Boolean(compute="_compute_can_be_asked")
    can_total = fields.Boolean(compute="_compute_can_be_asked")
    can_diagnose = fields.Boolean(compute="_compute_can_be_asked")
    can_initialise = fields.Boolean(compute="_compute_can_be_asked")
    asked_uuid = fields.Char("Question ID", readonly=True, copy=False, index="btree_not_null")
    asked_kind = fields.Selection([(kind.value, kind.value.capitalize()) for kind in ERRANDS], "Asked", readonly=True)
    asked_at = fields.Datetime(readonly=True, copy=False)
    asked_by = fields.Many2one("res.users", readonly=True, copy=False)
    said = ScrubbedText("It Says", readonly=True, copy=False)
    remedy = fields.Selection(
        [(kind.value, kind.value.capitalize()) for kind in REMEDIES],
        readonly=True,
        copy=False,
        help="What it wants done before it takes payments.",
    )

    @api.depends("kinds")
    def _compute_can_be_asked(self):
        for terminal in self:
            kinds = terminal.kinds or []
            terminal.can_identify = Kind.IDENTIFY in kinds
            terminal.can_total = Kind.TOTALS in kinds
            terminal.can_diagnose = Kind.DIAGNOSIS in kinds
            terminal.can_initialise = Kind.INITIALISATION in kinds

    def action_identify(self):
        """Ask the terminal how it stands."""
        return self._ask(Kind.IDENTIFY)

    def action_totals(self):
        """Ask the terminal for its sums so far; nothing is sent off."""
        return self._ask(Kind.TOTALS)

    def action_diagnose(self):
        """Let the terminal make a diagnosis with its provider."""
        return self._ask(Kind.DIAGNOSIS)

    def action_initialise(self):
        """Let the terminal fetch its settings from its provider."""
        return self._ask(Kind.INITIALISATION)

    def _ask(self, kind):
        self.ensure_one()
        self.check_access("write")
        if kind not in (self.kinds or []):
            raise UserError(self.env._("This terminal cannot do that from the till."))
        asked = str(uuid.uuid4())
        # Before the command leaves: its answer may be here at once.
        self.sudo().write({
            "asked_uuid": asked, "asked_kind": kind.value, "asked_at": fields.Datetime.now(), "asked_by": self.env.uid,
            "said": self.env._("It has not answered yet."),
        })  # fmt: skip
        problem = self._command(kind, asked).get("problem")
        if problem:
            raise UserError(self.env._("%s It can also be asked at the till, in its menu.", problem["detail"]))
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "title": self.env._("%s is asked", self.name),
                "message": self.env._("What it says appears here in a moment, and stands on its form."),
                "type": "info",
            },
        }

    def _command(self, kind, asked):
        """Let the driver ask this terminal for what moves no money, in a session of a till that uses it."""
        session = self.env["pos.session"].search(
            [("config_id", "in", self.config_ids.ids), ("state", "!=", "closed")], limit=1
        )
        if not session:
            raise UserError(self.env._("Open a point of sale that uses %s first.", self.name))
        grant = None
        if kind == Kind.SETTLEMENT:
            request = {"uuid": asked, "terminal": self.uuid}
            grant = self.env["card.terminal.grant"]._give_settlement(session, request)
        latest = datetime.now(UTC) + timedelta(seconds=RELAYED_SECONDS)
        body = {
            "terminal": self.uuid, "kind": kind.value, "amount": 0, "currency": "", "order": "", "line": "",
            "till": session.config_id.name, "session": session.name, "operator": self.env.user.name,
            "not_after": latest.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }  # fmt: skip
        command = {"command": str(uuid.uuid4()), "op": "start", "uuid": asked, "body": body, "grant": grant}
        return self.driver_id._relay(self.driver_id._session_claims(session), command)

    def _hear(self, body):
        """Keep what the terminal said to the last question, and show it to whoever asked."""
        outcome = body.get("outcome") if isinstance(body.get("outcome"), dict) else {}
        details = outcome.get("details") if isinstance(outcome.get("details"), dict) else {}
        words = str(body.get("text") or body.get("detail") or "")[:500]
        said = self._condition_text(details.get("condition")) or words
        remedy = details.get("remedy")
        vals = {
            "said": "\n".join(filter(None, [said, *self._total_sentences(outcome.get("totals"))])),
            "last_seen": fields.Datetime.now(),
        }
        if self.asked_kind == Kind.IDENTIFY or remedy or body.get("state") == State.APPROVED:
            vals["remedy"] = remedy if remedy in REMEDIES else False
        self.write({**vals, "asked_uuid": False})
        done = body.get("state") == State.APPROVED and not self.remedy
        self.asked_by._bus_send(
            "simple_notification",
            {"title": self.name, "message": self.said, "type": "success" if done else "warning", "sticky": not done},
        )

    def _total_sentences(self, totals):
        """Return a line for each sum that a terminal told."""
        currency = self.company_id.currency_id
        return [
            self.env._(
                "%(card)s: %(amount)s (%(count)s)",
                card=str(each.get("brand") or "–")[:64],
                amount=currency.format(from_minor(each["amount"], currency)),
                count=each["count"],
            )
            for each in (totals if isinstance(totals, list) else [])[:50]
            if isinstance(each, dict) and type(each.get("amount")) is int and type(each.get("count")) is int
        ]

    def _condition_text(self, word):
        """Return how a terminal stands, in the user's words; "" where it told no word that is known."""
        said = {
            "ready": self.env._("The terminal is ready."),
            "busy": self.env._("The terminal is at work. Wait a moment."),
            "locked": self.env._("The terminal is locked. Call its provider."),
            "card_inserted": self.env._("There is a card in the terminal: take it out."),
            "out_of_order": self.env._("The terminal is out of order. Call its provider."),
            "initialisation_needed": self.env._("The terminal must be initialised before it takes payments."),
            "diagnosis_needed": self.env._("The terminal wants a diagnosis before it takes payments."),
            "time_not_set": self.env._("The terminal's date and time are not set: make a diagnosis."),
            "memory_full": self.env._("The terminal's memory is full: make an end of day."),
            "end_of_day_due": self.env._("The terminal wants an end of day before it takes payments."),
            "voltage": self.env._("The terminal's power supply is too weak: charge it or plug it in."),
            "printer_not_ready": self.env._("The terminal's printer is not ready: put in paper."),
            "maintenance": self.env._("The terminal is being maintained: wait until it is ready again."),
            "other": self.env._("The terminal reports a state that nobody here knows. Look at its display."),
        }
        return said.get(word, "") if isinstance(word, str) else ""


class CardTerminalDriver(models.Model):
    _inherit = "card.terminal.driver"

    def _pass_on(self, payload):
        taken = super()._pass_on(payload)
        answers = {each["uuid"]: each["body"] for each in payload["results"] if _is_answer(each)}
        if answers:  # never for a payment: a customer waits for few queries
            mine = [("driver_id", "=", self.id), ("asked_uuid", "in", list(answers))]
            for terminal in self.env["card.terminal"].search(mine):
                self.env["bus.bus"]._is_lasting()
                terminal.with_context(lang=terminal.asked_by.lang)._hear(answers[terminal.asked_uuid])
        return taken


def _is_answer(result):
    """Return whether this may end what was asked of a terminal itself: its result, or a refusal (docs/api.md 1.4)."""
    body = result.get("body") if isinstance(result, dict) else None
    if not isinstance(body, dict) or not isinstance(result.get("uuid"), str) or not result["uuid"]:
        return False  # none: about the driver itself
    is_refusal = "state" not in body and "detail" in body
    return is_refusal or (body.get("kind") in ERRANDS and body.get("state") in ENDED)
