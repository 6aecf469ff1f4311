"""What `install` would write and run, for systemd and for Windows."""

from __future__ import annotations

import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from configparser import ConfigParser
from pathlib import Path

import pytest

from hw_driver.install.service import Place, Remove, Run, Write, carry_out, install_steps, told, uninstall_steps
from hw_driver.install.versions import CannotInstall

STATE = Path("/var/lib/card-terminal")
SUPERVISOR = STATE / "program" / "supervisor.py"


def place(kind: str, **changes: object) -> Place:
    wanted = {"python": sys.executable, "supervisor": SUPERVISOR, "state": STATE, "home": Path("/srv/shop"), **changes}
    return Place(kind, **wanted)  # type: ignore[arg-type]


def unit(kind: str, **changes: object) -> ConfigParser:
    (write,) = [
        step
        for step in install_steps(place(kind, **changes))
        if isinstance(step, Write) and step.path.suffix == ".service"
    ]
    parsed = ConfigParser(strict=False, interpolation=None)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read_string(write.text)
    return parsed


def test_the_machines_service_has_its_own_user_and_few_rights() -> None:
    service = unit("system", serial_group="dialout")["Service"]
    assert service["ExecStart"] == f"{sys.executable} {SUPERVISOR} serve"
    assert (service["User"], service["SupplementaryGroups"], service["Restart"]) == (
        "card-terminal",
        "dialout",
        "always",
    )
    assert (service["ProtectSystem"], service["ReadWritePaths"], service["CapabilityBoundingSet"]) == (
        "strict",
        str(STATE),
        "",
    )
    words = [step.words[0] for step in install_steps(place("system")) if isinstance(step, Run)]
    assert words == ["useradd", "chown", "systemctl", "systemctl", "systemctl"]


def test_a_users_service_needs_no_root() -> None:
    parsed = unit("user", supervisor=Path("/srv/a b/50%/supervisor.py"))
    assert parsed["Service"]["ExecStart"] == f'{sys.executable} "/srv/a b/50%%/supervisor.py" serve'
    assert "User" not in parsed["Service"]
    assert parsed["Install"]["WantedBy"] == "default.target"
    runs = [step.words for step in install_steps(place("user")) if isinstance(step, Run)]
    assert all("--user" in words for words in runs if words[0] == "systemctl")


@pytest.mark.parametrize("kind", ["system", "user"])
def test_systemd_itself_finds_no_fault(kind: str, tmp_path: Path) -> None:
    verifier = shutil.which("systemd-analyze")
    if verifier is None:
        assert sys.platform != "linux" or not Path("/run/systemd/system").exists(), "a systemd without systemd-analyze"
        return
    supervisor = tmp_path / "supervisor.py"
    supervisor.touch()
    for step in install_steps(place(kind, supervisor=supervisor, state=tmp_path, user="daemon")):
        if isinstance(step, Write) and step.path.suffix == ".service":
            (tmp_path / step.path.name).write_text(step.text)
    done = subprocess.run(
        [verifier, "verify", "--man=no", str(tmp_path / "card-terminal.service")],
        capture_output=True,
        text=True,
        check=False,
    )
    faults = [line for line in done.stderr.splitlines() if "card-terminal.service" in line]
    assert faults == []


def test_people_find_the_command() -> None:
    """The command runs whatever version is in use, with that version's Python."""
    for kind, where in (("system", "/usr/local/bin/card-terminal"), ("user", "/srv/shop/.local/bin/card-terminal")):
        (write,) = [step for step in install_steps(place(kind)) if isinstance(step, Write) and not step.path.suffix]
        assert (write.path.as_posix(), write.mode) == (where, 0o755)
        assert f'"{sys.executable}" "{SUPERVISOR}" "$@"' in write.text
        assert ("runuser -u card-terminal" in write.text) is (kind == "system"), "root runs nothing that is not root's"


def test_windows_runs_it_at_boot_without_rights() -> None:
    steps = install_steps(place("windows", python=r"C:\Program Files\Python & Co\python.exe"))
    (write,) = [step for step in steps if isinstance(step, Write)]
    task = ET.fromstring(write.text.encode(write.encoding))
    names = {"t": "http://schemas.microsoft.com/windows/2004/02/mit/task"}
    found = {name: task.findtext(f".//t:{name}", "", names) for name in ("Command", "Arguments", "UserId", "RunLevel")}
    assert found == {
        "Command": r"C:\Program Files\Python & Co\python.exe",
        "Arguments": f'"{SUPERVISOR}" serve',
        "UserId": "S-1-5-19",
        "RunLevel": "LeastPrivilege",
    }
    assert task.find(".//t:BootTrigger", names) is not None
    programs = [step.words[0] for step in steps if isinstance(step, Run)]
    assert programs == ["icacls", "schtasks", "schtasks"]


def test_uninstalling_keeps_the_journal() -> None:
    for kind in ("system", "user", "windows"):
        removed = [step.path for step in uninstall_steps(place(kind)) if isinstance(step, Remove)]
        assert not any(path.is_relative_to(STATE) for path in removed)


def test_steps_are_done_in_order_and_end_at_the_first_fault(tmp_path: Path) -> None:
    file = tmp_path / "a" / "b"
    fails = (sys.executable, "-c", "import sys; sys.exit('no')")
    carry_out([Write(file, "x", 0o755), Run(fails, may_fail=True)])
    assert file.read_text() == "x"
    with pytest.raises(CannotInstall, match="no"):
        carry_out([Run(fails), Remove(file)])
    assert file.exists()
    assert f"remove {file}" in told([Remove(file)])
