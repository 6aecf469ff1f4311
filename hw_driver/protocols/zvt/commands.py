"""The messages, as a table: control field, name, what stands before the fields. A new message is one entry.

Source: P15 chapters 2 and 3, P16 chapter 5 (zvt.md 3).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from .fields import FIELDS, TLV, length_at
from .values import BCD, HEX, TEXT, Codec


class Body(Enum):
    """What follows the parts."""

    FIELDS = auto()
    TEXT = auto()  # … and perhaps a container at the end
    RAW = auto()
    NOTHING = auto()


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes that stand at the beginning without a number of their own. `size` 0: all that is left.

    `there(data, at)` says whether an optional part is there: at position `at` of the message's data.
    """

    name: str
    size: int
    codec: Codec = BCD
    there: Callable[[bytes, int], bool] | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """One message."""

    control: int
    name: str
    parts: tuple[Part, ...] = ()
    body: Body = Body.FIELDS


def _more(data: bytes, at: int) -> bool:
    return len(data) > at


def _is_currency(data: bytes, at: int) -> bool:
    return data[at : at + 2].hex().isdigit() and len(data) >= at + 2


def _is_refused_currency(data: bytes, at: int) -> bool:
    return data[:1] == _WRONG_CURRENCY and _is_currency(data, at)


def _is_password(data: bytes, at: int) -> bool:
    return data[at : at + 3].hex().isdigit() and len(data) >= at + 3


def _is_minutes(data: bytes, at: int) -> bool:
    """Behind the code of 04 FF: minutes, or at once the container (the specification's own sample leaves them out)."""
    return _more(data, at) and not is_container(data, at)


def _is_feed(data: bytes, at: int) -> bool:
    return _more(data, at) and data[0] == _FEED


def is_container(data: bytes, at: int) -> bool:
    """Whether one container (06) stands at `at` and goes on to the very end."""
    try:
        start, size = length_at(data, at + 1)
    except (IndexError, ValueError):
        return False
    return data[at] == TLV and start + size == len(data)


_WRONG_CURRENCY = b"\x6f"
_FEED = 0xFF
_PASSWORD = Part("password", 3)
_OPTIONAL_PASSWORD = Part("password", 3, BCD, _is_password)
_RESULT = Part("result", 1, HEX, _more)
_REFUSED_CURRENCY = Part("currency_code", 2, BCD, _is_refused_currency)

REGISTER, LOG_OFF, AUTHORISE, TIP, TOTALS = 0x0600, 0x0602, 0x0601, 0x060C, 0x0610
REPEAT, TELEPHONIC, PREAUTHORISE, PARTIAL_REVERSAL = 0x0620, 0x0621, 0x0622, 0x0623
BOOK_TOTAL, PREAUTH_REVERSAL, REVERSE, REFUND = 0x0624, 0x0625, 0x0630, 0x0631
END_OF_DAY, DIAGNOSE, INITIALISE, ABORT_COMMAND = 0x0650, 0x0670, 0x0693, 0x06B0
READ_CARD, DISPLAY, STATUS_ENQUIRY = 0x06C0, 0x06E0, 0x0501
STATUS_INFORMATION, INTERMEDIATE, COMPLETION, ABORT = 0x040F, 0x04FF, 0x060F, 0x061E
PRINT_LINE, PRINT_BLOCK, SET_TIME = 0x06D1, 0x06D3, 0x0401

