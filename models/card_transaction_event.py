"""The numbered events of drivers' journals, as they were sent. What `card.transaction` says follows from them."""

from datetime import UTC, datetime, timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..hw_driver.protocols.states import ENDED, Kind, State

#: Members of an Outcome (hw_driver.protocols.machine) that a transaction keeps under the same name.
OUTCOME_FIELDS = (
    "code", "text", "brand", "last4", "auth_code", "entry_mode", "application", "aid", "contract", "terminal_ref",
    "terminal_time", "receipt", "merchant_receipt", "virtual",
)  # fmt: skip
MOST_DIGITS = 12
STATES = frozenset(state.value for state in State)


class CardTransactionEvent(models.Model):
    _name = "card.transaction.event"
    _description = "Card Transaction Event"
    _inherit = ["card.export.mixin"]
    _order = "id"
    _rec_name = "type"

    driver_id = fields.Many2one("card.terminal.driver", required=True, readonly=True, ondelete="restrict", index=True)
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    transaction_id = fields.Many2one("card.transaction", readonly=True, ondelete="restrict", index="btree_not_null")
    journal_ref = fields.Char("Journal", required=True, readonly=True)
    seq = fields.Integer("Number", required=True, readonly=True)
    uuid = fields.Char("Transaction ID", readonly=True)
    type = fields.Char(required=True, readonly=True)
    at = fields.Char("Said at", required=True, readonly=True)
    body = fields.Json(readonly=True)
    body_text = fields.Text("Content", compute="_compute_body_text")
    hash = fields.Char(required=True, readonly=True)

    _unique_number = models.Constraint("UNIQUE(driver_id, journal_ref, seq)", "This event has been received already.")

    @api.depends("body")
    def _compute_body_text(self):
        for event in self:
            event.body_text = "\n".join(
                f"{name}: {value}" for name, value in (event.body or {}).items() if value not in ("", None)
            )

    def write(self, vals):
        if vals.keys() - {"transaction_id"}:
            raise UserError(self.env._("Events of a driver's journal cannot be changed."))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("Events of a driver's journal are never deleted."))

    def _next(self):
        """Return the event that follows in the same journal, empty after the last."""
        self.ensure_one()
        place = [("driver_id", "=", self.driver_id.id), ("journal_ref", "=", self.journal_ref)]
        return self.search([*place, ("seq", "=", self.seq + 1)])

    def _apply(self):
        """Bring the transactions up to what these events say, in their order; return the transactions."""
        transactions = self.env["card.transaction"]
        for event in self.filtered("uuid"):
            transaction = self.env["card.transaction"].search([("uuid", "=", event.uuid)])
            if event.type == State.REQUESTED:
                transaction = event._request(transaction)
            elif transaction:
                event._tell(transaction)
            else:
                event.driver_id._raise_alarm(
                    self.env._(
                        "Event %(seq)s is about transaction %(uuid)s, which was never requested.",
                        seq=event.seq,
                        uuid=event.uuid,
                    )
                )
            event.transaction_id = transaction
            transactions |= transaction
        return transactions

    def _request(self, transaction):
        """Take down what was asked; a till that was quicker may have told of it already."""
        asked = self._asked()
        if not transaction:
            return self.env["card.transaction"].create(asked)
        if transaction.event_ids:
            same = ("amount_requested_minor", "currency_id", "driver_id", "kind")
            known = transaction._convert_to_write({name: transaction[name] for name in same})
            if any(known[name] != asked[name] for name in same):
                self._contradict(transaction)
        elif transaction.state not in ENDED:
            transaction.write(asked)
        return transaction

    def _asked(self):
        """Return the values of a transaction that its request says."""
        body = self.body
        currency = self.env["res.currency"].with_context(active_test=False).search([("name", "=", body["currency"])])
        terminals = self.driver_id.with_context(active_test=False).terminal_ids
        terminal = terminals.filtered(lambda record: record.uuid == body["terminal"])
        session = self._session_of(terminal)
        return {
            "amount_requested_minor": body["amount"],
            "company_id": self.company_id.id,
            "config_id": session.config_id.id,
            "currency_id": currency.id,
            "driver_id": self.driver_id.id,
            "journal_ref": self.journal_ref,
            "kind": body["kind"],
            "operator": body.get("operator"),
            "order_uuid": body.get("order"),
            "original_uuid": (body.get("original") or {}).get("uuid"),
            "payment_uuid": body.get("line"),
            "reference": body.get("reference"),
            "requested_at": utc(self.at),
            "session_id": session.id,
            "terminal_id": terminal.id,
            "till": body.get("till"),
            "uuid": self.uuid,
        }

    def _session_of(self, terminal):
        """Return the session of a request: by its name, else the only one that its till had open with this terminal.

        A register that has just been opened calls its session "/" until Odoo has named it.
        """
        sessions, body, at = self.env["pos.session"], self.body, utc(self.at)
        mine = Domain("company_id", "=", self.company_id.id)
        named = mine & Domain("name", "=", body.get("session")) & Domain("name", "!=", "/")
        found = sessions.search(named, limit=1)
        if found or not terminal or body.get("session") not in ("/", "", None):
            return found
        uses = Domain("card_terminal_id", "=", terminal.id) | Domain("card_terminal_spare_ids", "in", terminal.ids)
        configs = self.env["pos.config"].with_context(active_test=False).search(mine & uses)
        named_alike = configs.filtered(lambda config: config.name == body.get("till"))
        open_then = (Domain("start_at", "=", False) | Domain("start_at", "<=", at)) & (
            Domain("stop_at", "=", False) | Domain("stop_at", ">=", at)
        )
        created = Domain("create_date", "<=", at + timedelta(minutes=5))
        found = sessions.search(
            mine & Domain("config_id", "in", (named_alike or configs).ids) & Domain("rescue", "=", False)
            & Domain("state", "!=", "closed") & open_then & created
        )  # fmt: skip
        return found if len(found) == 1 else sessions

    def _tell(self, transaction):
        """Move the transaction on, or keep that this event contradicts what is known."""
        if transaction.driver_id != self.driver_id:
            self._contradict(transaction)
        elif self.type == "late_answer":
            approved = self.body.get("state") == State.APPROVED
            if transaction.state in ENDED and approved != transaction._is_approved():
                self._contradict(transaction)
        elif self.type == State.SETTLED_BY_HAND:
            transaction.settled_reported = True
        elif self.type in STATES:
            self._move(transaction)

    def _move(self, transaction):
        now, said = transaction.state, self.type
        if now in ENDED:
            if said in ENDED and not self._says_the_same(transaction):
                self._contradict(transaction)
        elif said in ENDED:
            transaction.write({"state": said, "ended_at": utc(self.at), **self._outcome(transaction)})
            self._remember_terminal(transaction)
        elif said == State.UNKNOWN or (now, said) == (State.REQUESTED, State.SENT):
            transaction.write({"state": said, **(self._outcome(transaction) if said == State.UNKNOWN else {})})

    def _says_the_same(self, transaction):
        if transaction.state == State.SETTLED_BY_HAND:
            return (self.type == State.APPROVED) == transaction.settled_paid
        same = transaction.state == self.type
        return same and (
            self.type != State.APPROVED or transaction.amount_approved_minor == self._approved_minor(transaction)
        )

    def _ends(self):
        """Return the end this event tells of (a state), or None."""
        said = self.body.get("state") if self.type == "late_answer" else self.type
        return said if said in ENDED and said != State.SETTLED_BY_HAND else None

    def _contradict(self, transaction):
        line = self.env._(
            "Event %(seq)s of journal %(journal)s says %(type)s.",
            seq=self.seq,
            journal=self.journal_ref,
            type=self.type,
        )
        amount = self.body.get("amount_approved")
        line = f"{line} ({amount})" if amount else line
        if line not in (transaction.disagreement or ""):
            transaction.disagreement = "\n".join(filter(None, [transaction.disagreement, line]))

    def _outcome(self, transaction):
        vals = {name: self.body[name] for name in OUTCOME_FIELDS if self.body.get(name)}
        if self.type == State.APPROVED:
            vals["amount_approved_minor"] = self._approved_minor(transaction)
        return vals

    def _approved_minor(self, transaction):
        """Return what was approved; a terminal that names no amount has approved what was asked."""
        approved = self.body.get("amount_approved")
        return transaction.amount_requested_minor if approved is None else approved

    def _remember_terminal(self, transaction):
        said = {name: self.body[name] for name in ("contract", "terminal_ref") if self.body.get(name)}
        if transaction.terminal_id and (said or transaction.state == State.APPROVED):
            transaction.terminal_id.write({**said, "last_seen": utc(self.at)})


