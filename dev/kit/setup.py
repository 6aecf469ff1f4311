"""Everything a run of the project needs, made once and found again: the `Workplace`.

    workplace = Workplace()
    workplace.ensure("odoo", "chromium")      # fetches what is missing; shows progress; may take minutes once
    workplace.enter("odoo")                   # goes on inside the virtual environment (re-executes this process)

    with workplace.postgres() as postgres:    # kit.postgres: the embedded server, or the one the PG* variables name
        with fresh_database(workplace, postgres, "demo") as database:              # kit.database
            with OdooServer(workplace, postgres, database).running() as server:    # kit.server
                print(server.url)

Parts: `driver` (small Python environment), `odoo-env` (large one, with PostgreSQL in it), `odoo` (that, and Odoo),
`pytelium` (another till's), `chromium`, `strace`, `tshark`. The order does not matter, and a part that is there
costs nothing.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from kit import chromium, node, odoo, python_env, strace, tshark
from kit.apt import Apt
from kit.cache import CHECKOUT, MODULE, Cache, digest

if TYPE_CHECKING:
    from kit.postgres import Postgres

DATABASES_SIZE = 600_000_000
ENVIRONMENTS = {"driver": "driver", "odoo-env": "odoo", "pytelium": "pytelium"}
"""Parts that are Python environments, and their layers."""


class Workplace:
    """The cache folder seen from one checkout."""

    def __init__(self) -> None:
        self.cache = Cache()
        self.checkout = CHECKOUT

    # What there is ------------------------------------------------------------------------------------------------

    @property
    def python(self) -> Path:
        """The Python of the large environment."""
        return self.python_of("odoo")

    def python_of(self, layer: str) -> Path:
        """The Python of the environment `driver`, `odoo` or `pytelium`."""
        return python_env.environment_folder(self.cache, layer) / "bin" / "python"

    @cached_property
    def odoo(self) -> odoo.Odoo:
        """Odoo; call `ensure("odoo")` first."""
        return odoo.ensure_odoo(self.cache, self._apt)

    @cached_property
    def chromium(self) -> Path:
        """The script that starts Chromium; call `ensure("chromium")` first."""
        return chromium.ensure_chromium(self.cache, self._apt)

    @property
    def data_dir(self) -> Path:
        """Odoo's filestore and sessions."""
        return self.cache.path("data")

    @cached_property
    def addons(self) -> Path:
        """A folder with this checkout in it under the name that Odoo must see."""
        folder = self.cache.path("addons", digest(self.checkout))
        folder.mkdir(parents=True, exist_ok=True)
        link = folder / MODULE
        if not link.is_symlink() or link.readlink() != self.checkout:
            link.unlink(missing_ok=True)
            link.symlink_to(self.checkout)
        return folder

    def addons_path(self, addons: Path | None = None) -> str:
        """Odoo's option `addons_path`: Odoo's own and this checkout, or another folder in its place."""
        mine = addons or self.addons
        usable = [mine] if any(mine.glob("*/__manifest__.py")) else []
        return ",".join(str(folder) for folder in (*self.odoo.addons, *usable))

    @property
    def path(self) -> str:
        """PATH with the programs that were fetched."""
        return f"{self.cache.path('bin')}{os.pathsep}{os.environ.get('PATH', os.defpath)}"

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that Odoo and its tests run with."""
        environment = dict(os.environ)
        environment["PYTHONPATH"] = str(self.odoo.python_path)
        environment["PATH"] = self.path
        environment["TZ"] = "UTC"
        return environment

    def odoo_command(self, config: Path, *words: str) -> list[str]:
        """The command line that starts Odoo with a configuration file."""
        return [str(self.python), str(self.odoo.launcher), "--config", str(config), *words]

    def where(self) -> dict[str, str | None]:
        """The places, for people and scripts that look for them; None is not there yet."""
        folder = odoo.find_folder(self.cache)
        known = os.environ.get("ODOO_HOME") or folder
        script = self.cache.path("bin", "chromium")
        return {
            "cache": str(self.cache.root),
            "checkout": str(self.checkout),
            "python": str(self.python) if self.python.exists() else None,
            "python_driver": str(self.python_of("driver")) if self.python_of("driver").exists() else None,
            "odoo": str(self.odoo.python_path) if known else None,
            "odoo_launcher": str(self.odoo.launcher) if known else None,
            "odoo_version": self.odoo.version if known else None,
            "addons_path": self.addons_path() if known else None,
            "chromium": str(script) if script.exists() else None,
            "data_dir": str(self.data_dir),
            "logs": str(self.cache.path("logs")),
        }

    # What makes it ------------------------------------------------------------------------------------------------

    def ensure(self, *parts: str) -> None:
        """Fetch and make what is missing of these parts; two processes never do so at once."""
        wanted = set(parts)
        if wanted & {"odoo", "chromium"}:
            wanted.add("odoo-env")
        with self.cache.lock("setup", "another set-up of the same cache"):
            self.cache.need_space(self._space_needed(wanted))
            for part, layer in ENVIRONMENTS.items():
                if part in wanted:
                    python_env.ensure_environment(self.cache, self._apt, layer)
            if "strace" in wanted:
                strace.ensure_strace(self.cache, self._apt)
            if "tshark" in wanted:
                tshark.ensure_tshark(self.cache, self._apt)
            if "odoo" in wanted:
                _ = self.odoo
            if "chromium" in wanted:
                _ = self.chromium
                node.ensure_node(self.cache, self._apt, self.python.parent.parent)

    def enter(self, layer: str) -> None:
        """Go on inside the environment of a layer: runs the same command again with its Python."""
        python = self.python_of(layer)
        if Path(sys.prefix) != python.parent.parent:
            sys.stdout.flush()
            os.execv(python, [str(python), *sys.argv])

    @contextmanager
    def postgres(self) -> Iterator[Postgres]:
        """A PostgreSQL to work with for as long as the block lasts (inside the environment only)."""
        from kit.postgres import running

        with running(self.cache) as postgres:
            yield postgres

    @cached_property
    def _apt(self) -> Apt:
        return Apt(self.cache, "machine")

    def _space_needed(self, wanted: set[str]) -> int:
        needed = 0
        for part, layer in ENVIRONMENTS.items():
            if part in wanted and not self.cache.has(python_env.environment_folder(self.cache, layer)):
                needed += python_env.SIZES[layer]
        if "odoo" in wanted and "ODOO_HOME" not in os.environ and odoo.find_folder(self.cache) is None:
            needed += odoo.SIZE + DATABASES_SIZE
        if "tshark" in wanted and not shutil.which("tshark", path=self.path):
            needed += tshark.SIZE
        unpacked = self.cache.has(self.cache.path("chromium", "root"))
        if "chromium" in wanted and not unpacked and chromium.find_installed(self.cache) is None:
            needed += chromium.SIZE
        return needed
