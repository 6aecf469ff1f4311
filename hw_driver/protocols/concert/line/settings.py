"""Times and counts of the line. The official values are not public: these are the longest seen in the field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from ...options import Option, option, options_of


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """Seconds and counts (concert.md 1.5)."""

    line_answer: float = option(
        3.0,
        "How long the terminal may take to acknowledge a call (ENQ) or a frame.",
        "PYP; 1 PTM, 0.5 DEL",
        low=0.05,
        high=60,
        unit="s",
    )
    line_tries: int = option(
        3,
        "How often the terminal is called (ENQ) before the till gives up.",
        "DEL; 1 PYP",
        low=1,
        high=20,
        title="Times the terminal is called",
    )
    line_pause: float = option(1.0, "How long to wait between two calls.", "PYP DEL", low=0, high=60, unit="s")
    line_turnaround: float = option(
        0.01, "The silence kept before the till answers, for slow lines.", "DEL", low=0, high=1, unit="s"
    )
    line_byte: float = option(
        3.0,
        "The longest silence inside what the terminal says.",
        "chosen; PYP waits 3",
        low=0.05,
        high=60,
        unit="s",
        title="Line silence",
    )
    line_sends: int = option(
        3,
        "How often a frame goes out at most, each time after the terminal has said that it was damaged (NAK).",
        "chosen; not in any text",
        low=1,
        high=10,
        title="Times a frame is sent",
    )

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> LinkSettings:
        """Return the settings among a terminal's options, the defaults filled in."""
        return cls(**{field.name: options[field.name] for field in fields(cls) if field.name in options})


OPTIONS: dict[str, Option] = options_of(LinkSettings)
