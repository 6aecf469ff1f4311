"""The import rule: protocols <- transports <- terminal, journal <- service, virtual <- cli. Nothing imports upward."""

import ast
import sys
from pathlib import Path

import hw_driver

DRIVER = Path(hw_driver.__file__).parent
HELPERS = ("refusals", "timers")
LAYERS = (
    {"__init__", "protocols", "signing", "clock"},
    {"transports"},
    {"terminal", "journal", "transaction", "dialog", "asking", "identity", "line", "keep_alive", "request", *HELPERS},
    {"service", "virtual", "configuration", "state_folder", "pairing"},
)
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
COMMAND_LINE = len(LAYERS)  # every other module; nothing below may use it
THIRD_PARTY = {"aiohttp", "cryptography", "serial"}
POSIX_ONLY = {"fcntl", "grp", "pty", "pwd", "resource", "termios", "tty"}


def imports():
    """Yield (file relative to hw_driver, imported module, whether it is one of the driver's own)."""
    for path in sorted(DRIVER.rglob("*.py")):
        file = path.relative_to(DRIVER)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((file, alias.name, False) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                yield file, node.module, False
            elif isinstance(node, ast.ImportFrom):
                package = (*file.parts[: len(file.parts) - node.level], *(node.module or "").split("."))
                names = [package] if node.module else [(*package, alias.name) for alias in node.names]
                yield from ((file, own_module(".".join(filter(None, parts))), True) for parts in names)


def own_module(name):
    """`from . import __version__` names what the package itself holds."""
    part = name.split(".")[0]
    return name if (DRIVER / part).is_dir() or (DRIVER / f"{part}.py").is_file() else "__init__"


def top(file):
    return file.parts[0].removesuffix(".py")


def test_nothing_imports_upward():
    upward = [
        f"{file} imports {module}"
        for file, module, own in imports()
        if own and RANK.get(module.split(".")[0], COMMAND_LINE) > RANK.get(top(file), COMMAND_LINE)
    ]
    assert upward == []


def test_the_layers_are_there():
    found = {top(path.relative_to(DRIVER)) for path in DRIVER.rglob("*.py")}
    assert set(RANK) <= found


def test_the_driver_names_itself_relatively_and_never_odoo():
    absolute = [(file, module.split(".")[0]) for file, module, own in imports() if not own]
    assert [f"{file}: {name}" for file, name in absolute if name in ("hw_driver", "odoo")] == []


def test_what_comes_from_outside():
    foreign = {
        (top(file), module.split(".")[0])
        for file, module, own in imports()
        if not own and module.split(".")[0] not in sys.stdlib_module_names
    }
    assert {module for _, module in foreign} <= THIRD_PARTY
    assert {part for part, _ in foreign} & {"protocols", "signing", "codec_cli", "__main__"} == set()


def test_tills_run_windows_too():
    posix = [f"{file}: {module}" for file, module, own in imports() if not own and module in POSIX_ONLY]
    assert [entry for entry in posix if not entry.startswith(("service", "virtual/cable.py"))] == []
