"""Bytes in, bytes out, nothing else. A transport joins by one entry in `TRANSPORTS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .base import REASONS, Listener, Transport
from .serial import SerialTransport
from .tcp import TcpTransport

#: Transport by kind: made from its settings (`{"kind": "tcp", "host": …, "port": …}`) and who listens to it.
TRANSPORTS: dict[str, Callable[[Mapping[str, Any], Listener], Transport]] = {
    "tcp": TcpTransport,
    "serial": SerialTransport,
}

__all__ = ["REASONS", "TRANSPORTS", "Listener", "SerialTransport", "TcpTransport", "Transport"]
