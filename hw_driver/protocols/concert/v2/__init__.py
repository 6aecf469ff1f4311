"""CONCERT V2, protocols E and E+: fixed positions inside a frame."""

from __future__ import annotations

from .late import overheard
from .machine import MAX_AMOUNT, ConcertV2
from .messages import decode, encode
from .options import OPTIONS
from .tables import OPERATIONS

__all__ = ["MAX_AMOUNT", "OPERATIONS", "OPTIONS", "ConcertV2", "decode", "encode", "overheard"]
