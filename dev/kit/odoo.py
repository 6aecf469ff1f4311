"""Odoo 19: Debian's package unpacked into the cache, or the one that `ODOO_HOME` names."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kit.apt import KEYRING, Apt, unpack
from kit.cache import Cache, digest
from kit.errors import SetupError
from kit.progress import note

TESTED_VERSION = "19.0.0+dfsg-1"
SIZE = 1_450_000_000
SUITE = "sid"
BESIDE = [
    "libjs-jquery",
    "libjs-jquery-form",
    "libjs-underscore",
    "fonts-font-awesome",
    "fonts-inconsolata",
    "fonts-ocr-b",
    "fonts-roboto-unhinted",
]
"""Debian links these into Odoo's own folders; every asset bundle fails without them."""

WITHOUT = """Set ODOO_HOME to the folder of an Odoo 19 (a checkout of its branch 19.0, or an installed package)."""


@dataclass(frozen=True)
class Odoo:
    """How to run one Odoo."""

    version: str
    python_path: Path
    """The folder that holds the package `odoo`."""
    launcher: Path
    """The script that starts it. Not `-m odoo`: with workers, Odoo starts this script again by its path."""
    addons: tuple[Path, ...]

    @property
    def key(self) -> str:
        """Names what a database was made with."""
        return digest(self.version, self.python_path)


def ensure_odoo(cache: Cache, machine: Apt) -> Odoo:
    """Find Odoo, and fetch it where it is not there yet."""
    if home := os.environ.get("ODOO_HOME"):
        return _odoo_at_home(cache, Path(home).expanduser().absolute())
    folder = find_folder(cache)
    if folder is None:
        folder = _fetch(cache, machine)
    return _unpacked(folder)


def find_folder(cache: Cache) -> Path | None:
    """The unpacked Odoo in the cache: the tested version where there are several."""
    complete = [folder for folder in sorted(cache.path("odoo").glob("19*"), reverse=True) if cache.has(folder)]
    return next((folder for folder in complete if folder.name == TESTED_VERSION), complete[0] if complete else None)


def write_config(path: Path, options: Mapping[str, object]) -> Path:
    """An odoo.conf with these options."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("[options]\n" + "".join(f"{name} = {value}\n" for name, value in options.items()))
    path.chmod(0o600)
    return path


def problems(log: str) -> list[str]:
    """The lines of a log that need attention; what Python says of its libraries is not Odoo's."""
    levels = (" WARNING ", " ERROR ", " CRITICAL ")
    return [line for line in log.splitlines() if any(level in line for level in levels) and " py.warnings" not in line]


def _fetch(cache: Cache, machine: Apt) -> Path:
    signed_by = f"[signed-by={KEYRING}] " if KEYRING.exists() else ""
    sid = Apt(cache, SUITE, f"deb {signed_by}{machine.mirror()} {SUITE} main\n")
    version = sid.version("odoo-19")
    if version is None:
        raise SetupError(f"Debian {SUITE} no longer has the package odoo-19. {WITHOUT}")
    if version != TESTED_VERSION:
        note(f"Warning: Debian has odoo-19 {version}; this project was tested with {TESTED_VERSION}. {WITHOUT}")
    downloads = cache.path("tmp", "odoo-packages")
    packages = machine.download(BESIDE, downloads, "fonts and scripts")
    packages = sid.download(["odoo-19"], downloads, f"Odoo {version}")
    target = cache.path("odoo", version)
    with cache.filling(target) as part:
        unpack(packages, part, f"Odoo {version}", cache.log("unpack"))
        _complete_mail(part / "usr/lib/python3/dist-packages/odoo/addons")
    shutil.rmtree(downloads, ignore_errors=True)
    return target


def _complete_mail(addons: Path) -> None:
    """Debian leaves out a script which an asset bundle lists: the back office would log an error on every page."""
    script = addons / "mail/static/lib/selfie_segmentation/selfie_segmentation.js"
    script.parent.mkdir(parents=True, exist_ok=True)
    script.touch()


def _unpacked(folder: Path) -> Odoo:
    python_path = folder / "usr/lib/python3/dist-packages"
    return Odoo(folder.name, python_path, folder / "usr/bin/odoo", (python_path / "odoo/addons",))


def _odoo_at_home(cache: Cache, home: Path) -> Odoo:
    """A checkout, a `dist-packages` or `site-packages` folder, or a root like the one that we unpack."""
    for python_path in (home, home / "usr/lib/python3/dist-packages", home.parent):
        release = python_path / "odoo" / "release.py"
        if release.exists():
            break
    else:
        raise SetupError(f"ODOO_HOME: no Odoo in {home}; it must be the folder that holds `odoo/release.py`")
    found = re.search(r"version_info\s*=\s*\(\s*'?(?:saas~)?(\d+)'?\s*,\s*(\d+)\s*,\s*(\d+)", release.read_text())
    version = ".".join(found.groups()) if found else "unknown"
    if not version.startswith("19.0"):
        raise SetupError(f"ODOO_HOME: {home} holds Odoo {version}, and Odoo 19.0 is needed")
    addons = tuple(folder for folder in (python_path / "odoo/addons", python_path / "addons") if folder.is_dir())
    launcher = cache.path("bin", "odoo-at-home")
    launcher.parent.mkdir(exist_ok=True)
    launcher.write_text("from odoo.cli import main\n\nmain()\n")
    return Odoo(version, python_path, launcher, addons)
