from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from runtime_kit import MovableClock, SmallDisk
from toy_terminal import Toy
from zvt_shop import shop, wire

from hw_driver import dialog
from hw_driver.journal import Journal

__all__ = ["shop", "wire"]


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite3"


@pytest.fixture
def journal(path: Path, clock: MovableClock) -> Iterator[Journal]:
    journal = Journal.open(path, clock=clock, allow_tmpfs=True)
    yield journal
    journal.close()


@pytest.fixture
def small_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallDisk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    disk = SmallDisk(folder, monkeypatch)
    yield disk
    disk.close()


@pytest.fixture
async def toy(journal: Journal, clock: MovableClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Toy]:
    monkeypatch.setattr(dialog, "RETRY_SECONDS", 0.02)
    async with Toy(journal, clock).open() as toy:
        yield toy
