"""Odoo as the driver sees it, written from docs/api.md 2 alone: takes signed, chained events and applies each once."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from .signed import DATABASE, DRIVER, body_digest, event_digest, token

FINAL = frozenset({"approved", "declined", "cancelled", "failed", "settled_by_hand"})
SIGNATURE = "X-Card-Terminal-Signature"


@dataclass
class Mirrored:
    """A transaction as its events left it. `approvals` counts how often it would have been booked."""

    asked: dict[str, Any] = field(default_factory=dict)
    state: str = ""
    amount: int = 0
    approvals: int = 0


class Odoo:
    """Keeps what drivers report. `faults` has every batch that was refused and why, and every event out of place."""

    def __init__(self, terminals: list[dict[str, Any]], number: int = 1) -> None:
        self._number = number
        self._configuration = token(
            {
                "typ": "configuration",
                "drv": DRIVER,
                "db": DATABASE,
                "number": number,
                "origins": ["http://shop.example"],
                "hosts": [],
                "terminals": terminals,
            }
        )
        self.journals: dict[str, list[dict[str, Any]]] = {}
        self.transactions: dict[str, Mirrored] = {}
        self.faults: Counter[str] = Counter()
        self.port = 0

    @property
    def events(self) -> int:
        return sum(len(events) for events in self.journals.values())

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Odoo]:
        """Listen on a free port."""
        app = web.Application(client_max_size=8 * 1024 * 1024)
        app.router.add_post("/card_terminal/v1/events", self._take)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.port = runner.addresses[0][1]
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        raw = await request.read()
        header = request.headers.get(SIGNATURE, "")
        stamp = re.fullmatch("t=([0-9]+),v1=([0-9a-f]{64})", header)
        known = request.headers.get("X-Card-Terminal-Driver") == DRIVER
        if not stamp or not known or body_digest(stamp[1], raw) != stamp[2]:
            self.faults["bad signature"] += 1
            return web.json_response({"error": "unsigned"}, status=401)
        batch = json.loads(raw)
        if fault := self._fault(batch):
            self.faults[fault] += 1
            return web.json_response({"error": fault}, status=400)
        known = self.journals.setdefault(batch["journal_id"], [])
        for event in batch["events"]:
            if event["seq"] == len(known) + 1:
                known.append(event)
                self._apply(event)
        answer = {
            "acked": len(known),
            "want": len(known) + 1,
            "configuration": None if batch["configuration"] == self._number else self._configuration,
            "database_uuid": DATABASE,
            "settled": [],
        }
        body = json.dumps(answer).encode()
        headers = {SIGNATURE: f"v1={body_digest(header, body)}"}
        return web.Response(body=body, content_type="application/json", headers=headers)

    def _fault(self, batch: dict[str, Any]) -> str:
        """Return what is wrong with a batch: the chain must hold within it and with what is known."""
        known = self.journals.get(batch["journal_id"], [])
        if batch["last"] < len(known):
            return "the journal has lost events"
        before: dict[str, Any] | None = None
        for event in batch["events"]:
            seq = event["seq"]
            if (seq > len(known) + 1 and before is None) or (before and seq != before["seq"] + 1):
                return "a gap"
            head = known[seq - 2]["hash"] if 1 < seq <= len(known) + 1 else batch["journal_id"]
            if event["prev"] != (before["hash"] if before else head) or event["hash"] != event_digest(event):
                return "a broken chain"
            if seq <= len(known) and known[seq - 1]["hash"] != event["hash"]:
                return "another story than before"
            before = event
        return ""

    def _apply(self, event: dict[str, Any]) -> None:
        uuid, kind, body = event["uuid"], event["type"], event["body"]
        if not uuid:
            return
        mirrored = self.transactions.setdefault(uuid, Mirrored())
        if kind == "requested":
            if mirrored.asked:
                self.faults["requested twice"] += 1
            mirrored.asked = body
        elif not mirrored.asked:
            self.faults["an event before its request"] += 1
        if kind == "approved":
            mirrored.approvals += 1
            approved = body.get("amount_approved")
            mirrored.amount = mirrored.asked.get("amount", 0) if approved is None else approved
        if kind in FINAL and mirrored.state in FINAL:
            self.faults["ended twice"] += 1
        if kind in FINAL or kind in ("requested", "sent", "unknown"):
            mirrored.state = kind
