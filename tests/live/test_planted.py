"""Card numbers and markup in all that terminals and tills can say, followed to the end: driver, journal, Odoo, exports.

What the driver alone keeps is searched by tests/driver/service/test_service_planted.py; here its events go on to a real
Odoo, and the database's whole content, the exports and the pages are searched.
"""

from __future__ import annotations

import csv
import io
import json
import sys
import urllib.parse
import uuid
import zipfile
from typing import Any

import pytest
from caller import Caller, open_session, session_grant
from checker import Checker, journal_events
from playwright.sync_api import expect
from scenes import sell
from shopfloor import Counter

from demokit.processes import wait_until
from kit.cache import CHECKOUT

sys.path.insert(0, str(CHECKOUT / "tests" / "driver" / "replay"))
from planted import FORMULA, MARKUP, NUMBERS, everything, found_in, grouped

COLUMNS = [
    "till",
    "operator",
    "reference",
    "text",
    "receipt",
    "merchant_receipt",
    "terminal_ref",
    "last4",
    "session_id",
]


def database(checker: Checker) -> dict[str, bytes]:
    """Return the content of every table, as PostgreSQL writes it out."""
    content = {}
    with checker.shop.postgres.connection(checker.shop.database) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT quote_ident(table_name) FROM information_schema.tables WHERE table_schema = 'public' "
                       "AND table_type = 'BASE TABLE'")  # fmt: skip
        for (table,) in cursor.fetchall():
            written = io.BytesIO()
            cursor.copy_expert(f"COPY (SELECT * FROM {table}) TO STDOUT", written)
            content[table] = written.getvalue()
    return content


def exported(checker: Checker, kind: str, model: str, names: list[str]) -> bytes:
    """Return Odoo's own export of a model."""
    data = {
        "model": model, "domain": [], "ids": False, "import_compat": False, "context": {},
        "fields": [{"name": name, "label": name, "type": "char"} for name in names],
    }  # fmt: skip
    words = urllib.parse.urlencode({"data": json.dumps(data)})
    return checker.shop.client.download(f"/web/export/{kind}?{words}")


def addon_files(checker: Checker) -> dict[str, bytes]:
    """Return what the addon itself exports: the accountant's list, and what happened to each payment."""
    client = checker.shop.client
    files = {}
    wizards = [("card.transaction.export", {"date_from": "2020-01-01", "date_to": "2099-12-31"})]
    wizards += [
        ("card.timeline.export", {"transaction_id": transaction["id"], "file_format": file_format})
        for transaction in checker.transactions()
        for file_format in ("json", "txt")
    ]
    for model, values in wizards:
        number = client.create(model, values)
        files[f"{model} {number}"] = client.download(client.call(model, "action_export", [number])["url"])
    return files


@pytest.fixture
def planted(counter: Counter, checker: Checker) -> Caller:
    """A till whose terminal approved, declined and said rubbish, each with numbers and markup everywhere."""
    session = open_session(counter)
    call = Caller(counter.shop, session_grant(counter, session))
    ended = {"planted": "approved", "planted_decline": "declined", "planted_garbage": "unknown"}
    for behaviour, state in ended.items():
        counter.terminal.behaviour = behaviour
        number = str(uuid.uuid4())
        asked = call.transaction(
            counter,
            till=f"{MARKUP}{grouped(NUMBERS['till'], ' ')}",
            operator=f"{FORMULA}, {NUMBERS['operator']}",
            reference=NUMBERS["asked_reference"],
        )
        assert call("PUT", f"/v1/transactions/{number}", asked).status == 201
        wait_until(lambda s=state: s in {t["state"] for t in checker.transactions()}, f"Odoo to hear of {state}")
        answer = {"uuid": number, "answer": "paid", "authorisation": NUMBERS["authorisation"]}
        answer |= {"terminal": asked["terminal"], "order": asked["order"], "line": asked["line"], "amount": 500}
        counter.shop.client.call("pos.session", "card_terminal_answer", [session], answer)
    return call


def test_no_number_is_found_anywhere(planted: Caller, counter: Counter, checker: Checker) -> None:
    names = [*COLUMNS, "event_ids/body_text", "disagreement", "settled_reason"]
    places = {**database(checker), **addon_files(checker)}
    places["csv"] = exported(checker, "csv", "card.transaction", names)
    with zipfile.ZipFile(io.BytesIO(exported(checker, "xlsx", "card.transaction", names))) as book:
        places |= {f"xlsx {name}": book.read(name) for name in book.namelist()}
    places["events"] = everything([event.body for event in journal_events(checker.shop.journal)])
    places["log"] = (checker.shop.folder / "driver.log").read_bytes()
    places["told"] = everything([planted("GET", path).body for path in ("/v1/transactions", "/v1/terminals")])
    assert {place: found for place, data in places.items() if (found := found_in(data))} == {}
    assert MARKUP.encode() in places["card_transaction"], "what was said is there, as text"
    assert b"4680" in b"".join(places.values()), "and the last four digits"


def test_no_cell_is_a_formula(planted: Caller, checker: Checker) -> None:
    lists = [data for name, data in addon_files(checker).items() if name.startswith("card.transaction.export")]
    rows = [row for data in lists for row in csv.reader(io.StringIO(data.decode("utf-8-sig")), delimiter=";")]
    rows += csv.reader(io.StringIO(exported(checker, "csv", "card.transaction", COLUMNS).decode("utf-8-sig")))
    assert any(FORMULA in cell for row in rows for cell in row)
    assert [cell for row in rows for cell in row if cell.startswith(("=", "+", "@"))] == []
    with zipfile.ZipFile(io.BytesIO(exported(checker, "xlsx", "card.transaction", COLUMNS))) as book:
        sheets = b"".join(book.read(name) for name in book.namelist() if "worksheets" in name)
    assert b"<f>" not in sheets


def test_no_page_runs_what_a_terminal_says(planted: Caller, counter: Counter, checker: Checker) -> None:
    """The till, then the back office's form of each transaction."""
    counter.terminal.behaviour = "planted"
    till = counter.till()
    page = till.page
    ran: list[Any] = []
    page.on("dialog", lambda dialog: (ran.append(dialog.message), dialog.dismiss()))
    sell(till)
    expect(till.receipt).to_be_visible()
    assert page.locator("img[onerror]").count() == 0
    for transaction in checker.transactions():
        page.goto(f"{counter.shop.server.url}/odoo/card.transaction/{transaction['id']}")
        expect(page.locator(".o_form_view")).to_be_visible()
        for tab in page.locator(".o_notebook .nav-link").all():
            tab.click()
        assert page.locator("img[onerror]").count() == 0
        assert found_in(page.content().encode()) == []
    assert ran == []
