"""Messages taken apart and put together; and as JSON: what `card-terminal decode` prints and `encode` takes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ..machine import MalformedMessage
from ..scrub import scrub_certain
from . import apdu, tlv
from .commands import (
    COMPLETION,
    COMPLETION_FIELDS,
    CONTROLS,
    REFUSAL,
    STATUS_REPORT,
    Body,
    Command,
    command_of,
    is_container,
)
from .fields import BER, FIELDS, LLL, NUMBERS, TLV, Values, counted, length_at, length_bytes, one, written_size
from .fields import split as split_fields
from .values import BCD, HEX, MASK, PAN, SECRET, TEXT, Codec, shown, written

_NOT_DIGITS = bytes(sorted(set(range(256)) - set(b"0123456789")))
_CARD_DIGITS = 12
_SHOWN_DIGITS = 10  # of a card number, at most, when it is hidden: the first six and the last four (PCI DSS)
_LONG_LENGTH = 0x80
#: An application's identifier, as it is printed: its digits are no card number.
_aid = re.compile(rb"A00000[0-9]{4}[0-9A-F]{0,22}")
_MASKED = "a card number was masked: this is not what came"


class Taken(NamedTuple):
    """The data of a message: its parts and fields as bytes, what could not be read, and why ('' where all was).

    `size` is how many bytes the fields take.
    """

    parts: dict[str, bytes]
    values: Values
    rest: bytes = b""
    problem: str = ""
    size: int = 0

    def value(self, number: int) -> bytes:
        """Return a field's value; the last one where it comes twice, nothing where it is not there."""
        return next((value for known, value in reversed(self.values) if known == number), b"")

    @property
    def objects(self) -> tlv.Objects:
        """What the container holds."""
        return [found for number, value in self.values if number == TLV for found in tlv.lenient(value)]


def take(control: int, data: bytes) -> Taken:
    """Take the data of a message apart; what cannot be read is left in `rest`, and never raised."""
    if control == COMPLETION and data and data[0] not in COMPLETION_FIELDS:
        return _report(data)
    command = command_of(control)
    if command is None:
        return Taken({}, [], data, "not a known message")
    parts, at = _parts(command, data)
    if at < 0:
        return Taken(parts, [], data, f"{command.name} is cut")
    if command.body is Body.FIELDS:
        return _fields(parts, data, at)
    if command.body is Body.TEXT:
        return _line(parts, data[at:])
    if command.body is Body.RAW:
        return Taken({**parts, "data": data[at:]} if data[at:] else parts, [])
    return Taken(parts, [], data[at:], f"{command.name} has nothing more" if data[at:] else "")


def _parts(command: Command, data: bytes) -> tuple[dict[str, bytes], int]:
    """Return the parts at the beginning and where they end, -1 where one is cut."""
    parts: dict[str, bytes] = {}
    at = 0
    for part in command.parts:
        if part.there is not None and not part.there(data, at):
            continue
        stop = at + part.size
        if stop > len(data):
            return parts, -1
        parts[part.name] = data[at:stop]
        at = stop
    return parts, at


def _report(data: bytes) -> Taken:
    """The completion of a status enquiry: perhaps the software's version (LLLVAR), then the status."""
    parts: dict[str, bytes] = {}
    at = 0
    try:
        start, size = counted(data, 0, -LLL)
        if start + size < len(data):
            parts["software"], at = data[start : start + size], start + size
    except ValueError:
        pass  # no version
    parts["status"] = data[at : at + 1]
    return _fields(parts, data, at + 1)


def _fields(parts: dict[str, bytes], data: bytes, at: int) -> Taken:
    values, end, problem = split_fields(data, at)
    return Taken(parts, values, data[end:], problem, end - at)


def _line(parts: dict[str, bytes], text: bytes) -> Taken:
    """A line to print: text, behind which card complete puts a container (zvt.md 3.4)."""
    for at in range(len(text) - 1, max(len(text) - 132, -1), -1):
        if text[at] == TLV and is_container(text, at) and tlv.lenient(text[length_at(text, at + 1)[0] :]):
            return _fields({**parts, "text": text[:at]} if at else parts, text, at)
    return Taken({**parts, "text": text} if text else parts, [])


# -- as JSON


