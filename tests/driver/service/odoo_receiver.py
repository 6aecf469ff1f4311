"""Odoo's side of docs/api.md 2, written from the document alone: it shares no code with the driver."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web


class OdooReceiver:
    """Keeps the events it was told, by journal. What it answers can be bent: see the attributes."""

    def __init__(self, driver: str, database: str, key: bytes) -> None:
        self.driver, self.database, self.key = driver, database, key
        self.answers_as = database  # the database uuid it names
        self.signs_with = b""  # another key than the driver's
        self.configuration: str | None = None
        self.settled: list[dict[str, Any]] = []
        self.status = 0  # answer with this status instead
        self.forget_answer = False  # take events, then break the connection
        self.wants: int | None = None  # want this number, whatever is known
        self.words: dict[str, Any] = {}  # further members of its answers
        self.next_key: bytes | None = None  # becomes the key when the driver first uses it
        self.revoked = False
        self.limit = 500  # events it takes in one batch
        self.journals: dict[str, list[dict[str, Any]]] = {}
        self.requests: list[dict[str, Any]] = []
        self.faults: list[str] = []
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events of the one journal it knows."""
        (events,) = self.journals.values() or ([],)
        return events

    def types(self, uuid: str | None = None) -> list[str]:
        return [event["type"] for event in self.events if uuid in (None, event["uuid"])] if self.journals else []

    @asynccontextmanager
    async def open(self) -> AsyncIterator[OdooReceiver]:
        """Listen, on the same port every time."""
        app = web.Application(client_max_size=8 * 1024 * 1024)
        app.router.add_post("/card_terminal/v1/events", self._take)
        self.routes(app)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = runner.addresses[0][1]
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _take(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        self.requests.append(json.loads(raw))
        if self.status:
            return web.json_response({"error": "bent"}, status=self.status, headers={"Location": "https://elsewhere/"})
        self._promote(request, raw)
        if self.revoked:
            told = {"error": "the driver was revoked", "standing": {"state": "revoked", "text": "Revoked."}}
            return self._signed(request, told, 401)
        status, error = self._fault(request, raw)
        if status:
            self.faults.append(error)
            return web.json_response({"error": error}, status=status)
        batch = json.loads(raw)
        known = self.journals.setdefault(batch["journal_id"], [])
        for event in batch["events"]:
            if event["seq"] == len(known) + 1:
                known.append(event)
        if self.forget_answer and batch["events"]:
            assert request.transport
            request.transport.abort()
        want, self.wants = self.wants or len(known) + 1, None
        answer = {
            "acked": len(known),
            "want": want,
            "configuration": self.configuration,
            "database_uuid": self.answers_as,
            "settled": self.settled,
            **self.words,
            "relay": self.relay(),
        }
        return self._signed(request, answer)

    def routes(self, app: web.Application) -> None:
        """Add more routes."""

    def relay(self) -> dict[str, Any] | None:
        """Return what it says of the relay."""
        return None

    def _promote(self, request: web.Request, raw: bytes) -> None:
        if self.next_key:
            at, _, given = request.headers["X-Card-Terminal-Signature"].partition(",v1=")
            signed = at.removeprefix("t=").encode() + b"." + raw
            if given == hmac.new(self.next_key, signed, hashlib.sha256).hexdigest():
                self.key, self.next_key, self.words = self.next_key, None, {}

    def _signed(self, request: web.Request, answer: dict[str, Any], status: int = 200) -> web.Response:
        body = json.dumps(answer).encode()
        signed = request.headers["X-Card-Terminal-Signature"].encode() + b"." + body
        digest = hmac.new(self.signs_with or self.key, signed, hashlib.sha256).hexdigest()
        headers = {"X-Card-Terminal-Signature": f"v1={digest}"}
        return web.Response(body=body, status=status, content_type="application/json", headers=headers)

    def _fault(self, request: web.Request, raw: bytes) -> tuple[int, str]:
        stamp = re.fullmatch("t=([0-9]+),v1=([0-9a-f]{64})", request.headers.get("X-Card-Terminal-Signature", ""))
        if not stamp or request.headers.get("X-Card-Terminal-Driver") != self.driver:
            return 401, "unsigned"
        good = hmac.new(self.key, f"{stamp[1]}.".encode() + raw, hashlib.sha256).hexdigest()
        if good != stamp[2]:
            return 401, "bad signature"
        batch = json.loads(raw)
        if batch["database_uuid"] != self.database or request.headers.get("X-Odoo-Database") != "shop":
            return 409, "another database"
        if len(raw) > 1024 * 1024 or len(batch["events"]) > self.limit:
            return 413, "too large"
        return self._chain_fault(batch)

    def _chain_fault(self, batch: dict[str, Any]) -> tuple[int, str]:
        known = self.journals.get(batch["journal_id"], [])
        before = None
        for event in batch["events"]:
            seq = event["seq"]
            if before and seq != before["seq"] + 1:
                return 400, f"gap at {seq}"
            if not before and seq > len(known) + 1:
                return 400, f"gap before {seq}"
            prev = before["hash"] if before else known[seq - 2]["hash"] if seq > 1 else batch["journal_id"]
            told = [seq, event["uuid"], event["type"], event["at"], event["body"]]
            text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            if event["prev"] != prev or event["hash"] != hashlib.sha256((prev + text).encode()).hexdigest():
                return 400, f"chain broken at {seq}"
            before = event
        return 0, ""
