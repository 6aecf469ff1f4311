"""The checks that need no test: style, types, Odoo's conventions, and what must not stand in a public repository."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import yaml  # type: ignore[import-untyped]

from kit.cache import MODULE
from kit.results import Result
from kit.setup import Workplace

ADDON_CODE = ("__init__.py", "__manifest__.py", "controllers", "models", "report", "tests", "wizards")

FOR_OCA_ONLY = ("manifest-required-author", "missing-readme")
"""Messages of pylint-odoo for addons that live at the OCA. Named here: its `enable = odoolint` outdoes the settings."""

REGISTRIES = [
    r"pypi\.(org|python)",
    r"python" + r"hosted\.org",
    r"deb\.debian" + r"\.org",
    r"registry\.npm" + r"js",
    r"archive\.ubuntu" + r"\.com",
]
HOMES = [r"(?<![\w.])/ro" + "ot/", r"(?<![\w.])/home/" + "[a-z]"]


def run_checks(workplace: Workplace, part: str, *, fix: bool) -> Result:
    """Run every check; each counts as one test. `fix` mends first what ruff can mend."""
    result = Result(part)
    if fix:
        for words in (("check", "--fix", "--quiet", "."), ("format", "--quiet", ".")):
            _run(workplace, workplace.checkout, "ruff", *words)
    for name, check in CHECKS.items():
        problems = check(workplace)
        if problems is None:
            result.passed += 1
            print(f"{name}: ok", flush=True)
        else:
            result.failed.append(name)
            print(f"{name}: failed\n{problems.rstrip()}", flush=True)
    return result


def tracked_files(checkout: Path) -> list[Path]:
    """The files that git knows or would take, relative to the checkout."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return sorted(Path(name) for name in set(listed.split("\0")) if name and (checkout / name).is_file())


def _tool(*words: str) -> Callable[[Workplace], str | None]:
    """A check that runs a module of the environment in the checkout."""

    def check(workplace: Workplace) -> str | None:
        return _run(workplace, workplace.checkout, *words)

    return check


def _run(workplace: Workplace, folder: Path, *words: str) -> str | None:
    result = subprocess.run([workplace.python, "-m", *words], cwd=folder, capture_output=True, text=True, check=False)
    return result.stdout + result.stderr if result.returncode else None


def _pylint_odoo(workplace: Workplace) -> str | None:
    """Through the symlink, so that the module has its name."""
    module = workplace.addons / MODULE
    words = [str(Path(MODULE) / name) for name in ADDON_CODE if (module / name).exists()]
    return _run(
        workplace,
        workplace.addons,
        "pylint",
        f"--rcfile={module / 'pyproject.toml'}",
        f"--disable={','.join(FOR_OCA_ONLY)}",
        rf"--ignore-paths={MODULE}/tests/(driver|live)/.*",
        *words,
    )


def _no_places(workplace: Workplace) -> str | None:
    """No file names a registry's host (pip and apt have their own settings) or a place on one machine."""
    own = [re.escape(str(place)) for place in (workplace.checkout, Path.home()) if len(place.parts) > 2]
    forbidden = re.compile("|".join([*REGISTRIES, *HOMES, *own]))
    found = []
    for path in tracked_files(workplace.checkout):
        try:
            text = (workplace.checkout / path).read_text()
        except UnicodeDecodeError:
            continue
        found += [
            f"{path}:{number}: {match[0]}"
            for number, line in enumerate(text.splitlines(), 1)
            if (match := forbidden.search(line))
        ]
    return "\n".join(found) or None


PROMISE = re.compile(r"^\* \*\*(.+?)\*\*", re.MULTILINE)


def _promises(workplace: Workplace) -> str | None:
    """Every promise of the README's section on money has tests in quality.yaml, and every test named there is there."""
    readme = (workplace.checkout / "README.md").read_text()
    section = readme.partition("## Money safety")[2].partition("\n## ")[0]
    promised = PROMISE.findall(section)
    proven = yaml.safe_load((workplace.checkout / "quality.yaml").read_text())
    problems = [f"README.md promises {name!r}: quality.yaml names no test" for name in promised if not proven.get(name)]
    problems += [f"quality.yaml: the README does not promise {name!r}" for name in proven if name not in promised]
    if not promised:
        problems.append("README.md: no promise was found under 'Money safety'")
    pointers = {pointer for tests in proven.values() for pointer in tests or []}
    problems += [
        f"quality.yaml: there is no {pointer}" for pointer in sorted(pointers) if not _is_test(workplace, pointer)
    ]
    return "\n".join(problems) or None


def _is_test(workplace: Workplace, pointer: str) -> bool:
    """Say whether `file::test` or `file::Class::test` is there."""
    name, *path = pointer.split("::")
    file = workplace.checkout / name
    if not path or not path[-1].startswith("test_") or not file.is_file():
        return False
    body: Sequence[ast.stmt] = ast.parse(file.read_text()).body
    for step in path:
        kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        found = [node for node in body if isinstance(node, kinds) and node.name == step]
        if not found:
            return False
        body = found[0].body
    return True


CHECKS: dict[str, Callable[[Workplace], str | None]] = {
    "ruff": _tool("ruff", "check", "--output-format", "concise", "."),
    "format": _tool("ruff", "format", "--check", "--output-format", "concise", "."),
    "types": _tool("mypy"),
    "pylint-odoo": _pylint_odoo,
    "no registry, no local path": _no_places,
    "promises are proven": _promises,
}
