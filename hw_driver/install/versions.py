"""Versions of the driver side by side in one folder, with a pointer to the one in use (see supervisor.py).

A version is the unpacked wheel. The Python packages it needs come from an interpreter that has them: the one that runs
this, or a virtual environment made once and shared by all versions that need the same.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..protocols.machine import SafeError
from . import package, supervisor

PROGRAM = "program"
VERSIONS = "versions"
SUPERVISOR = "supervisor.py"
CHECK_SECONDS = 60
WHEEL = re.compile(rf"{package.DISTRIBUTION}-([0-9A-Za-z.+!]+)-py3-none-any\.whl")


class CannotInstall(SafeError):
    """Nothing that runs was changed; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Program:
    """The folder of versions below a state folder."""

    path: Path

    @property
    def installed(self) -> bool:
        """Say whether a version is in use here."""
        return (self.path / supervisor.POINTER).exists()

    def pointer(self) -> dict[str, Any]:
        """Return the pointer; `CannotInstall` where nothing is installed."""
        if not self.installed:
            raise CannotInstall(f"no driver is installed in {self.path}; run: card-terminal install")
        return supervisor.read(self.path)

    def unpack(self, wheel: bytes) -> dict[str, str]:
        """Unpack a wheel beside the others; return its {version, folder, python} once it is known to run here."""
        try:
            archive = zipfile.ZipFile(io.BytesIO(wheel))
            names = archive.namelist()
        except zipfile.BadZipFile:
            raise CannotInstall("this file is not a wheel of the driver, or was damaged on its way") from None
        info = next(
            (name for name in names if re.fullmatch(rf"{package.DISTRIBUTION}-[^/]+\.dist-info/METADATA", name)), ""
        )
        if not info or any(name.startswith(("/", "\\")) or ".." in name or ":" in name for name in names):
            raise CannotInstall("this file is not a wheel of the driver")
        version = info.split("/")[0].removeprefix(f"{package.DISTRIBUTION}-").removesuffix(".dist-info")
        folder = self.path / VERSIONS / f"{version}-{hashlib.sha256(wheel).hexdigest()[:8]}"
        if not folder.exists():
            part = folder.with_name(f"{folder.name}.part")
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            archive.extractall(part)
            part.rename(folder)
        requirements = archive.read(f"{package.ROOT}/{package.REQUIREMENTS}").decode()
        try:
            python = self._python(folder, requirements)
        except CannotInstall:
            shutil.rmtree(folder)
            raise
        return {"version": version, "folder": str(folder), "python": python}

    def check(self, entry: dict[str, str], config: Path | None = None, journal: Path | None = None) -> str:
        """Return what a version says is wrong with these files, an empty string when it can work with them."""
        words = [*(["--config", str(config)] if config else []), *(["--journal", str(journal)] if journal else [])]
        pointer = {"current": entry}
        try:
            done = subprocess.run(
                [*supervisor.command(pointer), "check", *words],
                env=supervisor.environment(pointer),
                capture_output=True,
                text=True,
                timeout=CHECK_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["it gives no reason"])[-1]

    def place_supervisor(self) -> Path:
        """Put the supervisor beside the versions; return where it is."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        target = self.path / SUPERVISOR
        target.write_bytes(package.own_files()[f"install/{SUPERVISOR}"])
        return target

    def tidy(self) -> None:
        """Remove versions that are neither in use nor the one to go back to."""
        pointer = self.pointer()
        kept = {Path(entry["folder"]) for entry in (pointer["current"], pointer.get("previous")) if entry}
        for folder in (self.path / VERSIONS).iterdir():
            if folder not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def _python(self, folder: Path, requirements: str) -> str:
        own = self.path / f"python-{hashlib.sha256(requirements.encode()).hexdigest()[:8]}"
        interpreter = own / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
        wanted, why = requirements.split(), ""
        for python in filter(os.path.exists, (str(interpreter), sys.executable)):
            if not (why := self.check({"version": "", "folder": str(folder), "python": python})):
                return python
        if wanted == package.requirements() and not package.missing():  # packages are not what it lacks
            raise CannotInstall(f"the driver does not run here: {why}")
        print("Fetching the Python packages that the driver needs …", file=sys.stderr)
        _run([sys.executable, "-m", "venv", "--clear", str(own)], "apt install python3-venv, or use another Python")
        _run([str(interpreter), "-m", "pip", "install", "--quiet", *wanted], "is the internet reachable from here?")
        if why := self.check({"version": "", "folder": str(folder), "python": str(interpreter)}):
            raise CannotInstall(f"the driver does not run here: {why}")
        return str(interpreter)


def _run(words: list[str], advice: str) -> None:
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except OSError as error:
        raise CannotInstall(f"{words[0]} cannot be run: {error.strerror}") from error
    if done.returncode:
        last = ((done.stderr or done.stdout).strip().splitlines() or [""])[-1]
        raise CannotInstall(f"{' '.join(words[1:3])} failed ({advice}): {last}")
