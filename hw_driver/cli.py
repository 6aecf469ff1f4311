"""`card-terminal`: the command line. Each command imports what it needs, so that `decode` runs on a bare Python."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from . import __version__
from .protocols.machine import CardTerminalError
from .state_folder import StateFolder, default_folder

EXAMPLES = """\
examples:
  card-terminal virtual concert-v3 --port 8888 --web 8889    a terminal to try with
  card-terminal serve --config driver.toml                   run the driver
  card-terminal terminals                                    which terminals it has
  card-terminal pay counter 12.50                            take a payment, without Odoo
  card-terminal doctor                                       what is wrong, in plain words
"""
TERMINALS_EXAMPLES = """\
examples:
  card-terminal terminals                          which terminals the running driver has
  card-terminal terminals --options concert-v2     what can be set, which values it takes, what each family needs
"""
PAY_EXAMPLES = """\
examples:
  card-terminal pay counter 12.50
  card-terminal pay counter 12.50 --reversal --original 0b6f6c4e-2d0a-4b1c-9a53-0f6a8f1d2c33
  card-terminal pay counter 12.50 --refund --original 0b6f6c4e-2d0a-4b1c-9a53-0f6a8f1d2c33

exit status: 0 approved, 3 declined or cancelled, 4 failed, 5 not known; 1 not started, 2 wrong usage
"""

KINDS_TO_PAY = {
    "refund": "pay back instead",
    "reversal": "take a payment back as if it had not been",
    "preauth": "hold the amount only",
    "completion": "take an amount that is held",
    "tip": "add a tip to a payment",
}

Command = Callable[[argparse.Namespace], int]


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; errors are one line on stderr."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments and arguments[0] in ("decode", "encode"):
        from . import codec_cli

        command = codec_cli.decode_command if arguments[0] == "decode" else codec_cli.encode_command
        return command(arguments[1:])
    parsed = parser(virtual=arguments[:1] == ["virtual"]).parse_args(arguments)
    try:
        run: Command = parsed.run
        return run(parsed)
    except CardTerminalError as error:
        print(f"card-terminal: {error}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        if str(error.name).startswith(__package__):
            raise
        print(f"card-terminal: this needs the Python package {error.name}: pip install {error.name}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 1


def parser(*, virtual: bool = False) -> Parser:
    """Return the parser; `virtual` declares that command's arguments, whose parts are imported for it alone."""
    top = Parser(
        prog="card-terminal",
        description="Takes card payments on payment terminals.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"card-terminal {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Parser)
    place = Parser(add_help=False)
    place.add_argument(
        "--config", type=Path, metavar="FILE", help="the driver's file (default: driver.toml in --state)"
    )
    place.add_argument("--state", type=Path, metavar="DIR", help=f"the state folder (default: {default_folder()})")
    as_json = Parser(add_help=False)
    as_json.add_argument("--json", action="store_true", help="print JSON")

    def add(name: str, about: str, run: Command, *parents: Parser, epilog: str | None = None) -> Parser:
        command = commands.add_parser(
            name,
            help=about,
            description=about,
            parents=parents,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.set_defaults(run=run)
        return command

    serve = add("serve", "run the driver", _serve, place)
    serve.add_argument("--port", type=_port, help="listen on this port instead; 0 chooses a free one")
    serve.add_argument("--grace", type=_seconds, default=10.0, help="seconds to wait for payments when stopping")
    serve.add_argument("--log-format", choices=("text", "json"), default="text", help="lines for people, or JSON lines")
    serve.add_argument("--ready", action="store_true", help="print a line of JSON when listening")
    serve.add_argument("--ready-file", type=Path, metavar="FILE", help="write that line to a file as well")

    terminals = add(
        "terminals",
        "list the terminals of the running driver, or say what can be set for one",
        _terminals,
        place,
        as_json,
        epilog=TERMINALS_EXAMPLES,
    )
    terminals.add_argument(
        "--options", metavar="PROTOCOL", help="say what can be set for terminals of this protocol; needs no driver"
    )
    pay = add(
        "pay", "take a payment on a terminal, without Odoo", _client_command("pay"), place, as_json, epilog=PAY_EXAMPLES
    )
    pay.add_argument("terminal", help="id of the terminal, as `terminals` lists it")
    pay.add_argument("amount", help="such as 12.50")
    pay.add_argument("--currency", default="EUR", help="ISO 4217 letters (default: EUR)")
    pay.set_defaults(kind="sale")
    kinds = pay.add_mutually_exclusive_group()
    for kind, about in KINDS_TO_PAY.items():
        kinds.add_argument(f"--{kind}", dest="kind", action="store_const", const=kind, help=about)
    pay.add_argument("--original", metavar="UUID", help="the payment that is refunded, reversed, completed or tipped")
    pay.add_argument("--means", help="what is paid with, such as cheque (default: a card)")
    pay.add_argument("--reference", default="", help="the order's number, for the ticket")
    settle = add("settle", "let a terminal send off its payments", _client_command("settle"), place, as_json)
    copy = add("reprint", "let a terminal print its last slip again", _client_command("reprint"), place, as_json)
    for errand in (settle, copy):
        errand.add_argument("terminal", help="id of the terminal, as `terminals` lists it")
    ask = add("ask", "ask something of a terminal itself", _client_command("ask"), place, as_json)
    ask.add_argument("terminal", help="id of the terminal, as `terminals` lists it")
    ask.add_argument("kind", help="such as identify, totals, diagnosis, initialisation; the terminal's `kinds`")
    ask.add_argument("--text", default="", help="what it is to show (kind display)")
    status = add("status", "say how the driver stands, or a payment", _client_command("status"), place, as_json)
    status.add_argument("uuid", nargs="?", help="the payment's uuid")
    backup = add("backup", "copy the journal to a new file", _client_command("backup"), place)
    backup.add_argument("file", type=Path, help="where the copy goes; must not exist")
    add("ports", "show what is plugged in, and how to name it", _ports, as_json)
    doctor = add("doctor", "say what is wrong and what to do", _doctor, place)
    doctor.add_argument("--identify", action="store_true", help="ask each terminal who it is, too")

    from .install.commands import add_commands

    add_commands(add, place)

    terminal = add("virtual", "be a terminal to try with: no real money", _virtual)
    if virtual:
        from .virtual import command

        command.add_arguments(terminal)
    for name, about in (("decode", "show the fields of a message"), ("encode", "make the bytes of a message")):
        commands.add_parser(name, help=about)
    return top


def _serve(arguments: argparse.Namespace) -> int:
    from dataclasses import replace

    from .configuration import load
    from .service.server import serve
    from .state_folder import require_private

    config = arguments.config or (arguments.state or default_folder()) / "driver.toml"
    settings = load(config, arguments.state or default_folder())
    if settings.odoo:
        require_private(config)
    if arguments.state:
        settings = replace(settings, state=arguments.state)
    if arguments.port is not None:
        settings = replace(settings, port=arguments.port)
    return serve(
        settings,
        grace=arguments.grace,
        ready=arguments.ready,
        ready_file=arguments.ready_file,
        log_format=arguments.log_format,
    )


def _terminals(arguments: argparse.Namespace) -> int:
    if arguments.options is None:
        return _client_command("terminals")(arguments)
    from .option_list import show

    return show(arguments.options, as_json=arguments.json)


def _client_command(name: str) -> Command:
    def run(arguments: argparse.Namespace) -> int:
        from . import counter

        return counter.COMMANDS[name](state_folder(arguments), arguments)

    return run


def _ports(arguments: argparse.Namespace) -> int:
    from .ports import show

    return show(as_json=arguments.json)


def _doctor(arguments: argparse.Namespace) -> int:
    from . import doctor

    config = arguments.config or (arguments.state or default_folder()) / "driver.toml"
    return doctor.run(config, state_folder(arguments), identify=arguments.identify)


def _virtual(arguments: argparse.Namespace) -> int:
    from .virtual import command

    return command.run(arguments)


def state_folder(arguments: argparse.Namespace) -> StateFolder:
    """Return the folder named by `--state`, or by the driver's file, or this platform's own."""
    if arguments.state:
        return StateFolder(arguments.state)
    config = arguments.config or default_folder() / "driver.toml"
    if arguments.config or config.exists():
        from .configuration import load

        return StateFolder(load(config, default_folder()).state)
    return StateFolder(default_folder())


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: 0 to 65535")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 86400:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return seconds
