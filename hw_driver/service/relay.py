"""The relay: tills that cannot reach the driver are served through Odoo's bus (docs/api.md 2.3).

Commands come over a websocket that the driver opens; answers and news go back as `relay_answers` says. Odoo says in
every answer of the events link whether there is a relay and where.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from ..configuration import OdooSettings
from ..signing import BadSignature
from ..transaction import Transaction
from .driver import Driver
from .problems import Problem
from .relay_answers import FIRST_DELAY, LONGEST_DELAY, Answers, RelayError
from .relay_commands import STARTING, Command, carry_out, read
from .relay_socket import BusSocket, address, connection
from .way_to_odoo import why

log = logging.getLogger(__name__)

NOTIFICATION = "card_terminal_relay"
TIMEOUT = aiohttp.ClientTimeout(total=10, sock_connect=5)
#: A connection that held this long ended the row of failures.
HELD = 30.0
#: Seconds for which events wait for the answers that tills wait for: to come up, and at most to be taken.
TO_COME_UP, ANSWERS_FIRST = 0.02, 0.5
#: More than what a re-subscription replays (the bus's last 50 s).
REMEMBERED = 5000
MAX_UNDER_WAY = 100


@dataclass(frozen=True, slots=True)
class Words:
    """What Odoo says of the relay: channels to listen to, the websocket's address (None: the usual) and version."""

    channels: tuple[str, ...]
    url: str | None
    version: str


