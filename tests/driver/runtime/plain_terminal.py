"""A small CONCERT V3 terminal that shares nothing with the driver: it charges, answers as told, and keeps a ledger.

In a test: ``async with PlainTerminal("approve") as terminal: …``. As a process of its own, which outlives a driver that
is killed: ``python plain_terminal.py BEHAVIOUR`` prints its port; a connection that sends ``?`` gets the ledger.
"""

from __future__ import annotations

import asyncio
import json
import sys

#: What it does with a request, by name: (charges the customer, answers, closes afterwards).
BEHAVIOURS = {
    "approve": (True, "AE00210AF00201CC00300B", True),
    "approve_and_stay": (True, "AE00210AF00201CC00300B", False),
    "decline": (False, "AE00201AF00204", True),
    "busy": (False, "AE00201", True),
    "abandon": (False, "AE00201AF00211", True),
    "cut": (True, "", True),
    "cut_uncharged": (False, "", True),
    "silent": (True, "", False),
}


def fields(data: bytes) -> dict[str, str]:
    """Return the complete fields at the beginning of `data`."""
    text, at, found = data.decode("ascii"), 0, {}
    while at + 5 <= len(text) and at + 5 + int(text[at + 2 : at + 5]) <= len(text):
        end = at + 5 + int(text[at + 2 : at + 5])
        found[text[at : at + 2]] = text[at + 5 : end]
        at = end
    return found


def field(tag: str, value: str) -> str:
    return f"{tag}{len(value):03d}{value}"


class PlainTerminal:
    """Listens on 127.0.0.1; `ledger` has the amounts charged, `requests` every request's fields."""

    def __init__(self, behaviour: str) -> None:
        self.behaviour = behaviour
        self.ledger: list[int] = []
        self.requests: list[dict[str, str]] = []
        self.questions: list[dict[str, str]] = []
        self.last: dict[str, str] = {}  # of the last request that was dealt with: its answer, told again when asked
        self.tells = True
        self.thinks = asyncio.Event()  # cleared: it thinks until it tells its last one
        self.thinks.set()
        self.hold = asyncio.Event()  # cleared: it thinks until told to answer
        self.hold.set()
        self.port = 0
        self._open = 0
        self._quiet = asyncio.Condition()
        self._streams: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> PlainTerminal:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for stream in self._streams:
            stream.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._streams.add(writer)
        data = await reader.read(1)
        if data == b"?":
            async with self._quiet:
                await self._quiet.wait_for(lambda: self._open == 0)
            writer.write(json.dumps([request.get("CB") for request in self.requests]).encode() + b"\n")
            writer.write(json.dumps(self.ledger).encode())
        else:
            self._open += 1
            await self._exchange(data, reader, writer)
            async with self._quiet:
                self._open -= 1
                self._quiet.notify_all()
        writer.close()

    async def _exchange(self, data: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data and not {"CD", "CE"} <= (asked := fields(data)).keys() and asked.get("CD") != "I":
                more = await reader.read(4096)
                if not more:
                    return
                data += more
            if not data:
                return
            if asked["CD"] == "3":
                await self.thinks.wait()
                writer.write(self._told_again(asked))
                await writer.drain()
                return
            self.requests.append(asked)
            await self.hold.wait()
            charges, answer, closes = BEHAVIOURS[self.behaviour]
            if asked["CD"] == "I":
                charges, answer = False, "AE00210"
            said = {tag: asked[tag] for tag in ("CZ", "CJ", "CA", "CB", "CD", "CE", "CF") if tag in asked}
            if charges:
                self.charge(said)
            elif asked["CD"] != "I" and self.behaviour not in ("cut_uncharged", "busy"):
                self.last = said | {"AE": "01", "AF": "07"}
            if answer:
                number = field("AC", self.last["AC"]) if charges else ""
                writer.write(("".join(field(*item) for item in said.items()) + answer + number).encode())
                await writer.drain()
            if not closes:
                await reader.read()
        except ConnectionError:
            return  # a driver that was killed

    def charge(self, said: dict[str, str]) -> None:
        """Take the money; with no more than amount and currency it was typed on the terminal itself."""
        self.ledger.append(int(said["CB"]))
        self.last = said | {"AE": "10", "AC": f"{len(self.ledger):06d}"}

    def _told_again(self, asked: dict[str, str]) -> bytes:
        self.questions.append(asked)
        if not self.tells:
            said = {"AE": "01", "AF": "12"}
        elif not self.last:
            said = {"AE": "01", "AF": "00"}
        else:
            said = {tag: value for tag, value in self.last.items() if tag in ("CB", "CE", "AE", "AF", "AC", "CF")}
        head = {tag: asked[tag] for tag in ("CZ", "CJ", "CA", "CD")}
        return "".join(field(*item) for item in (head | said).items()).encode()


async def _main(behaviour: str) -> None:
    async with PlainTerminal(behaviour) as terminal:
        print(terminal.port, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))
