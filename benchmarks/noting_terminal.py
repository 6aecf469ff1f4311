"""A CONCERT V3 terminal that approves everything and notes when bytes came and left (CLOCK_MONOTONIC seconds).

`python -m benchmarks.noting_terminal SECONDS` prints its port; a connection that sends ``?`` gets the notes as JSON.
"""

from __future__ import annotations

import json
import socket
import sys
import time

APPROVED = "AE00210AF00201CC00300BAC006ABC123AI014A0000000421010AA01612345678####"


def main(think: float) -> None:
    notes: dict[str, tuple[float, float]] = {}
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        while True:
            link, _ = server.accept()
            with link:
                link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                request = link.recv(4096)
                first = time.monotonic()
                if request == b"?":
                    link.sendall(json.dumps(notes).encode())
                    continue
                time.sleep(think)
                asked = fields(request.decode())
                echo = "".join(
                    f"{tag}{len(asked[tag]):03d}{asked[tag]}" for tag in ("CZ", "CJ", "CA", "CB", "CD", "CE")
                )
                # Every customer has a card of his own: one that pays at 20 tills would be told to the managers.
                answer = f"{echo}{APPROVED}{int(asked['CB']) % 10000:04d}".encode()
                last = time.monotonic()
                link.sendall(answer)
            notes[asked["CB"]] = (first, last)


def fields(text: str) -> dict[str, str]:
    found = {}
    while text:
        length = int(text[2:5])
        found[text[:2]] = text[5 : 5 + length]
        text = text[5 + length :]
    return found


if __name__ == "__main__":
    main(float(sys.argv[1]))
