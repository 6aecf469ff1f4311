"""Tills that sell without a pause, ask after a driver that died as real ones do, and remember what they were told."""

from __future__ import annotations

import asyncio
import random
import time
import uuid as uuids
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import aiohttp

from .signed import DATABASE, DRIVER, token

if TYPE_CHECKING:
    from .world import Terminal, World

OPEN = ("requested", "sent")
REFUND_OF_TEN = 1
#: What may go wrong at the terminal: faults of its web face, each as likely.
FAULTS = ("decline", "abort", "lost", "cut", "split", "duplicate")
FAULT_OF_TEN = 3


def session_grant(terminals: list[str]) -> str:
    claims = {"till": "Till", "session": "POS/1", "user": "Marie", "ops": ["sale", "status", "cancel", "identify"]}
    return token({**_claims(7 * 24 * 3600), "typ": "session", "terminals": terminals, **claims})


def once_grant(uuid: str, body: dict[str, Any]) -> str:
    over = {"uuid": uuid, "max_amount": body["amount"], "original": (body.get("original") or {}).get("uuid")}
    return token(
        {**_claims(600), "typ": "once", **over, **{name: body[name] for name in ("kind", "currency", "terminal")}}
    )


def _claims(seconds: int) -> dict[str, Any]:
    return {"drv": DRIVER, "db": DATABASE, "exp": int(time.time()) + seconds}


@dataclass
class Sale:
    """One press on Card. `amount` is this press's alone, so that the ledger's entry can be found.

    `told` has the states the till was told; `refused` that the driver said it had sent nothing, `not_found` that it
    knew nothing of it when asked later.
    """

    terminal: str
    kind: str
    amount: int
    original: str = ""
    uuid: str = field(default_factory=lambda: str(uuids.uuid4()))
    told: list[str] = field(default_factory=list)
    refused: bool = False
    not_found: bool = False

    @property
    def last_told(self) -> str:
        return self.told[-1] if self.told else ""


class Amounts:
    """Amounts that no other sale has; refunds are smaller than any sale."""

    def __init__(self) -> None:
        self._sales, self._refunds = count(10_000), count(1)

    def next(self, kind: str) -> int:
        return next(self._sales if kind == "sale" else self._refunds)


class Till:
    """One till on one terminal. `sales` is all it ever pressed; a calm one meets no faults and refunds nothing."""

    def __init__(
        self, world: World, terminal: Terminal, amounts: Amounts, chance: random.Random, *, calm: bool = False
    ) -> None:
        self.world, self.terminal, self.calm = world, terminal, calm
        self.sales: list[Sale] = []
        self._amounts, self._chance = amounts, chance
        self._doubt: list[Sale] = []

    async def work(self, stopped: asyncio.Event) -> None:
        """Sell until told to stop, then find out what is still in doubt."""
        while not stopped.is_set():
            await self.sell()
        await self.settle_doubt()

    async def settle_doubt(self) -> None:
        """Ask the driver what became of the sales whose end it did not tell."""
        while self._doubt:
            await self._ask_about_doubt()

    async def sell(self) -> None:
        """Press Card once and wait for its end; with the driver away, wait until it is back."""
        if self._doubt:
            await self._ask_about_doubt()
            return
        sale = await self._next()
        self.sales.append(sale)
        try:
            await self._press(sale)
        except (aiohttp.ClientError, TimeoutError, OSError):
            self._doubt.append(sale)
            await asyncio.sleep(0.02)
        except asyncio.CancelledError:
            self._doubt.append(sale)
            raise

    async def _next(self) -> Sale:
        if self.calm:
            return Sale(self.terminal.id, "sale", self._amounts.next("sale"))
        paid = [sale for sale in self.sales[-20:] if sale.kind == "sale" and sale.last_told == "approved"]
        if paid and self._chance.randrange(10) < REFUND_OF_TEN:
            return Sale(self.terminal.id, "refund", self._amounts.next("refund"), paid[-1].uuid)
        if self._chance.randrange(10) < FAULT_OF_TEN:
            fault = self._chance.choice(FAULTS)
            async with self.world.http.post(f"{self.terminal.web}/api/faults", json={fault: "once"}) as response:
                response.raise_for_status()
        return Sale(self.terminal.id, "sale", self._amounts.next("sale"))

    async def _press(self, sale: Sale) -> None:
        body = {
            "terminal": sale.terminal,
            "kind": sale.kind,
            "amount": sale.amount,
            "currency": "EUR",
            "till": "Till",
            "session": "POS/1",
            "order": str(uuids.uuid4()),
            "line": str(uuids.uuid4()),
            "operator": "Marie",
            "reference": "",
            "not_after": (datetime.now(UTC) + timedelta(seconds=30)).isoformat(timespec="milliseconds")[:-6] + "Z",
        }
        headers = self.world.headers()
        if sale.original:
            body["original"] = {"uuid": sale.original}
            headers["X-Card-Terminal-Grant"] = once_grant(sale.uuid, body)
        url = f"{self.world.driver.url}/v1/transactions/{sale.uuid}"
        async with self.world.http.put(url, json=body, headers=headers) as response:
            said = await response.json()
        if response.status not in (200, 201):
            sale.refused = said["money"] == "safe"
            await asyncio.sleep(0.02)
            return
        self._heard(sale, said)
        await self._follow(sale)

    async def _follow(self, sale: Sale) -> None:
        """Ask until it has ended."""
        revision = -1
        while True:
            url = f"{self.world.driver.url}/v1/transactions/{sale.uuid}?wait=2"
            headers = self.world.headers()
            async with self.world.http.get(url + (f"&after={revision}" if revision >= 0 else ""), headers=headers) as r:
                said = await r.json()
            if r.status == 404:
                sale.not_found = True
                return
            self._heard(sale, said)
            revision = said["rev"]
            if said["state"] not in OPEN:
                return

    async def _ask_about_doubt(self) -> None:
        sale = self._doubt[0]
        try:
            await self._follow(sale)
            self._doubt.pop(0)
        except (aiohttp.ClientError, TimeoutError, OSError):
            await asyncio.sleep(0.02)

    def _heard(self, sale: Sale, said: dict[str, Any]) -> None:
        if sale.last_told != said["state"]:
            sale.told.append(said["state"])
