"""`card-terminal check`: can this version work here? Run for a new version before it takes over."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from pathlib import Path

from ..configuration import load
from ..journal import opening, schema
from .versions import CannotInstall


def check(config: Path | None, journal: Path | None) -> None:
    """Load all that serving needs, read the file, and bring a copy of the journal up to date; raise what is wrong."""
    from ..service import server  # noqa: F401 - that it can be imported is what is checked

    if config:
        load(config, config.parent)
    if journal:
        with tempfile.TemporaryDirectory(dir=journal.parent) as folder:
            _read(Path(shutil.copy2(journal, folder)))


def _read(copy: Path) -> None:
    journal = sqlite3.connect(copy)
    try:
        schema.migrate(journal, lambda version: None)
        opening.check(journal)
    except schema.NewerVersion as error:
        raise CannotInstall(f"the journal was made by a newer driver: {error}") from None
    except (sqlite3.Error, opening.Damaged) as error:
        raise CannotInstall(f"the journal cannot be used: {error}") from None
    finally:
        journal.close()
