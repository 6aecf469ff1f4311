"""Who may ask for what: session grants and one-time grants (docs/api.md 1.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..protocols.states import Kind
from ..signing import BadSignature, sign, verify
from .problems import Problem

ODOO, LOCAL = "odoo", "local"
#: What Odoo can let a till do.
TILL_OPERATIONS = frozenset({"sale", "status", "cancel", "identify", "reprint"})
#: What the key file on the machine allows, and what is left of it while Odoo is the master.
LOCAL_OPERATIONS = TILL_OPERATIONS | {"backup", "stop"}
LOCAL_WHEN_PAIRED = frozenset({"status", "identify", "backup", "stop"})

#: The operation a session grant must name for each kind; `GRANTED_KINDS` need a one-time grant besides.
OPERATION_OF_KIND: dict[Kind, str] = {
    Kind.SALE: "sale",
    Kind.REFUND: "sale",
    Kind.REVERSAL: "sale",
    Kind.PREAUTH: "sale",
    Kind.COMPLETION: "sale",
    Kind.SETTLEMENT: "sale",
    Kind.REPRINT: "reprint",
    Kind.STATUS: "status",
    Kind.IDENTIFY: "identify",
    Kind.TIP: "sale",
    Kind.TOTALS: "reprint",
    Kind.DIAGNOSIS: "identify",
    Kind.INITIALISATION: "identify",
    Kind.LOGOFF: "identify",
    Kind.CARD: "sale",
    Kind.DISPLAY: "sale",
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who holds a valid session grant. `terminals` is None where every terminal is meant (local grants only)."""

    operations: frozenset[str]
    terminals: frozenset[str] | None

    def require(self, operation: str) -> None:
        """Refuse an operation the grant does not name."""
        if operation not in self.operations:
            raise Problem("not_granted", f"Your session may not do this ({operation}). Open the till's session again.")

    def require_terminal(self, terminal: str) -> None:
        """Refuse a terminal the grant does not name."""
        if not self.sees(terminal):
            raise Problem("not_granted", "Your session may not use this terminal. Choose a terminal of this till.")

    def sees(self, terminal: str) -> bool:
        """Say whether the grant covers this terminal."""
        return self.terminals is None or terminal in self.terminals


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys a driver trusts, and whom it is: `driver` and `database` are what a grant must name."""

    driver: str
    database: str
    keys: Mapping[str, bytes]
    #: The key before Odoo's present one, at a time in unix seconds, while it still counts.
    before: Callable[[float], bytes | None] = lambda now: None

    @property
    def paired(self) -> bool:
        """Say whether Odoo is the master of this driver."""
        return ODOO in self.keys

    def caller(self, token: str, now: float) -> Caller:
        """Return who holds this session grant at `now` (unix seconds)."""
        kid, claims = self._verified(token, "session", now)
        if claims["exp"] <= now:
            raise Problem(
                "expired_grant", "Your session has expired, or this machine's clock is wrong. Reload the point of sale."
            )
        if kid == LOCAL:
            mine = LOCAL_WHEN_PAIRED if self.paired else LOCAL_OPERATIONS
            return Caller(_words(claims, "ops") & mine, None)
        return caller_of(claims)

    def check_once(self, token: str, transaction: Mapping[str, Any], now: float) -> None:
        """Refuse unless the one-time grant covers exactly this transaction (the members of PUT and its `uuid`)."""
        try:
            kid, claims = self._verified(token, "once", now)
        except Problem as error:
            raise _mismatch("it is not signed for this driver") from error
        if kid == LOCAL and self.paired:
            raise _mismatch("only Odoo may allow it")
        if claims["exp"] <= now:
            detail = "Odoo's permission has expired, or this machine's clock is wrong. Start it again."
            raise Problem("expired_grant", detail, status=403)
        for name in ("uuid", "kind", "terminal", "currency"):
            if (claims.get(name) or "") != transaction[name]:
                raise _mismatch(f"its {name} differs")
        if claims.get("original") != (transaction.get("original") or {}).get("uuid"):
            raise _mismatch("its original sale differs")
        maximum = claims.get("max_amount") or 0
        if type(maximum) is not int or transaction["amount"] > maximum:
            raise _mismatch("its amount is higher")

    def open(self, token: str, now: float) -> tuple[str, dict[str, Any]]:
        """Return (kid, claims) of a token signed with a key of this driver; `BadSignature` otherwise."""
        try:
            return verify(token, self.keys.get)
        except BadSignature:
            before = self.before(now)
            return verify(token, lambda kid: before if kid == ODOO else None)

    def _verified(self, token: str, typ: str, now: float) -> tuple[str, dict[str, Any]]:
        try:
            kid, claims = self.open(token, now)
        except BadSignature as error:
            raise _bad_grant() from error
        meant = claims.get("typ") == typ and claims.get("drv") == self.driver and claims.get("db") == self.database
        if not meant or type(claims.get("exp")) is not int:
            raise _bad_grant()
        return kid, claims


def caller_of(claims: Mapping[str, Any]) -> Caller:
    """Return who may do what Odoo's verified claims name."""
    return Caller(_words(claims, "ops") & TILL_OPERATIONS, _words(claims, "terminals"))


def local_grant(key: bytes, driver: str, database: str, expires: int) -> str:
    """Return a session grant for the command line on the same machine."""
    return sign(
        LOCAL,
        key,
        {
            "typ": "session",
            "drv": driver,
            "db": database,
            "till": "command line",
            "session": "",
            "user": "",
            "ops": sorted(LOCAL_OPERATIONS),
            "terminals": [],
            "exp": expires,
        },
    )


def local_once(key: bytes, driver: str, database: str, expires: int, transaction: Mapping[str, Any]) -> str:
    """Return a one-time grant over `transaction`; an unpaired driver takes it, a paired one asks for Odoo's."""
    original = transaction.get("original")
    claims = {name: transaction[name] for name in ("uuid", "kind", "currency", "terminal")}
    claims |= {"max_amount": transaction["amount"], "original": original["uuid"] if original else None}
    return sign(LOCAL, key, {"typ": "once", "drv": driver, "db": database, "exp": expires, **claims})


def _words(claims: Mapping[str, Any], name: str) -> frozenset[str]:
    words = claims.get(name)
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise _bad_grant()
    return frozenset(words)


def _bad_grant() -> Problem:
    return Problem("bad_grant", "The driver does not accept this session. Reload the point of sale.")


def _mismatch(why: str) -> Problem:
    return Problem("one_time_grant_mismatch", f"Odoo's permission is not for this transaction: {why}.")
