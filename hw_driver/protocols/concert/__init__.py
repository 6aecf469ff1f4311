"""CONCERT (Caisse-AP), the protocol of card terminals in France."""

from __future__ import annotations

from ..info import ProtocolInfo
from ..recovery import Recovery
from . import abilities, means, on_line, v2
from .request import MAX_AMOUNT
from .line import EnqLink, LinkSettings
from .machine import ConcertV3
from .messages import decode, encode
from .options import OPTIONS
from .presets import PRESETS
from .tables import EXCHANGES

PROTOCOLS = (
    ProtocolInfo(
        name="concert-v3",
        transports=("tcp",),
        default_port=8888,
        kinds=frozenset(EXCHANGES),
        can_cancel=False,
        max_amount=MAX_AMOUNT,
        options=OPTIONS,
        presets=PRESETS["concert-v3"],
        means=means.labels(means.V3),
        abilities=abilities.v3,
        machine=ConcertV3,
        decode=decode,
        encode=encode,
        recovery=Recovery(supported=lambda options: bool(options.get("duplicata"))),
    ),
    ProtocolInfo(
        name="concert-v3-serial",
        transports=("serial",),
        default_port=0,
        kinds=frozenset(EXCHANGES),
        can_cancel=False,
        max_amount=MAX_AMOUNT,
        options=on_line.OPTIONS,
        presets=PRESETS["concert-v3-serial"],
        means=means.labels(means.V3),
        abilities=abilities.v3,
        machine=on_line.ConcertV3OnLine,
        decode=on_line.decode,
        encode=on_line.encode,
        recovery=Recovery(supported=lambda options: bool(options.get("duplicata"))),
        link=lambda options: EnqLink(LinkSettings.of(options)),
        overheard=on_line.overheard,
    ),
    ProtocolInfo(
        name="concert-v2",
        transports=("serial", "tcp"),
        default_port=8888,
        kinds=frozenset(v2.OPERATIONS),
        can_cancel=False,
        max_amount=v2.MAX_AMOUNT,
        options=v2.OPTIONS,
        presets=PRESETS["concert-v2"],
        means=means.labels(means.V2),
        abilities=abilities.v2,
        machine=v2.ConcertV2,
        decode=v2.decode,
        encode=v2.encode,
        link=lambda options: EnqLink(LinkSettings.of(options)),
        overheard=v2.overheard,
    ),
)
