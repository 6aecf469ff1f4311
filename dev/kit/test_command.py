"""Run the tests.

  dev/test                         everything
  dev/test odoo                    one part, or several: dev/test driver lint
  dev/test odoo -k refund -x       what follows the parts goes to pytest
  dev/test odoo tests/test_x.py    one file (of one part)
  dev/test driver --coverage       and measure its branches; too few fail the run
  dev/test lint --fix              mend what ruff can mend, then check
  dev/test --setup                 only fetch and make what the tests need
  dev/test --where                 print where things are, as JSON
  dev/test --patient               a driver's or live test that gave up waiting gets a second try, and is named

Parts:
  driver   the driver alone: protocols, journal, service, virtual terminals; needs no Odoo
  odoo     the addon's models and accounting on a real Odoo and PostgreSQL (tests/test_*.py)
  tours    the point of sale in a real Chromium (tests/test_tour_*.py)
  live     an Odoo server, a driver process, a virtual terminal and a browser driven from outside (tests/live)
  lint     ruff, mypy, pylint-odoo, and that no file names a registry or a place on this machine

The first run fetches what is missing into the cache folder (CARD_TERMINAL_CACHE, about 3 GB). ODOO_HOME names an Odoo
19 that is there already, PGHOST and the other PG* variables a PostgreSQL; an installed Chromium is used. A test that
is skipped fails the run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from secrets import token_hex
from typing import IO, TYPE_CHECKING

from kit.cache import MODULE
from kit.errors import SetupError
from kit.progress import note
from kit.results import Result, closing_lines, read_junit
from kit.setup import Workplace

if TYPE_CHECKING:
    from kit.postgres import Postgres

NEEDS: dict[str, tuple[str, ...]] = {
    "driver": ("driver", "pytelium", "strace", "tshark"),
    "odoo": ("odoo",),
    "tours": ("odoo", "chromium"),
    "live": ("odoo", "chromium"),
    "lint": ("odoo-env",),
}
COVERAGE = Path(__file__).parent / "coverage.ini"
LIVE_SHOPS = 2
"""Shops that are open at once when all live tests run: most of a shop's time is waiting."""
SECOND_TRY = {
    part: [word for pattern in patterns for word in ("--only-rerun", pattern)] + ["--reruns", "1"]
    for part, patterns in {
        "driver": [r"^TimeoutError: $", r"^TimeoutExpired"],
        "live": [r"Locator expected", r"TimeoutError: .* exceeded"],
    }.items()
}
"""Where a test gave up waiting. What was found and is wrong (money above all) gets no second try."""
ODOO_DATABASES = 2
"""Databases in which the addon's tests run side by side when all run."""
HOW = {"-q", "-v", "-x"}
"""Words to pytest that choose no tests."""
SECONDS_PER_TEST = {"driver": 60, "odoo": 300, "tours": 300, "live": 300}


def main(arguments: Sequence[str]) -> int:
    """Run the parts named, or all."""
    words = list(arguments)
    if any(word in ("-h", "--help") for word in words):
        print(__doc__)
        return 0
    workplace = Workplace()
    if "--where" in words:
        print(json.dumps(workplace.where(), indent=2))
        return 0
    setup_only = "--setup" in words
    more = SECOND_TRY if "--patient" in words else {}
    words = [word for word in words if word not in ("--setup", "--patient")]
    parts: list[str] = []
    while words and words[0] in NEEDS:
        parts.append(words.pop(0))
    if words and not words[0].startswith("-") and not parts:
        note(f"dev/test: there is no part {words[0]!r}; parts are {', '.join(NEEDS)} (see dev/test --help)")
        return 2
    parts = parts or list(NEEDS)
    workplace.ensure(*(need for part in parts for need in NEEDS[part]))
    if parts != ["driver"]:
        workplace.enter("odoo")
    if setup_only:
        return _make_templates(workplace, parts)
    return _run_parts(workplace, parts, words, more)


def _make_templates(workplace: Workplace, parts: list[str]) -> int:
    from kit.database import base_template

    if any("odoo" in NEEDS[part] for part in parts):
        with workplace.postgres() as postgres:
            base_template(workplace, postgres)
    return 0


def _run_parts(workplace: Workplace, parts: list[str], words: list[str], more: dict[str, list[str]]) -> int:
    results = []
    for part in parts:
        sys.stdout.flush()
        note(f"── {part} " + "─" * (76 - len(part)))
        began = time.monotonic()
        try:
            result = _RUNNERS[part](workplace, part, [*words, *more.get(part, [])])
        except SetupError as error:  # the other parts can still be run
            note(f"{part}: {error}")
            result = Result(part, failed=[str(error)])
        result.seconds = time.monotonic() - began
        results.append(result)
    print("\n".join(closing_lines(results)), flush=True)
    return 0 if all(result.good for result in results) else 1


def _run_driver(workplace: Workplace, part: str, words: list[str]) -> Result:
    folder = workplace.checkout / "tests" / "driver"
    python, environment = workplace.python_of("driver"), {**os.environ, "PATH": workplace.path}
    environment["PYTELIUM_PYTHON"] = str(workplace.python_of("pytelium"))
    measured = "--coverage" in words
    words = [word for word in words if word != "--coverage"]
    words = ["-c", str(folder / "pytest.ini"), "-p", "no:odoo", "-n", "auto", *_files_or(words, [folder])]
    if not measured:
        return _pytest(workplace, part, python, words, environment)
    with tempfile.TemporaryDirectory(dir=workplace.cache.path("tmp")) as data:
        environment |= {"COVERAGE_FILE": f"{data}/coverage", "COVERAGE_RCFILE": str(COVERAGE)}
        result = _pytest(workplace, part, python, words, environment, "coverage", "run", "-m")
        coverage = [str(python), "-m", "coverage"]
        subprocess.run([*coverage, "combine", "--quiet"], cwd=workplace.checkout, env=environment, check=False)
        if subprocess.run([*coverage, "report"], cwd=workplace.checkout, env=environment, check=False).returncode:
            result.failed.append(f"branch coverage is below what {COVERAGE.name} asks for")
    return result


