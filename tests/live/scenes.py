"""What the tests have in common: a sale, and a sale whose answer is cut after the terminal has charged the card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from checker import Checker
from playwright.sync_api import BrowserContext, expect
from shopfloor import Counter

from demokit.processes import wait_until
from demokit.till import Till

PRODUCT, PRICE = "Olive oil 75 cl", 1240
CUT = "cut_after_charge:30"
AUTHORISATION = "966149"
"""What the replayed approval says (AC)."""


def sell(till: Till) -> None:
    """Ring up one product and press Card."""
    till.add(PRODUCT)
    till.to_payment()
    till.pay_with("Card")


def paid_by_card(till: Till, checker: Checker) -> None:
    """Sell, and wait until Odoo has the evidence."""
    sell(till)
    expect(till.receipt).to_be_visible()
    checker.wait_for_evidence("matched")


@dataclass
class Lost:
    """An order whose answer was cut after the terminal had charged the card; its till is on the payment screen."""

    counter: Counter
    checker: Checker
    context: BrowserContext
    till: Till
    order: dict[str, Any]
    """Odoo's row."""

    @property
    def session(self) -> int:
        return int(self.order["session_id"])

    def console(self, script: str, argument: Any = None) -> Any:
        """Run JavaScript in the till, as from the browser's console; `order` and `line` are at hand."""
        prologue = """
            const order = posmodel.models["pos.order"].getBy("uuid", uuid);
            const line = order?.payment_ids.find((l) => l.payment_method_id.use_payment_terminal === "card_terminal");
        """
        return self.till.page.evaluate(
            f"async ([uuid, argument]) => {{ {prologue} {script} }}", [self.order["uuid"], argument]
        )

    def assert_nothing_charged_and_nothing_lost(self) -> None:
        """The ledger has one charge, the journal and Odoo one open question, and the order is still there, unpaid."""
        checker = self.checker
        assert checker.charges() == [PRICE]
        assert checker.requests() == 1
        (transaction,) = checker.transactions()
        assert (transaction["state"], transaction["exception"]) == ("unknown", "unknown")
        assert transaction["needs_attention"]
        (order,) = [order for order in checker.orders() if order["uuid"] == self.order["uuid"]]
        assert order["state"] == "draft"
        assert float(order["amount_paid"]) == 0
        (payment,) = [p for p in checker.payments() if p["pos_order_id"] == order["id"]]
        assert payment["method"] == "Card"
        assert payment["card_transaction_uuid"] == transaction["uuid"]
        assert transaction["payment_id"] is None
        assert all(session["move_id"] is None for session in checker.sessions())


def lose_answer(counter: Counter) -> Lost:
    """Sell with an answer that is cut; the till says that it does not know, and the order is a draft in Odoo."""
    counter.terminal.behaviour = CUT
    context = counter.browser()
    till = counter.till(context)
    sell(till)
    expect(till.card("unknown")).to_be_visible()
    till.dismiss(till.question)
    checker = Checker(counter)
    wait_until(lambda: checker.payments() and checker.transactions(), "the draft and the question to reach Odoo")
    wait_until(lambda: checker.transactions()[0]["state"] == "unknown", "the question to reach Odoo")
    lost = Lost(counter, checker, context, till, checker.orders()[0])
    lost.assert_nothing_charged_and_nothing_lost()
    assert list(checker.journal().values()) == [["requested", "sent", "unknown"]]
    return lost
