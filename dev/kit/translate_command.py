"""Bring `i18n/` up to date with the texts of the module.

  dev/translate      write the template (.pot) anew, put its terms into every .po, list what lacks a translation

What was translated stays; a term that no text uses any more goes.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from kit.cache import MODULE
from kit.errors import SetupError
from kit.setup import Workplace


def main(arguments: Sequence[str]) -> int:
    """Export and merge; the exit status is 1 while a term lacks a translation."""
    if arguments:
        print(__doc__)
        return 0 if arguments[0] in ("-h", "--help") else 2
    workplace = Workplace()
    workplace.ensure("odoo")
    workplace.enter("odoo")
    folder = workplace.checkout / "i18n"
    _export(workplace)
    template = folder / f"{MODULE}.pot"
    _add_driver_texts(template)
    missing = [_merge(path, template) for path in sorted(folder.glob("*.po"))]
    return 1 if any(missing) else 0


def _export(workplace: Workplace) -> None:
    """Let Odoo write the template, from a database with the module as its files are now."""
    from kit.database import fresh_database, options
    from kit.odoo import write_config

    with workplace.postgres() as postgres, fresh_database(workplace, postgres, "translate") as database:
        config = write_config(
            workplace.cache.path("config", f"{database}.conf"), options(workplace, postgres, database)
        )
        command = [str(workplace.python), str(workplace.odoo.launcher), "i18n", "export", MODULE, "-l", "pot"]
        try:
            result = subprocess.run(
                [*command, "-c", str(config), "-d", database],
                capture_output=True,
                text=True,
                env=workplace.environment,
                check=False,
            )
        finally:
            config.unlink()
    if result.returncode:
        raise SetupError(f"Odoo could not export the terms:\n{result.stderr[-2000:]}")


def _add_driver_texts(template: Path) -> None:
    """Add what the addon shows of the driver's tables: Odoo finds only texts that are marked where they stand."""
    import polib  # type: ignore[import-untyped]

    from hw_driver.protocols.texts import texts

    terms = polib.pofile(str(template))
    known = {entry.msgid for entry in terms}
    for text in sorted(texts() - known):
        place = (f"code:addons/{MODULE}/hw_driver/protocols/texts.py", "0")
        terms.append(polib.POEntry(msgid=text, comment=f"module: {MODULE}\nodoo-python", occurrences=[place]))
    terms.save(str(template))


def _merge(path: Path, template: Path) -> int:
    """Give a language the template's terms with the translations it has; return how many it lacks."""
    import polib

    old = polib.pofile(str(path))
    known = {entry.msgid: entry.msgstr for entry in old}
    new = polib.pofile(str(template))
    new.header = old.header
    new.metadata = new.metadata | old.metadata | {"POT-Creation-Date": new.metadata["POT-Creation-Date"]}
    for entry in new:
        entry.msgstr = known.get(entry.msgid, "")
    new.save(str(path))
    missing = [entry.msgid for entry in new if not entry.msgstr]
    print(f"{path.name}: {len(new)} terms, {len(missing)} without a translation")
    for term in missing:
        print(f"  {term!r}")
    return len(missing)
