"""The driver as a wheel and as one file: whole, the same every time, and what pyproject.toml says of it."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import subprocess
import sys
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from hw_driver import __version__
from hw_driver.install import package

ROOT = Path(__file__).parents[3]
INFO = f"card_terminal_driver-{__version__}.dist-info"


@pytest.fixture(scope="module")
def wheel() -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(package.wheel(__version__)))


def test_it_holds_every_file_of_the_driver(wheel: zipfile.ZipFile) -> None:
    wanted = {
        file.relative_to(ROOT).as_posix()
        for file in (ROOT / "hw_driver").rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert {name for name in wheel.namelist() if not name.startswith(INFO)} == wanted


def test_its_record_is_right(wheel: zipfile.ZipFile) -> None:
    rows = list(csv.reader(io.StringIO(wheel.read(f"{INFO}/RECORD").decode())))
    assert {row[0] for row in rows} == set(wheel.namelist())
    for name, digest, size in rows:
        if name != f"{INFO}/RECORD":
            data = wheel.read(name)
            found = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            assert (digest, size) == (f"sha256={found}", str(len(data)))


def test_it_says_what_pyproject_says(wheel: zipfile.ZipFile) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    said = Parser().parsestr(wheel.read(f"{INFO}/METADATA").decode())
    wanted = project["project"]
    assert (said["Name"], said["Requires-Python"]) == (wanted["name"], wanted["requires-python"])
    (file,) = project["tool"]["setuptools"]["dynamic"]["dependencies"]["file"]
    assert said.get_all("Requires-Dist") == (ROOT / file).read_text().splitlines()
    scripts = "".join(f"{name} = {target}\n" for name, target in wanted["scripts"].items())
    assert wheel.read(f"{INFO}/entry_points.txt").decode() == f"[console_scripts]\n{scripts}"


@pytest.mark.parametrize("flags", [("-S", "-I"), ()])
def test_the_one_file_runs_on_a_bare_python(tmp_path: Path, flags: tuple[str, ...]) -> None:
    single = tmp_path / package.ZIPAPP
    single.write_bytes(package.zipapp())
    for words, told in (
        (["--version"], __version__),
        (["pair", "--help"], "7KQ4-93XF"),
        (["install", "--help"], "--print"),
    ):
        done = subprocess.run(
            [sys.executable, *flags, str(single), *words], capture_output=True, text=True, cwd=tmp_path, check=False
        )
        assert (done.returncode, told in done.stdout) == (0, True), done.stderr
