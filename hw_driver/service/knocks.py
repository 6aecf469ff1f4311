"""How often an address has come with a grant that is none: after too many it is told to wait."""

from __future__ import annotations

import math
from collections import OrderedDict, deque

LIMIT = 20
SECONDS = 60.0
#: Addresses remembered at most; the one that knocked longest ago is forgotten first.
ADDRESSES = 1000


class Knocks:
    """Wrong grants of the last minute, by address. A good grant is always let in: selling goes on."""

    def __init__(self) -> None:
        self._at: OrderedDict[str, deque[float]] = OrderedDict()

    def wrong(self, address: str, now: float) -> int:
        """Count one more at `now` (seconds, steadily growing); return the seconds to wait, 0 below the limit."""
        times = self._at.setdefault(address, deque(maxlen=LIMIT))
        self._at.move_to_end(address)
        if len(self._at) > ADDRESSES:
            self._at.popitem(last=False)
        if len(times) == LIMIT and now - times[0] < SECONDS:
            return math.ceil(SECONDS - (now - times[0]))
        times.append(now)
        return 0
