"""A newer version takes over from the running one, or does not: real processes, real files, a customer who pays.

The newer versions are this one with something changed: another number, a fault, a journal of tomorrow.
"""

from __future__ import annotations

import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hw_driver import __version__
from hw_driver.cli import main
from hw_driver.client import Client
from hw_driver.install import package
from hw_driver.install.commands import place_version
from hw_driver.install.versions import Program
from hw_driver.protocols.machine import CardTerminalError
from hw_driver.state_folder import StateFolder

ROOT = Path(__file__).parents[3]
PATIENCE = 60.0
#: Changes by name: file -> (words, what takes their place).
NEWER = {"hw_driver/__init__.py": (f'__version__ = "{__version__}"', '__version__ = "{version}"')}
DIES_AT_ONCE = {
    "hw_driver/service/server.py": (
        "    journal = Journal.open(",
        "    raise SystemExit(7)\n    journal = Journal.open(",
    )
}
DIES_LATER = {"hw_driver/service/server.py": ("        await stopped.wait()", "        raise SystemExit(9)")}
DOES_NOT_LOAD = {"hw_driver/service/app.py": ("from __future__ import annotations", "import nothing_of_the_kind")}
TOMORROW = {
    "hw_driver/journal/schema.py": (
        "\n    " + '""",\n]',
        "\n    " + '""",\n    "CREATE TABLE tomorrow (x TEXT) STRICT",\n]',
    )
}
DIES_AFTER_MIGRATION = {
    "hw_driver/service/server.py": (
        "        await driver.start()",
        "        raise SystemExit(8)\n        await driver.start()",
    )
}


def wheel(tmp_path: Path, version: str, *changes: dict[str, tuple[str, str]]) -> Path:
    """Write a wheel of another version."""
    source = zipfile.ZipFile(io.BytesIO(package.wheel(version)))
    content = {name: source.read(name) for name in source.namelist()}
    for change in ({name: (old, new.format(version=version)) for name, (old, new) in NEWER.items()}, *changes):
        for name, (old, new) in change.items():
            text = content[name].decode()
            assert text.count(old) == 1, f"{name} has no longer: {old}"
            content[name] = text.replace(old, new).encode()
    path = tmp_path / package.wheel_name(version)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return path


