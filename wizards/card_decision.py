"""A manager's decision about card money in the back office: one dialog, which asks for what the decision needs."""

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..models.card_money import to_minor
from ..models.scrubbed import ScrubbedChar, ScrubbedText


class CardDecision(models.TransientModel):
    _name = "card.decision"
    _description = "Decide about Card Money"

    action = fields.Selection(selection="_selection_action", required=True, readonly=True)
    transaction_id = fields.Many2one("card.transaction", readonly=True, ondelete="cascade")
    payment_id = fields.Many2one("pos.payment", readonly=True, ondelete="cascade")
    company_id = fields.Many2one("res.company", compute="_compute_subject")
    currency_id = fields.Many2one("res.currency", compute="_compute_subject")
    amount_known = fields.Monetary(compute="_compute_subject", string="Amount in Question")
    effect = fields.Text("What It Does", compute="_compute_subject")

    amount = fields.Monetary(compute="_compute_amount", store=True, readonly=False)
    auth_code = ScrubbedChar("Authorisation", help="As printed on the terminal's slip.")
    slip = ScrubbedChar("Slip Number")
    last4 = ScrubbedChar("Last Four Digits")
    settlement = ScrubbedChar("Number of the Settlement")
    order_id = fields.Many2one(
        "pos.order", domain="[('company_id', '=', company_id), ('state', '!=', 'cancel')]", ondelete="cascade"
    )
    approval_id = fields.Many2one(
        "card.transaction",
        domain="[('company_id', '=', company_id), ('exception', 'in', ('approved_without_payment', 'paid_otherwise'))]",
        ondelete="cascade",
    )
    config_id = fields.Many2one("pos.config", "Point of Sale", domain="[('company_id', '=', company_id)]")
    product_id = fields.Many2one("product.product", domain="[('available_in_pos', '=', True)]")
    method_id = fields.Many2one(
        "pos.payment.method",
        "Payment Method",
        domain="[('use_payment_terminal', '=', 'card_terminal'), ('company_id', '=', company_id)]",
        compute="_compute_method",
        store=True,
        readonly=False,
    )
    reason = ScrubbedText(required=True, help="What you looked at: the slip, the terminal's report, the bank.")

    @api.model
    def _selection_action(self):
        return list(self.env["card.decision.mixin"]._action_labels().items())

    def _subject(self):
        self.ensure_one()
        return self.transaction_id or self.payment_id

    @api.depends("transaction_id", "payment_id", "action")
    def _compute_subject(self):
        for wizard in self:
            subject = wizard._subject()
            wizard.company_id = subject.company_id
            wizard.currency_id = subject.currency_id
            wizard.amount_known = (
                wizard.transaction_id.amount_approved
                or wizard.transaction_id.amount_requested
                or wizard.payment_id.amount
            )
            wizard.effect = wizard._effects().get(wizard.action, "")

    @api.depends("transaction_id")
    def _compute_amount(self):
        for wizard in self:
            wizard.amount = wizard.transaction_id.amount_requested or abs(wizard.payment_id.amount)

    @api.depends("transaction_id", "payment_id")
    def _compute_method(self):
        for wizard in self:
            wizard.method_id = wizard._subject()._suspense_method() if wizard._subject() else False

    def _effects(self):
        return {
            "attach": self.env._(
                "The money becomes a card payment of an order. An open order that is paid by it is closed."
            ),
            "book": self.env._(
                "A new order of one product over exactly this amount, paid by this approval, in the open session; "
                "in a rescue session where none is open."
            ),
            "refund": self.env._(
                "The till may give this amount back to the card on the terminal, once, within 24 hours."
            ),
            "suspense": self.env._(
                "An entry between the card method's outstanding account and the suspense account. It is reversed by "
                "itself once the money finds its place. The session can be closed."
            ),
            "force_done": self.env._("The payment counts. If the terminal says otherwise later, you are told."),
            "force_cancel": self.env._("Nothing was charged: the order can be paid again."),
            "not_paid": self.env._(
                "An open order can be paid again. Where the sale is booked already, an entry keeps what never came on "
                "the suspense account."
            ),
            "typed_by_hand": self.env._(
                "The payment counts on your word, and stays on the desk until a settlement shows it."
            ),
            "matched": self.env._("The terminal's settlement shows this payment: the matter is closed."),
            "acknowledge": self.env._(
                "Nothing is booked. It stays on record and no longer stops a session from being closed."
            ),
        }

    def action_decide(self):
        """Carry the decision out, say what was done, and go back to the desk."""
        self.ensure_one()
        needed = {
            "book": self.product_id, "matched": self.settlement, "typed_by_hand": self.slip,
            "attach": self.order_id if self.transaction_id else self.approval_id,
        }  # fmt: skip
        if not needed.get(self.action, True):
            raise UserError(self.env._("Fill in what the decision needs."))
        text = self._subject()._decide(self.action, self.reason, {
            "amount_minor": to_minor(self.amount, self.currency_id),
            "auth_code": self.auth_code or "",
            "slip": self.slip or "",
            "last4": self.last4 or "",
            "settlement": self.settlement or "",
            "order": self.order_id.uuid,
            "transaction": self.approval_id.uuid,
            "config_id": self.config_id.id,
            "product_id": self.product_id.id,
            "method_id": self.method_id.id,
        })  # fmt: skip
        desk = self.env["ir.actions.act_window"]._for_xml_id("pos_card_terminal.action_card_exception")
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {"type": "success", "message": text, "next": {**desk, "target": "main"}},
        }
