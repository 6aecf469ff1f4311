"""The command line as a user has it: processes, exit statuses, one line for an error."""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hw_driver.cli import main
from hw_driver.client import Client
from hw_driver.counter import watch
from hw_driver.state_folder import StateFolder

ROOT = Path(__file__).parents[3]
COMMAND = [sys.executable, "-m", "hw_driver"]
POSIX = sys.platform != "win32"


def run(*arguments: str | Path, stdin: str = "", **more: Any) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(
        command, input=stdin, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False, **more
    )


@contextmanager
def process(*arguments: str | Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """Run a command that prints a JSON line when it is ready; stop it at the end."""
    command = [*COMMAND, *map(str, arguments), "--ready"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as child:
        assert child.stdout
        line = child.stdout.readline()
        assert line, child.stderr and child.stderr.read()
        try:
            yield child, json.loads(line)
        finally:
            child.terminate()
            child.wait(20)


Said = tuple[int, str, str]


@pytest.fixture
def card_terminal(capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Run a short command within this process; return exit status, stdout and stderr."""

    def run_here(*arguments: str | Path) -> Said:
        try:
            status = main([*map(str, arguments)])
        except SystemExit as ending:
            status = int(str(ending.code))
        return status, *capsys.readouterr()

    return run_here


def one_line(text: str) -> bool:
    return text.count("\n") == 1 and "Traceback" not in text


@pytest.fixture(scope="module")
def terminal_port() -> Iterator[int]:
    with process("virtual", "concert-v3", "--port", "0", "--auto", "contactless") as (_, ready):
        yield int(ready["port"])


def write_config(folder: Path, *terminals: tuple[str, int], options: str = "") -> Path:
    tables = [
        f'[[terminal]]\nid = "{id_}"\nprotocol = "concert-v3"\nhost = "127.0.0.1"\nport = {port}\n'
        f"options = {{drain = 0.02{options}}}\n"
        for id_, port in terminals
    ]
    path = folder / "driver.toml"
    path.write_text(f'[driver]\nstate = "{(folder / "state").as_posix()}"\nport = 0\n' + "".join(tables))
    return path


ABLE = ', settlement = true, duplicata = true, accepts = "card cheque"'


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory, terminal_port: int) -> Iterator[Path]:
    """The file of a driver that runs, with a terminal that works and one that is not there."""
    path = write_config(tmp_path_factory.mktemp("driver"), ("counter", terminal_port), ("gone", 9), options=ABLE)
    with process("serve", "--config", path):
        yield path


# with a running driver


def test_terminals(config: Path) -> None:
    listed = run("terminals", "--config", config)
    assert listed.returncode == 0
    assert [line.split()[0] for line in listed.stdout.splitlines()] == ["counter", "gone"]
    assert json.loads(run("terminals", "--json", "--config", config).stdout)["terminals"][0]["protocol"] == "concert-v3"


def test_pay_status_and_refund(config: Path) -> None:
    paid = run("pay", "counter", "12.50", "--reference", "A 17", "--config", config)
    assert (paid.returncode, "approved, 12.50 EUR" in paid.stdout) == (0, True), paid.stderr
    assert "Waiting for the customer's card." in paid.stderr
    paid = run("pay", "counter", "12,50", "--json", "--config", config)
    sale = json.loads(paid.stdout)
    assert (sale["state"], sale["amount"], sale["amount_approved"]) == ("approved", 1250, 1250)
    status = run("status", sale["uuid"], "--config", config)
    assert (status.returncode, sale["uuid"] in status.stdout) == (0, True)
    refund = ("pay", "counter", "--refund", "--original", sale["uuid"], "--config", config)
    assert run(*refund, "12.50").returncode == 0
    above = run(*refund, "0.01")
    assert (above.returncode, one_line(above.stderr.split("\n", 1)[1])) == (1, True)
    assert "More would be refunded" in above.stderr


def test_a_cheque_is_paid_and_a_sale_taken_back(config: Path) -> None:
    sale = json.loads(run("pay", "counter", "7.90", "--means", "cheque", "--json", "--config", config).stdout)
    assert (sale["state"], sale["outcome"]["brand"]) == ("approved", "Cheque")
    sale = json.loads(run("pay", "counter", "7.90", "--json", "--config", config).stdout)
    back = ("pay", "counter", "7.90", "--reversal", "--original", sale["uuid"], "--json", "--config", config)
    reversed_ = json.loads(run(*back).stdout)
    assert (reversed_["kind"], reversed_["state"], reversed_["amount_approved"]) == ("reversal", "approved", 790)
    again = run(*back)
    assert (again.returncode, "More would be refunded" in again.stderr) == (1, True)


def test_what_is_asked_of_a_terminal(config: Path) -> None:
    run("pay", "counter", "3", "--config", config)
    copy = run("reprint", "counter", "--config", config)
    assert (copy.returncode, "prints its last slip once more" in copy.stdout) == (0, True), copy.stderr
    settled = json.loads(run("settle", "counter", "--json", "--config", config).stdout)
    assert (settled["kind"], settled["state"], settled["code"]) == ("settlement", "approved", "settled")
    none = run("reprint", "counter", "--config", config)
    assert (none.returncode, "no slip to print again" in none.stdout) == (3, True)
    gone = run("settle", "gone", "--config", config)
    assert (gone.returncode, "cannot be reached" in gone.stdout) == (4, True)
    who = json.loads(run("ask", "counter", "identify", "--json", "--config", config).stdout)
    assert (who["kind"], who["state"], who["code"]) == ("identify", "approved", "identified")
    sums = run("ask", "counter", "totals", "--config", config)
    assert (sums.returncode, "has no totals" in sums.stderr) == (1, True)
    charge = run("ask", "counter", "sale", "--config", config)
    assert (charge.returncode, "is not asked this way" in charge.stderr) == (1, True)
    nowhere = run("settle", "nowhere", "--config", config)
    assert (nowhere.returncode, one_line(nowhere.stderr)) == (1, True)


def test_a_terminal_that_is_not_there_is_a_failure_and_not_a_mystery(config: Path) -> None:
    failed = run("pay", "gone", "1", "--config", config)
    assert (failed.returncode, "failed" in failed.stdout) == (4, True)
    assert "cannot be reached" in failed.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nowhere", "1"), "no terminal 'nowhere'"),
        (("counter", "0"), "more than zero"),
        (("counter", "0.001"), "more decimals"),
        (("counter", "1.5", "--currency", "JPY"), "more decimals than JPY has (0)"),
        (("counter", "1e3"), "not an amount"),
        (("counter", "ten"), "not an amount"),
        (("counter", "9999999999999"), "not an amount"),
        (("counter", "99999999999"), "too large"),
        (("counter", "1", "--currency", "euro"), "not a currency"),
        (("counter", "1", "--currency", "XTS"), "XTS"),
        (("counter", "1", "--original", "x"), "original.uuid"),
    ],
)
def test_what_cannot_be_paid(
    config: Path, card_terminal: Callable[..., Said], arguments: tuple[str, ...], words: str
) -> None:
    status, _, error = card_terminal("pay", *arguments, "--config", config)
    assert status == 1
    assert words in error
    assert one_line(error[error.index("card-terminal:") :])


def test_status_of_the_driver(config: Path) -> None:
    status = run("status", "--config", config)
    assert (status.returncode, ": ok" in status.stdout) == (0, True)
    health = json.loads(run("status", "--json", "--config", config).stdout)
    assert (health["driver"], health["paired"], health["odoo"]) == ("local", False, None)
    unknown = run("status", "0b6f6c4e-2d0a-4b1c-9a53-0f6a8f1d2c33", "--config", config)
    assert (unknown.returncode, one_line(unknown.stderr)) == (1, True)


def test_backup(config: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite"
    assert run("backup", copy, "--config", config).returncode == 0
    with sqlite3.connect(copy) as database:
        assert database.execute("SELECT type FROM events WHERE seq = 1").fetchone() == ("journal_created",)
    again = run("backup", copy, "--config", config)
    assert (again.returncode, "exists" in again.stderr, one_line(again.stderr)) == (1, True, True)


def test_a_second_driver_on_the_same_journal_is_refused(config: Path) -> None:
    second = run("serve", "--config", config)
    assert second.returncode == 1
    assert one_line(second.stderr[second.stderr.index("card-terminal:") :])
    assert run("status", "--config", config).returncode == 0


def test_doctor_with_a_driver(config: Path) -> None:
    found = run("doctor", "--identify", "--config", config)
    assert found.returncode == 1
    lines = found.stdout.splitlines()
    assert any(line.startswith("ok  driver") for line in lines)
    assert any(line.startswith("ok  terminal counter says who it is") for line in lines)
    (bad,) = (line for line in lines if line.startswith("BAD"))
    assert "gone" in bad
    assert lines[lines.index(bad) + 1].startswith("      -> ")


# starting and stopping


def test_serve_says_where_it_is_and_stops_cleanly(tmp_path: Path, terminal_port: int) -> None:
    path = write_config(tmp_path, ("counter", terminal_port))
    ready_file = tmp_path / "ready.json"
    with process("serve", "--config", path, "--ready-file", ready_file) as (child, ready):
        assert json.loads(ready_file.read_text()) == ready
        assert ready["url"] == f"http://127.0.0.1:{ready['port']}"
        assert ready["pid"] == child.pid
        key = tmp_path / "state" / "local.key"
        assert not POSIX or key.stat().st_mode & 0o777 == 0o600
        child.send_signal(signal.SIGINT)
        assert child.wait(20) == 0
        assert child.stderr
        assert "Traceback" not in child.stderr.read()
    gone = run("status", "--config", path)
    assert (gone.returncode, one_line(gone.stderr)) == (1, True)
    assert "card-terminal serve" in gone.stderr


def test_stopping_waits_for_the_payment_under_way(tmp_path: Path) -> None:
    with process("virtual", "concert-v3", "--port", "0", "--auto", "cb", "--delay", "1.5") as (_, terminal):
        path = write_config(tmp_path, ("counter", terminal["port"]))
        with process("serve", "--config", path) as (driver, _):
            command = [*COMMAND, "pay", "counter", "5", "--json", "--config", str(path)]
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as pay:
                assert pay.stderr
                while "Waiting for the customer" not in pay.stderr.readline():
                    pass
                driver.terminate()
                out, _ = pay.communicate(timeout=30)
            assert json.loads(out)["state"] == "approved"
            assert driver.wait(20) == 0


def test_a_killed_driver_leaves_an_unknown_payment_that_nobody_loses(tmp_path: Path) -> None:
    with process("virtual", "concert-v3", "--port", "0") as (_, terminal):
        path = write_config(tmp_path, ("counter", terminal["port"]))
        with process("serve", "--config", path) as (driver, _):
            command = [*COMMAND, "pay", "counter", "5", "--config", str(path)]
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as pay:
                assert pay.stderr
                uuid = pay.stderr.readline().split()[-1]
                while "Waiting for the customer" not in pay.stderr.readline():
                    pass
                driver.kill()
                _, said = pay.communicate(timeout=30)
            assert pay.returncode == 5
            assert f"card-terminal status {uuid}" in said
        with process("serve", "--config", path):
            status = run("status", uuid, "--config", path)
            assert (status.returncode, status.stdout.split(",")[0]) == (5, "unknown")


def test_a_started_payment_whose_driver_is_gone_is_not_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A refused connection is safe before a payment is started, and never after."""
    with process("virtual", "concert-v3", "--port", "0") as (_, terminal):
        path = write_config(tmp_path, ("counter", terminal["port"]))
        with process("serve", "--config", path) as (driver, _):
            client = Client(StateFolder(tmp_path / "state"))
            asked = {
                "terminal": "counter",
                "kind": "sale",
                "amount": 500,
                "currency": "EUR",
                "not_after": "2100-01-01T00:00:00.000Z",
            }
            whose = {"till": "t", "session": "", "order": "o", "line": "l", "operator": "", "reference": ""}
            started = client.put(str(uuid.uuid4()), {**asked, **whose}, once=False)
            driver.kill()
            driver.wait(20)
        assert watch(client, started) == 5
    assert f"card-terminal status {started['uuid']}" in capsys.readouterr().err


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        path = write_config(tmp_path)
        refused = run("serve", "--config", path, "--port", str(taken.getsockname()[1]))
    assert refused.returncode == 1
    assert "is in use by another program" in refused.stderr
    assert one_line(refused.stderr[refused.stderr.index("card-terminal:") :])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[driver", "cannot be read"),
        ("[till]", "unknown key 'till'"),
        ("[driver]\nhost = 'x'", "unknown key 'host'"),
        ("[driver]\nport = '8765'", "driver.port must be a number"),
        ("[driver]\norigins = ['*']", "origin '*' must look like"),
        ("[driver]\norigins = ['https://shop.example/']", "must look like"),
        ("[terminal]\nid = 'x'", "[[terminal]]"),
        ("[[terminal]]\nprotocol = 'concert-v3'", "terminal.id is missing"),
        ("[[terminal]]\nid = 'x'\nprotocol = 'morse'", "known are concert-v2, concert-v3"),
        ("[[terminal]]\nid = 'x'\nprotocol = 'concert-v3'", "terminal x: host is missing"),
        (
            "[[terminal]]\nid = 'x'\nprotocol = 'concert-v3'\nhost = 'h'\n[terminal.options]\nspeed = 1",
            "unknown key 'speed'",
        ),
        ("[odoo]\nurl = 'https://shop.example'\nkey = 'abc'", "odoo.key must be 64 hex digits"),
        ("[odoo]\n[[terminal]]\nid = 'x'", "take out either [odoo] or [[terminal]]"),
        ("[driver]\norigins = ['https://a.example']\n[odoo]\n", "take out driver.origins"),
    ],
)
def test_configurations_that_cannot_be_used(
    tmp_path: Path, card_terminal: Callable[..., Said], text: str, words: str
) -> None:
    path = tmp_path / "driver.toml"
    path.write_text(text)
    path.chmod(0o600)
    status, _, error = card_terminal("serve", "--config", path, "--state", tmp_path / "state")
    assert status == 1
    assert words in error
    assert one_line(error)


def test_no_configuration_shows_one(tmp_path: Path) -> None:
    refused = run("serve", "--state", tmp_path)
    assert refused.returncode == 1
    assert "[[terminal]]" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_keys_that_others_can_read_are_refused(tmp_path: Path) -> None:
    path = write_config(tmp_path)
    (tmp_path / "state").mkdir()
    key = tmp_path / "state" / "local.key"
    key.write_text("00" * 32)
    key.chmod(0o644)
    refused = run("serve", "--config", path)
    assert (refused.returncode, f"chmod 600 {key}" in refused.stderr) == (1, True)
    paired = tmp_path / "paired.toml"
    odoo = (
        f"[odoo]\nurl = 'https://s.example'\ndatabase = 'd'\ndatabase_uuid = 'u'\ndriver = 'x'\nkey = '{'00' * 32}'\n"
    )
    paired.write_text(odoo)
    paired.chmod(0o640)
    refused = run("serve", "--config", paired, "--state", tmp_path / "other")
    assert (refused.returncode, f"chmod 600 {paired}" in refused.stderr) == (1, True)


@pytest.mark.parametrize("content", ["", "zz", "00" * 31])
def test_a_damaged_key(tmp_path: Path, card_terminal: Callable[..., Said], content: str) -> None:
    path = write_config(tmp_path)
    (tmp_path / "state").mkdir()
    key = tmp_path / "state" / "local.key"
    key.write_text(content)
    key.chmod(0o600)
    status, _, error = card_terminal("serve", "--config", path)
    assert (status, one_line(error), "delete it" in error) == (1, True, True)


def test_doctor_without_a_driver(tmp_path: Path, terminal_port: int) -> None:
    path = write_config(tmp_path, ("counter", terminal_port), ("gone", 9))
    found = run("doctor", "--config", path)
    assert found.returncode == 1
    assert "BAD no driver runs here" in found.stdout
    assert "can be written" in found.stdout
    assert "ok  terminal counter answers" in found.stdout
    assert "BAD terminal gone" in found.stdout


def test_doctor_without_anything(tmp_path: Path) -> None:
    found = run("doctor", "--state", tmp_path / "nothing")
    assert found.returncode == 1
    assert "[[terminal]]" in found.stdout
    assert "Traceback" not in found.stdout + found.stderr


# usage


@pytest.mark.parametrize(
    "arguments",
    [(), ("sell",), ("pay", "counter"), ("serve", "--port", "99999"), ("virtual", "morse"), ("serve", "--grace", "-1")],
)
def test_wrong_usage_is_one_line_and_status_2(card_terminal: Callable[..., Said], arguments: tuple[str, ...]) -> None:
    status, out, error = card_terminal(*arguments)
    assert (status, out, one_line(error)) == (2, "", True)


COMMANDS = (
    "serve",
    "terminals",
    "pay",
    "status",
    "backup",
    "virtual",
    "doctor",
    "decode",
    "encode",
    "pair",
    "install",
    "uninstall",
    "upgrade",
    "rollback",
)


def test_help_of_every_command(card_terminal: Callable[..., Said]) -> None:
    _, overview, _ = card_terminal("--help")
    for command in COMMANDS:
        status, shown, _ = card_terminal(command, "--help")
        assert (status, shown.startswith(f"usage: card-terminal {command}"), command in overview) == (0, True, True)


def test_decode_and_encode_run_on_a_bare_python(tmp_path: Path) -> None:
    """`-S -I`: no site packages, so neither aiohttp nor pyserial."""
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from hw_driver.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    bare = [sys.executable, "-S", "-I", "-c", program]

    def run_bare(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run([*bare, *arguments], input=stdin, capture_output=True, text=True, check=False)

    message = b"CZ0040300CJ012247300123456CA00201CB00500100CD0010CE003978"
    decoded = run_bare("decode", "concert-v3", "--hex", message.hex())
    assert decoded.returncode == 0, decoded.stderr
    encoded = run_bare("encode", "concert-v3", stdin=decoded.stdout)
    assert (encoded.returncode, encoded.stdout.strip()) == (0, message.hex())
    refused = run_bare("decode", "concert-v3", "--hex", "00")
    assert (refused.returncode, one_line(refused.stderr)) == (2, True)
    needs_more = run_bare("serve", "--config", str(write_config(tmp_path)))
    assert (needs_more.returncode, one_line(needs_more.stderr)) == (1, True)
    assert "pip install aiohttp" in needs_more.stderr
