"""A terminal on the network: one TCP connection."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import socket
import ssl
import struct
from collections.abc import Mapping
from typing import Any

from ..protocols.tcp_line import CHECKED
from .base import Listener

#: `struct linger`: on, no time to linger. Its members are shorter on Windows.
_RESET = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


class Untrusted(OSError):
    """The terminal has another certificate than the one that is set."""


class TcpTransport:
    """Settings: `host` (name or address), `port`, and what `protocols/tcp_line.py` describes."""

    def __init__(self, settings: Mapping[str, Any], listener: Listener) -> None:
        self._host = str(settings["host"])
        self._port = int(settings["port"])
        self._tls = str(settings.get("tls", ""))
        self._listener = listener
        self._connecting: asyncio.Task[None] | None = None
        self._link: _Link | None = None

    def open(self, timeout: float) -> None:
        """Begin to connect; give up after `timeout` seconds."""
        self.close()
        self._connecting = asyncio.get_running_loop().create_task(self._connect(timeout))

    def write(self, data: bytes) -> None:
        """Hand bytes to the system, at once and once. Raises `ConnectionError` when there is no link."""
        if self._link is None:
            raise ConnectionError("not connected")
        self._link.write(data)

    def acknowledge(self) -> None:
        """TCP has no word for it."""

    def close(self) -> None:
        """Let the link go, after what was written has left."""
        if self._connecting is not None:
            self._connecting.cancel()
            self._connecting = None
        if self._link is not None:
            self._link.close()
            self._link = None

    def abort(self) -> None:
        """Let the link go at once: what has not left does not leave any more."""
        if self._link is not None:
            self._link.abort()
        self.close()

    async def _connect(self, timeout: float) -> None:
        loop = asyncio.get_running_loop()
        link = _Link(self)
        try:
            async with asyncio.timeout(timeout):
                await loop.create_connection(lambda: link, self._host, self._port, ssl=_context(self._tls))
            link.require(self._tls)
        except OSError as error:
            link.close()
            self._connecting = None
            self._listener.on_lost(reason_of(error))
        else:
            self._connecting, self._link = None, link
            self._listener.on_connected()

    def received(self, link: _Link, data: bytes) -> None:
        if link is self._link:
            self._listener.on_data(data)

    def lost(self, link: _Link, error: Exception | None) -> None:
        if link is self._link:
            self._link = None
            self._listener.on_lost("closed" if error is None else reason_of(error))


class _Link(asyncio.Protocol):
    """asyncio's side of one connection; a link that was let go is no longer listened to."""

    def __init__(self, owner: TcpTransport) -> None:
        self._owner = owner
        self._stream: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._stream = transport
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def require(self, tls: str) -> None:
        """Raise `Untrusted` unless the other side has the certificate with this fingerprint, where one is set."""
        if tls in ("", CHECKED):
            return
        assert self._stream is not None
        certificate = self._stream.get_extra_info("ssl_object").getpeercert(binary_form=True)
        if hashlib.sha256(certificate).hexdigest() != tls.lower():
            raise Untrusted

    def data_received(self, data: bytes) -> None:
        self._owner.received(self, data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._owner.lost(self, exc)

    def write(self, data: bytes) -> None:
        assert self._stream is not None
        if self._stream.is_closing():
            raise ConnectionError("the connection is closing")
        self._stream.write(data)

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()

    def abort(self) -> None:
        assert self._stream is not None
        if not self._stream.is_closing():  # a reset: the system forgets what it has not delivered, too
            sock = self._stream.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._stream.abort()


#: What the system says -> the reason we give. Anything else means that the terminal cannot be reached.
_REASONS_BY_ERRNO = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.ECONNABORTED: "reset",
    errno.EPIPE: "reset",
    errno.ETIMEDOUT: "timeout",
}


def _context(tls: str) -> ssl.SSLContext | None:
    """Return how a connection is encrypted: checked by the machine's authorities, or by its fingerprint afterwards."""
    if not tls:
        return None
    context = ssl.create_default_context()
    if tls != CHECKED:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def reason_of(error: BaseException) -> str:
    """Return the key of `REASONS` for a connection error; `TimeoutError` is one of them."""
    if isinstance(error, Untrusted | ssl.SSLCertVerificationError):
        return "untrusted"
    if isinstance(error, ssl.SSLError) or (isinstance(error, ConnectionResetError) and not error.errno):
        return "not_encrypted"  # asyncio's own word for a link that ended while TLS was being agreed
    if isinstance(error, TimeoutError):
        return "timeout"
    return _REASONS_BY_ERRNO.get(getattr(error, "errno", None) or 0, "unreachable")
