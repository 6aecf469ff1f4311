"""Make the zip for the app store: the module as a folder of its name.

  dev/package               writes dist/pos_card_terminal-VERSION.zip and prints its path
  dev/package PATH          writes it there (a folder, or a name that ends in .zip)

It holds the tracked files that the module and its driver need, as they are on disk. The same files give the same bytes.
"""

from __future__ import annotations

import ast
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

from kit.cache import CHECKOUT, MODULE
from kit.errors import SetupError

LEFT_OUT = (
    ".ci",
    ".gitignore",
    ".gitattributes",
    "benchmarks",
    "dev",
    "pyproject.toml",
    "tests/driver",
    "tests/live",
    "torture",
)
EPOCH = (1980, 1, 1, 0, 0, 0)


def main(arguments: Sequence[str]) -> int:
    """Write the zip."""
    if any(word in ("-h", "--help") for word in arguments):
        print(__doc__)
        return 0
    if len(arguments) > 1:
        sys.stderr.write("dev/package: one path at most (see dev/package --help)\n")
        return 2
    print(make_package(Path(arguments[0]) if arguments else CHECKOUT / "dist"))
    return 0


def make_package(target: Path, checkout: Path = CHECKOUT) -> Path:
    """Write the zip to a path, or into a folder under its usual name; return where it is."""
    manifest = checkout / "__manifest__.py"
    if not manifest.exists():
        raise SetupError(f"{checkout} holds no __manifest__.py: there is no module to package")
    version = ast.literal_eval(manifest.read_text())["version"]
    path = target if target.suffix == ".zip" else target / f"{MODULE}-{version}.zip"
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".part")
    with zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in packaged_files(checkout):
            entry = zipfile.ZipInfo(f"{MODULE}/{name}", EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, (checkout / name).read_bytes())
    new.rename(path)
    return path


def packaged_files(checkout: Path) -> list[str]:
    """The tracked files that go into the package."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=checkout, capture_output=True, text=True, check=True
        ).stdout  # fmt: skip
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        raise SetupError("dev/package takes the files that git tracks: run it in a git checkout, with git") from error
    return sorted(name for name in listed.split("\0") if name and not _left_out(name) and (checkout / name).is_file())


def _left_out(name: str) -> bool:
    return any(name == folder or name.startswith(f"{folder}/") for folder in LEFT_OUT)
