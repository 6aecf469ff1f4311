"""`card-terminal decode PROTOCOL --hex …` and `encode PROTOCOL`: on a bare Python, standard library only.

Exit status 2 and one line on stderr for input that is not of the protocol.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import NoReturn

from .protocols.machine import MalformedMessage
from .protocols.registry import PROTOCOLS


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def decode_command(argv: Sequence[str]) -> int:
    """Print a message as JSON: name, fields, warnings."""
    parser = _parser("decode", "show the fields of a message")
    parser.add_argument("--hex", required=True, metavar="BYTES", help="the bytes in hexadecimal; blanks are ignored")
    arguments = parser.parse_args(argv)
    try:
        data = bytes.fromhex(arguments.hex)
    except ValueError:
        return _refuse("--hex is not hexadecimal: two digits 0-9 a-f per byte")
    try:
        message = PROTOCOLS[arguments.protocol].decode(data)
    except MalformedMessage as error:
        return _refuse(f"not a {arguments.protocol} message: {error}")
    print(json.dumps(message, ensure_ascii=False))
    return 0


def encode_command(argv: Sequence[str]) -> int:
    """Read JSON as `decode` prints it on stdin; print its bytes in hexadecimal."""
    arguments = _parser("encode", "make the bytes of a message, read as JSON on stdin").parse_args(argv)
    try:
        data = PROTOCOLS[arguments.protocol].encode(json.loads(sys.stdin.buffer.read()))
    except (ValueError, RecursionError):
        return _refuse("stdin is not JSON")
    except MalformedMessage as error:
        return _refuse(f"not a {arguments.protocol} message: {error}")
    print(data.hex())
    return 0


def _parser(command: str, description: str) -> argparse.ArgumentParser:
    parser = _Parser(prog=f"card-terminal {command}", description=description)
    parser.add_argument("protocol", choices=sorted(PROTOCOLS))
    return parser


def _refuse(text: str) -> int:
    print(" ".join(text.split()), file=sys.stderr)
    return 2
