"""Chromium: an installed one, or Debian's package with all that it needs, unpacked without root.

Either way the tests see a small script named `chromium` in the cache's `bin/`, with the flags that keep a browser quiet
and let it run in a container; Odoo's test browser looks for that name in PATH, Playwright is given its path.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

from kit.apt import Apt, unpack
from kit.cache import Cache

SIZE = 1_300_000_000
INSTALLED_NAMES = ("chromium", "google-chrome", "google-chrome-stable", "chromium-browser")
PACKAGES = ["chromium", "fonts-dejavu-core"]
MACHINE_OWN = ("libc6_", "libc-bin_")
"""Left out: a C library must be of the very version of the machine's loader."""
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def ensure_chromium(cache: Cache, apt: Apt) -> Path:
    """Find or fetch a Chromium; return the script that starts it."""
    command = find_installed(cache)
    environment: dict[str, str] = {}
    if command is None:
        root = cache.path("chromium", "root")
        if not cache.has(root):
            packages = apt.download_closure(PACKAGES, "Chromium")
            packages = [package for package in packages if not package.name.startswith(MACHINE_OWN)]
            with cache.filling(root) as part:
                unpack(packages, part, "Chromium", cache.log("unpack"))
        command, environment = _unpacked(root)
    return _write_scripts(cache, command, environment)


def find_installed(cache: Cache) -> Path | None:
    """The machine's own Chromium, if it is a real one: a snap's stub is not, nor is our script in the PATH of tests."""
    ours = str(cache.path("bin"))
    places = os.pathsep.join(place for place in os.get_exec_path() if place != ours)
    for name in INSTALLED_NAMES:
        found = shutil.which(name, path=places)
        if found and "snap" not in os.path.realpath(found):
            return Path(found)
    return None


def _unpacked(root: Path) -> tuple[Path, dict[str, str]]:
    triplet = subprocess.run(
        ["dpkg", "--print-architecture"], capture_output=True, text=True, check=True
    ).stdout.strip()
    triplet = {"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}.get(triplet, triplet)
    libraries = [root / "usr/lib" / triplet, root / "lib" / triplet, root / "usr/lib" / triplet / "pulseaudio"]
    return root / "usr/lib/chromium/chromium", {
        "LD_LIBRARY_PATH": ":".join(str(folder) for folder in libraries),
        "FONTCONFIG_PATH": str(root / "etc/fonts"),
        "XDG_DATA_DIRS": str(root / "usr/share"),
    }


def _write_scripts(cache: Cache, command: Path, environment: dict[str, str]) -> Path:
    """The script, and the other name that Odoo's test browser looks for first."""
    script = cache.path("bin", "chromium")
    script.parent.mkdir(exist_ok=True)
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in environment.items())
    text = f'#!/bin/sh\n{exports}exec {shlex.quote(str(command))} {" ".join(FLAGS)} "$@"\n'
    if not script.exists() or script.read_text() != text:
        new = script.with_suffix(f".{os.getpid()}")
        new.write_text(text)
        new.chmod(0o755)
        new.rename(script)
    other_name = script.with_name("google-chrome")
    if not other_name.is_symlink():
        other_name.symlink_to(script.name)
    return script
