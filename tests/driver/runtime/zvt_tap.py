"""A tap on the network between till and terminal: it hears every byte, and can end the link after any message."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from hw_driver.protocols.zvt.apdu import Reader, build

TO_TERMINAL, TO_TILL = 0, 1
#: The addresses of a capture, which knows nothing of the tap: the till's, the terminal's.
ADDRESSES = ((bytes((10, 0, 0, 1)), 40000), (bytes((10, 0, 0, 2)), 20007))
_RAW_IP = 101  # LINKTYPE_RAW: packets begin with the IP header
_FIN, _SYN, _PUSH, _ACK = 0x01, 0x02, 0x08, 0x10


@dataclass
class Tap:
    """Stands before the terminal at `port`. `heard` is a list of (connection, direction, bytes) as they came.

    `cut_at(messages)` kills the next connection once so many messages have passed on it; `passed` counts them.
    """

    port: int
    heard: list[tuple[int, int, bytes]] = field(default_factory=list)
    connections: int = 0
    own_port: int = 0
    passed: int = 0
    _left: int | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.own_port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()

    def cut_at(self, messages: int | None) -> None:
        self.passed, self._left = 0, messages

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.port)
        writers = (far_writer, writer)  # by direction
        async with asyncio.TaskGroup() as both:
            both.create_task(self._carry(self.connections, TO_TERMINAL, reader, writers))
            both.create_task(self._carry(self.connections, TO_TILL, far_reader, writers))

    async def _carry(self, number: int, direction: int, reader: asyncio.StreamReader, writers: Writers) -> None:
        units = Reader()
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(4096):
                self.heard.append((number, direction, data))
                for unit in units.feed(data):
                    if self._left == self.passed:
                        self._left = None
                        for writer in writers:
                            writer.transport.abort()
                        return
                    self.passed += 1
                    writers[direction].write(build(unit.control, unit.data))
        writers[direction].close()


Writers = tuple[asyncio.StreamWriter, asyncio.StreamWriter]


def pcap(heard: list[tuple[int, int, bytes]]) -> bytes:
    """Return what was heard as a capture file: TCP, each connection with its beginning and end."""
    records = [
        struct.pack("<IIII", 0, number * 1000, len(packet), len(packet)) + packet
        for number, packet in enumerate(_packets(heard))
    ]
    return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, _RAW_IP) + b"".join(records)


def _packets(heard: list[tuple[int, int, bytes]]) -> Iterator[bytes]:
    for connection in sorted({number for number, _, _ in heard}):
        sent = [1, 1]
        yield _packet(connection, TO_TERMINAL, 0, 0, _SYN)
        yield _packet(connection, TO_TILL, 0, 1, _SYN | _ACK)
        for number, direction, data in heard:
            if number == connection:
                yield _packet(connection, direction, sent[direction], sent[1 - direction], _PUSH | _ACK, data)
                sent[direction] += len(data)
        yield _packet(connection, TO_TERMINAL, sent[0], sent[1], _FIN | _ACK)


def _packet(connection: int, direction: int, seq: int, ack: int, flags: int, data: bytes = b"") -> bytes:
    (here, from_port), (there, to_port) = ADDRESSES[direction], ADDRESSES[1 - direction]
    ports = (from_port + connection, to_port) if direction == TO_TERMINAL else (from_port, to_port + connection)
    tcp = struct.pack(">HHIIBBHHH", *ports, seq, ack, 5 << 4, flags, 8192, 0, 0)
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 40 + len(data), 0, 0, 64, 6, 0) + here + there
    total = sum(struct.unpack(">10H", ip))
    total = (total & 0xFFFF) + (total >> 16)
    return ip[:10] + struct.pack(">H", ~total & 0xFFFF) + ip[12:] + tcp + data
