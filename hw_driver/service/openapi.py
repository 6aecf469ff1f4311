"""The OpenAPI document, written from the tables that guard the routes and check the bodies."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from .. import __version__
from ..journal import NOT_KEPT
from ..protocols.machine import Outcome
from ..protocols.states import GRANTED_KINDS, Kind, Money, State
from .calls import Route
from .problems import CONTENT_TYPE, REFUSALS
from .schemas import TRANSACTION_BODY, UUID, json_schema, member_schema

_TEXT = {"type": "string"}
_PATH = {"uuid": {"type": "string", "pattern": f"^{UUID.pattern}$"}}
_OUTCOME_TYPES: dict[str, dict[str, Any]] = {
    "state": {"type": "string", "enum": list(State)},
    "amount_approved": {"type": ["integer", "null"]},
    "virtual": {"type": "boolean"},
    "totals": {"type": ["array", "null"], "items": {"type": "object"}},
    "details": {"type": "object"},
}


def document(routes: Iterable[Route]) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Card terminal driver", "version": __version__},
        "security": [{"grant": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"grant": {"type": "http", "scheme": "bearer", "description": "session grant"}},
            "schemas": {"Problem": _problem(), "Transaction": _transaction()},
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    refusal = {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{route.returns}"}}}
    more = {"content": content} if route.returns else {}
    answers = {str(status): {"description": about, **more} for status, about in route.answers.items()}
    operation: dict[str, Any] = {
        "summary": route.about,
        "operationId": route.handler.__name__,
        "parameters": _parameters(route),
        "responses": {**answers, "default": {"description": "refused", "content": refusal}},
        "x-grant-operation": route.operation or "of the kind",
    }
    if route.body is not None:
        schema = json_schema(route.body)
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return operation


def _parameters(route: Route) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": _PATH.get(name, _TEXT)}
        for name in re.findall(r"{(\w+)}", route.path)
    ]
    for name, field in route.query.items():
        parameters.append({"name": name, "in": "query", "required": field.required, "schema": member_schema(field)})
    if (route.body and "kind" in route.body) or route.kind in GRANTED_KINDS:
        about = f"one-time grant, for {', '.join(sorted(GRANTED_KINDS))}"
        parameters.append({"name": "X-Card-Terminal-Grant", "in": "header", "description": about, "schema": _TEXT})
    return parameters


def _problem() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["type", "title", "status", "detail", "code", "money"],
        "properties": {
            "type": _TEXT,
            "title": _TEXT,
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": "a sentence for the cashier"},
            "code": {"type": "string", "enum": sorted(REFUSALS)},
            "money": {"type": "string", "enum": list(Money)},
            "holder": {"type": "object"},
            "transaction": {"type": "object"},
        },
    }


def _transaction() -> dict[str, Any]:
    asked = {name: {"type": field.type, "description": field.about} for name, field in TRANSACTION_BODY.items()}
    for name in NOT_KEPT - {"uuid"}:
        del asked[name]
    return {
        "type": "object",
        "properties": {
            **asked,
            "uuid": _TEXT,
            "journal_id": _TEXT,
            "rev": {"type": "integer"},
            "state": {"type": "string", "enum": list(State)},
            "money": {"type": "string", "enum": list(Money)},
            "kind": {"type": "string", "enum": list(Kind)},
            "original": {"type": ["object", "null"]},
            "means": _TEXT,
            "forced": _TEXT,
            "amount_approved": {"type": ["integer", "null"]},
            "code": _TEXT,
            "text": _TEXT,
            "progress": {"type": ["object", "null"]},
            "outcome": {
                "type": ["object", "null"],
                "properties": {field.name: _OUTCOME_TYPES.get(field.name, _TEXT) for field in fields(Outcome)},
            },
            "settled": {"type": ["object", "null"]},
            "requested_at": {"type": ["string", "null"], "description": "null for what is not journalled (identify)"},
            "ended_at": {"type": ["string", "null"]},
        },
    }
