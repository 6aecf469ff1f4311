"""The till's machine against the independent terminal over real TCP: result and ledger must tell the same story."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from replay import terminal as replay
from replay.terminal import BEHAVIOURS, ReplayTerminal

from hw_driver.protocols.concert import PROTOCOLS
from hw_driver.protocols.machine import Open, Request, Result, Send
from hw_driver.protocols.states import Kind, State

OPTIONS = {"answer_timeout": 1.2, "drain": 0.1}
ASKED = 1234

#: behaviour -> (state, code, amount approved, amount in the terminal's ledger)
EXPECTED = {
    "approve": (State.APPROVED, "approved", ASKED, ASKED),
    "decline": (State.DECLINED, "declined", None, None),
    "abort": (State.CANCELLED, "operator_abort", None, None),
    "partial": (State.APPROVED, "partial", 617, 617),
    "silent": (State.UNKNOWN, "no_answer", None, None),
    "cut_after_charge": (State.UNKNOWN, "link_lost", None, ASKED),
    "cut_after_charge:30": (State.UNKNOWN, "reply_cut", None, ASKED),
    "split_every_byte": (State.APPROVED, "approved", ASKED, ASKED),
    "zero_padded_cb": (State.APPROVED, "approved", ASKED, ASKED),
    "no_echo_on_abort": (State.CANCELLED, "cardholder_abort", None, None),
    "keep_open": (State.APPROVED, "approved", ASKED, ASKED),
    "extra_tags": (State.APPROVED, "approved", ASKED, ASKED),
    "garbage": (State.UNKNOWN, "reply_malformed", None, ASKED),
    "garbage_after": (State.UNKNOWN, "reply_malformed", None, ASKED),
    "late:5": (State.UNKNOWN, "no_answer", None, None),
    "late:0.2": (State.APPROVED, "approved", ASKED, ASKED),
}


def run(port, request):
    """Carry out a machine's effects on a blocking socket; one timer runs at a time, the shorter one counts."""
    machine = PROTOCOLS[0].machine(OPTIONS)
    effects = machine.start(request)
    assert isinstance(effects[0], Open)
    with socket.create_connection(("127.0.0.1", port)) as link:
        effects = machine.connected()
        (sent,) = [effect.data for effect in effects if isinstance(effect, Send)]
        link.sendall(sent)
        timer = "answer"
        while not any(isinstance(effect, Result) for effect in effects):
            link.settimeout(OPTIONS["drain" if timer == "drain" else "answer_timeout"])
            try:
                data = link.recv(4096)
                effects = machine.receive(data) if data else machine.lost("closed")
                timer = "drain" if "StartTimer(name='drain'" in repr(effects) else "answer"
            except TimeoutError:
                effects = machine.timer(timer)
            except ConnectionError:
                effects = machine.lost("reset")
    (outcome,) = [effect.outcome for effect in effects if isinstance(effect, Result)]
    return outcome


def test_every_behaviour_is_expected():
    assert {name.partition(":")[0] for name in EXPECTED} == set(BEHAVIOURS)


@pytest.mark.parametrize("behaviour", EXPECTED)
def test_result_and_ledger(behaviour):
    state, code, approved, charged = EXPECTED[behaviour]
    with ReplayTerminal(behaviour) as terminal:
        outcome = run(terminal.port, Request("u", Kind.SALE, ASKED, "EUR"))
        assert (outcome.state, outcome.code, outcome.amount_approved) == (state, code, approved)
        assert [entry["amount"] for entry in terminal.ledger] == ([] if charged is None else [charged])
        assert len(terminal.requests) == 1


def test_refund_and_identification():
    with ReplayTerminal() as terminal:
        assert run(terminal.port, Request("u", Kind.REFUND, 500, "EUR")).amount_approved == 500
        assert [(entry["action"], entry["amount"]) for entry in terminal.ledger] == [("1", 500)]
        assert run(terminal.port, Request("u", Kind.IDENTIFY)).details["version"] == "0301"
        assert len(terminal.ledger) == 1


def test_a_request_in_pieces_is_put_together():
    with ReplayTerminal() as terminal, socket.create_connection(("127.0.0.1", terminal.port)) as link:
        for byte in b"CZ0040300CJ012012345678901CA00201CB0042500CD0010CE003978":
            link.sendall(bytes([byte]))
        assert b"CB0042500" in link.recv(4096)


def test_it_shares_no_code_with_the_driver():
    assert "hw_driver" not in {name.partition(".")[0] for name in vars(replay)}
    assert "import hw_driver" not in Path(replay.__file__).read_text()
    assert "from hw_driver" not in Path(replay.__file__).read_text()


def test_as_a_process(tmp_path):
    ledger = tmp_path / "ledger.jsonl"
    process = subprocess.Popen(
        [sys.executable, replay.__file__, "--port", "0", "--ledger", ledger, "--behaviour", "decline"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        port = json.loads(process.stdout.readline())["port"]
        assert run(port, Request("u", Kind.SALE, ASKED, "EUR")).state is State.DECLINED
        print("approve", file=process.stdin, flush=True)
        assert json.loads(process.stdout.readline()) == {"behaviour": "approve"}
        assert run(port, Request("u", Kind.SALE, ASKED, "EUR")).state is State.APPROVED
        print("dance", file=process.stdin, flush=True)
        assert "no such behaviour" in process.stdout.readline()
        process.stdin.close()
        assert process.wait(timeout=10) == 0
    assert [json.loads(line)["amount"] for line in ledger.read_text().splitlines()] == [ASKED]
