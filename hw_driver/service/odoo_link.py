"""Events to Odoo, configuration and settlements from Odoo (docs/api.md 2).

One task. Odoo says which number it wants next, and the driver sends from there: whatever was lost on either side is
replayed, and nothing is forgotten because nothing is ever taken out of the journal.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import Callable
from functools import partial
from typing import Any

import aiohttp

from .. import __version__
from ..clock import iso
from ..configuration import ConfigurationError, OdooSettings
from ..journal import JournalUnavailable, NoSuchTransaction, NotRecorded
from ..protocols.machine import CardTerminalError
from ..signing import BadSignature, canonical, sign_body, verify_answer
from ..state_folder import StateFolderError
from .driver import Driver
from .grants import ODOO
from .leftovers import Leftovers
from .relay import Relay
from .way_to_odoo import SIGNATURE, headers, why

log = logging.getLogger(__name__)

PATH = "/card_terminal/v1/events"
MAX_EVENTS = 500
MAX_BATCH = 1024 * 1024
ENVELOPE = 4096  # room for what surrounds the events
MAX_ANSWER = 4 * 1024 * 1024
FIRST_DELAY, LONGEST_DELAY = 0.5, 30.0
#: Odoo relays only to a driver heard of lately.
RELAY_HEARTBEAT = 10.0
#: Shorter than the 60 s after which common proxies give up.
TIMEOUT = aiohttp.ClientTimeout(total=25, sock_connect=10)

#: What a refusal of Odoo means, for the log and for `doctor`.
MEANING: dict[int, str] = {
    400: "Odoo cannot read the driver's events",
    401: "Odoo does not know this driver or its key (pair it again), or the clock is more than 7 days off",
    403: "a proxy before Odoo refuses the driver",
    404: "no card terminal module at this address or in this database",
    409: "Odoo answers from another database than the one this driver is paired with",
    413: "Odoo finds the batch too large",
}
OTHER_DATABASE = (
    "wrong_database",
    "This driver is paired with another database. Nothing is sent to the terminal until the pairing is corrected.",
)
BEHIND = (
    "journal_unavailable",
    "An old copy of the driver's journal was put back: Odoo knows more of it. Move it away and restart the driver.",
)


class LinkError(Exception):
    """Odoo could not be told; the text says why."""


class OdooLink:
    """The conversation with Odoo.

    `refusal` is the (code, detail) that keeps the driver from selling, else None; `delay` the seconds to wait after a
    failure, 0 when all is well; `want` the number Odoo wants next, None while that must be asked.
    """

    def __init__(
        self, driver: Driver, odoo: OdooSettings, *, jitter: Callable[[], float] = lambda: random.uniform(0.5, 1.0)
    ) -> None:
        self._driver = driver
        self._odoo = odoo
        self._jitter = jitter
        self._wake = asyncio.Event()
        self._max_events = MAX_EVENTS
        self.delay = 0.0
        self._complaint = ""
        self.want: int | None = None
        self.acked = 0
        self.error = "not connected yet"
        self.last_contact = ""
        self.refusal: tuple[str, str] | None = None
        self.relay = Relay(driver, odoo)
        self._leftovers = Leftovers(driver.folder.journal)

    def wake(self) -> None:
        """Say that there is a new event."""
        self._wake.set()

    def describe(self) -> dict[str, Any]:
        """Return how the link stands: what Odoo has, when it last answered, and what is wrong, if anything."""
        contact, error = self.last_contact or None, self.error or None
        told = {"url": self._odoo.url, "acked": self.acked, "last_contact": contact, "error": error}
        pairing = self._driver.pairing
        refusal = pairing.refusal if pairing else None
        offer = (pairing and pairing.offer.get("version")) or None
        words = {"standing": refusal[1] if refusal else None, "offered": offer}
        return {**told, **words, "relay": self.relay.describe()}

    async def run(self) -> None:
        """Keep Odoo informed, and serve the relay, until cancelled."""
        relay = asyncio.create_task(self.relay.run())
        try:
            async with aiohttp.ClientSession(timeout=TIMEOUT) as session:
                while True:
                    self._wake.clear()
                    await self.relay.answers_first()
                    if await self.exchange(session):
                        continue
                    if self.delay:
                        await asyncio.sleep(self.delay * self._jitter())
                    else:
                        await self._pause(min(self._odoo.heartbeat, RELAY_HEARTBEAT))
        finally:
            relay.cancel()
            await asyncio.wait([relay])

    async def flush(self, seconds: float) -> None:
        """Deliver what is left, for at most `seconds`; the rest is sent after the next start."""
        try:
            async with asyncio.timeout(seconds), aiohttp.ClientSession(timeout=TIMEOUT) as session:
                while await self.exchange(session):
                    pass
        except TimeoutError:
            log.info("Odoo is told the rest after the next start")

    async def exchange(self, session: aiohttp.ClientSession) -> bool:
        """Send one batch and take the answer; say whether there is more to send at once."""
        events = self._batch()
        asked = self._driver.clock.steady_now()
        try:
            answer = await self._post(session, events)
            more = await self._accept(answer, events)
            self.relay.told(answer.get("relay"), asked, self._driver.clock.steady_now())
            if not more:
                await self._leftovers.deliver(partial(self._post_about, session), _fitting)
        except (aiohttp.ClientError, TimeoutError, OSError, LinkError) as error:
            self._failed(why(error))
            return False
        except Exception:  # the link must outlive any fault: events are sent again
            log.exception("fault in the link to Odoo")
            self._failed("an error in the driver; see its log")
            return False
        self.last_contact = iso(self._driver.clock.now())
        if more and not events:
            return True  # Odoo has only said what it wants: not yet proof that it takes it
        if self.error:
            log.info("Odoo answers at %s, it has the events up to %s", self._odoo.url, self.acked)
        self.error, self.delay = "", 0.0
        return more

    def _batch(self) -> list[bytes]:
        if self.want is None:
            return []  # after a start or a failure: ask how far Odoo is
        return _fitting(self._driver.journal.told(since=self.want - 1, limit=self._max_events))

    async def _post(self, session: aiohttp.ClientSession, events: list[bytes]) -> dict[str, Any]:
        journal = self._driver.journal
        about = {"journal_id": journal.journal_id, "last": journal.last, "head": journal.head}
        return await self._post_about(session, about, events)

    async def _post_about(
        self, session: aiohttp.ClientSession, about: dict[str, Any], events: list[bytes]
    ) -> dict[str, Any]:
        driver = self._driver
        now = driver.clock.now()
        key = driver.keyring.keys[ODOO]
        envelope = canonical(
            {
                "driver": self._odoo.driver,
                "database_uuid": self._odoo.database_uuid,
                "version": __version__,
                "api": 1,
                "now": iso(now),
                "url": driver.reported_url,
                "configuration": driver.till_side.number,
                "relay": self.relay.connected,
                **about,
            }
        )
        body = b'%b,"events":[%b]}' % (envelope.removesuffix(b"}"), b",".join(events))
        signature = sign_body(key, int(now.timestamp()), body)
        signed_by = headers(self._odoo, self._odoo.driver, signature)
        # A redirected POST would become a GET, or carry the events to another host.
        async with session.post(self._odoo.url + PATH, data=body, headers=signed_by, allow_redirects=False) as response:
            answer = await _read(response)
            if response.status != 200:
                self._take_refusal(key, signature, response, answer)
                raise self._refused(response, answer, len(events))
            signed = response.headers.get(SIGNATURE, "")
        try:
            value = json.loads(answer)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict) or type(value.get("want")) is not int or type(value.get("acked")) is not int:
            raise LinkError(f"{self._odoo.url} does not answer as Odoo's card terminal module does: check odoo.url")
        try:
            verify_answer(key, signature, signed, answer)
        except BadSignature as error:
            raise LinkError(f"the answer of {self._odoo.url} is not signed with this driver's key: {error}") from error
        return value

    def _take_refusal(self, key: bytes, signature: str, response: aiohttp.ClientResponse, answer: bytes) -> None:
        """A driver that was revoked is told so under its own key; one whose key is not known tries the one before."""
        pairing = self._driver.pairing
        if response.status != 401 or pairing is None:
            return
        try:
            verify_answer(key, signature, response.headers.get(SIGNATURE, ""), answer)
            pairing.told(json.loads(answer))
        except (BadSignature, ValueError):
            if pairing.turn_back(self._driver.clock.now().timestamp()):
                self._driver.use_key()

    def _refused(self, response: aiohttp.ClientResponse, answer: bytes, sent: int) -> LinkError:
        status = response.status
        if status == 409:
            self.refusal = OTHER_DATABASE
        if status == 413:
            self._max_events = max(1, sent // 2)
        if status in (301, 302, 303, 307, 308):
            target = response.headers.get("Location", "?")
            return LinkError(f"Odoo redirects to {target}: put that address into odoo.url")
        return LinkError(f"{MEANING.get(status, 'Odoo is not available')} (status {status}{_said(answer)})")

    async def _accept(self, answer: dict[str, Any], events: list[bytes]) -> bool:
        if answer.get("database_uuid") != self._odoo.database_uuid:
            self.refusal = OTHER_DATABASE
            raise LinkError(MEANING[409])
        last = self._driver.journal.last
        before, self.want, self.acked = self.want, int(answer["want"]), answer["acked"]
        if self.want > last + 1:
            self.refusal = BEHIND
            raise LinkError(BEHIND[1])
        self.refusal = None
        await self._take_configuration(answer.get("configuration"))
        self._take_settled(answer.get("settled"))
        self._take_words(answer)
        if events and before is not None and self.want <= before:
            raise LinkError(f"Odoo took nothing of a batch and wants event {self.want}")
        return self.want <= self._driver.journal.last

    async def _take_configuration(self, signed: Any) -> None:
        if signed is None:
            return
        try:
            await self._driver.configure(str(signed))
        except (BadSignature, ConfigurationError, StateFolderError, NotRecorded, JournalUnavailable) as error:
            self._complain(f"configuration from Odoo refused: {error}")

    def _take_words(self, answer: dict[str, Any]) -> None:
        assert self._driver.pairing
        self._driver.pairing.told(answer)
        if wrapped := answer.get("new_key"):
            try:
                self._driver.take_key(str(wrapped))
            except (BadSignature, StateFolderError) as error:
                self._complain(f"new key from Odoo not taken: {error}")

    def _take_settled(self, settled: Any) -> None:
        for item in settled if isinstance(settled, list) else ():
            try:
                self._driver.journal.settle(
                    str(item["uuid"]), paid=item["paid"] is True, by=str(item["by"]), at=str(item["at"])
                )
            except NoSuchTransaction:
                log.info("settled, but not in this journal: %s", item["uuid"])
            except (CardTerminalError, KeyError, TypeError) as error:
                self._complain(f"settlement from Odoo not taken: {type(error).__name__} {error}")

    def _failed(self, why: str) -> None:
        if why != self.error:
            log.warning("Odoo not told: %s", why)
        self.error, self.want = why, None
        self.delay = min(max(self.delay * 2, FIRST_DELAY), LONGEST_DELAY)

    def _complain(self, text: str) -> None:
        if text != self._complaint:
            log.warning("%s", text)
        self._complaint = text

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass


def _fitting(events: list[bytes]) -> list[bytes]:
    """Return the first of these events that fit in one request; one does always."""
    size = ENVELOPE
    for number, event in enumerate(events):
        size += len(event) + 1
        if number and size > MAX_BATCH:
            return events[:number]
    return events


async def _read(response: aiohttp.ClientResponse) -> bytes:
    data = bytearray()
    async for chunk in response.content.iter_any():
        data += chunk
        if len(data) > MAX_ANSWER:
            raise LinkError("Odoo's answer is too large")
    return bytes(data)


def _said(answer: bytes) -> str:
    try:
        value = json.loads(answer)
    except (ValueError, RecursionError):
        return ""
    return f": {value['error']}" if isinstance(value, dict) and isinstance(value.get("error"), str) else ""
