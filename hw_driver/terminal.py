"""One payment terminal: who may talk to it, and what is under way on it.

terminal = Terminal(id, name, info, {"kind": "tcp", "host": …, "port": …}, options, journal)
await terminal.recover()                      # once, before the first sale
transaction = await terminal.start(body)
await transaction.changed(after=transaction.rev, seconds=25)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .clock import Clock
from .journal import Journal
from .protocols.machine import SafeError
from .protocols.registry import ProtocolInfo
from .transaction import Transaction


class TerminalBusy(SafeError):
    """A dialog is under way on this terminal. `holder` is ``{till, operator, uuid, since}`` (`since` ISO 8601 UTC)."""

    def __init__(self, holder: dict[str, str]) -> None:
        super().__init__(f"The terminal is in use by {holder['till'] or 'another till'}.")
        self.holder = holder


class NotSupported(SafeError):
    """This terminal's protocol has no such kind of transaction."""


class CannotCancel(SafeError):
    """The terminal cannot be asked to give up; the text says what the cashier can do instead."""


class Terminal:
    """A configured terminal. `transport` is ``{"kind": "tcp", "host": str, "port": int}``; `options` the protocol's own."""

    id: str
    name: str
    info: ProtocolInfo

    def __init__(
        self,
        id: str,
        name: str,
        info: ProtocolInfo,
        transport: Mapping[str, Any],
        options: Mapping[str, Any],
        journal: Journal,
        *,
        clock: Clock | None = None,
    ) -> None:
        raise NotImplementedError

    @property
    def holder(self) -> dict[str, str] | None:
        """Who holds the terminal, ``{till, operator, uuid, since}``, or None when it is free."""
        raise NotImplementedError

    def describe(self) -> dict[str, Any]:
        """Return it as `GET /v1/terminals/{id}` says it: configuration, capabilities, link, holder, identity."""
        raise NotImplementedError

    async def start(self, body: Mapping[str, Any], check: Callable[[], None] | None = None) -> Transaction:
        """Journal a request (`body`: `uuid` and the members of PUT) and begin its dialog.

        Returns at once; a body whose `not_after` has passed ends as `failed` with nothing sent. `check` is called right
        before the request is journalled, with nothing awaited in between, and refuses by raising.
        Raises, with nothing sent and nothing journalled: `TerminalBusy`, `InvalidRequest`, `NotSupported`,
        `KnownTransaction` (ask `transaction(uuid)` what became of it), `JournalUnavailable`.
        """
        raise NotImplementedError

    async def identify(self, uuid: str, *, till: str = "", operator: str = "") -> Transaction:
        """Ask the terminal who it is. No money moves, so nothing is journalled. Raises as `start` does."""
        raise NotImplementedError

    def transaction(self, uuid: str) -> Transaction | None:
        """Return a transaction of this terminal: the live one, or rebuilt from the journal."""
        raise NotImplementedError

    async def cancel(self, uuid: str) -> Transaction:
        """Ask the terminal to give up. Raises `CannotCancel` where the protocol has no abort or it is over already."""
        raise NotImplementedError

    async def recover(self) -> None:
        """End what a stopped driver left open, before the first sale: unsent ones failed, sent ones unknown."""
        raise NotImplementedError

    async def close(self) -> None:
        """Stop: let the link go. A dialog under way is recovered by the next start of the driver."""
        raise NotImplementedError
