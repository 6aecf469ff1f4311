"""A proxy before Odoo, as shops have one: `/websocket` goes to Odoo's bus, all else to its HTTP port.

`python -m kit.front PORT HTTP_PORT BUS_PORT` prints a line once it listens. A connection goes where its first request
does: Odoo's worker processes answer one request per connection, and browsers open a websocket on one of its own.
SIGUSR1 cuts every websocket and lets none in, SIGUSR2 lets them in again.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import suppress

from kit.ports import LOOPBACK

CHUNK = 64 * 1024


class Front:
    def __init__(self, http_port: int, bus_port: int) -> None:
        self._http_port = http_port
        self._bus_port = bus_port
        self._open = True
        self._sockets: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """Close every websocket, and refuse new ones."""
        self._open = False
        for writer in self._sockets:
            writer.transport.abort()

    def let_in(self) -> None:
        self._open = True

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one connection on."""
        try:
            first = await reader.readuntil(b"\r\n")
            is_bus = first.split(b" ")[1].startswith(b"/websocket")
            if is_bus and not self._open:
                return
            port = self._bus_port if is_bus else self._http_port
            behind, ahead = await asyncio.open_connection(LOOPBACK, port)
            ahead.write(first)
            if is_bus:
                self._sockets.add(writer)
            await asyncio.gather(_pass(reader, ahead), _pass(behind, writer))
        except (OSError, IndexError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return
        finally:
            self._sockets.discard(writer)
            writer.close()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    writer.close()


async def main(port: int, http_port: int, bus_port: int) -> None:
    front = Front(http_port, bus_port)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, front.cut)
    loop.add_signal_handler(signal.SIGUSR2, front.let_in)
    async with await asyncio.start_server(front.serve, LOOPBACK, port) as server:
        print("ready", flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
