"""An independent CONCERT V3 terminal: it replays the vectors' replies over TCP and keeps a ledger of what it charged.

It shares no code with the driver, so that a mistake in the driver's tables cannot hide. In a test:

    with ReplayTerminal("approve") as terminal:   # terminal.port, terminal.behaviour = "decline", terminal.ledger

As a process: ``python terminal.py --port 0 --ledger FILE --behaviour approve`` prints ``{"port": 40123}``; each line on
stdin is a behaviour to switch to, answered by ``{"behaviour": ...}``; it ends with its stdin. A behaviour may carry a
number: ``late:2.5`` (seconds), ``cut_after_charge:30`` (bytes of the answer that still get out; 0 = none).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

VECTORS = Path(__file__).parent.parent / "vectors" / "concert.json"
IDENTITY = "CZ0040301CJ012330538600404CA00201CD001IAE00210"  # an Ingenico's identification, as published by OCA


def tlv_parse(text: str) -> dict[str, str] | None:
    """Return the fields of whole TLVs, None while the last one is not whole."""
    fields = {}
    while text:
        if len(text) < 5 or len(text) < 5 + int(text[2:5]):
            return None
        end = 5 + int(text[2:5])
        fields[text[:2]], text = text[5:end], text[end:]
    return fields


def tlv_build(fields: dict[str, str]) -> str:
    """Return the fields as TLVs, in their order."""
    return "".join(f"{tag}{len(value):03d}{value}" for tag, value in fields.items())


def replies() -> dict[str, str]:
    """Return the vectors' terminal-to-till messages by name."""
    vectors = json.loads(VECTORS.read_text())
    return {
        vector["name"]: vector["ascii"]
        for vector in vectors
        if vector["version"] == "V3" and vector["direction"] == "terminal->till"
    }


REPLIES = replies()
Answer = Callable[["ReplayTerminal", socket.socket, dict[str, str], float], None]


def echoed(name: str, asked: dict[str, str], **changes: str) -> str:
    """Return a vector's reply with what the till asked put into its echoed fields, then `changes`."""
    fields = tlv_parse(REPLIES[name]) or {}
    fields |= {tag: asked[tag] for tag in ("CA", "CB", "CD", "CE") if tag in asked}
    return tlv_build(fields | changes)


def approval(asked: dict[str, str], **changes: str) -> bytes:
    return echoed("v3_ak_rsp_ok", asked, **changes).encode()


def refusal(reason: str) -> Answer:
    def answer(terminal: ReplayTerminal, link: socket.socket, asked: dict[str, str], number: float) -> None:
        link.sendall(echoed("v3_ak_rsp_abort", asked, AF=reason).encode())

    return answer


