"""A browser's word is never evidence: an invented approval is an exception, and no road closes the session over it."""

from collections.abc import Callable

import pytest
from checker import Checker
from playwright.sync_api import expect
from scenes import AUTHORISATION, paid_by_card

from demokit.client import OdooError

INVENTED = "8d0a1c1e-3d0f-4f9e-9d62-0a3c5ac2b001"
FORGE = """
async ([uuid, state]) => {
    const order = posmodel.getOrder();
    const card = posmodel.models["pos.payment.method"].find((m) => m.use_payment_terminal === "card_terminal");
    posmodel.models["pos.payment"].create({
        pos_order_id: order,
        payment_method_id: card,
        amount: order.priceIncl,
        payment_status: "done",
        card_state: state,
        card_transaction_uuid: uuid,
        card_brand: "CB",
        card_no: "7903",
        payment_method_authcode: "966149",
        card_evidence: "matched",
    });
    order.state = "paid";
    await posmodel.syncAllOrders({ orders: [order], throw: true });
}
"""


def _stolen(checker: Checker) -> str:
    return str(checker.transactions()[0]["uuid"])


FORGERIES: dict[str, tuple[Callable[[Checker], str], str, set[str]]] = {
    "an invented transaction": (lambda checker: INVENTED, "approved", {"pending", "exception"}),
    "no transaction": (lambda checker: "", "", {"exception"}),
    "another order's approval": (_stolen, "approved", {"pending", "exception"}),
}
"""What the line names, what it says of it, and what Odoo may think of that; `matched` it never is."""


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_line_is_an_exception_and_stops_every_closing(forgery, counter, checker):
    name, state, verdicts = FORGERIES[forgery]
    till = counter.till()
    paid_by_card(till, checker)
    till.next_order()
    till.add("Olive oil 75 cl")
    till.page.evaluate(FORGE, [name(checker), state])

    genuine, forged = checker.payments()
    assert genuine["card_evidence"] == "matched"
    assert forged["payment_method_authcode"] == AUTHORISATION
    assert forged["card_evidence"] in verdicts
    assert checker.charges() == [1240]
    session = genuine["session_id"]
    client = counter.shop.client
    answer = client.call("pos.session", "close_session_from_ui", [session])
    assert answer["successful"] is False
    assert "must be settled" in answer["message"]
    for button in ("action_pos_session_closing_control", "action_pos_session_validate", "action_pos_session_close"):
        with pytest.raises(OdooError, match="must be settled"):
            client.call("pos.session", button, [session])
    till.reload()
    till.ask_to_close()
    expect(till.page.locator(".modal", has_text="must be settled").last).to_be_visible()
    assert checker.sessions()[0]["state"] != "closed"
    assert checker.sessions()[0]["move_id"] is None
