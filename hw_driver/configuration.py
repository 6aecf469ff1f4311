"""The driver's own file `driver.toml` (docs/api.md 3), and the signed configuration from Odoo (2.2)."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .protocols.machine import InvalidRequest, SafeError
from .protocols.options import Option, check
from .protocols.serial_line import OPTIONS as SERIAL_LINE
from .protocols.tcp_line import OPTIONS as TCP_LINE

DEFAULT_LISTEN = "127.0.0.1"
DEFAULT_PORT = 8765
DEFAULT_TLS_PORT = 8766
DEFAULT_HEARTBEAT = 5.0  # seconds
#: Driver id of a driver that runs from a file alone.
UNPAIRED = "local"

EXAMPLE = """\
[[terminal]]
id = "counter"
name = "Counter"
protocol = "concert-v3"
host = "192.168.1.50"
port = 8888
"""


class ConfigurationError(SafeError):
    """The configuration cannot be used; the text says which key and what to do."""


@dataclass(frozen=True, slots=True)
class TerminalSettings:
    """One terminal: how it is reached and what its protocol should know. `transport` is `{kind, …}`.

    `exclusive` says that nobody uses it but through this driver, `identity` who it should say it is, `questions` the
    seconds before each question about a lost answer (None: the protocol's own).
    """

    id: str
    name: str
    protocol: str
    transport: Mapping[str, Any]
    options: Mapping[str, Any] = field(default_factory=dict)
    exclusive: bool = False
    identity: Mapping[str, str] = field(default_factory=dict)
    questions: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class OdooSettings:
    """The Odoo this driver is paired with; `key` is the 32 bytes both share."""

    url: str
    database: str
    database_uuid: str
    driver: str
    key: bytes = field(repr=False)
    heartbeat: float = DEFAULT_HEARTBEAT


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """The certificate (PEM, with its chain) and key under which HTTPS is served on `port`, beside HTTP; its names."""

    certificate: Path
    key: Path
    port: int
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LogSettings:
    """The log files in the state folder: at most `files` of `megabytes` each; none where `files` is 0."""

    megabytes: int = 5
    files: int = 5


@dataclass(frozen=True, slots=True)
class TillSide:
    """What a configuration decides while the driver runs: who may call, and which terminals there are."""

    terminals: tuple[TerminalSettings, ...] = ()
    origins: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()
    number: int = 0


@dataclass(frozen=True, slots=True)
class Settings:
    """All of `driver.toml`. `till_side` holds the terminals of an unpaired driver; a paired one gets them from Odoo."""

    state: Path
    listen: str = DEFAULT_LISTEN
    port: int = DEFAULT_PORT
    odoo: OdooSettings | None = None
    till_side: TillSide = TillSide()
    tls: TlsSettings | None = None
    log: LogSettings = LogSettings()

    @property
    def driver_id(self) -> str:
        """The id grants and events name."""
        return self.odoo.driver if self.odoo else UNPAIRED

    @property
    def database_uuid(self) -> str:
        """The uuid of the database grants must name; empty while unpaired."""
        return self.odoo.database_uuid if self.odoo else ""


def load(path: Path, default_state: Path) -> Settings:
    """Return the settings of a TOML file."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(f"there is no configuration at {path}; write one, for example:\n\n{EXAMPLE}") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error
    try:
        return settings(data, default_state, path.parent)
    except ConfigurationError as error:
        raise ConfigurationError(f"{path}: {error}") from None


def settings(data: Mapping[str, Any], default_state: Path, folder: Path) -> Settings:
    """Return the settings of a parsed file; `folder` is what its relative paths start from."""
    _known(data, {"driver", "odoo", "terminal"}, "the file")
    driver = _table(data, "driver")
    _known(driver, {"state", "listen", "port", "hosts", "origins", "tls", "log"}, "[driver]")
    tables = data.get("terminal", [])
    if not isinstance(tables, list):
        raise ConfigurationError("terminals are written as [[terminal]], with two brackets")
    if "odoo" in data and tables:
        raise ConfigurationError("take out either [odoo] or [[terminal]]: a paired driver gets its terminals from Odoo")
    if "odoo" in data and "origins" in driver:
        raise ConfigurationError("take out driver.origins: a paired driver gets its origins from Odoo")
    return Settings(
        state=folder / Path(_text(driver, "state", "driver.", str(default_state.absolute()))).expanduser(),
        listen=_text(driver, "listen", "driver.", DEFAULT_LISTEN),
        port=_port(driver, "port", "driver.", DEFAULT_PORT, lowest=0),
        odoo=_odoo(_table(data, "odoo")) if "odoo" in data else None,
        till_side=TillSide(
            terminals=_terminals([_flat_terminal(table, number) for number, table in enumerate(tables, 1)]),
            origins=origins(_texts(driver, "origins", "driver.")),
            hosts=frozenset(_texts(driver, "hosts", "driver.")),
        ),
        tls=_tls(_table(driver, "tls"), folder) if "tls" in driver else None,
        log=_log(_table(driver, "log")),
    )


def till_side(claims: Mapping[str, Any], own_hosts: frozenset[str]) -> TillSide:
    """Return what Odoo's verified configuration says; the driver's own host names keep counting."""
    number = claims.get("number")
    if type(number) is not int or number < 1:
        raise ConfigurationError("the configuration from Odoo has no number")
    tables = claims.get("terminals")
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ConfigurationError("the configuration from Odoo has no list of terminals")
    return TillSide(
        terminals=_terminals(tables),
        origins=origins(_texts(claims, "origins", "")),
        hosts=own_hosts | frozenset(_texts(claims, "hosts", "")),
        number=number,
    )


def origins(texts: list[str]) -> frozenset[str]:
    """Return origins as browsers write them; `*`, paths and anything that is not http(s) are refused."""
    for text in texts:
        parts = urlsplit(text)
        if parts.scheme not in ("http", "https") or not parts.hostname or text != f"{parts.scheme}://{parts.netloc}":
            raise ConfigurationError(f"origin {text!r} must look like https://shop.example (no path, no *)")
    return frozenset(texts)


def _terminals(tables: list[Mapping[str, Any]]) -> tuple[TerminalSettings, ...]:
    terminals = tuple(_terminal(table) for table in tables)
    if len({terminal.id for terminal in terminals}) != len(terminals):
        raise ConfigurationError("two terminals have the same id")
    at: dict[tuple[str, ...], str] = {}
    for terminal in terminals:
        other = at.setdefault(_address(terminal), terminal.name)
        if other is not terminal.name:
            raise ConfigurationError(
                f"terminals {other} and {terminal.name} have the same address: one terminal is configured once, "
                "and shared by the tills that use it"
            )
    return terminals


def _address(terminal: TerminalSettings) -> tuple[str, ...]:
    """Return where a terminal is: what two of them cannot share, however they are spoken to there."""
    place = {name: value for name, value in terminal.transport.items() if name not in {**TCP_LINE, **SERIAL_LINE}}
    return tuple(f"{name}={str(value).lower()}" for name, value in sorted(place.items()))


def _tcp(transport: dict[str, Any], where: str, default_port: int) -> None:
    _known(transport, {"kind", "host", "port", *TCP_LINE}, f"{where}transport")
    _text(transport, "host", where)
    _line(TCP_LINE, transport, where)
    transport["port"] = _port(transport, "port", where, default_port, lowest=1)


def _serial(transport: dict[str, Any], where: str, default_port: int) -> None:
    _known(transport, {"kind", "device", "usb", *SERIAL_LINE}, f"{where}transport")
    if ("device" in transport) == ("usb" in transport):
        raise ConfigurationError(f"{where}name the port either by device or by usb; see: card-terminal ports")
    _text(transport, "device" if "device" in transport else "usb", where)
    _line(SERIAL_LINE, transport, where)


def _line(options: Mapping[str, Option], transport: Mapping[str, Any], where: str) -> None:
    try:
        check(options, {name: value for name, value in transport.items() if name in options})
    except InvalidRequest as error:
        raise ConfigurationError(f"{where}{error}") from error


_TRANSPORTS: dict[str, Callable[[dict[str, Any], str, int], None]] = {"tcp": _tcp, "serial": _serial}


def _terminal(table: Mapping[str, Any]) -> TerminalSettings:
    from .protocols.registry import PROTOCOLS

    id_ = _text(table, "id", "terminal.")
    where = f"terminal {id_}: "
    _known(table, {"id", "name", "protocol", "transport", "options", *_SETTINGS}, f"terminal {id_}")
    known = PROTOCOLS
    info = known.get(_text(table, "protocol", where))
    if info is None:
        names = ", ".join(sorted(known))
        raise ConfigurationError(f"{where}protocol {table['protocol']!r} is not known; known are {names}")
    transport = dict(_table(table, "transport"))
    kind = transport.setdefault("kind", "tcp" if "host" in transport else info.transports[0])
    if kind not in info.transports:
        raise ConfigurationError(f"{where}{info.name} runs over {' or '.join(info.transports)}, not {kind!r}")
    _TRANSPORTS[kind](transport, where, info.default_port)
    options = dict(_table(table, "options"))
    _known(options, set(info.options), f"{where}options")
    try:
        info.check(options)
    except InvalidRequest as error:
        raise ConfigurationError(f"{where}{error}") from error
    return TerminalSettings(
        id_,
        _text(table, "name", where, id_),
        info.name,
        transport,
        options,
        _truth(table, "exclusive", where),
        _identity(table, where),
        _questions(table, where),
    )


#: What a terminal's table may say besides how it is reached and its protocol's options.
_SETTINGS = ("exclusive", "identity", "questions")


def _truth(table: Mapping[str, Any], name: str, where: str) -> bool:
    value = table.get(name, False)
    if not isinstance(value, bool):
        raise ConfigurationError(f"{where}{name} must be true or false")
    return value


def _identity(table: Mapping[str, Any], where: str) -> dict[str, str]:
    identity = dict(_table(table, "identity"))
    if not all(isinstance(value, str) and value for value in identity.values()):
        raise ConfigurationError(f"{where}identity must hold texts")
    return identity


def _questions(table: Mapping[str, Any], where: str) -> tuple[float, ...] | None:
    pauses = table.get("questions")
    if pauses is None:
        return None
    if not isinstance(pauses, list) or len(pauses) > 10 or not all(_is_pause(pause) for pause in pauses):
        raise ConfigurationError(f"{where}questions must be a list of at most 10 numbers of seconds from 0 to 600")
    return tuple(pauses)


def _is_pause(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value <= 600


def _flat_terminal(table: Any, number: int) -> dict[str, Any]:
    """Turn a `[[terminal]]` table, which names host and port itself, into the form Odoo sends."""
    if not isinstance(table, dict):
        raise ConfigurationError(f"[[terminal]] number {number} must be a table")
    own = {name: table[name] for name in ("id", "name", "protocol", "options", *_SETTINGS) if name in table}
    return {**own, "transport": {name: value for name, value in table.items() if name not in own}}


def _odoo(table: Mapping[str, Any]) -> OdooSettings:
    _known(table, {"url", "database", "database_uuid", "driver", "key", "heartbeat"}, "[odoo]")
    try:
        key = bytes.fromhex(_text(table, "key", "odoo."))
    except ValueError:
        key = b""
    if len(key) != 32:
        raise ConfigurationError("odoo.key must be 64 hex digits; copy it again from the driver's form in Odoo")
    heartbeat = table.get("heartbeat", DEFAULT_HEARTBEAT)
    if type(heartbeat) not in (int, float) or not 0 < heartbeat <= 3600:
        raise ConfigurationError("odoo.heartbeat must be a number of seconds between 0 and 3600")
    url = _text(table, "url", "odoo.").rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError("odoo.url must look like https://shop.example")
    return OdooSettings(
        url,
        _text(table, "database", "odoo."),
        _text(table, "database_uuid", "odoo."),
        _text(table, "driver", "odoo."),
        key,
        heartbeat,
    )


def _tls(table: Mapping[str, Any], folder: Path) -> TlsSettings:
    _known(table, {"certificate", "key", "port", "names"}, "[driver.tls]")
    where = "driver.tls."
    return TlsSettings(
        folder / Path(_text(table, "certificate", where)).expanduser(),
        folder / Path(_text(table, "key", where)).expanduser(),
        _port(table, "port", where, DEFAULT_TLS_PORT, lowest=0),
        tuple(_texts(table, "names", where)),
    )


def _log(table: Mapping[str, Any]) -> LogSettings:
    _known(table, {"megabytes", "files"}, "[driver.log]")
    values = {"megabytes": table.get("megabytes", 5), "files": table.get("files", 5)}
    if not all(type(value) is int and 0 <= value <= 1000 for value in values.values()) or not values["megabytes"]:
        raise ConfigurationError("driver.log.megabytes and driver.log.files must be whole numbers up to 1000")
    return LogSettings(**values)


def _known(table: Mapping[str, Any], names: set[str], where: str) -> None:
    for name in table:
        if name not in names:
            raise ConfigurationError(f"{where} has the unknown key {name!r}; known are {', '.join(sorted(names))}")


def _table(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = data.get(name, {})
    if not isinstance(table, dict):
        raise ConfigurationError(f"{name} must be a table")
    return table


def _text(table: Mapping[str, Any], name: str, where: str, default: str | None = None) -> str:
    value = table.get(name, default)
    if value is None:
        raise ConfigurationError(f"{where}{name} is missing")
    if not isinstance(value, str) or not value:
        raise ConfigurationError(f"{where}{name} must be a text that is not empty")
    return value


def _texts(table: Mapping[str, Any], name: str, where: str) -> list[str]:
    values = table.get(name, [])
    if not isinstance(values, list) or not all(isinstance(value, str) and value for value in values):
        raise ConfigurationError(f"{where}{name} must be a list of texts")
    return values


def _port(table: Mapping[str, Any], name: str, where: str, default: int, *, lowest: int) -> int:
    value = table.get(name, default)
    if type(value) is not int or not lowest <= value <= 65535:
        raise ConfigurationError(f"{where}{name} must be a number between {lowest} and 65535")
    return value
