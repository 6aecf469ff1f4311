"""The exceptions desk: what is on it, what may be done about each, and what comes of it."""

import uuid

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from ..models.card_decision import DECISIONS
from .common_books import BooksCase


@tagged("post_install", "-at_install")
class TestDesk(BooksCase):
    def actions(self, record):
        return record.sudo()._decision_actions()

    def assertKept(self, record, action):
        """Who, when and why are kept, and cannot be changed."""
        log = self.env["card.approval"].search([("action", "=", action), ("result", "=", "done")], limit=1)
        self.assertEqual((log.approver_id, log.reason), (self.manager, "Looked at the slip."))
        self.assertIn(record, (log.transaction_id, log.payment_id))
        with self.assertRaises(UserError):
            log.reason = "Something else."
        with self.assertRaises(UserError):
            log.unlink()

    # What is on the desk ----------------------------------------------------------------------------------------------

    def test_every_kind_is_in_one_list(self):
        unknown = self.end(str(uuid.uuid4()), str(uuid.uuid4()), "unknown")
        loose = self.sell(str(uuid.uuid4()), str(uuid.uuid4()))
        forged = self.forged()
        asked = self.ask(str(uuid.uuid4()), str(uuid.uuid4()))
        reported = self.sell(str(uuid.uuid4()), str(uuid.uuid4()))
        order, line = str(uuid.uuid4()), str(uuid.uuid4())
        differs = self.sell(order, line, 900)
        self.paid_order(order, line, differs.uuid)
        alone = self.paid_order(str(uuid.uuid4()), str(uuid.uuid4()), str(uuid.uuid4())).payment_ids
        self.env.cr.execute("UPDATE pos_payment SET payment_date = payment_date - interval '1 hour'")
        found = {
            record: self.row(record).exception
            for record in (unknown, loose, forged, self.transaction(asked), reported, differs, alone)
        }
        self.assertEqual(
            list(found.values()),
            ["unknown", "approved_without_payment", "no_approval", "under_way", "approved_without_payment",
             "payment_differs", "not_reported"],
        )  # fmt: skip
        rows = self.env["card.exception"].search([])
        self.assertEqual(len(rows), len(found))
        self.assertEqual(set(rows.mapped("stage")), {"open"})

    def test_a_good_sale_is_not_on_it(self):
        sale = self.charge()
        order = self.paid_order(self.order, self.line, sale.uuid)
        self.assertFalse(self.row(sale))
        self.assertFalse(self.row(order.payment_ids))

    def test_a_till_has_a_moment_to_bring_the_order(self):
        sale = self.charge()
        self.env.cr.execute("UPDATE card_transaction SET ended_at = now() at time zone 'UTC' WHERE id = %s", [sale.id])
        self.assertFalse(self.row(sale))
        self.assertTrue(sale.needs_attention)

    def test_evidence_side_by_side(self):
        order = self.sync(self.order_data(self.order, [self.card_line(self.line, None, state=False)], state="draft"))
        sale = self.sell(self.order, self.line, 900, operator="<b>Ann</b>")
        row = self.row(sale)
        details = {label: (till, terminal) for label, till, terminal, _same in row._details()}
        self.assertIn("10.00", details["Amount"][0])
        self.assertIn("9.00", details["Amount"][1])
        self.assertIn("4242", details["Card"][1])
        self.assertEqual(details["Authorisation"][1], "A1B2C3")
        self.assertIn(order.pos_reference, details["Order"][0])
        self.assertIn("&lt;b&gt;Ann", row.comparison)
        self.assertNotIn("<b>Ann", row.comparison)

    def test_the_terminals_last_result_stands_beside_what_was_asked(self):
        transaction = self.end(self.order, self.line, "unknown")
        for amount, matches in ((1000, ["amount", "newer"]), (1000, ["amount", "newer"]), (250, [])):
            self.journal.add("evidence", transaction.uuid, state="approved", amount_approved=amount, matches=matches)
        self.report()
        told = [row[1:] for row in self.row(transaction)._details() if row[0] == "Its last result, when asked"]
        self.assertEqual([row[0] for row in told], [
            "agrees in: amount, later than the payment before", "agrees in: nothing",
        ])  # fmt: skip
        self.assertIn("10.00", told[0][1])
        self.assertIn("2.50", told[1][1])

    def test_the_timeline_says_what_happened(self):
        transaction = self.end(self.order, self.line, "unknown")
        self.journal.add(
            "evidence", transaction.uuid, state="approved", amount_approved=1000, text="<img onerror=1>",
            matches=["amount", "time"],
        )  # fmt: skip
        self.report()
        self.assertEqual(transaction.state, "unknown")
        steps = [step["text"] for step in transaction._timeline()]
        self.assertEqual(len(steps), 4)
        self.assertIn("10.00", steps[0])
        self.assertIn("amount, time", steps[3])
        self.assertNotIn("<img", self.row(transaction).timeline)
        self.decide(transaction, "force_done")
        self.assertIn("Looked at the slip.", transaction._timeline()[-1]["text"])

    def test_forms_open(self):
        for record in (self.charge(), self.end(str(uuid.uuid4()), str(uuid.uuid4()), "unknown")):
            row = self.row(record).with_user(self.manager)
            row.web_read({"comparison": {}, "timeline": {}, "actions": {}, "advice": {}, "order_state": {}})
            for action in row.actions.split(","):
                dialog = row.with_context(card_action=action).action_decide()
                form = Form(self.env["card.decision"].with_user(self.manager).with_context(**dialog["context"]))
                self.assertTrue(form.effect)

    # The table --------------------------------------------------------------------------------------------------------

    def test_the_table_names_methods(self):
        labels = self.env["card.decision.mixin"]._action_labels()
        for exception, states in DECISIONS.items():
            model = "pos.payment" if exception in ("no_approval", "not_reported") else "card.transaction"
            for action in {action for actions in states.values() for action in actions}:
                self.assertIn(action, labels)
                self.assertTrue(callable(getattr(self.env[model], f"_decide_{action}", None)), (model, action))

    def test_actions_follow_the_orders_state(self):
        loose = self.charge()
        self.assertEqual(self.actions(loose), ["attach", "book", "refund", "suspense", "acknowledge"])
        self.draft(order=self.order)
        loose._join()
        self.assertEqual(self.actions(loose), ["attach", "refund", "suspense", "acknowledge"])
        self.sync(self.order_data(self.order, [self.cash_line()]))
        self.assertEqual(loose.exception, "paid_otherwise")
        self.assertEqual(self.actions(loose), ["refund", "attach", "suspense", "acknowledge"])
        with self.assertRaises(UserError):
            self.decide(loose, "book", product_id=self.product.id)

    def test_only_managers_decide(self):
        loose = self.charge()
        for user in (self.cashier, self.env.ref("base.public_user")):
            with self.assertRaises(AccessError):
                self.decide(loose, "acknowledge", user=user)
        with self.assertRaises(AccessError):
            self.env["card.decision"].with_user(self.cashier).create(
                {"action": "acknowledge", "transaction_id": loose.id, "reason": "x"}
            )
        with self.assertRaises(AccessError):
            self.env["card.approval"].with_user(self.cashier).create({"action": "attach", "result": "done"})
        with self.assertRaises(AccessError):
            self.env["card.approval"].with_user(self.cashier).search([])
        with self.assertRaises(UserError):
            loose.with_user(self.manager)._decide("acknowledge", "  ")
        self.assertTrue(loose.needs_attention)

    # Each action ------------------------------------------------------------------------------------------------------

    def test_attach_to_a_draft_pays_and_ends_it(self):
        loose, order = self.charge(), self.draft()
        self.decide(loose, "attach", order=order.uuid)
        self.assertEqual((order.state, order.amount_paid, loose.exception), ("paid", 10.0, "none"))
        self.assertEqual((loose.payment_id.pos_order_id, loose.payment_id.card_evidence), (order, "matched"))
        self.assertEqual(loose.order_uuid, self.order)  # what the till said is kept
        self.assertKept(loose, "attach")
        self.assertFalse(self.row(loose))
        self.close()
        self.assertBooks({self.sales_account: -10.0, self.outstanding_bank: 10.0})

    def test_attach_part_leaves_the_rest_due(self):
        loose, order = self.charge(400), self.draft()
        self.decide(loose, "attach", order=order.uuid)
        self.assertEqual((order.state, order.amount_paid), ("draft", 4.0))
        more = self.sell(str(uuid.uuid4()), str(uuid.uuid4()), 700)
        with self.assertRaises(UserError):
            self.decide(more, "attach", order=order.uuid)
        self.assertFalse(more.payment_id)

    def test_attach_to_a_paid_order_takes_its_unsupported_line(self):
        line, loose = self.forged(), self.sell(str(uuid.uuid4()), str(uuid.uuid4()))
        other = self.sell(str(uuid.uuid4()), str(uuid.uuid4()), 900)
        with self.assertRaises(UserError):
            self.decide(other, "attach", order=self.order)
        self.decide(loose, "attach", order=self.order)
        self.assertEqual((line.card_transaction_id, line.card_evidence, line.card_no), (loose, "matched", "4242"))
        self.assertFalse(self.row(line))

    def test_attach_from_the_lines_side(self):
        line, loose = self.forged(), self.sell(str(uuid.uuid4()), str(uuid.uuid4()))
        self.assertEqual(self.actions(line), ["attach", "typed_by_hand", "not_paid", "acknowledge"])
        self.decide(line, "attach", transaction=loose.uuid)
        self.assertEqual((line.card_transaction_id, loose.exception), (loose, "none"))
        self.close()
        self.assertBooks({self.sales_account: -10.0, self.outstanding_bank: 10.0})

    def test_attach_after_closing(self):
        line = self.forged()
        line._acknowledge_card("Found later.")
        self.close()
        self.open()
        loose = self.sell(str(uuid.uuid4()), str(uuid.uuid4()))
        before = self.balances()
        self.decide(loose, "attach", order=self.order)
        self.assertEqual((line.card_evidence, loose.exception), ("matched", "none"))
        self.assertBooks(before)

    def test_a_draft_with_another_amount_takes_the_approved_one(self):
        order = self.sync(
            self.order_data(self.order, [self.card_line(self.line, None, 10.0, state=False)], state="draft")
        )
        sale = self.charge(900)
        order.payment_ids.card_transaction_uuid = sale.uuid
        sale._join()
        self.assertEqual((sale.exception, self.actions(sale)), ("payment_differs", ["attach"]))
        self.decide(sale, "attach", order=self.order)
        self.assertEqual((order.payment_ids.amount, sale.exception, order.state), (9.0, "none", "draft"))

    def test_two_managers_at_once_decide_once(self):
        loose = self.charge()
        one, two = self.draft(), self.draft()
        self.decide(loose, "attach", order=one.uuid)
        with self.assertRaises(UserError):
            self.decide(loose, "attach", order=two.uuid)
        self.assertEqual((one.state, two.state, len(two.payment_ids)), ("paid", "draft", 0))

    def test_book_on_a_new_order(self):
        loose = self.charge(1234)
        self.decide(loose, "book", product_id=self.product.id)
        order = loose.order_id
        self.assertEqual((order.state, order.amount_total, order.session_id), ("paid", 12.34, self.session))
        self.assertEqual(order.lines.product_id, self.product)
        self.assertKept(loose, "book")
        self.close()
        self.assertBooks({self.sales_account: -12.34, self.outstanding_bank: 12.34})

    def test_book_with_tax(self):
        taxed = self.create_product("Lunch", self.categ_basic, 12.0, tax_ids=self.taxes["tax10"].ids)
        self.decide(self.charge(1200), "book", product_id=taxed.id)
        self.close()
        self.assertBooks({
            self.sales_account: -10.91, self.tax_received_account: -1.09, self.outstanding_bank: 12.0
        })  # fmt: skip

    def test_book_with_a_tax_that_comes_on_top(self):
        taxed = self.create_product("Lunch", self.categ_basic, 12.0, tax_ids=self.taxes["tax7"].ids)
        self.assertFalse(self.taxes["tax7"].price_include)
        self.decide(self.charge(1070), "book", product_id=taxed.id)
        self.close()
        self.assertBooks({
            self.sales_account: -10.0, self.tax_received_account: -0.7, self.outstanding_bank: 10.7
        })  # fmt: skip

    def test_book_money_that_went_back(self):
        loose = self.charge(1000, kind="refund")
        self.decide(loose, "book", product_id=self.product.id)
        self.assertEqual((loose.order_id.amount_total, loose.order_id.state), (-10.0, "paid"))
        self.close()
        self.assertBooks({self.sales_account: 10.0, self.outstanding_bank: -10.0})

    def test_book_where_no_session_is_open(self):
        self.close()
        loose = self.charge(session=self.session.name)
        self.decide(loose, "book", product_id=self.product.id)
        rescue = loose.order_id.session_id
        self.assertEqual((rescue.rescue, rescue.state, rescue.config_id), (True, "opened", self.config))
        rescue.action_pos_session_closing_control()
        self.assertEqual(rescue.state, "closed")
        self.assertBooks({self.sales_account: -10.0, self.outstanding_bank: 10.0})

    def test_not_paid_opens_a_draft_again(self):
        line = self.forged(state="draft")
        self.assertEqual(
            (line.card_evidence, self.actions(line)), ("exception", ["attach", "typed_by_hand", "not_paid"])
        )
        self.decide(line, "not_paid")
        self.assertEqual((line.card_evidence, line.pos_order_id.amount_paid), ("none", 0.0))
        self.assertKept(line, "not_paid")
        line.unlink()
        self.sync({**self.order_data(self.order, [self.cash_line()]), "lines": []})
        self.close()
        self.assertBooks({self.sales_account: -10.0, self.cash_pm1.journal_id.default_account_id: 10.0})

    def test_a_line_only_the_till_told_of(self):
        line = self.paid_order(self.order, self.line, str(uuid.uuid4())).payment_ids
        self.assertEqual(self.actions(line), ["force_done", "force_cancel"])
        self.decide(line, "force_done", amount_minor=1000, auth_code="778899")
        self.assertEqual((line.card_evidence, line.card_transaction_id.settled_by), ("matched", self.manager))
        self.assertEqual(line.card_transaction_id.origin, "till")
        self.close()

    def test_a_refund_needs_no_order(self):
        loose = self.charge()
        self.decide(loose, "refund")
        self.assertTrue(loose._refund_is_allowed())
        self.assertTrue(self.row(loose))  # until the terminal has given it back
        told = self.session.with_user(self.cashier).card_terminal_decide(
            {"action": "refund", "uuid": loose.uuid, "reason": "Given back.", "manager": None, "pin": None}
        )
        refund = told["refund"]
        self.assertEqual((refund["amount"], refund["original"], refund["kind"]), (1000, loose.uuid, "refund"))
        with self.assertRaises(UserError):
            self.session.with_user(self.cashier).card_terminal_decide(
                {"action": "refund", "uuid": loose.uuid, "reason": "Twice.", "manager": None, "pin": None}
            )
        self.ask(None, None, 1000, kind="refund", transaction=refund["uuid"], original={"uuid": loose.uuid})
        self.approve(refund["uuid"])
        self.report()
        back = self.transaction(refund["uuid"])
        self.assertEqual((loose.exception, back.exception), ("none", "none"))
        self.assertFalse(self.row(loose) | self.row(back))
        self.close()
        self.assertBooks({})

    def test_a_refund_in_part_settles_nothing(self):
        loose = self.charge()
        refund = self.ask(None, None, 400, kind="refund", original={"uuid": loose.uuid})
        self.approve(refund, 400)
        self.report()
        self.assertEqual(
            (loose.exception, self.transaction(refund).exception),
            ("approved_without_payment", "approved_without_payment"),
        )

    def test_a_permission_ends(self):
        loose = self.charge()
        self.decide(loose, "refund")
        loose.sudo().refund_allowed_at = fields.Datetime.subtract(fields.Datetime.now(), hours=25)
        with self.enter_registry_test_mode(), self.assertRaises(UserError):
            self.session.with_user(self.cashier).card_terminal_decide(
                {"action": "refund", "uuid": loose.uuid, "reason": "Late.", "manager": None, "pin": None}
            )

    # Alerts -----------------------------------------------------------------------------------------------------------

    def test_managers_hear_of_what_stays_unknown(self):
        transaction = self.end(self.order, self.line, "unknown")
        notices = self.env["card.notice"].search([("code", "=", "unknown_too_long")])
        self.env["card.transaction"]._cron_join()
        told = self.env["card.notice"].search([("code", "=", "unknown_too_long")]) - notices
        self.assertEqual((told.res_id, told.state, told.level), (transaction.id, "open", "danger"))
        self.env["card.transaction"]._cron_join()
        self.assertEqual(told.raised_count, 1)
        self.decide(transaction, "force_cancel")
        self.env["card.transaction"]._cron_join()
        self.assertEqual(told.state, "done")

    def test_a_fresh_unknown_is_no_alert(self):
        transaction = self.end(self.order, self.line, "unknown")
        self.env.cr.execute("UPDATE card_transaction SET requested_at = now() at time zone 'UTC'")
        self.env.invalidate_all()
        self.env["card.transaction"]._cron_join()
        self.assertFalse(
            self.env["card.notice"].search([("res_id", "=", transaction.id), ("code", "=", "unknown_too_long")])
        )
