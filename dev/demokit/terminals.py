"""The virtual terminals that the demo can play with: one entry per protocol."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DemoTerminal:
    """A terminal's protocol, what the shop calls it, the card that is shown to it, and its further fields in Odoo."""

    protocol: str
    name: str
    card: str
    settings: dict[str, object]


TERMINALS = {
    each.protocol: each
    for each in (DemoTerminal("concert-v3", "Counter", "contactless", {"options": {"tickets": True}}),)
}
