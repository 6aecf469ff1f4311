"""Databases for tests and demos: cloned from templates that are made once.

The base template holds Odoo's point of sale with the charts of accounts of France, Germany, Austria and
Switzerland; its main company is in France and counts in euro.
The addon's template is that with this checkout's addon installed; it is made again when the addon's files change.
A clone takes a second or two.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

from kit.cache import MODULE, digest
from kit.errors import SetupError
from kit.odoo import problems, write_config
from kit.postgres import Postgres
from kit.progress import Progress, note
from kit.setup import Workplace
from kit.shell import end_with_parent

BASE_MODULES = ("point_of_sale", "l10n_fr", "l10n_fr_account", "l10n_de", "l10n_at", "l10n_ch")
ADDON_PARTS = (
    "__init__.py",
    "__manifest__.py",
    "controllers",
    "data",
    "i18n",
    "models",
    "report",
    "security",
    "static",
    "views",
    "wizards",
)
KEPT_ADDON_TEMPLATES = 3
KEPT_LOG_DAYS = 7
TEMPLATE_PREFIX = "card_template_"

_IN_FRANCE = """
UPDATE res_currency SET active = true WHERE name = 'EUR';
UPDATE res_company SET currency_id = (SELECT id FROM res_currency WHERE name = 'EUR');
UPDATE res_partner SET country_id = (SELECT id FROM res_country WHERE code = 'FR')
 WHERE id IN (SELECT partner_id FROM res_company);
"""


def options(workplace: Workplace, postgres: Postgres, database: str, addons: Path | None = None) -> dict[str, object]:
    """What every odoo.conf of ours says; `addons` is a folder to use instead of the one with this checkout."""
    return {
        **postgres.odoo_options,
        "db_name": database,
        "dbfilter": f"^{database}$",
        "list_db": False,
        "addons_path": workplace.addons_path(addons),
        "data_dir": workplace.data_dir,
        "http_interface": "127.0.0.1",
        "max_cron_threads": 0,
        "without_demo": True,
        "server_wide_modules": "base,web",
    }


def base_template(workplace: Workplace, postgres: Postgres) -> str:
    """The name of the template with the point of sale and no addon of ours."""
    name = f"{TEMPLATE_PREFIX}{digest(workplace.odoo.key, BASE_MODULES, _IN_FRANCE)}"
    with workplace.cache.lock(name, "another run that makes the same database"):
        if not postgres.exists(name):
            with Progress("Making a database with Odoo's point of sale") as progress:
                with under_construction(workplace, postgres, name) as database:
                    postgres.create(database)
                    progress.update(0.05, "base")
                    run_odoo(workplace, postgres, database, "--init", "base")
                    postgres.query(_IN_FRANCE, database=database)
                    progress.update(0.2, "point of sale and accounts")
                    run_odoo(workplace, postgres, database, "--init", ",".join(BASE_MODULES))
    return name


def addon_template(workplace: Workplace, postgres: Postgres) -> str:
    """The name of the template with this checkout's addon, as its files are now."""
    source = base_template(workplace, postgres)
    mine = f"{TEMPLATE_PREFIX}addon_{digest(workplace.checkout)}_"
    name = mine + digest(source, addon_fingerprint(workplace.checkout))
    with workplace.cache.lock(name, "another run that makes the same database"):
        if not postgres.exists(name):
            with Progress(f"Installing {MODULE} in a copy"):
                with under_construction(workplace, postgres, name) as database:
                    clone(workplace, postgres, source, database)
                    run_odoo(workplace, postgres, database, "--init", MODULE)
                    if not is_installed(postgres, database):
                        raise SetupError(f"Odoo did not install {MODULE}: see {_log(workplace, database)}")
    for old in [each for each in postgres.databases(mine) if "_new_" not in each][KEPT_ADDON_TEMPLATES:]:
        drop(workplace, postgres, old)
    return name


def is_installed(postgres: Postgres, database: str, module: str = MODULE) -> bool:
    """Whether a module is installed in a database."""
    rows = postgres.query("SELECT state FROM ir_module_module WHERE name = %s", [module], database)
    return rows == [("installed",)]


