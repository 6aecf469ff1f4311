"""Run a program, keep all it prints in a log, and show how far it is."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from kit.errors import SetupError, explain


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
