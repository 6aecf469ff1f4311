"""What can go wrong at a terminal, on demand: one table for the command line, the JSON interface and the web face."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Unit(StrEnum):
    """What a fault's value counts."""

    NONE = ""
    MINOR = "cents"
    SECONDS = "seconds"
    BYTES = "bytes"
    VERSION = "version"
    CODE = "code"


class Mode(StrEnum):
    """How often a fault happens."""

    ONCE = "once"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that can go wrong: `title` and `text` are the face's words, `only` the trait it needs."""

    name: str
    group: str
    title: str
    text: str
    unit: Unit = Unit.NONE
    default: int | None = None
    choices: tuple[int, ...] = ()
    only: str = ""


_CARDHOLDER, _MONEY, _ANSWER, _LINE, _DIALECT = (
    "Cardholder and bank", "Charged, or not?", "Damaged answer", "Connection", "Dialect"
)  # fmt: skip

FAULTS: dict[str, Fault] = {
    fault.name: fault
    for fault in (
        Fault("decline", _CARDHOLDER, "Declined", "The bank refuses whatever card comes (AF 04)."),
        Fault("abort", _CARDHOLDER, "Red key", "The cardholder gives up as soon as the amount is shown (AF 11)."),
        Fault("timeout", _CARDHOLDER, "No card", "Nobody presents a card; the terminal gives up by itself (AF 08).",
              Unit.SECONDS, 5),
        Fault("busy", _CARDHOLDER, "Busy", "The terminal is in its menu and refuses at once (AE 01 without a reason)."),
        Fault("partial", _CARDHOLDER, "Other amount", "Approves this amount instead of the one asked; 0 is half of it.",
              Unit.MINOR, 0),
        Fault("late", _CARDHOLDER, "Late approval", "The bank takes its time; the card is charged at the end of it.",
              Unit.SECONDS, 20),
        Fault("silent", _MONEY, "Silent", "Takes the request and never says a word; nothing is charged."),
        Fault("lost", _MONEY, "Answer lost", "Charges the card, then closes the connection without an answer."),
        Fault("restart_before", _MONEY, "Restart before charging", "Power fails with the card in; nothing is charged.",
              Unit.SECONDS, 3),
        Fault("restart_after", _MONEY, "Restart after charging", "Charges the card; power fails before the answer.",
              Unit.SECONDS, 3),
        Fault("cut", _MONEY, "Answer cut", "Charges the card, sends this many bytes of the answer and closes.",
              Unit.BYTES, 40),
        Fault("corrupt", _ANSWER, "Corrupted", "A bit of the result's tag is flipped, so that it is CONCERT no more."),
        Fault("malformed", _ANSWER, "Malformed length", "The result's length has a letter where a digit belongs.",
              only="stream"),
        Fault("duplicate", _ANSWER, "Twice", "The same answer comes twice on the same connection.", only="stream"),
        Fault("split", _LINE, "Byte by byte", "Every byte of the answer travels alone."),
        Fault("keep_open", _LINE, "Stays open", "Never closes the connection; the till has to.", only="stream"),
        Fault("close_at_once", _LINE, "Closes at once", "Closes with the last byte of the answer.", only="stream"),
        Fault("no_ack", _LINE, "ACK lost", "The next acknowledgement of the terminal does not arrive.", only="line"),
        Fault("wrong_lrc", _LINE, "Wrong check byte", "The answer's check byte is wrong, once.", only="line"),
        Fault("status", _ANSWER, "Other status", "Charges the card and answers with a status that is no result.",
              Unit.VERSION, 9, (1, 5, 9), only="v2"),
        Fault("no_answer", _MONEY, "Request not answered", "Takes the payment, but never says that it has the request.",
              only="zvt"),
        Fault("completion_lost", _MONEY, "End lost", "Charges the card and closes before the completion (06 0F).",
              only="zvt"),
        Fault("paper_out", _MONEY, "Out of paper", "Takes an approved payment back: it cannot print (06 1E CC).",
              only="zvt"),
        Fault("locked", _CARDHOLDER, "Locked", "Wants something before any payment (06 1E): an end of day (240), a "
              "diagnosis (194), to be initialised (81); its memory is full (177), it is locked (192) or being "
              "maintained (224).", Unit.CODE, 0xF0, (0xF0, 0xC2, 0x51, 0xB1, 0xC0, 0xE0), only="zvt"),
        Fault("result_lost", _MONEY, "Result lost", "Charges the card and completes (06 0F) without a result (04 0F).",
              only="zvt"),
        Fault("pin_silence", _CARDHOLDER, "Silent at the PIN", "Says nothing while the PIN is typed, and cannot be "
              "stopped.", Unit.SECONDS, 60, only="zvt"),
        Fault("never_ends", _DIALECT, "Never ends", "Says for ever that it is at work (04 FF), and cannot be stopped.",
              only="zvt"),
        Fault("print_container", _DIALECT, "Container in print", "Lines to print end with a container (06 D1).",
              only="zvt"),
        Fault("signature", _CARDHOLDER, "Signature", "The cardholder signs the merchant's slip (1F10 01).", only="zvt"),
        Fault("tip", _CARDHOLDER, "Tip", "The cardholder adds a tip: the sum comes back (04), and the tip (1F36).",
              Unit.MINOR, 200, only="zvt"),
        Fault("twice", _ANSWER, "Result twice", "Says its result twice (04 0F).", only="zvt"),
        Fault("glued", _LINE, "Glued", "The answer to the request and the message behind it come in one piece.",
              only="zvt"),
        Fault("data_in_ack", _DIALECT, "Data in an answer", "The answer to the request carries data.", only="zvt"),
        Fault("no_minutes", _DIALECT, "No minutes", "What goes on is said without its time limit (04 FF).", only="zvt"),
        Fault("unknown_field", _DIALECT, "Unknown field", "The result ends with a field that no till knows.",
              only="zvt"),
        Fault("zero_padded", _DIALECT, "Zero-padded amount", "The approved amount comes with twelve digits (CB).",
              only="v3"),
        Fault("no_amount", _DIALECT, "No amount on refusal", "Refusals carry no amount (CB).", only="v3"),
        Fault("version", _DIALECT, "Other version", "Answers in another version than it was asked in (CZ).",
              Unit.VERSION, 320, (301, 320), only="v3"),
        Fault("extra_tags", _DIALECT, "Unknown tags", "The answer carries tags that no till knows.", only="v3"),
        Fault("long_reason", _DIALECT, "Long reason", "Refusals carry the 29-byte reason of EMV terminals (AF).",
              only="v3"),
    )
}  # fmt: skip


