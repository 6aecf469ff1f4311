"""The driver as a service of the machine: what is written and run for systemd and for Windows, as data.

`plan()` says the steps; `carry_out()` does them. So `install --print` shows exactly what would happen.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from .versions import CannotInstall

NAME = "card-terminal"
SYSTEM_UNIT = Path("/etc/systemd/system") / f"{NAME}.service"
COMMAND = Path("/usr/local/bin") / NAME
#: Seconds that systemd lets the driver end a payment before it is killed; more than the driver's own grace.
STOP_SECONDS = 45

UNIT = """\
[Unit]
Description=Card terminal driver for Odoo's point of sale
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart={python} {supervisor} serve
Restart=always
RestartSec=2
KillMode=mixed
TimeoutStopSec={stop}
UMask=0077
NoNewPrivileges=yes
{more}
[Install]
WantedBy={target}
"""
#: Only for a unit of the machine: a user's own systemd may lack the rights to set these up.
HARDENING = """\
User={user}
Group={user}
{groups}ReadWritePaths={state}
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
CapabilityBoundingSet=
SystemCallArchitectures=native
SystemCallFilter=@system-service
"""
#: Windows starts it with the machine as LOCAL SERVICE, and again when it has ended.
TASK = """\
<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo><Description>Card terminal driver for Odoo's point of sale</Description></RegistrationInfo>
  <Triggers><BootTrigger><Enabled>true</Enabled></BootTrigger></Triggers>
  <Principals>
    <Principal id="Author"><UserId>S-1-5-19</UserId><RunLevel>LeastPrivilege</RunLevel></Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <RestartOnFailure><Interval>PT1M</Interval><Count>999</Count></RestartOnFailure>
  </Settings>
  <Actions Context="Author">
    <Exec><Command>{python}</Command><Arguments>"{supervisor}" serve</Arguments></Exec>
  </Actions>
