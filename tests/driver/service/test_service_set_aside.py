"""A journal that was set aside: what Odoo lacks of it is told after the next start, as far as it can be read."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from odoo_receiver import OdooReceiver
from service_kit import DATABASE, DRIVER, KEY, NOWHERE, TerminalProcess, Till, shop, terminal_entry, until

from hw_driver.journal import storage

JOURNAL = "journal.sqlite"


@pytest.fixture(autouse=True)
def _named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the machine a name: small systems have none, and cannot tell another's journal."""
    monkeypatch.setattr(storage, "machine_fingerprint", lambda: "here")


@pytest.fixture
async def odoo() -> AsyncIterator[OdooReceiver]:
    async with OdooReceiver(DRIVER, DATABASE, KEY).open() as odoo:
        yield odoo


def from_another_machine(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE meta SET value = 'elsewhere' WHERE key = 'machine'")


def without_identity(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("DELETE FROM meta")


def with_an_altered_event(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE events SET at = '2001-01-01T00:00:00.000Z' WHERE seq = 8")


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:4096])


def all_told(odoo: OdooReceiver, till: Till, since: int, *, ends: bool) -> bool:
    """Say whether Odoo has the driver's journal and, since that request, the end of the one set aside."""
    journal = till.driver.journal
    ended = any(request.get("finished") for request in odoo.requests[since:])
    return ended == ends and len(odoo.journals.get(journal.journal_id, [])) == journal.last


ALL = 1000
#: What became of the file -> how many of its events can still be told.
DAMAGES = [(from_another_machine, ALL), (without_identity, ALL), (with_an_altered_event, 7), (cut_off, 0)]


@pytest.mark.parametrize(("damage", "readable"), DAMAGES)
async def test_what_odoo_lacks_of_it_is_told_once(
    tmp_path: Path, terminal: TerminalProcess, odoo: OdooReceiver, damage: Callable[[Path], None], readable: int
) -> None:
    entry = terminal_entry(terminal.port)
    async with shop(tmp_path, entry, odoo_url=NOWHERE) as till:
        for _ in range(3):
            assert (await till.ended(till.sale()))["state"] == "approved"
        old, events = till.driver.journal.journal_id, till.driver.journal.events()
    assert len(events) > 8
    damage(tmp_path / JOURNAL)
    for _ in range(2):  # every start asks again, and a stop before the answer too; Odoo takes it once
        since = len(odoo.requests)
        async with shop(tmp_path, entry, odoo_url=odoo.url) as till:
            assert till.driver.journal.journal_id != old
            await until(partial(all_told, odoo, till, since, ends=bool(readable)))
    told = odoo.journals.get(old, [])
    assert [event["hash"] for event in told] == [event.hash for event in events[:readable]]
    assert odoo.faults == []
    closed = [request for request in odoo.requests if request.get("closed")]
    assert {request["journal_id"] for request in closed} == ({old} if readable else set())
    assert all(request["last"] == len(events) for request in closed)


async def test_reading_it_changes_nothing(tmp_path: Path, terminal: TerminalProcess, odoo: OdooReceiver) -> None:
    async with shop(tmp_path, terminal_entry(terminal.port), odoo_url=odoo.url) as till:
        await till.ended(till.sale())
        await until(lambda: len(odoo.events) == till.driver.journal.last)
    before = json.dumps(odoo.events)
    with_an_altered_event(tmp_path / JOURNAL)
    from_another_machine(tmp_path / JOURNAL)
    content = (tmp_path / JOURNAL).read_bytes()
    async with shop(tmp_path, terminal_entry(terminal.port), odoo_url=odoo.url):
        await until(lambda: any(request.get("finished") for request in odoo.requests))
    (aside,) = tmp_path.glob(f"{JOURNAL}.other-machine-*Z")  # noqa: ASYNC240 - nothing runs any more
    assert aside.read_bytes() == content
    assert not (tmp_path / ".set-aside").exists()
    first, _ = odoo.journals.values()
    assert json.dumps(first) == before
