"""A till that is not ours (pyTeliumManager) against the virtual V2 terminal: real programs, a real line, a tap on it.

What the till says is, byte for byte, what was once captured from it (tests/driver/vectors). What the terminal says has
the captured layout: its answers differ in the card and in the word that marks them as virtual.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import reduce
from operator import xor
from pathlib import Path
from typing import Any

import pytest
from peers.tap import TERMINAL, TILL, Tap

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[2]
VECTORS = {
    vector["name"]: bytes.fromhex(vector["hex"])
    for vector in json.loads((HERE.parent / "vectors" / "concert.json").read_text())
}
ENQ, ACK, EOT = (VECTORS[f"ctl_{name}"] for name in ("enq", "ack", "eot"))
#: What pyTeliumManager is asked for. Its TYPE 2 is the cancellation; it calls it refund.
SALE = {"amount": 12.5, "transaction_type": "0", "payment_mode": "1", "answer_flag": "1", "authorization": "B010"}
SHORT = SALE | {"answer_flag": "0"}
CREDIT = SALE | {"amount": 5.0, "transaction_type": "1", "authorization": "B011"}
CANCELLATION = SALE | {"amount": 5.0, "transaction_type": "2"}


@contextmanager
def terminal(folder: Path, *words: str) -> Iterator[tuple[str, Path]]:
    """Run the virtual terminal; give the port's name and the ledger's file."""
    link, ledger = folder / "cable", folder / "ledger.jsonl"
    command = [sys.executable, "-m", "hw_driver", "virtual", "concert-v2", "--ready"]
    command += ["--device", str(link), "--ledger", str(ledger), *words]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert json.loads(process.stdout.readline())["device"]
            yield str(link), ledger
        finally:
            process.terminate()


def till(device: str, words: dict[str, Any]) -> dict[str, Any]:
    """Let pyTeliumManager ask for something and return what it made of it."""
    python = os.environ.get("PYTELIUM_PYTHON")
    assert python, "run this by ./dev/test driver, which makes pyTeliumManager's environment"
    command = [python, str(HERE / "pytelium_till.py"), device, json.dumps(words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def charged(ledger: Path) -> list[tuple[str, str, int]]:
    entries = [json.loads(line) for line in ledger.read_text().splitlines()]
    return [(entry["kind"], entry["outcome"], entry["amount"]) for entry in entries]


def session(said: list[tuple[str, bytes]], request: str) -> bytes:
    """Check a whole session on the line, whose request must be a vector's; return the terminal's frame."""
    assert [who for who, _ in said] == [TILL, TERMINAL] * 5
    assert [data for _, data in said[:5]] == [ENQ, ACK, VECTORS[request], ACK, EOT]
    enquiry, ready, answer, taken, end = (data for _, data in said[5:])
    assert (enquiry, ready, taken, end) == (ENQ, ACK, ACK, EOT)
    assert answer[:1] == b"\x02"
    assert answer[-2:-1] == b"\x03"
    assert reduce(xor, answer[1:-1]) == answer[-1]
    return answer


@pytest.mark.parametrize(
    ("words", "card", "request_vector", "answer_vector", "entry"),
    [
        (SALE, "contactless", "v2ep_debit_1250_ind1", "v2_rsp_ok_full", ("sale", "approved", 1250)),
        (SHORT, "contactless", "v2ep_debit_1250_ind0", "v2_rsp_ok_short", ("sale", "approved", 1250)),
        (SALE, "decline", "v2ep_debit_1250_ind1", "v2_rsp_refused_full", ("sale", "declined", 0)),
        (SHORT, "decline", "v2ep_debit_1250_ind0", "v2_rsp_refused_short", ("sale", "declined", 0)),
        (CREDIT, "contactless", "v2ep_credit_500_forced", "v2_rsp_ok_full", ("refund", "approved", 500)),
    ],
    ids=["sale", "sale-short", "refusal", "refusal-short", "credit"],
)
def test_a_till_of_others(tmp_path, words, card, request_vector, answer_vector, entry):
    with terminal(tmp_path, "--auto", card) as (port, ledger):
        with Tap(port) as tap:
            told = till(tap.device, words)
        answer = session(tap.said, request_vector)
        assert charged(ledger) == [entry]
    assert (told["taken"], told["answered"], told["succeeded"]) == (True, True, entry[1] == "approved")
    assert told["amount"] == words["amount"]
    assert_same_layout(answer, VECTORS[answer_vector], words)


def assert_same_layout(answer: bytes, vector: bytes, words: dict[str, Any]) -> None:
    """Compare length, register, status, means and currency with a vector's; the amount is the till's."""
    assert len(answer) == len(vector)
    assert answer[1:4] == vector[1:4]  # register and status
    assert answer[4:12] == b"%08d" % round(words["amount"] * 100)
    assert answer[12:13] == vector[12:13]  # means of payment
    assert answer[-15:-12] == vector[-15:-12]  # currency, before ten private positions, ETX and the check byte


def test_a_cancellation_of_a_sale(tmp_path):
    """TYPE 2 after a sale of that amount, on one line: the terminal takes it back."""
    with terminal(tmp_path, "--auto", "contactless") as (port, ledger):
        with Tap(port) as tap:
            assert till(tap.device, SALE | {"amount": 5.0})["succeeded"]
        with Tap(port) as tap:
            told = till(tap.device, CANCELLATION)
        answer = session(tap.said, "v2ep_cancel_500")
        assert charged(ledger) == [("sale", "approved", 500), ("reversal", "approved", 500)]
    assert told["succeeded"]
    assert_same_layout(answer, VECTORS["v2_rsp_ok_full"], CANCELLATION)


def test_what_was_given_up_is_not_paid_and_the_next_sale_goes_on(tmp_path):
    """The red key ends a sale as refused; the line is free for the next."""
    with terminal(tmp_path, "--auto", "abort") as (port, ledger):
        for _ in range(2):
            with Tap(port) as tap:
                told = till(tap.device, SALE)
            session(tap.said, "v2ep_debit_1250_ind1")
            assert (told["answered"], told["succeeded"]) == (True, False)
        assert [outcome for _, outcome, _ in charged(ledger)] == ["cancelled"] * 2
