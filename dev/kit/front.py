"""A proxy before Odoo, as shops have one: `/websocket` goes to Odoo's bus, all else to its HTTP port.

`python -m kit.front PORT HTTP_PORT BUS_PORT` prints a line once it listens. A connection goes where its first request
does: Odoo's worker processes answer one request per connection, and browsers open a websocket on one of its own.
SIGUSR1 cuts every websocket and lets none in, SIGUSR2 lets them in again.
"""

from __future__ import annotations

import asyncio
import signal
import sys

from kit.ports import LOOPBACK


class Front:
    def __init__(self, http_port: int, bus_port: int) -> None:
        self._http_port = http_port
        self._bus_port = bus_port
        self._open = True
        self._sockets: set[asyncio.Transport] = set()

    def cut(self) -> None:
        """Close every websocket, and refuse new ones."""
        self._open = False
        for socket in self._sockets:
            socket.abort()

    def let_in(self) -> None:
        self._open = True

    def port_of(self, first: bytes, client: Side) -> int | None:
        """Return the port that a request with this first line goes to; None where it is let in nowhere."""
        if not first.split(b" ")[1].startswith(b"/websocket"):
            return self._http_port
        if not self._open:
            return None
        self._sockets.add(client.transport)
        return self._bus_port

    def forget(self, client: Side) -> None:
        self._sockets.discard(client.transport)


class Side(asyncio.Protocol):
    """One side of a connection: what comes is written to the other side, no faster than it takes it."""

    transport: asyncio.Transport

    other: Side | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self.other:
            self.other.transport.write(data)

    def pause_writing(self) -> None:
        if self.other:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other:
            self.other.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.other:
            self.other.transport.close()


class Client(Side):
    """The side of whoever calls: its first line says where it goes."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._early = b""
        self._connecting: asyncio.Task[None] | None = None

    def data_received(self, data: bytes) -> None:
        if self.other:
            self.other.transport.write(data)
            return
        self._early += data
        if self._connecting is None and b"\r\n" in self._early:
            self._connecting = asyncio.create_task(self._connect(self._early.partition(b"\r\n")[0]))

    async def _connect(self, first: bytes) -> None:
        try:
            port = self._front.port_of(first, self)
            if port is None:
                raise ConnectionRefusedError
            _, server = await asyncio.get_running_loop().create_connection(Side, LOOPBACK, port)
        except (OSError, IndexError):
            self.transport.close()
            return
        server.transport.write(self._early)
        self.other, server.other = server, self
        if self.transport.is_closing():
            server.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._front.forget(self)
        super().connection_lost(exc)


async def main(port: int, http_port: int, bus_port: int) -> None:
    front = Front(http_port, bus_port)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, front.cut)
    loop.add_signal_handler(signal.SIGUSR2, front.let_in)
    async with await loop.create_server(lambda: Client(front), LOOPBACK, port) as server:
        print("ready", flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