def utc(text):
    """Return an ISO 8601 time as Odoo keeps it: naive, UTC, whole seconds."""
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None, microsecond=0)


def tip_of(body):
    """Return the tip that an event's details tell (minor units), 0 where they tell none."""
    details = body.get("details")
    tip = details.get("tip") if isinstance(details, dict) else None
    return int(tip) if isinstance(tip, str) and tip.isascii() and tip.isdigit() and len(tip) <= MOST_DIGITS else 0


def problem_of(event):
    """Return why this is no event (docs/api.md 2.1), or None."""
    if not isinstance(event, dict):
        return "an event is an object"
    wanted = {"seq": int, "uuid": str, "type": str, "at": str, "body": dict, "prev": str, "hash": str}
    for name, kind in wanted.items():
        if type(event.get(name)) is not kind:
            return f"{name} must be {kind.__name__}"
    if event["seq"] < 1:
        return "seq starts at 1"
    try:
        utc(event["at"])
    except (ValueError, OverflowError):
        return "at must be an ISO 8601 time"
    body = event["body"]
    if event["uuid"] and event["type"] == State.REQUESTED:
        if type(body.get("amount")) is not int or not 0 <= body["amount"] < 10**15:
            return "amount must be an integer of minor units"
        if body.get("kind") not in frozenset(Kind):
            return "kind is not known"
        if not isinstance(body.get("currency"), str) or not isinstance(body.get("terminal"), str):
            return "currency and terminal must be text"
        if not isinstance(body.get("original") or {}, dict):
            return "original must be an object"
    approved = body.get("amount_approved")
    if approved is not None and (type(approved) is not int or not 0 <= approved < 10**15):
        return "amount_approved must be an integer of minor units"
    return None
