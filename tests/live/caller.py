"""A caller of the driver's API that is no browser: any header, any grant. Grants are made as docs/api.md 1.2 says."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from shopfloor import Counter, Shop


@dataclass(frozen=True)
class Answer:
    """Status and JSON of an answer."""

    status: int
    body: dict[str, Any]

    @property
    def refusal(self) -> tuple[int, str]:
        return self.status, self.body.get("code", "")


class Caller:
    """Calls a shop's driver with the headers of a good till; a call may replace some, or leave them out (None).

    `machine` is the address it calls from: the driver stops listening to one that guesses grants.
    """

    def __init__(self, shop: Shop, grant: str, machine: str = "127.0.0.1") -> None:
        self.address = urlsplit(shop.driver_url)
        self.machine = machine
        self.headers = {
            "Host": self.address.netloc,
            "Origin": shop.server.url,
            "Authorization": f"Bearer {grant}",
            "Content-Type": "application/json",
        }

    def __call__(self, method: str, path: str, body: object = None, /, **changed: str | None) -> Answer:
        headers = {**self.headers, **{name.replace("_", "-"): value for name, value in changed.items()}}
        place = (self.address.hostname or "", self.address.port)
        connection = http.client.HTTPConnection(*place, timeout=30, source_address=(self.machine, 0))
        data = json.dumps(body if body is not None else {}).encode() if method in ("PUT", "POST") else b""
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            if value is not None:
                connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(data)))
        connection.endheaders(data)
        response = connection.getresponse()
        content = response.read()
        connection.close()
        is_json = "json" in (response.getheader("Content-Type") or "")
        return Answer(response.status, json.loads(content) if is_json else {})

    def transaction(self, counter: Counter, **changed: Any) -> dict[str, Any]:
        """The body of a sale on a till's terminal, with some members changed."""
        now = datetime.fromisoformat(self("GET", "/v1/health").body["now"])
        return {
            "terminal": counter.uuids[0],
            "kind": "sale",
            "amount": 500,
            "currency": "EUR",
            "till": counter.name,
            "session": "S",
            "order": str(uuid.uuid4()),
            "line": str(uuid.uuid4()),
            "operator": "Cashier",
            "reference": "",
            "not_after": (now + timedelta(seconds=30)).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            **changed,
        }


def open_session(counter: Counter) -> int:
    """Open the register without a browser; return the session."""
    client = counter.shop.client
    client.call("pos.config", "open_ui", [counter.config])
    session = client.id_of("pos.session", [("config_id", "=", counter.config), ("state", "!=", "closed")])
    client.call("pos.session", "set_opening_control", [session], 0, "")
    return session


def session_grant(counter: Counter, session: int) -> str:
    """The grant that Odoo gives to a till's browser."""
    (given,) = counter.shop.client.call("pos.session", "card_terminal_grants", [session])
    return str(given["grant"])


def claims_of(grant: str) -> dict[str, Any]:
    """What a grant says."""
    payload = grant.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def signed(claims: dict[str, Any], key: bytes, kid: str = "odoo") -> str:
    """A grant over these claims."""
    text = f"{kid}.{_base64(json.dumps(claims, sort_keys=True, separators=(',', ':')).encode())}"
    return f"{text}.{_base64(hmac.digest(key, text.encode(), hashlib.sha256))}"


def pairing_key(shop: Shop) -> bytes:
    """The key that Odoo and the driver share."""
    return bytes.fromhex(shop.client.call("card.terminal.driver", "read", [shop.driver_id], ["key"])[0]["key"])


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
