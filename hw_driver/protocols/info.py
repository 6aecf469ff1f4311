"""What the rest of the driver may know of a protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .link import Link
from .machine import Machine
from .options import Option, Preset, defaults
from .recovery import Last, Recovery
from .states import Kind


@dataclass(frozen=True, slots=True)
class Able:
    """What one terminal can do, as its options say.

    `means` are words of `ProtocolInfo.means`; `e_receipts` says that it sends slips to the customer's `{email, phone}`,
    `forced` that it takes the number of an authorisation given by telephone.
    """

    kinds: frozenset[Kind]
    means: tuple[str, ...] = ("card",)
    e_receipts: bool = False
    forced: bool = False


@dataclass(frozen=True, slots=True)
class ProtocolInfo:
    """What the rest of the driver may know of a protocol.

    `machine(options)` makes a machine for one dialog; `decode(bytes)` and `encode(message)` serve the command line and
    raise `MalformedMessage`; `options` describe what can be set, by name, `presets` what families of terminals need;
    `can_cancel` says whether the till can ask the terminal to abort, `recovery` what can be asked after an answer was
    lost (None: nothing).
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
    options: Mapping[str, Option]
    machine: Callable[[Mapping[str, Any]], Machine]
    decode: Callable[[bytes], dict[str, Any]]
    encode: Callable[[Mapping[str, Any]], bytes]
    recovery: Recovery | None = None
    link: Callable[[Mapping[str, Any]], Link] | None = None
    overheard: Callable[[Mapping[str, Any], bytes, Iterable[str]], Last | None] | None = None
    presets: tuple[Preset, ...] = ()
    means: Mapping[str, str] = field(default_factory=lambda: {"card": "Card"})
    abilities: Callable[[Mapping[str, Any]], Able] | None = None

    @property
    def defaults(self) -> dict[str, Any]:
        """The value each option has where nothing is set."""
        return defaults(self.options)

    def shown(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return options without what is secret."""
        return {name: value for name, value in options.items() if not self.options[name].secret}

    def able(self, options: Mapping[str, Any]) -> Able:
        """Return what a terminal with these options can do."""
        return self.abilities({**self.defaults, **options}) if self.abilities else Able(self.kinds)

    def kinds_with(self, options: Mapping[str, Any]) -> frozenset[Kind]:
        """Return the kinds that a terminal with these options has."""
        return self.able(options).kinds

    def check(self, given: Mapping[str, Any]) -> None:
        """Raise `InvalidRequest` that says which option is wrong, by itself or beside the others."""
        self.machine(given)
