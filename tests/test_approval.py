"""A manager's approval at the till: checked on the server, counted, locked, kept."""

import uuid
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common_books import BooksCase

PIN = "246810"


@tagged("post_install", "-at_install")
class TestApproval(BooksCase):
    def setUp(self):
        super().setUp()
        context = self.enter_registry_test_mode()
        context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        self.till = self.session.with_user(self.cashier)

    def request(self, action, user=None, **changes):
        """Ask as the till does: the cashier is logged in, a manager types the PIN."""
        session = self.session.with_user(user or self.cashier)
        return session.card_terminal_decide({
            "action": action, "manager": self.manager.id, "pin": PIN, "reason": "The slip says so.",
            "order": self.order, "line": self.line, **changes,
        })  # fmt: skip

    def refused(self, action, **changes):
        """Return the words of a refusal. Unlike `assertRaises` it rolls nothing back."""
        try:
            self.request(action, **changes)
        except UserError as error:
            return str(error)
        return self.fail("not refused")

    def results(self):
        return self.env["card.approval"].search([], order="id").mapped("result")

    # The PIN ----------------------------------------------------------------------------------------------------------

    def test_the_pin_is_never_shown(self):
        self.env.flush_all()
        self.env.cr.execute("SELECT card_approval_hash FROM res_users WHERE id = %s", [self.manager.id])
        (kept,) = self.env.cr.fetchone()
        self.assertTrue(kept.startswith("$pbkdf2-sha512$"))
        self.assertNotIn(PIN, kept)
        self.assertEqual(self.manager.card_approval_pin, "")
        for user in (self.cashier, self.manager, self.env.user):
            read = self.manager.with_user(user).sudo(False)
            with mute_logger("odoo.addons.base.models.ir_rule"), self.assertRaises(AccessError):
                read.read(["card_approval_hash"])
        self.assertNotIn("card_approval_hash", self.env["res.users"].fields_get())
        self.assertNotIn("card_approval_hash", self.manager.copy_data()[0])

    def test_the_pin_is_not_loaded_into_the_browser(self):
        loaded = self.env["res.users"]._load_pos_data_fields(self.config)
        self.assertFalse([name for name in loaded if name.startswith("card_")])
        data = self.session.with_user(self.cashier).load_data([])
        self.assertNotIn("pbkdf2", str(data))

    def test_a_user_sets_the_own_pin(self):
        self.manager.with_user(self.manager).write({"card_approval_pin": "97531"})
        self.assertTrue(self.manager._card_pin_is("97531"))
        self.assertFalse(self.manager._card_pin_is(PIN))
        with self.assertRaises(AccessError):
            self.manager.with_user(self.cashier).write({"card_approval_pin": "1111"})
        self.assertTrue(self.manager._card_pin_is("97531"))

    def test_pins_that_are_none(self):
        for pin in ("123", "12a4", "1" * 13, "１２３４"):
            with self.assertRaises(ValidationError), self.env.cr.savepoint():
                self.manager.card_approval_pin = pin
        self.manager.card_approval_pin = ""
        self.assertTrue(self.manager._card_pin_is(PIN))
        for pin in (None, "", 246810, True, ["246810"]):
            self.assertFalse(self.manager._card_pin_is(pin))
        self.assertFalse(self.cashier._card_pin_is(""))

    # Tries ------------------------------------------------------------------------------------------------------------

    def test_a_wrong_pin_decides_nothing_and_is_kept(self):
        unknown = self.end(self.order, self.line, "unknown")
        self.assertIn("4 more", self.refused("force_done", uuid=unknown.uuid, pin="0000"))
        self.assertEqual(unknown.state, "unknown")
        log = self.env["card.approval"].search([])
        self.assertEqual(
            (log.result, log.asked_by, log.approver_id, log.action, log.transaction_uuid),
            ("pin_wrong", self.cashier, self.manager, "force_done", unknown.uuid),
        )

    def test_five_wrong_tries_lock(self):
        unknown = self.end(self.order, self.line, "unknown")
        for _try in range(5):
            self.refused("force_done", uuid=unknown.uuid, pin="0000")
        self.assertIn("cannot approve until", self.refused("force_done", uuid=unknown.uuid))
        self.assertEqual(unknown.state, "unknown")
        self.assertEqual(self.results(), ["pin_wrong"] * 5 + ["locked"])
        self.assertTrue(self.env["card.notice"].search([("code", "=", "approval_locked")]))
        other = self.manager.copy({"login": "second", "card_approval_pin": "1357"})
        self.assertFalse(other._card_pin_is(PIN))
        self.env.flush_all()
        self.request("force_done", uuid=unknown.uuid, manager=other.id, pin="1357")
        self.assertEqual((unknown.state, unknown.settled_by), ("settled_by_hand", other))

    def test_the_lock_ends(self):
        unknown = self.end(self.order, self.line, "unknown")
        for _try in range(5):
            self.refused("force_done", uuid=unknown.uuid, pin="0000")
        old = fields.Datetime.now() - timedelta(minutes=16)
        self.env.cr.execute("UPDATE card_approval SET at = %s", [old])
        self.env.invalidate_all()
        self.request("force_done", uuid=unknown.uuid)
        self.assertEqual(unknown.state, "settled_by_hand")

    def test_a_right_pin_forgives_wrong_ones(self):
        for _round in range(2):
            for _try in range(4):
                self.refused("force_done", pin="0000", uuid=str(uuid.uuid4()))
            unknown = self.end(str(uuid.uuid4()), str(uuid.uuid4()), "unknown")
            self.request("force_done", uuid=unknown.uuid)
        self.assertNotIn("locked", self.results())

    def test_who_may_not_approve(self):
        unknown = self.end(self.order, self.line, "unknown")
        self.cashier.card_approval_pin = "1234"
        unset = self.manager.copy({"login": "no_pin", "card_approval_pin": ""})
        stranger = self.manager.copy({"login": "stranger", "card_approval_pin": "1234"})
        other = self.env["res.company"].create({"name": "Other"})
        stranger.write({"company_ids": [(6, 0, other.ids)], "company_id": other.id})
        self.env.flush_all()
        for manager in (self.cashier.id, unset.id, stranger.id, 10**8, None, "1", True, [self.manager.id]):
            self.refused("force_done", uuid=unknown.uuid, manager=manager, pin="1234")
        self.assertEqual(set(self.results()), {"not_allowed"})
        self.assertEqual(unknown.state, "unknown")
        self.assertEqual(self.till.card_terminal_managers(), [{"id": self.manager.id, "name": "Manager"}])

    def test_a_manager_needs_no_pin_on_the_own_login(self):
        unknown = self.end(self.order, self.line, "unknown")
        self.request("force_cancel", user=self.manager, uuid=unknown.uuid, manager=None, pin=None)
        self.assertEqual((unknown.settled_by, unknown.settled_paid), (self.manager, False))
        self.assertEqual(self.results(), ["done"])

    def test_a_shared_login_proves_nothing(self):
        unknown = self.end(self.order, self.line, "unknown")
        self.env.flush_all()
        self.env.cr.execute("UPDATE pos_config SET module_pos_hr = true WHERE id = %s", [self.config.id])
        self.env.invalidate_all()
        self.refused("force_cancel", user=self.manager, uuid=unknown.uuid, manager=None, pin=None)
        self.assertEqual(unknown.state, "unknown")
        self.request("force_cancel", user=self.manager, uuid=unknown.uuid)
        self.assertEqual(unknown.state, "settled_by_hand")

    # Decisions at the till --------------------------------------------------------------------------------------------

    def test_force_done(self):
        unknown = self.end(self.order, self.line, "unknown")
        told = self.request("force_done", uuid=unknown.uuid, values={"amount_minor": 900, "auth_code": "778899"})
        self.assertEqual(
            {name: told["transaction"][name] for name in ("uuid", "state", "settled_paid", "amount_approved")},
            {"uuid": unknown.uuid, "state": "settled_by_hand", "settled_paid": True, "amount_approved": 900},
        )
        log = self.env["card.approval"].search([("result", "=", "done")])
        self.assertEqual((log.asked_by, log.approver_id, log.amount), (self.cashier, self.manager, 9.0))
        self.assertEqual(log.reason, "The slip says so.")

    def test_force_done_of_what_odoo_has_not_heard(self):
        attempt = str(uuid.uuid4())
        values = {"amount_minor": 1000, "terminal": self.terminal.uuid, "kind": "sale", "amount": 1000}
        self.request("force_done", uuid=attempt, values=values)
        made = self.transaction(attempt)
        self.assertEqual((made.state, made.origin, made.settled_paid), ("settled_by_hand", "till", True))

    def test_attach_at_the_till(self):
        loose = self.sell(str(uuid.uuid4()), str(uuid.uuid4()))
        free = self.card_line(self.line, None, state=False, status="pending")
        order = self.sync(self.order_data(self.order, [free], state="draft"))
        self.request("attach", uuid=loose.uuid)
        self.assertEqual((loose.payment_id, loose.exception), (order.payment_ids, "none"))
        self.assertEqual((order.payment_ids.payment_status, order.state), ("done", "draft"))

    def test_attach_before_the_line_is_saved(self):
        loose = self.sell(str(uuid.uuid4()), str(uuid.uuid4()))
        self.draft(order=self.order)
        self.request("attach", uuid=loose.uuid)
        self.assertFalse(loose.payment_id)
        line = self.card_line(self.line, loose.uuid)
        order = self.sync({**self.order_data(self.order, [line]), "lines": []})
        self.assertEqual((loose.payment_id, loose.exception, order.state), (order.payment_ids, "none", "paid"))

    def test_the_short_desk(self):
        loose = self.sell(self.order, self.line)
        other = self.config.copy({"name": "Other till", "card_terminal_id": False, "card_terminal_spare_ids": [(5,)]})
        away = self.sell(str(uuid.uuid4()), str(uuid.uuid4()))
        away.sudo().write({"config_id": other.id})
        self.env.flush_all()
        (row,) = self.till.card_terminal_exceptions()
        self.assertEqual(
            (row["uuid"], row["exception"], row["amount"], row["currency"], row["last4"], row["permitted"]),
            (loose.uuid, "approved_without_payment", 1000, self.currency_name, "4242", []),
        )
        self.assertEqual(row["actions"], ["attach", "refund", "suspense", "acknowledge"])
        self.assertTrue(row["title"] and row["advice"] and row["details"] and row["events"])
        self.assertTrue(all(len(each) == 3 for each in row["details"]))

    def test_a_line_without_a_transaction_at_the_till(self):
        line = self.forged()
        self.env.flush_all()
        (row,) = self.till.card_terminal_exceptions()
        self.assertEqual((row["uuid"], row["line"], row["exception"]), (None, line.uuid, "no_approval"))
        self.request("not_paid", uuid=None, line=row["line"])
        self.assertTrue(line.card_suspense_move_id)

    def test_nonsense(self):
        for changes in (
            {"action": "book"}, {"action": "matched"}, {"action": None}, {"action": "unlink"},
            {"action": ["force_done"]},
            {"action": "force_done", "reason": " "}, {"action": "force_done", "uuid": 7},
            {"action": "not_paid", "uuid": str(uuid.uuid4())},
        ):  # fmt: skip
            with self.subTest(changes=changes), self.assertRaises(UserError):
                self.request(**changes)
        self.assertFalse(self.env["card.approval"].search([("result", "=", "done")]))

    def test_another_companys_transaction(self):
        unknown = self.end(self.order, self.line, "unknown")
        other = self.env["res.company"].create({"name": "Other"})
        self.env.cr.execute("UPDATE card_transaction SET company_id = %s WHERE id = %s", [other.id, unknown.id])
        self.env.invalidate_all()
        with self.assertRaises(UserError):
            self.request("force_done", uuid=unknown.uuid)
        self.assertEqual(unknown.state, "unknown")

    def test_a_cashier_reaches_nothing_past_the_pin(self):
        unknown = self.end(self.order, self.line, "unknown").with_user(self.cashier)
        self.order, self.line = str(uuid.uuid4()), str(uuid.uuid4())
        line = self.forged().with_user(self.cashier)
        wizard = {"transaction_id": unknown.id, "action": "force_done", "reason": "x"}
        tries = (
            lambda: unknown._decide("force_done", "x", {}), lambda: unknown.write({"matched_with": "1"}),
            lambda: unknown.action_settle() and self.env["card.transaction.settle"].with_user(self.cashier).create({}),
            lambda: self.env["card.decision"].with_user(self.cashier).create(wizard),
            lambda: line._decide("acknowledge", "x", {}),
            lambda: self.till._card_decide({"action": "force_done", "uuid": unknown.uuid, "reason": "x"}),
            lambda: self.till._card_type_by_hand(
                {"uuid": str(uuid.uuid4()), "values": {"amount_minor": 100, "slip": "1"}}, "x", line.browse()
            ),
        )  # fmt: skip
        for number, attempt in enumerate(tries):
            with self.subTest(number), self.assertRaises(AccessError), self.env.cr.savepoint():
                attempt()
        line.write({"card_suspense_move_id": 1, "card_acknowledged_reason": "x"})
        self.env.invalidate_all()
        self.assertFalse(line.sudo().card_suspense_move_id)
        self.assertEqual(unknown.sudo().state, "unknown")
