"""tshark, whose own dissector of ZVT reads what our two sides say: an installed one, or Debian's, without root."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

from kit.apt import Apt, unpack
from kit.cache import Cache
from kit.chromium import MACHINE_OWN
from kit.errors import SetupError

SIZE = 350_000_000


def ensure_tshark(cache: Cache, apt: Apt) -> None:
    """Make sure that `tshark` is in the PATH of tests (`Workplace.path`) and knows ZVT."""
    script = cache.path("bin", "tshark")
    elsewhere = os.pathsep.join(place for place in os.get_exec_path() if place != str(script.parent))
    command = shutil.which("tshark", path=elsewhere)
    if command is None:
        command = str(script)
        root = cache.path("tshark")
        if cache.has(root) and script.exists():
            return
        if not cache.has(root):
            packages = apt.download_closure(["tshark"], "tshark")
            packages = [package for package in packages if not package.name.startswith(MACHINE_OWN)]
            with cache.filling(root) as part:
                unpack(packages, part, "tshark", cache.log("unpack"))
        _write_script(script, root)
    tried = subprocess.run([command, "-G", "protocols"], capture_output=True, text=True, check=False)
    if tried.returncode or "\tZVT\tzvt" not in tried.stdout:
        raise SetupError(f"tshark does not start here, or knows no ZVT: {tried.stderr.strip()}")


def _write_script(script: Path, root: Path) -> None:
    """A script that gives tshark its libraries and its tables."""
    libraries = ":".join(sorted({str(path.parent) for path in root.rglob("*.so.*")}))
    exports = (
        f"LD_LIBRARY_PATH={shlex.quote(libraries)} WIRESHARK_DATA_DIR={shlex.quote(str(root / 'usr/share/wireshark'))}"
    )
    script.parent.mkdir(exist_ok=True)
    script.write_text(f'#!/bin/sh\n{exports} exec {shlex.quote(str(root / "usr/bin/tshark"))} "$@"\n')
    script.chmod(0o755)
