"""Runs a virtual terminal on a TCP port: sockets, the clock and the ledger around the pure behaviour."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Protocol

from .concert import Book, Effect, HangUp, PowerOff, PowerOn, VirtualConcert, Write
from .ledger import Ledger, LedgerError
from .on_line import OnLine
from .zvt_on_line import OnZvtLine

VirtualTerminal = VirtualConcert | OnLine | OnZvtLine

CHUNK_PAUSE = 0.001  # between chunks, so that the network does not glue them together again


class Server:
    """Listens on `host`:`port` (0: any free one; then `port` is the one chosen).

    With `tls` its connections are encrypted.
    Calls its `watchers` after every event. `failure` says why it had to stop: what cannot be booked is not charged.
    """

    def __init__(
        self,
        terminal: VirtualTerminal,
        ledger: Ledger,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        protocol: str = "concert-v3",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.protocol = protocol
        self._tls = tls
        self.terminal = terminal
        self.ledger = ledger
        self.host = host
        self.port = port
        self.failure: LedgerError | None = None
        self.watchers: list[Callable[[], None]] = []
        self._listener: asyncio.Server | None = None
        self._lines: dict[int, Outgoing] = {}
        self._handlers: set[asyncio.Task[None]] = set()
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None
        self._starting: asyncio.Task[None] | None = None

    @property
    def place(self) -> str:
        """Where tills find it, in words."""
        return f"port {self.port}"

    async def start(self) -> None:
        """Listen; raises `OSError` when the port is taken."""
        self._listener = await asyncio.start_server(self._serve, self.host, self.port, ssl=self._tls)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close everything but the ledger."""
        if self._timer:
            self._timer.cancel()
        if self._starting:
            await self._starting
        self._power_off()
        if self._handlers:
            await asyncio.wait(self._handlers)

    def do(self, happen: Callable[[float], list[Effect]]) -> None:
        """Let something happen to the terminal at this moment, and carry out what comes of it."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        now = time.monotonic()
        try:
            wake_at = self._happen(happen, now)
        except LedgerError as error:
            self.failure, wake_at = error, None
            self._power_off()
        if wake_at is not None:
            self._timer = asyncio.get_running_loop().call_later(wake_at - now, self.do, self.terminal.tick)
        for watcher in self.watchers:
            watcher()

    def _happen(self, happen: Callable[[float], list[Effect]], now: float) -> float | None:
        """Return when the terminal wants to be woken."""
        self._carry_out(happen(now))
        while (wake_at := self.terminal.wake_at) is not None and wake_at <= now:
            self._carry_out(self.terminal.tick(now))
        return wake_at

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._count += 1
        number = self._count
        line = self._lines[number] = _Line(writer)
        handler = asyncio.current_task()
        assert handler is not None
        self._handlers.add(handler)
        try:
            while data := await reader.read(4096):
                self.do(partial(self.terminal.received, number, data))
        except OSError:
            pass  # a till that resets its connection is a till that is gone
        finally:
            self._lines.pop(number, None)
            self._handlers.discard(handler)
            self.do(partial(self.terminal.gone, number))
            line.hang_up()

    def _carry_out(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case Book(entry):
                    self.ledger.book(entry)
                case Write(connection, chunks) if connection in self._lines:
                    self._lines[connection].send(chunks)
                case HangUp(connection) if connection in self._lines:
                    self._lines[connection].hang_up()
                case PowerOff():
                    self._power_off()
                case PowerOn():
                    self._starting = asyncio.get_running_loop().create_task(self.start())

    def _power_off(self) -> None:
        if self._listener:
            self._listener.close()
        for line in list(self._lines.values()):
            line.drop()


class Outgoing(Protocol):
    """One connection, as the terminal writes to it."""

    def send(self, chunks: tuple[bytes, ...]) -> None: ...
    def hang_up(self) -> None: ...
    def drop(self) -> None: ...


class _Line:
    """What is still to be sent on one connection, in order."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._sender = asyncio.get_running_loop().create_task(self._send())

    def send(self, chunks: tuple[bytes, ...]) -> None:
        for chunk in chunks:
            self._queue.put_nowait(chunk)

    def hang_up(self) -> None:
        """Close after the last chunk."""
        self._queue.put_nowait(None)

    def drop(self) -> None:
        """Close at once, like a power cut."""
        self._sender.cancel()
        self._writer.transport.abort()

    async def _send(self) -> None:
        try:
            while (chunk := await self._queue.get()) is not None:
                self._writer.write(chunk)
                await self._writer.drain()
                if not self._queue.empty():
                    await asyncio.sleep(CHUNK_PAUSE)
        except OSError:
            pass  # the till is gone; its reader tells
        self._writer.close()
