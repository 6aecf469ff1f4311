"""Relayed commands: signed by Odoo, carried out by the very routes that tills call over HTTP (docs/api.md 2.3)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..signing import BadSignature, canonical
from .app import problem_of
from .calls import Route
from .doors import admit
from .driver import Driver
from .grants import ODOO, Caller, caller_of
from .problems import Problem
from .routes import ROUTES

ROUTE_OF_OPERATION: dict[str, Route] = {
    operation: next(row for row in ROUTES if (row.method, row.path) == route)
    for operation, route in {
        "health": ("GET", "/v1/health"),
        "start": ("PUT", "/v1/transactions/{uuid}"),
        "ask": ("GET", "/v1/transactions/{uuid}"),
        "cancel": ("POST", "/v1/transactions/{uuid}/cancel"),
        "settle": ("POST", "/v1/terminals/{id}/settlements"),
        "reprint": ("POST", "/v1/terminals/{id}/reprint"),
    }.items()
}
#: Operations that begin a transaction: the till is told of it until it has ended.
STARTING = frozenset({"start", "settle", "reprint"})
#: What a start that came too late is asked with: the terminal then ends it as `failed`, code `expired`.
LONG_AGO = "1970-01-01T00:00:00.000Z"
#: Members of an outcome that no till shows: Odoo's bus keeps what passes over it.
NOT_FOR_THE_BUS = ("merchant_receipt", "details")
#: Details that a till acts on: a signature to be looked at, a tip, the terminal's own words.
DETAILS_FOR_THE_BUS = ("signature", "tip", "text", "tippable", "condition", "remedy")


@dataclass(frozen=True, slots=True)
class Command:
    """A command whose signature is good. `issued` and `expires` are unix seconds of Odoo's clock; `reply` is Odoo's."""

    id: str
    operation: str
    uuid: str
    reply: int
    issued: float
    expires: float
    caller: Caller
    body: Mapping[str, Any]
    once: str | None

    @property
    def route(self) -> Route:
        return ROUTE_OF_OPERATION[self.operation]


def read(driver: Driver, token: str) -> Command:
    """Return the command a token holds; `BadSignature` where it is not Odoo's word to this driver."""
    keyring = driver.keyring
    kid, claims = keyring.open(token, driver.clock.now().timestamp())
    for_us = claims.get("drv") == keyring.driver and claims.get("db") == keyring.database
    if kid != ODOO or claims.get("typ") != "relay" or not for_us:
        raise BadSignature("a command for another driver or database")
    kinds: dict[str, tuple[type, ...]] = {
        "id": (str,), "op": (str,), "reply": (int,), "iat": (int, float), "exp": (int, float)
    }  # fmt: skip
    if any(type(claims.get(name)) not in types for name, types in kinds.items()):
        raise BadSignature("a command that lacks something")
    if claims["op"] not in ROUTE_OF_OPERATION:
        raise BadSignature("a command this version does not know")
    body, once = claims.get("body"), claims.get("once")
    return Command(
        claims["id"],
        claims["op"],
        str(claims.get("uuid") or ""),
        claims["reply"],
        claims["iat"],
        claims["exp"],
        caller_of(claims),
        body if isinstance(body, dict) else {},
        once if isinstance(once, str) else None,
    )


async def carry_out(driver: Driver, command: Command, *, late: bool) -> tuple[int, dict[str, Any]]:
    """Return status and JSON, as the HTTP route answers. What came `late` makes no byte leave for a terminal."""
    try:
        route = command.route
        path, body = place_and_body(command)
        call = admit(driver, command.caller, route, path, {}, canonical(body), command.once)
        if late:
            if command.operation not in STARTING:
                raise Problem("expired_command", "The request reached the driver too late. Ask again.")
            call = replace(call, body={**call.body, "not_after": LONG_AGO})
        response = await route.handler(call)
        if not isinstance(response.body, bytes):
            raise TypeError("an answer without a body")
        return response.status, for_the_bus(json.loads(response.body))
    except Exception as error:  # noqa: BLE001 - every fault becomes an answer, as over HTTP
        problem = problem_of(error, driver, f"relayed {command.operation} {command.uuid}", command.uuid)
        return problem.status, problem.as_json()


def place_and_body(command: Command) -> tuple[dict[str, str], dict[str, Any]]:
    """Return what stands in the route's path, and its body; what is asked of a terminal names it in the command's."""
    body = dict(command.body)
    if "{id}" in command.route.path:
        return {"id": str(body.pop("terminal", ""))}, {**body, "uuid": command.uuid}
    return dict.fromkeys(re.findall(r"{(\w+)}", command.route.path), command.uuid), body


def for_the_bus(told: dict[str, Any]) -> dict[str, Any]:
    """Return what Odoo may keep of an answer on its way to the till."""
    outcome = told.get("outcome")
    if not outcome:
        return told
    kept = {name: value for name, value in outcome.items() if name not in NOT_FOR_THE_BUS}
    details = outcome.get("details") or {}
    wanted = {name: details[name] for name in DETAILS_FOR_THE_BUS if name in details}
    return {**told, "outcome": {**kept, "details": wanted} if wanted else kept}
