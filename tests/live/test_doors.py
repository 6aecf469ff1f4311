"""The driver's doors, with the grants that Odoo signs: a till gets in, and nobody else does by any route."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from caller import Caller, claims_of, open_session, pairing_key, session_grant, signed
from checker import Checker
from scenes import PRICE, paid_by_card
from shopfloor import Counter

from demokit.client import OdooError
from demokit.processes import wait_until

Change = Callable[["Door"], dict[str, str | None]]


class Door:
    """A till with an open session and the grant Odoo gave it."""

    def __init__(self, counter: Counter) -> None:
        self.counter = counter
        self.session = open_session(counter)
        self.grant = session_grant(counter, self.session)
        self.call = Caller(counter.shop, self.grant)

    def altered(self, key: bytes | None = None, kid: str = "odoo", **claims: Any) -> dict[str, str | None]:
        """An Authorization with changed claims, signed with the pairing key or another."""
        claims = {**claims_of(self.grant), **claims}
        return {"Authorization": f"Bearer {signed(claims, key or pairing_key(self.counter.shop), kid)}"}


REFUSED: dict[str, tuple[Change, set[tuple[int, str]]]] = {
    "another origin": (lambda door: {"Origin": "http://shop.example"}, {(403, "wrong_origin")}),
    "Odoo's address with another port": (lambda door: {"Origin": "http://127.0.0.1:1"}, {(403, "wrong_origin")}),
    "an opaque origin": (lambda door: {"Origin": "null"}, {(403, "wrong_origin")}),
    "another host": (lambda door: {"Host": "shop.example"}, {(421, "wrong_host")}),
    "another host with the port": (
        lambda door: {"Host": f"shop.example:{door.counter.shop.driver_port}"}, {(421, "wrong_host")}
    ),
    "no grant": (lambda door: {"Authorization": None}, {(401, "no_grant")}),
    "rubbish": (lambda door: {"Authorization": "Bearer rubbish"}, {(401, "bad_grant")}),
    "another key": (lambda door: door.altered(bytes(32)), {(401, "bad_grant")}),
    "a key that the driver does not know": (lambda door: door.altered(kid="other"), {(401, "bad_grant")}),
    "another driver's grant": (lambda door: door.altered(drv=str(uuid.uuid4())), {(401, "bad_grant")}),
    "another database's grant": (lambda door: door.altered(db=str(uuid.uuid4())), {(401, "bad_grant")}),
    "an expired grant": (lambda door: door.altered(exp=1), {(401, "expired_grant")}),
    "a one-time grant in its place": (lambda door: door.altered(typ="once"), {(401, "bad_grant")}),
    "no operation": (lambda door: door.altered(ops=[]), {(403, "not_granted")}),
}  # fmt: skip
"""What is wrong with a call, and how it is refused."""


@pytest.fixture
def door(counter) -> Door:
    return Door(counter)


@pytest.fixture(scope="module")
def closed_door(shop) -> Door:
    """A till where nothing is ever sent, so that many tests can share it."""
    return Door(shop.counter("Nobody"))


def routes(door: Door) -> list[tuple[str, str, dict[str, Any]]]:
    """Every route of the driver's own description, with values in its path and the body of a good call."""
    paths = door.call("GET", "/openapi.json").body["paths"]
    assert "/v1/transactions/{uuid}" in paths
    values = {"uuid": str(uuid.uuid4()), "id": door.counter.uuids[0]}
    bodies = {"put": door.call.transaction(door.counter), "post": {"uuid": str(uuid.uuid4())}}
    return [
        (method.upper(), path.format(**values), bodies.get(method, {}))
        for path, operations in paths.items()
        for method in operations
    ]


@pytest.mark.parametrize("mistake", REFUSED)
def test_every_route_refuses(mistake, closed_door):
    door = closed_door
    change, expected = REFUSED[mistake]
    wrong = change(door)
    call = Caller(door.counter.shop, door.grant, machine=f"127.0.1.{list(REFUSED).index(mistake) + 1}")
    answers = {(method, path): call(method, path, body, **wrong).refusal for method, path, body in routes(door)}
    assert len(answers) >= 8
    assert {place: refusal for place, refusal in answers.items() if refusal not in expected} == {}
    assert door.counter.terminal.asked == []


