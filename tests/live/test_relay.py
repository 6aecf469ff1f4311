"""Tills that do not reach the driver themselves: commands go through Odoo's bus, with one process and with several."""

import json
import os
import signal
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count

import pytest
from caller import Caller, open_session, session_grant
from checker import Checker
from playwright.sync_api import expect
from scenes import PRICE, sell
from shopfloor import open_shop

from demokit.bus_till import BusTill
from demokit.client import OdooClient
from demokit.processes import wait_until
from demokit.shop import LOGIN, PASSWORD

LATE = 11.0
"""Seconds; longer than a command counts."""
TRY_SOCKET = """async () => {
    const [{ clients: { relay } }] = [...posmodel.cardPayments.terminals.clients.values()];
    relay.socketWorks = false;
    relay.triedAt = -Infinity;
    await relay._trySocket();
    return relay.socketWorks;
}"""
_numbers = count(1)


@pytest.fixture(scope="module", params=[0, 2], ids=["threads", "workers"])
def shop(request, workplace, postgres, browser):
    """A shop behind a proxy, once with one Odoo process and once with two workers and a process for the bus."""
    with open_shop(workplace, postgres, browser, workers=request.param, front=True) as shop:
        wait_until(lambda: listens(shop), "the driver to listen to Odoo's bus", 90)
        yield shop


def listens(shop):
    (driver,) = shop.client.call("card.terminal.driver", "read", [shop.driver_id], ["relay_connected"])
    return driver["relay_connected"]


@pytest.fixture
def counter(shop):
    counter = shop.counter(f"Relay {next(_numbers)}")
    yield counter
    for context in counter.contexts:
        context.close()


@pytest.fixture
def checker(counter):
    return Checker(counter)


def far_till(counter):
    """A till whose browser does not reach the driver."""
    context = counter.browser()
    context.route(f"{counter.shop.driver_url}/**", lambda route: route.abort())
    return counter.till(context)


def far_caller(counter, *, socket=False):
    """A till without browser, which knows no other road than Odoo: by calls, or by its websocket."""
    shop = counter.shop
    client = OdooClient(shop.server.url, shop.database, LOGIN, PASSWORD)
    return BusTill(client, counter.config, open_session(counter), socket=socket)


def road(till):
    return till.page.evaluate("[...posmodel.cardPayments.terminals.clients.values()].map((client) => client.road)")


def settled_once(checker):
    """The terminal, the journal and Odoo agree on one sale."""
    checker.wait_for_evidence("matched")
    assert checker.charges() == [PRICE]
    assert checker.requests() == 1
    assert list(checker.journal().values()) == [["requested", "sent", "approved"]]
    assert [order["state"] for order in checker.orders()] == ["paid"]


def test_a_sale_through_odoo(counter, checker):
    till = far_till(counter)
    sell(till)
    expect(till.receipt).to_be_visible()
    assert road(till) == ["relay"]
    settled_once(checker)
    wait_until(lambda: till.page.evaluate(TRY_SOCKET), "a command over the till's websocket to be answered in time")


def test_the_connection_is_cut_while_the_customer_pays(counter, checker):
    till = far_till(counter)
    counter.terminal.card_presented.clear()
    sell(till)
    expect(till.card("sent")).to_be_visible()
    wait_until(lambda: len(counter.terminal.asked) == 1, "the request to reach the terminal")
    counter.shop.server.cut_bus()
    try:
        counter.terminal.card_presented.set()
        wait_until(lambda: checker.charges() == [PRICE], "the terminal to charge")
    finally:
        counter.shop.server.mend_bus()
    expect(till.receipt).to_be_visible()
    settled_once(checker)


def test_the_bus_is_restarted_while_the_customer_pays(counter, checker):
    till = far_till(counter)
    server = counter.shop.server
    counter.terminal.card_presented.clear()
    sell(till)
    expect(till.card("sent")).to_be_visible()
    if server.workers:
        server.kill_bus()
    else:
        server.kill()
        server.start()
    counter.terminal.card_presented.set()
    expect(till.receipt).to_be_visible()
    wait_until(lambda: listens(counter.shop), "the driver to listen again", 90)
    till.next_order()
    sell(till)
    expect(till.receipt).to_be_visible()
    checker.wait_for_evidence("matched", "matched")
    assert checker.charges() == [PRICE, PRICE]
    assert checker.requests() == 2


