"""What the tests of the API share: a terminal process, a shop whose driver is paired, and a till that can be forged."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

from hw_driver.clock import Clock, iso
from hw_driver.configuration import OdooSettings, Settings, TillSide, till_side
from hw_driver.service.driver import Driver
from hw_driver.service.server import running
from hw_driver.signing import sign
from hw_driver.state_folder import CONFIGURATION, StateFolder

ROOT = Path(__file__).parents[3]
ORIGIN = "https://shop.example"
DRIVER, DATABASE = "driver-1", "11111111-2222-4333-8444-555555555555"
KEY, OTHER_KEY = bytes(range(32)), bytes(32)
NOWHERE = "http://127.0.0.1:9"  # the discard port: nobody listens


def new_uuid() -> str:
    return str(uuid.uuid4())


class MovedClock(Clock):
    """A wall clock that somebody sets; the steady one is the product's own."""

    def __init__(self) -> None:
        self.shift = timedelta()
        super().__init__()

    def now(self) -> datetime:
        return super().now() + self.shift


class TerminalProcess:
    """A virtual CONCERT V3 terminal as a process of its own, played over its web face."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "hw_driver", "virtual", "concert-v3", "--port", "0", "--web", "0", "--ready"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True)
        assert self._process.stdout
        ready = json.loads(self._process.stdout.readline())
        self.port: int = ready["port"]
        self._web = f"http://127.0.0.1:{ready['web']}"
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def auto(self, card: str, delay: float = 0) -> None:
        """Let a cardholder act by themselves; an empty name for nobody."""
        self._post("/api/auto", {"auto": card, "delay": delay})

    def present(self, card: str) -> None:
        self._post("/api/card", {"card": card})

    def press(self, key: str) -> None:
        self._post("/api/key", {"key": key})

    def asked(self) -> bool:
        """Say whether it asks for a card."""
        with self._opener.open(f"{self._web}/api/state", timeout=10) as response:
            return bool(json.load(response)["screen"]["phase"] == "card")

    @property
    def ledger(self) -> list[dict[str, Any]]:
        with self._opener.open(f"{self._web}/api/ledger", timeout=10) as response:
            return list(json.load(response)["entries"])

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)

    def _post(self, path: str, body: Mapping[str, Any]) -> None:
        request = urllib.request.Request(
            self._web + path, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
        )
        self._opener.open(request, timeout=10).close()


def terminal_entry(port: int, id_: str = "counter", **other: Any) -> dict[str, Any]:
    """Return a terminal as Odoo's configuration names it."""
    return {
        "id": id_,
        "name": id_.capitalize(),
        "protocol": "concert-v3",
        "transport": {"kind": "tcp", "host": "127.0.0.1", "port": port},
        "options": {"drain": 0.02},
    } | other


def configuration(*terminals: Mapping[str, Any], number: int = 1, key: bytes = KEY, **other: Any) -> str:
    """Return a configuration as Odoo signs it."""
    claims = {"typ": "configuration", "drv": DRIVER, "db": DATABASE, "number": number, "origins": [ORIGIN], "hosts": []}
    return sign("odoo", key, claims | {"terminals": list(terminals)} | other)


def session_grant(*, key: bytes = KEY, kid: str = "odoo", **other: Any) -> str:
    claims = {
        "typ": "session",
        "drv": DRIVER,
        "db": DATABASE,
        "till": "Till 1",
        "session": "POS/0001",
        "user": "Marie",
        "ops": ["sale", "status", "cancel", "identify", "reprint"],
        "terminals": ["counter", "spare"],
        "exp": unix(timedelta(days=7)),
    }
    return sign(kid, key, claims | other)


def once_grant(number: str, body: Mapping[str, Any], *, key: bytes = KEY, kid: str = "odoo", **other: Any) -> str:
    claims = {
        "typ": "once",
        "drv": DRIVER,
        "db": DATABASE,
        "uuid": number,
        "kind": body["kind"],
        "max_amount": body["amount"],
        "currency": body["currency"],
        "terminal": body["terminal"],
        "original": (body.get("original") or {}).get("uuid"),
        "exp": unix(timedelta(minutes=10)),
    }
    return sign(kid, key, claims | other)


def errand_grant(body: Mapping[str, Any], terminal: str, kind: str = "settlement", **other: Any) -> str:
    """Return the one-time grant of a settlement: it moves no money, so it names no amount."""
    named = {"uuid": body["uuid"], "kind": kind, "terminal": terminal, "original": None}
    claims = {"typ": "once", "drv": DRIVER, "db": DATABASE, "exp": unix(timedelta(minutes=10)), **named}
    return sign("odoo", KEY, claims | other)


def unix(delta: timedelta = timedelta()) -> int:
    return int((Clock().now() + delta).timestamp())


