"""What can be set for a network connection beside its address. Described here, where nothing is needed to read it; used
by `transports/tcp.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from .options import Option, option, options_of

#: The value of `tls` that has the machine's own authorities check the certificate.
CHECKED = "checked"


@dataclass(frozen=True, slots=True)
class TcpLine:
    """The connection of a terminal on the network."""

    tls: str = option(
        "",
        "Encrypts the connection (TLS), where the terminal has a port for it (Feig: 22001). Empty: not encrypted.",
        "P15 1.3; PO 16 (Feig: 22001); that the certificate is known by its fingerprint is chosen",
        pattern=f"({CHECKED}|[0-9A-Fa-f]{{64}})?",
        wanted=f'empty, "{CHECKED}" (the machine knows who signed it), or the SHA-256 fingerprint of the terminal\'s '
        "certificate: 64 hexadecimal digits",
        title="TLS encryption",
    )


OPTIONS: dict[str, Option] = options_of(TcpLine)
