"""What happened to a payment, as one file for support: every source in one order, and nothing of the card."""

import base64
import json
import re

from odoo import fields, models

from ..hw_driver.protocols.scrub import scrub
from ..models.card_transaction_event import utc

#: Members of events that tell of the card or print it.
OF_THE_CARD = frozenset({"last4", "receipt", "merchant_receipt", "details"})
MASK = "••••"
#: What the browser wrote on the payment line, for people who look for a till's mistake.
BROWSER_FIELDS = (
    "card_state", "card_text", "payment_status", "card_driver_ref", "card_journal_ref", "card_transaction_uuid",
)  # fmt: skip
FACTS = (
    "uuid", "kind", "state", "money", "exception", "code", "text", "till", "operator", "reference", "order_uuid",
    "payment_uuid", "original_uuid", "journal_ref", "auth_code", "brand", "contract", "terminal_ref", "terminal_time",
    "virtual", "amount_requested_minor", "amount_approved_minor", "disagreement",
)  # fmt: skip


class CardTimelineExport(models.TransientModel):
    _name = "card.timeline.export"
    _description = "Export What Happened to a Card Payment"

    transaction_id = fields.Many2one("card.transaction", required=True, readonly=True, ondelete="cascade")
    with_last4 = fields.Boolean(
        "With the Last Four Digits", help="Leave it out where the file goes to somebody outside the shop."
    )
    file_format = fields.Selection([("json", "JSON"), ("txt", "Text")], required=True, default="json")
    content = fields.Binary("File", readonly=True, attachment=False)
    file_name = fields.Char(readonly=True)

    def action_export(self):
        """Make the file and download it."""
        self.ensure_one()
        self.transaction_id.check_access("read")
        story = self._without_card(self._story())
        text = json.dumps(story, indent=2, ensure_ascii=False) if self.file_format == "json" else _as_text(story)
        self.file_name = f"card_payment_{self.transaction_id.uuid[:8]}.{self.file_format}"
        self.content = base64.b64encode(f"{text}\n".encode())
        url = f"/web/content/{self._name}/{self.id}/content/{self.file_name}?download=true"
        return {"type": "ir.actions.act_url", "url": url, "target": "download"}

    def _story(self):
        """Return {payment, driver, timeline: [{at, source, who, text, …}]}, oldest first."""
        transaction = self.transaction_id.sudo()
        driver = transaction.driver_id
        steps = [*self._from_browser(transaction), *self._from_driver(transaction), *self._from_odoo(transaction)]
        return {
            "payment": {
                **{name: transaction[name] or None for name in FACTS},
                "currency": transaction.currency_id.name,
                "terminal": transaction.terminal_id.name,
                "last4": transaction.last4 or None,
                "requested_at": _iso(transaction.requested_at),
                "ended_at": _iso(transaction.ended_at),
            },
            "driver": {"name": driver.name, "version": driver.version, "last_seen": _iso(driver.last_seen)},
            "timeline": sorted(steps, key=lambda step: step["at"] or ""),
        }

    def _from_browser(self, transaction):
        """Return what the till wrote on the line, and what its cashier said."""
        lines = self.env["pos.payment"].sudo().search([("card_transaction_uuid", "=", transaction.uuid)])
        for line in lines | transaction.payment_id:
            marks = {name: line[name] or None for name in BROWSER_FIELDS}
            order = line.pos_order_id
            text = f"{order.pos_reference or order.name}: {line.payment_method_id.name}"
            yield _step("browser", line.create_date, order.user_id.name, text, marks=marks)
        for answer in transaction.answer_ids:
            yield _step(
                "browser", answer.at, answer.user_id.name, f"{answer.answer} {answer.authorisation or ''}".strip()
            )

    def _from_driver(self, transaction):
        """Return the driver's events; those with a result or evidence are the terminal's words."""
        for event in transaction.event_ids:
            body = {name: value for name, value in (event.body or {}).items() if value not in ("", None)}
            source = "terminal" if "code" in body or "state" in body else "driver"
            yield {
                **_step(source, utc(event.at), transaction.terminal_id.name, event._in_words()),
                "at": event.at,
                "event": {"seq": event.seq, "type": event.type, "journal": event.journal_ref, "body": body},
            }

    def _from_odoo(self, transaction):
        """Return grants, decisions, the join and notices."""
        for grant in self.env["card.terminal.grant"].sudo().search([("uuid", "=", transaction.uuid)]):
            yield _step("odoo", grant.create_date, grant.user_id.name, f"permission for a {grant.kind}")
        for step in transaction.approval_ids._timeline_steps():
            yield _step("odoo", step["at"], step["who"], step["text"])
        if transaction.settled_at and not transaction.approval_ids:
            word = "paid" if transaction.settled_paid else "not paid"
            yield _step(
                "odoo",
                transaction.settled_at,
                transaction.settled_by.name,
                f"{word}: {transaction.settled_reason or ''}",
            )
        if transaction.acknowledged_at:
            yield _step(
                "odoo", transaction.acknowledged_at, transaction.acknowledged_by.name, transaction.acknowledged_reason
            )
        notices = self.env["card.notice"].sudo().search(
            [("res_model", "=", transaction._name), ("res_id", "=", transaction.id)]
        )  # fmt: skip
        for notice in notices:
            yield _step("odoo", notice.create_date, None, f"notice {notice.code}: {notice.text}", state=notice.state)

    def _without_card(self, value):
        """Return a JSON value without what tells of the card."""
        last4 = self.transaction_id.last4
        if isinstance(value, dict):
            hidden = OF_THE_CARD - ({"last4"} if self.with_last4 else set())
            return {name: self._without_card(inner) for name, inner in value.items() if name not in hidden}
        if isinstance(value, list | tuple):
            return [self._without_card(inner) for inner in value]
        if not isinstance(value, str):
            return value
        text = scrub(value)
        if last4 and not self.with_last4:
            text = re.sub(rf"(?<![0-9a-f-]){re.escape(last4)}(?![0-9a-f-])", MASK, text)
        return text


def _step(source, at, who, text, **more):
    return {"at": _iso(at), "source": source, "who": who or None, "text": text or "", **more}


def _iso(at):
    return f"{at.isoformat(timespec='milliseconds')}Z" if at else None


def _as_text(story):
    """Return the story for people: the payment, then one line for each step."""
    lines = [f"{name}: {value}" for name, value in story["payment"].items() if value is not None]
    lines += ["", *(f"driver {name}: {value}" for name, value in story["driver"].items() if value), ""]
    for step in story["timeline"]:
        words = " ".join(str(step["text"]).split())
        lines.append(f"{step['at']}  {step['source']:<8}  {step['who'] or '-'}  {words}")
    return "\n".join(lines)