@contextmanager
def fresh_database(
    workplace: Workplace, postgres: Postgres, purpose: str, template: str | None = None, *, keep: bool = False
) -> Iterator[str]:
    """A database of one's own, cloned from the addon's template or the one named; dropped at the end."""
    source = template or addon_template(workplace, postgres)
    _sweep(workplace, postgres)
    database = f"card_{purpose}_{'kept' if keep else os.getpid()}_{token_hex(4)}"
    try:
        clone(workplace, postgres, source, database)
        yield database
    finally:
        if not keep:
            drop(workplace, postgres, database)


def clone(workplace: Workplace, postgres: Postgres, source: str, database: str) -> None:
    """Copy a database with its filestore. Odoo never changes a file in it, so hard links do."""
    postgres.clone(source, database)
    files = _filestore(workplace, source)
    if files.exists():
        shutil.copytree(files, _filestore(workplace, database), copy_function=os.link, dirs_exist_ok=True)


def drop(workplace: Workplace, postgres: Postgres, database: str) -> None:
    """Remove a database with its filestore."""
    postgres.drop(database)
    shutil.rmtree(_filestore(workplace, database), ignore_errors=True)


def run_odoo(workplace: Workplace, postgres: Postgres, database: str, *words: str, addons: Path | None = None) -> str:
    """Run Odoo to its end on a database, for example with `--init MODULE`; return its log."""
    config = write_config(
        workplace.cache.path("config", f"{database}.conf"), options(workplace, postgres, database, addons)
    )
    command = workplace.odoo_command(config, "--database", database, "--no-http", "--stop-after-init", *words)
    log = _log(workplace, database)
    try:
        result = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            env=workplace.environment,
            preexec_fn=end_with_parent,
        )
    finally:
        config.unlink()
    log.write_text(result.stdout)
    troubles = problems(result.stdout)
    for line in troubles:
        note(f"  Odoo: {line.split(' ', 3)[-1]}")
    if result.returncode:
        note("\n".join(result.stdout.splitlines()[-25:]))
        raise SetupError(f"Odoo failed with {' '.join(words)}: see {log}")
    log.unlink() if not troubles else None
    return result.stdout


def _sweep(workplace: Workplace, postgres: Postgres) -> None:
    """Remove databases and old logs of runs that were killed."""
    for database in postgres.databases("card_"):
        owner = re.fullmatch(r"card_[a-z]+_(\d+)_[0-9a-f]{8}", database)
        if owner and not Path("/proc", owner[1]).exists() and not postgres.in_use(database):
            drop(workplace, postgres, database)
    long_ago = time.time() - KEPT_LOG_DAYS * 86_400
    for log in workplace.cache.path("logs").glob("*.log"):
        if log.stat().st_mtime < long_ago:
            log.unlink(missing_ok=True)


def addon_fingerprint(checkout: Path) -> str:
    """Changes when a file changes that counts when the addon is installed."""
    files = sorted(
        path
        for part in ADDON_PARTS
        for path in [checkout / part, *(checkout / part).rglob("*")]
        if path.is_file() and path.suffix != ".pyc"
    )
    return digest(*(f"{path.relative_to(checkout)} {digest(path.read_bytes())}" for path in files))


@contextmanager
def under_construction(workplace: Workplace, postgres: Postgres, name: str) -> Iterator[str]:
    """The name of a database to fill, which gets its real name only when it is complete."""
    database = f"{name}_new_{os.getpid()}"
    for leftover in postgres.databases(f"{name}_new_"):
        drop(workplace, postgres, leftover)
    try:
        yield database
        shutil.rmtree(_filestore(workplace, name), ignore_errors=True)
        if _filestore(workplace, database).exists():
            _filestore(workplace, database).rename(_filestore(workplace, name))
        postgres.rename(database, name)
    except BaseException:
        drop(workplace, postgres, database)
        raise


def _filestore(workplace: Workplace, database: str) -> Path:
    return workplace.data_dir / "filestore" / database


def _log(workplace: Workplace, database: str) -> Path:
    return workplace.cache.log(f"odoo-{database}")