def test_a_till_gets_through_with_odoos_grant_and_only_to_its_own_terminals(door, new_counter):
    other = new_counter()
    seen = [terminal["id"] for terminal in door.call("GET", "/v1/terminals").body["terminals"]]
    assert seen == door.counter.uuids
    sale = door.call.transaction(door.counter)
    number = str(uuid.uuid4())
    assert door.call("PUT", f"/v1/transactions/{number}", sale).status == 201
    wait_until(lambda: door.call("GET", f"/v1/transactions/{number}").body["state"] == "approved", "the approval")
    assert door.call("PUT", f"/v1/transactions/{number}", sale).status == 200
    assert door.call("PUT", f"/v1/transactions/{number}", {**sale, "amount": 501}).refusal == (409, "other_body")
    elsewhere = {**sale, "terminal": other.uuids[0]}
    assert door.call("PUT", f"/v1/transactions/{uuid.uuid4()}", elsewhere).refusal == (403, "not_granted")
    assert door.counter.terminal.charges == [500]
    assert other.terminal.asked == []


def test_an_approval_that_no_order_has_stops_the_closing(door, checker):
    number = str(uuid.uuid4())
    door.call("PUT", f"/v1/transactions/{number}", door.call.transaction(door.counter))
    wait_until(lambda: [t["state"] for t in checker.transactions()] == ["approved"], "the approval to reach Odoo")
    assert checker.transactions()[0]["exception"] == "approved_without_payment"
    answer = door.counter.shop.client.call("pos.session", "close_session_from_ui", [door.session])
    assert answer["successful"] is False
    assert "not booked" in answer["message"]


class Refunds:
    """A paid order, and what a till asks Odoo and the driver to give back of it."""

    def __init__(self, counter: Counter, checker: Checker) -> None:
        paid_by_card(counter.till(), checker)
        self.counter = counter
        (self.order,) = checker.orders()
        (self.sale,) = checker.transactions()
        self.session = int(self.order["session_id"])
        self.call = Caller(counter.shop, session_grant(counter, self.session))

    def body(self, amount: int, **changed: Any) -> dict[str, Any]:
        original = {"uuid": self.sale["uuid"]}
        return self.call.transaction(self.counter, kind="refund", amount=amount, original=original, **changed)

    def granted(self, number: str, body: dict[str, Any]) -> str:
        """Odoo's one-time grant."""
        request = {name: body[name] for name in ("kind", "amount", "currency", "terminal", "order", "line")}
        request |= {"uuid": number, "refunded_order_ids": [self.order["id"]]}
        given = self.counter.shop.client.call("pos.session", "card_terminal_refund_grant", [self.session], request)
        assert given["original"] == self.sale["uuid"]
        return str(given["grant"])

    def put(self, number: str, body: dict[str, Any], grant: str | None) -> tuple[int, str]:
        return self.call("PUT", f"/v1/transactions/{number}", body, X_Card_Terminal_Grant=grant).refusal


def test_money_goes_back_only_by_odoos_one_time_grant_and_never_more_than_was_paid(counter, checker):
    refunds = Refunds(counter, checker)
    number, other = str(uuid.uuid4()), str(uuid.uuid4())
    body = refunds.body(1000)
    grant = refunds.granted(number, body)
    session_wide = session_grant(counter, refunds.session)

    assert refunds.put(number, body, None) == (403, "one_time_grant_missing")
    for wrong_number, wrong_body, wrong_grant in (
        (other, body, grant),
        (number, {**body, "amount": 1001}, grant),
        (number, {**body, "currency": "USD"}, grant),
        (number, {**body, "original": None}, grant),
        (number, {**body, "original": {"uuid": other}}, grant),
        (number, body, session_wide),
        (number, body, signed(claims_of(grant), bytes(32))),
        (number, body, signed({**claims_of(grant), "drv": other}, pairing_key(counter.shop))),
    ):
        assert refunds.put(wrong_number, wrong_body, wrong_grant) == (403, "one_time_grant_mismatch")
    expired = signed({**claims_of(grant), "exp": 1}, pairing_key(counter.shop))
    assert refunds.put(number, body, expired) == (403, "expired_grant")
    assert checker.charges() == [PRICE]

    too_much = refunds.body(PRICE - 1000 + 1)
    with pytest.raises(OdooError, match=r"2[.,]40"):
        refunds.granted(other, too_much)
    forced = signed({**claims_of(grant), "uuid": other, "max_amount": 10**6}, pairing_key(counter.shop))

    assert refunds.put(number, body, grant)[0] == 201
    wait_until(lambda: [t["state"] for t in checker.transactions()] == ["approved"] * 2, "the refund to reach Odoo")
    assert refunds.put(other, too_much, forced) == (409, "over_refund")
    with pytest.raises(OdooError):
        refunds.granted(other, too_much)
    assert [entry["action"] for entry in counter.terminal.ledger] == ["0", "1"]
    assert checker.charges() == [PRICE, 1000]
