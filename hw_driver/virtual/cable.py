"""Runs a virtual terminal at the end of a cable: a pseudo-terminal, where Linux and macOS have them."""

from __future__ import annotations

import asyncio
import contextlib
import os
from functools import partial
from pathlib import Path

from .ledger import Ledger
from .server import CHUNK_PAUSE, Server, VirtualTerminal

ONLY = 1  # a cable has one connection


class CableServer(Server):
    """Plugs a terminal in; `link` is the port tills open, by the name it keeps.

    The system's own name for it may be another one's by the time the terminal has started again.
    """

    def __init__(self, terminal: VirtualTerminal, ledger: Ledger, link: Path, *, protocol: str) -> None:
        super().__init__(terminal, ledger, protocol=protocol)
        self.link = link
        self._ours = self._theirs = -1

    @property
    def place(self) -> str:
        return f"port {self.link}"

    async def start(self) -> None:
        """Plug in; raises `OSError`."""
        import pty
        import tty

        self._ours, self._theirs = pty.openpty()
        tty.setraw(self._theirs)
        os.set_blocking(self._ours, False)
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(os.ttyname(self._theirs))
        asyncio.get_running_loop().add_reader(self._ours, self._hear)
        self._lines[ONLY] = _Cable(self._ours)

    def _hear(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self.do(partial(self.terminal.received, ONLY, os.read(self._ours, 4096)))

    def _power_off(self) -> None:
        """A terminal without power is unplugged, as its USB port shows it."""
        if self._ours < 0:
            return
        self.link.unlink(missing_ok=True)
        asyncio.get_running_loop().remove_reader(self._ours)
        self._lines.pop(ONLY).drop()
        os.close(self._theirs)
        os.close(self._ours)
        self._ours = self._theirs = -1


class _Cable:
    """What leaves on the cable, in order; chunks with a pause between them."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._chunks: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None

    def send(self, chunks: tuple[bytes, ...]) -> None:
        self._chunks += chunks
        if self._timer is None:
            self._next()

    def hang_up(self) -> None:
        """A cable stays plugged in."""

    def drop(self) -> None:
        self._chunks.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _next(self) -> None:
        self._timer = None
        if self._chunks:
            with contextlib.suppress(BlockingIOError):  # nobody reads: a line keeps nothing
                os.write(self._port, self._chunks.pop(0))
        if self._chunks:
            self._timer = asyncio.get_running_loop().call_later(CHUNK_PAUSE, self._next)
