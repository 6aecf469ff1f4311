"""Events to Odoo, configuration and settlements from it: a receiver over HTTP, written from the document alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from odoo_receiver import OdooReceiver
from service_kit import (
    DATABASE,
    DRIVER,
    KEY,
    NOWHERE,
    OTHER_KEY,
    TerminalProcess,
    Till,
    configuration,
    new_uuid,
    shop,
    terminal_entry,
    until,
)

from hw_driver.configuration import OdooSettings
from hw_driver.service import odoo_link
from hw_driver.service.odoo_link import OdooLink
from hw_driver.signing import sign

SALE = ["requested", "sent", "approved"]


@pytest.fixture
async def odoo() -> AsyncIterator[OdooReceiver]:
    async with OdooReceiver(DRIVER, DATABASE, KEY).open() as odoo:
        yield odoo


@pytest.fixture
async def paired(tmp_path: Path, terminal: TerminalProcess, odoo: OdooReceiver) -> AsyncIterator[Till]:
    async with shop(tmp_path, terminal_entry(terminal.port), odoo_url=odoo.url) as till:
        await until(lambda: odoo.types() == ["journal_created", "driver_started"])
        yield till


def complete(till: Till, odoo: OdooReceiver) -> bool:
    return bool(odoo.journals) and len(odoo.events) == till.driver.journal.last


async def link_says(till: Till, words: str) -> None:
    link = till.driver.link
    assert link
    await until(lambda: words in link.error)


async def test_every_event_arrives_once_and_in_order(paired: Till, odoo: OdooReceiver) -> None:
    sales = [await paired.ended(paired.sale()) for _ in range(3)]
    await until(lambda: complete(paired, odoo))
    assert [odoo.types(sale["uuid"]) for sale in sales] == [SALE] * 3
    assert odoo.events == [event.as_json() for event in paired.driver.journal.events()]
    assert odoo.faults == []
    requested = next(event for event in odoo.events if event["type"] == "requested")
    assert set(requested["body"]) >= set(paired.sale()) - {"not_after"}
    assert "not_after" not in requested["body"]


async def test_a_heartbeat_says_how_far_the_driver_is(paired: Till, odoo: OdooReceiver) -> None:
    seen = len(odoo.requests)
    await until(lambda: len(odoo.requests) >= seen + 2)
    beat = odoo.requests[-1]
    assert beat["events"] == []
    assert (beat["driver"], beat["last"], beat["configuration"], beat["api"]) == (DRIVER, 2, 1, 1)
    assert beat["journal_id"] == paired.driver.journal.journal_id
    assert beat["url"] == paired.driver.url


async def test_what_odoo_has_lost_is_replayed(paired: Till, odoo: OdooReceiver) -> None:
    await paired.ended(paired.sale())
    await until(lambda: complete(paired, odoo))
    del odoo.events[1:]  # Odoo's backup of this morning is back
    await until(lambda: complete(paired, odoo))
    odoo.journals.clear()
    await until(lambda: complete(paired, odoo))
    assert odoo.faults == []


async def test_an_answer_that_is_lost_loses_nothing(paired: Till, odoo: OdooReceiver) -> None:
    odoo.forget_answer = True
    sale = await paired.ended(paired.sale())
    await until(lambda: odoo.types(sale["uuid"]) == SALE)
    odoo.forget_answer = False
    await until(lambda: paired.driver.link is not None and paired.driver.link.acked == paired.driver.journal.last)
    assert complete(paired, odoo)


async def test_sales_go_on_while_odoo_is_away(tmp_path: Path, terminal: TerminalProcess) -> None:
    odoo = OdooReceiver(DRIVER, DATABASE, KEY)
    async with odoo.open():
        pass
    async with shop(tmp_path, terminal_entry(terminal.port), odoo_url=odoo.url) as till:
        sale = await till.ended(till.sale())
        await link_says(till, "cannot be reached")
        assert (await till.call("GET", "/v1/health")).json["status"] == "ok"
        async with odoo.open():
            await until(lambda: complete(till, odoo))
            assert odoo.types(sale["uuid"]) == SALE
            assert (await till.call("GET", "/v1/health")).json["odoo"]["error"] is None


async def test_what_is_left_is_told_when_stopping_and_after_the_next_start(
    tmp_path: Path, terminal: TerminalProcess, odoo: OdooReceiver
) -> None:
    entry = terminal_entry(terminal.port)
    odoo.status = 503
    async with shop(tmp_path, entry, odoo_url=odoo.url) as till:
        await till.ended(till.sale())
        await link_says(till, "503")
        odoo.status = 0
    assert odoo.types()[-4:] == [*SALE, "identity"]
    async with shop(tmp_path, entry) as till:
        await till.ended(till.sale())
    async with shop(tmp_path, entry, odoo_url=odoo.url) as till:
        await until(lambda: complete(till, odoo))
    assert odoo.types().count("approved") == 2
    assert odoo.faults == []


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "cannot read"),
        (401, "pair it again"),
        (404, "no card terminal module"),
        (302, "https://elsewhere/"),
        (500, "500"),
    ],
)
async def test_refusals_are_explained_and_tried_again(
    paired: Till, odoo: OdooReceiver, status: int, words: str
) -> None:
    odoo.status = status
    sale = await paired.ended(paired.sale())
    await link_says(paired, words)
    odoo.status = 0
    await until(lambda: odoo.types(sale["uuid"]) == SALE)


async def test_the_wait_grows_to_its_limit(tmp_path: Path) -> None:
    async with shop(tmp_path, terminal_entry(1)) as till:
        link = OdooLink(till.driver, OdooSettings(NOWHERE, "shop", DATABASE, DRIVER, KEY))
        delays = []
        for _ in range(9):
            assert not await link.exchange(till.http)
            delays.append(link.delay)
    assert delays == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


async def test_the_wait_grows_while_odoo_answers_but_takes_nothing(paired: Till, odoo: OdooReceiver) -> None:
    link = OdooLink(paired.driver, OdooSettings(odoo.url, "shop", DATABASE, DRIVER, KEY))
    odoo.journals.clear()
    odoo.limit = 0
    delays = []
    for _ in range(8):
        await link.exchange(paired.http)
        delays.append(link.delay)
    assert delays == [0.0, 0.5, 0.5, 1.0, 1.0, 2.0, 2.0, 4.0]  # each failure is followed by a question


async def test_odoo_forgets_while_there_is_something_new_to_tell(paired: Till, odoo: OdooReceiver) -> None:
    odoo.journals.clear()
    await paired.ended(paired.sale())
    await until(lambda: complete(paired, odoo))


async def test_a_batch_that_is_too_large_is_halved(paired: Till, odoo: OdooReceiver) -> None:
    odoo.limit = 7
    odoo.journals.clear()
    for _ in range(4):
        await paired.ended(paired.sale())
    await until(lambda: complete(paired, odoo))


async def test_batches_keep_to_their_limits(
    tmp_path: Path, terminal: TerminalProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    odoo = OdooReceiver(DRIVER, DATABASE, KEY)
    async with odoo.open():
        pass
    monkeypatch.setattr(odoo_link, "MAX_BATCH", 20_000)
    async with shop(tmp_path, terminal_entry(terminal.port), odoo_url=odoo.url) as till:
        for _ in range(600):
            till.driver.journal.note("configured", {"number": 1, "text": "x" * 100})
        async with odoo.open():
            await until(lambda: complete(till, odoo))
    sizes = [len(request["events"]) for request in odoo.requests]
    assert odoo.faults == []
    assert len(sizes) > 3
    assert max(sizes) < 60


# identity


async def test_another_database_sells_nothing_until_it_is_corrected(
    paired: Till, odoo: OdooReceiver, terminal: TerminalProcess
) -> None:
    charged = len(terminal.ledger)
    odoo.database = "a copy of the shop"
    await link_says(paired, "another database")
    odoo.status = 503  # and that it cannot be asked now changes nothing
    await link_says(paired, "503")
    answer = await paired.put(paired.sale())
    assert (answer.status, answer.code, answer.json["money"]) == (409, "wrong_database", "safe")
    assert "paired with another database" in answer.json["detail"]
    assert (await paired.call("GET", "/v1/health")).json["status"] == "refusing"
    assert len(terminal.ledger) == charged
    odoo.database, odoo.status = DATABASE, 0
    await until(lambda: paired.driver.link is not None and not paired.driver.link.refusal)
    assert (await paired.ended(paired.sale()))["state"] == "approved"


async def test_an_answer_in_the_name_of_another_database_counts_for_nothing(paired: Till, odoo: OdooReceiver) -> None:
    odoo.configuration = configuration(number=9)
    odoo.answers_as = "a copy of the shop"
    await link_says(paired, "another database")
    assert paired.driver.till_side.number == 1
    assert (await paired.put(paired.sale())).code == "wrong_database"


async def test_a_journal_that_is_older_than_odoo_knows_sells_nothing(paired: Till, odoo: OdooReceiver) -> None:
    odoo.wants = 99
    await link_says(paired, "old copy")
    odoo.status = 503
    answer = await paired.put(paired.sale())
    assert (answer.status, answer.code) == (507, "journal_unavailable")
    odoo.status = 0


async def test_answers_that_are_not_odoos(paired: Till, odoo: OdooReceiver) -> None:
    odoo.database = None  # type: ignore[assignment] # then every request is refused with 409 and a JSON error
    await link_says(paired, "another database")
    odoo.database, odoo.answers_as = DATABASE, None  # type: ignore[assignment]
    await link_says(paired, "another database")
    odoo.answers_as, odoo.wants = DATABASE, "5"  # type: ignore[assignment]
    await link_says(paired, "does not answer as")


# configuration


async def number_is(till: Till, number: int) -> None:
    await until(lambda: till.driver.till_side.number == number)


async def test_a_configuration_arrives_is_kept_and_started_from(
    tmp_path: Path, odoo: OdooReceiver, terminal: TerminalProcess, spare: TerminalProcess
) -> None:
    new_origin = "https://new.example"
    async with shop(tmp_path, odoo_url=odoo.url) as till:
        assert (await till.call("GET", "/v1/terminals", origin=None)).json["terminals"] == []
        entries = terminal_entry(terminal.port), terminal_entry(spare.port, "spare")
        odoo.configuration = configuration(*entries, number=3, origins=[new_origin])
        await number_is(till, 3)
        listed = await till.call("GET", "/v1/terminals", origin=new_origin)
        assert [item["id"] for item in listed.json["terminals"]] == ["counter", "spare"]
        await until(lambda: odoo.types()[-1:] == ["configured"])
        assert odoo.requests[-1]["configuration"] == 3
    async with shop(tmp_path) as till:  # Odoo is away
        answer = await till.put(till.sale(), origin=new_origin)
        assert answer.status == 201


BENT_CONFIGURATIONS = {
    "foreign key": configuration(number=2, key=OTHER_KEY),
    "other driver": configuration(number=2, drv="driver-2"),
    "other database": configuration(number=2, db="another"),
    "local key id": sign("local", KEY, {"typ": "configuration", "drv": DRIVER, "db": DATABASE, "number": 2}),
    "not a configuration": configuration(number=2, typ="session"),
    "any origin": configuration(number=2, origins=["*"]),
    "unknown protocol": configuration(terminal_entry(1, protocol="morse"), number=2),
    "unknown option": configuration(terminal_entry(1, options={"speed": 9600}), number=2),
    "wrong option": configuration(terminal_entry(1, options={"register": "no"}), number=2),
    "same id twice": configuration(terminal_entry(1), terminal_entry(2), number=2),
    "no port": configuration(terminal_entry(99999), number=2),
    "no number": configuration(number="2"),  # type: ignore[arg-type]
    "nonsense": "nonsense",
}


async def test_a_configuration_that_is_not_good_changes_nothing(
    paired: Till, odoo: OdooReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    for bent in BENT_CONFIGURATIONS.values():
        caplog.clear()
        odoo.configuration = bent
        await until(lambda: "configuration from Odoo refused" in caplog.text)
        assert paired.driver.till_side.number == 1
    assert (await paired.ended(paired.sale()))["state"] == "approved"


async def test_an_older_configuration_is_refused(
    tmp_path: Path, odoo: OdooReceiver, terminal: TerminalProcess, caplog: pytest.LogCaptureFixture
) -> None:
    kept = configuration(terminal_entry(terminal.port), number=5)
    async with shop(tmp_path, kept=kept, odoo_url=odoo.url) as till:
        odoo.configuration = configuration(number=4)
        await until(lambda: "older than 5" in caplog.text)
        assert (await till.ended(till.sale()))["state"] == "approved"


async def test_a_terminal_at_work_finishes_with_its_old_configuration(
    paired: Till, odoo: OdooReceiver, terminal: TerminalProcess, spare: TerminalProcess
) -> None:
    terminal.auto("")
    charged, number = len(terminal.ledger), new_uuid()
    await paired.asks_for_card(terminal, paired.sale(), number)
    odoo.configuration = configuration(terminal_entry(spare.port, name="Moved"), number=2)  # another address
    await number_is(paired, 2)
    listed = await paired.call("GET", "/v1/terminals/counter")
    assert listed.json["name"] == "Counter"
    assert listed.json["holder"]["uuid"] == number
    terminal.present("contactless")
    assert (await paired.end(number))["state"] == "approved"
    assert len(terminal.ledger) == charged + 1
    before = len(spare.ledger)
    assert (await paired.ended(paired.sale()))["state"] == "approved"
    assert len(spare.ledger) == before + 1
    assert (await paired.call("GET", "/v1/terminals/counter")).json["name"] == "Moved"


async def test_a_removed_terminal_is_gone_once_it_is_idle(
    paired: Till, odoo: OdooReceiver, terminal: TerminalProcess
) -> None:
    terminal.auto("")
    number = new_uuid()
    await paired.asks_for_card(terminal, paired.sale(), number)
    odoo.configuration = configuration(number=2)
    await number_is(paired, 2)
    terminal.present("contactless")
    assert (await paired.end(number))["state"] == "approved"
    answer = await paired.put(paired.sale())
    assert (answer.status, answer.code) == (404, "no_such_terminal")
    assert (await paired.end(number))["state"] == "approved"


# settlements


async def unknown(till: Till, terminal: TerminalProcess) -> str:
    """Return a transaction whose link was cut while the customer was at it."""
    terminal.auto("")
    number = new_uuid()
    await till.asks_for_card(terminal, till.sale(), number)
    counter = till.driver.terminals.get("counter")
    assert counter
    assert counter._dialog
    counter._dialog.on_lost("reset")
    assert (await till.end(number))["state"] == "unknown"
    terminal.press("red")
    return number


async def test_a_settlement_by_hand_reaches_the_journal_and_comes_back(
    paired: Till, odoo: OdooReceiver, terminal: TerminalProcess
) -> None:
    number = await unknown(paired, terminal)
    word: dict[str, Any] = {"uuid": number, "paid": True, "by": "Manager", "at": "2026-03-01T12:00:00.000Z"}
    odoo.settled = [{"uuid": new_uuid(), "paid": True, "by": "x", "at": "y"}, {"uuid": number}, word]
    await until(lambda: odoo.types(number)[-1:] == ["settled_by_hand"])
    settled = next(event for event in odoo.events if event["type"] == "settled_by_hand")
    assert settled["body"] == {"paid": True, "by": "Manager", "at": word["at"]}
    answer = (await paired.call("GET", f"/v1/transactions/{number}")).json
    assert (answer["state"], answer["money"]) == ("settled_by_hand", "final")
    seen = len(odoo.requests)
    await until(lambda: len(odoo.requests) > seen + 2)  # Odoo says it again: nothing changes
    assert odoo.types(number).count("settled_by_hand") == 1


async def test_a_settlement_of_an_approved_sale_changes_nothing(paired: Till, odoo: OdooReceiver) -> None:
    sale = await paired.ended(paired.sale())
    odoo.settled = [{"uuid": sale["uuid"], "paid": False, "by": "Manager", "at": "2026-03-01T12:00:00.000Z"}]
    seen = len(odoo.requests)
    await until(lambda: len(odoo.requests) > seen + 2)
    assert (await paired.call("GET", f"/v1/transactions/{sale['uuid']}")).json["state"] == "approved"
    assert odoo.types(sale["uuid"]) == SALE


async def test_an_answer_that_odoo_did_not_sign_settles_nothing(
    paired: Till, odoo: OdooReceiver, terminal: TerminalProcess
) -> None:
    number = await unknown(paired, terminal)
    odoo.signs_with = b"somebody on the shop's network"
    odoo.settled = [{"uuid": number, "paid": False, "by": "Manager", "at": "2026-03-01T12:00:00.000Z"}]
    seen = len(odoo.requests)
    await until(lambda: len(odoo.requests) > seen + 2)
    assert (await paired.call("GET", f"/v1/transactions/{number}")).json["state"] == "unknown"
    assert "not signed" in (await paired.call("GET", "/v1/health")).json["odoo"]["error"]