def _run_in_odoo(workplace: Workplace, part: str, words: list[str]) -> Result:
    """Tests inside Odoo, on fresh copies of the database with the addon."""
    from kit.database import addon_template

    module = workplace.addons / MODULE
    tours = set((module / "tests").glob("test_tour_*.py"))
    files = tours if part == "tours" else set((module / "tests").glob("test_*.py")) - tours
    if not files:
        return Result(part, failed=["there are no tests"])
    words = [word.replace("tests/", f"{module}/tests/", 1) if word.startswith("tests/") else word for word in words]
    alone = part == "tours" or not set(words) <= HOW  # what is chosen may be in one share alone
    shares = [_files_or(words, sorted(files))] if alone else [[*share, *words] for share in _shares(files)]
    with workplace.postgres() as postgres, ThreadPoolExecutor(len(shares)) as pool:
        addon_template(workplace, postgres)
        runs = [pool.submit(_in_a_database, workplace, postgres, part, share, share is shares[0]) for share in shares]
        results = [run.result() for run in runs]
    return Result(
        part,
        sum(result.passed for result in results),
        [name for result in results for name in result.failed],
        [name for result in results for name in result.skipped],
    )


def _shares(files: set[Path]) -> list[list[str]]:
    """Part files so that each database has as much to do, going by their sizes."""
    shares: list[list[Path]] = [[] for _ in range(ODOO_DATABASES)]
    for file in sorted(files, key=lambda file: (-file.stat().st_size, file)):
        min(shares, key=lambda share: sum(each.stat().st_size for each in share)).append(file)
    return [[str(file) for file in sorted(share)] for share in shares]


def _in_a_database(workplace: Workplace, postgres: Postgres, part: str, words: list[str], live: bool) -> Result:
    """Run pytest in an Odoo with a database of its own; what it says is shown as it comes, or else at its end."""
    from kit.database import fresh_database, options
    from kit.odoo import write_config

    with fresh_database(workplace, postgres, part) as database, tempfile.TemporaryFile("w+") as said:
        config = write_config(
            workplace.cache.path("config", f"{database}.conf"), options(workplace, postgres, database)
        )
        try:
            return _pytest(
                workplace,
                part,
                workplace.python,
                [
                    f"--odoo-config={config}",
                    f"--odoo-database={database}",
                    "--odoo-http",
                    f"--odoo-log-level={'info' if part == 'tours' else 'warn'}",
                    "-c",
                    str(workplace.addons / MODULE / "dev" / "kit" / "pytest-odoo.ini"),
                    f"--rootdir={workplace.addons / MODULE}",
                    *words,
                ],
                workplace.environment,
                output=None if live else said,
            )
        finally:
            config.unlink(missing_ok=True)
            if not live:
                said.seek(0)
                print(said.read(), flush=True)


def _run_live(workplace: Workplace, part: str, words: list[str]) -> Result:
    folder = workplace.checkout / "tests" / "live"
    environment = workplace.environment
    environment["PYTHONPATH"] = os.pathsep.join([str(workplace.checkout / "dev"), str(workplace.checkout)])
    files = _files_or(words, [folder])
    spread = [] if files is words else ["-n", str(LIVE_SHOPS), "--dist", "loadfile"]
    return _pytest(
        workplace,
        part,
        workplace.python,
        ["-c", str(folder / "pytest.ini"), "-p", "no:odoo", *spread, *files],
        environment,
    )


def _run_lint(workplace: Workplace, part: str, words: list[str]) -> Result:
    from kit.lint import run_checks

    return run_checks(workplace, part, fix="--fix" in words)


def _files_or(words: list[str], default: Sequence[Path]) -> list[str]:
    """The words for pytest, with the part's own tests where no file is named."""
    named = any(Path(word.split("::")[0]).exists() for word in words if not word.startswith("-"))
    return words if named else [*map(str, default), *words]


def _pytest(
    workplace: Workplace,
    part: str,
    python: Path,
    words: list[str],
    environment: dict[str, str],
    *under: str,
    output: IO[str] | None = None,
) -> Result:
    """Run pytest, as a module of `under` where words say so (coverage); `output` takes what it says."""
    report = workplace.cache.path("tmp", f"junit-{part}-{token_hex(4)}.xml")
    pytest = ["pytest", f"--junitxml={report}", f"--timeout={SECONDS_PER_TEST[part]}", *words]
    command = [str(python), "-m", *under, *pytest]
    try:
        status = subprocess.run(
            command, cwd=workplace.checkout, env=environment, stdout=output, stderr=output, check=False
        ).returncode
        return read_junit(part, report, status)
    finally:
        report.unlink(missing_ok=True)


_RUNNERS: dict[str, Callable[[Workplace, str, list[str]], Result]] = {
    "driver": _run_driver,
    "odoo": _run_in_odoo,
    "tours": _run_in_odoo,
    "live": _run_live,
    "lint": _run_lint,
}