def decode(data: bytes) -> dict[str, Any]:
    """Return `{message, fields, warnings}`; a container is a list of `{tag, name, value}`.

    `rest` holds what stands behind an unknown field, `extended_length` is there where a short message has the long
    length. Raises `MalformedMessage`. Card numbers are masked and track data is hidden, and a warning says so.
    """
    control, content, extended = apdu.parse(data)
    warnings: list[str] = []
    command, taken = command_of(control), take(control, content)
    fields: dict[str, Any] = {}
    if command is None:
        raise MalformedMessage(f"{control:04x} is not a known message")
    name = command.name
    if control >> 8 == REFUSAL.control >> 8:
        fields["error"] = f"{control & 0xFF:02x}"
    elif "status" in taken.parts and control == COMPLETION:
        command, name = STATUS_REPORT, STATUS_REPORT.name
    codecs = {part.name: part.codec for part in command.parts}
    for part, value in taken.parts.items():
        fields[part] = _shown(codecs.get(part, TEXT if part == "text" else HEX), part, value, warnings)
    for number, value in taken.values:
        known, codec, show = _FIELDS[number]
        key = known if known not in fields else f"{known}#{len(fields)}"
        fields[key] = _container(taken, warnings) if number == TLV else show(codec, known, value, warnings)
    if taken.problem:
        if not taken.problem.endswith("is not a known field"):
            raise MalformedMessage(taken.problem)
        fields["rest"] = _shown(HEX, "rest", taken.rest, warnings)
        warnings.append(f"{taken.problem}: what stands behind it cannot be read")
    message: dict[str, Any] = {"message": name, "fields": fields, "warnings": warnings}
    if extended:
        message["extended_length"] = True
    return message


def _container(taken: Taken, warnings: list[str]) -> Any:
    """The container; with how its length is written where that is longer than it must be."""
    value = taken.value(TLV)
    objects = _inside("tlv", value, warnings)
    longer = taken.size - written_size(taken.values)
    return {"length_bytes": len(length_bytes(len(value))) - 1 + longer, "objects": objects} if longer else objects


def _objects(data: bytes, warnings: list[str]) -> list[dict[str, Any]]:
    objects: list[dict[str, Any]] = []
    for tag, value, more in tlv.written(data):
        label, name, codec, show = _TAGS.get(tag) or (f"{tag:02X}", "", HEX, _show_bytes)
        if tlv.is_constructed(tag):
            content = _inside(label, value, warnings)
        else:
            content = show(codec, name or label, value, warnings)
        objects.append({"tag": label, "name": name, "value": content} if name else {"tag": label, "value": content})
        if more and length_bytes(len(value))[0] != _LONG_LENGTH + more:
            objects[-1]["length_bytes"] = more
    return objects


def _inside(label: str, value: bytes, warnings: list[str]) -> Any:
    try:
        return _objects(value, warnings)
    except ValueError:
        warnings.append(f"{label} holds no objects that can be read")
        return {"hex": _show_bytes(HEX, label, value, warnings)}


def _shown(codec: Codec, name: str, value: bytes, warnings: list[str]) -> Any:
    """Return a value for people to read, without card numbers."""
    return _SHOW.get(codec.name, _show_plain)(codec, name, value, warnings)


def _show_digits(codec: Codec, name: str, value: bytes, warnings: list[str]) -> Any:
    digits = value.hex()
    return digits if digits.isdigit() else _show_plain(codec, name, value, warnings)


def _show_text(codec: Codec, name: str, value: bytes, warnings: list[str]) -> str:
    text = value.decode("ascii" if value.isascii() else "cp437")
    if text.rstrip("\0").isprintable():
        if len(value.translate(None, _NOT_DIGITS)) < _CARD_DIGITS:
            return text
        if len(_aid.sub(b"", value).translate(None, _NOT_DIGITS)) < _CARD_DIGITS:
            return text
    return _told(text, scrub_certain(text), name, warnings)


def _show_secret(codec: Codec, name: str, value: bytes, warnings: list[str]) -> Any:
    warnings.append(f"{name} is not shown")
    return codec.decode(value)


def _show_bytes(codec: Codec, name: str, value: bytes, warnings: list[str]) -> str:
    if len(value) < _CARD_DIGITS // 2:
        return value.hex()
    text = value.decode("latin-1")
    return _told(value.hex(), value.hex() if scrub_certain(text) == text else "00" * len(value), name, warnings)


def _show_plain(codec: Codec, name: str, value: bytes, warnings: list[str]) -> Any:
    result = shown(codec, value)
    if isinstance(result, dict) and "hex" in result:
        warnings.append(f"{name} is not what it should be: {codec.name}")
        return {"hex": _show_bytes(HEX, name, value, warnings)}
    return result


def _told(value: str, masked: str, name: str, warnings: list[str]) -> str:
    if masked != value:
        warnings.append(f"{_MASKED} ({name})")
    return masked


def _show_card_number(codec: Codec, name: str, value: bytes, warnings: list[str]) -> str:
    try:
        number = str(codec.decode(value))
    except ValueError:
        warnings.append(f"{name} is not shown")
        return MASK * (2 * len(value))
    if len(number) - number.count(MASK) <= _SHOWN_DIGITS:
        return number
    warnings.append(f"{_MASKED} ({name})")
    return MASK * len(number[:-4]) + number[-4:]


