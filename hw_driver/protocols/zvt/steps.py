"""What a dialog says one after the other: the registration, and then what it is for (P15 2.1; zvt.md 3.1, 6.3)."""

from __future__ import annotations

from dataclasses import dataclass

from ..machine import Request
from . import request as requests
from .options import Options


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a dialog. `main` is what the dialog is for, `needed` says that it must not be refused."""

    data: bytes
    main: bool = False
    needed: bool = True


def to_ask(request: Request, options: Options) -> list[Step]:
    """Return the steps of a request; raise `InvalidRequest` where it cannot be said."""
    main = Step(requests.command(request, options), main=True)
    return [Step(requests.registration(options, request.currency)), main]


def to_learn(options: Options, currency: str) -> list[Step]:
    """Return the steps of a question about the last transaction: how the terminal is need not be answered."""
    return [
        Step(requests.registration(options, currency), needed=False),
        Step(requests.status_enquiry(options), needed=False),
        Step(requests.last_result(options), main=True),
    ]
