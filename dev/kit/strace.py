"""strace, which writes down what the driver does to its disk: an installed one, or Debian's, unpacked without root."""

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


def ensure_strace(cache: Cache, apt: Apt) -> None:
    """Make sure that `strace` is in the PATH of tests (`Workplace.path`) and may trace a process of its own."""
    script = cache.path("bin", "strace")
    elsewhere = os.pathsep.join(place for place in os.get_exec_path() if place != str(script.parent))
    command = shutil.which("strace", path=elsewhere)
    if command is None:
        command = str(script)
        root = cache.path("strace")
        if not cache.has(root):
            packages = apt.download_closure(["strace"], "strace")
            packages = [package for package in packages if not package.name.startswith(MACHINE_OWN)]
            with cache.filling(root) as part:
                unpack(packages, part, "strace", cache.log("unpack"))
        _write_script(script, root)
    tried = subprocess.run([command, "-o", os.devnull, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        raise SetupError(
            f"strace may not trace a process here: {tried.stderr.strip()}. Power cuts are tested with it: "
            "allow ptrace (in a container: --cap-add=SYS_PTRACE)"
        )


def _write_script(script: Path, root: Path) -> None:
    """A script that gives strace its libraries, and the program it traces none of them."""
    libraries = ":".join(sorted({str(path.parent) for path in root.rglob("*.so.*")}))
    strace = shlex.quote(str(root / "usr" / "bin" / "strace"))
    script.parent.mkdir(exist_ok=True)
    script.write_text(f'#!/bin/sh\nLD_LIBRARY_PATH={shlex.quote(libraries)} exec {strace} -E LD_LIBRARY_PATH "$@"\n')
    script.chmod(0o755)
