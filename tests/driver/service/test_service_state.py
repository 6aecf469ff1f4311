"""The driver's folder: keys, the kept configuration, and that a write is whole or has not happened."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from service_kit import KEY, TerminalProcess, configuration, shop, terminal_entry

from hw_driver.configuration import load
from hw_driver.service.grants import LOCAL
from hw_driver.state_folder import CONFIGURATION, StateFolder, StateFolderError


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    folder = StateFolder(tmp_path / "state")
    folder.create()
    return folder


def test_the_key_is_made_once_and_for_this_user_alone(folder: StateFolder) -> None:
    key = folder.local_key(create=True)
    assert len(key) == 32
    assert folder.local_key(create=True) == key == folder.local_key()
    assert (folder.path / "local.key").stat().st_mode & 0o077 == 0
    assert folder.path.stat().st_mode & 0o077 == 0


def test_there_is_no_key_before_the_first_start(folder: StateFolder) -> None:
    with pytest.raises(StateFolderError, match="start the driver once"):
        folder.local_key()


def test_a_write_that_fails_leaves_what_was_there(folder: StateFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.keep_configuration("old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StateFolderError, match="No space left"):
            folder.keep_configuration("new")
    assert folder.configuration() == "old"
    assert [path.name for path in folder.path.iterdir()] == [CONFIGURATION]


async def test_a_kept_configuration_that_was_altered_is_not_used(tmp_path: Path, terminal: TerminalProcess) -> None:
    kept = configuration(terminal_entry(terminal.port))
    kid, payload, signature = kept.split(".")
    async with shop(tmp_path, kept=f"{kid}.{payload}x.{signature}") as till:
        assert list(till.driver.terminals) == []
        assert till.driver.till_side.origins == frozenset()
        assert till.driver.keyring.keys.keys() == {"odoo", LOCAL}


def test_relative_paths_start_from_the_file(tmp_path: Path) -> None:
    file = tmp_path / "driver.toml"
    file.write_text("[driver]\nstate = 'here'\n")
    assert load(file, Path("elsewhere")).state == tmp_path / "here"
    file.write_text("")
    assert load(file, tmp_path / "elsewhere").state == tmp_path / "elsewhere"


def test_a_key_is_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "driver.toml"
    odoo = {"url": "https://s.example", "database": "d", "database_uuid": "u", "driver": "x", "key": KEY.hex()}
    file.write_text("[odoo]\n" + "".join(f"{name} = '{value}'\n" for name, value in odoo.items()))
    settings = load(file, tmp_path)
    assert settings.odoo is not None
    assert settings.odoo.key == KEY
    assert KEY.hex() not in repr(settings)
    assert repr(KEY) not in repr(settings)
