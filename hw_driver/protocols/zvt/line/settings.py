"""Times and counts of the line (P16 3; zvt.md 1.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from ...options import Option, option, options_of


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """What can be set for a cable."""

    line_byte: float = option(
        0.2,
        "T1: the longest silence inside a frame, before it is refused.",
        "P16 3.2",
        low=0.01,
        high=10,
        unit="s",
        title="Line silence",
    )
    line_answer: float = option(
        5.0, "T2: how long a frame waits for its acknowledgement.", "P16 3.2", low=0.05, high=60, unit="s"
    )
    line_sends: int = option(
        3, "How often a frame may go out.", "P16 3.2", low=1, high=10, title="Times a frame is sent"
    )
    line_repeat_payments: bool = option(
        False,
        "Sends a request for money again when the line stays silent after it, as the specification has it; off, the "
        "terminal is asked what became of it.",
        "P16 3.2; law 2 of this product",
    )

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> LinkSettings:
        """Return the settings among a terminal's options, the defaults filled in."""
        return cls(**{field.name: options[field.name] for field in fields(cls) if field.name in options})


OPTIONS: dict[str, Option] = options_of(LinkSettings)
