"""Odoo's side of docs/api.md 2.3: a bus that can be cut and a place for answers; it shares no code with the driver."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
import uuid
from typing import Any

from aiohttp import WSMsgType, web
from odoo_receiver import OdooReceiver

REPLY = 7


class RelayReceiver(OdooReceiver):
    """Says that there is a relay, unless `relays` is False. `ahead` is how far its clock is before the driver's."""

    def __init__(self, driver: str, database: str, key: bytes) -> None:
        super().__init__(driver, database, key)
        self.relays = True
        self.ahead = 0.0
        self.channels = ["secret-1", "secret-2"]
        self.bus_open = True
        self.takes = True
        self.socket_takes = False
        self.frames = 0
        self.heard_at: list[float] = []
        self.session = "session-1"
        self.subscriptions: list[dict[str, Any]] = []
        self.handshakes: list[dict[str, str]] = []
        self.results: list[dict[str, Any]] = []
        self.posts = 0
        self.kept: list[dict[str, Any]] = []
        self._sockets: set[web.WebSocketResponse] = set()

    def now(self) -> float:
        return time.time() + self.ahead

    def routes(self, app: web.Application) -> None:
        app.router.add_post("/card_terminal/v1/relay", self._take_results)
        app.router.add_get("/websocket", self._serve_bus)

    def relay(self) -> dict[str, Any] | None:
        if not self.relays:
            return None
        return {"channels": self.channels, "url": None, "version": "19.0-2", "now": self.now()}

    @property
    def listening(self) -> bool:
        return bool(self._sockets)

    def command(self, operation: str, number: str = "", body: Any = None, **changes: Any) -> str:
        """Return a signed command."""
        claims = {
            "typ": "relay",
            "drv": self.driver,
            "db": self.database,
            "id": str(uuid.uuid4()),
            "op": operation,
            "uuid": number,
            "body": body,
            "once": None,
            "reply": REPLY,
            "till": "Till 1",
            "session": "POS/0001",
            "user": "Marie",
            "ops": ["sale", "status", "cancel", "identify", "reprint"],
            "terminals": ["counter"],
            "iat": self.now(),
            "exp": self.now() + 10,
        } | changes
        return signed(claims, self.key)

    async def send(self, command: Any, kind: str = "card_terminal_relay") -> None:
        """Put a command on the bus."""
        row = {"id": len(self.kept) + 1, "message": {"type": kind, "payload": {"command": command}}}
        self.kept.append(row)
        for socket in self._sockets:
            await socket.send_str(json.dumps([row]))

    async def call(self, operation: str, number: str = "", body: Any = None, **changes: Any) -> dict[str, Any]:
        """Send a command and return the driver's answer."""
        command = changes.setdefault("id", str(uuid.uuid4()))
        await self.send(self.command(operation, number, body, **changes))
        return await self.answer(command)

    async def answer(self, command: str) -> dict[str, Any]:
        async with asyncio.timeout(10):
            while not (found := [result for result in self.results if result["command"] == command]):  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        return found[0]

    def states(self, number: str) -> list[str]:
        """Return the states that the till was told of a transaction, unasked."""
        told = [result for result in self.results if result["uuid"] == number and result["command"] is None]
        return [result["body"]["state"] for result in told]

    async def cut(self) -> None:
        """Cut the bus."""
        self.bus_open = False
        for socket in list(self._sockets):
            await socket.close()

    async def _serve_bus(self, request: web.Request) -> web.StreamResponse:
        self.handshakes.append({**request.headers, "version": request.query.get("version", "")})
        if not self.bus_open:
            return web.Response(status=500)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        try:
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    self.heard_at.append(time.monotonic())
                    event, words = json.loads(frame.data).values()
                    if event == "card_terminal_answers":
                        await self._take_frame(socket, words)
                        continue
                    self.subscriptions.append(words)
                    self._sockets.add(socket)
                    missed = [row for row in self.kept if row["id"] > words["last"]]
                    if missed:
                        await socket.send_str(json.dumps(missed))
        finally:
            self._sockets.discard(socket)
        return socket

    async def _take_results(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        if not self.takes:
            return web.Response(status=503)
        payload = self._taken(raw, request.headers["X-Card-Terminal-Signature"])
        if payload is None:
            return web.Response(status=401)
        self.posts += 1
        answer = {"taken": len(payload["results"])} | ({"session": self.session} if payload.get("session") else {})
        return self._signed(request, answer)

    async def _take_frame(self, socket: web.WebSocketResponse, words: dict[str, str]) -> None:
        """Take answers over the bus and say so, if it does."""
        if not self.socket_takes:
            return
        signature = words["signature"]
        payload = self._taken(words["body"].encode(), signature)
        if payload is not None and words["driver"] == self.driver:
            self.frames += 1
            body = json.dumps({"taken": len(payload["results"])})
            signs_with = self.signs_with or self.key
            seal = hmac.new(signs_with, f"{signature}.{body}".encode(), hashlib.sha256).hexdigest()
            await socket.send_json({"card_terminal_taken": {"signature": f"v1={seal}", "body": body}})

    def _taken(self, raw: bytes, header: str) -> dict[str, Any] | None:
        stamp, _, signature = header.partition(",v1=")
        good = hmac.new(self.key, f"{stamp.removeprefix('t=')}.".encode() + raw, hashlib.sha256).hexdigest()
        payload: dict[str, Any] = json.loads(raw)
        if signature != good or abs(payload["at"] - self.now()) > 5 or payload["database_uuid"] != self.database:
            self.faults.append("answers that are not the driver's")
            return None
        self.results += [{**result, "journal_id": payload["journal_id"]} for result in payload["results"]]
        return payload


def signed(claims: dict[str, Any], key: bytes, kid: str = "odoo") -> str:
    text = f"{kid}.{_base64(json.dumps(claims).encode())}"
    return f"{text}.{_base64(hmac.new(key, text.encode(), hashlib.sha256).digest())}"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
