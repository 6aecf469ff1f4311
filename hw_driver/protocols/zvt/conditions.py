"""How a terminal stands, and what it wants done before it takes payments again: one entry each.

Source: P15 11 (05 01; the same codes refuse a command, 06 1E), P15 2.1 (BMP 19 of a registration's completion); which
command mends what is EVerest's way with Feig terminals (zvt.md 3.1, 4.3).
"""

from __future__ import annotations

from dataclasses import dataclass

from ..states import Kind


@dataclass(frozen=True, slots=True)
class Condition:
    """One state of a terminal: a word for programs, a sentence for the cashier, and what can be asked of it (None:
    nothing, a person or time mends it).
    """

    word: str
    text: str
    remedy: Kind | None = None


READY = Condition("ready", "The terminal is ready.")
_LOCKED = Condition("locked", "The terminal is locked. Call its provider.")
_CARD_IN = Condition("card_inserted", "There is a card in the terminal: take it out.")
_BROKEN = Condition("out_of_order", "The terminal is out of order. Call its provider.")
_NEEDS_INIT = Condition(
    "initialisation_needed", "The terminal must be initialised before it takes payments.", Kind.INITIALISATION
)
_NEEDS_DIAGNOSIS = Condition(
    "diagnosis_needed", "The terminal wants a diagnosis before it takes payments.", Kind.DIAGNOSIS
)
_FULL = Condition("memory_full", "The terminal's memory is full: make an end of day.", Kind.SETTLEMENT)

#: By terminal state. What is not here is told with its number.
CONDITIONS: dict[int, Condition] = {
    0x00: READY,
    0x51: _NEEDS_INIT,
    0x62: Condition("time_not_set", "The terminal's date and time are not set: make a diagnosis.", Kind.DIAGNOSIS),
    0x9C: Condition("busy", "The terminal is at work. Wait a moment."),
    0x9D: Condition("busy", "The terminal is at work. Wait a moment."),
    **dict.fromkeys((0xB1, 0xB2), _FULL),
    0xBF: Condition("voltage", "The terminal's power supply is too weak: charge or plug it in."),
    **dict.fromkeys((0xC0, 0xC1), _LOCKED),
    0xC2: _NEEDS_DIAGNOSIS,
    0xC4: _NEEDS_INIT,
    0xCC: Condition("printer_not_ready", "The terminal's printer is not ready: put in paper."),
    **dict.fromkeys((0xDC, 0xE1), _CARD_IN),
    **dict.fromkeys((0xDF, 0xE2, 0xE3), _BROKEN),
    0xE0: Condition("maintenance", "The terminal is being maintained: wait until it is ready again."),
    0xE4: _NEEDS_DIAGNOSIS,
    0xF0: Condition("end_of_day_due", "The terminal wants an end of day before it takes payments.", Kind.SETTLEMENT),
}
_OTHER = Condition("other", "The terminal reports a state that this driver does not know. Look at its display.")

#: Bits of the status byte with which a registration is completed, the first that is set counts.
_REGISTERED: tuple[tuple[int, Condition], ...] = ((0x01, _NEEDS_INIT), (0x02, _NEEDS_DIAGNOSIS))


def condition_of(status: bytes, registered: bytes) -> Condition:
    """Return how a terminal stands, by its state (05 01) or, where that is well, by what its registration said."""
    if status and status[0]:
        return CONDITIONS.get(status[0], _OTHER)
    bits = registered[0] if registered else 0
    return next((condition for bit, condition in _REGISTERED if bits & bit), READY)


def remedy_of(refusal: int) -> Kind | None:
    """Return what to ask of a terminal that refuses with this code; those of banks (01 to 63) ask for nothing."""
    condition = CONDITIONS.get(refusal)
    return condition.remedy if condition and refusal > _LAST_OF_BANK else None


_LAST_OF_BANK = 0x63
