"""The TCP transport: bytes in and out, and every way to lose a link has its word."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator

import pytest

from hw_driver.transports import REASONS, TcpTransport


class Ear:
    """Writes down what it hears."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[tuple[str, object]] = asyncio.Queue()

    def on_connected(self) -> None:
        self.heard.put_nowait(("connected", None))

    def on_data(self, data: bytes) -> None:
        self.heard.put_nowait(("data", data))

    def on_lost(self, reason: str) -> None:
        self.heard.put_nowait(("lost", reason))

    async def next(self) -> tuple[str, object]:
        async with asyncio.timeout(5):
            return await self.heard.get()


@pytest.fixture
async def listening() -> AsyncIterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


async def linked(server: socket.socket) -> tuple[TcpTransport, Ear, socket.socket]:
    ear = Ear()
    transport = TcpTransport({"host": "127.0.0.1", "port": server.getsockname()[1]}, ear)
    transport.open(5)
    peer, _ = await asyncio.get_running_loop().sock_accept(server)
    assert await ear.next() == ("connected", None)
    return transport, ear, peer


async def test_bytes_go_both_ways(listening: socket.socket) -> None:
    transport, ear, peer = await linked(listening)
    transport.write(b"request")
    assert await asyncio.get_running_loop().sock_recv(peer, 100) == b"request"
    peer.send(b"answer")
    assert await ear.next() == ("data", b"answer")
    transport.close()
    assert await asyncio.get_running_loop().sock_recv(peer, 100) == b""


async def test_what_was_written_leaves_before_the_link_is_let_go(listening: socket.socket) -> None:
    transport, _, peer = await linked(listening)
    sent = b"x" * 3_000_000
    transport.write(sent)
    transport.close()
    received = bytearray()
    while piece := await asyncio.get_running_loop().sock_recv(peer, 1 << 20):
        received += piece
    assert received == sent


def close(peer: socket.socket) -> None:
    peer.close()


def half_close(peer: socket.socket) -> None:
    peer.shutdown(socket.SHUT_WR)


def reset(peer: socket.socket) -> None:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


@pytest.mark.parametrize(("end", "reason"), [(close, "closed"), (half_close, "closed"), (reset, "reset")])
async def test_a_link_that_is_lost(listening: socket.socket, end: object, reason: str) -> None:
    transport, ear, peer = await linked(listening)
    peer.send(b"last words")
    assert await ear.next() == ("data", b"last words")
    end(peer)  # type: ignore[operator]
    assert await ear.next() == ("lost", reason)
    assert reason in REASONS
    with pytest.raises(ConnectionError):
        transport.write(b"into the void")
    peer.close()


async def test_nobody_hears_of_a_link_that_was_let_go(listening: socket.socket) -> None:
    transport, ear, peer = await linked(listening)
    transport.close()
    peer.send(b"late")
    peer.close()
    other, other_ear, other_peer = await linked(listening)
    other_peer.close()
    assert await other_ear.next() == ("lost", "closed")
    assert ear.heard.empty()
    other.close()


async def test_the_same_transport_connects_again(listening: socket.socket) -> None:
    transport, ear, peer = await linked(listening)
    peer.close()
    assert await ear.next() == ("lost", "closed")
    transport.open(5)
    peer, _ = await asyncio.get_running_loop().sock_accept(listening)
    assert await ear.next() == ("connected", None)
    peer.close()
    transport.close()


async def test_nobody_listens_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    ear = Ear()
    TcpTransport({"host": "127.0.0.1", "port": port}, ear).open(5)
    assert await ear.next() == ("lost", "refused")


async def test_a_terminal_that_does_not_take_the_connection(listening: socket.socket) -> None:
    listening.listen(0)
    crowd = [socket.socket() for _ in range(4)]
    for sock in crowd:  # fill the queue of a server that accepts nobody
        sock.setblocking(False)
        sock.connect_ex(listening.getsockname())
    ear = Ear()
    TcpTransport({"host": "127.0.0.1", "port": listening.getsockname()[1]}, ear).open(0.2)
    assert await ear.next() == ("lost", "timeout")
    for sock in crowd:
        sock.close()


@pytest.mark.parametrize("host", ["no-such-terminal.invalid", "255.255.255.255"])
async def test_an_address_that_leads_nowhere(host: str) -> None:
    ear = Ear()
    TcpTransport({"host": host, "port": 8888}, ear).open(20)
    async with asyncio.timeout(30):
        assert await ear.heard.get() == ("lost", "unreachable")
