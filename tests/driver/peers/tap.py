"""Listens in on a cable: two ends of pseudo-terminals, with everything said between them noted in order."""

from __future__ import annotations

import os
import pty
import selectors
import threading
import tty

TILL, TERMINAL = "till", "terminal"


class Tap:
    """Sits between a till, which opens `device`, and the port of a terminal. `said` is who said what, in order.

    with Tap(port) as tap:
        … a till works at tap.device …
    """

    def __init__(self, port: str) -> None:
        self.said: list[tuple[str, bytes]] = []
        self._port = os.open(port, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self._port)
        self._ours, self._theirs = pty.openpty()
        tty.setraw(self._theirs)
        self.device = os.ttyname(self._theirs)
        self._wake, self._woken = os.pipe()
        self._thread = threading.Thread(target=self._listen)

    def __enter__(self) -> Tap:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        os.write(self._woken, b"!")
        self._thread.join()
        for end in (self._port, self._ours, self._theirs, self._wake, self._woken):
            os.close(end)

    def _listen(self) -> None:
        with selectors.DefaultSelector() as ends:
            ends.register(self._ours, selectors.EVENT_READ, (TILL, self._port))
            ends.register(self._port, selectors.EVENT_READ, (TERMINAL, self._ours))
            ends.register(self._wake, selectors.EVENT_READ)
            while True:
                for key, _ in ends.select():
                    if key.fd == self._wake:
                        return
                    who, other = key.data
                    data = os.read(key.fd, 4096)
                    self._note(who, data)
                    os.write(other, data)

    def _note(self, who: str, data: bytes) -> None:
        """What one side says without being interrupted is one saying."""
        if self.said and self.said[-1][0] == who:
            self.said[-1] = (who, self.said[-1][1] + data)
        else:
            self.said.append((who, data))
