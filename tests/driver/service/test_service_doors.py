"""Every route of the router behind every door (docs/api.md 1.1)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from service_kit import (
    DATABASE,
    ORIGIN,
    OTHER_KEY,
    Answer,
    TerminalProcess,
    Till,
    errand_grant,
    new_uuid,
    once_grant,
    session_grant,
    terminal_entry,
    unix,
)
from service_kit import shop as run_shop

from hw_driver.service import knocks
from hw_driver.service.app import application
from hw_driver.service.routes import ROUTES


class Sample(NamedTuple):
    """A call that is good as it stands; `operation` is what its grant must name."""

    path: str
    operation: str
    body: dict[str, Any] | None = None
    good: tuple[int, ...] = (200,)
    once: str | None = None


NUMBER = "0b6f6c4e-2d0a-4b1c-9a53-0f6a8f1d2c33"


OPERATIONS = ("sale", "status", "cancel", "identify", "reprint", "backup", "stop")


def samples(till: Till) -> dict[tuple[str, str], Sample]:
    """One good call per route: a route that is missing here fails the tests."""
    settlement = till.errand()
    return {
        ("PUT", "/v1/transactions/{uuid}"): Sample(f"/v1/transactions/{NUMBER}", "sale", till.sale(), (200, 201)),
        ("GET", "/v1/transactions/{uuid}"): Sample(f"/v1/transactions/{NUMBER}", "status"),
        ("GET", "/v1/transactions"): Sample("/v1/transactions", "status"),
        ("POST", "/v1/transactions/{uuid}/cancel"): Sample(f"/v1/transactions/{NUMBER}/cancel", "cancel", None, (409,)),
        ("GET", "/v1/terminals"): Sample("/v1/terminals", "status"),
        ("GET", "/v1/terminals/{id}"): Sample("/v1/terminals/counter", "status"),
        ("POST", "/v1/terminals/{id}/identify"): Sample(
            "/v1/terminals/spare/identify", "identify", {"uuid": new_uuid()}, (201,)
        ),
        ("POST", "/v1/terminals/{id}/settlements"): Sample(
            "/v1/terminals/spare/settlements", "sale", settlement, (422,), errand_grant(settlement, "spare")
        ),
        ("POST", "/v1/terminals/{id}/reprint"): Sample("/v1/terminals/spare/reprint", "reprint", till.errand(), (422,)),
        ("GET", "/v1/health"): Sample("/v1/health", "status"),
        ("POST", "/v1/backup"): Sample("/v1/backup", "backup", None, (201,)),
        ("POST", "/v1/stop"): Sample("/v1/stop", "stop", None, (202, 423)),
        ("GET", "/metrics"): Sample("/metrics", "status"),
        ("GET", "/openapi.json"): Sample("/openapi.json", "status"),
    }


def router_keys(till: Till) -> list[tuple[str, str]]:
    routes = application(till.driver).router.routes()
    return [(route.method, route.resource.canonical) for route in routes if route.resource]


async def every_route(till: Till, **forged: Any) -> dict[tuple[str, str], Answer]:
    """Call every route of the router with something forged; return the answers."""
    known = samples(till)
    answers = {}
    for key in router_keys(till):
        sample = known[key]
        answers[key] = await till.call(key[0], sample.path, sample.body, **forged)
    assert len(answers) == len(ROUTES) == len(known)
    return answers


async def nothing_happened(till: Till, terminal: TerminalProcess, before: int) -> None:
    journal = till.driver.journal
    assert [event.type for event in journal.events()] == ["journal_created", "driver_started"]
    assert len(terminal.ledger) == before


FORGERIES: dict[str, tuple[dict[str, Any], int, str]] = {
    "other origin": ({"origin": "https://evil.example"}, 403, "wrong_origin"),
    "origin null": ({"origin": "null"}, 403, "wrong_origin"),
    "origin like ours": ({"origin": f"{ORIGIN}.evil.example"}, 403, "wrong_origin"),
    "origin without tls": ({"origin": ORIGIN.replace("https", "http")}, 403, "wrong_origin"),
    "empty origin": ({"origin": ""}, 403, "wrong_origin"),
    "rebound name": ({"host": "evil.example"}, 421, "wrong_host"),
    "rebound name with port": ({"host": "evil.example:{port}"}, 421, "wrong_host"),
    "our name, other port": ({"host": "127.0.0.1:1"}, 421, "wrong_host"),
    "our name without port": ({"host": "localhost"}, 421, "wrong_host"),
    "no grant": ({"grant": None}, 401, "no_grant"),
    "not a grant": ({"grant": "odoo.e30"}, 401, "bad_grant"),
    "not ascii": ({"grant": "odoo.é.ü"}, 401, "bad_grant"),
    "not base64": ({"grant": "odoo.%.%"}, 401, "bad_grant"),
    "altered": ({"grant": session_grant()[:-1]}, 401, "bad_grant"),
    "unsigned": ({"grant": session_grant().rpartition(".")[0] + "."}, 401, "bad_grant"),
    "very long": ({"grant": "x" * 7000}, 401, "bad_grant"),
    "signed with a foreign key": ({"grant": session_grant(key=OTHER_KEY)}, 401, "bad_grant"),
    "signed as local with Odoo's key": ({"grant": session_grant(kid="local")}, 401, "bad_grant"),
    "signed by nobody known": ({"grant": session_grant(kid="root")}, 401, "bad_grant"),
    "of another driver": ({"grant": session_grant(drv="driver-2")}, 401, "bad_grant"),
    "of another database": ({"grant": session_grant(db="another")}, 401, "bad_grant"),
    "not a session grant": ({"grant": session_grant(typ="configuration")}, 401, "bad_grant"),
    "without an end": ({"grant": session_grant(exp=None)}, 401, "bad_grant"),
    "expired": ({"grant": session_grant(exp=unix() - 1)}, 401, "expired_grant"),
    "without operations": ({"grant": session_grant(ops=[])}, 403, "not_granted"),
}


async def test_no_route_opens_for_a_forgery(
    till: Till, terminal: TerminalProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(knocks, "LIMIT", 1000)
    charged = len(terminal.ledger)
    for what, (forged, status, code) in FORGERIES.items():
        named = {name: value and value.format(port=till.driver.port) for name, value in forged.items()}
        for key, answer in (await every_route(till, **named)).items():
            assert (answer.status, answer.code) == (status, code), (what, key)
            assert answer.json["money"] == "safe"
            assert answer.headers["Content-Type"].startswith("application/problem+json")
            allowed = answer.headers.get("Access-Control-Allow-Origin")
            assert allowed == (None if code == "wrong_origin" else ORIGIN), (what, key)
    await nothing_happened(till, terminal, charged)


async def test_who_guesses_at_grants_is_told_to_wait_and_tills_go_on(till: Till) -> None:
    for number in range(knocks.LIMIT):
        guess = await till.call("GET", "/v1/health", grant=f"odoo.{number}.guess")
        assert (guess.status, guess.code) == (401, "bad_grant")
    assert (await till.call("GET", "/v1/health", grant=session_grant(exp=unix() - 1))).code == "expired_grant"
    late = await till.call("GET", "/v1/health", grant=None)
    assert (late.status, late.code, late.json["money"]) == (429, "too_many", "safe")
    assert 0 < int(late.headers["Retry-After"]) <= knocks.SECONDS
    assert (await till.call("GET", "/v1/health")).status == 200


def test_knocks_are_counted_by_address_and_for_a_minute() -> None:
    door = knocks.Knocks()
    assert [door.wrong("a", second) for second in range(knocks.LIMIT)] == [0] * knocks.LIMIT
    assert door.wrong("a", 20) == 40
    assert door.wrong("b", 20) == 0
    assert door.wrong("a", 60) == 0, "the first is a minute ago"
    assert door.wrong("a", 60) == 1
    for number in range(knocks.ADDRESSES):
        door.wrong(str(number), 60)
    assert door.wrong("a", 60) == 0, "forgotten: others knocked since"


async def test_every_route_opens_for_its_operation_and_for_no_other(till: Till) -> None:
    local = till.driver.folder.local_key()
    for key, sample in samples(till).items():
        others = [name for name in OPERATIONS if name != sample.operation]
        refused = await till.call(key[0], sample.path, sample.body, grant=session_grant(ops=others))
        assert (refused.status, refused.code) == (403, "not_granted"), key
        by_local = {"kid": "local", "key": local} if sample.operation in ("backup", "stop") else {}
        grant = session_grant(ops=[sample.operation], **by_local)
        opened = await till.call(key[0], sample.path, sample.body, grant=grant, once=sample.once)
        assert opened.status in sample.good, (key, opened.text)


async def test_odoo_cannot_grant_what_is_for_the_machine_itself(till: Till) -> None:
    answer = await till.call("POST", "/v1/backup", grant=session_grant(ops=["backup", "sale", "status"]))
    assert (answer.status, answer.code) == (403, "not_granted")


async def test_a_local_grant_sells_nothing_on_a_paired_driver(till: Till, terminal: TerminalProcess) -> None:
    charged = len(terminal.ledger)
    grant = session_grant(kid="local", key=till.driver.folder.local_key())
    assert (await till.put(till.sale(), grant=grant)).code == "not_granted"
    assert (await till.call("GET", "/v1/health", grant=grant)).status == 200
    await nothing_happened(till, terminal, charged)


async def test_a_driver_that_runs_from_a_file_trusts_its_machine_and_no_odoo(
    tmp_path: Path, terminal: TerminalProcess
) -> None:
    async with run_shop(tmp_path, terminal_entry(terminal.port), paired=False) as till:
        assert (await till.put(till.sale())).code == "bad_grant"
        mine = {"kid": "local", "key": till.driver.folder.local_key(), "drv": "local", "db": ""}
        till.grant = session_grant(**mine, terminals=[])
        sale = await till.ended(till.sale())
        assert sale["state"] == "approved"
        refund, number = till.sale(kind="refund", original={"uuid": sale["uuid"]}), new_uuid()
        assert (await till.put(refund, number)).code == "one_time_grant_missing"
        assert (await till.put(refund, number, once=once_grant(number, refund))).code == "one_time_grant_mismatch"
        assert (await till.put(refund, number, once=once_grant(number, refund, **mine))).status == 201
        assert (await till.end(number))["state"] == "approved"


async def test_a_grant_covers_only_its_terminals(till: Till) -> None:
    number = new_uuid()
    await till.ended(till.sale(), number)
    spare_only = session_grant(terminals=["spare"])
    for method, path, body in (
        ("PUT", f"/v1/transactions/{new_uuid()}", till.sale()),
        ("GET", f"/v1/transactions/{number}", None),
        ("POST", f"/v1/transactions/{number}/cancel", None),
        ("GET", "/v1/terminals/counter", None),
        ("POST", "/v1/terminals/counter/identify", {"uuid": new_uuid()}),
    ):
        answer = await till.call(method, path, body, grant=spare_only)
        assert (answer.status, answer.code) == (403, "not_granted"), path
    listed = await till.call("GET", "/v1/terminals", grant=spare_only)
    assert [terminal["id"] for terminal in listed.json["terminals"]] == ["spare"]


async def test_the_browsers_question_before_a_call(till: Till) -> None:
    for method, path in {(key[0], sample.path) for key, sample in samples(till).items()}:
        answer = await till.call("OPTIONS", path, grant=None)
        assert answer.status == 204
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert method in answer.headers["Access-Control-Allow-Methods"]
        assert answer.headers["Access-Control-Allow-Headers"] == "authorization, content-type, x-card-terminal-grant"
        assert answer.headers["Vary"] == "Origin"
        assert (await till.call("OPTIONS", path, grant=None, origin="https://evil.example")).status == 403
        assert (await till.call("OPTIONS", path, grant=None, host="evil.example")).status == 421


async def test_what_does_not_exist(till: Till) -> None:
    for method, path, status in (("GET", "/", 404), ("OPTIONS", "/v2", 404), ("DELETE", "/v1/health", 405)):
        answer = await till.call(method, path)
        assert answer.status == status, path
    assert (await till.call("GET", "/nothing", host="evil.example")).status == 421


async def test_two_hosts_or_origins_are_none(till: Till) -> None:
    for name, values, status in (
        ("Host", ("127.0.0.1:{}", "evil"), 400),
        ("Origin", (ORIGIN, "https://e.example"), 403),
    ):
        headers = [(name, value.format(till.driver.port)) for value in values]
        headers.append(("Authorization", f"Bearer {till.grant}"))
        async with till.http.get(f"{till.driver.url}/v1/health", headers=headers) as response:
            assert response.status in (status, 421)


async def test_a_route_without_a_row_fails_closed(till: Till) -> None:
    async def forgotten(request: web.Request) -> web.Response:
        return web.Response(text="open to all")

    app = application(till.driver)
    app.router.add_get("/v1/forgotten", forgotten)
    async with TestClient(TestServer(app)) as client:
        till.driver.port = client.port or 0
        headers = {"Authorization": f"Bearer {till.grant}"}
        assert (await client.get("/v1/forgotten", headers=headers)).status == 404
        assert (await client.get("/v1/health", headers=headers)).status == 200


# refunds


def mismatches(number: str, body: Mapping[str, Any]) -> dict[str, tuple[str | None, str]]:
    return {
        "no grant": (None, "one_time_grant_missing"),
        "a session grant": (session_grant(), "one_time_grant_mismatch"),
        "another uuid": (once_grant(new_uuid(), body), "one_time_grant_mismatch"),
        "a smaller amount": (once_grant(number, body, max_amount=body["amount"] - 1), "one_time_grant_mismatch"),
        "no amount": (once_grant(number, body, max_amount=None), "one_time_grant_mismatch"),
        "another currency": (once_grant(number, body, currency="CHF"), "one_time_grant_mismatch"),
        "another terminal": (once_grant(number, body, terminal="spare"), "one_time_grant_mismatch"),
        "another kind": (once_grant(number, body, kind="reversal"), "one_time_grant_mismatch"),
        "another sale": (once_grant(number, body, original=new_uuid()), "one_time_grant_mismatch"),
        "no sale": (once_grant(number, body, original=None), "one_time_grant_mismatch"),
        "a foreign key": (once_grant(number, body, key=OTHER_KEY), "one_time_grant_mismatch"),
        "another driver": (once_grant(number, body, drv="driver-2"), "one_time_grant_mismatch"),
        "another database": (once_grant(number, body, db=DATABASE[::-1]), "one_time_grant_mismatch"),
        "expired": (once_grant(number, body, exp=unix() - 1), "expired_grant"),
    }


async def test_a_refund_needs_a_one_time_grant_over_exactly_this(till: Till, terminal: TerminalProcess) -> None:
    sale = await till.ended(till.sale())
    body = till.sale(kind="refund", amount=500, original={"uuid": sale["uuid"]})
    number = new_uuid()
    entries, events = len(terminal.ledger), till.driver.journal.last
    forged = mismatches(number, body)
    local = {"kid": "local", "key": till.driver.folder.local_key()}
    forged["the machine's own key"] = (once_grant(number, body, **local), "one_time_grant_mismatch")
    for what, (grant, code) in forged.items():
        answer = await till.put(body, number, once=grant)
        assert (answer.status, answer.code) == (403, code), what
    assert till.driver.journal.last == events
    assert len(terminal.ledger) == entries
    assert (await till.refund(body, number)).status == 201
    assert (await till.end(number))["state"] == "approved"


async def test_a_replayed_refund_is_a_question_and_its_grant_opens_nothing_else(
    till: Till, terminal: TerminalProcess
) -> None:
    sale = await till.ended(till.sale())
    body, number = till.sale(kind="refund", amount=500, original={"uuid": sale["uuid"]}), new_uuid()
    grant = once_grant(number, body)
    assert (await till.put(body, number, once=grant)).status == 201
    done = await till.end(number)
    entries = len(terminal.ledger)
    for _ in range(3):
        again = await till.put(body, number, once=grant)
        assert (again.status, again.json["state"], again.json["uuid"]) == (200, done["state"], number)
    other = await till.put({**body, "amount": 400}, number, once=grant)
    assert (other.status, other.json["money"]) == (409, "safe")
    elsewhere = await till.put(body, new_uuid(), once=grant)
    assert (elsewhere.status, elsewhere.code) == (403, "one_time_grant_mismatch")
    assert len(terminal.ledger) == entries


async def test_further_names_of_the_driver(tmp_path: Path, terminal: TerminalProcess) -> None:
    from service_kit import configuration

    kept = configuration(terminal_entry(terminal.port), hosts=["till.local", "proxy.example:443"])
    async with run_shop(tmp_path, kept=kept) as till:
        for host, status in (
            (f"till.local:{till.driver.port}", 200),
            (f"TILL.local:{till.driver.port}", 200),
            (f"localhost:{till.driver.port}", 200),
            ("proxy.example:443", 200),
            ("till.local", 421),
            (f"proxy.example:{till.driver.port}", 421),
        ):
            assert (await till.call("GET", "/v1/health", host=host)).status == status, host
