"""strace, which writes down what the driver does to its disk."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

from kit.apt import Apt
from kit.cache import Cache
from kit.errors import SetupError
from kit.tool import ensure_tool


def ensure_strace(cache: Cache, apt: Apt) -> None:
    """Make sure that `strace` is there and may trace a process of its own."""
    command = ensure_tool(cache, apt, "strace", _script)
    tried = subprocess.run([command, "-o", os.devnull, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        raise SetupError(
            f"strace may not trace a process here: {tried.stderr.strip()}. Power cuts are tested with it: "
            "allow ptrace (in a container: --cap-add=SYS_PTRACE)"
        )


def _script(root: Path, libraries: str) -> str:
    """Libraries for strace; the program it traces gets none of them."""
    return f'LD_LIBRARY_PATH={libraries} exec {shlex.quote(str(root / "usr/bin/strace"))} -E LD_LIBRARY_PATH "$@"'
