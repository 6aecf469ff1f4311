"""Card numbers planted in all that can arrive at a driver process: it keeps and says none, in any form."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest
from service_kit import ROOT, new_uuid

sys.path.insert(0, str(ROOT / "tests" / "driver" / "replay"))
from planted import FORMULA, MARKUP, NUMBERS, everything, found_in, grouped, planted, slip
from terminal import ReplayTerminal

from hw_driver.service.grants import local_grant
from hw_driver.state_folder import StateFolder

WORD = {"planted": "approved", "planted_decline": "declined", "planted_garbage": "unknown"}


class Process:
    """A driver process that runs from a file, its log in a file."""

    def __init__(self, folder: Path, terminal: ReplayTerminal, *words: str) -> None:
        self.folder, self.log = folder, folder / "driver.log"
        config = folder / "driver.toml"
        config.write_text(
            f'[driver]\nport = 0\n[[terminal]]\nid = "counter"\nname = "Counter"\nprotocol = "concert-v3"\n'
            f'host = "127.0.0.1"\nport = {terminal.port}\n[terminal.options]\ndrain = 0.02\ntickets = true\n'
        )
        places = ["--config", str(config), "--state", str(folder)]
        command = [sys.executable, "-m", "hw_driver", "serve", *places, "--ready"]
        self.process = subprocess.Popen(
            [*command, *words], stdout=subprocess.PIPE, stderr=self.log.open("w"), cwd=ROOT, text=True
        )
        assert self.process.stdout
        self.ready = json.loads(self.process.stdout.readline())
        key = StateFolder(folder).local_key()
        grant = local_grant(key, "local", "", 2**40)
        self.headers = {"Authorization": f"Bearer {grant}"}

    async def call(self, http: aiohttp.ClientSession, method: str, path: str, body: object = None) -> tuple[int, str]:
        async with http.request(method, self.ready["url"] + path, json=body, headers=self.headers) as response:
            return response.status, await response.text()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)


def all_files(folder: Path) -> dict[Path, bytes]:
    """Return everything below a folder."""
    return {file.relative_to(folder): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def sale(**other: object) -> dict[str, object]:
    return {
        "terminal": "counter", "kind": "sale", "amount": 1250, "currency": "EUR", "till": "Till", "session": "S",
        "order": new_uuid(), "line": new_uuid(), "operator": "Marie", "reference": "1",
        "not_after": "2099-01-01T00:00:00.000Z",
    } | other  # fmt: skip


def test_the_search_finds_what_is_there() -> None:
    """A search that finds nothing anywhere would prove nothing."""
    asked = {"CA": "01", "CB": "1250", "CD": "0", "CE": "978"}
    there = {place for place, _form in found_in(planted(asked) + slip().encode("latin-1"))}
    assert there >= {
        "pan", "track", "private", "reference", "original", "debit", "serial", "unknown_tag", "plain", "spaced",
        "dashed", "split", "narrow", "bcd",
    }  # fmt: skip
    assert ("plain", "spread") not in found_in(slip().encode("latin-1"))
    for number in NUMBERS.values():
        assert re.fullmatch("[0-9]{16}", number)


@pytest.mark.parametrize("log_format", ["text", "json"])
async def test_planted(tmp_path: Path, log_format: str) -> None:
    said = b""
    with ReplayTerminal("planted") as terminal:
        driver = Process(tmp_path, terminal, "--log-format", log_format)
        try:
            async with aiohttp.ClientSession() as http:
                for behaviour, state in WORD.items():
                    terminal.behaviour = behaviour
                    number = new_uuid()
                    asked = sale(
                        till=f"{MARKUP}{grouped(NUMBERS['till'], ' ')}",
                        session=f"{FORMULA}{NUMBERS['session']}",
                        operator=f"Marie {NUMBERS['operator']}",
                        reference=NUMBERS["asked_reference"],
                    )
                    status, text = await driver.call(http, "PUT", f"/v1/transactions/{number}", asked)
                    assert status == 201, text
                    said += text.encode()
                    async with asyncio.timeout(20):
                        while (told := json.loads(text))["state"] in ("requested", "sent"):
                            path = f"/v1/transactions/{number}?after={told['rev']}&wait=5"
                            _status, text = await driver.call(http, "GET", path)
                    assert told["state"] == state
                    said += text.encode()
                    again, text = await driver.call(http, "PUT", f"/v1/transactions/{number}", asked)
                    assert again == 200, "the same body is the same although numbers were taken out of it"
                for method, path, body in (
                    ("GET", f"/v1/transactions/{NUMBERS['path']}", None),
                    ("PUT", f"/v1/transactions/{new_uuid()}", sale(**{NUMBERS["member"]: 1})),
                    ("PUT", f"/v1/transactions/{new_uuid()}", sale(line=NUMBERS["line"])),
                    ("PUT", f"/v1/transactions/{new_uuid()}", sale(terminal=NUMBERS["text"])),
                    ("POST", "/v1/terminals/counter/identify", {"uuid": new_uuid()}),
                    ("GET", "/v1/transactions", None),
                    ("GET", "/v1/terminals", None),
                    ("GET", "/v1/health", None),
                    ("GET", "/metrics", None),
                    ("POST", "/v1/backup", None),
                ):
                    status, text = await driver.call(http, method, path, body)
                    assert status < 500, (method, path, text)
                    said += text.encode()
                with socket.create_connection(("127.0.0.1", driver.ready["port"])) as link:
                    link.sendall(f"{NUMBERS['garbage']} {NUMBERS['path']}\r\n\r\n".encode())
                    link.recv(65536)  # the HTTP library quotes what is no HTTP to whoever said it, and logs it
        finally:
            driver.stop()
    kept = all_files(tmp_path)
    journals = [name for name in kept if "journal" in str(name)]
    assert len(journals) >= 2, "the journal and its copy"
    log = kept[Path("driver.log")]
    assert b"event" in log
    assert {str(name): found_in(data) for name, data in kept.items() if found_in(data)} == {}
    assert found_in(said) == []
    assert MARKUP.encode() in said, "text is kept as text: nothing is lost by being data"
    assert found_in(everything([json.loads(line) for line in log.splitlines()] if log_format == "json" else [])) == []
