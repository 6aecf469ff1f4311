from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from service_kit import TerminalProcess, Till, shop, terminal_entry


@pytest.fixture(scope="session")
def processes() -> Iterator[list[TerminalProcess]]:
    processes = [TerminalProcess(), TerminalProcess()]
    yield processes
    for process in processes:
        process.stop()


@pytest.fixture
def terminal(processes: list[TerminalProcess]) -> Iterator[TerminalProcess]:
    """A terminal at which the next card is good."""
    processes[0].auto("contactless")
    yield processes[0]
    processes[0].press("red")


@pytest.fixture
def spare(processes: list[TerminalProcess]) -> Iterator[TerminalProcess]:
    processes[1].auto("contactless")
    yield processes[1]
    processes[1].press("red")


@pytest.fixture
async def till(tmp_path: Path, terminal: TerminalProcess, spare: TerminalProcess) -> AsyncIterator[Till]:
    """A till of a paired driver with two terminals."""
    async with shop(tmp_path, terminal_entry(terminal.port), terminal_entry(spare.port, "spare")) as till:
        yield till