@dataclass(frozen=True)
class Answer:
    status: int
    json: dict[str, Any]
    headers: Mapping[str, str]
    text: str

    @property
    def code(self) -> str:
        """The problem's code."""
        return str(self.json.get("code"))


@dataclass
class Till:
    """Calls the driver over HTTP; every header can be left out or forged."""

    driver: Driver
    http: aiohttp.ClientSession
    grant: str = field(default_factory=session_grant)

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        data: bytes | None = None,
        grant: str | None = "",
        once: str | None = None,
        origin: str | None = ORIGIN,
        host: str | None = None,
        content_type: str = "application/json",
    ) -> Answer:
        grant = self.grant if grant == "" else grant
        optional = {"Origin": origin, "Host": host, "X-Card-Terminal-Grant": once}
        headers = {name: value for name, value in optional.items() if value is not None}
        if grant is not None:
            headers["Authorization"] = f"Bearer {grant}"
        if body is not None:
            data = json.dumps(body).encode()
        if data is not None:
            headers["Content-Type"] = content_type
        async with self.http.request(method, self.driver.url + path, data=data, headers=headers) as response:
            text = await response.text()
            value = json.loads(text) if "json" in response.content_type else {}
            return Answer(response.status, value, response.headers, text)

    def sale(self, **other: Any) -> dict[str, Any]:
        """Return the body of a sale pressed now."""
        return {
            "terminal": "counter",
            "kind": "sale",
            "amount": 1250,
            "currency": "EUR",
            "till": "Till 1",
            "session": "POS/0001",
            "order": new_uuid(),
            "line": new_uuid(),
            "operator": "Marie",
            "reference": "0001-001",
            "not_after": iso(self.driver.clock.steady_now() + timedelta(seconds=30)),
        } | other

    def errand(self, **other: Any) -> dict[str, Any]:
        """Return the body of a settlement or a reprint pressed now."""
        told = {name: self.sale()[name] for name in ("till", "session", "operator", "not_after")}
        return {"uuid": new_uuid(), **told} | other

    async def put(self, body: Mapping[str, Any], number: str | None = None, **other: Any) -> Answer:
        return await self.call("PUT", f"/v1/transactions/{number or new_uuid()}", body, **other)

    async def refund(self, body: Mapping[str, Any], number: str | None = None) -> Answer:
        """PUT with the one-time grant that belongs to it."""
        number = number or new_uuid()
        return await self.put(body, number, once=once_grant(number, body))

    async def end(self, number: str) -> dict[str, Any]:
        """Return a transaction once nothing more will come."""
        answer = await self.call("GET", f"/v1/transactions/{number}")
        while answer.json["state"] in ("requested", "sent"):
            answer = await self.call("GET", f"/v1/transactions/{number}?after={answer.json['rev']}&wait=25")
        return answer.json

    async def ended(self, body: Mapping[str, Any], number: str | None = None) -> dict[str, Any]:
        """Start a transaction and return its end."""
        answer = await self.put(body, number)
        assert answer.status == 201, answer.text
        return await self.end(answer.json["uuid"])

    async def asks_for_card(self, terminal: TerminalProcess, body: Mapping[str, Any], number: str) -> dict[str, Any]:
        """Start a transaction; return it once the terminal asks for a card."""
        answer = await self.put(body, number, once=once_grant(number, body))
        assert answer.status == 201, answer.text
        await until(terminal.asked)
        answer = await self.call("GET", f"/v1/transactions/{number}")
        assert answer.json["progress"]["code"] == "waiting_for_card"
        return answer.json


@asynccontextmanager
async def shop(
    folder: Path,
    *terminals: Mapping[str, Any],
    odoo_url: str = NOWHERE,
    kept: str | None = None,
    paired: bool = True,
    heartbeat: float = 0.05,
    clock: Clock | None = None,
) -> AsyncIterator[Till]:
    """Run a driver that is paired with the Odoo at `odoo_url`, or runs from a file, and has these terminals."""
    odoo = OdooSettings(odoo_url, "shop", DATABASE, DRIVER, KEY, heartbeat) if paired else None
    file = till_side({"number": 1, "origins": [ORIGIN], "terminals": list(terminals)}, frozenset())
    settings = Settings(state=folder, port=0, odoo=odoo, till_side=TillSide() if paired else file)
    if paired and (terminals or kept):
        state = StateFolder(folder)
        state.create()
        state.write(CONFIGURATION, (kept or configuration(*terminals)).encode())
    async with (
        running(settings, clock=clock) as driver,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=40)) as http,
    ):
        yield Till(driver, http)


async def until(condition: Any, seconds: float = 10) -> None:
    """Return once the condition holds; fail after `seconds`."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - conditions are of many kinds
            await asyncio.sleep(0.01)
