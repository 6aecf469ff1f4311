"""The journal where SQLite, the disk or the system says something rare; what it said before stands each time."""

from __future__ import annotations

import errno
import os
import sqlite3
import sys
import types
from contextlib import closing
from pathlib import Path

import pytest
from runtime_kit import MovableClock, body
from test_journal import APPROVED, broken_link, sold

from hw_driver.journal import Journal, JournalUnavailable, NotRecorded, opening, schema, storage
from hw_driver.journal import journal as journals
from hw_driver.journal.set_aside import SetAside
from hw_driver.protocols.states import State


def test_an_event_that_sqlite_refuses_leaves_nothing_behind(journal: Journal) -> None:
    uuid = sold(journal)
    journal.last -= 1  # as if another had written that number
    with pytest.raises(NotRecorded, match="UNIQUE"):
        journal.note("driver_started", {})
    journal.last += 1
    assert [event.type for event in journal.events()] == ["journal_created", "requested", "sent", "approved"]
    journal.note("driver_started", {})
    assert broken_link(journal.journal_id, journal.events()) is None
    assert journal.get(uuid) is not None


def test_a_long_log_is_moved_into_the_file_when_nobody_waits(
    journal: Journal, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "TIDY_AFTER", 20)
    sold(journal)
    before = path.stat().st_size
    journal.tidy()
    assert path.stat().st_size == before, "too few to be worth it"
    for _ in range(10):
        sold(journal)
    journal.tidy()
    assert path.stat().st_size > before
    size = path.stat().st_size
    sold(journal)
    journal.tidy()
    assert path.stat().st_size == size, "not again at once"
    assert broken_link(journal.journal_id, journal.events()) is None


def test_the_latest_are_answered_from_memory_and_the_others_from_the_file(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "REMEMBERED", 2)
    uuids = [sold(journal) for _ in range(4)]
    assert list(journal._recent) == uuids[2:]
    for uuid in uuids:
        record = journal.get(uuid)
        assert record is not None
        assert (record.state, record.outcome) == (State.APPROVED, APPROVED)


def test_one_that_has_no_outcome_yet_has_none_after_a_restart(journal: Journal, path: Path) -> None:
    asked = body()
    journal.intend(asked)
    journal.close()
    with closing(Journal.open(path, allow_tmpfs=True)) as again:
        record = again.get(asked["uuid"])
        assert record is not None
        assert (record.state, record.outcome, record.settled) == (State.REQUESTED, None, {})


def test_a_backup_that_cannot_be_written_says_so(journal: Journal, tmp_path: Path) -> None:
    sold(journal)
    with pytest.raises(JournalUnavailable, match="cannot be written"):
        journal.backup(tmp_path / "no such folder" / "copy.sqlite3")
    sold(journal)


def test_a_user_without_the_right_is_told_which_folder(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda place, mode: Path(place) != path.parent)
    with pytest.raises(JournalUnavailable, match=f"right to write the folder {path.parent}"):
        Journal.open(path, allow_tmpfs=True)
    assert not path.exists()


