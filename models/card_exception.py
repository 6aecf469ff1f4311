"""The exceptions desk: everything about card money that needs a person, in one list.

A view on the database: nothing is copied, so it can neither miss nor invent anything.
"""

from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.misc import format_datetime

from ..hw_driver.protocols.states import OPEN
from .card_decision import SILENT_SECONDS
from .card_money import to_minor
from .card_suspense import ACCOUNTANT

#: Seconds in which a till may still bring the order of an approval, or a driver the approval of an order.
GRACE_SECONDS = 120


class CardException(models.Model):
    _name = "card.exception"
    _description = "Card Exception"
    _auto = False
    _order = "since desc, id desc"
    _depends = {
        "card.transaction": [
            "amount_approved", "amount_requested", "attached_order_uuid", "card_suspense_move_id", "company_id",
            "config_id", "ended_at", "exception", "needs_attention", "order_id", "order_uuid", "payment_id",
            "requested_at", "session_id", "state", "terminal_id", "uuid",
        ],
        "pos.payment": [
            "amount", "card_acknowledged_at", "card_evidence", "card_suspense_move_id", "card_terminal_id",
            "card_transaction_id", "card_transaction_uuid", "company_id", "payment_date", "pos_order_id", "session_id",
        ],
        "pos.order": ["company_id", "config_id", "session_id", "uuid"],
        "pos.session": ["config_id"],
    }  # fmt: skip

    transaction_id = fields.Many2one("card.transaction", readonly=True)
    payment_id = fields.Many2one("pos.payment", readonly=True)
    order_id = fields.Many2one("pos.order", readonly=True)
    order_ref = fields.Char("Order Number", related="order_id.pos_reference")
    company_id = fields.Many2one("res.company", readonly=True)
    config_id = fields.Many2one("pos.config", "Point of Sale", readonly=True)
    session_id = fields.Many2one("pos.session", readonly=True)
    terminal_id = fields.Many2one("card.terminal", readonly=True)
    exception = fields.Selection(selection="_selection_exception", readonly=True)
    stage = fields.Selection(
        [("open", "To settle"), ("by_hand", "By hand, to match"), ("suspense", "In suspense")], readonly=True
    )
    since = fields.Datetime(readonly=True)
    amount = fields.Monetary(readonly=True)
    currency_id = fields.Many2one("res.currency", compute="_compute_evidence")
    operator = fields.Char("Cashier", compute="_compute_evidence")
    brand = fields.Char(compute="_compute_evidence")
    last4 = fields.Char("Last Four Digits", compute="_compute_evidence")
    auth_code = fields.Char("Authorisation", compute="_compute_evidence")
    order_state = fields.Selection(
        [
            ("none", "No order"), ("draft", "Open order"), ("paid", "Paid order"), ("invoiced", "Invoiced order"),
            ("closed", "Order of a closed session"),
        ],
        compute="_compute_evidence",
    )  # fmt: skip
    advice = fields.Char(compute="_compute_evidence")
    actions = fields.Char(compute="_compute_evidence", help="What may be done now, by name.")
    comparison = fields.Html(compute="_compute_sheets", sanitize=False)
    timeline = fields.Html(compute="_compute_sheets", sanitize=False)
    receipt = fields.Text("Customer's Slip", related="transaction_id.receipt")
    card_suspense_move_id = fields.Many2one(
        "account.move", "Entry in Suspense", compute="_compute_evidence", groups=ACCOUNTANT
    )

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT 2 * t.id AS id, t.id AS transaction_id, t.payment_id, COALESCE(o.id, t.order_id) AS order_id,
                   t.company_id, COALESCE(o.config_id, t.config_id) AS config_id,
                   COALESCE(o.session_id, t.session_id) AS session_id, t.terminal_id, t.requested_at AS since,
                   COALESCE(NULLIF(t.amount_approved, 0), t.amount_requested) AS amount,
                   CASE WHEN t.state IN ('requested', 'sent') THEN 'under_way' ELSE t.exception END AS exception,
                   CASE WHEN t.exception = 'typed_by_hand' AND t.needs_attention THEN 'by_hand'
                        WHEN t.card_suspense_move_id IS NOT NULL AND NOT t.needs_attention THEN 'suspense'
                        ELSE 'open' END AS stage
              FROM card_transaction t
         LEFT JOIN pos_order o ON o.uuid = COALESCE(t.attached_order_uuid, t.order_uuid)
                              AND o.company_id = t.company_id
             WHERE t.card_suspense_move_id IS NOT NULL
                OR (t.needs_attention AND NOT (t.exception = 'approved_without_payment'
                    AND t.ended_at > (now() AT TIME ZONE 'UTC') - %(grace)s * interval '1 second'))
                OR (t.state IN ('requested', 'sent')
                    AND t.requested_at < (now() AT TIME ZONE 'UTC') - %(silent)s * interval '1 second')
         UNION ALL
            SELECT 2 * p.id + 1, NULL, p.id, p.pos_order_id, p.company_id, s.config_id, p.session_id,
                   p.card_terminal_id, p.payment_date, p.amount,
                   CASE p.card_evidence WHEN 'pending' THEN 'not_reported' ELSE 'no_approval' END,
                   CASE WHEN p.card_suspense_move_id IS NOT NULL THEN 'suspense' ELSE 'open' END
              FROM pos_payment p
         LEFT JOIN pos_session s ON s.id = p.session_id
             WHERE p.card_transaction_id IS NULL
               AND (p.card_suspense_move_id IS NOT NULL
                    OR (p.card_evidence = 'exception' AND p.card_acknowledged_at IS NULL)
                    OR (p.card_evidence = 'pending'
                        AND p.payment_date < (now() AT TIME ZONE 'UTC') - %(grace)s * interval '1 second'
                        AND NOT EXISTS (SELECT 1 FROM card_transaction t WHERE t.uuid = p.card_transaction_uuid)))
            """,
            grace=GRACE_SECONDS,
            silent=SILENT_SECONDS,
        )

    @api.model
    def _selection_exception(self):
        known = self.env["card.transaction"]._fields["exception"]._description_selection(self.env)
        return [
            *known,
            ("under_way", self.env._("Under way, and the driver says nothing more")),
            ("no_approval", self.env._("Card payment without an approval")),
            ("not_reported", self.env._("Not reported by any driver")),
        ]

    @api.depends("exception", "amount", "config_id")
    def _compute_display_name(self):
        for row in self:
            row.display_name = row._subject().display_name

    def _subject(self):
        """Return what is decided about: the transaction, or the payment line that has none."""
        self.ensure_one()
        return self.transaction_id or self.payment_id

    @api.depends("transaction_id", "payment_id")
    def _compute_evidence(self):
        for row in self:
            subject = row._subject().sudo()
            payment = row.payment_id.sudo()
            said = row.transaction_id.sudo()
            row.currency_id = subject.currency_id
            row.operator = said.operator or payment.pos_order_id.user_id.name
            row.brand = said.brand or payment.card_brand
            row.last4 = said.last4 or payment.card_no
            row.auth_code = said.auth_code or payment.payment_method_authcode
            row.order_state = subject._decision_order_state()
            row.actions = ",".join(subject._decision_actions())
            row.advice = subject._decision_advice()
            row.card_suspense_move_id = subject.card_suspense_move_id

    # Evidence, side by side -------------------------------------------------------------------------------------------

    @api.depends("transaction_id", "payment_id")
    def _compute_sheets(self):
        for row in self:
            values = {"rows": row._details(), "steps": row._steps()}
            qweb = self.env["ir.qweb"]
            row.comparison = qweb._render("pos_card_terminal.card_exception_comparison", values)
            row.timeline = qweb._render("pos_card_terminal.card_exception_timeline", values)

    def _details(self):
        """Return [label, at the till, at the terminal, whether they agree (None: not comparable)] of what is known."""
        said, payment, order = self.transaction_id.sudo(), self.payment_id.sudo(), self.order_id.sudo()
        if said and not payment and said.payment_uuid:
            payment = payment.search([("uuid", "=", said._place()[1])])
        states = dict(said._fields["state"]._description_selection(self.env))
        order_states = dict(self._fields["order_state"]._description_selection(self.env))
        booked = payment and to_minor(payment.amount, payment.currency_id)
        open_question = said and said.state in OPEN
        differs = said and not open_question and payment and booked != (said._is_booked() and said._signed_minor())
        rows = [
            (
                self.env._("Amount"),
                payment and _money(payment.amount, payment.currency_id),
                self._charged(said) if said else self.env._("no approval"),
                not (differs or (payment and not said)),
            ),
            (self.env._("Asked for"), "", said and _money(said.amount_requested, said.currency_id), None),
            (
                self.env._("State"),
                payment and (payment.card_text or payment.payment_status or self.env._("paid")),
                said and ": ".join(filter(None, [states[said.state], said.text])),
                None,
            ),
            (
                self.env._("Order"),
                order and f"{order.pos_reference or order.name}, {order_states[self.order_state]}",
                "",
                None,
            ),
            (self.env._("Order total"), order and _money(order.amount_total, order.currency_id), "", None),
            (
                self.env._("Time"),
                self._local(payment.payment_date),
                said and (said.terminal_time or self._local(said.ended_at)),
                None,
            ),
            (self.env._("Card"), _card(payment.card_brand, payment.card_no), _card(said.brand, said.last4), None),
            (self.env._("Authorisation"), payment.payment_method_authcode, said.auth_code, None),
            (
                self.env._("Terminal"),
                payment.card_terminal_id.name,
                ", ".join(filter(None, [said.terminal_id.name, said.terminal_ref, said.contract])),
                None,
            ),
            (self.env._("Cashier"), said.operator or order.user_id.name, "", None),
            (self.env._("Slip"), "", said.slip, None),
            *self._last_results(said),
        ]
        return [[label, till or "", terminal or "", same] for label, till, terminal, same in rows if till or terminal]

    def _last_results(self, said):
        """Return rows for what the terminal told as its last result, which need not be this payment."""
        told = {}
        for event in said.event_ids.filtered(lambda event: event.type == "evidence").sorted("seq"):
            told[event._result()] = event._agreement()
        label = self.env._("Its last result, when asked")
        return [(label, self.env._("agrees in: %s", agreement), result, None) for result, agreement in told.items()]

    def _charged(self, said):
        """Return in words what the terminal charged."""
        if said.state in OPEN:
            return self.env._("not known")
        return _money(said.amount_approved if said._is_approved() else 0, said.currency_id)

    def _local(self, at):
        """Return a time as the user's clock shows it, and as their language writes it."""
        return at and format_datetime(self.env, at)

    def _steps(self):
        """Return the timeline of the transaction, or of what was decided about a line that has none."""
        if self.transaction_id:
            steps = self.transaction_id._timeline()
        else:
            steps = self.payment_id.sudo().card_approval_ids._timeline_steps()
            steps.insert(0, {"at": self.since, "who": self.config_id.name, "text": self._written_by_till()})
        return [{**step, "when": self._local(step["at"])} for step in steps]

    def _written_by_till(self):
        return self.env._("The till wrote a card payment of %s.", self.currency_id.format(self.amount))

    # Decisions --------------------------------------------------------------------------------------------------------

    def action_decide(self):
        """Open the dialog of the decision that the button names (context `card_action`)."""
        self.ensure_one()
        action = self.env.context["card_action"]
        return {
            "type": "ir.actions.act_window",
            "name": self.env["card.decision.mixin"]._action_labels()[action],
            "res_model": "card.decision",
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_action": action,
                "default_transaction_id": self.transaction_id.id,
                "default_payment_id": not self.transaction_id and self.payment_id.id,
            },
        }

    def action_open_subject(self):
        """Open the transaction, or the payment line that has none."""
        return self._subject()._get_records_action()

    def action_open_order(self):
        """Open the order."""
        self.ensure_one()
        return self.order_id._get_records_action()

    # To the till ------------------------------------------------------------------------------------------------------

    def _to_till(self):
        """Return this row as the till's short desk shows it."""
        self.ensure_one()
        said, payment, currency = self.transaction_id, self.payment_id, self.currency_id
        exceptions = dict(self._selection_exception())
        return {
            "uuid": said.uuid or None,
            "line": said._place()[1] if said else payment.uuid,
            "order": self.order_id.uuid or (said.order_uuid if said else None) or None,
            "exception": self.exception,
            "title": exceptions[self.exception],
            "reference": self.order_id.pos_reference or "",
            "terminal": self.terminal_id.name or "",
            "till": said.till or self.config_id.name or "",
            "operator": self.operator or "",
            "kind": said.kind or ("refund" if payment.amount < 0 else "sale"),
            "amount": said.amount_requested_minor if said else abs(to_minor(payment.amount, currency)),
            "amount_approved": said.amount_approved_minor if said else 0,
            "currency": currency.name,
            "text": said.text or payment.card_text or "",
            "brand": self.brand or "",
            "last4": self.last4 or "",
            "auth_code": self.auth_code or "",
            "requested_at": _iso(self.since),
            "advice": self.advice,
            "actions": [action for action in (self.actions or "").split(",") if action not in ("", "book", "matched")],
            "permitted": ["refund"] if said and said._refund_is_allowed() else [],
            "details": [row[:3] for row in self._details()],
            "events": [[_iso(step["at"]), step["text"]] for step in self._steps()],
        }


def _card(brand, last4):
    return " ".join(filter(None, [brand, last4 and f"•••• {last4}"]))


def _money(amount, currency):
    return currency.format(amount) if currency else ""


def _iso(at):
    return at and f"{at.isoformat()}Z"
