"""Odoo's bus as a driver uses it: a websocket that the driver opens, no user, channels whose names are secret.

Facts of Odoo 19's `bus` module: the handshake needs an `Origin`; a connection belongs to a session, which names the
database; `subscribe` replays what is newer than `last` (0: what the last 50 s brought); nothing confirms a
subscription; more than 10 frames in 2 s from us, pings and pongs among them, end the connection. The addon takes
answers over it too, and confirms them.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode, urlsplit

import aiohttp

#: Seconds between two pings: shorter than the 60 s after which common proxies drop a silent connection.
PING = 20.0
MAX_MESSAGE = 4 * 1024 * 1024
ANSWERS = "card_terminal_answers"
TAKEN = "card_terminal_taken"
#: Seconds until answers that are not confirmed go another way.
CONFIRMED = 2.0
#: Answers in so many seconds, which leaves room for a subscription and a ping. Each waits until the one before is
#: served, so that Odoo counts them no closer together than they are sent.
MOST, SECONDS = 8, 2.2


class BusSocket:
    """One connection. `last` is the number of the newest notification heard, kept over reconnections."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._sent: deque[float] = deque([-math.inf] * MOST, MOST)
        self._taken: asyncio.Future[tuple[str, str]] | None = None

    async def subscribe(self, channels: Iterable[str], last: int) -> None:
        """Listen to these channels, and to no other."""
        words = {"event_name": "subscribe", "data": {"channels": list(channels), "last": last}}
        await self._socket.send_json(words)

    async def notifications(self) -> AsyncIterator[tuple[int, str, Any]]:
        """Yield (number, type, payload) until the connection ends."""
        try:
            async for frame in self._socket:
                if frame.type is not aiohttp.WSMsgType.TEXT:
                    continue
                if (words := confirmed(frame.data)) and self._taken and not self._taken.done():
                    self._taken.set_result(words)
                for item in notified(frame.data):
                    yield item
        finally:
            if self._taken and not self._taken.done():
                self._taken.set_exception(ConnectionResetError("the connection to Odoo's bus ended"))

    @property
    def room(self) -> int:
        """How many more frames Odoo bears now."""
        since = asyncio.get_running_loop().time() - SECONDS
        return 0 if self._socket.closed else sum(sent <= since for sent in self._sent)

    async def tell(self, driver: str, signature: str, body: str) -> tuple[str, str]:
        """Send signed answers, one call at a time; return Odoo's signed word that they are on the bus.

        Raises `TimeoutError`, or `OSError` where the connection has ended.
        """
        loop = asyncio.get_running_loop()
        self._sent.append(loop.time())
        self._taken = loop.create_future()
        words = {"driver": driver, "signature": signature, "body": body}
        await self._socket.send_json({"event_name": ANSWERS, "data": words})
        async with asyncio.timeout(CONFIRMED):
            return await self._taken

    @property
    def end(self) -> str:
        """Why the connection ended."""
        return f"closed with code {self._socket.close_code}"

    async def close(self) -> None:
        await self._socket.close()


def confirmed(text: str) -> tuple[str, str] | None:
    """Return (signature, body) of Odoo's word that answers were taken; None where a frame is another one."""
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        return None
    words = frame.get(TAKEN) if isinstance(frame, dict) else None
    if not isinstance(words, dict):
        return None
    return str(words.get("signature")), str(words.get("body"))


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
