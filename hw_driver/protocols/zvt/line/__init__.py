"""The line under ZVT on a cable: frames with a check, and the link that repeats them."""

from __future__ import annotations

from .frame import frame, unframe
from .link import ZvtLink
from .settings import OPTIONS, LinkSettings

__all__ = ["OPTIONS", "LinkSettings", "ZvtLink", "frame", "unframe"]
