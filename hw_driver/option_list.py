"""What can be set for the terminals of a protocol: for people, for programs, and as docs/terminals.md has it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from .protocols.info import ProtocolInfo
from .protocols.machine import SafeError
from .protocols.options import Option, Preset
from .protocols.registry import PROTOCOLS
from .protocols.serial_line import OPTIONS as SERIAL_LINE
from .protocols.tcp_line import OPTIONS as TCP_LINE

#: What can be set for a connection of each kind.
LINES: Mapping[str, Mapping[str, Option]] = {"serial": SERIAL_LINE, "tcp": TCP_LINE}
TITLES = {"serial": "### The line of a terminal on a cable", "tcp": "### The connection of a terminal on the network"}


class UnknownProtocol(SafeError):
    """No such protocol."""


def show(name: str, *, as_json: bool) -> int:
    """Print the options of a protocol, its families of terminals, and of its line; return the exit status."""
    info = PROTOCOLS.get(name)
    if info is None:
        raise UnknownProtocol(f"protocol {name!r} is not known; known are {', '.join(PROTOCOLS)}")
    if as_json:
        print(json.dumps(as_object(info), ensure_ascii=False))
    else:
        print("\n".join(as_lines(info)))
    return 0


def as_object(info: ProtocolInfo) -> dict[str, Any]:
    """Return what programs read; the members are those of `Option` and `Preset`."""
    return {
        "protocol": info.name,
        "transports": info.transports,
        "options": [_described(option) for option in info.options.values()],
        "line": [_described(option) for option in line_of(info).values()],
        "presets": [asdict(preset) for preset in info.presets],
    }


def as_lines(info: ProtocolInfo) -> Iterable[str]:
    """Return what people read; values are written as in driver.toml."""
    yield f"{info.name}, over {' or '.join(info.transports)}"
    for title, options in (("in [terminal.options]", info.options), ("in [[terminal]], for its line", line_of(info))):
        if options:
            yield f"\n{title}:"
        for option in options.values():
            yield f"  {option.name} = {_toml(option.default)}"
            yield f"      {option.text}"
            yield f"      {_values(option)}"
    if info.presets:
        yield "\nwhat families of terminals need:"
    for preset in info.presets:
        yield f"  {preset.name}: {preset.text}"
        yield f"      {_settings(preset)}"


def as_markdown(infos: Iterable[ProtocolInfo]) -> str:
    """Return the tables of docs/terminals.md."""
    parts: list[str] = []
    shown: list[ProtocolInfo] = []
    for info in infos:
        alike = [(other.name, _same(other, info)) for other in shown]
        own = [option for option in info.options.values() if not any(option in options for _, options in alike)]
        parts += [f"### {info.name}", _families(info), _table(own), *(_as_for(*other) for other in alike)]
        shown.append(info)
    kinds = {kind for info in shown for kind in info.transports}
    for kind, title in TITLES.items():
        parts += [title, _table(LINES[kind].values())] if kind in kinds else []
    return "\n\n".join(part for part in parts if part) + "\n"


def line_of(info: ProtocolInfo) -> Mapping[str, Option]:
    """Return what can be set for a protocol's line, where it runs over one."""
    return {name: option for kind in info.transports for name, option in LINES[kind].items()}


def _described(option: Option) -> dict[str, Any]:
    choices = [{"value": value, "text": text} for value, text in option.choices.items()]
    return {**asdict(option), "choices": choices, "allowed": option.allowed}


def _same(one: ProtocolInfo, other: ProtocolInfo) -> list[Option]:
    return [option for option in one.options.values() if other.options.get(option.name) == option]


def _as_for(name: str, options: list[Option]) -> str:
    return f"As for {name}: {', '.join(f'`{option.name}`' for option in options)}." if options else ""


def _families(info: ProtocolInfo) -> str:
    rows = [(f"`{preset.name}`", preset.text, f"`{_settings(preset)}`", preset.source) for preset in info.presets]
    return _markdown(("family", "terminals", "set", "rests on"), rows) if rows else ""


def _table(options: Iterable[Option]) -> str:
    rows = [
        (f"`{option.name}`", f"`{_toml(option.default)}`", option.text, _values(option), option.source)
        for option in options
    ]
    return _markdown(("option", "default", "what for", "values", "rests on"), rows)


def _values(option: Option) -> str:
    if not option.choices:
        return option.allowed
    return ", ".join(f"{_toml(value)} {text}".removesuffix(f" {value}") for value, text in option.choices.items())


def _settings(preset: Preset) -> str:
    transport = {name: value for name, value in preset.transport.items() if name != "kind"}
    settings = [f"{name} = {_toml(value)}" for name, value in (*preset.options.items(), *transport.items())]
    return ", ".join([str(preset.transport.get("kind", "")), *settings]).removeprefix(", ")


def _toml(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else json.dumps(value, ensure_ascii=False)


def _markdown(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = (head, ("---",) * len(head), *rows)
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
