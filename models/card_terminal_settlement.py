"""Settlements (télécollecte, end of day): what terminals sent off, as they told it or as a person typed its ticket."""

import uuid
from collections.abc import Iterable

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import format_datetime

from ..hw_driver.protocols.states import Kind, State
from .card_money import from_minor, to_minor, total
from .scrubbed import ScrubbedChar, ScrubbedText

#: More lines than any ticket has.
MOST_TOTALS = 50
LARGEST = 10**12


class CardTerminalSettlement(models.Model):
    _name = "card.terminal.settlement"
    _description = "Settlement of a Card Terminal"
    _inherit = ["card.export.mixin"]
    _order = "at desc, id desc"
    _check_company_auto = True

    uuid = fields.Char(
        "Settlement ID", required=True, readonly=True, copy=False, default=lambda self: str(uuid.uuid4())
    )
    terminal_id = fields.Many2one(
        "card.terminal", required=True, check_company=True, ondelete="restrict", index=True, readonly=False
    )
    company_id = fields.Many2one(related="terminal_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(
        "res.currency", required=True, default=lambda self: self.env.company.currency_id, readonly=True
    )
    at = fields.Datetime("Settled at", required=True, default=fields.Datetime.now, index=True)
    number = ScrubbedChar(help="The number of the settlement or batch, as its ticket says it.")
    source = fields.Selection(
        [("terminal", "Terminal"), ("typed", "Typed from its ticket"), ("none", "Not told")],
        "Totals from",
        required=True,
        readonly=True,
        default="typed",
        help="Not told: the terminal settled and gave the till no totals. Type them from its ticket.",
    )
    transaction_id = fields.Many2one("card.transaction", readonly=True, ondelete="restrict", index="btree_not_null")
    session_id = fields.Many2one("pos.session", readonly=True, ondelete="restrict", index="btree_not_null")
    operator = fields.Char("Cashier", readonly=True)
    line_ids = fields.One2many("card.terminal.settlement.line", "settlement_id", "Totals", copy=True)
    count = fields.Integer("Payments", compute="_compute_totals", store=True)
    amount = fields.Monetary("Total", compute="_compute_totals", store=True)
    typed_by = fields.Many2one("res.users", readonly=True, copy=False)
    typed_at = fields.Datetime(readonly=True, copy=False)
    note = ScrubbedText()
    slip = fields.Text("Ticket", compute="_compute_slip", help="What the terminal printed, where it told the till.")

    _unique_uuid = models.Constraint("UNIQUE(uuid)", "Another settlement has this ID.")
    _unique_transaction = models.UniqueIndex(
        "(transaction_id) WHERE transaction_id IS NOT NULL", "A settlement is kept once."
    )

    @api.depends("line_ids.count", "line_ids.amount")
    def _compute_totals(self):
        for settlement in self:
            settlement.count = sum(settlement.line_ids.mapped("count"))
            settlement.amount = total(settlement.line_ids.mapped("amount"), settlement.currency_id)

    @api.depends("terminal_id", "at", "number")
    def _compute_display_name(self):
        for settlement in self:
            at = format_datetime(self.env, settlement.at)
            words = [settlement.terminal_id.name, settlement.number and f"#{settlement.number}", at]
            settlement.display_name = " ".join(filter(None, words))

    @api.depends("transaction_id")
    def _compute_slip(self):
        for settlement in self:
            said = settlement.transaction_id.sudo()
            settlement.slip = said.merchant_receipt or said.receipt

    @api.model_create_multi
    def create(self, vals_list):
        settlements = super().create(vals_list)
        settlements.filtered(lambda record: record.source == "typed" and not record.typed_by)._sign()
        return settlements

    def write(self, vals):
        told = self.filtered(lambda record: record.source == "terminal")
        if told and not self.env.su and vals.keys() - {"note"}:
            raise UserError(self.env._("What the terminal told of its settlement is not changed by hand."))
        result = super().write(vals)
        if "line_ids" in vals and not self.env.context.get("card_settlement_told"):
            self._sign()
        return result

    def _sign(self):
        """Note who typed the totals, and when."""
        signed = {"source": "typed", "typed_by": self.env.uid, "typed_at": fields.Datetime.now()}
        self.filtered("line_ids").with_context(card_settlement_told=True).write(signed)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_told(self):
        if self.filtered("transaction_id"):
            raise UserError(self.env._("What a terminal told of its settlement is never deleted."))

    # From the terminal ------------------------------------------------------------------------------------------------

    @api.model
    def _from_event(self, transaction, body):
        """Keep what a driver reported of a settlement that the terminal has done; once, however often it is told."""
        if self.search_count([("transaction_id", "=", transaction.id)], limit=1) or not transaction.terminal_id:
            return
        told = body.get("totals")
        currency = transaction.config_id.currency_id or transaction.company_id.currency_id
        totals = [total for total in told if _is_total(total)] if isinstance(told, Iterable) else []
        self.with_context(card_settlement_told=True).create({
            "terminal_id": transaction.terminal_id.id,
            "transaction_id": transaction.id,
            "currency_id": currency.id,
            "session_id": transaction.session_id.id,
            "at": transaction.ended_at,
            "operator": transaction.operator,
            "source": "terminal" if totals else "none",
            "number": str(body.get("terminal_ref") or "")[:32],
            "line_ids": [(0, 0, _line(total, currency)) for total in totals[:MOST_TOTALS]],
        })  # fmt: skip

    # From the till ----------------------------------------------------------------------------------------------------

    @api.model
    def _of_till(self, session, request):
        """Return the settlement of a transaction that this till asked for; empty where nothing is known of it."""
        return self.search([
            ("transaction_id.uuid", "=", str(request.get("transaction") or "")),
            ("company_id", "=", session.company_id.id),
        ])  # fmt: skip

    @api.model
    def _type(self, session, request):
        """Keep totals that a cashier typed; asked again after a lost answer they are kept once."""
        terminal = self.env["card.terminal.grant"]._terminal_of(session, request)
        totals = request.get("totals")
        if not isinstance(totals, list) or not 0 < len(totals) <= MOST_TOTALS or not all(map(_is_total, totals)):
            raise UserError(self.env._("Type at least one total: how many payments, and their amount."))
        known = self.search([("uuid", "=", request["uuid"]), ("company_id", "=", session.company_id.id)])
        known = known or (request.get("transaction") and self._of_till(session, request)) or self.browse()
        if known.source == "terminal":
            raise UserError(self.env._("The terminal has told the totals of this settlement itself."))
        currency = session.currency_id
        vals = {
            "line_ids": [(5,), *((0, 0, _line(total, currency)) for total in totals)],
            "number": str(request.get("number") or "")[:32],
        }
        if known:
            known.write(vals)
            return known
        return self.create({
            **vals,
            "uuid": request["uuid"],
            "terminal_id": terminal.id,
            "currency_id": currency.id,
            "session_id": session.id,
            "operator": self.env.user.name,
        })  # fmt: skip

    def _to_till(self):
        """Return this settlement as the till's JavaScript reads it, None where it is none."""
        if not self:
            return None
        self.ensure_one()
        return {
            "uuid": self.uuid,
            "source": self.source,
            "number": self.number or "",
            "totals": [
                {"brand": line.brand or "", "count": line.count, "amount": to_minor(line.amount, self.currency_id)}
                for line in self.line_ids
            ],
        }


