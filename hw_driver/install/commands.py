"""The commands that install, pair, replace and remove the driver."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from .. import __version__
from ..configuration import Settings, load
from ..state_folder import StateFolder, default_folder
from . import package, service, supervisor, upgrade
from .check import check
from .pair import pair
from .versions import PROGRAM, SUPERVISOR, CannotInstall, Program

PAIR_EXAMPLES = """\
examples:
  card-terminal pair https://shop.example 7KQ4-93XF
  card-terminal pair https://shop.example 7KQ4-93XF --install

The code comes from Odoo: Connect This Till, in the settings of the point of sale.
"""
IDLE_SECONDS = 600.0


def add_commands(add: Callable[..., argparse.ArgumentParser], place: argparse.ArgumentParser) -> None:
    """Declare them."""
    command = add("pair", "pair with Odoo, by a code that Odoo shows", _pair, place, epilog=PAIR_EXAMPLES)
    command.add_argument("url", help="Odoo's address, such as https://shop.example")
    command.add_argument("code", help="the code that Odoo shows, such as 7KQ4-93XF")
    command.add_argument("--database", metavar="NAME", help="which database, where Odoo has several")
    command.add_argument("--replace", action="store_true", help="replace the pairing that is there")
    command.add_argument("--allow-plain", action="store_true", help="pair without HTTPS, in a network you trust")
    command.add_argument("--install", action="store_true", help="then install the driver as a service and start it")
    command = add("install", "keep the driver running: a service of systemd or Windows", _install, place)
    _how(command)
    command.add_argument("--no-service", action="store_true", help="put it there; something else will start it")
    command = add("uninstall", "remove the service; journal and keys stay", _uninstall, place)
    _how(command)
    command = add("upgrade", "change to the version that Odoo offers, when nobody pays", _upgrade, place)
    command.add_argument("--file", type=Path, metavar="WHEEL", help="change to this version instead")
    command.add_argument("--wait", type=float, default=IDLE_SECONDS, metavar="SECONDS", help="for payments under way")
    command = add("rollback", "change back to the version before", _rollback, place)
    command.add_argument("--wait", type=float, default=IDLE_SECONDS, metavar="SECONDS", help="for payments under way")
    command = add(
        "certificate",
        "serve HTTPS, for tills whose Odoo has it (needs the Python package cryptography)",
        _certificate,
        place,
    )
    command.add_argument(
        "names", nargs="+", metavar="NAME", help="names or addresses under which tills reach this machine"
    )
    command = add("check", "say whether this version can work here", _check, place)
    command.add_argument("--journal", type=Path, metavar="FILE", help="a copy of the journal that it should read")


def _how(command: argparse.ArgumentParser) -> None:
    command.add_argument("--print", action="store_true", dest="only_print", help="show what would be done")
    command.add_argument("--user", action="store_true", help="as a service of this user, also for root")


def _pair(arguments: argparse.Namespace) -> int:
    if arguments.install:  # what would refuse the service is found out before the code is spent
        arguments.only_print = arguments.user = arguments.no_service = False
        _place(arguments, *_folder(arguments))
    said = pair(
        arguments.url,
        arguments.code,
        _config(arguments),
        database=arguments.database,
        replace=arguments.replace,
        plain=arguments.allow_plain,
    )
    print(said)
    if not arguments.install:
        print("Start it with: card-terminal serve. Or keep it running: card-terminal install")
        return 0
    return _install(arguments)


def _install(arguments: argparse.Namespace) -> int:
    config = _config(arguments).absolute()
    folder, program = _folder(arguments)
    steps: list[service.Step] = []
    if not arguments.no_service:
        steps = service.install_steps(_place(arguments, folder, program))
    if arguments.only_print:
        print(service.told(steps))
        return 0
    if not config.exists():
        raise CannotInstall(
            f"there is no {config}: pair first (Connect This Till, in Odoo), or name a file with --config"
        )
    folder.create()
    script = program.place_supervisor()
    place_version(program, config, folder)
    service.carry_out(steps)
    if steps:
        print(f"The driver {__version__} runs as a service, and starts with the machine. Its state: {folder.path}")
    else:
        print(f"The driver {__version__} is in {program.path}. Keep this running: {sys.executable} {script} serve")
    return 0


def _place(arguments: argparse.Namespace, folder: StateFolder, program: Program) -> service.Place:
    system = False if arguments.user else None
    script, only_print = program.path / SUPERVISOR, arguments.only_print
    return service.here(folder.path, script, sys.executable, system=system, only_print=only_print)


def place_version(program: Program, config: Path, folder: StateFolder) -> None:
    """Make this very version the one in use."""
    entry = program.unpack(package.wheel(__version__))
    if why := program.check(entry, config):
        raise CannotInstall(why)
    before = program.pointer() if program.installed else {}
    previous = before.get("current") if before.get("current") != entry else before.get("previous")
    pointer = {"current": entry, "previous": previous, "trial": False, "failed": None}
    supervisor.write(program.path, {**pointer, "config": str(config), "state": str(folder.path.absolute())})


def _uninstall(arguments: argparse.Namespace) -> int:
    folder, program = _folder(arguments)
    steps = service.uninstall_steps(_place(arguments, folder, program))
    if arguments.only_print:
        print(service.told(steps))
        return 0
    service.carry_out(steps)
    print(f"The service is removed. Journal, keys and versions stay in {folder.path}")
    return 0


def _upgrade(arguments: argparse.Namespace) -> int:
    folder, program = _folder(arguments)
    config = Path(program.pointer()["config"])
    if arguments.file:
        try:
            wheel = arguments.file.read_bytes()
        except OSError as error:
            raise upgrade.NotUpgraded(f"{arguments.file} cannot be read: {error.strerror}") from error
    else:
        wheel = upgrade.fetch(_settings(config, folder), folder)
    print(upgrade.upgrade(program, folder, wheel, config, arguments.wait))
    return 0


def _rollback(arguments: argparse.Namespace) -> int:
    folder, program = _folder(arguments)
    print(upgrade.go_back(program, folder, Path(program.pointer()["config"]), arguments.wait))
    return 0


def _certificate(arguments: argparse.Namespace) -> int:
    from .certificate import certificate

    folder, _ = _folder(arguments)
    print(certificate(folder, _config(arguments), arguments.names))
    return 0


def _check(arguments: argparse.Namespace) -> int:
    check(arguments.config, arguments.journal)
    return 0


def _config(arguments: argparse.Namespace) -> Path:
    config: Path = arguments.config or (arguments.state or default_folder()) / "driver.toml"
    return config


def _settings(config: Path, folder: StateFolder) -> Settings:
    return load(config, folder.path)


def _folder(arguments: argparse.Namespace) -> tuple[StateFolder, Program]:
    """Return the state folder and the program folder in it."""
    config = _config(arguments)
    path = arguments.state or (load(config, default_folder()).state if config.exists() else default_folder())
    return StateFolder(path.absolute()), Program(path.absolute() / PROGRAM)
