"""The virtual environments: `driver` (small), `odoo` (everything) and `pytelium` (another till, to test against),
installed from lock files with plain pip.

pip keeps the machine's own configuration (mirrors, proxies, certificates). A stock Debian has neither pip nor
ensurepip; the pip that is used then is the wheel in Debian's package `python3-pip-whl`.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
import time
from pathlib import Path

from kit.apt import Apt, unpack
from kit.cache import CHECKOUT, Cache, digest
from kit.progress import Progress
from kit.shell import run

LOCKS = CHECKOUT / "dev" / "locks"
PIP_WORDS = ("--no-input", "--no-deps", "--no-compile", "--require-hashes", "--only-binary", ":all:")
SOURCE_WORDS = ("--no-build-isolation", "--use-pep517")
SIZES = {"driver": 250_000_000, "odoo": 750_000_000, "pytelium": 60_000_000}
SOURCES = {"pytelium": ("payment-card-identifier", "pycountry")}
"""Packages of a layer that come as source only; they are built in the layer itself, with what the lock `build` pins."""
UNUSED_DAYS = 14
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def environment_folder(cache: Cache, layer: str) -> Path:
    """Where the environment of a layer is, or will be."""
    locks = [_lock(name).read_text() for name in _locks(layer)]
    return cache.path("python", f"{layer}-{PYTHON}-{digest(*locks, sys.base_prefix)}")


def ensure_environment(cache: Cache, apt: Apt, layer: str) -> Path:
    """Make the environment of a layer where it is not there yet; return its folder."""
    folder = environment_folder(cache, layer)
    if cache.has(folder):
        (folder / ".complete").touch()
        return folder
    pip = _pip_wheel(cache, apt)
    shutil.rmtree(folder, ignore_errors=True)
    _make_environment(folder)
    wanted = sum(_lock(name).read_text().count("==") for name in _locks(layer))
    seen = 0
    with Progress(f"Python packages ({layer})") as progress:

        def on_line(line: str) -> None:
            nonlocal seen
            if line.startswith("Collecting "):
                seen += 1
                progress.update(0.8 * seen / wanted, line.split()[1].split("==", maxsplit=1)[0])
            elif line.startswith("Installing collected"):
                progress.update(0.85, "installing")

        for name in _locks(layer):
            words: list[str | Path] = [*PIP_WORDS, *_from_source(name), "--requirement", _lock(name)]
            run(
                [folder / "bin" / "python", pip / "pip", "install", *words],
                "installing Python packages",
                cache.log(f"pip-{layer}"),
                on_line=on_line,
                environment={"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"},
            )
    (folder / ".complete").touch()
    _remove_unused(cache)
    return folder


def _remove_unused(cache: Cache) -> None:
    """Remove environments that no checkout has asked for in a while: a new lock file makes a new one."""
    long_ago = time.time() - UNUSED_DAYS * 86_400
    for stamp in cache.path("python").glob("*/.complete"):
        if stamp.stat().st_mtime < long_ago:
            shutil.rmtree(stamp.parent, ignore_errors=True)


def _locks(layer: str) -> tuple[str, ...]:
    """The locks that make a layer, in order."""
    return ("build", layer) if layer in SOURCES else (layer,)


def _from_source(lock: str) -> list[str]:
    """The words that let pip build what comes as source only."""
    names = SOURCES.get(lock, ())
    return [*(SOURCE_WORDS if names else ()), *(word for name in names for word in ("--no-binary", name))]


def _lock(layer: str) -> Path:
    return LOCKS / f"{layer}.txt"


def _make_environment(folder: Path) -> None:
    """What `python3 -m venv --without-pip` makes, for machines that lack even that."""
    base = Path(sys.base_prefix, "bin", f"python{PYTHON}")
    (folder / "bin").mkdir(parents=True)
    (folder / "lib" / f"python{PYTHON}" / "site-packages").mkdir(parents=True)
    for name in ("python", "python3", f"python{PYTHON}"):
        (folder / "bin" / name).symlink_to(base)
    version = ".".join(str(part) for part in sys.version_info[:3])
    (folder / "pyvenv.cfg").write_text(
        f"home = {base.parent}\ninclude-system-site-packages = false\nversion = {version}\nexecutable = {base}\n"
    )


def _pip_wheel(cache: Cache, apt: Apt) -> Path:
    """A wheel of pip: the one that Python brings, or Debian's."""
    places = [Path("/usr/share/python-wheels"), cache.path("pip", "usr", "share", "python-wheels")]
    ensurepip = importlib.util.find_spec("ensurepip")
    if ensurepip and ensurepip.origin:
        places.insert(0, Path(ensurepip.origin).parent / "_bundled")
    for place in places:
        for wheel in sorted(place.glob("pip-*.whl"), reverse=True):
            return wheel
    packages = apt.download(["python3-pip-whl"], cache.path("tmp", "pip"), "pip")
    with cache.filling(cache.path("pip")) as part:
        unpack(packages, part, "pip", cache.log("unpack"))
    return next(places[-1].glob("pip-*.whl"))