def faults_of(traits: Collection[str]) -> dict[str, Fault]:
    """Return what can go wrong at a terminal with these traits."""
    return {name: fault for name, fault in FAULTS.items() if not fault.only or fault.only in traits}


class BadFault(ValueError):
    """No such fault, mode or value; the text says what there is."""


@dataclass(frozen=True, slots=True)
class Armed:
    """A fault waiting to happen."""

    mode: Mode
    value: int | None


class Faults:
    """Which faults are armed. `take` is asked at the very place where a fault happens, and uses up those of `once`."""

    def __init__(self) -> None:
        self.armed: dict[str, Armed] = {}

    def arm(self, name: str, mode: Mode = Mode.ONCE, value: int | None = None) -> None:
        """Arm a fault; without a value it has its default."""
        fault = _fault(name)
        if fault.unit is Unit.NONE and value is not None:
            raise BadFault(f"{name} takes no value")
        if value is not None and (value < 0 or (fault.choices and value not in fault.choices)):
            wanted = " or ".join(map(str, fault.choices)) or f"a number of {fault.unit}, 0 or more"
            raise BadFault(f"{name} takes {wanted}")
        self.armed[name] = Armed(mode, fault.default if value is None else value)

    def clear(self, name: str) -> None:
        """Disarm a fault."""
        self.armed.pop(_fault(name).name, None)

    def take(self, name: str) -> Armed | None:
        """Return the fault if it is armed; the caller makes it happen now."""
        armed = self.armed.get(name)
        if armed is not None and armed.mode is Mode.ONCE:
            del self.armed[name]
        return armed

    def update(self, wanted: Mapping[str, Any]) -> None:
        """Arm and clear, all or none: ``{"decline": "once", "cut": {"mode": "always", "value": 40}, "busy": null}``."""
        before = dict(self.armed)
        try:
            for name, setting in wanted.items():
                self._set(name, setting)
        except BadFault:
            self.armed = before
            raise

    def _set(self, name: str, setting: Any) -> None:
        if setting is None:
            return self.clear(name)
        fields = setting if isinstance(setting, dict) else {"mode": setting}
        mode, value = fields.get("mode", Mode.ONCE), fields.get("value")
        if mode not in list(Mode):
            raise BadFault(f'{name} is null, "once", "always" or {{"mode": …, "value": …}}')
        if value is not None and type(value) is not int:
            raise BadFault(f"the value of {name} is a whole number")
        self.arm(name, Mode(mode), value)
        return None


def parse(text: str) -> tuple[str, Mode, int | None]:
    """Read a fault of the command line: ``decline``, ``decline=always``, ``cut=40``, ``cut=40,always``."""
    name, _, setting = text.partition("=")
    mode, value = Mode.ONCE, None
    for word in filter(None, setting.split(",")):
        if word in list(Mode):
            mode = Mode(word)
        elif word.isascii() and word.isdigit():
            value = int(word)
        else:
            raise BadFault(f"{text}: after = comes a number, once or always")
    _fault(name)
    return name, mode, value


def _fault(name: str) -> Fault:
    if name not in FAULTS:
        raise BadFault(f"no fault {name!r}; there are {', '.join(FAULTS)}")
    return FAULTS[name]
