"""A line that lives longer than a dialog: bytes below, whole messages above, and an ear while nobody asks anything.

line = Line(lambda listener: TRANSPORTS[kind](settings, listener), link, heard, stays=True)
line.listen()                       # at the start of the driver
transport = line.for_dialog(dialog) # what a dialog sees: a transport of whole messages
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from .protocols.link import Link, LinkEffect, NotOpened, Opened, Received, Refused
from .protocols.machine import Send, StartTimer, StopTimer
from .timers import Timers
from .transports import Listener, Transport

#: Seconds until a line that was lost is looked for again.
LOOK_AGAIN = 5.0
#: Seconds for which a line that does not stay is kept after a dialog, so that its session can end properly.
LINGER = 1.0


class Line(Listener):
    """One line and its link.

    `heard(message)` is told of messages that belong to no dialog and says whether they are safe: what is not safe is
    not acknowledged, so that the terminal says it again. With `stays` the line is kept open between dialogs, and
    looked for again when it is lost.
    """

    def __init__(
        self,
        transport_for: Callable[[Listener], Transport],
        link: Link,
        heard: Callable[[bytes], bool],
        *,
        stays: bool,
    ) -> None:
        self._transport = transport_for(self)
        self._link = link
        self._heard = heard
        self._stays = stays
        self._there = False
        self._opening = False
        self._again: float | None = (
            None  # how long opening anew may take, where a dialog began on a left-over connection
        )
        self._dialog: _ForDialog | None = None
        self._effects: deque[LinkEffect] = deque()
        self._running = False
        self._timers = Timers(lambda name: self._run(self._link.timer(name)))
        self._later: asyncio.TimerHandle | None = None

    def listen(self) -> None:
        """Open a line that stays, to hear the terminal from now on."""
        if self._stays and not self._there and not self._opening:
            self._open(LOOK_AGAIN)

    def for_dialog(self, listener: Listener) -> Transport:
        """Return the line as a dialog sees it."""
        return _ForDialog(self, listener)

    def close(self) -> None:
        """Let the line go for good."""
        self._stays, self._dialog = False, None
        self._let_go()

    # -- what a dialog asks

    def acquire(self, dialog: _ForDialog, timeout: float) -> None:
        self._dialog = dialog
        self._wait(None)
        if self._there:
            self._again = None if self._stays else timeout
            self._run(self._link.open())
        elif not self._opening:
            self._open(timeout)

    def send(self, message: bytes) -> None:
        self._run(self._link.send(message))

    def acknowledge(self) -> None:
        self._run(self._link.acknowledge())

    def release(self, dialog: _ForDialog, *, at_once: bool) -> None:
        if self._dialog is not dialog:
            return
        self._dialog = None
        self._run(self._link.release())
        if not self._stays:
            if at_once or not self._there:
                self._let_go()
            else:
                self._wait(LINGER)

    # -- what happens on the line

    def on_connected(self) -> None:
        self._there, self._opening = True, False
        if self._dialog is not None:
            self._run(self._link.open())

    def on_data(self, data: bytes) -> None:
        self._run(self._link.receive(data))

    def on_lost(self, reason: str) -> None:
        self._forget()
        if self._stays:
            self._wait(LOOK_AGAIN)
        if self._dialog is not None and self._again is not None:  # the terminal hung up after the exchange before
            self._open(self._again)
        else:
            self._tell_lost(reason)

    # -- inside

    def _open(self, timeout: float) -> None:
        self._opening, self._again = True, None
        self._transport.open(timeout)

    def _let_go(self) -> None:
        self._transport.close()
        self._forget()
        self._wait(None)

    def _forget(self) -> None:
        self._there = self._opening = False
        self._link.lost()
        self._effects.clear()
        self._timers.clear()

    def _wait(self, seconds: float | None) -> None:
        """Look again, or let go, after a while."""
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if seconds is not None:
            loop = asyncio.get_running_loop()
            self._later = loop.call_later(seconds, self.listen if self._stays else self._let_go)

    def _tell_lost(self, reason: str) -> None:
        dialog, self._dialog = self._dialog, None
        if dialog is not None:
            dialog.listener.on_lost(reason)

    def _run(self, effects: Iterable[LinkEffect]) -> None:
        self._effects.extend(effects)
        if self._running:
            return
        self._running = True
        try:
            while self._effects:
                effect = self._effects.popleft()
                if action := self._ACTIONS.get(type(effect)):
                    action(self, effect)
        finally:
            self._running = False

    def _send(self, effect: Send) -> None:
        try:
            self._transport.write(effect.data)
        except ConnectionError:
            self._transport.close()
            self.on_lost("unplugged")

    def _start_timer(self, effect: StartTimer) -> None:
        self._timers.start(effect.name, effect.seconds)

    def _stop_timer(self, effect: StopTimer) -> None:
        self._timers.stop(effect.name)

    def _opened(self, effect: Opened) -> None:
        self._again = None
        if self._dialog is not None:
            self._dialog.listener.on_connected()

    def _not_opened(self, effect: NotOpened) -> None:
        self._tell_lost(effect.reason)
        if not self._stays:
            self._let_go()

    def _refused(self, effect: Refused) -> None:
        self._tell_lost("line_refused")

    def _received(self, effect: Received) -> None:
        if self._dialog is not None and self._dialog.sent:
            self._dialog.listener.on_data(effect.message)
        elif self._heard(effect.message):
            self.acknowledge()

    _ACTIONS: ClassVar[dict[type, Callable[[Line, Any], None]]] = {
        Send: _send,
        StartTimer: _start_timer,
        StopTimer: _stop_timer,
        Opened: _opened,
        NotOpened: _not_opened,
        Refused: _refused,
        Received: _received,
    }


class _ForDialog:
    """A transport of whole messages for one dialog. `sent` says whether its message was handed to the line."""

    def __init__(self, line: Line, listener: Listener) -> None:
        self.listener = listener
        self.sent = False
        self._line = line

    def open(self, timeout: float) -> None:
        self._line.acquire(self, timeout)

    def write(self, data: bytes) -> None:
        self.sent = True
        self._line.send(data)

    def acknowledge(self) -> None:
        self._line.acknowledge()

    def close(self) -> None:
        self._line.release(self, at_once=False)

    def abort(self) -> None:
        self._line.release(self, at_once=True)
