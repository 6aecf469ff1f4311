"""The end of a day: what the terminal counted beside what Odoo has, tips, signatures; by the till when it closes."""

from odoo import api, fields, models

from ..hw_driver.protocols.states import Kind
from .card_group import group_of
from .card_money import from_minor, to_minor, total
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

    odoo_count = fields.Integer(
        "Payments in Odoo", compute="_compute_odoo", help="A tip that was added later is part of its payment."
    )
    odoo_amount = fields.Monetary(
        "In Odoo", compute="_compute_odoo", help="What Odoo knows of this terminal since its end of day before."
    )
    difference = fields.Monetary(compute="_compute_odoo", help="What the terminal counted less what Odoo knows.")
    is_compared = fields.Boolean(compute="_compute_odoo")
    group_text = fields.Text("By Card", compute="_compute_group_text", help="Cards whose sums differ.")

    @api.depends("transaction_id", "amount", "line_ids", "terminal_id")
    def _compute_odoo(self):
        for settlement in self:
            known = settlement._transactions()
            settlement.is_compared = bool(settlement.transaction_id and settlement.line_ids)
            settlement.odoo_count = len(known.filtered(lambda record: record.kind != Kind.TIP))
            settlement.odoo_amount = total(known.mapped("amount_net"), settlement.currency_id)
            parts = (settlement.amount, -settlement.odoo_amount) if settlement.is_compared else ()
            settlement.difference = total(parts, settlement.currency_id)

    def _groups(self):
        """Return the terminal's sums by group of cards beside Odoo's; [] where it told no groups.

        {brand, count, amount, odoo_count, odoo_amount, difference}, amounts in minor units; count, amount and
        difference are None where the terminal did not name the group: that is not known, and not nothing.
        """
        self.ensure_one()
        names = self.line_ids.mapped("brand")
        if not self.is_compared or not all(names):
            return []
        known = self._transactions().grouped(lambda record: group_of(record._brand(), names))
        rows = []
        for name in [*names, *(name for name in known if name not in names)]:
            lines, mine = self.line_ids.filtered(lambda line, name=name: line.brand == name), known.get(name, [])
            told = total(lines.mapped("amount"), self.currency_id) if lines else None
            odoo = sum(record._signed_minor() for record in mine)
            minor = to_minor(told, self.currency_id) if lines else None
            rows.append({
                "brand": name,
                "count": sum(lines.mapped("count")) if lines else None,
                "amount": minor,
                "odoo_count": sum(record.kind != Kind.TIP for record in mine),
                "odoo_amount": odoo,
                "difference": minor - odoo if lines else None,
            })  # fmt: skip
        return rows

    def _money(self, minor):
        return self.currency_id.format(from_minor(minor, self.currency_id))

    @api.depends("transaction_id", "amount", "line_ids", "terminal_id")
    def _compute_group_text(self):
        for settlement in self:
            settlement.group_text = "\n".join(settlement._group_sentences())

    def _group_sentences(self):
        """Return a sentence for each group of cards whose sums differ."""
        return [
            self.env._(
                "%(card)s: the terminal counted %(counted)s, Odoo has %(known)s.",
                card=row["brand"] or self.env._("Unknown card"),
                counted=self._money(row["amount"]),
                known=self._money(row["odoo_amount"]),
            )
            if row["difference"] is not None
            else self.env._(
                "%(card)s: Odoo has %(known)s, and the terminal told no sum for it.",
                card=row["brand"] or self.env._("Unknown card"),
                known=self._money(row["odoo_amount"]),
            )
            for row in self._groups()
            if row["difference"] != 0 and (row["difference"] or row["odoo_amount"])
        ]

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
        if not self.is_compared:
            return ""
        groups = self._group_sentences()
        if currency.is_zero(self.difference) and not groups:
            return ""
        if currency.is_zero(self.difference):
            said = self.env._("%s: the sums agree in all, and not by card.", self.display_name)
        else:
            said = self.env._(
                "%(name)s: the terminal counted %(counted)s, Odoo has %(known)s of it: %(difference)s apart.",
                name=self.display_name,
                counted=currency.format(self.amount),
                known=currency.format(self.odoo_amount),
                difference=currency.format(self.difference),
            )
        return " ".join([said, *groups])

    def _to_till(self):
        told = super()._to_till()
        if told and self.is_compared:
            told["compared"] = {
                "count": self.odoo_count,
                "amount": to_minor(self.odoo_amount, self.currency_id),
                "difference": to_minor(self.difference, self.currency_id),
            }
            told["groups"] = self._groups()
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
        later = self.search([("original_uuid", "=", self.uuid)]).filtered(lambda record: record._is_booked())
        return self.amount_approved_minor + sum(record._signed_minor() for record in later) <= 0
