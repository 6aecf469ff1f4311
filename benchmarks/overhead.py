"""`dev/bench overhead`: the driver's own time in a sale.

One sale after the other over loopback, through the driver's HTTP API with its doors, to a terminal that thinks for a
moment and then closes the connection, as a CONCERT terminal may. (One that stays open adds the protocol's drain of
0.3 s, which is not the driver's to save.) Counted are

    in   the till's first byte of PUT                  -> first byte at the terminal (its connection included)
    out  last byte of the answer leaves the terminal   -> the till has the whole HTTP answer that says "approved"

Between them lie three durable writes: requested and sent on the way in, approved on the way out.

Beside it, in the same run and after every sale: a bare exchange (the same bytes from the same process to the same
terminal, with nothing between) and three bare durable writes (4 KiB appended and fsynced to a file beside the journal).
"""

from __future__ import annotations

import http.client
import io
import json
import os
import socket
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.processes import TERMINAL, DriverProcess, driver, noted, terminal

#: Milliseconds: what the project wants of itself.
AIM_P50, AIM_P99 = 1.5, 5.0
WARM_UP = 20
#: Amounts tell the exchanges apart in the terminal's notes.
FIRST_SALE, FIRST_BARE = 1_000_000, 5_000_000


class Till:
    """A till's connection to the driver, kept open as a browser does."""

    def __init__(self, process: DriverProcess) -> None:
        self._link = socket.create_connection(("127.0.0.1", process.port))
        self._link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._headers = (
            f"Host: 127.0.0.1:{process.port}\r\nAuthorization: Bearer {process.grant}\r\n"
            "Content-Type: application/json\r\n"
        )

    def call(self, method: str, path: str, body: bytes = b"") -> dict[str, Any]:
        """Ask, in one piece as browsers send it, and return the JSON answer."""
        head = f"{method} {path} HTTP/1.1\r\n{self._headers}Content-Length: {len(body)}\r\n\r\n"
        self._link.sendall(head.encode() + body)
        with http.client.HTTPResponse(self._link, method=method) as response:
            response.begin()
            answer: dict[str, Any] = json.loads(response.read())
        if response.status >= 400:
            raise SystemExit(f"the driver refused: {answer}")
        return answer

    def sale(self, amount: int) -> tuple[float, float]:
        """Sell; return when it was asked and when the approval was there."""
        path = f"/v1/transactions/{uuid.uuid4()}"
        body = json.dumps(_body(amount)).encode()
        asked = time.monotonic()
        told = self.call("PUT", path, body)
        while told["state"] in ("requested", "sent"):
            told = self.call("GET", f"{path}?after={told['rev']}&wait=25")
        answered = time.monotonic()
        if (told["state"], told["amount_approved"]) != ("approved", amount):
            raise SystemExit(f"a sale was not approved: {told}")
        return asked, answered


def run(folder: Path, *, sales: int, think: float) -> int:
    """Measure and print; return the exit status."""
    sold: dict[int, tuple[float, float]] = {}
    bare: dict[int, tuple[float, float]] = {}
    writes: list[float] = []
    with terminal(think) as port, driver(folder, port) as process, (folder / "writes").open("wb", 0) as file:
        till = Till(process)
        used = cpu_seconds(process.pid)
        for number in range(-WARM_UP, sales):
            sold[FIRST_SALE + number] = till.sale(FIRST_SALE + number)
            bare[FIRST_BARE + number] = _bare(port, FIRST_BARE + number)
            writes.append(_three_writes(file))
        used = cpu_seconds(process.pid) - used
        storage = till.call("GET", "/v1/health")["storage"]
        notes = noted(port)
    own = _own_times(sold, notes, FIRST_SALE)
    floor = _own_times(bare, notes, FIRST_BARE)
    if len(own) != sales or len(floor) != sales:
        raise SystemExit(f"{sales} sales were made, the terminal noted {len(own)} and {len(floor)} bare exchanges")

    print(f"{sales} sales on loopback, journal on {storage['filesystem']}, SQLite {storage['sqlite']}", end=" ")
    print(f"{storage['journal_mode']} synchronous={storage['synchronous']}, {os.cpu_count()} cores", end=", ")
    print(f"load {os.getloadavg()[0]:.1f}")
    print(f"{'milliseconds':<22}{'p50':>8}{'p95':>8}{'p99':>8}{'max':>8}")
    _line("driver's own time", [sum(pair) for pair in own])
    _line("  in", [way_in for way_in, _ in own])
    _line("  out", [way_out for _, way_out in own])
    _line("bare TCP exchange", [sum(pair) for pair in floor])
    _line("three bare writes", writes[WARM_UP:])
    print(f"processor time of the driver: {used / (sales + WARM_UP) * 1000:.2f} ms a sale")
    totals = [sum(pair) for pair in own]
    met = percentile(totals, 50) <= AIM_P50 and percentile(totals, 99) <= AIM_P99
    print(f"aim: p50 <= {AIM_P50} ms, p99 <= {AIM_P99} ms: {'met' if met else 'MISSED'}")
    return 0 if met else 1


def cpu_seconds(pid: int) -> float:
    """Return the processor time a process has used."""
    numbers = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")


def percentile(values: list[float], percent: float) -> float:
    """Return the value that `percent` of them do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * int(percent) // 100) - 1)]


def _own_times(
    seen: dict[int, tuple[float, float]], notes: dict[int, tuple[float, float]], first: int
) -> list[tuple[float, float]]:
    return [
        ((notes[amount][0] - begun) * 1000, (ended - notes[amount][1]) * 1000)
        for amount, (begun, ended) in seen.items()
        if amount >= first and amount in notes
    ]


def _bare(port: int, amount: int) -> tuple[float, float]:
    """Exchange the same bytes with the terminal directly."""
    request = f"CZ0040300CJ012012345678901CA00201CB{len(str(amount)):03d}{amount}CD0010CE003978".encode()
    begun = time.monotonic()
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(request)
        while sock.recv(4096):
            pass
    return begun, time.monotonic()


def _three_writes(file: io.FileIO) -> float:
    """Return the milliseconds that three durable writes take."""
    begun = time.monotonic()
    for _ in range(3):
        file.write(b"x" * 4096)
        os.fsync(file.fileno())
    return (time.monotonic() - begun) * 1000


def _body(amount: int) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "terminal": TERMINAL,
        "kind": "sale",
        "amount": amount,
        "currency": "EUR",
        "till": "Bench",
        "session": "bench",
        "order": str(uuid.uuid4()),
        "line": str(uuid.uuid4()),
        "operator": "bench",
        "reference": f"{amount}",
        "not_after": (now + timedelta(seconds=30)).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }


def _line(name: str, values: list[float]) -> None:
    print(f"{name:<22}" + "".join(f"{percentile(values, p):8.2f}" for p in (50, 95, 99, 100)))
