"""Log files: for their owner, cut before they fill a disk, left to systemd where that keeps the log."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hw_driver.configuration import ConfigurationError, LogSettings, settings
from hw_driver.service.logs import RotatingFile, log_to_files


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    root = logging.getLogger()
    before = list(root.handlers)
    yield root
    for handler in set(root.handlers) - set(before):
        root.removeHandler(handler)
        handler.close()


def test_they_are_turned_over(tmp_path: Path) -> None:
    handler = RotatingFile(tmp_path / "logs" / "driver.log", 1000, 3)
    for number in range(300):
        handler.emit(logging.makeLogRecord({"msg": f"line {number:04} {'x' * 20}"}))
    handler.close()
    files = sorted((tmp_path / "logs").iterdir())
    assert [file.name for file in files] == ["driver.log", "driver.log.1", "driver.log.2"]
    assert all(file.stat().st_size <= 1000 for file in files)
    assert "line 0299" in files[0].read_text()
    if sys.platform != "win32":
        assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_systemd_keeps_them_itself(tmp_path: Path, root: logging.Logger, monkeypatch: pytest.MonkeyPatch) -> None:
    count = len(root.handlers)
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    log_to_files(tmp_path, LogSettings())
    monkeypatch.delenv("JOURNAL_STREAM")
    log_to_files(tmp_path, LogSettings(files=0))
    assert len(root.handlers) == count
    log_to_files(tmp_path, LogSettings())
    assert len(root.handlers) == count + 1


@pytest.mark.parametrize("table", [{"megabytes": 0}, {"megabytes": "5"}, {"files": -1}, {"files": True}, {"size": 1}])
def test_settings_that_cannot_be(tmp_path: Path, table: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match=r"driver\.log"):
        settings({"driver": {"log": table}}, tmp_path, tmp_path)
