"""The routes of the API: one row each, with what a caller's grant must name (docs/api.md 1.3)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from ..protocols.states import Kind
from . import metrics, transactions
from .calls import Call, Route
from .doors import errand
from .openapi import document
from .schemas import ERRAND_BODY, EVENTS_QUERY, IDENTIFY_BODY, TRANSACTION_BODY, TRANSACTION_QUERY

#: Seconds a new transaction's answer waits at most for its request to leave.
ON_THE_WAY = 0.05


def answer(value: Mapping[str, Any], status: int = 200) -> web.Response:
    """Return a JSON answer."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return web.Response(body=text.encode(), status=status, content_type="application/json")


async def put_transaction(call: Call) -> web.Response:
    """Start a transaction and answer once its request is on the way; what becomes of it is asked with GET."""
    transaction, new = await transactions.put(call.driver, call.path["uuid"], call.body)
    if new:  # the terminal comes first: writing this answer would hold the request back
        await transaction.changed(transaction.rev, ON_THE_WAY)
    return answer(transaction.as_json(call.driver.journal.journal_id), 201 if new else 200)


async def get_transaction(call: Call) -> web.Response:
    """Answer at once, or when something has changed."""
    transaction = transactions.look(call.driver, call.path["uuid"])
    if "after" in call.query:
        await transaction.changed(call.query["after"], call.query.get("wait", 0))
        transaction = transactions.find(call.driver, call.path["uuid"])
    return answer(transaction.as_json(call.driver.journal.journal_id))


async def get_events(call: Call) -> web.Response:
    journal = call.driver.journal
    events = journal.events(since=call.query.get("since", 0), limit=call.query.get("limit", 1000))
    told = [transactions.event_for(call.caller, journal, event) for event in events]
    return answer({"journal_id": journal.journal_id, "last": journal.last, "events": told})


async def cancel_transaction(call: Call) -> web.Response:
    transaction = await transactions.cancel(call.driver, call.path["uuid"])
    return answer(transaction.as_json(call.driver.journal.journal_id))


async def get_terminals(call: Call) -> web.Response:
    await call.driver.terminals.settle()
    return answer({"terminals": [item.describe() for item in call.driver.terminals if call.caller.sees(item.id)]})


async def get_terminal(call: Call) -> web.Response:
    await call.driver.terminals.settle()
    return answer(call.driver.configured(call.path["id"]).describe())


async def identify_terminal(call: Call) -> web.Response:
    return await _run_errand(call, Kind.IDENTIFY)


async def settle_terminal(call: Call) -> web.Response:
    return await _run_errand(call, Kind.SETTLEMENT)


async def reprint_slip(call: Call) -> web.Response:
    return await _run_errand(call, Kind.REPRINT)


async def _run_errand(call: Call, kind: Kind) -> web.Response:
    transaction, new = await transactions.put(call.driver, call.body["uuid"], errand(call, kind))
    return answer(transaction.as_json(call.driver.journal.journal_id), 201 if new else 200)


async def get_health(call: Call) -> web.Response:
    return answer(call.driver.health())


async def make_backup(call: Call) -> web.Response:
    """Only the driver can copy its journal; where the copy goes is not for callers to say."""
    return answer({"path": str(call.driver.backup())}, 201)


async def stop_when_idle(call: Call) -> web.Response:
    call.driver.end_when_idle()
    return answer({"status": "stopping"}, 202)


async def get_metrics(call: Call) -> web.Response:
    return web.Response(text=metrics.exposition(call.driver), headers={"Content-Type": metrics.CONTENT_TYPE})


async def get_openapi(call: Call) -> web.Response:
    return answer(document(ROUTES))


def terminal_in_body(call: Call) -> str | None:
    return call.driver.configured(call.body["terminal"]).id


def terminal_in_path(call: Call) -> str | None:
    return call.driver.configured(call.path["id"]).id


def terminal_of_transaction(call: Call) -> str | None:
    """The terminal of a known transaction; an unknown one is refused by the handler."""
    transaction = call.driver.transaction(call.path["uuid"])
    return transactions.terminal_of(call.driver, transaction) if transaction else None


ROUTES: tuple[Route, ...] = (
    Route(
        "PUT",
        "/v1/transactions/{uuid}",
        put_transaction,
        "Start a transaction, or ask what became of it",
        operation=None,
        terminal=terminal_in_body,
        body=TRANSACTION_BODY,
        answers={201: "started", 200: "known, with the same body"},
        returns="Transaction",
    ),
    Route(
        "GET",
        "/v1/transactions/{uuid}",
        get_transaction,
        "A transaction, held until it changes where `after` is given",
        operation="status",
        terminal=terminal_of_transaction,
        query=TRANSACTION_QUERY,
        returns="Transaction",
    ),
    Route(
        "GET", "/v1/transactions", get_events, "Events numbered above `since`", operation="status", query=EVENTS_QUERY
    ),
    Route(
        "POST",
        "/v1/transactions/{uuid}/cancel",
        cancel_transaction,
        "Ask the terminal to give up",
        operation="cancel",
        terminal=terminal_of_transaction,
        returns="Transaction",
    ),
    Route("GET", "/v1/terminals", get_terminals, "The terminals the grant names", operation="status"),
    Route("GET", "/v1/terminals/{id}", get_terminal, "One terminal", operation="status", terminal=terminal_in_path),
    Route(
        "POST",
        "/v1/terminals/{id}/identify",
        identify_terminal,
        "Ask a terminal who it is",
        operation="identify",
        terminal=terminal_in_path,
        body=IDENTIFY_BODY,
        answers={201: "started", 200: "known"},
        returns="Transaction",
        kind=Kind.IDENTIFY,
    ),
    Route(
        "POST",
        "/v1/terminals/{id}/settlements",
        settle_terminal,
        "Let a terminal send off its payments (remote collection, end of day)",
        operation="sale",
        terminal=terminal_in_path,
        body=ERRAND_BODY,
        answers={201: "started", 200: "known, with the same body"},
        returns="Transaction",
        kind=Kind.SETTLEMENT,
    ),
    Route(
        "POST",
        "/v1/terminals/{id}/reprint",
        reprint_slip,
        "Let a terminal print its last slip once more",
        operation="reprint",
        terminal=terminal_in_path,
        body=ERRAND_BODY,
        answers={201: "started", 200: "known, with the same body"},
        returns="Transaction",
        kind=Kind.REPRINT,
    ),
    Route("GET", "/v1/health", get_health, "Liveness, versions, journal and clock", operation="status"),
    Route(
        "POST",
        "/v1/backup",
        make_backup,
        "Copy the journal into the state folder (command line only)",
        operation="backup",
        answers={201: "copied"},
    ),
    Route(
        "POST",
        "/v1/stop",
        stop_when_idle,
        "Stop the driver unless a terminal is in use (command line only)",
        operation="stop",
        answers={202: "stopping"},
    ),
    Route("GET", "/metrics", get_metrics, "Prometheus text", operation="status"),
    Route("GET", "/openapi.json", get_openapi, "This document", operation="status"),
)
