"""Which protocols there are. A protocol joins by one entry; nothing else names it."""

from __future__ import annotations

from . import concert, zvt
from .info import ProtocolInfo

PROTOCOLS: dict[str, ProtocolInfo] = {info.name: info for info in (*concert.PROTOCOLS, *zvt.PROTOCOLS)}
