"""`doctor` on an installation: what Odoo last said, what became of a change, how long the certificate lasts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from hw_driver.cli import main
from hw_driver.install import supervisor
from hw_driver.pairing import Pairing
from hw_driver.state_folder import StateFolder

KEY = bytes(range(32))
ODOO = f"""
[odoo]
url = "http://127.0.0.1:9"
database = "shop"
database_uuid = "u"
driver = "d"
key = "{KEY.hex()}"
"""


@pytest.fixture
def doctor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    (tmp_path / "driver.toml").write_text(ODOO)
    (tmp_path / "driver.toml").chmod(0o600)

    def run() -> str:
        assert main(["doctor", "--state", str(tmp_path)]) == 1  # no driver runs
        return capsys.readouterr().out

    return run


@pytest.mark.parametrize("state", ["retired", "revoked", "outdated"])
def test_a_driver_that_may_not_sell(doctor: Callable[[], str], tmp_path: Path, state: str) -> None:
    assert "keeps this driver from selling" not in doctor()
    pairing = Pairing(StateFolder(tmp_path), KEY)
    pairing.told({"standing": {"state": state, "text": "So says Odoo."}, "offer": {"version": "99.0"}})
    said = doctor()
    assert "BAD Odoo keeps this driver from selling: So says Odoo." in said
    assert "Odoo offers version 99.0" in said
    (tmp_path / "driver.toml").write_text(ODOO.replace(KEY.hex(), "77" * 32))
    assert "keeps this driver from selling" not in doctor(), "a new pairing begins anew"


def test_a_version_that_was_tried(doctor: Callable[[], str], tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.mkdir()
    entry = {"version": "1.0.0", "folder": str(program), "python": "python3"}
    failed = {"version": "2.0.0", "why": "it ended with status 1"}
    supervisor.write(program, {"current": entry, "previous": None, "trial": False, "failed": failed})
    said = doctor()
    assert "ok  version 1.0.0 installed" in said
    assert "BAD version 2.0.0 was tried and did not start: it ended with status 1" in said
    (program / "current.json").write_text(json.dumps({}))
    assert "is damaged" in doctor()


def test_a_certificate(doctor: Callable[[], str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["certificate", "till1.lan", "--state", str(tmp_path)]) == 0
    capsys.readouterr()
    assert "ok  HTTPS as till1.lan, on port 8766: the certificate ends in 8" in doctor()
    (tmp_path / "tls" / "driver.pem").write_text("nonsense")
    assert "BAD the certificate" in doctor()
