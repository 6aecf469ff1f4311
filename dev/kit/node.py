"""The Node.js inside Playwright needs libatomic, which a bare Debian lacks: give it the library, and nobody else."""

from __future__ import annotations

import ctypes
import os
import shlex
from pathlib import Path

from kit.apt import Apt, unpack
from kit.cache import Cache

VARIABLE = "PLAYWRIGHT_NODEJS_PATH"


def ensure_node(cache: Cache, apt: Apt, environment: Path) -> None:
    """Set Playwright's variable for this process and its children, where that is needed."""
    if VARIABLE in os.environ or _has_libatomic():
        return
    root = cache.path("libatomic")
    if not cache.has(root):
        packages = apt.download(["libatomic1"], cache.path("tmp", "libatomic"), "libatomic")
        with cache.filling(root) as part:
            unpack(packages, part, "libatomic", cache.log("unpack"))
    library = next(root.rglob("libatomic.so.1"))
    node = next(environment.glob("lib/python3*/site-packages/playwright/driver/node"))
    script = cache.path("bin", "node-for-playwright")
    script.parent.mkdir(exist_ok=True)
    script.write_text(
        f'#!/bin/sh\nLD_LIBRARY_PATH={shlex.quote(str(library.parent))} exec {shlex.quote(str(node))} "$@"\n'
    )
    script.chmod(0o755)
    os.environ[VARIABLE] = str(script)


def _has_libatomic() -> bool:
    try:
        ctypes.CDLL("libatomic.so.1")
    except OSError:
        return False
    return True
