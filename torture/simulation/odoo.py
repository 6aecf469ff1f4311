"""What Odoo keeps of its drivers, as docs/api.md section 2 says it: written from that page, no code is shared.

Numbered events are applied once, a gap or a broken chain is refused, another journal or a fork turns what was open into
unknown; what people settle is told until the journal repeats it.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import random
from collections.abc import AsyncIterator
from typing import Any, Self

OPEN = ("requested", "sent", "unknown")
STATES = (*OPEN, "approved", "declined", "cancelled", "failed", "settled_by_hand")
DATABASE, KEY, DRIVER = "7a0f0d8e-0000-4000-8000-000000000001", bytes(range(32)), "driver-1"
SIGNATURE = "X-Card-Terminal-Signature"


class Odoo:
    """Odoo's side. `up` False: nobody answers; `loses_answers`: what it has applied is not told."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.up = True
        self.loses_answers = False
        self.events: dict[tuple[str, int], dict[str, Any]] = {}
        self.transactions: dict[str, dict[str, Any]] = {}
        self.alarms: list[str] = []
        self.journal = ""
        self.last = 0
        self.head = ""
        self._yesterday: tuple[Any, ...] | None = None
        self._to_settle: dict[str, dict[str, Any]] = {}

    # -- people in the back office

    def settle(self, uuid: str, *, paid: bool, at: str) -> bool:
        """A manager settles an unknown; False where Odoo does not know it as one."""
        transaction = self.transactions.get(uuid)
        if transaction is None or transaction["state"] != "unknown":
            return False
        word = {"uuid": uuid, "paid": paid, "by": "Manager", "at": at}
        transaction.update(state="settled_by_hand", paid=paid)
        self._to_settle[uuid] = word
        return True

    # -- the driver's road

    def post(self, headers: dict[str, str], data: bytes) -> tuple[int, bytes, str]:
        """Return status, body and signature of the answer."""
        said = headers[SIGNATURE]
        stamp = said.split(",")[0].removeprefix("t=")
        if not hmac.compare_digest(said, f"t={stamp},v1={_digest(f'{stamp}.'.encode() + data)}"):
            return 401, b"{}", ""
        payload = json.loads(data)
        if payload["database_uuid"] != DATABASE:
            return 409, b"{}", ""
        problem = self._take(payload)
        if problem:
            return 400, json.dumps({"error": problem}).encode(), ""
        answer = {
            "acked": self.last,
            "want": self.last + 1,
            "configuration": None,
            "database_uuid": DATABASE,
            "settled": list(self._to_settle.values()),
        }
        body = json.dumps(answer).encode()
        return 200, body, f"v1={_digest(f'{said}.'.encode() + body)}"

    def _take(self, payload: dict[str, Any]) -> str:
        journal, events = payload["journal_id"], payload["events"]
        if journal != self.journal.partition("~")[0]:
            if self.journal:
                self._alarm("another journal")
            self.journal, self.last, self.head = journal, 0, journal
        if payload["last"] < self.last:
            self._alarm("the journal went back")
        before: dict[str, Any] | None = None
        for event in events:
            if before and (event["seq"] != before["seq"] + 1 or event["prev"] != before["hash"]):
                return f"a gap or a broken chain at {event['seq']}"
            told = [event["seq"], event["uuid"], event["type"], event["at"], event["body"]]
            if hashlib.sha256(event["prev"].encode() + _compact(told)).hexdigest() != event["hash"]:
                return f"event {event['seq']} was altered"
            before = event
        if self._is_fork(events):
            self._alarm("the journal tells another story")
            self.journal, self.last, self.head = f"{journal}~{len(self.alarms)}", 0, journal
            events = events if events[0]["seq"] == 1 else []
        for event in events:
            if event["seq"] == self.last + 1:
                self.last, self.head = event["seq"], event["hash"]
                self.events[self.journal, event["seq"]] = event
                self._apply(event)
        return ""

    def _is_fork(self, events: list[dict[str, Any]]) -> bool:
        if not events:
            return False
        if events[0]["seq"] == self.last + 1:
            return bool(events[0]["prev"] != self.head)
        known = (self.events.get((self.journal, event["seq"])) for event in events)
        return any(old is not None and old["hash"] != new["hash"] for old, new in zip(known, events, strict=True))

    def _apply(self, event: dict[str, Any]) -> None:
        uuid, kind, body = event["uuid"], event["type"], event["body"]
        if not uuid:
            return
        if kind == "requested":
            asked = {"state": "requested", "amount": None, "asked": body["amount"], "kind": body["kind"]}
            self.transactions.setdefault(uuid, asked | {"line": body["line"], "order": body["order"]})
            return
        transaction = self.transactions.get(uuid)
        if transaction is None:
            self.alarms.append(f"{uuid} was never requested")
            return
        if kind == "settled_by_hand":
            self._to_settle.pop(uuid, None)
        elif kind in STATES and transaction["state"] in OPEN:
            if kind != "sent" or transaction["state"] == "requested":
                transaction.update(state=kind, amount=body.get("amount_approved"))
        elif kind in STATES and transaction["state"] != kind:
            transaction["disagreement"] = kind
            if transaction["state"] == "settled_by_hand":
                self._to_settle.pop(uuid, None)  # the journal knew better before it heard

    def _alarm(self, text: str) -> None:
        self.alarms.append(text)
        for transaction in self.transactions.values():
            if transaction["state"] in OPEN:
                transaction["state"] = "unknown"


class Session:
    """Stands where the driver's link has aiohttp's session: the road to Odoo, which can be closed."""

    def __init__(self, odoo: Odoo) -> None:
        self._odoo = odoo

    def post(self, url: str, *, data: bytes, headers: dict[str, str], allow_redirects: bool) -> _Response:
        return _Response(self._odoo, headers, data)


class _Response:
    def __init__(self, odoo: Odoo, headers: dict[str, str], data: bytes) -> None:
        self._odoo, self._asked, self._data = odoo, headers, data
        self.status = 0
        self.headers: dict[str, str] = {}
        self.content = self

    async def __aenter__(self) -> Self:
        odoo = self._odoo
        await asyncio.sleep(0.01 + odoo.chance.random() * 0.3)
        if not odoo.up:
            raise TimeoutError
        self.status, self._data, signed = odoo.post(self._asked, self._data)
        self.headers = {SIGNATURE: signed}
        if odoo.loses_answers or not odoo.up:
            raise ConnectionResetError
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def iter_any(self) -> AsyncIterator[bytes]:
        yield self._data


def _digest(data: bytes) -> str:
    return hmac.digest(KEY, data, "sha256").hex()


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _compact(value: Any) -> bytes:
    return _ENCODER.encode(value).encode()
