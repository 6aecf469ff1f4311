"""What a driver tells tills through Odoo (docs/api.md 2.3): answers and news, signed, many at a time.

Over the websocket of the bus where Odoo takes them there, else in posts; the next as soon as the last has been taken.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import aiohttp

from ..clock import iso
from ..configuration import OdooSettings
from ..protocols.states import ENDED
from ..signing import BadSignature, canonical, sign_body, verify_answer
from ..transaction import Transaction
from .driver import Driver
from .grants import ODOO
from .relay_commands import for_the_bus
from .relay_socket import MOST, BusSocket
from .way_to_odoo import SIGNATURE, headers, why

log = logging.getLogger(__name__)

PATH = "/card_terminal/v1/relay"
FIRST_DELAY, LONGEST_DELAY = 0.5, 10.0
#: Seconds an answer is worth sending: the till has asked again by then.
STALE = 15.0
MAX_RESULTS = 50
#: Seconds between two trials whether Odoo takes answers over the websocket.
TRIAL = 60.0


class RelayError(Exception):
    """The relay cannot work; the text says why."""


class Answers:
    """What is on its way to tills."""

    def __init__(
        self, driver: Driver, odoo: OdooSettings, odoo_now: Callable[[], float], jitter: Callable[[], float]
    ) -> None:
        self._driver = driver
        self._odoo = odoo
        self._odoo_now = odoo_now
        self._jitter = jitter
        self._answers: list[tuple[float, dict[str, Any]]] = []
        self._news: dict[tuple[str, int], Transaction] = {}
        self._socket: BusSocket | None = None  # while Odoo takes answers over it
        self._outgoing = asyncio.Event()
        self._delivered = asyncio.Event()
        self._delivered.set()

    def add(self, result: dict[str, Any]) -> None:
        """Tell the answer to a command."""
        self._answers.append((asyncio.get_running_loop().time(), result))
        self._send_soon()

    def tell(self, key: tuple[str, int], transaction: Transaction) -> None:
        """Tell `key` = (uuid, till) how a transaction stands when the word leaves."""
        self._news[key] = transaction
        self._send_soon()

    @property
    def under_way(self) -> bool:
        """Whether anything is to be delivered."""
        return not self._delivered.is_set()

    async def delivered(self, seconds: float) -> None:
        """Wait, for at most `seconds`, until nothing is under way."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._delivered.wait()

    async def run(self, http: aiohttp.ClientSession) -> None:
        """Deliver until cancelled."""
        delay = 0.0
        while True:
            await self._outgoing.wait()
            self._outgoing.clear()
            answers, news = self._collect()
            results = [result for _, result in answers] + [self._news_of(*item) for item in news]
            try:
                if results:
                    await self._deliver(http, results)
                delay = 0.0
            except (aiohttp.ClientError, TimeoutError, OSError, RelayError) as error:
                delay = min(max(delay * 2, FIRST_DELAY), LONGEST_DELAY)
                log.warning("relayed answers not delivered: %s", why(error))
                self._answers[:0] = answers
                for key, transaction in news:
                    self._news.setdefault(key, transaction)
                await asyncio.sleep(delay * self._jitter())
            if self._answers or self._news:
                self._outgoing.set()
            else:
                self._delivered.set()

    async def try_socket(self, socket: BusSocket) -> None:
        """Find out, again and again, whether answers may go over a websocket: not every Odoo takes them."""
        try:
            while True:
                if self._socket is None and socket.room:
                    try:
                        await self._tell_over(socket, [])
                        self._socket = socket
                    except (TimeoutError, OSError, aiohttp.ClientError, RelayError) as error:
                        log.info("relayed answers go in posts: %s", why(error))
                await asyncio.sleep(TRIAL)
        finally:
            self._socket = None

    async def new_session(self, http: aiohttp.ClientSession) -> str:
        """Return a session of nobody, for the websocket."""
        session = (await self._post(http, [], session=True)).get("session")
        if not isinstance(session, str) or not session:
            raise RelayError("Odoo gives no session for the websocket")
        return session

    def _send_soon(self) -> None:
        self._delivered.clear()
        self._outgoing.set()

    def _collect(self) -> tuple[list[tuple[float, dict[str, Any]]], list[tuple[tuple[str, int], Transaction]]]:
        """Return what goes next, and forget it; answers that nobody waits for any more are dropped."""
        oldest = asyncio.get_running_loop().time() - STALE
        fresh = [item for item in self._answers if item[0] > oldest]
        answers, self._answers = fresh[:MAX_RESULTS], fresh[MAX_RESULTS:]
        keys = list(self._news)[: MAX_RESULTS - len(answers)]
        return answers, [(key, self._news.pop(key)) for key in keys]

    def _news_of(self, key: tuple[str, int], transaction: Transaction) -> dict[str, Any]:
        uuid, reply = key
        body = for_the_bus(transaction.as_json(self._driver.journal.journal_id))
        return {"reply": reply, "command": None, "uuid": uuid, "status": 200, "body": body}

    async def _deliver(self, http: aiohttp.ClientSession, results: list[dict[str, Any]]) -> None:
        """Bring results to Odoo. Where the websocket fails they may arrive twice: a till hears them once."""
        socket = self._socket
        if socket and socket.room >= (1 if any(map(_is_awaited, results)) else MOST // 2):
            try:
                await self._tell_over(socket, results)
                return
            except (aiohttp.ClientError, TimeoutError, OSError, RelayError) as error:
                log.warning("relayed answers go in posts: %s", why(error))
                self._socket = None
        await self._post(http, results)

    async def _tell_over(self, socket: BusSocket, results: list[dict[str, Any]]) -> None:
        body, signature, key = self._signed(results)
        signed, answer = await socket.tell(self._driver.keyring.driver, signature, body.decode())
        try:
            verify_answer(key, signature, signed, answer.encode())
        except BadSignature as error:
            raise RelayError(f"the websocket's answer is not Odoo's: {error}") from error

    async def _post(self, http: aiohttp.ClientSession, results: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        body, signature, key = self._signed(results, **more)
        signed_by = headers(self._odoo, self._driver.keyring.driver, signature)
        async with http.post(self._odoo.url + PATH, data=body, headers=signed_by, allow_redirects=False) as response:
            answer = await response.read()
            if response.status != 200:
                raise RelayError(f"Odoo refused the relay's post (status {response.status})")
            try:
                verify_answer(key, signature, response.headers.get(SIGNATURE, ""), answer)
                value = json.loads(answer)
            except (BadSignature, ValueError, RecursionError) as error:
                raise RelayError(f"the answer of {self._odoo.url} is not Odoo's: {error}") from error
        return value if isinstance(value, dict) else {}

    def _signed(self, results: list[dict[str, Any]], **more: Any) -> tuple[bytes, str, bytes]:
        """Return a body, its signature and the key."""
        driver = self._driver
        key = driver.keyring.keys[ODOO]
        body = canonical(
            {
                "driver": driver.keyring.driver,
                "database_uuid": driver.keyring.database,
                "journal_id": driver.journal.journal_id,
                "now": iso(driver.clock.steady_now()),
                "at": self._odoo_now(),
                "results": results,
                **more,
            }
        )
        return body, sign_body(key, int(self._odoo_now()), body), key


def _is_awaited(result: dict[str, Any]) -> bool:
    """Return whether somebody waits for this: an answer, or how a transaction ended; not what a terminal shows."""
    return bool(result["command"]) or result["body"]["state"] in ENDED
