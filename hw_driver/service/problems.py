"""Refusals of the API: one table from code to status and title, one class that carries them (docs/api.md 1.4)."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..protocols.machine import CardTerminalError
from ..protocols.scrub import scrub_certain
from ..protocols.states import Money

CONTENT_TYPE = "application/problem+json"


class Refusal(NamedTuple):
    """How a problem code is answered."""

    status: int
    title: str


REFUSALS: dict[str, Refusal] = {
    "malformed": Refusal(400, "The request cannot be read"),
    "bad_amount": Refusal(400, "The amount cannot be used"),
    "bad_currency": Refusal(400, "The currency cannot be used"),
    "bad_kind": Refusal(400, "The kind of transaction cannot be used"),
    "bad_uuid": Refusal(400, "The transaction's number is not a uuid"),
    "no_grant": Refusal(401, "No grant was given"),
    "bad_grant": Refusal(401, "The grant is not valid for this driver"),
    "expired_grant": Refusal(401, "The grant has expired"),
    "wrong_origin": Refusal(403, "This page may not use the driver"),
    "not_granted": Refusal(403, "The grant does not cover this"),
    "one_time_grant_missing": Refusal(403, "Odoo has not allowed this transaction"),
    "one_time_grant_mismatch": Refusal(403, "Odoo allowed another transaction than this one"),
    "not_found": Refusal(404, "There is nothing here"),
    "no_such_terminal": Refusal(404, "There is no such terminal"),
    "no_such_transaction": Refusal(404, "There is no such transaction"),
    "wrong_method": Refusal(405, "This address does not take this method"),
    "other_body": Refusal(409, "This transaction is already known with another content"),
    "line_not_ended": Refusal(409, "This order has another card payment that is not settled"),
    "cannot_cancel": Refusal(409, "The terminal cannot be asked to cancel"),
    "over_refund": Refusal(409, "More would be refunded than was paid"),
    "driver_outdated": Refusal(409, "The driver does not fit this Odoo"),
    "driver_retired": Refusal(409, "The driver was replaced"),
    "driver_revoked": Refusal(409, "The driver was revoked"),
    "wrong_database": Refusal(409, "The driver is paired with another database"),
    "expired_command": Refusal(410, "The request came too late"),
    "too_large": Refusal(413, "The request is too large"),
    "wrong_content_type": Refusal(415, "The request is not JSON"),
    "wrong_host": Refusal(421, "The driver does not answer under this name"),
    "not_supported": Refusal(422, "The terminal cannot do this"),
    "terminal_busy": Refusal(423, "The terminal is in use"),
    "too_many": Refusal(429, "Too many requests without a valid grant"),
    "internal_error": Refusal(500, "The driver met an error"),
    "stopping": Refusal(503, "The driver is stopping"),
    "journal_unavailable": Refusal(507, "The journal cannot be written"),
}


class Problem(CardTerminalError):
    """A refusal on its way to the till. `detail` is a sentence for the cashier, `members` join the JSON."""

    money = Money.SAFE

    def __init__(
        self, code: str, detail: str, *, status: int | None = None, money: Money = Money.SAFE, **members: Any
    ) -> None:
        detail = scrub_certain(detail)  # the till keeps these words, and some quote what was asked
        super().__init__(detail)
        refusal = REFUSALS[code]
        self.code = code
        self.detail = detail
        self.status = status or refusal.status
        self.title = refusal.title
        self.money = money
        self.members = members

    def as_json(self) -> dict[str, Any]:
        """Return the members of `application/problem+json`."""
        return {
            "type": f"urn:card-terminal:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "money": self.money,
            **self.members,
        }
