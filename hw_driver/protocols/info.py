"""What the rest of the driver may know of a protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .link import Link
from .machine import Machine
from .recovery import Last, Recovery
from .states import Kind


@dataclass(frozen=True, slots=True)
class ProtocolInfo:
    """What the rest of the driver may know of a protocol.

    `machine(options)` makes a machine for one dialog; `decode(bytes)` and `encode(message)` serve the command line and
    raise `MalformedMessage`; `options` are the known options with their defaults; `can_cancel` says whether the till
    can ask the terminal to abort, `recovery` what can be asked after an answer was lost (None: nothing).
    `transports` are the kinds it runs over, the usual one first. `link(options)` makes the session protocol under its
    dialogs, where it has one; `overheard(options, message, uuids)` says what a terminal tells on its own, `uuids` being
    those of the transactions it can be about.
    """

    name: str
    transports: tuple[str, ...]
    default_port: int
    kinds: frozenset[Kind]
    can_cancel: bool
    max_amount: int
    options: Mapping[str, Any]
    machine: Callable[[Mapping[str, Any]], Machine]
    decode: Callable[[bytes], dict[str, Any]]
    encode: Callable[[Mapping[str, Any]], bytes]
    recovery: Recovery | None = None
    link: Callable[[Mapping[str, Any]], Link] | None = None
    overheard: Callable[[Mapping[str, Any], bytes, Iterable[str]], Last | None] | None = None
