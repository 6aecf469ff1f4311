"""CONCERT (Caisse-AP), the protocol of card terminals in France."""

from __future__ import annotations

from ..info import ProtocolInfo
from ..recovery import Recovery
from .machine import MAX_AMOUNT, ConcertV3
from .messages import decode, encode
from .options import DEFAULTS
from .tables import EXCHANGES

PROTOCOLS = (
    ProtocolInfo(
        name="concert-v3",
        transport="tcp",
        default_port=8888,
        kinds=frozenset(EXCHANGES),
        can_cancel=False,
        max_amount=MAX_AMOUNT,
        options=DEFAULTS,
        machine=ConcertV3,
        decode=decode,
        encode=encode,
        recovery=Recovery(supported=lambda options: bool(options.get("duplicata"))),
    ),
)