def charged(make: Callable[[dict[str, str]], bytes], share: int = 1) -> Answer:
    """Charge the amount asked for divided by `share`, then send what `make` makes."""

    def answer(terminal: ReplayTerminal, link: socket.socket, asked: dict[str, str], number: float) -> None:
        terminal.charge(asked, max(1, int(asked["CB"]) // share))
        link.sendall(make(asked))

    return answer


def partial(asked: dict[str, str]) -> bytes:
    return approval(asked, CB=f"{max(1, int(asked['CB']) // 2):02d}")


def silent(terminal: ReplayTerminal, link: socket.socket, asked: dict[str, str], number: float) -> None:
    wait_for_close(link)


def cut_after_charge(terminal: ReplayTerminal, link: socket.socket, asked: dict[str, str], number: float) -> None:
    terminal.charge(asked, int(asked["CB"]))
    link.sendall(approval(asked)[: int(number)])


def split_every_byte(terminal: ReplayTerminal, link: socket.socket, asked: dict[str, str], number: float) -> None:
    terminal.charge(asked, int(asked["CB"]))
    for byte in approval(asked):
        link.sendall(bytes([byte]))
        time.sleep(0.001)


def keep_open(terminal: ReplayTerminal, link: socket.socket, asked: dict[str, str], number: float) -> None:
    terminal.charge(asked, int(asked["CB"]))
    link.sendall(approval(asked))
    wait_for_close(link)


def late(terminal: ReplayTerminal, link: socket.socket, asked: dict[str, str], number: float) -> None:
    time.sleep(number or 1)
    terminal.charge(asked, int(asked["CB"]))
    link.sendall(approval(asked))


def wait_for_close(link: socket.socket) -> None:
    while link.recv(4096):
        pass


BEHAVIOURS: dict[str, Answer] = {
    "approve": charged(approval),
    "decline": refusal("04"),
    "abort": refusal("11"),
    "partial": charged(partial, share=2),
    "silent": silent,
    "cut_after_charge": cut_after_charge,
    "split_every_byte": split_every_byte,
    "zero_padded_cb": charged(lambda asked: approval(asked, CB=asked["CB"].zfill(8))),
    "no_echo_on_abort": lambda terminal, link, asked, number: link.sendall(REPLIES["v3_oca_rsp_abandon"].encode()),
    "keep_open": keep_open,
    "extra_tags": charged(lambda asked: approval(asked, XA="anything", CQ="1")),
    "garbage": charged(lambda asked: b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "garbage_after": charged(lambda asked: approval(asked) + b"\x00\x01\x02"),
    "late": late,
}


class ReplayTerminal:
    """The terminal as a context manager. `behaviour` may be changed at any time; `ledger` holds the charges."""

    def __init__(self, behaviour: str = "approve", port: int = 0, ledger_file: str = "") -> None:
        self.behaviour = behaviour
        self.ledger: list[dict[str, object]] = []
        self.requests: list[dict[str, str]] = []
        self._ledger_file = ledger_file
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> ReplayTerminal:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):  # wakes the accept on Linux; elsewhere the close does
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def charge(self, asked: dict[str, str], amount: int) -> None:
        """Write a charge down, before anything is answered."""
        entry = {"action": asked["CD"], "amount": amount, "currency": asked["CE"], "register": asked["CA"]}
        self.ledger.append({**entry, "at": time.time(), "behaviour": self.behaviour})
        if self._ledger_file:
            with Path(self._ledger_file).open("a", encoding="ascii") as file:
                print(json.dumps(self.ledger[-1]), file=file)

    def _serve(self) -> None:
        while True:
            try:
                link, _ = self._listener.accept()
            except OSError:  # closed
                return
            threading.Thread(target=self._dialog, args=(link,), daemon=True).start()

    def _dialog(self, link: socket.socket) -> None:
        with link:
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                asked = self._request(link)
                if asked:
                    self.requests.append(asked)
                    self._answer(link, asked)
            except OSError:
                return  # the till has gone

    def _request(self, link: socket.socket) -> dict[str, str] | None:
        """Return a request once its mandatory fields are there: TCP may split it."""
        received = ""
        while data := link.recv(4096):
            received += data.decode("ascii").rstrip("\r\n")
            asked = tlv_parse(received)
            if (
                asked
                and {"CZ", "CJ", "CA", "CD"} <= asked.keys()
                and (asked["CD"] == "I" or {"CB", "CE"} <= asked.keys())
            ):
                return asked
        return None

    def _answer(self, link: socket.socket, asked: dict[str, str]) -> None:
        if asked["CD"] == "I":
            link.sendall(IDENTITY.encode())
        elif asked["CD"] not in "01":
            refusal("12")(self, link, asked, 0)
        elif "BF" in asked:  # as newer Ingenico software
            refusal("09")(self, link, asked, 0)
        else:
            name, _, number = self.behaviour.partition(":")
            BEHAVIOURS[name](self, link, asked, float(number or 0))


def main() -> None:
    parser = argparse.ArgumentParser(description="CONCERT V3 terminal that replays recorded answers")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--ledger", default="", help="file for what was charged, one JSON object per line")
    parser.add_argument("--behaviour", default="approve", help=", ".join(BEHAVIOURS))
    arguments = parser.parse_args()
    with ReplayTerminal(arguments.behaviour, arguments.port, arguments.ledger) as terminal:
        print(json.dumps({"port": terminal.port}), flush=True)
        for line in sys.stdin:
            if line.strip().partition(":")[0] in BEHAVIOURS:
                terminal.behaviour = line.strip()
                print(json.dumps({"behaviour": terminal.behaviour}), flush=True)
            else:
                print(json.dumps({"error": f"no such behaviour; there are {', '.join(BEHAVIOURS)}"}), flush=True)


if __name__ == "__main__":
    main()
