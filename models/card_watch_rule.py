"""Rules by which card transactions raise notices. A kind of rule is one function and one row of `KINDS`."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

import pytz
from odoo import api, fields, models
from odoo.addons.base.models.res_partner import _tz_get
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from ..hw_driver.protocols.states import ENDED, State
from ..hw_driver.protocols.states import Kind as TransactionKind
from .card_money import to_minor
from .card_transaction import BOOKED_KINDS, GIVING_BACK

_logger = logging.getLogger(__name__)

#: Kinds that belong to an earlier payment.
NOT_ANOTHER_PAYMENT = GIVING_BACK | {TransactionKind.TIP}
APPROVED = [State.APPROVED.value, State.SETTLED_BY_HAND.value]


def refund_over(rule, transaction):
    """A refund of more than an amount."""
    limit = to_minor(rule.amount, transaction.currency_id)
    if _gives_back(transaction) and transaction.amount_approved_minor > limit:
        return transaction, rule.env._("A refund of %s.", _money(transaction))
    return None


def refunds_a_day(rule, transaction):
    """More refunds of one cashier than usual, within a day."""
    if not _gives_back(transaction):
        return None
    since = transaction.requested_at - timedelta(days=1)
    domain = _same(transaction, "operator", since) & Domain("kind", "in", [kind.value for kind in GIVING_BACK])
    found = transaction.search(domain)
    if len(found) <= rule.count:
        return None
    text = rule.env._(
        "%(cashier)s gave back %(count)s times within a day.", cashier=transaction.operator, count=len(found)
    )
    return transaction.session_id or transaction, text


def refund_without_sale(rule, transaction):
    """Money that went back to a card without the sale it belongs to."""
    if _gives_back(transaction) and not transaction.original_uuid:
        return transaction, rule.env._("A refund of %s without the sale it belongs to.", _money(transaction))
    return None


def card_again(rule, transaction):
    """The same card, by its brand and last four digits, again and again."""
    if transaction.kind in NOT_ANOTHER_PAYMENT or not transaction._is_booked() or not transaction.last4:
        return None
    since = transaction.requested_at - timedelta(minutes=rule.minutes)
    domain = _same(transaction, "last4", since) & Domain("brand", "=", transaction.brand)
    found = transaction.search(domain & Domain("kind", "not in", [kind.value for kind in NOT_ANOTHER_PAYMENT]))
    if len(found) < rule.count:
        return None
    text = rule.env._(
        "The same card paid %(count)s times within %(minutes)s minutes.", count=len(found), minutes=rule.minutes
    )
    return transaction.config_id or transaction, text


def after_hours(rule, transaction):
    """A payment outside the shop's hours."""
    if not transaction._is_booked():
        return None
    local = pytz.utc.localize(transaction.requested_at).astimezone(pytz.timezone(rule.tz or "UTC"))
    hour = local.hour + local.minute / 60
    first, last = rule.hour_from, rule.hour_to
    inside = first <= hour < last if first <= last else hour >= first or hour < last
    if inside:
        return None
    return transaction, rule.env._("%(money)s at %(time)s.", money=_money(transaction), time=local.strftime("%H:%M"))


def outside_session(rule, transaction):
    """A payment while no session of a till was open for it."""
    session = transaction.session_id
    at = transaction.requested_at
    if not transaction._is_booked() or transaction.order_id:
        return None
    if session and session.start_at and session.start_at <= at and (not session.stop_at or at <= session.stop_at):
        return None
    return transaction, rule.env._("%s while no session was open for it.", _money(transaction))


def declines_in_row(rule, transaction):
    """Nothing but refusals at one terminal."""
    if transaction.state != State.DECLINED or not transaction.terminal_id:
        return None
    last = transaction.search(
        [("terminal_id", "=", transaction.terminal_id.id), ("state", "in", [state.value for state in ENDED])],
        limit=rule.count,
    )
    if len(last) < rule.count or any(record.state != State.DECLINED for record in last):
        return None
    return transaction.terminal_id, rule.env._("%s payments in a row were declined.", len(last))


class Kind(NamedTuple):
    """A kind of rule: its name for people, the thresholds it reads, its function."""

    label: Callable
    thresholds: tuple
    judge: Callable


