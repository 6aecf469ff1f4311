"""Times and counts of the line. The official values are not public: these are the longest seen in the field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from ...rules import Rule, count, seconds


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """Seconds and counts (concert.md 1.5).

    `line_answer`: wait for ACK after ENQ or a frame. `line_tries`: ENQ sent before giving up, `line_pause` between two
    of them. `line_turnaround`: silence kept before answering. `line_byte`: longest silence inside a session of the
    other side. `line_sends`: how often a frame may go out, each repeat after an explicit NAK of it.
    """

    line_answer: float = 3.0
    line_tries: int = 3
    line_pause: float = 1.0
    line_turnaround: float = 0.01
    line_byte: float = 3.0
    line_sends: int = 3

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> LinkSettings:
        """Return the settings among a terminal's options, the defaults filled in."""
        return cls(**{field.name: options[field.name] for field in fields(cls) if field.name in options})

    @property
    def longest_opening(self) -> float:
        """Seconds after which an opening has succeeded or failed, if the other side does not interfere."""
        return self.line_tries * self.line_answer + (self.line_tries - 1) * self.line_pause


RULES: dict[str, Rule] = {
    "line_answer": seconds(0.05, 60),
    "line_tries": count(1, 20),
    "line_pause": seconds(0, 60),
    "line_turnaround": seconds(0, 1),
    "line_byte": seconds(0.05, 60),
    "line_sends": count(1, 10),
}
DEFAULTS: dict[str, Any] = asdict(LinkSettings())
