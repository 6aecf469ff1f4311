"""Run a program, keep all it prints in a log, and show how far it is."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from kit.errors import SetupError, explain

PR_SET_PDEATHSIG = 1


def run(
    command: Sequence[str | Path],
    what: str,
    log: Path,
    *,
    on_line: Callable[[str], None] | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    allow_failure: bool = False,
) -> str:
    """Run to the end and return the output; `what` names the job in the one-line error."""
    lines: list[str] = []
    try:
        with (
            log.open("a") as kept,
            subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                env={**os.environ, "LC_ALL": "C", **(environment or {})},
                cwd=folder,
                preexec_fn=end_with_parent,  # noqa: PLW1509  (it only makes one system call)
            ) as process,
        ):
            assert process.stdout is not None
            for line in process.stdout:
                kept.write(line)
                lines.append(line)
                if on_line:
                    on_line(line.rstrip("\n"))
    except FileNotFoundError as error:
        raise SetupError(f"{what}: the program {error.filename} is not on this machine") from error
    output = "".join(lines)
    if process.returncode and not allow_failure:
        raise explain(output, what, log)
    return output


def end_with_parent() -> None:
    """For `preexec_fn`: the kernel ends this child when the process that started it ends, even by SIGKILL.

    Use it from the main thread: the kernel takes the end of the starting thread for the end of the process.
    """
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
