"""Odoo's bus as a driver uses it: a websocket that the driver opens, no user, channels whose names are secret.

Facts of Odoo 19's `bus` module: the handshake needs an `Origin`; a connection belongs to a session, which names the
database; `subscribe` replays what is newer than `last` (0: what the last 50 s brought); nothing confirms a
subscription; more than 10 frames in 2 s from us end the connection.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode, urlsplit

import aiohttp

#: Seconds between two pings: shorter than the 60 s after which common proxies drop a silent connection.
PING = 20.0
MAX_MESSAGE = 4 * 1024 * 1024


class BusSocket:
    """One connection. `last` is the number of the newest notification heard, kept over reconnections."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def subscribe(self, channels: Iterable[str], last: int) -> None:
        """Listen to these channels, and to no other."""
        words = {"event_name": "subscribe", "data": {"channels": list(channels), "last": last}}
        await self._socket.send_json(words)

    async def notifications(self) -> AsyncIterator[tuple[int, str, Any]]:
        """Yield (number, type, payload) until the connection ends."""
        async for frame in self._socket:
            if frame.type is not aiohttp.WSMsgType.TEXT:
                continue
            for item in notified(frame.data):
                yield item

    @property
    def end(self) -> str:
        """Why the connection ended."""
        return f"closed with code {self._socket.close_code}"

    async def close(self) -> None:
        await self._socket.close()


def notified(text: str) -> list[tuple[int, str, Any]]:
    """Return the notifications in a frame; what is none is left out."""
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError):
        return []
    found = []
    for row in rows if isinstance(rows, list) else ():
        message = row.get("message") if isinstance(row, dict) else None
        if isinstance(message, dict) and type(row.get("id")) is int and isinstance(message.get("type"), str):
            found.append((row["id"], message["type"], message.get("payload")))
    return found


def address(odoo_url: str, told: str | None, version: str) -> str:
    """Return the websocket's address: the one Odoo told, else where Odoo's own pages have it."""
    base = told or f"{odoo_url}/websocket"
    scheme, rest = base.split("://", 1)
    secure = {"http": "ws", "https": "wss"}
    return f"{secure.get(scheme, scheme)}://{rest}?{urlencode({'version': version})}"


@asynccontextmanager
async def connection(http: aiohttp.ClientSession, url: str, session: str) -> AsyncIterator[BusSocket]:
    """Open the websocket in a session that names the database.

    Raises `aiohttp.ClientError` or `TimeoutError`.
    """
    parts = urlsplit(url)
    scheme = {"ws": "http", "wss": "https"}[parts.scheme]
    origin = f"{scheme}://{parts.netloc}"
    async with http.ws_connect(
        url,
        origin=origin,
        headers={"Cookie": f"session_id={session}"},
        heartbeat=PING,
        max_msg_size=MAX_MESSAGE,
        timeout=aiohttp.ClientWSTimeout(ws_close=2.0),
    ) as socket:
        yield BusSocket(socket)
