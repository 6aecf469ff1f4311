"""The end of a day: what the terminal counted beside what Odoo has, tips, signatures; by the till when it closes."""

from odoo import api, fields, models

from .card_money import to_minor, total
from .card_transaction import BOOKED_KINDS

DIFFERS = "settlement_differs"


class CardTerminal(models.Model):
    _inherit = "card.terminal"

    settle_at_close = fields.Boolean(
        "End of Day at Closing",
        help="When a till that uses this terminal closes its session, the terminal makes its end of day first.",
    )

    @api.model
    def _load_pos_data_fields(self, config):
        return [*super()._load_pos_data_fields(config), "settle_at_close"]


class CardTerminalSettlement(models.Model):
    _inherit = "card.terminal.settlement"

    odoo_count = fields.Integer("Payments in Odoo", compute="_compute_odoo")
    odoo_amount = fields.Monetary(
        "In Odoo", compute="_compute_odoo", help="What Odoo knows of this terminal since its end of day before."
    )
    difference = fields.Monetary(compute="_compute_odoo", help="What the terminal counted less what Odoo knows.")
    is_compared = fields.Boolean(compute="_compute_odoo")

    @api.depends("transaction_id", "amount", "line_ids", "terminal_id")
    def _compute_odoo(self):
        for settlement in self:
            known = settlement._transactions()
            settlement.is_compared = bool(settlement.transaction_id and settlement.line_ids)
            settlement.odoo_count = len(known)
            settlement.odoo_amount = total(known.mapped("amount_net"), settlement.currency_id)
            parts = (settlement.amount, -settlement.odoo_amount) if settlement.is_compared else ()
            settlement.difference = total(parts, settlement.currency_id)

    def _transactions(self):
        """Return what was booked on the terminal since its end of day before, in the order of its driver's journal."""
        self.ensure_one()
        end = self.transaction_id.sudo()
        if not end:
            return end
        before = self.sudo().search(
            [("terminal_id", "=", self.terminal_id.id), ("transaction_id.id", "<", end.id)],
            order="id desc",
            limit=1,
        )
        found = end.search([
            ("terminal_id", "=", self.terminal_id.id), ("id", "<", end.id), ("id", ">", before.transaction_id.id or 0),
            ("kind", "in", [kind.value for kind in BOOKED_KINDS]),
        ])  # fmt: skip
        return found.filtered(lambda record: record._is_booked())

    @api.model
    def _from_event(self, transaction, body):
        result = super()._from_event(transaction, body)
        self.search([("transaction_id", "=", transaction.id)])._tell_of_difference()
        return result

    def _tell_of_difference(self):
        for settlement in self:
            if said := settlement._difference_text():
                self.env["card.notice"]._raise_notice(DIFFERS, settlement, said)

    def _difference_text(self):
        """Return in words how the terminal's sum differs from Odoo's; "" where it does not, or told none."""
        self.ensure_one()
        currency = self.currency_id
        if not self.is_compared or currency.is_zero(self.difference):
            return ""
        return self.env._(
            "%(name)s: the terminal counted %(counted)s, Odoo has %(known)s of it: %(difference)s apart.",
            name=self.display_name,
            counted=currency.format(self.amount),
            known=currency.format(self.odoo_amount),
            difference=currency.format(self.difference),
        )

    def _to_till(self):
        told = super()._to_till()
        if told and self.is_compared:
            told["compared"] = {
                "count": self.odoo_count,
                "amount": to_minor(self.odoo_amount, self.currency_id),
                "difference": to_minor(self.difference, self.currency_id),
            }
        return told


class PosSession(models.Model):
    _inherit = "pos.session"

    def get_closing_control_data(self):
        data = super().get_closing_control_data()
        settlements = self.env["card.terminal.settlement"].sudo().search([("session_id", "=", self.id)])
        unsigned = self._card_transactions().filtered(lambda record: record.signature in ("wanted", "bad"))
        words = dict(unsigned._fields["signature"]._description_selection(self.env))
        data["card_terminal"] |= {
            "tips": self._card_tips(),
            "differences": [said for each in settlements if (said := each._difference_text())],
            "signatures": [
                self.env._(
                    "%(name)s: signature: %(answer)s.", name=record.display_name, answer=words[record.signature].lower()
                )
                for record in unsigned
                if not (record.signature == "bad" and record._was_given_back())
            ],
        }
        return data

    def _card_tips(self):
        """Return the tips of this session: {card, cash, other}, amounts."""
        self.ensure_one()
        tips = {"card": [], "cash": [], "other": []}
        for order in self._get_closed_orders().filtered("is_tipped"):
            told = order.payment_ids.card_transaction_id.sudo().mapped("amount_tip")
            by_card = min(total(told, self.currency_id), order.tip_amount)
            tips["card"].append(by_card)
            tips[order._card_way_of_tip()].append(order.tip_amount - by_card)
        return {way: total(amounts, self.currency_id) for way, amounts in tips.items()}


class PosOrder(models.Model):
    _inherit = "pos.order"

    def _card_way_of_tip(self):
        """Return how a tip was paid that no terminal told of: by the method of the order's largest payment."""
        self.ensure_one()
        largest = self.payment_ids.filtered(lambda line: not line.is_change).sorted("amount", reverse=True)[:1]
        method = largest.payment_method_id
        return "cash" if method.type == "cash" else "card" if method._is_card_terminal() else "other"


class CardTransaction(models.Model):
    _inherit = "card.transaction"

    def _was_given_back(self):
        """Return whether all of it went back."""
        self.ensure_one()
        back = self.search([("original_uuid", "=", self.uuid)]).filtered(lambda record: record._is_booked())
        return sum(back.mapped("amount_approved_minor")) >= self.amount_approved_minor
