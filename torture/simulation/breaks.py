"""The laws of money, broken one at a time to see that the checker notices (`--break LAW`). Never used otherwise."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Any
from weakref import WeakKeyDictionary

from hw_driver.dialog import Dialog
from hw_driver.journal import journal as journals
from hw_driver.protocols.machine import Persist, Send
from hw_driver.protocols.states import State
from hw_driver.service import transactions
from hw_driver.terminal import Terminal


@contextlib.contextmanager
def broken(law: str | None) -> Iterator[None]:
    """Break a law while this lasts; None keeps them all."""
    if law is None:
        yield
        return
    if law not in BREAKS:
        raise ValueError(f"no break of law {law}: there are {', '.join(BREAKS)}")
    undo = [(owner, name, getattr(owner, name)) for owner, name, _ in BREAKS[law]]
    for owner, name, make in BREAKS[law]:
        setattr(owner, name, make(getattr(owner, name)))
    try:
        yield
    finally:
        for owner, name, before in undo:
            setattr(owner, name, before)


def _send_first(run: Any) -> Any:
    """Law 1: bytes leave before the intent is written."""

    def _run(self: Dialog, effects: Any) -> None:
        effects = list(effects)
        intents = [effect for effect in effects if isinstance(effect, Persist) and effect.state is State.SENT]
        if intents:
            self.sent = True
            asyncio.get_running_loop().call_soon(run, self, intents)
        run(self, [effect for effect in effects if effect not in intents])

    return _run


def _remember(actions: Any) -> Any:
    """Law 2: a request whose link is lost is sent once more on a new one. A ZVT till's answers (80, 84) are none."""

    def send(self: Dialog, effect: Send) -> None:
        if effect.data[0] not in (0x80, 0x84):
            REMEMBERED[self] = effect.data
        actions[Send](self, effect)

    return {**actions, Send: send}


def _dial_again(lost: Any) -> Any:
    def on_lost(self: Dialog, reason: str) -> None:
        if REMEMBERED.get(self) and not self.answered:
            self._transport.open(5)
        else:
            lost(self, reason)

    return on_lost


def _repeat(connected: Any) -> Any:
    def on_connected(self: Dialog) -> None:
        if again := REMEMBERED.get(self):
            REMEMBERED[self] = b""
            self._transport.write(again)
        else:
            connected(self)

    return on_connected


#: What a dialog that repeats itself (law 2) has sent.
REMEMBERED: WeakKeyDictionary[Dialog, bytes] = WeakKeyDictionary()


def _failed_for_unknown(record: Any) -> Any:
    """Law 3: not knowing is shown as failed."""

    def journalled(self: Any, uuid: str, state: State, outcome: Any = None) -> Any:
        return record(self, uuid, State.FAILED if state is State.UNKNOWN else state, outcome)

    return journalled


def _nothing_blocks(_: Any) -> Any:
    """Law 7: an order with an open payment can be paid again."""
    return lambda journal, body: None


def _no_limit(_: Any) -> Any:
    """Law 8: nobody adds up what was given back."""
    return lambda journal, original, body: None


def _nobody_holds(_: Any) -> Any:
    """Law 9: a terminal that is at work is given another dialog."""
    return lambda self: None


def _goes_on_from_a_copy(_: Any) -> Any:
    """Law 12: a copy that was put back passes for the journal itself."""
    return lambda self: ""


#: By law: owner, name, and what stands in its place, made from what was there.
BREAKS: dict[str, tuple[tuple[Any, str, Callable[[Any], Any]], ...]] = {
    "1": ((Dialog, "_run", _send_first),),
    "2": ((Dialog, "_ACTIONS", _remember), (Dialog, "on_lost", _dial_again), (Dialog, "on_connected", _repeat)),
    "3": ((journals.Journal, "record", _failed_for_unknown),),
    "7": ((transactions, "blocking_record", _nothing_blocks),),
    "8": ((transactions, "check_refund", _no_limit),),
    "9": ((Terminal, "_refuse_if_held", _nobody_holds),),
    "12": ((journals.Journal, "_foreign", _goes_on_from_a_copy),),
}
