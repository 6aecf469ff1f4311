"""tshark, whose own dissector of ZVT reads what our two sides say."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

from kit.apt import Apt
from kit.cache import Cache
from kit.errors import SetupError
from kit.tool import ensure_tool

SIZE = 350_000_000


def ensure_tshark(cache: Cache, apt: Apt) -> None:
    """Make sure that `tshark` is there and knows ZVT."""
    command = ensure_tool(cache, apt, "tshark", _script)
    tried = subprocess.run([command, "-G", "protocols"], capture_output=True, text=True, check=False)
    if tried.returncode or "\tZVT\tzvt" not in tried.stdout:
        raise SetupError(f"tshark does not start here, or knows no ZVT: {tried.stderr.strip()}")


def _script(root: Path, libraries: str) -> str:
    """Libraries and tables for tshark."""
    tables, program = (shlex.quote(str(root / path)) for path in ("usr/share/wireshark", "usr/bin/tshark"))
    return f'LD_LIBRARY_PATH={libraries} WIRESHARK_DATA_DIR={tables} exec {program} "$@"'