class Shop:
    """An installed driver under its supervisor, with a virtual terminal."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "state"
        self.folder = StateFolder(self.state)
        self.program = Program(self.state / "program")
        words = [sys.executable, "-m", "hw_driver", "virtual", "concert-v3", "--port", "0", "--web", "0", "--ready"]
        self.terminal = subprocess.Popen(words, stdout=subprocess.PIPE, cwd=ROOT, text=True)
        assert self.terminal.stdout
        ready = json.loads(self.terminal.stdout.readline())
        self.web = f"http://127.0.0.1:{ready['web']}"
        self.folder.create()
        config = self.state / "driver.toml"
        config.write_text(
            f'[driver]\nport = 0\n[[terminal]]\nid = "counter"\nprotocol = "concert-v3"\nhost = "127.0.0.1"\n'
            f"port = {ready['port']}\noptions = {{drain = 0.02}}\n"
        )
        supervisor = self.program.place_supervisor()
        place_version(self.program, config, self.folder)
        self.log = (folder / "log").open("w+")
        self.supervisor = subprocess.Popen([sys.executable, str(supervisor), "serve"], stdout=self.log, stderr=self.log)
        self.until(lambda: self.version == __version__)

    @property
    def version(self) -> str:
        """The version that answers, empty where none does."""
        try:
            return str(Client(self.folder).get("/v1/health")["version"])
        except CardTerminalError:
            return ""

    def until(self, condition: Callable[[], Any]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.05)

    def said(self) -> str:
        self.log.flush()
        return Path(self.log.name).read_text()

    def web_post(self, path: str, body: dict[str, Any]) -> None:
        request = urllib.request.Request(
            self.web + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        urllib.request.urlopen(request, timeout=10).close()

    def screen(self) -> str:
        """Return what the terminal is doing."""
        with urllib.request.urlopen(f"{self.web}/api/state", timeout=10) as response:
            return str(json.load(response)["screen"]["phase"])

    def journal(self) -> list[tuple[str, str]]:
        """The states of the transactions, read when nobody has the journal open."""
        rows = sqlite3.connect(self.state / "journal.sqlite")
        try:
            return rows.execute("SELECT type, uuid FROM events WHERE uuid <> '' ORDER BY seq").fetchall()
        finally:
            rows.close()

    def close(self) -> None:
        for process in (self.supervisor, self.terminal):
            process.terminate()
            process.wait(30)
        self.log.close()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path)
    try:
        yield shop
    finally:
        shop.close()


Said = tuple[int, str, str]


@pytest.fixture
def command(shop: Shop, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    def run(*words: str | Path) -> Said:
        return main([*map(str, words), "--state", str(shop.state)]), *capsys.readouterr()

    return run


def pay(shop: Shop) -> str:
    shop.web_post("/api/auto", {"auto": "cb", "delay": 0})
    words = [sys.executable, "-m", "hw_driver", "pay", "counter", "12.50", "--json", "--state", str(shop.state)]
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["uuid"])


def test_a_newer_version_takes_over_and_the_older_can_come_back(
    shop: Shop, command: Callable[..., Said], tmp_path: Path
) -> None:
    sale = pay(shop)
    status, said, error = command("upgrade", "--file", wheel(tmp_path, "99.1"))
    assert (status, "Version 99.1 runs" in said) == (0, True), error + shop.said()
    assert shop.version == "99.1"
    copy = Path(said.rpartition(": ")[2].strip())
    assert sqlite3.connect(copy).execute("SELECT count(*) FROM events WHERE uuid = ?", (sale,)).fetchone()[0] >= 3
    assert command("upgrade", "--file", wheel(tmp_path, "99.1"))[1].startswith("Version 99.1 is in use already")
    assert "99.2 runs" in command("upgrade", "--file", wheel(tmp_path, "99.2"))[1]
    assert len(list((shop.program.path / "versions").iterdir())) == 2, "the one in use and the one to go back to"
    assert "Version 99.1 runs" in command("rollback")[1]
    other = pay(shop)
    shop.close()
    assert {uuid for _, uuid in shop.journal()} == {sale, other}


def test_nothing_is_changed_while_a_customer_pays(shop: Shop, command: Callable[..., Said], tmp_path: Path) -> None:
    paying = subprocess.Popen(
        [sys.executable, "-m", "hw_driver", "pay", "counter", "3", "--json", "--state", str(shop.state)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
    )
    shop.until(lambda: shop.screen() == "card")
    newer = wheel(tmp_path, "99.1")
    status, _, error = command("upgrade", "--file", newer, "--wait", "0")
    assert (status, "in use" in error) == (1, True), error
    assert shop.version == __version__
    assert shop.program.pointer()["trial"] is False
    waiting: list[int] = []
    upgrading = threading.Thread(
        target=lambda: waiting.append(main(["upgrade", "--file", str(newer), "--state", str(shop.state)]))
    )
    upgrading.start()
    shop.until(lambda: shop.program.pointer()["trial"])
    assert shop.version == __version__, "it waits"
    shop.web_post("/api/card", {"card": "contactless"})
    answer, _ = paying.communicate(timeout=PATIENCE)
    assert json.loads(answer)["state"] == "approved"
    upgrading.join(PATIENCE)
    assert (waiting, shop.version) == ([0], "99.1")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ((DOES_NOT_LOAD,), "nothing_of_the_kind"),
        ((DIES_AT_ONCE,), "ended with status 7 before it was ready"),
        ((DIES_LATER,), "ended with status 9 as soon as it was ready"),
    ],
    ids=["does not load", "dies at once", "dies later"],
)
def test_a_version_that_does_not_start_gives_way(
    shop: Shop,
    command: Callable[..., Said],
    tmp_path: Path,
    changes: tuple[dict[str, tuple[str, str]], ...],
    told: str,
) -> None:
    sale = pay(shop)
    status, _, error = command("upgrade", "--file", wheel(tmp_path, "99.1", *changes))
    assert (status, told in error) == (1, True), error
    assert "Fetching" not in error, "packages are not what it lacks"
    shop.until(lambda: shop.version == __version__)
    other = pay(shop)
    shop.close()
    assert {uuid for _, uuid in shop.journal()} == {sale, other}


def test_a_journal_of_tomorrow(shop: Shop, command: Callable[..., Said], tmp_path: Path) -> None:
    sale = pay(shop)
    before = Client(shop.folder).get("/v1/health")["journal_id"]
    # It migrates, then dies: the journal of before is put back, with its identity and all that was in it.
    status, _, error = command("upgrade", "--file", wheel(tmp_path, "99.1", TOMORROW, DIES_AFTER_MIGRATION))
    assert (status, "ended with status 8" in error) == (1, True), error
    shop.until(lambda: shop.version == __version__)
    assert Client(shop.folder).get("/v1/health")["journal_id"] == before
    assert "journal of before was put back" in shop.said()
    # It migrates and lives: the older version cannot read that, and says so before it is started.
    assert "99.2 runs" in command("upgrade", "--file", wheel(tmp_path, "99.2", TOMORROW))[1]
    assert Client(shop.folder).get("/v1/health")["journal_id"] == before
    status, _, error = command("rollback")
    assert (status, "made by a newer driver" in error) == (1, True), error
    assert shop.version == "99.2"
    other = pay(shop)
    shop.close()
    assert {uuid for _, uuid in shop.journal()} == {sale, other}


def test_a_killed_driver_is_started_again(shop: Shop) -> None:
    pid = int(str((shop.folder.running() or {})["pid"]))
    os.kill(pid, signal.SIGKILL)
    shop.until(lambda: (shop.folder.running() or {}).get("pid") != pid and shop.version == __version__)
    assert "ended with status -9" in shop.said()
    shop.supervisor.terminate()
    assert shop.supervisor.wait(30) == 0
    assert shop.version == ""


def test_what_is_no_wheel_changes_nothing(shop: Shop, command: Callable[..., Said], tmp_path: Path) -> None:
    file = tmp_path / "x.whl"
    for content in (b"", b"PK", b"<html>"):
        file.write_bytes(content)
        status, _, error = command("upgrade", "--file", file)
        assert (status, error.count("\n"), "not a wheel" in error) == (1, 1, True), content
        assert shop.version == __version__


def test_without_an_installation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["upgrade"], ["rollback"]):
        assert main([*words, "--state", str(tmp_path)]) == 1
        assert "card-terminal install" in capsys.readouterr().err
