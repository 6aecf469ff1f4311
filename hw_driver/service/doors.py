"""The doors every request passes, in the order of docs/api.md 1.1: Host, Origin, grant, one-time grant.

What a route needs stands in its row of the route table; a route without a row does not exist for anybody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from aiohttp import web

from ..protocols.states import GRANTED_KINDS, Kind
from .calls import Call, Route
from .driver import Driver
from .grants import OPERATION_OF_KIND, Caller
from .knocks import Knocks
from .problems import Problem
from .schemas import UUID, check, check_query, parse_json

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler, Middleware

CALL: web.RequestKey[Call] = web.RequestKey("call", Call)
ALLOW_HEADERS = "authorization, content-type, x-card-terminal-grant"
ALWAYS_GOOD_HOSTS = ("localhost", "127.0.0.1")


def doors(driver: Driver, table: Iterable[Route]) -> Middleware:
    """Return the middleware that lets a request through to its handler, or raises a Problem."""
    rows = {(route.method, route.path): route for route in table}
    knocks = Knocks()

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        check_host(driver, request)
        check_origin(driver, request)
        if request.method == "OPTIONS":
            return preflight(request)
        route = find_route(rows, request)
        caller = caller_of_request(driver, request, knocks)
        if route.operation:
            caller.require(route.operation)
        content = await content_of(request) if route.body is not None else b""
        once = request.headers.get("X-Card-Terminal-Grant")
        request[CALL] = admit(driver, caller, route, request.match_info, request.query, content, once)
        return await handler(request)

    return middleware


def check_host(driver: Driver, request: web.Request) -> None:
    """Refuse other names: a page can make its own name point to this address (DNS rebinding)."""
    names = request.headers.getall("Host", [])
    if len(names) != 1 or names[0].lower() not in good_hosts(driver):
        raise Problem(
            "wrong_host", "The driver does not answer under this name. Add it to 'hosts' in its configuration."
        )


def good_hosts(driver: Driver) -> set[str]:
    """Return the values of `Host` that mean this driver; a configured name may carry a port of its own (a proxy's)."""
    listen = driver.settings.listen
    names = {f"[{listen}]" if ":" in listen else listen, *ALWAYS_GOOD_HOSTS, *driver.till_side.hosts}
    if driver.settings.tls:
        names.update(driver.settings.tls.names)
    good = {
        name.lower() if ":" in name.rpartition("]")[2] else f"{name.lower()}:{port}"
        for name in names
        for port in filter(None, (driver.port, driver.tls_port))
    }
    return good | {name.removesuffix(":80").removesuffix(":443") for name in good}


def check_origin(driver: Driver, request: web.Request) -> None:
    """Refuse pages of other sites."""
    origins = request.headers.getall("Origin", [])
    if origins and (len(origins) > 1 or origins[0] not in driver.till_side.origins):
        raise Problem(
            "wrong_origin", "This page may not use the card terminals. Open the till from Odoo's own address."
        )


def cors_headers(driver: Driver, request: web.Request) -> dict[str, str]:
    """Return the headers that let an allowed page read the answer."""
    origin = request.headers.get("Origin")
    allowed = {"Access-Control-Allow-Origin": origin} if origin in driver.till_side.origins and origin else {}
    return {"Vary": "Origin", **allowed}


def preflight(request: web.Request) -> web.Response:
    """Answer the browser's question before a call; unknown addresses stay unknown."""
    failure = request.match_info.http_exception
    if not isinstance(failure, web.HTTPMethodNotAllowed):
        raise Problem("not_found", "The driver has nothing at this address.")
    return web.Response(
        status=204,
        headers={
            "Access-Control-Allow-Methods": ", ".join(sorted(failure.allowed_methods)),
            "Access-Control-Allow-Headers": ALLOW_HEADERS,
            "Access-Control-Max-Age": "600",
        },
    )


def find_route(rows: Mapping[tuple[str, str], Route], request: web.Request) -> Route:
    """Return the row of the route that was matched."""
    match = request.match_info
    if isinstance(match.http_exception, web.HTTPMethodNotAllowed):
        raise Problem("wrong_method", f"The driver does not take {request.method} at this address.")
    resource = match.route.resource
    route = rows.get((request.method, resource.canonical)) if resource else None
    if route is None:
        raise Problem("not_found", "The driver has nothing at this address.")
    return route


def caller_of_request(driver: Driver, request: web.Request, knocks: Knocks) -> Caller:
    """Return who holds the request's grant; an address that guesses at grants is told to wait."""
    try:
        return driver.keyring.caller(bearer(request), driver.clock.now().timestamp())
    except Problem as error:
        guessed = error.code in ("no_grant", "bad_grant")
        wait = knocks.wrong(request.remote or "", asyncio.get_running_loop().time()) if guessed else 0
        if wait:
            detail = "Too many requests without a valid session came from this machine. Wait a minute."
            raise Problem("too_many", detail, retry_after=wait) from error
        raise


def bearer(request: web.Request) -> str:
    """Return the session grant of a request."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Problem("no_grant", "The driver only answers an open session. Reload the point of sale.")
    return token.strip()


async def content_of(request: web.Request) -> bytes:
    """Return the body of a request that says it is JSON."""
    if request.content_type != "application/json":
        raise Problem("wrong_content_type", "Send the request as application/json.")
    return await request.read()


def admit(
    driver: Driver,
    caller: Caller,
    route: Route,
    path: Mapping[str, str],
    query: Mapping[str, str],
    content: bytes,
    once: str | None,
) -> Call:
    """Return the checked call of somebody who may make it, by whatever road it came; `once` is the one-time grant."""
    if route.operation:
        caller.require(route.operation)
    call = read_call(driver, caller, route, path, query, content)
    if route.operation is None:
        caller.require(OPERATION_OF_KIND[Kind(call.body["kind"])])
    terminal = route.terminal(call)
    if terminal is not None:
        caller.require_terminal(terminal)
    check_once(call, route, once)
    return call


def read_call(
    driver: Driver, caller: Caller, route: Route, path: Mapping[str, str], query: Mapping[str, str], content: bytes
) -> Call:
    """Return the call with its path, query and body checked."""
    path = dict(path)
    if "uuid" in path and not UUID.fullmatch(path["uuid"]):
        raise Problem("bad_uuid", "The transaction's number must be a uuid in small letters.")
    checked = check_query(query, route.query)
    if route.body is None:
        return Call(driver, caller, path, checked)
    return Call(driver, caller, path, checked, check(parse_json(content), route.body))


def check_once(call: Call, route: Route, token: str | None) -> None:
    """Refuse a refund and its like unless Odoo has allowed exactly this one."""
    if (route.kind or call.body.get("kind")) not in GRANTED_KINDS:
        return
    if not token:
        raise Problem("one_time_grant_missing", "Odoo must allow this first. Start it from the order at the till.")
    asked = errand(call, route.kind) if route.kind else call.body
    number = call.path.get("uuid") or call.body["uuid"]
    call.driver.keyring.check_once(token, {**asked, "uuid": number}, call.driver.clock.now().timestamp())


def errand(call: Call, kind: Kind) -> dict[str, Any]:
    """Return the members of PUT that say what is asked of a terminal itself, where no money moves."""
    nothing = dict.fromkeys(("currency", "till", "session", "order", "line", "operator"), "")
    told = {name: value for name, value in call.body.items() if name != "uuid"}
    return {**nothing, **told, "terminal": call.path["id"], "kind": kind.value, "amount": 0}
