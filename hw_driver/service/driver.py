"""The running driver: settings, journal, terminals and keys in one place, for the API and for the link to Odoo."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from .. import __version__
from ..asking import left_open
from ..clock import Clock, iso
from ..configuration import ConfigurationError, Settings, TillSide, till_side
from ..journal import Event, Journal, Record
from ..pairing import Pairing
from ..protocols.states import State
from ..refusals import TerminalBusy
from ..signing import BadSignature, sign, unwrap_key
from ..state_folder import StateFolder
from ..terminal import Terminal
from ..transaction import Transaction
from .grants import LOCAL, ODOO, Keyring
from .problems import Problem
from .terminals import Terminals

log = logging.getLogger(__name__)

API_VERSION = 1
#: Seconds after which log and link hear of an event: money does not wait for them.
SOON = 0.01
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - what a driver for several tills may be told to listen on


class Link(Protocol):
    """What the driver asks of its conversation with Odoo (`odoo_link.py`)."""

    refusal: tuple[str, str] | None
    acked: int
    error: str

    def wake(self) -> None: ...
    def describe(self) -> dict[str, Any]: ...


class Driver:
    """One driver process. `start()` before the first call, `stop()` at the end.

    Whoever runs it gives it its `link` where it has an Odoo.
    """

    def __init__(self, settings: Settings, folder: StateFolder, journal: Journal, clock: Clock) -> None:
        self.settings = settings
        self.folder = folder
        self.journal = journal
        self.clock = clock
        self.port = settings.port
        self.tls_port = 0  # 0 while HTTPS is not served
        self.till_side = settings.till_side
        self.terminals = Terminals(journal, clock)
        self.events_seen: Counter[str] = Counter()
        self.answers_given: Counter[int] = Counter()
        self.refusals: Counter[str] = Counter()
        self.stopping = False
        keys = {LOCAL: folder.local_key(create=True)}
        self.link: Link | None = None
        self.pairing: Pairing | None = None
        self.end: Callable[[], None] = lambda: None
        self._keys = keys
        if settings.odoo:
            self.pairing = Pairing(folder, settings.odoo.key)
            keys[ODOO] = self.pairing.current
        before = self.pairing.before if self.pairing else lambda now: None
        self.keyring = Keyring(settings.driver_id, settings.database_uuid, keys, before)
        journal.on_event = self._on_event

    @property
    def url(self) -> str:
        """Where tills on this machine reach the driver."""
        return f"http://{self._own_host}:{self.port}"

    @property
    def reported_url(self) -> str:
        """Where tills should reach the driver: by HTTPS and the certificate's name, where it has a certificate."""
        if not self.tls_port:
            return self.url
        names = self.settings.tls.names if self.settings.tls else ()
        return f"https://{names[0] if names else self._own_host}:{self.tls_port}"

    @property
    def _own_host(self) -> str:
        host = "127.0.0.1" if self.settings.listen in EVERYWHERE else self.settings.listen
        return f"[{host}]" if ":" in host else host

    async def start(self) -> None:
        """Take up the configuration kept from last time and end what a stopped driver left open."""
        if self.settings.odoo and (signed := self.folder.configuration()):
            try:
                self.till_side = self.verified(signed)
            except (BadSignature, ConfigurationError) as error:
                log.warning("kept configuration ignored: %s", error)
        await self.terminals.configure(self.till_side.terminals)
        self.journal.note("driver_started", {"version": __version__, "configuration": self.till_side.number})

    async def stop(self, grace: float) -> None:
        """Take no new transactions, wait up to `grace` seconds for dialogs under way, let the terminals go.

        A dialog that is still under way then is `unknown` after the next start.
        """
        self.stopping = True
        deadline = asyncio.get_running_loop().time() + grace
        if busy := self.terminals.busy():
            log.info("waiting up to %s s for %s", grace, ", ".join(terminal.name for terminal in busy))
        # A terminal has no event for its release.
        while self.terminals.busy() and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        await self.terminals.close()

    # configuration

    def verified(self, signed: str) -> TillSide:
        """Return what a signed configuration says; `BadSignature` or `ConfigurationError` when it is not for us."""
        kid, claims = self.keyring.open(signed, self.clock.now().timestamp())
        if kid != ODOO:
            raise BadSignature("not signed by Odoo")
        if claims.get("typ") != "configuration" or claims.get("drv") != self.keyring.driver:
            raise ConfigurationError("the configuration is for another driver")
        if claims.get("db") != self.keyring.database:
            raise ConfigurationError("the configuration is from another database")
        return till_side(claims, self.settings.till_side.hosts)

    async def configure(self, signed: str) -> None:
        """Take a newer configuration from Odoo: kept first, then used. The same one again changes nothing."""
        new = self.verified(signed)
        if new.number < self.till_side.number:
            raise ConfigurationError(f"number {new.number} is older than {self.till_side.number}, which is in use")
        if new == self.till_side:
            return
        self.folder.keep_configuration(signed)
        self.till_side = new
        await self.terminals.configure(new.terminals)
        terminals = [terminal.id for terminal in new.terminals]
        self.journal.note("configured", {"number": new.number, "terminals": terminals})

    def take_key(self, wrapped: str) -> None:
        """Use the key that Odoo has given under the present one, from now on."""
        assert self.pairing
        self.pairing.rotate(unwrap_key(self.pairing.current, wrapped), self.clock.now().timestamp())
        self.use_key()

    def use_key(self) -> None:
        """Sign and open with the pairing's current key; the kept configuration stays readable."""
        assert self.pairing
        signed = self.folder.configuration()
        try:
            claims = self.keyring.open(signed, self.clock.now().timestamp())[1] if signed else None
        except BadSignature:
            claims = None
        self._keys[ODOO] = self.pairing.current
        if claims:
            self.folder.keep_configuration(sign(ODOO, self.pairing.current, claims))

    # what the API asks

    def may_sell(self) -> None:
        """Refuse while stopping, or while Odoo and driver do not belong together."""
        if self.stopping:
            raise Problem("stopping", "The driver is stopping. Wait until it has been started again.")
        if refusal := self.refusal:
            raise Problem(*refusal)

    @property
    def refusal(self) -> tuple[str, str] | None:
        """The (code, detail) that keeps this driver from selling, else None."""
        return (self.pairing and self.pairing.refusal) or (self.link and self.link.refusal) or None

    def end_when_idle(self) -> None:
        """Stop this process, unless a terminal is in use: that is refused with its holder's name."""
        for terminal in self.terminals.busy():
            if holder := terminal.holder:
                raise TerminalBusy(holder)
        self.stopping = True
        asyncio.get_running_loop().call_later(SOON, self.end)  # this answer leaves first

    def configured(self, id_: str) -> Terminal:
        """Return the terminal of this id, or refuse."""
        terminal = self.terminals.get(id_)
        if terminal is None:
            raise Problem("no_such_terminal", f"This driver has no terminal '{id_[:50]}'. Choose another one.")
        return terminal

    def transaction(self, uuid: str) -> Transaction | None:
        """Return a transaction, live or from the journal, None where it was never heard of."""
        record = self.journal.get(uuid)
        if record is None:  # an identify is not journalled
            return next(filter(None, (terminal.live(uuid) for terminal in self.terminals)), None)
        terminal = self.terminals.get(record.terminal)
        if terminal:
            return terminal.transaction(uuid)
        return Transaction(uuid, record.body, self._ended_without_terminal(record))

    def health(self) -> dict[str, Any]:
        """Return the members of `GET /v1/health`."""
        return {
            "status": "stopping" if self.stopping else "refusing" if self.refusal else "ok",
            "version": __version__,
            "api": API_VERSION,
            "driver": self.keyring.driver,
            "journal_id": self.journal.journal_id,
            "last": self.journal.last,
            "now": iso(self.clock.steady_now()),
            "paired": self.keyring.paired,
            "storage": self.journal.storage(),
            "odoo": self.link.describe() if self.link else None,
        }

    def _ended_without_terminal(self, record: Record) -> Record:
        """End what a stopped driver left open on a terminal that is configured no more."""
        if record.state not in (State.REQUESTED, State.SENT):
            return record
        outcome = left_open(record)
        return self.journal.record(record.uuid, outcome.state, outcome)

    def backup(self) -> Path:
        """Copy the journal into the state folder and return the copy's path."""
        folder = self.folder.path / "backups"
        folder.mkdir(mode=0o700, exist_ok=True)
        path = folder / f"journal-{self.clock.now():%Y%m%dT%H%M%S%f}Z.sqlite"
        self.journal.backup(path)
        return path

    def _on_event(self, event: Event) -> None:
        """Called between a durable write and what it releases."""
        self.events_seen[event.type] += 1
        asyncio.get_running_loop().call_later(SOON, self._tell, event)

    def _tell(self, event: Event) -> None:
        code = event.body.get("code", "")
        members = {"event": event.type, "seq": event.seq, "uuid": event.uuid, "code": code}
        log.info("event seq=%s type=%s uuid=%s code=%s", event.seq, event.type, event.uuid, code, extra=members)
        if self.link:
            self.link.wake()
