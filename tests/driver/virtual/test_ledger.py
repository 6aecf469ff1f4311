"""The ledger holds what was charged, through crashes at any moment; the process is really killed."""

import json
import resource
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from virtual_kit import SALE, fields

from hw_driver.virtual.ledger import Card, Entry, Ledger, LedgerError

ROOT = Path(__file__).parents[3]
ENTRY = Entry("sale", 1000, 1000, "EUR", "01", "0712345", "approved", Card("CB", "4821"), "123456")


@contextmanager
def process(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, int]]]:
    """Run the command; kill it, as a power cut does, at the end."""
    command = [sys.executable, "-m", "hw_driver.virtual.command", "concert-v3", "--port", "0", "--ready", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout
            yield running, json.loads(running.stdout.readline())
        finally:
            running.kill()


def sell(port: int, amount: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as till:
        till.sendall(SALE.replace(b"CB0042500", f"CB{len(str(amount)):03d}{amount}".encode()))
        return till.recv(4096)


def wait_for_card(web: int) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{web}/api/events", timeout=5) as events:
        while b'"phase": "card"' not in events.readline():
            pass


def amounts(path: Path) -> list[int]:
    return [json.loads(line)["amount"] for line in path.read_text().splitlines()]


def test_answered_sales_survive_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    for amount in (1100, 1200):
        with process("--ledger", str(path), "--auto", "cb") as (_, ready):
            assert fields(sell(ready["port"], amount))["AE"] == "10"
    assert amounts(path) == [1100, 1200]
    assert [json.loads(line)["number"] for line in path.read_text().splitlines()] == [1, 2]


def test_a_kill_in_mid_sale_charges_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    with process("--ledger", str(path), "--web", "0") as (running, ready):
        with socket.create_connection(("127.0.0.1", ready["port"]), timeout=5) as till:
            till.sendall(SALE)
            wait_for_card(ready["web"])
            running.kill()
            with suppress(ConnectionResetError):
                assert till.recv(4096) == b""
    with process("--ledger", str(path), "--auto", "cb") as (_, ready):
        sell(ready["port"], 900)
    assert amounts(path) == [900]


def test_a_charge_whose_answer_was_lost_survives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    with process("--ledger", str(path), "--auto", "cb", "--fault", "lost") as (_, ready):
        assert sell(ready["port"], 1300) == b""
    assert amounts(path) == [1300]


def test_a_line_cut_by_a_crash_is_dropped_and_the_rest_kept(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    ledger = Ledger(path)
    ledger.book(ENTRY)
    ledger.close()
    whole = path.read_bytes()
    path.write_bytes(whole + whole[: len(whole) // 2])
    ledger = Ledger(path)
    assert [entry.number for entry in ledger.entries] == [1]
    assert ledger.book(ENTRY).number == 2
    ledger.close()
    assert len(amounts(path)) == 2


def test_totals_count_what_was_charged(tmp_path: Path) -> None:
    ledger = Ledger(None)
    for kind, amount, outcome in (("sale", 1000, "approved"), ("sale", 0, "declined"), ("refund", 300, "approved")):
        ledger.book(Entry(kind, 1000, amount, "EUR", "01", "", outcome))
    totals = ledger.totals()["EUR"]
    assert (totals.sales, totals.sales_amount, totals.refunds, totals.refunds_amount, totals.net) == (
        1,
        1000,
        1,
        300,
        700,
    )


def test_what_cannot_be_booked_is_not_charged(tmp_path: Path) -> None:
    """A disk that takes two lines and a part of the third, as far as this process can tell."""
    path = tmp_path / "ledger.jsonl"
    with process("--ledger", str(path), "--auto", "cb") as (running, ready):
        answers = [sell(ready["port"], 1100)]
        room = path.stat().st_size * 5 // 2
        resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (room, room))
        answers += [sell(ready["port"], 1200), _sell_or_reset(ready["port"], 1300)]
        assert running.wait(5) == 1
        assert running.stderr
        assert "Make room" in running.stderr.read()
    assert [bool(answer) for answer in answers] == [True, True, False]
    assert amounts(path) == [1100, 1200]


def _sell_or_reset(port: int, amount: int) -> bytes:
    try:
        return sell(port, amount)
    except ConnectionResetError:
        return b""


@pytest.mark.parametrize("content", [b"hello\n", b"{}\n", b"[]\n", b'{"card": 3}\n'])
def test_another_file_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(LedgerError, match="Name another file"):
        Ledger(path)
    assert path.read_bytes() == content


def test_a_folder_is_no_ledger(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="Name another file"):
        Ledger(tmp_path)