_SHOW: dict[str, Callable[[Codec, str, bytes, list[str]], Any]] = {
    BCD.name: _show_digits,
    TEXT.name: _show_text,
    HEX.name: _show_bytes,
    PAN.name: _show_card_number,
    SECRET.name: _show_secret,
}
#: What `decode` needs of each tag and each field, by number.
_TAGS = {
    tag.tag: (f"{tag.tag:02X}", tag.name, tag.codec, _SHOW.get(tag.codec.name, _show_plain))
    for tag in tlv.TAGS.values()
}
_FIELDS = {
    field.number: (field.name, field.codec, _SHOW.get(field.codec.name, _show_plain)) for field in FIELDS.values()
}


def encode(message: Mapping[str, Any]) -> bytes:
    """Return the bytes of what `decode` gives. Raises `MalformedMessage`."""
    name = message.get("message") if isinstance(message, Mapping) else None
    fields = message.get("fields") if isinstance(message, Mapping) else None
    if not isinstance(name, str) or not isinstance(fields, Mapping):
        raise MalformedMessage("a message is an object with `message` and `fields`")
    left = dict(fields)
    try:
        control, command = _control(name, left)
        data = _encoded_parts(command, left) + _encoded_fields(command, left)
    except ValueError as error:
        raise MalformedMessage(str(error)) from error
    return apdu.build(control, data, extended=message.get("extended_length") is True)


def _control(name: str, left: dict[str, Any]) -> tuple[int, Command]:
    if name == STATUS_REPORT.name:
        return STATUS_REPORT.control, STATUS_REPORT
    if name == REFUSAL.name:
        error = written(HEX, "error", left.pop("error", None))
        if len(error) != 1:
            raise ValueError("error has 1 byte")
        control = REFUSAL.control | error[0]
    elif name in CONTROLS:
        control = CONTROLS[name]
    else:
        raise ValueError(f"there is no message {name}")
    command = command_of(control)
    assert command is not None
    return control, command


def _encoded_parts(command: Command, left: dict[str, Any]) -> bytes:
    data = b""
    for part in command.parts:
        if part.name not in left:
            if part.there is None:
                raise ValueError(f"{part.name} is missing")
            continue
        value = written(part.codec, part.name, left.pop(part.name))
        if part.size and len(value) != part.size:
            raise ValueError(f"{part.name} has {part.size} bytes")
        data += b"".join((_llvar(value), value)) if part.name == "software" else value
    return data


def _llvar(value: bytes) -> bytes:
    return bytes(0xF0 | int(digit) for digit in f"{len(value):03d}")


def _encoded_fields(command: Command, left: dict[str, Any]) -> bytes:
    data = b""
    if command.body is Body.RAW and "data" in left:
        data += written(HEX, "data", left.pop("data"))
    if command.body is Body.TEXT and "text" in left:
        data += written(TEXT, "text", left.pop("text"))
    rest = written(HEX, "rest", left.pop("rest")) if "rest" in left else b""
    for key, value in left.items():
        number = NUMBERS.get(key.partition("#")[0]) if isinstance(key, str) else None
        if number is None or command.body not in (Body.FIELDS, Body.TEXT):
            raise ValueError(f"{command.name} has no {key}")
        known = FIELDS[number]
        if known.size == BER:
            long = isinstance(value, Mapping) and "objects" in value
            content = _written_container(value["objects"] if long else value)
            data += one(number, content, _more(value) if long else 0)
        else:
            data += one(number, written(known.codec, known.name, value))
    return data + rest


def _written_container(value: Any) -> bytes:
    if isinstance(value, Mapping):
        return written(HEX, "tlv", value)
    if not isinstance(value, list):
        raise ValueError("a container is a list of objects")
    return b"".join(map(_written_object, value))


def _written_object(one_object: Any) -> bytes:
    if not isinstance(one_object, Mapping) or not isinstance(one_object.get("tag"), str):
        raise ValueError("an object in a container has a tag and a value")
    code = bytes.fromhex(one_object["tag"])
    tag, value = int.from_bytes(code, "big"), one_object.get("value")
    if not code or tlv.tag_at(code + b"\0", 0) != (tag, len(code)):
        raise ValueError(f"{one_object['tag']} is not a tag")
    if isinstance(value, list):
        content = _written_container(value)
    else:
        known = tlv.TAGS.get(tag)
        content = written(known.codec if known else HEX, one_object["tag"], value)
    return code + length_bytes(len(content), _more(one_object)) + content


def _more(container: Mapping[str, Any]) -> int:
    more = container.get("length_bytes", 0)
    if more not in (0, 1, 2):
        raise ValueError("length_bytes is 1 or 2")
    return int(more)
