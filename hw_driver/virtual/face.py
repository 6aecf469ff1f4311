"""The web face of a virtual terminal: a page for people and a small JSON interface (docs/api.md 5).

Only its own page may press keys: the Host must be the local one (so that no foreign name can be pointed at it), an
Origin, where a browser sends one, must be its own, and bodies must be JSON, which foreign forms cannot send.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web

from .cards import CARDS
from .concert import AUTO, KEYS
from .faults import BadFault, faults_of
from .server import Server

STATIC = Path(__file__).parent / "static"
MAX_BODY = 16 * 1024
HEARTBEAT = 15.0  # seconds; a browser that is gone is noticed by then
SECURITY = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Face:
    """Serves the page on 127.0.0.1:`port` (0: any free port; then `port` is the one chosen)."""

    def __init__(self, server: Server, port: int = 0) -> None:
        self.port = port
        self._server = server
        self._watchers: set[asyncio.Event] = set()
        self._runner: web.AppRunner | None = None
        server.watchers.append(self._changed)
        self.app = web.Application(middlewares=[self._doors], client_max_size=MAX_BODY)
        self.app.add_routes(
            [
                web.get("/", self._page),
                web.static("/static", STATIC),
                web.get("/api/state", self._state),
                web.get("/api/events", self._events),
                web.get("/api/ledger", self._ledger),
                web.post("/api/card", self._card),
                web.post("/api/key", self._key),
                web.post("/api/faults", self._faults),
                web.post("/api/auto", self._auto),
                web.post("/api/standalone", self._standalone),
            ]
        )

    async def start(self) -> None:
        """Listen; raises `OSError` when the port is taken."""
        self._runner = web.AppRunner(self.app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner:
            await self._runner.cleanup()

    def state(self) -> dict[str, Any]:
        """Return what the page shows, but for the ledger's entries."""
        terminal = self._server.terminal
        armed = terminal.faults.armed
        return {
            "virtual": True,
            "protocol": self._server.protocol,
            "place": self._server.place,
            "screen": asdict(terminal.screen),
            "auto": terminal.settings.auto,
            "delay": terminal.settings.delay,
            "entries": len(self._server.ledger.entries),
            "cards": [
                {"name": card.name, "label": card.label, "hint": card.hint, "last4": card.last4, "pin": card.pin}
                for card in CARDS.values()
            ],
            "faults": [
                {**asdict(fault), **(asdict(armed[name]) if name in armed else {"mode": None, "value": None})}
                for name, fault in faults_of(terminal.traits).items()
            ],
        }

    @web.middleware
    async def _doors(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        own = {f"{name}:{self.port}" for name in ("127.0.0.1", "localhost")}
        origin = request.headers.get("Origin")
        if request.host not in own:
            return _refuse(421, "This terminal answers only on this machine.")
        if origin is not None and origin not in {f"http://{host}" for host in own}:
            return _refuse(403, "Another page may not use this terminal.")
        if request.method == "POST" and request.content_type != "application/json":
            return _refuse(415, "Send JSON, with Content-Type: application/json.")
        try:
            response = await handler(request)
        except BadFault as error:
            return _refuse(400, str(error))
        except web.HTTPException as error:
            return _refuse(error.status, error.reason)
        if not response.prepared:
            response.headers.update(SECURITY)
        return response

    async def _page(self, request: web.Request) -> web.StreamResponse:
        return web.FileResponse(STATIC / "index.html")

    async def _state(self, request: web.Request) -> web.Response:
        return web.json_response(self.state())

    async def _ledger(self, request: web.Request) -> web.Response:
        limit = request.query.get("limit", "")
        entries = self._server.ledger.entries
        if limit.isascii() and limit.isdigit():
            entries = entries[max(len(entries) - int(limit), 0) :]
        totals = {
            currency: {**asdict(sums), "net": sums.net} for currency, sums in self._server.ledger.totals().items()
        }
        return web.json_response({"entries": [asdict(entry) for entry in entries], "totals": totals})

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Send the state now and after every change, as server-sent events."""
        response = web.StreamResponse(headers={**SECURITY, "Content-Type": "text/event-stream"})
        await response.prepare(request)
        changed = asyncio.Event()
        self._watchers.add(changed)
        try:
            while True:
                changed.clear()
                await response.write(f"data: {json.dumps(self.state())}\n\n".encode())
                with suppress(TimeoutError):  # the same state again keeps the line alive
                    await asyncio.wait_for(changed.wait(), HEARTBEAT)
        except ConnectionError:
            return response
        finally:
            self._watchers.discard(changed)

    async def _card(self, request: web.Request) -> web.Response:
        name = await _member(request, "card", CARDS)
        self._server.do(partial(self._server.terminal.present, name))
        return web.json_response(self.state())

    async def _key(self, request: web.Request) -> web.Response:
        key = await _member(request, "key", KEYS)
        self._server.do(partial(self._server.terminal.press, key))
        return web.json_response(self.state())

    async def _faults(self, request: web.Request) -> web.Response:
        self._server.terminal.faults.update(await _body(request))
        self._changed()
        return web.json_response(self.state())

    async def _auto(self, request: web.Request) -> web.Response:
        """Set the cardholder who acts by themselves: ``{"auto": "cb", "delay": 2}``; ``""`` for nobody."""
        auto = await _member(request, "auto", AUTO)
        delay = (await _body(request)).get("delay", 0)
        if isinstance(delay, bool) or not isinstance(delay, int | float) or not 0 <= delay < 86400:
            raise BadFault("delay is a number of seconds, 0 or more")
        self._server.terminal.settings.auto, self._server.terminal.settings.delay = auto, float(delay)
        self._changed()
        return web.json_response(self.state())

    async def _standalone(self, request: web.Request) -> web.Response:
        """Type a sale on the terminal itself, without a till: ``{"amount": 2500}``, in minor units."""
        amount = (await _body(request)).get("amount")
        if type(amount) is not int or not 0 < amount < 10**10:
            raise BadFault("amount is a whole number of cents, above zero")
        self._server.do(partial(self._server.terminal.standalone, amount))
        return web.json_response(self.state())

    def _changed(self) -> None:
        for watcher in self._watchers:
            watcher.set()


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError as error:
        raise BadFault("the body is not JSON") from error
    if not isinstance(body, dict):
        raise BadFault("the body is not a JSON object")
    return body


async def _member(request: web.Request, name: str, known: Any) -> str:
    value = (await _body(request)).get(name)
    if not isinstance(value, str) or value not in known:
        raise BadFault(f"{name} is one of: {', '.join(filter(None, known))}")
    return value


def _refuse(status: int, why: str) -> web.Response:
    return web.json_response({"error": why}, status=status, headers=SECURITY)
