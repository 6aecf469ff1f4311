"""A program that tests use: an installed one, or Debian's, unpacked into the cache without root."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

from kit.apt import Apt, unpack
from kit.cache import Cache
from kit.chromium import MACHINE_OWN


def ensure_tool(cache: Cache, apt: Apt, name: str, script_of: Callable[[Path, str], str]) -> str:
    """Return the command `name`, which is in the PATH of tests (`Workplace.path`) from now on.

    `script_of(root, libraries)` is the shell line that runs what was unpacked under `root` with these libraries.
    """
    script = cache.path("bin", name)
    elsewhere = os.pathsep.join(place for place in os.get_exec_path() if place != str(script.parent))
    if installed := shutil.which(name, path=elsewhere):
        return installed
    root = cache.path(name)
    if not cache.has(root):
        packages = apt.download_closure([name], name)
        packages = [package for package in packages if not package.name.startswith(MACHINE_OWN)]
        with cache.filling(root) as part:
            unpack(packages, part, name, cache.log("unpack"))
    libraries = ":".join(sorted({str(path.parent) for path in root.rglob("*.so.*")}))
    script.parent.mkdir(exist_ok=True)
    script.write_text(f"#!/bin/sh\n{script_of(root, shlex.quote(libraries))}\n")
    script.chmod(0o755)
    return str(script)
