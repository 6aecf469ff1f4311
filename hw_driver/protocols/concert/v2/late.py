"""An answer that a terminal brings on its own, after its dialog had been given up (concert.md 1.5, collision)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...currency import LETTERS
from ...machine import MalformedMessage, Outcome
from ...recovery import Last
from ...states import State
from .machine import private_of
from .messages import parse_reply
from .options import Options
from .tables import STATUSES
from .verdict import evidence


def overheard(options: Mapping[str, Any], message: bytes, uuids: Iterable[str]) -> Last | None:
    """Return what an answer says of the terminal's last transaction; None where it says nothing of one."""
    own = Options.of(options)
    try:
        _, reply = parse_reply(message)
    except MalformedMessage:
        return None
    if reply["status"] not in STATUSES:
        return None
    state, code, text = STATUSES[reply["status"]]
    approved = int(reply["amount"]) if state is State.APPROVED else None
    named = [uuid for uuid in uuids if private_of(uuid, own) == reply["private"]] if own.private_echoed else []
    return Last(
        Outcome(state, code, text, amount_approved=approved, **evidence(reply)),
        currency=LETTERS.get(reply["currency"], ""),
        reference=named[0] if own.private == "reference" and len(named) == 1 else "",
        elsewhere=int(reply["register"]) != int(own.register),
        idle=True,
    )
