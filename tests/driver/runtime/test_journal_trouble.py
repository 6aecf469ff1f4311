"""A journal in trouble loses nothing and says what to do: held, damaged, read-only, in memory, on a full disk."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from runtime_kit import SmallDisk, body, run_apart
from test_journal import APPROVED, broken_link, sold

from hw_driver.journal import Journal, JournalLocked, JournalUnavailable, NotRecorded, opening, storage
from hw_driver.protocols.machine import Outcome
from hw_driver.protocols.states import Money, State

ROOT = Path(__file__).resolve().parents[3]


def test_a_second_process_is_refused(journal: Journal, path: Path) -> None:
    uuid = sold(journal)
    script = (
        "import sys\n"
        "from hw_driver.journal import Journal, JournalLocked\n"
        "try: Journal.open(sys.argv[1], allow_tmpfs=True)\n"
        "except JournalLocked as error: print(error); sys.exit(3)\n"
    )
    second = subprocess.run(
        [sys.executable, "-c", script, str(path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert second.returncode == 3, second.stderr
    assert "the driver is running already" in second.stdout
    assert "card-terminal status" in second.stdout
    sold(journal)
    assert journal.get(uuid) is not None
    assert list(path.parent.glob("*damaged*")) == []


def test_a_second_opening_in_one_process_is_refused(journal: Journal, path: Path) -> None:
    with pytest.raises(JournalLocked):
        Journal.open(path, allow_tmpfs=True)
    sold(journal)


def scribble(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"no database at all" * 300)


def cut_in_half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def overwrite_a_page(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096 * 2)
        file.write(b"\xa5" * 4096 * 3)


def alter_an_event(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("UPDATE events SET body = replace(body, '1250', '9250') WHERE seq = 2")
    db.close()


def drop_an_event(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("DELETE FROM events WHERE seq = 3")
    db.close()


def garble_an_event(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("UPDATE events SET body = '{' WHERE seq = 3")
    db.close()


def forget_its_identity(path: Path) -> None:
    """What is left when the page of `meta` was lost."""
    with sqlite3.connect(path) as db:
        db.execute("DELETE FROM meta")
    db.close()


def forget_its_version(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 0")
    db.close()


DAMAGES = [
    scribble, cut_in_half, overwrite_a_page, alter_an_event, drop_an_event, garble_an_event,
    forget_its_identity, forget_its_version,
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_set_aside(journal: Journal, path: Path, damage: object) -> None:
    for _ in range(20):
        uuid = sold(journal)
    identity = journal.journal_id
    journal.close()
    damage(path)  # type: ignore[operator]
    spoilt = path.read_bytes()

    fresh = Journal.open(path, allow_tmpfs=True)
    assert fresh.journal_id != identity
    assert (fresh.get(uuid), fresh.last) == (None, 1)
    (aside,) = path.parent.glob("journal.sqlite3.damaged-*Z")
    assert aside.read_bytes() == spoilt
    assert "damaged" in fresh.notices[0]
    assert str(aside) in fresh.notices[0]
    sold(fresh)
    assert broken_link(fresh.journal_id, fresh.events()) is None
    fresh.close()


def test_a_large_file_is_checked_as_a_whole_once_damage_was_met(
    journal: Journal, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start does not read all of a large file; damage that it did not see is found out at the next one."""
    monkeypatch.setattr(opening, "CHECKED_WHOLE", 0)
    monkeypatch.setattr(opening, "TAIL", 5)
    for _ in range(60):
        sold(journal)
    journal.close()
    overwrite_events_in_the_middle(path)
    unaware = Journal.open(path, allow_tmpfs=True)
    assert unaware.notices == []
    with pytest.raises(sqlite3.DatabaseError):
        unaware.events(limit=1000)
    unaware.close()
    aware = Journal.open(path, allow_tmpfs=True)
    assert "damaged" in aware.notices[0]
    aware.close()
    again = Journal.open(path, allow_tmpfs=True)
    assert again.notices == []
    again.close()


def overwrite_events_in_the_middle(path: Path) -> None:
    """Spoil a page that holds events from the middle, and nothing else."""
    content = path.read_bytes()
    pages = [at for at in range(4096, len(content), 4096) if b'"operator":"Marie"' in content[at : at + 4096]]
    with path.open("r+b") as file:
        file.seek(next(at for at in pages[1:] if b'"state":"approved"' in content[at : at + 4096]))
        file.write(b"\xa5" * 4096)


def test_two_damaged_files_in_one_second_are_both_kept(path: Path) -> None:
    for text in ("first", "second"):
        path.write_text(text * 1000)
        Journal.open(path, allow_tmpfs=True).close()
    assert len({aside.read_text() for aside in path.parent.glob("*damaged*")}) == 2