def test_a_disk_that_breaks_after_a_copy_was_set_aside(
    journal: Journal, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The driver does not start; the copy is kept, and the next start begins its own journal."""
    uuid = sold(journal)
    journal.backup(tmp_path / "copy.sqlite3")
    journal.close()
    path.unlink()
    (tmp_path / "copy.sqlite3").rename(path)

    def breaks(*_: object) -> None:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "_create", breaks)
        with pytest.raises(JournalUnavailable, match="Look at the disk"):
            Journal.open(path, allow_tmpfs=True)
    [aside] = path.parent.glob("journal.sqlite3.copy-*Z")
    with closing(Journal.open(path, allow_tmpfs=True)) as fresh:
        assert (fresh.last, fresh.get(uuid)) == (1, None)
    with closing(sqlite3.connect(aside)) as db:
        assert db.execute("SELECT state FROM transactions").fetchall() == [("approved",)]


def test_a_folder_where_the_file_should_be(path: Path) -> None:
    path.mkdir()
    with pytest.raises(JournalUnavailable, match="right to write"):
        Journal.open(path, allow_tmpfs=True)
    assert path.is_dir()


def test_a_first_start_that_was_killed_before_it_named_itself(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        schema.migrate(db, lambda version: None)
    with closing(Journal.open(path, allow_tmpfs=True)) as journal:
        assert (len(journal.journal_id), journal.last, journal.notices) == (32, 1, [])
    assert list(path.parent.glob("*damaged*")) == []


def test_two_files_set_aside_in_one_second_are_both_kept(path: Path, clock: MovableClock) -> None:
    now = clock.now()
    for text in ("first", "second", "third"):
        path.write_text(text)
        storage.set_aside(path, "damaged", now)
    assert sorted(aside.read_text() for aside in path.parent.glob("*.damaged-*")) == ["first", "second", "third"]


def test_what_is_set_aside_is_told_up_to_the_first_event_that_is_not_whole(journal: Journal, path: Path) -> None:
    for _ in range(2):
        sold(journal)
    told = journal.events()
    journal.close()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE events SET body = '{' WHERE seq = 5")
    with closing(SetAside(path)) as aside:
        assert (aside.journal_id, aside.last) == (journal.journal_id, 7)
        assert aside.events(0, 100) == told[:4]
        assert aside.events(4, 100) == []


# -- room in reserve


def test_a_reserve_of_the_wrong_size_is_made_anew(tmp_path: Path) -> None:
    reserve = storage.Reserve(tmp_path / "reserve")
    (tmp_path / "reserve").write_bytes(b"half")
    reserve.ensure()
    assert (tmp_path / "reserve").stat().st_size == storage.RESERVE_BYTES


def test_a_reserve_that_cannot_be_looked_at_refuses_the_sale(
    journal: Journal, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stat = Path.stat

    def broken(place: Path, **options: bool) -> os.stat_result:
        if place.name.endswith(".reserve"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return stat(place, **options)

    asked = body()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "stat", broken)
        with pytest.raises(JournalUnavailable, match="cannot be read"):
            journal.intend(asked)
    assert journal.get(asked["uuid"]) is None
    assert journal.intend(asked).state is State.REQUESTED


# -- what the system says of itself


def test_where_the_system_tells_no_mounts_the_file_system_is_unknown(tmp_path: Path) -> None:
    assert storage.filesystem_of(tmp_path / "journal.sqlite3", tmp_path / "mounts") == "unknown"


def test_a_machine_is_known_by_its_id_wherever_that_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = {"/var/lib/dbus/machine-id": "abc\n"}

    def read(place: Path) -> str:
        if str(place) not in ids:
            raise FileNotFoundError(place)
        return ids[str(place)]

    monkeypatch.setattr(Path, "read_text", read)
    by_dbus = storage.machine_fingerprint()
    assert len(by_dbus) == 64
    ids["/etc/machine-id"] = "abc"
    assert storage.machine_fingerprint() == by_dbus
    ids["/etc/machine-id"] = "other"
    assert storage.machine_fingerprint() not in ("", by_dbus)
    ids.clear()
    assert storage.machine_fingerprint() == "", "a system that gives none"


def test_on_windows_a_machine_is_known_by_its_guid(monkeypatch: pytest.MonkeyPatch) -> None:
    """The registry of Windows, as far as it is asked."""

    class Key:
        def __enter__(self) -> Key:
            return self

        def __exit__(self, *_: object) -> None:
            """Nothing is held."""

    winreg = types.ModuleType("winreg")
    winreg.HKEY_LOCAL_MACHINE = "HKLM"  # type: ignore[attr-defined]
    asked: list[tuple[object, ...]] = []
    winreg.OpenKey = lambda *where: asked.append(where) or Key()  # type: ignore[attr-defined]
    winreg.QueryValueEx = lambda key, name: (f"{name}-1", 1)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "winreg", winreg)
    monkeypatch.setattr(sys, "platform", "win32")
    assert len(storage.machine_fingerprint()) == 64
    assert asked == [("HKLM", r"SOFTWARE\Microsoft\Cryptography")]


def test_an_error_without_a_code_is_still_a_sentence(path: Path) -> None:
    told = opening.explained(sqlite3.Error("something"), path)
    assert "cannot be used: something. Look at the disk that holds it." in str(told)