class Relay:
    """The driver's end of the relay. `connected` says that commands can come; `error` why they cannot.

    When is a command late? Every contact bounds how far Odoo's clock is ahead of the driver's steady one: at most
    Odoo's time in the answer less the moment the question left, at least the same less the moment the answer came. The
    lowest upper bound counts, until a contact contradicts it because somebody set Odoo's clock. So the estimate is
    never behind Odoo's clock, one slow contact spoils nothing, and a command counts as late rather too early. Late is
    also what was issued before this driver started: what an earlier process made of it is not known here.
    """

    def __init__(
        self, driver: Driver, odoo: OdooSettings, *, jitter: Callable[[], float] = lambda: random.uniform(0.5, 1.0)
    ) -> None:
        self._driver = driver
        self._odoo = odoo
        self._jitter = jitter
        self._words: Words | None = None
        self._changed = asyncio.Event()
        self._ahead = math.inf
        self._started = driver.clock.steady_now().timestamp()
        self._last = 0
        self._session = ""
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        self._watched: set[tuple[str, int]] = set()
        self._answers = Answers(driver, odoo, self.odoo_now, jitter)
        self.connected = False
        self.error = "Odoo has not said that there is a relay"

    # what Odoo says of the relay

    def told(self, words: Any, asked: datetime, answered: datetime) -> None:
        """Take what an events answer says of the relay.

        `asked` and `answered` are when, by the steady clock, the question left and the answer came.
        """
        new = None
        if isinstance(words, dict) and type(words.get("now")) in (int, float):
            at_most, at_least = words["now"] - asked.timestamp(), words["now"] - answered.timestamp()
            if at_most < self._ahead or at_least > self._ahead:
                self._ahead = at_most
            new = _words(words)
        if new != self._words:
            self._words = new
            self._changed.set()

    def odoo_now(self) -> float:
        """Return the latest that Odoo's clock may show now, unix seconds."""
        return self._driver.clock.steady_now().timestamp() + self._ahead

    def late(self, command: Command) -> bool:
        """Say whether a command must not start anything any more."""
        return command.expires <= self.odoo_now() or command.issued <= self._started + self._ahead

    async def answers_first(self) -> None:
        """Let what a till waits for be delivered, for a moment: Odoo books the events of a sale no less surely then."""
        if self._watched or self._answers.under_way:
            await asyncio.sleep(TO_COME_UP)
            await self._answers.delivered(ANSWERS_FIRST)

    def describe(self) -> dict[str, Any]:
        """Return how the relay stands, for health and for Odoo."""
        return {"connected": self.connected, "error": self.error or None}

    # commands come in

    async def run(self) -> None:
        """Serve until cancelled."""
        # No cookies: the websocket's session is named where it is opened, and the posts have none.
        async with aiohttp.ClientSession(timeout=TIMEOUT, cookie_jar=aiohttp.DummyCookieJar()) as http:
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._listen(http))
                    group.create_task(self._answers.run(http))
            finally:
                self.connected = False
                for task in self._tasks:
                    task.cancel()

    async def _listen(self, http: aiohttp.ClientSession) -> None:
        delay = 0.0
        loop = asyncio.get_running_loop()
        while True:
            self._changed.clear()
            if self._words is None:
                await self._changed.wait()
                continue
            begun = loop.time()
            try:
                self._failed(await self._converse(http, self._words))
            except (aiohttp.ClientError, TimeoutError, OSError, RelayError) as error:
                self._failed(why(error))
            except Exception:  # the relay must outlive any fault
                log.exception("fault in the relay")
                self._failed("an error in the driver; see its log")
            delay = 0.0 if loop.time() - begun > HELD else min(max(delay * 2, FIRST_DELAY), LONGEST_DELAY)
            await asyncio.sleep(max(delay, FIRST_DELAY) * self._jitter())

    async def _converse(self, http: aiohttp.ClientSession, words: Words) -> str:
        """Take commands until the connection ends, or Odoo says that there is no relay; return why."""
        self._session = self._session or await self._answers.new_session(http)
        url = address(self._odoo.url, words.url, words.version)
        try:
            async with connection(http, url, self._session) as socket:
                await socket.subscribe(words.channels, self._last)
                self._up()
                beside = [self._follow_words(socket, words), self._answers.try_socket(socket)]
                tasks = [asyncio.create_task(each) for each in beside]
                try:
                    async for number, kind, payload in socket.notifications():
                        self._last = max(self._last, number)
                        if kind == NOTIFICATION and isinstance(payload, dict):
                            self._take(payload.get("command"))
                finally:
                    for task in tasks:
                        task.cancel()
                return socket.end
        finally:
            self._session = ""  # it may be what failed; a new one costs little
            if self.connected:
                self.connected = False
                self._tell_odoo()

    async def _follow_words(self, socket: BusSocket, words: Words) -> None:
        """Subscribe anew where the channels change; close where the rest does."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            new = self._words
            if new is None or (new.url, new.version) != (words.url, words.version):
                await socket.close()
                return
            await socket.subscribe(new.channels, self._last)

    def _take(self, token: Any) -> None:
        try:
            command = read(self._driver, str(token))
        except (BadSignature, Problem) as error:
            log.warning("a relayed command is not Odoo's: %s", error)
            return
        if command.id in self._seen:
            return
        if len(self._tasks) >= MAX_UNDER_WAY:
            log.warning("too many relayed commands at once: %s left alone", command.id)
            return
        self._seen[command.id] = None
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        self._spawn(self._carry_out(command))

    async def _carry_out(self, command: Command) -> None:
        if late := self.late(command):
            age = self.odoo_now() - command.issued
            log.warning("relayed %s %s came late: %.1f s after it was given", command.operation, command.uuid, age)
        status, body = await carry_out(self._driver, command, late=late)
        if command.operation in (*STARTING, "ask") and status < 300:
            transaction = self._driver.transaction(command.uuid)
            if transaction:
                self._watch(transaction, command.reply, body["rev"])
        result = {"reply": command.reply, "command": command.id, "uuid": command.uuid, "status": status, "body": body}
        self._answers.add(result)

    def _watch(self, transaction: Transaction, reply: int, rev: int) -> None:
        """Tell a till of every change of a transaction until it has ended."""
        key = transaction.uuid, reply
        if not transaction.ended and key not in self._watched:
            self._watched.add(key)
            self._spawn(self._tell(transaction, reply, rev))

    async def _tell(self, transaction: Transaction, reply: int, rev: int) -> None:
        key = transaction.uuid, reply
        try:
            while not transaction.ended or transaction.rev != rev:
                await transaction.changed(rev, 60)
                if transaction.rev != rev:
                    rev = transaction.rev
                    self._answers.tell(key, transaction)
        finally:
            self._watched.discard(key)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # how it stands

    def _up(self) -> None:
        self.connected, self.error = True, ""
        log.info("relay: listening to Odoo's bus")
        self._tell_odoo()

    def _tell_odoo(self) -> None:
        """Odoo passes commands on only while the driver says that it listens."""
        if self._driver.link:
            self._driver.link.wake()

    def _failed(self, why: str) -> None:
        if why != self.error:
            log.warning("relay: %s", why)
        self.error = why


def _words(told: dict[str, Any]) -> Words | None:
    channels, url, version = told.get("channels"), told.get("url"), told.get("version")
    if not isinstance(channels, list) or not all(isinstance(channel, str) for channel in channels):
        return None
    if url is not None and urlsplit(str(url)).scheme not in ("http", "https", "ws", "wss"):
        return None
    return Words(tuple(channels), url and str(url), str(version))
