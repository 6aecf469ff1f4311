"""The line under CONCERT V2 and under V3 on a cable: frames, and the session that carries them."""

from __future__ import annotations

from .frame import MAX_DATA, frame, unframe
from .link import EnqLink
from .settings import LinkSettings

__all__ = ["MAX_DATA", "EnqLink", "LinkSettings", "frame", "unframe"]
