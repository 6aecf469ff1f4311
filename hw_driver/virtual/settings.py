"""How a virtual terminal behaves."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Settings:
    """How this terminal behaves. Times in seconds; `currencies` maps ISO 4217 numbers to letters.

    `while_busy` says what a second till gets: ``refuse`` (AE 01, as PayXpert documents) or ``wait``. `refuse_bf` is
    Ingenico's way with requests that carry BF, `duplicata` tells the last result when asked (CD 3), never while a
    payment is under way. `lacks` are kinds it has not, `only_version` is the one it understands (CZ).
    `auto` is a cardholder that acts `delay` after the amount is shown: the name of a card,
    ``abort``, or nobody.
    """

    contract: str = "0712345"
    currencies: dict[str, str] = field(default_factory=lambda: {"978": "EUR"})
    while_busy: str = "refuse"
    refuse_bf: bool = True
    duplicata: bool = True
    lacks: frozenset[str] = frozenset()
    only_version: str = ""
    quiet: float = 0.03  # a request has no end mark: it is over when no more comes
    incomplete: float = 1.0  # … and this is how long a request with something missing may take
    close_after: float = 1.0  # the till may close first
    card_timeout: float = 120.0
    authorisation: float = 0.8
    auto: str = ""
    delay: float = 0.0
