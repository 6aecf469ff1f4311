"""What a till asks, as a protocol is asked: the members of PUT, and what the journal knows of an earlier one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from .clock import parse
from .journal import Journal, outcome_body
from .protocols.machine import InvalidRequest, Request
from .protocols.states import Kind


def request_of(body: Mapping[str, Any], journal: Journal) -> Request:
    """Return the request that `body` (docs/api.md 1.3) makes of a terminal."""
    original = dict(body.get("original") or {})
    means = body.get("means")
    if original and (record := journal.get(str(original.get("uuid", "")))):
        original |= {**outcome_body(record.outcome), "kind": record.kind, "amount": record.body["amount"]}
        means = means or record.body.get("means")  # it goes back the way it came
    return Request(
        uuid=str(body["uuid"]),
        kind=Kind(body["kind"]),
        amount=body.get("amount", 0),
        currency=str(body.get("currency") or ""),
        reference=str(body.get("reference") or ""),
        original=original or None,
        means=str(means or "card"),
        receipt=dict(body.get("receipt") or {}),
        forced=str(body.get("forced") or ""),
        text=str(body.get("text") or ""),
    )


def not_after(body: Mapping[str, Any]) -> datetime:
    """Return until when a request may still be sent; raise `InvalidRequest` where that cannot be read."""
    try:
        return parse(str(body["not_after"]))
    except (KeyError, ValueError) as error:
        raise InvalidRequest("not_after must be a time in UTC, like 2026-03-01T12:00:00.000Z") from error
