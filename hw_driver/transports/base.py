"""What every transport offers, and the words for why a link is lost."""

from __future__ import annotations

from typing import Protocol

#: Why a link is lost or cannot be had: word for programs -> sentence for people.
REASONS: dict[str, str] = {
    "unreachable": "The terminal cannot be reached. Check that it is on, its cable or network, and its address.",
    "refused": "The terminal refuses the connection. Check its port and that its cash register link is switched on.",
    "timeout": "The terminal does not answer the connection. Check that it is switched on and its address is right.",
    "reset": "The terminal cut the connection.",
    "closed": "The terminal closed the connection.",
    "untrusted": "The terminal has another certificate than the one that is set. Make sure that it is your terminal.",
    "not_encrypted": "The terminal does not speak TLS on this port. Check the port, or leave TLS off.",
    "no_port": "The terminal is not plugged in, or its port has another name. See: card-terminal ports",
    "port_in_use": "Another program uses the terminal's port. Close it, then try again.",
    "port_denied": "The driver may not use the port. On Linux, add its user to the group that owns the port (dialout).",
    "port_settings": "The port does not take these settings. Check speed, bits, parity and stop bits.",
    "unplugged": "The cable to the terminal was unplugged, or the terminal was switched off.",
    "line_silent": "The terminal does not answer on the line. It may be busy, asleep or switched off.",
    "line_busy": "The terminal is busy.",
    "line_refused": "The terminal does not accept the message. Check its protocol.",
}


class Listener(Protocol):
    """Who is told what happens on a link. All calls come from the event loop's thread."""

    def on_connected(self) -> None: ...
    def on_data(self, data: bytes) -> None: ...

    def on_lost(self, reason: str) -> None:
        """The link is gone, or could not be had: `reason` is a key of `REASONS`. Not called after `close()`."""


class Transport(Protocol):
    """One connection to one terminal. Nothing is retried: what was written may have left."""

    def open(self, timeout: float) -> None:
        """Begin to connect; the listener hears `on_connected` or `on_lost`."""

    def write(self, data: bytes) -> None:
        """Hand bytes to the system, at once and once. Raises `ConnectionError` when there is no link."""

    def acknowledge(self) -> None:
        """Say to the other side that what was heard last is safe, where the link has a word for it."""

    def close(self) -> None:
        """Let the link go, after what was written has left. Does nothing when there is none."""

    def abort(self) -> None:
        """Let the link go at once: what has not left does not leave any more. Does nothing when there is none."""
