"""What the rest of the driver may know of a protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .machine import Machine
from .recovery import Recovery
from .states import Kind


@dataclass(frozen=True, slots=True)
class ProtocolInfo:
    """What the rest of the driver may know of a protocol.

    `machine(options)` makes a machine for one dialog; `decode(bytes)` and `encode(message)` serve the command line and
    raise `MalformedMessage`; `options` are the known options with their defaults; `can_cancel` says whether the till
    can ask the terminal to abort, `recovery` what can be asked after an answer was lost (None: nothing).
    """

    name: str
    transport: str
    default_port: int
    kinds: frozenset[Kind]
    can_cancel: bool
    max_amount: int
    options: Mapping[str, Any]
    machine: Callable[[Mapping[str, Any]], Machine]
    decode: Callable[[bytes], dict[str, Any]]
    encode: Callable[[Mapping[str, Any]], bytes]
    recovery: Recovery | None = None