def test_an_unfinished_first_start_is_finished(path: Path) -> None:
    sqlite3.connect(path).close()
    path.touch()
    journal = Journal.open(path, allow_tmpfs=True)
    assert (len(journal.journal_id), journal.last, journal.notices) == (32, 1, [])
    journal.close()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can reach, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="card-terminal-"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.parametrize("there_already", [False, True])
def test_a_read_only_folder_is_refused_with_advice(open_folder: Path, there_already: bool) -> None:
    path = open_folder / "journal.sqlite3"
    if there_already:
        Journal.open(path, allow_tmpfs=True).close()
        path.chmod(0o444)
    before = sorted(item.name for item in open_folder.iterdir())
    open_folder.chmod(0o555)
    kind, text = run_apart(lambda: Journal.open(path, allow_tmpfs=True), unprivileged=True)
    assert kind == "JournalUnavailable", text
    assert "right to write" in text
    assert str(open_folder) in text
    assert sorted(item.name for item in open_folder.iterdir()) == before


def test_a_folder_that_cannot_be_made_is_refused_with_advice(path: Path) -> None:
    path.write_text("a file, not a folder")
    with pytest.raises(JournalUnavailable, match="cannot be made") as refusal:
        Journal.open(path / "state" / "journal.sqlite3")
    assert refusal.value.money is Money.SAFE


def test_memory_is_no_place_for_a_journal() -> None:
    folder = Path(tempfile.mkdtemp(dir="/dev/shm"))
    try:
        with pytest.raises(JournalUnavailable, match="forgets everything when the power goes"):
            Journal.open(folder / "journal.sqlite3")
        assert list(folder.iterdir()) == []
    finally:
        folder.rmdir()


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("/var/lib/card-terminal/journal.sqlite3", "ext4"),
        ("/run/card-terminal/journal.sqlite3", "tmpfs"),
        ("/runner/journal.sqlite3", "ext4"),
        ("/mnt/my disk/journal.sqlite3", "vfat"),
        ("/covered/journal.sqlite3", "ramfs"),
    ],
)
def test_the_file_system_is_found_in_the_mounts(tmp_path: Path, place: str, kind: str) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "/dev/sda1 / ext4 rw 0 0\ntmpfs /run tmpfs rw 0 0\n/dev/sdb1 /mnt/my\\040disk vfat rw 0 0\n"
        "/dev/sdc1 /covered xfs rw 0 0\nnone /covered ramfs rw 0 0\n"
    )
    assert storage.filesystem_of(Path(place), mounts) == kind


def test_a_full_disk_before_the_sale_refuses_to_sell(small_disk: SmallDisk) -> None:
    journal = small_disk.journal()
    small_disk.fill()
    asked = body()
    with pytest.raises(JournalUnavailable, match="Free some") as refusal:
        journal.intend(asked)
    assert refusal.value.money is Money.SAFE
    assert journal.get(asked["uuid"]) is None
    small_disk.free()
    assert journal.intend(asked).state is State.REQUESTED
    assert broken_link(journal.journal_id, journal.events()) is None


def test_a_disk_that_fills_during_the_sale_still_takes_the_result(small_disk: SmallDisk) -> None:
    journal = small_disk.journal()
    asked = body()
    journal.intend(asked)
    assert small_disk.reserve.stat().st_size == storage.RESERVE_BYTES
    small_disk.fill()
    journal.record(asked["uuid"], State.SENT)
    outcome = Outcome(State.APPROVED, amount_approved=1250, receipt="x" * 3000, merchant_receipt="y" * 3000)
    assert journal.record(asked["uuid"], State.APPROVED, outcome).outcome == outcome
    assert not small_disk.reserve.exists()
    small_disk.fill()
    with pytest.raises(JournalUnavailable):
        journal.intend(body())
    small_disk.free()
    journal.intend(body())
    assert small_disk.reserve.stat().st_size == storage.RESERVE_BYTES
    assert broken_link(journal.journal_id, journal.events()) is None


def test_a_result_that_finds_no_room_at_all_is_not_recorded(small_disk: SmallDisk) -> None:
    journal = small_disk.journal()
    asked = body()
    journal.intend(asked)
    small_disk.fill()
    small_disk.steal_reserve()
    with pytest.raises(NotRecorded, match="full") as refusal:
        journal.note("filling", {"text": "x" * 5_000_000})
    assert refusal.value.money is Money.UNKNOWN
    small_disk.free()
    journal.record(asked["uuid"], State.SENT)
    assert journal.record(asked["uuid"], State.APPROVED, APPROVED).state is State.APPROVED
    assert broken_link(journal.journal_id, journal.events(limit=5000)) is None
