"""What the line says for certain about a message that was not taken."""

from __future__ import annotations

#: Reason of the line -> the word for programs, the sentence for people.
NOT_TAKEN: dict[str, tuple[str, str]] = {
    "line_silent": (
        "unreachable",
        "The terminal does not answer. Is it busy, asleep, or is its cash register link switched off?",
    ),
    "line_busy": ("busy", "The terminal is busy. Wait until its display is back at the start, then press Card again."),
    "line_refused": (
        "message_refused",
        "The terminal did not accept the message. Check its protocol: CONCERT V2 E, V2 E+ or V3.",
    ),
}
#: The same of a line that did not come to be a session; so far nothing can have left.
NOT_OPENED: dict[str, tuple[str, str]] = {
    **NOT_TAKEN,
    "closed": (
        "unreachable",
        "The terminal hung up when it was called. Is it set to another protocol, or does another till use it?",
    ),
}
NO_LINE = ("unreachable", "There is no line to the terminal. Check its cable, and that it is switched on.")