KINDS = {
    "refund_over": Kind(lambda env: env._("Refund over an amount"), ("amount",), refund_over),
    "refunds_a_day": Kind(lambda env: env._("Many refunds of a cashier in a day"), ("count",), refunds_a_day),
    "refund_without_sale": Kind(lambda env: env._("Refund without a sale"), (), refund_without_sale),
    "card_again": Kind(lambda env: env._("The same card again and again"), ("count", "minutes"), card_again),
    "after_hours": Kind(
        lambda env: env._("Payment outside opening hours"), ("hour_from", "hour_to", "tz"), after_hours
    ),
    "outside_session": Kind(lambda env: env._("Payment outside an open session"), (), outside_session),
    "declines_in_row": Kind(lambda env: env._("Declines in a row"), ("count",), declines_in_row),
}


class CardWatchRule(models.Model):
    _name = "card.watch.rule"
    _description = "Rule for Card Notices"
    _order = "kind, id"
    _rec_name = "kind"

    kind = fields.Selection(selection="_selection_kind", required=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", index=True, help="Empty: every company.")
    config_ids = fields.Many2many("pos.config", string="Points of Sale", help="Empty: all of them.")
    level = fields.Selection(
        [("info", "For information"), ("warning", "Warning"), ("danger", "Act now")], required=True, default="warning"
    )
    amount = fields.Float(digits=(16, 2), help="In the currency of the payment.")
    count = fields.Integer("How Many", default=3)
    minutes = fields.Integer("Within Minutes", default=60)
    hour_from = fields.Float("Open From", default=7.0)
    hour_to = fields.Float("Open Until", default=21.0)
    tz = fields.Selection(_tz_get, "Time Zone", default=lambda self: self.env.user.tz or "UTC")
    thresholds = fields.Char(compute="_compute_thresholds", help="The settings that this kind of rule reads.")

    @api.model
    def _selection_kind(self):
        return [(name, kind.label(self.env)) for name, kind in KINDS.items()]

    @api.depends("kind")
    def _compute_thresholds(self):
        for rule in self:
            rule.thresholds = " ".join(KINDS[rule.kind].thresholds) if rule.kind else ""

    @api.constrains("kind", "amount", "count", "minutes", "hour_from", "hour_to")
    def _check_thresholds(self):
        for rule in self:
            read = KINDS[rule.kind].thresholds
            if rule.amount < 0 or ("count" in read and rule.count < 1) or ("minutes" in read and rule.minutes < 1):
                raise ValidationError(self.env._("A rule needs thresholds above zero."))
            if not (0 <= rule.hour_from <= 24 and 0 <= rule.hour_to <= 24):
                raise ValidationError(self.env._("Hours are from 0 to 24."))

    def _applies_to(self, transaction):
        self.ensure_one()
        company = not self.company_id or self.company_id == transaction.company_id
        return company and (not self.config_ids or transaction.config_id in self.config_ids)

    @api.model
    def _watch(self, transactions):
        """Judge ended transactions by every rule. A rule that fails is logged: money does not wait for it."""
        for rule in self.sudo().search([("active", "=", True)]):
            for transaction in transactions.sudo().filtered(rule._applies_to):
                try:
                    with self.env.cr.savepoint():
                        rule._judge(transaction)
                except Exception:  # no rule may keep an event from being taken
                    _logger.exception("Card rule %s failed on transaction %s", rule.kind, transaction.uuid)

    def _judge(self, transaction):
        found = KINDS[self.kind].judge(self, transaction)
        if found:
            record, text = found
            label = dict(self._selection_kind())[self.kind]
            about = f"{label}: {text} {transaction.till or ''} {transaction.operator or ''}".strip()
            self.env["card.notice"]._raise_notice(f"watch_{self.kind}", record, about, level=self.level)


class CardTransactionEvent(models.Model):
    _inherit = "card.transaction.event"

    def _apply(self):
        transactions = super()._apply()
        ended = self.filtered(lambda event: event.type in ENDED).transaction_id
        self.env["card.watch.rule"]._watch(ended.filtered(lambda record: record.state in ENDED))
        return transactions


def _gives_back(transaction):
    return transaction.kind in GIVING_BACK and transaction._is_booked()


def _same(transaction, field, since):
    """Return the domain of what was approved in this company with the same value since a time."""
    return Domain([
        ("company_id", "=", transaction.company_id.id), (field, "=", transaction[field]), ("state", "in", APPROVED),
        ("kind", "in", [kind.value for kind in BOOKED_KINDS]),
        ("requested_at", ">=", since), ("requested_at", "<=", transaction.requested_at),
    ])  # fmt: skip


def _money(transaction):
    return transaction.currency_id.format(abs(transaction.amount_approved))
