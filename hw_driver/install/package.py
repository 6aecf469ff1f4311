"""The driver's own files as a wheel (pip, upgrades) and as one file that Python runs (the first start on a till).

Standard library only, and free of imports from the rest of the driver: the addon makes the same files with this module
and offers them to its tills. The same files give the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import metadata
from importlib.resources import files
from importlib.resources.abc import Traversable

ROOT = "hw_driver"
DISTRIBUTION = "card_terminal_driver"
REQUIREMENTS = "requirements.txt"
ZIPAPP = "card-terminal.pyz"
EPOCH = (1980, 1, 1, 0, 0, 0)
#: An older Python reads this much, and says so.
MAIN = f"""\
import sys

if sys.version_info < (3, 11):
    sys.exit("card-terminal needs Python 3.11 or newer; this is %d.%d" % sys.version_info[:2])

from {ROOT}.cli import main

sys.exit(main())
"""


@cache
def own_files() -> Mapping[str, bytes]:
    """Return the driver's files by their path below `hw_driver`, also where it runs from a zip."""
    root = files(__package__.rpartition(".")[0])
    return dict(sorted(_walk(root, "")))


def requirements() -> list[str]:
    """Return the Python packages the driver needs, as pip writes them."""
    return own_files()[REQUIREMENTS].decode().split("\n")[:-1]


def missing() -> list[str]:
    """Return those of them that this Python has not."""
    names = (re.split(r"[^\w.-]", requirement)[0] for requirement in requirements())
    return [name for name in names if not any(metadata.distributions(name=name))]


def wheel_name(version: str) -> str:
    """Return the file name that pip expects of this version's wheel."""
    return f"{DISTRIBUTION}-{version}-py3-none-any.whl"


@cache
def wheel(version: str) -> bytes:
    """Return the wheel: https://packaging.python.org/en/latest/specifications/binary-distribution-format/."""
    info = f"{DISTRIBUTION}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {requirement}\n" for requirement in requirements())
    content = {f"{ROOT}/{name}": data for name, data in own_files().items()}
    content |= {
        f"{info}/METADATA": (
            f"Metadata-Version: 2.1\nName: {DISTRIBUTION.replace('_', '-')}\nVersion: {version}\n"
            f"Requires-Python: >=3.11\nLicense: LGPL-3.0-or-later\n{needs}"
        ).encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: card-terminal\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\ncard-terminal = {ROOT}.cli:main\n".encode(),
    }
    record = "".join(f"{name},sha256={_hash(data)},{len(data)}\n" for name, data in content.items())
    return _zip({**content, f"{info}/RECORD": f"{record}{info}/RECORD,,\n".encode()})


@cache
def zipapp() -> bytes:
    """Return the one file: `python3 card-terminal.pyz pair …` needs nothing but Python."""
    content = {f"{ROOT}/{name}": data for name, data in own_files().items()}
    return b"#!/usr/bin/env python3\n" + _zip({"__main__.py": MAIN.encode(), **content})


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            if entry.name != "__pycache__":
                yield from _walk(entry, f"{prefix}{entry.name}/")
        elif not entry.name.endswith(".pyc"):
            yield f"{prefix}{entry.name}", entry.read_bytes()


def _zip(content: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in content.items():
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, data)
    return packed.getvalue()


def _hash(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
