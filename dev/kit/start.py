"""Start a command of `dev/`: find a Python that will do, run it, and show errors as one line.

This file is read by whatever `python3` there is, so it keeps to syntax that old ones know.
"""

import errno
import importlib
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path

OLDEST, NEWEST = (3, 11), (3, 13)
NEEDED = "ctypes, sqlite3, ssl, venv"
"""What a distribution may have left out of its Python."""


def run(module_name: str) -> None:
    """Run `main(arguments)` of a module of this package and exit with what it returns."""
    _use_a_suitable_python()
    from kit.errors import DISK_FULL, SetupError

    signal.signal(signal.SIGTERM, _as_an_exit)
    command = f"dev/{Path(sys.argv[0]).name}"
    try:
        sys.exit(importlib.import_module(module_name).main(sys.argv[1:]))
    except SetupError as error:
        sys.stderr.write(f"{command}: {error}\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.stderr.write(f"\n{command}: interrupted; start it again to go on\n")
        sys.exit(130)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        sys.stderr.write(f"{command}: {DISK_FULL}\n")
        sys.exit(1)


def _as_an_exit(number: int, _frame: object) -> None:
    """Let `finally` blocks run: databases are dropped and servers stopped."""
    sys.exit(128 + number)


def _use_a_suitable_python() -> None:
    """Go on in another Python where this one is too old or too new for the locked packages, or slow for no reason."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        _use_the_optimized_python()
        return
    others = _pythons()
    if others:
        os.execv(others[0], [others[0], *sys.argv])
    sys.stderr.write(
        f"Python 3.{OLDEST[1]} to 3.{NEWEST[1]} is needed and this is {sys.version_info[0]}.{sys.version_info[1]}: "
        f"install one of them, for example python3.{OLDEST[1]}\n"
    )
    sys.exit(1)


def _use_the_optimized_python() -> None:
    """Go on in the distribution's Python, as the driver does in a shop, where this one was compiled unoptimized."""
    if sys.base_prefix == "/usr" or "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or ""):
        return
    for other in _pythons(os.defpath):
        if Path(other).resolve() == Path(sys.executable).resolve():
            return
        if subprocess.run([other, "-c", f"import {NEEDED}"], capture_output=True, check=False).returncode == 0:
            os.execv(other, [other, *sys.argv])


def _pythons(path: "str | None" = None) -> "list[str]":
    """The suitable Pythons on this path (default: the user's), newest first."""
    names = [f"python3.{minor}" for minor in range(NEWEST[1], OLDEST[1] - 1, -1)]
    return [found for found in (shutil.which(name, path=path) for name in names) if found]
