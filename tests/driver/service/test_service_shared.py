"""One terminal for two tills, one till with two terminals, and who holds a terminal while it is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from service_kit import TerminalProcess, Till, new_uuid, session_grant, shop, terminal_entry, until

from hw_driver.configuration import ConfigurationError, till_side

ASKED = {"duplicata": True, "duplicata_idle": True, "reference_tag": "CF", "drain": 0.02}


@pytest.fixture
def nobody(terminal: TerminalProcess) -> TerminalProcess:
    terminal.auto("")
    return terminal


async def test_two_tills_share_a_terminal_without_a_queue(till: Till, nobody: TerminalProcess) -> None:
    charged = len(nobody.ledger)
    terrace = session_grant(till="Terrace", user="Ali", terminals=["counter"])
    first = new_uuid()
    await till.asks_for_card(nobody, till.sale(till="Bar", operator="Marie"), first)
    other = till.sale(till="Terrace", operator="Ali")
    refused = await till.put(other, grant=terrace)
    assert (refused.status, refused.code, refused.json["money"]) == (423, "terminal_busy", "safe")
    assert (refused.json["holder"]["till"], refused.json["holder"]["operator"]) == ("Bar", "Marie")
    assert "Bar" in refused.json["detail"]
    nobody.present("contactless")
    assert (await till.end(first))["state"] == "approved"
    assert len(nobody.ledger) == charged + 1, "nothing was kept for later"
    number = new_uuid()
    assert (await till.put(other, number, grant=terrace)).status == 201
    await until(nobody.asked)
    nobody.present("contactless")
    assert (await till.end(number))["state"] == "approved"
    assert len(nobody.ledger) == charged + 2


async def test_one_till_pays_on_two_terminals_at_once(
    till: Till, nobody: TerminalProcess, spare: TerminalProcess
) -> None:
    spare.auto("")
    numbers = {"counter": new_uuid(), "spare": new_uuid()}
    for name, number in numbers.items():
        assert (await till.put(till.sale(terminal=name), number)).status == 201
    for terminal in (spare, nobody):
        await until(terminal.asked)
        terminal.present("contactless")
    assert {(await till.end(number))["state"] for number in numbers.values()} == {"approved"}


async def test_the_terminal_is_held_while_it_is_asked_and_told_to_the_next_till(
    tmp_path: Path, terminal: TerminalProcess
) -> None:
    terminal._post("/api/faults", {"lost": "once"})
    entry = terminal_entry(terminal.port, options=ASKED, questions=[1])
    async with shop(tmp_path, entry) as till:
        number = new_uuid()
        charged = len(terminal.ledger)
        assert (await till.put(till.sale(till="Bar"), number)).status == 201
        await until(lambda: till.driver.terminals.get("counter").idle)
        refused = await till.put(till.sale(till="Terrace"))
        assert (refused.status, refused.json["holder"]["uuid"]) == (423, number)
        shown = (await till.call("GET", f"/v1/transactions/{number}")).json
        assert (shown["state"], shown["money"], shown["progress"]["code"]) == ("sent", "unknown", "asking_terminal")
        end = await till.end(number)
        assert (end["state"], end["outcome"]["details"]["recovered_by"]) == ("approved", "reference")
        assert len(terminal.ledger) == charged + 1


async def test_a_till_that_looks_at_an_unknown_one_has_it_asked(tmp_path: Path, terminal: TerminalProcess) -> None:
    terminal._post("/api/faults", {"lost": "once"})
    async with shop(tmp_path, terminal_entry(terminal.port, options=ASKED, questions=[])) as till:
        number = new_uuid()
        await till.put(till.sale(), number)
        await until(lambda: till.driver.journal.get(number).state == "unknown")
        answer = await till.call("GET", f"/v1/transactions/{number}?after=0&wait=5")
        while answer.json["state"] != "approved":
            answer = await till.call("GET", f"/v1/transactions/{number}?after={answer.json['rev']}&wait=5")
        assert answer.json["amount_approved"] == answer.json["amount"]


async def test_who_the_terminal_is_and_a_notice_when_it_is_another(tmp_path: Path, terminal: TerminalProcess) -> None:
    pinned = {"contract CB": "9999999"}
    async with shop(tmp_path, terminal_entry(terminal.port, identity=pinned)) as till:
        assert (await till.call("GET", "/v1/terminals/counter")).json["notice"] == ""
        assert (await till.ended(till.sale()))["state"] == "approved", "an exchanged terminal goes on selling"
        shown = (await till.call("GET", "/v1/terminals/counter")).json
        assert shown["identity"]["contract CB"] != "9999999"
        assert "exchanged" in shown["notice"]
        [said] = [event.body for event in till.driver.journal.events() if event.type == "identity"]
        assert (said["terminal"], said["before"]) == ("counter", None)
        await till.ended(till.sale())
        assert [event.type for event in till.driver.journal.events()].count("identity") == 1


def read(*terminals: dict[str, Any]) -> Any:
    return till_side({"number": 1, "terminals": list(terminals)}, frozenset()).terminals


@pytest.mark.parametrize(
    ("terminals", "words"),
    [
        ((terminal_entry(1), terminal_entry(1, "another")), "Counter and Another have the same address"),
        ((terminal_entry(1, exclusive="yes"),), "exclusive must be true or false"),
        ((terminal_entry(1, identity={"serial": 5}),), "identity must hold texts"),
        ((terminal_entry(1, questions=[1] * 11),), "at most 10"),
        ((terminal_entry(1, questions=[-1]),), "from 0 to 600"),
        ((terminal_entry(1, questions=3),), "a list"),
    ],
)
def test_configurations_that_cannot_be_meant(terminals: tuple[dict[str, Any], ...], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        read(*terminals)


def test_what_a_configuration_says_of_a_terminal() -> None:
    [plain] = read(terminal_entry(1))
    assert (plain.exclusive, plain.identity, plain.questions) == (False, {}, None)
    [told] = read(terminal_entry(1, exclusive=True, identity={"serial": "5"}, questions=[1, 2.5]))
    assert (told.exclusive, told.identity, told.questions) == (True, {"serial": "5"}, (1, 2.5))
