"""Virtual terminals on real ports in this process."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from virtual_kit import Bench, Start

from hw_driver.virtual.concert import Settings, VirtualConcert
from hw_driver.virtual.faults import Faults, parse
from hw_driver.virtual.ledger import Ledger
from hw_driver.virtual.server import Server


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Return a function that starts a terminal: `await start("cut=40,always", auto="cb")`."""
    benches: list[Bench] = []

    async def begin(*faults: str, **settings) -> Bench:
        settings = {"auto": "contactless", "quiet": 0.01, "incomplete": 0.1, "close_after": 0.02, **settings}
        armed = Faults()
        for text in faults:
            armed.arm(*parse(text))
        path = tmp_path / f"ledger-{len(benches)}.jsonl"
        server = Server(VirtualConcert(Settings(**settings), armed), Ledger(path))
        await server.start()
        benches.append(Bench(server, path))
        return benches[-1]

    yield begin
    for bench in benches:
        await bench.server.stop()
        bench.server.ledger.close()
