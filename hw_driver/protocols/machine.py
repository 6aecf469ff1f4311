"""The contract between a protocol and whoever runs it: requests in, effects out.

A machine is one dialog with one terminal. It is fed what happened (`connected`, bytes, a timer, a lost link)
and answers with effects, in order. It does no I/O and reads no clock, so any thread, event loop or test can run it.

The write-ahead rule is part of the type: whoever runs a machine releases what follows a `Persist` only once that
record is durable. When it cannot be made durable, `persist_failed()` is called, and what the machine answers takes the
place of all that has not been released: an intent to send is given up with a `Result`; an answer is persisted again,
with its acknowledgement still behind it, so that nothing is acknowledged before it is durable. The runner tries that
second `Persist` until it is durable, without another call. A link that is lost in the meantime is told at once, and
effects that the machine answers to that take the place of what waits; bytes and timers are told once the answer is
durable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from .states import Kind, Money, State

if TYPE_CHECKING:
    from .recovery import Last, Lost


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a terminal. `amount` is in minor units of `currency` (ISO 4217); 0 where no money moves.

    `original` is the earlier transaction: its `uuid`, `kind`, `amount` and, as far as it has them, the members of its
    `Outcome`. `means` is what is paid with, a word of `ProtocolInfo.means`; `receipt` where a slip is sent to, `{email,
    phone}`; `forced` the number of an authorisation given by telephone; `text` what is to be shown.
    """

    uuid: str
    kind: Kind
    amount: int = 0
    currency: str = ""
    reference: str = ""
    original: Mapping[str, Any] | None = None
    means: str = "card"
    receipt: Mapping[str, str] = field(default_factory=dict)
    forced: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a dialog ended. Amounts are minor units; card data holds the last four digits at most.

    `code` is a stable word for programs (``declined``, ``cardholder_abort``, ``link_lost`` …), `text` the terminal's or
    our words for people, `details` every further field worth keeping, already scrubbed. `terminal_ref` is the
    terminal's number of this transaction; `contract`, `terminal_id` and `serial` say which terminal it was. `receipt`
    is the customer's slip as text, `merchant_receipt` the shop's. `totals` are those of a settlement, each `{count,
    amount, currency}` and a `brand` where the terminal tells them apart; None where it told none.
    """

    state: State
    code: str = ""
    text: str = ""
    amount_approved: int | None = None
    brand: str = ""
    last4: str = ""
    auth_code: str = ""
    entry_mode: str = ""
    application: str = ""
    aid: str = ""
    contract: str = ""
    terminal_id: str = ""
    serial: str = ""
    terminal_ref: str = ""
    terminal_time: str = ""
    receipt: str = ""
    merchant_receipt: str = ""
    virtual: bool = False
    totals: tuple[Mapping[str, Any], ...] | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Open:
    """Connect to the terminal; answered by `connected()` or `lost()`."""


@dataclass(frozen=True, slots=True)
class Persist:
    """Make this state durable before going on.

    `SENT` once more, with an outcome: what the terminal has told, while it waits to hear that it is safe.
    """

    state: State
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Send:
    """Write these bytes to the terminal, once."""

    data: bytes


@dataclass(frozen=True, slots=True)
class StartTimer:
    """(Re)start the named timer; answered by `timer(name)` after `seconds`."""

    name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class StopTimer:
    """Stop the named timer if it runs."""

    name: str


@dataclass(frozen=True, slots=True)
class Progress:
    """Tell the till what happens: `code` for programs, `text` for people, `seconds_left` where there is a limit."""

    code: str
    text: str = ""
    seconds_left: int | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """The dialog is over. Always preceded by a `Persist` of the same outcome where money may have moved."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Evidence:
    """The terminal's last transaction, which is not proven to be this one; `matches` names what agrees."""

    outcome: Outcome
    matches: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Heard:
    """The terminal has spoken about an earlier transaction, named by `last.reference`."""

    last: Last


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Let the line under the dialog acknowledge what it received last: it is durable, or needs not be."""


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection."""


Effect = Open | Persist | Send | StartTimer | StopTimer | Progress | Evidence | Heard | Acknowledge | Result | Close


class Machine(Protocol):
    """One dialog. Every call answers with the effects to carry out, in order."""

    def start(self, request: Request) -> list[Effect]: ...
    def connected(self) -> list[Effect]: ...
    def receive(self, data: bytes) -> list[Effect]: ...
    def timer(self, name: str) -> list[Effect]: ...
    def lost(self, reason: str) -> list[Effect]: ...
    def cancel(self) -> list[Effect]: ...
    def persist_failed(self) -> list[Effect]: ...

    def resume(self, record: Mapping[str, Any], lost: Lost | None = None) -> list[Effect]:
        """Take over a journalled transaction; `record` has its `kind` and `state`.

        With `lost`, ask the terminal what became of it: a question, never a money request. It ends with what the
        terminal's word proves (`recovery.believe`), or `unknown`, with `Evidence` before where there is any.
        """


class CardTerminalError(Exception):
    """Root of every error of the driver. `money` says what is known of the customer's money when it is raised."""

    money: Money


class SafeError(CardTerminalError):
    """Nothing was charged."""

    money = Money.SAFE


class MalformedMessage(CardTerminalError):
    """Bytes or fields that are not of the protocol. What it means for the money depends on who read them: doubt."""

    money = Money.UNKNOWN


class InvalidRequest(SafeError):
    """The request cannot be said in this protocol (amount, currency, kind, options); nothing has left.

    `code` is the word of docs/api.md section 1.4: ``bad_amount`` …, or ``bad_option``.
    """

    def __init__(self, text: str, code: str = "malformed") -> None:
        super().__init__(text)
        self.code = code
