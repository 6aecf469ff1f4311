"""Settlements: what the terminal told, what a person typed from its ticket, and who may ask for one."""

import uuid

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .common import KEY, CardTerminalCase, decode_grant


@tagged("post_install", "-at_install")
class TestSettlement(CardTerminalCase):
    def setUp(self):
        super().setUp()
        self.pos_session = self.open()

    def settle(self, totals, state="approved"):
        """Let the driver report a settlement and return (its transaction's uuid, what Odoo keeps of it)."""
        transaction = self.ask("", "", 0, kind="settlement", currency="")
        self.journal.add(state, transaction, state=state, code=state, text=state, totals=totals)
        self.report()
        return transaction, self.env["card.terminal.settlement"].search([("transaction_id.uuid", "=", transaction)])

    def type(self, **changes):
        request = {
            "uuid": str(uuid.uuid4()), "terminal": self.terminal.uuid, "transaction": None, "number": "0042",
            "totals": [{"brand": "CB", "count": 3, "amount": 4250}, {"brand": "AMEX", "count": 1, "amount": -500}],
        }  # fmt: skip
        return self.pos_session.with_user(self.cashier).card_terminal_settlement_totals({**request, **changes})

    def test_what_the_terminal_told(self):
        totals = [
            {"brand": "CB", "count": 12, "amount": 45310, "currency": self.currency_name},
            {"count": 2, "amount": -1000, "currency": self.currency_name},
        ]
        transaction, settlement = self.settle(totals)
        self.assertEqual(settlement.source, "terminal")
        self.assertEqual(settlement.line_ids.mapped(lambda line: (line.brand, line.count, line.amount)), [
            ("CB", 12, 453.10), ("", 2, -10.0),
        ])  # fmt: skip
        self.assertEqual((settlement.count, settlement.amount), (14, 443.10))
        self.assertEqual(settlement.session_id, self.pos_session)
        self.assertFalse(settlement.transaction_id.needs_attention)
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self.type(transaction=transaction)
        with self.assertRaises(UserError), self.env.cr.savepoint():
            settlement.line_ids[0].amount = 1
        with self.assertRaises(UserError), self.env.cr.savepoint():
            settlement.line_ids[0].unlink()
        with self.assertRaises(UserError), self.env.cr.savepoint():
            settlement.with_user(self.env.ref("base.user_admin")).number = "1"
        with self.assertRaises(UserError), self.env.cr.savepoint():
            settlement.unlink()

    def test_told_again_it_is_kept_once(self):
        transaction, settlement = self.settle([{"brand": "CB", "count": 1, "amount": 100}])
        said = {"state": "approved", "totals": [{"brand": "CB", "count": 9, "amount": 900}]}
        self.journal.add("late_answer", transaction, **said)
        self.report()
        found = self.env["card.terminal.settlement"].search([("terminal_id", "=", self.terminal.id)])
        self.assertEqual(found, settlement)
        self.assertEqual(found.amount, 1.0)

    def test_a_terminal_that_told_no_totals_has_its_ticket_typed(self):
        for told in (None, []):
            transaction, settlement = self.settle(told)
            self.assertEqual((settlement.source, settlement.count), ("none", 0))
            request = {"transaction": transaction}
            known = self.pos_session.with_user(self.cashier).card_terminal_settlement(request)
            self.assertEqual(known["source"], "none")
            answer = self.type(transaction=transaction)
            self.assertEqual(answer["source"], "typed")
            self.assertEqual(answer["totals"][0], {"brand": "CB", "count": 3, "amount": 4250})
            self.assertEqual((settlement.amount, settlement.number), (37.5, "0042"))
            self.assertEqual((settlement.typed_by, bool(settlement.typed_at)), (self.cashier, True))

    def test_a_settlement_that_failed_is_none(self):
        for state in ("failed", "declined"):
            self.assertFalse(self.settle(None, state)[1])

    def test_typed_alone_and_once(self):
        request = {"uuid": str(uuid.uuid4())}
        self.assertEqual(self.type(**request), self.type(**request))
        settlement = self.env["card.terminal.settlement"].search([("uuid", "=", request["uuid"])])
        self.assertEqual((settlement.source, settlement.count, settlement.amount), ("typed", 4, 37.5))
        self.assertEqual(settlement.typed_by, self.cashier)

    def test_totals_that_are_none(self):
        good = {"brand": "CB", "count": 1, "amount": 100}
        for totals in (
            None, [], "CB", [good] * 51, [{**good, "count": -1}], [{**good, "count": True}], [{**good, "amount": 1.5}],
            [{**good, "amount": 10**12}], [{**good, "brand": 7}], [{"brand": "CB"}], [["CB", 1, 100]],
        ):  # fmt: skip
            with self.subTest(totals), self.assertRaises(UserError), self.env.cr.savepoint():
                self.type(totals=totals)
        self.assertFalse(self.env["card.terminal.settlement"].search_count([("terminal_id", "=", self.terminal.id)]))

    def test_card_numbers_are_not_kept(self):
        answer = self.type(
            number="4970 1000 0000 0055", totals=[{"brand": "4970100000000055", "count": 1, "amount": 1}]
        )
        self.assertNotIn("49701000", f"{answer}".replace(" ", ""))

    def test_in_the_back_office(self):
        action = self.terminal.action_view_settlements()
        with Form(self.env["card.terminal.settlement"].with_context(**action["context"])) as form:
            form.number = "17"
            with form.line_ids.new() as line:
                line.brand, line.count, line.amount = "VISA", 2, 30
        self.assertEqual((form.record.terminal_id, form.record.source), (self.terminal, "typed"))
        self.assertEqual(form.record.typed_by, self.env.user)
        self.assertEqual(self.terminal.settlement_count, 1)

    def test_the_grant_is_over_exactly_this(self):
        self.terminal.options = {"settlement": True}
        request = {"uuid": str(uuid.uuid4()), "terminal": self.terminal.uuid}
        answer = self.pos_session.with_user(self.cashier).card_terminal_settlement_grant(request)
        claims = decode_grant(answer["grant"], KEY)
        wanted = {"typ": "once", "uuid": request["uuid"], "kind": "settlement", "terminal": self.terminal.uuid}
        self.assertLessEqual({**wanted, "max_amount": 0, "original": None}.items(), claims.items())

    def test_no_grant(self):
        session = self.pos_session.with_user(self.cashier)
        request = {"uuid": str(uuid.uuid4()), "terminal": self.terminal.uuid}
        with self.assertRaisesRegex(UserError, "cannot do that"):
            session.card_terminal_settlement_grant(request)
        self.terminal.options = {"settlement": True}
        for changes in ({"terminal": str(uuid.uuid4())}, {"terminal": None}, {"uuid": "x"}, {"uuid": None}):
            with self.subTest(changes), self.assertRaises(UserError):
                session.card_terminal_settlement_grant({**request, **changes})
        nobody = self.cashier.copy({"login": "nobody", "group_ids": [(6, 0, self.env.ref("base.group_user").ids)]})
        with self.assertRaises(AccessError):
            self.pos_session.with_user(nobody).card_terminal_settlement_grant(request)

    def test_from_the_back_office_through_odoo(self):
        self.terminal.options = {"settlement": True}
        with self.assertRaisesRegex(UserError, "at the till"):
            self.terminal.action_settle()
        self.receive({**self.journal.payload(1), "relay": True})
        self.assertEqual(self.terminal.action_settle()["tag"], "display_notification")
        self.pos_session.close_session_from_ui()
        with self.assertRaisesRegex(UserError, "Open a point of sale"):
            self.terminal.action_settle()
