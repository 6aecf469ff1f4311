"""The virtual terminals that the demo can play with: one entry per protocol."""

from __future__ import annotations

from dataclasses import dataclass, field

EVERYTHING = frozenset({"auth_code", "contract"})


@dataclass(frozen=True, slots=True)
class DemoTerminal:
    """A terminal's protocol, the card that is shown to it, its options in Odoo.

    `cable` says that it hangs on one; `tells` names what is said of a payment beside its amount and its card.
    """

    protocol: str
    card: str
    options: dict[str, object] = field(default_factory=dict)
    cable: bool = False
    tells: frozenset[str] = EVERYTHING

    def place(self, port: int, device: str) -> dict[str, object]:
        """Return where it is, as Odoo has it."""
        if self.cable:
            return {"transport": "serial", "device": device, "host": False}
        return {"transport": "tcp", "host": "127.0.0.1", "port": port}


TERMINALS = {
    each.protocol: each
    for each in (
        DemoTerminal("concert-v3", "contactless", {"tickets": True}),
        DemoTerminal("concert-v3-serial", "contactless", cable=True),
        DemoTerminal("concert-v2", "contactless", cable=True, tells=frozenset()),
    )
}
