"""Signed words between Odoo and its drivers: grants, configuration and request signatures (docs/api.md 1.2, 2).

Standard library only and free of imports from the rest of the driver, because the addon signs with this very module.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
#: A text as `_CANONICAL` writes it, without an encoder made for each.
quoted: Callable[[str], str] = json.encoder.encode_basestring


class BadSignature(Exception):
    """The token is malformed, signed by nobody known, or altered."""


def sign(kid: str, key: bytes, claims: Mapping[str, Any]) -> str:
    """Return `<kid>.<payload>.<signature>` over `claims`."""
    signed = f"{kid}.{_encode(canonical(claims))}"
    return f"{signed}.{_encode(_digest(key, signed.encode()))}"


def verify(token: str, key_of: Callable[[str], bytes | None]) -> tuple[str, dict[str, Any]]:
    """Return (kid, claims) of a token; `key_of` gives the key of a kid. Expiry is the caller's to judge."""
    try:
        kid, payload, signature = token.split(".")
        key = key_of(kid)
        if key is None or not hmac.compare_digest(_decode(signature), _digest(key, f"{kid}.{payload}".encode())):
            raise BadSignature("signed by nobody known")
        claims = json.loads(_decode(payload))
    except (ValueError, binascii.Error) as error:
        raise BadSignature("not a token") from error
    if not isinstance(claims, dict):
        raise BadSignature("not a token")
    return kid, claims


def sign_body(key: bytes, timestamp: int, body: bytes) -> str:
    """Return the `X-Card-Terminal-Signature` of a request body sent at `timestamp` (unix seconds)."""
    return f"t={timestamp},v1={_digest(key, f'{timestamp}.'.encode() + body).hex()}"


def verify_body(key: bytes, header: str, body: bytes) -> int:
    """Return the timestamp of a signed request body."""
    try:
        timestamp = int(header.split(",", 1)[0].removeprefix("t="))
    except ValueError as error:
        raise BadSignature("not a signature") from error
    if not hmac.compare_digest(header.encode(), sign_body(key, timestamp, body).encode()):
        raise BadSignature("altered, or signed with another key")
    return timestamp


def sign_answer(key: bytes, request_signature: str, body: bytes) -> str:
    """Return the `X-Card-Terminal-Signature` of the answer to the request that bore `request_signature`."""
    return f"v1={_digest(key, f'{request_signature}.'.encode() + body).hex()}"


def verify_answer(key: bytes, request_signature: str, header: str, body: bytes) -> None:
    """Raise `BadSignature` unless this answers that very request."""
    if not hmac.compare_digest(header.encode(), sign_answer(key, request_signature, body).encode()):
        raise BadSignature("altered, or the answer to another request")


def wrap_key(key: bytes, new: bytes, nonce: bytes) -> str:
    """Return `<nonce>.<new key>`, readable only with `key`: one block of HMAC-SHA256 over a nonce used once hides it.

    It says nothing of who wrote it: it travels inside a signed answer.
    """
    pad = _digest(key, b"new key." + nonce)
    return f"{_encode(nonce)}.{_encode(bytes(a ^ b for a, b in zip(new, pad, strict=True)))}"


def unwrap_key(key: bytes, wrapped: str) -> bytes:
    """Return the 32 bytes that `wrap_key` hid."""
    try:
        nonce, hidden = (_decode(part) for part in wrapped.split("."))
        pad = _digest(key, b"new key." + nonce)
        return bytes(a ^ b for a, b in zip(hidden, pad, strict=True))
    except (ValueError, binascii.Error) as error:
        raise BadSignature("not a wrapped key") from error


def canonical(value: Any) -> bytes:
    """Return the one JSON form that is signed and hashed: sorted keys, no spaces, UTF-8."""
    return _CANONICAL.encode(value).encode()


def event_hash(prev: str, seq: int, uuid: str, kind: str, at: str, body: str) -> str:
    """Return the hash of a journal event, chained to the event before. `body`: its canonical JSON (docs/api.md 2.1)."""
    told = f"{prev}[{seq},{quoted(uuid)},{quoted(kind)},{quoted(at)},{body}]"
    return hashlib.sha256(told.encode()).hexdigest()


def event_json(prev: str, seq: int, uuid: str, kind: str, at: str, body: str, digest: str) -> bytes:
    """Return a journal event as Odoo receives it, in canonical JSON; `body` is that already."""
    return (
        f'{{"at":{quoted(at)},"body":{body},"hash":{quoted(digest)},"prev":{quoted(prev)},"seq":{seq},'
        f'"type":{quoted(kind)},"uuid":{quoted(uuid)}}}'
    ).encode()


def _digest(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