def test_both_roads_at_once_charge_once(counter, checker):
    with far_caller(counter) as far:
        near = Caller(counter.shop, session_grant(counter, far.session))
        for _ in range(5):
            number, body = str(uuid.uuid4()), near.transaction(counter)
            together = threading.Barrier(2)

            def direct(number=number, body=body, together=together):
                together.wait()
                return near("PUT", f"/v1/transactions/{number}", body).status

            def relayed(number=number, body=body, together=together):
                together.wait()
                return far.call("start", number, body)["status"]

            with ThreadPoolExecutor() as pool:
                statuses = sorted(each.result() for each in [pool.submit(direct), pool.submit(relayed)])
            assert statuses == [200, 201]
            assert far.end(number)[1]["state"] == "approved"
    assert checker.charges() == [500] * 5
    assert checker.requests() == 5


def test_a_command_that_comes_late_is_refused_and_nothing_is_sent(counter, checker):
    with far_caller(counter) as far:
        body = far.transaction()
        number = str(uuid.uuid4())
        pid = json.loads((counter.shop.folder / "running.json").read_text())["pid"]
        os.kill(pid, signal.SIGSTOP)
        try:
            command = far.send("start", number, body)
            threading.Event().wait(LATE)
        finally:
            os.kill(pid, signal.SIGCONT)
        answer = far.answer(command)
        assert (answer["body"]["state"], answer["body"]["code"]) == ("failed", "expired")
        assert answer["body"]["money"] == "final"
        # The same again, in time: a question about what became of it.
        assert far.call("start", number, body)["body"]["state"] == "failed"
    assert checker.requests() == 0
    assert checker.journal() == {number: ["requested", "failed"]}
    wait_until(lambda: [t["state"] for t in checker.transactions()] == ["failed"], "Odoo to hear of it")


def test_a_driver_that_was_restarted_starts_nothing_it_was_asked_for_before(counter, checker):
    with far_caller(counter) as far:
        number, body = str(uuid.uuid4()), far.transaction()
        counter.shop.driver.kill()
        try:
            command = far.send("start", number, body)
        finally:
            counter.shop.driver.start()
        assert far.answer(command)["body"]["code"] == "expired"
    assert checker.requests() == 0


def test_twenty_tills_pay_at_once_and_odoo_serves_others_meanwhile(shop):
    counters = [shop.counter(f"Relay {next(_numbers)}") for _ in range(20)]
    with ExitStack() as stack:
        tills = [stack.enter_context(far_caller(counter, socket=True)) for counter in counters]
        for counter in counters:
            counter.terminal.card_presented.clear()
        numbers = [str(uuid.uuid4()) for _ in tills]
        bodies = [till.transaction(1000 + index) for index, till in enumerate(tills)]
        with ThreadPoolExecutor(len(tills)) as pool:
            answers = list(pool.map(BusTill.call, tills, ["start"] * len(tills), numbers, bodies))
        assert [answer["status"] for answer in answers] == [201] * len(tills)
        wait_until(lambda: all(len(each.terminal.asked) == 1 for each in counters), "every terminal to be asked")
        # Every customer is at a terminal, nobody has paid, and there are two workers: this page needs one of them.
        assert b"odoo" in shop.client.download("/odoo")
        assert [len(counter.terminal.charges) for counter in counters] == [0] * len(counters)
        for counter in counters:
            counter.terminal.card_presented.set()
        ends = [till.end(number)[1] for till, number in zip(tills, numbers, strict=True)]
    assert [end["state"] for end in ends] == ["approved"] * len(tills)
    assert [counter.terminal.charges for counter in counters] == [[body["amount"]] for body in bodies]
    for counter, number in zip(counters, numbers, strict=True):
        checker = Checker(counter)
        wait_until(lambda checker=checker: [t["state"] for t in checker.transactions()] == ["approved"], "Odoo to hear")
        assert checker.journal() == {number: ["requested", "sent", "approved"]}