COMMANDS: dict[int, Command] = {
    command.control: command
    for command in (
        Command(0x0401, "set_time"),
        Command(0x040C, "request_file", body=Body.RAW),
        Command(0x040D, "input_request", body=Body.RAW),
        Command(0x040E, "menu_request", body=Body.RAW),
        Command(0x040F, "status_information"),
        Command(0x04FF, "intermediate_status", (Part("code", 1, HEX, _more), Part("minutes", 1, HEX, _is_minutes))),
        Command(0x0501, "status_enquiry", (_OPTIONAL_PASSWORD,)),
        Command(
            0x0600, "registration", (_PASSWORD, Part("config", 1, HEX), Part("currency_code", 2, BCD, _is_currency))
        ),
        Command(0x0601, "authorisation"),
        Command(0x0602, "log_off", body=Body.NOTHING),
        Command(0x0603, "account_balance"),
        Command(0x060C, "tip"),
        Command(0x060F, "completion"),
        Command(0x0610, "turnover_totals", (_PASSWORD,)),
        Command(0x0612, "reprint_range", (_PASSWORD, Part("first", 2), Part("last", 2, BCD, _more)), Body.NOTHING),
        Command(0x0618, "reset", (_PASSWORD,)),
        Command(0x061A, "print_configuration", (_PASSWORD,)),
        Command(0x061B, "set_terminal_id", (_PASSWORD,)),
        Command(0x061E, "abort", (_RESULT, _REFUSED_CURRENCY)),
        Command(0x0620, "repeat_receipt", (_PASSWORD,)),
        Command(0x0621, "telephonic_authorisation", (_PASSWORD,)),
        Command(0x0622, "preauthorisation"),
        Command(0x0623, "partial_reversal"),
        Command(0x0624, "book_total"),
        Command(0x0625, "preauthorisation_reversal"),
        Command(0x0626, "reservation_reversal"),
        Command(0x0630, "reversal", (_PASSWORD,)),
        Command(0x0631, "refund", (_PASSWORD,)),
        Command(0x0650, "end_of_day", (_PASSWORD,)),
        Command(0x0651, "send_offline_transactions", (_PASSWORD,)),
        Command(0x0670, "diagnosis"),
        Command(0x0679, "self_test", (_OPTIONAL_PASSWORD,)),
        Command(0x0691, "set_date_and_time", (_OPTIONAL_PASSWORD,)),
        Command(0x0693, "initialisation", (_PASSWORD,)),
        Command(0x0695, "change_password", body=Body.RAW),
        Command(0x06B0, "abort_request"),
        Command(0x06C0, "read_card", (Part("timeout_seconds", 1, HEX),)),
        Command(0x06C5, "close_card_session"),
        Command(0x06C6, "send_apdus"),
        Command(0x06D0, "graphic_request", body=Body.RAW),
        Command(
            0x06D1,
            "print_line",
            (Part("attribute", 1, HEX, _more), Part("feed", 1, HEX, _is_feed)),
            Body.TEXT,
        ),
        Command(0x06D3, "print_block"),
        Command(0x06D8, "dial", body=Body.RAW),
        Command(0x06D9, "dial_up", body=Body.RAW),
        Command(0x06DA, "hang_up", body=Body.RAW),
        Command(0x06DB, "transmit", body=Body.RAW),
        Command(0x06DC, "receive", body=Body.RAW),
        Command(0x06DD, "transparent", body=Body.RAW),
        Command(0x06E0, "display_text"),
        Command(0x06E1, "display_text_with_keys"),
        Command(0x06E2, "display_text_with_input"),
        Command(0x06E3, "pin_verification"),
        Command(0x06E4, "blocked_list", body=Body.RAW),
        Command(0x06E5, "mac", body=Body.RAW),
        Command(0x06E6, "change_configuration"),
        Command(0x0810, "software_update"),
        Command(0x0811, "read_file", body=Body.RAW),
        Command(0x0813, "start_application", body=Body.RAW),
        Command(0x0814, "write_file", body=Body.RAW),
        Command(0x0830, "select_language", body=Body.RAW),
        Command(0x0840, "change_baud_rate", (Part("speed", 1, HEX),), Body.NOTHING),
        Command(0x0850, "service_mode", body=Body.NOTHING),
        Command(0x8000, "positive_answer"),
    )
}
#: 84 xx is an answer with xx in its control field: positive for 00, a refusal for every other.
REFUSAL = Command(0x8400, "negative_answer")
#: 84 1E says the code in its data (CCV, and for a wrong currency: PO#49, zvt.md 6.4).
REFUSAL_WITH_CODE = Command(0x841E, "negative_answer", (_RESULT, _REFUSED_CURRENCY))
#: The completion of a status enquiry has no field numbers: perhaps the software's version (LLLVAR), then the status.
STATUS_REPORT = Command(0x060F, "status_report", (Part("software", 0, TEXT, _more), Part("status", 1, HEX)))

#: Requests that move money: sent once, and never again (as the first two bytes of a unit).
MONEY_COMMANDS = frozenset(
    control.to_bytes(2, "big")
    for control in (
        AUTHORISE, TIP, TELEPHONIC, PREAUTHORISE, PARTIAL_REVERSAL, BOOK_TOTAL, PREAUTH_REVERSAL, 0x0626, REVERSE,
        REFUND,
    )
)  # fmt: skip

CONTROLS: dict[str, int] = {command.name: control for control, command in COMMANDS.items()}
#: Fields that a completion (06 0F) may begin with; a status report begins with none of them.
COMPLETION_FIELDS = frozenset({0x04, 0x06, 0x0B, 0x0C, 0x19, 0x27, 0x29, 0x49, 0x87, 0xAA}) & FIELDS.keys()


def command_of(control: int) -> Command | None:
    """Return the table's entry for a control field."""
    if control >> 8 == 0x84:
        return REFUSAL_WITH_CODE if control == REFUSAL_WITH_CODE.control else REFUSAL
    return COMMANDS.get(control)
