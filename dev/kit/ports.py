"""Free ports on the loopback interface."""

from __future__ import annotations

import socket

from kit.errors import SetupError

LOOPBACK = "127.0.0.1"
_given: set[int] = set()


def free_port() -> int:
    """A port that nobody listens on now, and never the same: Odoo remembers whose address it was."""
    while True:
        with socket.socket() as listener:
            listener.bind((LOOPBACK, 0))
            port: int = listener.getsockname()[1]
        if port not in _given:
            _given.add(port)
            return port


def claim(port: int, purpose: str) -> int:
    """The port asked for, or an error that says that it is taken; 0 asks for any."""
    if not port:
        return free_port()
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except OSError as error:
            raise SetupError(
                f"port {port} is taken, and {purpose} wants it: end who holds it (ss -ltnp 'sport = :{port}'), "
                "or choose another port"
            ) from error
    return port
