"""The sentences of the protocols' tables that people read in a form: what the addon's translations must hold."""

from __future__ import annotations

from collections.abc import Iterator

from .registry import PROTOCOLS
from .serial_line import OPTIONS as SERIAL_LINE
from .tcp_line import OPTIONS as TCP_LINE


def texts() -> set[str]:
    """Return what describes options, their values and the kinds of terminals, bare names and numbers left out."""
    return set(_all()) - {""}


def _all() -> Iterator[str]:
    for options in (SERIAL_LINE, TCP_LINE, *(info.options for info in PROTOCOLS.values())):
        for option in options.values():
            yield from (option.label, option.text, option.allowed_in_parts[0])
            yield from (choice for choice in option.choices.values() if choice[:1].islower() or ":" in choice)
    for info in PROTOCOLS.values():
        yield from (preset.text for preset in info.presets)
