"""A till without a browser that speaks to its driver through Odoo alone: one word per command, answers over the bus."""

from __future__ import annotations

import asyncio
import json
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import aiohttp

from demokit.client import OdooClient

PATIENCE = 60.0
ENDED = ("approved", "declined", "cancelled", "failed", "unknown")
Message = dict[str, Any]


class BusTill:
    """Use it as a context. `client` is the cashier's; `heard` are (steady seconds, message) of the bus.

    Commands are calls of Odoo, or frames of the till's websocket where `socket` is true: not more than 5 in 2 s.
    """

    def __init__(self, client: OdooClient, config: int, session: int, *, socket: bool = False) -> None:
        self.client = client
        self.socket = socket
        self.session = session
        (row,) = client.call("pos.config", "read", [config], ["access_token", "name", "card_terminal_id"])
        (terminal,) = client.call("card.terminal", "read", [row["card_terminal_id"][0]], ["uuid", "driver_id"])
        (driver,) = client.call("card.terminal.driver", "read", [terminal["driver_id"][0]], ["uuid"])
        self.name: str = row["name"]
        self.terminal: str = terminal["uuid"]
        self.driver: str = driver["uuid"]
        grants = client.call("pos.session", "card_terminal_grants", [session])
        self._grant: str = next(each["grant"] for each in grants if each["driver"] == driver["uuid"])
        self.heard: list[tuple[float, Message]] = []
        self._channel: str = row["access_token"]
        self._news = threading.Condition()
        self._stop = threading.Event()
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._listen()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(PATIENCE):
            raise TimeoutError("Odoo's bus takes no till")
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(PATIENCE)

    def send(self, operation: str, number: str | None = None, body: Message | None = None) -> str:
        """Let Odoo pass a command on; return its id."""
        command = str(uuid.uuid4())
        request = {"driver": self.driver, "command": command, "op": operation, "uuid": number, "body": body}
        if self.socket and self._socket:
            frame = {"event_name": "card_terminal_command", "data": {"grant": self._grant, "request": request}}
            asyncio.run_coroutine_threadsafe(self._socket.send_json(frame), self._loop).result(PATIENCE)
            return command
        answer = self.client.call("pos.session", "card_terminal_relay", [self.session], request)
        if answer != {"sent": True}:
            raise ValueError(f"Odoo did not pass it on: {answer}")
        return command

    def answer(self, command: str) -> Message:
        """Wait for the driver's answer to a command."""
        return self._wait(lambda message: message["command"] == command)[1]

    def call(self, operation: str, number: str | None = None, body: Message | None = None) -> Message:
        """Send a command and return the driver's answer."""
        return self.answer(self.send(operation, number, body))

    def end(self, number: str) -> tuple[float, Message]:
        """Wait until it is told how a transaction ended; return when that was, and the transaction."""
        at, told = self._wait(lambda message: message["uuid"] == number and message["body"].get("state") in ENDED)
        return at, told["body"]

    def clock(self) -> timedelta:
        """Return how far the driver's clock is before this machine's."""
        return datetime.fromisoformat(self.call("health")["body"]["now"]) - datetime.now(UTC)

    def transaction(self, amount: int = 500, ahead: timedelta | None = None) -> Message:
        """The body of a sale on the till's terminal, pressed now by the driver's clock."""
        now = datetime.now(UTC) + (self.clock() if ahead is None else ahead)
        return {
            "terminal": self.terminal,
            "kind": "sale",
            "amount": amount,
            "currency": "EUR",
            "till": self.name,
            "session": "S",
            "order": str(uuid.uuid4()),
            "line": str(uuid.uuid4()),
            "operator": "Cashier",
            "reference": "",
            "not_after": (now + timedelta(seconds=30)).isoformat(timespec="milliseconds"),
        }

    def _wait(self, fits: Callable[[Message], bool]) -> tuple[float, Message]:
        deadline = time.monotonic() + PATIENCE
        seen = 0
        with self._news:
            while True:
                for at, message in self.heard[seen:]:
                    if fits(message):
                        return at, message
                seen = len(self.heard)
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"not told; heard {self.heard[-5:]}")
                self._news.wait(left)

    async def _listen(self) -> None:
        last = 0
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
            while not self._stop.is_set():
                try:
                    last = await self._converse(http, last)
                except aiohttp.ClientError:
                    await asyncio.sleep(0.2)

    async def _converse(self, http: aiohttp.ClientSession, last: int) -> int:
        kind = f"{self._channel}-CARD_TERMINAL_RELAY"
        url, cookie = self.client.url, {"Cookie": self.client.cookie}
        async with http.ws_connect(f"{url}/websocket", origin=url, headers=cookie) as socket:
            words = {"channels": [self._channel], "last": last}
            await socket.send_json({"event_name": "subscribe", "data": words})
            self._socket = socket
            self._ready.set()
            while not self._stop.is_set():
                try:
                    frame = await socket.receive(timeout=0.5)
                except TimeoutError:
                    continue
                if frame.type is not aiohttp.WSMsgType.TEXT:
                    break
                at = time.monotonic()
                for row in json.loads(frame.data):
                    last = max(last, row["id"])
                    if row["message"]["type"] == kind:
                        with self._news:
                            self.heard.append((at, row["message"]["payload"]))
                            self._news.notify_all()
        return last
