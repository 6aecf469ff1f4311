"""A private apt: Debian packages downloaded and unpacked into a folder, without root and without touching the system.

It reads the machine's own sources and settings, so mirrors and proxies are the machine's, but keeps lists, cache and
status in a folder of ours. The status is empty: to it nothing is installed, so that the whole closure of a package
can be fetched. A mirror that lags behind will do: signatures are checked, the age of the lists is not.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from kit.cache import Cache
from kit.errors import SetupError, explain
from kit.progress import Progress
from kit.shell import run

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

_CONFIGURATION = """\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
#clear DPkg::Pre-Install-Pkgs;
Dir::State::Lists "{folder}/lists";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}/cache";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
APT::Sandbox::User "root";
APT::Status-Fd "1";
Debug::NoLocking "1";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::Check-Valid-Until "false";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::DEP-11-icons::DefaultEnabled "false";
Acquire::IndexTargets::deb::DEP-11-icons-small::DefaultEnabled "false";
Acquire::IndexTargets::deb::CNF::DefaultEnabled "false";
Binary::apt-get::APT::Keep-Downloaded-Packages "true";
"""


class Apt:
    """One set of sources: the machine's own, or the lines given."""

    def __init__(self, cache: Cache, name: str, sources: str | None = None) -> None:
        if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
            raise SetupError(
                "this machine has no apt: Odoo, PostgreSQL and Chromium cannot be unpacked here; "
                "install them and set ODOO_HOME to the folder of Odoo 19"
            )
        self.name = name
        self.folder = cache.path("apt", name)
        self.log = cache.log(f"apt-{name}")
        self.archives = self.folder / "cache" / "archives"
        for needed in (self.folder / "lists" / "partial", self.archives / "partial"):
            needed.mkdir(parents=True, exist_ok=True)
        (self.folder / "status").touch()
        configuration = _CONFIGURATION.format(folder=self.folder)
        if sources is not None:
            (self.folder / "sources.list").write_text(sources)
            configuration += f'Dir::Etc::SourceList "{self.folder}/sources.list";\nDir::Etc::SourceParts "/dev/null";\n'
        self._configuration = self.folder / "apt.conf"
        self._configuration.write_text(configuration)
        self._updated = False

    def update(self) -> None:
        """Fetch the package lists, once per process."""
        if self._updated:
            return
        with Progress(f"Package lists ({self.name})") as progress:
            output = self._run("apt-get", "update", what="reading the package lists", progress=progress, fatal=False)
        if not any((self.folder / "lists").glob("*_Packages*")):
            raise explain(output, "reading the package lists", self.log)
        self._updated = True

    def mirror(self) -> str:
        """The address of the Debian mirror that this machine uses."""
        self.update()
        filters = ("Created-By: Packages", "Origin: Debian", "Label: Debian")
        targets = self._ask("apt-get", "indextargets", "--format", "$(REPO_URI)", *filters).split()
        if not targets:
            raise SetupError(
                "apt on this machine has no Debian mirror (see /etc/apt): set ODOO_HOME to the folder of an Odoo 19, "
                "and install chromium"
            )
        return targets[0]

    def version(self, package: str) -> str | None:
        """The version on offer."""
        self.update()
        shown = self._ask("apt-cache", "show", "--no-all-versions", package)
        return next((line.split()[1] for line in shown.splitlines() if line.startswith("Version: ")), None)

    def download(self, packages: list[str], into: Path, label: str) -> list[Path]:
        """Download exactly these packages."""
        self.update()
        into.mkdir(parents=True, exist_ok=True)
        with Progress(f"Downloading {label}") as progress:
            self._run("apt-get", "download", *packages, what=f"downloading {label}", progress=progress, folder=into)
        return sorted(into.glob("*.deb"))

    def download_closure(self, packages: list[str], label: str) -> list[Path]:
        """Download these packages and everything that they depend on."""
        self.update()
        self._run("apt-get", "autoclean", what="dropping outdated downloads", progress=None)
        with Progress(f"Downloading {label}") as progress:
            self._run(
                "apt-get", "install", "--yes", "--download-only", "--no-install-recommends", *packages,
                what=f"downloading {label}", progress=progress,
            )  # fmt: skip
        return sorted(self.archives.glob("*.deb"))

    def _ask(self, program: str, *words: str) -> str:
        command = [program, "-c", str(self._configuration), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout

    def _run(
        self,
        program: str,
        *words: str,
        what: str,
        progress: Progress | None,
        folder: Path | None = None,
        fatal: bool = True,
    ) -> str:
        def on_line(line: str) -> None:
            if progress and line.startswith("dlstatus:"):
                progress.update(float(line.split(":")[2]) / 100)

        return run(
            [program, "-c", self._configuration, *words],
            what,
            self.log,
            on_line=on_line,
            folder=folder,
            allow_failure=not fatal,
        )


def unpack(packages: list[Path], into: Path, label: str, log: Path) -> None:
    """Unpack packages over one another into one root, and remove each when it is in."""
    into.mkdir(parents=True, exist_ok=True)
    total = sum(package.stat().st_size for package in packages) or 1
    done = 0
    with Progress(f"Unpacking {label}") as progress:
        for package in packages:
            progress.update(done / total, package.name.split("_")[0])
            done += package.stat().st_size
            run(["dpkg-deb", "--extract", package, into], f"unpacking {package.name}", log)
        for package in packages:
            package.unlink()
