"""`card-terminal pair URL CODE`: a short code from Odoo becomes this driver's file (docs/api.md 2.4).

The key travels once. HTTPS hides it; over plain HTTP it would be read by whoever listens, and so would the sessions of
Odoo's users: no ceremony here could mend that. So plain HTTP to another machine is refused unless somebody asks for it.
"""

from __future__ import annotations

import json
import platform
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from .. import __version__
from ..configuration import ConfigurationError, load
from ..protocols.machine import SafeError
from ..state_folder import StateFolder, write_private

PATH = "/card_terminal/v1/pair"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
TIMEOUT = 30.0
MAX_ANSWER = 16 * 1024
#: What refusals of an Odoo mean here.
MEANING = {
    404: "no module for card terminals answers there; where Odoo has several databases, name one with --database",
}


class CannotPair(SafeError):
    """Nothing was changed on this machine; the text says what to do."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """A redirected POST would carry the code elsewhere."""


def pair(
    url: str, code: str, config: Path, *, database: str | None = None, replace: bool = False, plain: bool = False
) -> str:
    """Exchange the code, write the driver's file, and return a sentence about it."""
    url = url.rstrip("/")
    _check_address(url, plain)
    _check_place(config, replace)
    tables = _ask(url, code, database)
    if config.exists():
        config.replace(config.with_name(f"{config.name}.before"))
    # The address that worked from here, whatever Odoo calls itself.
    write_private(config, toml({**tables, "odoo": {**tables["odoo"], "url": url}}).encode())
    settings = load(config, config.parent)
    assert settings.odoo
    return f"Paired with {url}, database {settings.odoo.database}. The driver's file is {config}."


def toml(tables: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the driver's file with these tables."""
    head = "# Keep this file private: its key lets a program speak for this driver.\n"
    return head + "".join(f"{toml_table(name, values)}\n" for name, values in tables.items())


def toml_table(name: str, values: Mapping[str, Any]) -> str:
    """Return a table of texts, numbers and lists of texts as TOML, which writes them as JSON does."""
    rows = [f"{member} = {json.dumps(value, ensure_ascii=False)}" for member, value in values.items()]
    return "\n".join(["", f"[{name}]", *rows])


def _check_address(url: str, plain: bool) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query:
        raise CannotPair(f"{url} is not Odoo's address; write it like https://shop.example")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        if not plain:
            raise CannotPair(
                f"{url} is not HTTPS: whoever listens in the network would read this driver's key. "
                "Use https://, or add --allow-plain in a network you trust"
            )
        print("card-terminal: without HTTPS the key can be read in the network", file=sys.stderr)


def _check_place(config: Path, replace: bool) -> None:
    """Find out before the code is spent whether its answer can be kept."""
    if config.exists() and not replace:
        try:
            settings = load(config, config.parent)
        except ConfigurationError:
            settings = None
        if settings and settings.odoo:
            whom = f"paired already with {settings.odoo.url}, database {settings.odoo.database}"
        else:
            whom = "there already"
        raise CannotPair(f"{config} is {whom}; to pair anew, add --replace (the old file is kept beside it)")
    folder = StateFolder(config.parent)
    folder.create()
    folder.write("pair.test", b"")
    folder.forget("pair.test")


def _ask(url: str, code: str, database: str | None) -> dict[str, Any]:
    body = json.dumps({"code": code, "name": platform.node(), "version": __version__}).encode()
    headers = {"Content-Type": "application/json", **({"X-Odoo-Database": database} if database else {})}
    request = urllib.request.Request(url + PATH, body, headers)  # noqa: S310 - http or https, checked
    try:
        with urllib.request.build_opener(_NoRedirects).open(request, timeout=TIMEOUT) as response:
            answer = json.loads(response.read(MAX_ANSWER))
    except urllib.error.HTTPError as error:
        _refused(url, error)
    except urllib.error.URLError as error:
        raise CannotPair(f"{url} cannot be reached: {error.reason}") from None
    except ValueError:
        answer = None
    except OSError as error:
        raise CannotPair(f"{url} does not answer: {error}") from None
    wanted = {"driver": ("listen", "port"), "odoo": ("url", "database", "database_uuid", "driver", "key")}
    try:
        return {table: {name: _plain(answer[table][name]) for name in names} for table, names in wanted.items()}
    except (KeyError, TypeError):
        raise CannotPair(f"what answers at {url} is not Odoo's module for card terminals") from None


def _plain(value: object) -> str | int:
    if not isinstance(value, str | int):
        raise TypeError
    return value


def _refused(url: str, error: urllib.error.HTTPError) -> NoReturn:
    if 300 <= error.code < 400:
        raise CannotPair(f"{url} redirects to {error.headers.get('Location', '?')}: use that address")
    try:
        said = str(json.loads(error.read(MAX_ANSWER))["error"])
    except (ValueError, KeyError, TypeError, OSError):
        said = MEANING.get(error.code, "it gives no reason")
    raise CannotPair(f"{url} refuses (status {error.code}): {said}")
