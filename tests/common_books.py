"""A shop with a suspense account, whose whole books are added up after each step."""

import uuid

from .common import CardTerminalCase


class BooksCase(CardTerminalCase):
    """`session` is open; `close` closes it as the till does; `assertBooks` compares the balance of every account."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.suspense = cls.env["account.account"].create(
            {"name": "Card Suspense", "code": "471099", "account_type": "liability_current", "reconcile": True}
        )
        cls.company.card_suspense_account_id = cls.suspense
        cls.manager = cls.env["res.users"].create({
            "name": "Manager",
            "login": "card_manager",
            "company_id": cls.company.id,
            "company_ids": [(6, 0, cls.company.ids)],
            "group_ids": [(6, 0, [cls.env.ref("point_of_sale.group_pos_manager").id])],
            "card_approval_pin": "246810",
        })  # fmt: skip

    def setUp(self):
        super().setUp()
        self.session = self.open()
        self.order, self.line = str(uuid.uuid4()), str(uuid.uuid4())

    def close(self, session=None):
        session = session or self.session
        cash = session.order_ids.payment_ids.filtered(lambda line: line.payment_method_id == self.cash_pm1)
        session.post_closing_cash_details(sum(cash.mapped("amount")))
        self.assertEqual(session.close_session_from_ui(), {"successful": True})

    def decide(self, record, action, user=None, **values):
        """Let a manager decide in the back office; return what was done."""
        return record.with_user(user or self.manager)._decide(action, "Looked at the slip.", values)

    def row(self, record):
        """Return the desk's row of a transaction or payment line (empty where it is not on the desk)."""
        self.env.flush_all()
        field = "transaction_id" if record._name == "card.transaction" else "payment_id"
        rows = self.env["card.exception"].search([(field, "=", record.id)])
        return rows if field == "transaction_id" else rows.filtered(lambda row: not row.transaction_id)

    def balances(self):
        groups = self.env["account.move.line"]._read_group(
            [("parent_state", "=", "posted"), ("company_id", "=", self.company.id)], ["account_id"], ["balance:sum"]
        )
        return {account: round(balance, 2) for account, balance in groups if round(balance, 2)}

    def assertBooks(self, expected):
        """Every account of the company that is not at 0.00 is listed, to the cent."""
        self.assertEqual(self.balances(), expected)
        for move in self.env["account.move"].search([("company_id", "=", self.company.id), ("state", "=", "posted")]):
            self.assertEqual(round(sum(move.line_ids.mapped("balance")), 2), 0.0)

    def assertSettled(self, account):
        """Every line of a reconcilable account is matched."""
        lines = self.env["account.move.line"].search([("account_id", "=", account.id), ("parent_state", "=", "posted")])
        self.assertTrue(lines)
        self.assertEqual(lines.mapped("amount_residual"), [0.0] * len(lines))

    def charge(self, amount=1000, **changes):
        """Report an approval that no order holds."""
        return self.sell(self.order, self.line, amount, **changes)

    def draft(self, *payments, order=None):
        return self.sync(self.order_data(order or str(uuid.uuid4()), list(payments), state="draft"))

    def forged(self, amount=10.0, state="paid", status="done"):
        """Sync an order whose card line no terminal has approved; return the line."""
        line = self.card_line(
            self.line, None, amount, state=False, status=status, card_terminal_id=False, card_journal_ref=False
        )
        return self.sync(self.order_data(self.order, [line], state=state)).payment_ids
