"""What happened to a card payment, in order and in words: events, cashiers' answers, managers' decisions."""

from odoo import api, models

from ..hw_driver.protocols.states import State
from .card_money import from_minor
from .card_transaction_event import tip_of, utc


class CardTransaction(models.Model):
    _inherit = "card.transaction"

    def _timeline(self):
        """Return [{at (UTC), who, text}], oldest first."""
        self.ensure_one()
        record = self.sudo()
        answers = dict(record.answer_ids._fields["answer"]._description_selection(self.env))
        steps = [event._timeline_step() for event in record.event_ids]
        steps += [
            {
                "at": answer.at,
                "who": answer.user_id.name,
                "text": " ".join(filter(None, [
                    self.env._("The cashier's word: %s.", answers[answer.answer].lower()), answer.authorisation
                ])),
            }
            for answer in record.answer_ids
        ]  # fmt: skip
        steps += record.approval_ids._timeline_steps()
        decided = record.approval_ids.filtered(lambda log: log.result == "done")
        if record.settled_at and not decided:
            text = self.env._("Settled as paid: %s") if record.settled_paid else self.env._("Settled as not paid: %s")
            steps.append({"at": record.settled_at, "who": record.settled_by.name, "text": text % record.settled_reason})
        return sorted(steps, key=lambda step: step["at"])


class CardTransactionEvent(models.Model):
    _inherit = "card.transaction.event"

    def _timeline_step(self):
        self.ensure_one()
        return {
            "at": utc(self.at),
            "who": self.transaction_id.terminal_id.name or self.driver_id.name,
            "text": self._in_words(),
        }

    def _in_words(self):
        """Return a sentence for this event; what a terminal said is quoted as it is."""
        body = self.body or {}
        words = {
            State.REQUESTED: self.env._("Asked for %s.", self._money(body.get("amount"))),
            State.SENT: self.env._("Sent to the terminal: from here on it may charge the card."),
            "heard": self.env._("The terminal has told its result, and is not finished: %s.", self._result()),
            State.APPROVED: self.env._("Approved: %s.", self._result()),
            State.DECLINED: self.env._("Declined: %s.", self._result()),
            State.CANCELLED: self.env._("Cancelled: %s.", self._result()),
            State.FAILED: self.env._("Failed, nothing was charged: %s.", self._result()),
            State.UNKNOWN: self.env._("The result is not known: %s.", self._result()),
            State.SETTLED_BY_HAND: self.env._("The driver has heard how it was settled."),
            "late_answer": self.env._("The terminal answered late: %s.", self._result()),
            "evidence": self.env._(
                "The terminal's last result, which need not be this payment: %(result)s. It agrees in: %(what)s.",
                result=self._result(),
                what=self._agreement(),
            ),
        }
        return words.get(self.type) or f"{self.type}: {self._result()}"

    def _agreement(self):
        """Return in words what of the terminal's last result agrees with this payment (docs/api.md 2.1)."""
        words = {
            "reference": self.env._("reference"),
            "kind": self.env._("kind"),
            "amount": self.env._("amount"),
            "currency": self.env._("currency"),
            "newer": self.env._("later than the payment before"),
        }
        matches = (self.body or {}).get("matches") or []
        return ", ".join(words.get(each, str(each)) for each in matches) or self.env._("nothing")

    def _result(self):
        body = self.body or {}
        said = [
            body.get("state") if self.type in ("late_answer", "evidence") else None,
            self._money(body.get("amount_approved")),
            (tip := tip_of(body)) and self.env._("of it a tip of %s", self._money(tip)),
            body.get("brand"),
            body.get("last4") and f"•••• {body['last4']}",
            body.get("auth_code") and self.env._("authorisation %s", body["auth_code"]),
            body.get("text"),
        ]
        return ", ".join(str(part).rstrip(".") for part in said if part) or self.env._("no details")

    def _money(self, minor):
        currency = self.transaction_id.currency_id
        return currency.format(from_minor(minor, currency)) if type(minor) is int and currency else None


class CardApproval(models.Model):
    _inherit = "card.approval"

    @api.model
    def _timeline_steps(self):
        actions = self.env["card.decision.mixin"]._action_labels()
        return [
            {
                "at": log.at,
                "who": log.approver_id.name,
                "text": f"{actions.get(log.action, log.action)}: {log.text} “{log.reason}”",
            }
            for log in self
            if log.result == "done"
        ]
