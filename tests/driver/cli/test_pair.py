"""`card-terminal pair`: against an Odoo written from the document alone, on a real port."""

from __future__ import annotations

import json
import sys
import threading
import tomllib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from hw_driver.cli import main
from hw_driver.configuration import load
from hw_driver.install.pair import toml

CODE = "7KQ4-93XF"
TABLES: dict[str, Any] = {
    "driver": {"listen": "127.0.0.1", "port": 8765},
    "odoo": {"url": "https://else.example", "database": "shop", "database_uuid": "u", "driver": "d", "key": "ab" * 32},
}


class Odoo(ThreadingHTTPServer):
    """Gives the key to whoever has the code; `answer` bends it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, dict[str, Any], str | None]] = []
        self.answer: tuple[int, bytes, dict[str, str]] | None = None
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Odoo

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, body, self.headers.get("X-Odoo-Database")))
        good = 200, json.dumps(TABLES).encode(), {}
        wrong = 403, b'{"error": "this code is wrong"}', {}
        status, answer, headers = self.server.answer or (good if body["code"] == CODE else wrong)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def odoo() -> Iterator[Odoo]:
    with Odoo() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


Said = tuple[int, str, str]


@pytest.fixture
def pair(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    def run(*words: str) -> Said:
        return main(["pair", *words, "--state", str(tmp_path / "state")]), *capsys.readouterr()

    return run


def test_a_code_becomes_the_drivers_file(odoo: Odoo, pair: Callable[..., Said], tmp_path: Path) -> None:
    status, said, _ = pair(odoo.url + "/", CODE, "--database", "shop")
    assert (status, "Paired with" in said) == (0, True)
    path, asked, database = odoo.asked[0]
    assert (path, asked["code"], database) == ("/card_terminal/v1/pair", CODE, "shop")
    file = tmp_path / "state" / "driver.toml"
    settings = load(file, tmp_path)
    assert settings.odoo
    assert (settings.odoo.url, settings.odoo.key) == (odoo.url, bytes.fromhex("ab" * 32)), "the address that worked"
    if sys.platform != "win32":
        assert file.stat().st_mode & 0o777 == 0o600
    assert "ab" * 32 not in said


def test_a_working_pairing_is_kept_unless_told_otherwise(odoo: Odoo, pair: Callable[..., Said], tmp_path: Path) -> None:
    assert pair(odoo.url, CODE)[0] == 0
    file = tmp_path / "state" / "driver.toml"
    before = file.read_text()
    status, _, error = pair(odoo.url, CODE)
    assert (status, "--replace" in error, len(odoo.asked)) == (1, True, 1), "the code was not spent"
    assert pair(odoo.url, "WRONG-CODE", "--replace")[0] == 1
    assert file.read_text() == before
    assert pair(odoo.url, CODE, "--replace")[0] == 0
    assert file.with_name("driver.toml.before").read_text() == before


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((200, b"<html>", {}), "is not Odoo's module"),
        ((200, b'{"odoo": {}}', {}), "is not Odoo's module"),
        ((200, b'{"driver": {"listen": [], "port": 1}, "odoo": {}}', {}), "is not Odoo's module"),
        ((404, b"<html>", {}), "--database"),
        ((301, b"", {"Location": "https://shop.example/"}), "redirects to https://shop.example/"),
        ((403, b'{"error": "too late"}', {}), "too late"),
        ((500, b"", {}), "status 500"),
    ],
)
def test_what_an_odoo_can_answer(
    odoo: Odoo, pair: Callable[..., Said], tmp_path: Path, answer: tuple[int, bytes, dict[str, str]], told: str
) -> None:
    odoo.answer = answer
    status, _, error = pair(odoo.url, CODE)
    assert (status, error.count("\n")) == (1, 1)
    assert told in error
    assert list((tmp_path / "state").iterdir()) == []


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("shop.example", "write it like https://"),
        ("https://shop.example/odoo", "write it like https://"),
        ("http://shop.example", "--allow-plain"),
        ("http://127.0.0.1:9", "cannot be reached"),
    ],
)
def test_addresses_that_cannot_work(pair: Callable[..., Said], url: str, told: str) -> None:
    status, _, error = pair(url, CODE)
    assert (status, error.count("\n"), told in error) == (1, 1, True)


def test_plain_http_is_a_choice_with_a_warning(pair: Callable[..., Said]) -> None:
    _, _, error = pair("http://192.0.2.1.invalid", CODE, "--allow-plain")
    assert "can be read in the network" in error
    assert "cannot be reached" in error


def test_any_name_survives_the_file() -> None:
    odd = 'a"b\\c\n☕\t[odoo]'
    assert tomllib.loads(toml({"odoo": {"database": odd, "port": 7}})) == {"odoo": {"database": odd, "port": 7}}
