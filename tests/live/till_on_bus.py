"""A till without a browser that speaks to its driver through Odoo alone: one call per command, answers over the bus."""

from __future__ import annotations

import asyncio
import json
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import aiohttp
from shopfloor import Counter

from demokit.client import OdooClient
from demokit.shop import LOGIN, PASSWORD

PATIENCE = 30.0
ENDED = ("approved", "declined", "cancelled", "failed", "unknown")


class BusTill:
    """Open it with `with`. `session` is the POS session whose cashier it is."""

    def __init__(self, counter: Counter, session: int, client: OdooClient | None = None) -> None:
        shop = counter.shop
        self.counter = counter
        self.session = session
        self.client = client or OdooClient(shop.server.url, shop.database, LOGIN, PASSWORD)
        (driver,) = shop.client.call("card.terminal.driver", "read", [shop.driver_id], ["uuid"])
        (config,) = shop.client.call("pos.config", "read", [counter.config], ["access_token"])
        self.driver = driver["uuid"]
        self.channel = config["access_token"]
        self.heard: list[tuple[float, dict[str, Any]]] = []
        self.news = threading.Condition()
        self._stop = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._listen()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(PATIENCE)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(PATIENCE)

    def send(self, operation: str, number: str | None = None, body: dict[str, Any] | None = None) -> str:
        """Let Odoo pass a command on; return its id."""
        command = str(uuid.uuid4())
        request = {"driver": self.driver, "command": command, "op": operation, "uuid": number, "body": body}
        answer = self.client.call("pos.session", "card_terminal_relay", [self.session], request)
        assert answer == {"sent": True}, answer
        return command

    def answer(self, command: str) -> dict[str, Any]:
        """Wait for the driver's answer to a command."""
        return self._wait(lambda message: message["command"] == command)

    def call(self, operation: str, number: str | None = None, body: dict[str, Any] | None = None) -> dict[str, Any]:
        return self.answer(self.send(operation, number, body))

    def end(self, number: str) -> dict[str, Any]:
        """Wait until it is told how a transaction ended."""
        told = self._wait(lambda message: message["uuid"] == number and message["body"].get("state") in ENDED)
        body: dict[str, Any] = told["body"]
        return body

    def transaction(self, amount: int = 500) -> dict[str, Any]:
        """The body of a sale on the till's terminal, pressed now by the driver's clock."""
        now = datetime.fromisoformat(self.call("health")["body"]["now"])
        return {
            "terminal": self.counter.uuids[0],
            "kind": "sale",
            "amount": amount,
            "currency": "EUR",
            "till": self.counter.name,
            "session": "S",
            "order": str(uuid.uuid4()),
            "line": str(uuid.uuid4()),
            "operator": "Cashier",
            "reference": "",
            "not_after": (now + timedelta(seconds=30)).astimezone(UTC).isoformat(timespec="milliseconds"),
        }

    def _wait(self, fits: Any) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        with self.news:
            while True:
                for _, message in self.heard:
                    if fits(message):
                        return message
                left = deadline - time.monotonic()
                assert left > 0, f"heard {self.heard}"
                self.news.wait(left)

    async def _listen(self) -> None:
        kind = f"{self.channel}-CARD_TERMINAL_RELAY"
        url = self.counter.shop.server.url
        last = 0
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
            async with http.get(f"{url}/web/login", params={"db": self.counter.shop.database}):
                pass
            while not self._stop.is_set():
                try:
                    async with http.ws_connect(f"{url}/websocket", origin=url) as socket:
                        words = {"channels": [self.channel], "last": last}
                        await socket.send_json({"event_name": "subscribe", "data": words})
                        self._ready.set()
                        while not self._stop.is_set():
                            try:
                                frame = await socket.receive(timeout=0.2)
                            except TimeoutError:
                                continue
                            if frame.type is not aiohttp.WSMsgType.TEXT:
                                break
                            for row in json.loads(frame.data):
                                last = max(last, row["id"])
                                if row["message"]["type"] == kind:
                                    with self.news:
                                        self.heard.append((time.monotonic(), row["message"]["payload"]))
                                        self.news.notify_all()
                except aiohttp.ClientError:
                    await asyncio.sleep(0.2)
