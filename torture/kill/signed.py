"""Signatures as docs/api.md 1.2 and 2 describe them, written from the document: nothing here comes from the driver."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

DRIVER, DATABASE = "driver-under-test", "11111111-2222-4333-8444-555555555555"
KEY = bytes(range(32))


def token(claims: Mapping[str, Any]) -> str:
    """Return `odoo.<payload>.<signature>` over these claims."""
    text = f"odoo.{_encode(json.dumps(claims, sort_keys=True, separators=(',', ':')).encode())}"
    return f"{text}.{_encode(hmac.digest(KEY, text.encode(), 'sha256'))}"


def body_digest(stamp: str, body: bytes) -> str:
    """Return what a request (`stamp`: its unix seconds) or an answer (`stamp`: the request's header) is signed with."""
    return hmac.digest(KEY, f"{stamp}.".encode() + body, "sha256").hex()


def event_digest(event: Mapping[str, Any]) -> str:
    """Return the hash that an event must carry."""
    told = [event[name] for name in ("seq", "uuid", "type", "at", "body")]
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256((event["prev"] + text).encode()).hexdigest()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
