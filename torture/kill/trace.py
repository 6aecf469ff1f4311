"""What a process did to its disk and said to the world, call by call and in order: strace's record, read back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CALLS = (
    "openat,open,creat,close,write,writev,pwrite64,ftruncate,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,"
    "sendto,sendmsg"
)
_LINE = re.compile(r"^(\d+) +(\w+)\((.*)\) += (-?\d+|\?)")
_UNFINISHED = re.compile(r"^(\d+) +(\w+)\((.*) <unfinished \.\.\.>$")
_RESUMED = re.compile(r"^(\d+) +<\.\.\. (\w+) resumed>(.*)$")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_FD = re.compile(r"^(\d+)<((?:\\x[0-9a-f]{2})*)>")
_OPENED = re.compile(r"= (\d+)<((?:\\x[0-9a-f]{2})*)>")


@dataclass(frozen=True)
class Call:
    """One system call that succeeded: its name, the file descriptor and that one's path, texts and numbers in order."""

    name: str
    fd: int
    path: str
    texts: tuple[bytes, ...]
    numbers: tuple[int, ...]
    flags: str
    result: int


def command(record: Path) -> list[str]:
    """Return the words before a command that make strace record it. The command keeps its own process id."""
    return [
        *("strace", "-D", "-f", "-y", "--strings-in-hex=all", "-s", "4194304", "-e", f"trace={CALLS}"),
        *("-e", "signal=SIGKILL", "-e", "status=successful", "-o", str(record)),
    ]


def complete(record: Path) -> bool:
    """Return whether the process has ended and strace has written all of it down."""
    with record.open("rb") as file:
        file.seek(max(0, record.stat().st_size - 200))
        return b"+++ " in file.read().rpartition(b"\n")[0].rpartition(b"\n")[2]


def calls(record: Path) -> Iterator[Call]:
    """Yield the calls of a record, each where it ended."""
    begun: dict[str, str] = {}
    with record.open(encoding="ascii", errors="replace") as lines:
        for each in lines:
            line = each
            if unfinished := _UNFINISHED.match(line):
                begun[unfinished[1]] = f"{unfinished[1]} {unfinished[2]}({unfinished[3]}"
                continue
            if (resumed := _RESUMED.match(line)) and resumed[1] in begun:
                line = begun.pop(resumed[1]) + resumed[3]
            if match := _LINE.match(line):
                yield _call(match[2], match[3], line)


def _call(name: str, arguments: str, line: str) -> Call:
    fd = _FD.match(arguments)
    opened = _OPENED.search(line, line.rindex(") ="))
    number, path = (int(fd[1]), _bytes(fd[2]).decode()) if fd else (-1, "")
    if opened:
        number, path = int(opened[1]), _bytes(opened[2]).decode()
    rest = _TEXT.sub("", arguments[fd.end() :] if fd else arguments)
    numbers = tuple(int(word) for word in re.findall(r"(?<=, )\d+(?=,|$)", rest))
    result = line.rpartition(" = ")[2].split("<")[0].split()[0]
    texts = tuple(_bytes(text) for text in _TEXT.findall(arguments))
    return Call(name, number, path, texts, numbers, rest, int(result) if result.lstrip("-").isdigit() else 0)


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))
