"""ZVT, the protocol of card terminals in Germany, Austria and Switzerland."""

from __future__ import annotations

from ..info import ProtocolInfo
from ..recovery import Recovery
from . import on_line
from .line import LinkSettings, ZvtLink
from .machine import Zvt
from .messages import decode, encode
from .options import KINDS, OPTIONS, able
from .presets import SERIAL, TCP
from .request import MAX_AMOUNT

_RECOVERY = Recovery(
    supported=lambda options: bool(options.get("last_result", True)),
    refusals=frozenset({"terminal_busy", "message_refused"}),
)

PROTOCOLS = (
    ProtocolInfo(
        name="zvt",
        transports=("tcp",),
        default_port=20007,
        kinds=KINDS,
        can_cancel=True,
        max_amount=MAX_AMOUNT,
        options=OPTIONS,
        machine=Zvt,
        decode=decode,
        encode=encode,
        recovery=_RECOVERY,
        presets=TCP,
        abilities=able,
    ),
    ProtocolInfo(
        name="zvt-serial",
        transports=("serial",),
        default_port=0,
        kinds=KINDS,
        can_cancel=True,
        max_amount=MAX_AMOUNT,
        options=on_line.OPTIONS,
        machine=on_line.ZvtOnLine,
        decode=on_line.decode,
        encode=on_line.encode,
        recovery=_RECOVERY,
        link=lambda options: ZvtLink(LinkSettings.of(options)),
        presets=SERIAL,
        abilities=able,
    ),
)
