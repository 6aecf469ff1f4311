"""What Odoo has said of this pairing since the driver's file was written: a newer key, whether to sell, a newer driver.

Kept in the state folder, so that it counts from the first second of the next start. A new pairing begins anew.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from typing import Any

from .state_folder import StateFolder, StateFolderError

log = logging.getLogger(__name__)

FILE = "pairing.json"
#: Seconds for which the key before the present one still opens: as long as tills' grants live.
BEFORE_COUNTS = 7 * 24 * 3600
#: Problem code for each standing but `active`, and what is said where Odoo gave no words.
STANDINGS: dict[str, tuple[str, str]] = {
    "retired": ("driver_retired", "Another card driver has taken this one's place. Reload the till."),
    "revoked": ("driver_revoked", "This card driver was revoked in Odoo. Pair it again to use it."),
    "outdated": ("driver_outdated", "The card driver does not fit this Odoo. Run: card-terminal upgrade"),
}


class Pairing:
    """The keys and words of one pairing; `current` is the key to sign with."""

    def __init__(self, folder: StateFolder, key: bytes) -> None:
        self._folder = folder
        self._of = hashlib.sha256(key).hexdigest()[:16]
        kept = self._read()
        self.current = bytes.fromhex(str(kept.get("key", ""))) or key
        self._before = bytes.fromhex(str(kept.get("before", "")))
        self._until = float(kept.get("until", 0))
        self._standing = dict(kept.get("standing") or {})
        self.offer: dict[str, Any] = dict(kept.get("offer") or {})

    @property
    def refusal(self) -> tuple[str, str] | None:
        """The (code, detail) with which sales are refused, None while Odoo has nothing against them."""
        known = STANDINGS.get(str(self._standing.get("state")))
        return (known[0], str(self._standing.get("text") or known[1])) if known else None

    def before(self, now: float) -> bytes | None:
        """Return the key before this one while it counts (tills' grants, and an Odoo put back from a copy)."""
        return self._before if self._before and now < self._until else None

    def rotate(self, new: bytes, now: float) -> None:
        """Make a new key the current one, durably. `StateFolderError` when it cannot be kept."""
        if new == self.current:
            return
        old = self.current, self._before, self._until
        self.current, self._before, self._until = new, self.current, now + BEFORE_COUNTS
        try:
            self._write()
        except StateFolderError:
            self.current, self._before, self._until = old
            raise
        log.info("Odoo gave this driver a new key")

    def turn_back(self, now: float) -> bool:
        """Try the key before, where Odoo does not know the current one any more; say whether there is one."""
        before = self.before(now)
        if before is None:
            return False
        self.current, self._before = before, self.current
        return True

    def told(self, answer: Mapping[str, Any]) -> None:
        """Keep what a verified answer says of the driver: `standing` and `offer` (docs/api.md 2.5)."""
        standing, offer = answer.get("standing"), answer.get("offer")
        standing = standing if isinstance(standing, dict) else {}
        offer = offer if isinstance(offer, dict) else self.offer
        if (standing, offer) == (self._standing, self.offer):
            return
        self._standing, self.offer = standing, offer
        if refusal := self.refusal:
            log.warning("Odoo keeps this driver from selling: %s", refusal[1])
        try:
            self._write()
        except StateFolderError as error:
            log.warning("%s", error)

    def _read(self) -> dict[str, Any]:
        try:
            kept = json.loads((self._folder.path / FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return kept if isinstance(kept, dict) and kept.get("of") == self._of else {}

    def _write(self) -> None:
        kept = {
            "of": self._of,
            "key": self.current.hex(),
            "before": self._before.hex(),
            "until": self._until,
            "standing": self._standing,
            "offer": self.offer,
        }
        self._folder.write(FILE, json.dumps(kept).encode())
