"""The power cut at any moment: nothing the driver told anybody is missing; with a sync taken away, something is."""

from __future__ import annotations

from pathlib import Path

import pytest

from torture.kill.disk import Disk, everything, nothing
from torture.kill.run_power import cut
from torture.kill.told import Ears, Fact

#: A driver that is watched call by call is slow.
pytestmark = pytest.mark.timeout(300)


def test_nothing_told_is_lost_in_a_power_cut(tmp_path: Path) -> None:
    cuts = cut(tmp_path, 12, 60, 1, "cuts")
    assert cuts.lost == []
    assert cuts.losses == 0
    assert cuts.cuts > 60
    assert set(cuts.told) == {"asked", "state", "event", "journal"}


@pytest.mark.parametrize("unsynced", ["all", "approved"])
def test_the_same_test_sees_a_sync_that_is_missing(tmp_path: Path, unsynced: str) -> None:
    """`dev/torture --power` runs these and the other controls each time, and fails where one loses nothing."""
    assert cut(tmp_path, 12, 20, 1, "cuts", unsynced).losses > 0


@pytest.fixture
def disk() -> Disk:
    disk = Disk(Path("/state"))
    disk.open("/state/a", truncate=False)
    disk.sync("/state")
    return disk


def test_what_was_synced_stays_and_what_was_not_may_go(disk: Disk) -> None:
    disk.write("/state/a", 0, b"x" * 600)
    disk.sync("/state/a")
    disk.write("/state/a", 500, b"y" * 600)
    assert disk.cut(nothing) == {"a": b"x" * 600}
    assert disk.cut(everything) == {"a": b"x" * 500 + b"y" * 600}


def test_each_sector_may_be_of_another_time(disk: Disk) -> None:
    disk.write("/state/a", 0, b"1" * 1024)
    disk.sync("/state/a")
    disk.write("/state/a", 0, b"2" * 1024)
    answers = iter([1, 0, 1])  # the length after the write, the first sector before it, the second after it
    assert disk.cut(lambda changes: next(answers) if changes else 0) == {"a": b"1" * 512 + b"2" * 512}


def test_a_file_that_grew_without_its_bytes_reads_as_zeros(disk: Disk) -> None:
    disk.write("/state/a", 0, b"1" * 512)
    answers = iter([1, 0])
    assert disk.cut(lambda changes: next(answers) if changes else 0) == {"a": bytes(512)}


def test_truncating_is_a_change_too(disk: Disk) -> None:
    disk.write("/state/a", 0, b"1" * 1024)
    disk.sync("/state/a")
    disk.truncate("/state/a", 100)
    assert disk.cut(nothing)["a"] == b"1" * 1024
    assert disk.cut(everything)["a"] == b"1" * 100


def test_names_last_once_the_folder_is_synced(disk: Disk) -> None:
    disk.open("/state/b", truncate=False)
    disk.write("/state/b", 0, b"b")
    disk.sync("/state/b")
    assert disk.cut(nothing) == {"a": b""}
    disk.rename("/state/b", "/state/a")
    assert disk.cut(nothing) == {"a": b""}
    assert disk.cut(everything) == {"a": b"b"}
    disk.sync("/state")
    assert disk.cut(nothing) == {"a": b"b"}


def test_what_is_told_is_told_when_its_last_byte_leaves() -> None:
    ears = Ears()
    answer = b'HTTP/1.1 200 OK\r\nContent-Length: 36\r\n\r\n{"uuid": "u", "state": "approved"}  '
    assert ears.hear(7, answer[:60]) == []
    assert ears.hear(7, answer[60:]) == [Fact("state", ("u", "approved"))]
    assert ears.hear(8, b"CZ0040300CB0041250") == [Fact("asked", (1250,))]