</Task>
"""


@dataclass(frozen=True, slots=True)
class Write:
    """Write a text file."""

    path: Path
    text: str
    mode: int = 0o644
    encoding: str = "utf-8"


@dataclass(frozen=True, slots=True)
class Run:
    """Run a program; `may_fail` where it may have been done before."""

    words: tuple[str, ...]
    may_fail: bool = False


@dataclass(frozen=True, slots=True)
class Remove:
    """Remove a file."""

    path: Path


Step = Write | Run | Remove


@dataclass(frozen=True, slots=True)
class Place:
    """What the steps depend on. `kind`: `system` (systemd, as root), `user` (systemd, one's own) or `windows`."""

    kind: str
    python: str
    supervisor: Path
    state: Path
    user: str = NAME
    serial_group: str = ""
    home: Path = Path()

    @property
    def unit(self) -> Path:
        """Where the unit lies."""
        return SYSTEM_UNIT if self.kind == "system" else self.home / ".config/systemd/user" / SYSTEM_UNIT.name

    @property
    def command(self) -> Path:
        """Where people find `card-terminal`."""
        return COMMAND if self.kind == "system" else self.home / ".local/bin" / NAME

    @property
    def task(self) -> Path:
        """Where the description of the task is kept."""
        return self.supervisor.with_name("task.xml")


def here(state: Path, supervisor: Path, python: str, *, system: bool | None = None, only_print: bool = False) -> Place:
    """Return this machine's place; `CannotInstall` where there is neither systemd (unless to print) nor Windows."""
    if sys.platform == "win32":
        return Place("windows", python, supervisor, state)
    if not (only_print or shutil.which("systemctl")):
        raise CannotInstall(f"this machine has no systemd; have it run by other means: {python} {supervisor} serve")
    as_system = os.geteuid() == 0 if system is None else system
    if as_system and Path(python).resolve().is_relative_to(Path.home()):
        raise CannotInstall(
            f"a service of the machine cannot use {python}, which lies in a home folder; use the system's own: "
            "sudo /usr/bin/python3 …, or add --user"
        )
    return Place(
        "system" if as_system else "user", python, supervisor, state, serial_group=_serial_group(), home=Path.home()
    )


def install_steps(place: Place) -> list[Step]:
    """Return what installs and starts the service."""
    if place.kind == "windows":
        text = TASK.format(python=escape(place.python), supervisor=escape(str(place.supervisor)))
        return [
            Write(place.task, text, encoding="utf-16"),
            Run(
                (
                    "icacls",
                    str(place.state),
                    "/inheritance:r",
                    "/grant",
                    "*S-1-5-19:(OI)(CI)F",
                    "*S-1-5-32-544:(OI)(CI)F",
                )
            ),
            Run(("schtasks", "/create", "/tn", NAME, "/xml", str(place.task), "/f")),
            Run(("schtasks", "/run", "/tn", NAME)),
        ]
    unit = Write(place.unit, unit_text(place))
    if place.kind == "user":
        control = ("systemctl", "--user")
        return [
            unit,
            Write(place.command, f'#!/bin/sh\nexec "{place.python}" "{place.supervisor}" "$@"\n', 0o755),
            Run(("loginctl", "enable-linger"), may_fail=True),  # or the driver ends when its user logs out
            Run((*control, "daemon-reload")),
            Run((*control, "enable", NAME)),
            Run((*control, "restart", NAME)),
        ]
    shell = f'#!/bin/sh\nexec runuser -u {place.user} -- "{place.python}" "{place.supervisor}" "$@"\n'
    return [
        Run(
            ("useradd", "--system", "--home-dir", str(place.state), "--shell", "/usr/sbin/nologin", place.user),
            may_fail=True,
        ),
        Run(("chown", "-R", f"{place.user}:{place.user}", str(place.state))),
        unit,
        Write(place.command, shell, 0o755),
        Run(("systemctl", "daemon-reload")),
        Run(("systemctl", "enable", NAME)),
        Run(("systemctl", "restart", NAME)),
    ]


def uninstall_steps(place: Place) -> list[Step]:
    """Return what ends and removes the service; journal, keys and versions stay."""
    if place.kind == "windows":
        return [Run(("schtasks", "/end", "/tn", NAME), may_fail=True), Run(("schtasks", "/delete", "/tn", NAME, "/f"))]
    control = ("systemctl",) if place.kind == "system" else ("systemctl", "--user")
    return [
        Run((*control, "disable", "--now", NAME), may_fail=True),
        Remove(place.unit),
        Remove(place.command),
        Run((*control, "daemon-reload")),
    ]


def unit_text(place: Place) -> str:
    """Return the systemd unit."""
    system = place.kind == "system"
    groups = f"SupplementaryGroups={place.serial_group}\n" if place.serial_group else ""
    more = HARDENING.format(user=place.user, groups=groups, state=_word(place.state)) if system else ""
    return UNIT.format(
        python=_word(place.python),
        supervisor=_word(place.supervisor),
        stop=STOP_SECONDS,
        more=more,
        target="multi-user.target" if system else "default.target",
    )


def told(steps: Iterable[Step]) -> str:
    """Return the steps as a person reads them."""
    lines = []
    for step in steps:
        match step:
            case Write(path, text):
                lines += [f"# write {path}", text]
            case Run(words):
                lines.append("run    " + " ".join(words))
            case Remove(path):
                lines.append(f"remove {path}")
    return "\n".join(lines)


def carry_out(steps: Iterable[Step]) -> None:
    """Do the steps; `CannotInstall` at the first that fails."""
    for step in steps:
        try:
            match step:
                case Write(path, text, mode, encoding):
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(text, encoding=encoding)
                    path.chmod(mode)
                case Remove(path):
                    path.unlink(missing_ok=True)
                case Run(words, may_fail):
                    done = subprocess.run(words, capture_output=True, text=True, check=False)
                    if done.returncode and not may_fail:
                        raise CannotInstall(f"{' '.join(words)}: {done.stderr.strip() or done.stdout.strip()}")
        except OSError as error:
            raise CannotInstall(f"{error.filename or step}: {error.strerror}") from error


def _word(value: str | Path) -> str:
    """Return a word as systemd reads it."""
    text = str(value).replace("%", "%%")
    return f'"{text}"' if " " in text else text


def _serial_group() -> str:
    """Return the group that may use serial ports here, if there is one."""
    try:
        groups = {line.split(":")[0] for line in Path("/etc/group").read_text(encoding="utf-8").splitlines()}
    except OSError:
        return ""
    return next((name for name in ("dialout", "uucp") if name in groups), "")
