from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from runtime_kit import MovableClock, SmallDisk

from hw_driver.journal import Journal


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