class CardTerminalSettlementLine(models.Model):
    _name = "card.terminal.settlement.line"
    _description = "Total of a Settlement"
    _order = "id"
    _rec_name = "brand"

    settlement_id = fields.Many2one(
        "card.terminal.settlement", required=True, readonly=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="settlement_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="settlement_id.currency_id")
    brand = ScrubbedChar(help="CB, VISA, AMEX … as the ticket says it; empty for the sum of all.")
    count = fields.Integer("Payments")
    amount = fields.Monetary(help="Negative where more was given back than taken.")

    def write(self, vals):
        self._refuse_told()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_told(self):
        self._refuse_told()

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        if not self.env.context.get("card_settlement_told"):
            lines._refuse_told()
        return lines

    def _refuse_told(self):
        if self.settlement_id.filtered(lambda record: record.source == "terminal"):
            raise UserError(self.env._("What the terminal told of its settlement is not changed by hand."))


class CardTerminal(models.Model):
    _inherit = "card.terminal"

    settlement_count = fields.Integer("Settlements", compute="_compute_settlement_count")
    can_settle = fields.Boolean(compute="_compute_can_settle")

    def _compute_settlement_count(self):
        counts = dict(self.env["card.terminal.settlement"]._read_group(
            [("terminal_id", "in", self.ids)], ["terminal_id"], ["__count"]
        ))  # fmt: skip
        for terminal in self:
            terminal.settlement_count = counts.get(terminal, 0)

    @api.depends("kinds")
    def _compute_can_settle(self):
        for terminal in self:
            terminal.can_settle = Kind.SETTLEMENT in (terminal.kinds or [])

    def action_view_settlements(self):
        """Open the settlements of this terminal; a new one is for totals typed from a ticket."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("pos_card_terminal.action_card_terminal_settlement")
        context = {"default_terminal_id": self.id}
        return {**action, "domain": [("terminal_id", "=", self.id)], "context": context}

    def action_settle(self):
        """Let the terminal settle now. The command goes through Odoo's bus; what comes of it, the driver reports."""
        self.ensure_one()
        self.check_access("write")
        problem = self._command(Kind.SETTLEMENT, str(uuid.uuid4())).get("problem")
        if problem:
            raise UserError(
                self.env._("%s The settlement can also be started at the till, in its menu.", problem["detail"])
            )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "title": self.env._("%s settles now", self.name),
                "message": self.env._("This takes a minute or two. The result appears under its settlements."),
                "type": "info",
            },
        }


class CardTransactionEvent(models.Model):
    _inherit = "card.transaction.event"

    def _tell(self, transaction):
        result = super()._tell(transaction)
        if transaction.kind == Kind.SETTLEMENT and self.type == State.APPROVED == transaction.state:
            self.env["card.terminal.settlement"]._from_event(transaction, self.body)
        return result


def _is_total(total):
    """Return whether this is a total: {brand (text or nothing), count, amount (minor units, integers)}."""
    if not isinstance(total, dict) or not isinstance(total.get("brand") or "", str):
        return False
    numbers = (total.get("count"), total.get("amount"))
    return all(type(number) is int and abs(number) < LARGEST for number in numbers) and 0 <= numbers[0] < 2**31


def _line(total, currency):
    return {
        "brand": (total.get("brand") or "")[:64],
        "count": total["count"],
        "amount": from_minor(total["amount"], currency),
    }
