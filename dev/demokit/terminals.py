"""The virtual terminals that the demo can play with: one entry per protocol."""

from __future__ import annotations

from dataclasses import dataclass, field

EVERYTHING = frozenset({"auth_code", "contract"})


@dataclass(frozen=True, slots=True)
class DemoTerminal:
    """A terminal's protocol, the card that is shown to it, its options in Odoo.

    `cable` says that it hangs on one; `tells` names what is said of a payment beside its amount and its card; `events`
    are those of a sale; `language` names the option for what it says to the cashier, where it has one.
    """

    protocol: str
    card: str
    options: dict[str, object] = field(default_factory=dict)
    cable: bool = False
    tells: frozenset[str] = EVERYTHING
    events: tuple[str, ...] = ("requested", "sent", "approved")
    language: str = ""

    def options_in(self, country: str) -> dict[str, object]:
        """Return its options in a country's shop."""
        speaks = {self.language: country} if self.language and country == "de" else {}
        return {**self.options, **speaks}

    def place(self, port: int, device: str) -> dict[str, object]:
        """Return where it is, as Odoo has it."""
        if self.cable:
            return {"transport": "serial", "device": device, "host": False}
        return {"transport": "tcp", "host": "127.0.0.1", "port": port}


_HEARD = ("requested", "sent", "heard", "approved")
TERMINALS = {
    each.protocol: each
    for each in (
        DemoTerminal("concert-v3", "contactless", {"tickets": True}),
        DemoTerminal("concert-v3-serial", "contactless", cable=True),
        DemoTerminal("concert-v2", "contactless", cable=True, tells=frozenset()),
        DemoTerminal("zvt", "contactless", events=_HEARD, language="language"),
        DemoTerminal("zvt-serial", "contactless", {"stop": 2}, cable=True, events=_HEARD, language="language"),
    )
}
