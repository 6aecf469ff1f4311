"""The command: bad input is one line that says what to do, a signal ends it cleanly."""

import signal
import socket
import subprocess
import sys
import urllib.request

import pytest
from test_ledger import ROOT, process


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hw_driver.virtual.command", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["concert-v3", "--fault", "nonsense"], 1, "there are decline"),
        (["concert-v3", "--fault", "cut=x"], 1, "comes a number"),
        (["concert-v3", "--ledger", "/"], 1, "Name another file"),
        (["concert-v3", "--port", "99999"], 2, "0 to 65535"),
        (["concert-v3", "--delay", "-1"], 2, "0 or more"),
        (["telepathy"], 2, "concert-v3"),
    ],
)
def test_bad_input(arguments: list[str], status: int, says: str) -> None:
    ended = run(*arguments)
    assert ended.returncode == status
    assert says in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_taken_port_is_said() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = run("concert-v3", "--port", str(taken.getsockname()[1]))
    assert ended.returncode == 1
    assert "Choose another port" in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it(number: signal.Signals) -> None:
    with process("--web", "0") as (running, ready):
        with socket.create_connection(("127.0.0.1", ready["port"])):
            with urllib.request.urlopen(f"http://127.0.0.1:{ready['web']}/api/events", timeout=5) as events:
                assert events.readline().startswith(b"data: ")
                running.send_signal(number)
                assert running.wait(5) == 0
        assert running.stderr
        assert running.stderr.read() == ""
