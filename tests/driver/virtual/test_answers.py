"""What the terminal demands of a request, and what its answers hold, over real TCP."""

import base64
import json
from pathlib import Path

import pytest
from virtual_kit import IDENTIFY, REFUND, SALE, Start, fields

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "concert.json").read_text())
REQUESTS = [v for v in VECTORS if v["version"] == "V3" and v["direction"] == "till->terminal" and v["valid"]]
#: What each request of the vectors must lead to: AE, AF.
EXPECTED = {"v3_duplicata_hp_style": ("01", "00")}  # nothing to tell of


async def test_sale_answer_carries_what_a_real_one_does(start: Start) -> None:
    bench = await start(auto="cb")
    answer = fields(await bench.ask(SALE))
    [entry] = bench.ledger()
    assert next(iter(answer)) == "CZ"
    assert {tag: answer[tag] for tag in ("CZ", "CJ", "CA", "CB", "CD", "CE", "AE")} == {
        "CZ": "0300", "CJ": "247300123456", "CA": "01", "CB": "2500", "CD": "0", "CE": "978", "AE": "10",
    }  # fmt: skip
    assert answer["CC"] == "001"
    assert answer["CI"] == "1"
    assert answer["AI"] == "A0000000421010"
    assert answer["AA"] == "497010######4821"
    assert answer["AL"] == "1"
    assert answer["AC"] == entry["auth_code"]
    assert answer["CG"] == entry["contract"]
    assert answer["VT"] == "1"
    assert not {"AF", "AB", "ZT"} & set(answer)
    assert entry["card"] == {"brand": "CB", "last4": "4821"}
    assert (entry["number"], entry["kind"], entry["amount"], entry["currency"]) == (1, "sale", 2500, "EUR")


async def test_refund_is_booked_as_a_refund(start: Start) -> None:
    bench = await start()
    answer = fields(await bench.ask(REFUND))
    assert answer["AE"] == "10"
    assert answer["CD"] == "1"
    assert [(entry["kind"], entry["amount"]) for entry in bench.ledger()] == [("refund", 2500)]


async def test_identify_moves_no_money(start: Start) -> None:
    bench = await start("decline=always")
    answer = fields(await bench.ask(IDENTIFY))
    assert answer["AE"] == "10"
    assert answer["CD"] == "I"
    assert answer["VT"] == "1"
    assert bench.ledger() == []


@pytest.mark.parametrize(
    ("request_bytes", "reason"),
    [
        *((SALE.replace(field, b""), "09") for field in (b"CJ012247300123456", b"CA00201", b"CB0042500", b"CE003978")),
        (SALE.replace(b"CD0010", b""), "09"),
        (SALE[9:], "09"),
        (SALE.replace(b"CB0042500", b"CB00200"), "09"),
        (SALE.replace(b"CB0042500", b"CB00425.0"), "09"),
        (SALE + b"CB0042500", "09"),
        (SALE + b"BF0010", "09"),
        (SALE + b"BA0011", "09"),
        (SALE[:-2], "09"),
        (b"GET / HTTP/1.1\r\n\r\n", "09"),
        (SALE.replace(b"CD0010", b"CD001T"), "12"),
        (SALE.replace(b"CE003978", b"CE003840"), "13"),
    ],
)
async def test_refused_requests_charge_nothing(start: Start, request_bytes: bytes, reason: str) -> None:
    bench = await start()
    answer = fields(await bench.ask(request_bytes))
    assert (answer["AE"], answer["AF"]) == ("01", reason)
    assert bench.ledger() == []


async def test_bf_can_be_accepted(start: Start) -> None:
    bench = await start(refuse_bf=False)
    assert fields(await bench.ask(SALE + b"BF0010"))["AE"] == "10"


@pytest.mark.parametrize("chunks", [2, 7, len(SALE)])
async def test_split_requests_are_put_together(start: Start, chunks: int) -> None:
    bench = await start()
    assert fields(await bench.ask(SALE, chunks))["AE"] == "10"
    assert bench.charged() == [2500]


async def test_a_request_may_end_with_crlf(start: Start) -> None:
    bench = await start()
    assert fields(await bench.ask(SALE + b"\r\n"))["AE"] == "10"


@pytest.mark.parametrize("vector", REQUESTS, ids=lambda vector: vector["name"])
async def test_vectors_are_answered(start: Start, vector: dict) -> None:
    bench = await start()
    asked, answer = fields(bytes.fromhex(vector["hex"])), fields(await bench.ask(bytes.fromhex(vector["hex"])))
    result, reason = EXPECTED.get(vector["name"], ("10", None))
    assert (answer["AE"], answer.get("AF")) == (result, reason)
    assert {tag: answer[tag] for tag in ("CA", "CB", "CD", "CE") if tag in asked} == {
        tag: asked[tag] for tag in ("CA", "CB", "CD", "CE") if tag in asked
    }
    assert bench.charged() == ([int(asked["CB"])] if result == "10" and asked["CD"] in "01" else [])


@pytest.mark.parametrize(
    ("wanted", "copies"), [("100", ["CLIENT"]), ("110", ["COMMERCANT"]), ("120", ["COMMERCANT", "CLIENT"])]
)
async def test_ticket(start: Start, wanted: str, copies: list[str]) -> None:
    bench = await start(auto="cb")
    answer = fields(await bench.ask(SALE + f"CK003{wanted}".encode()))
    ticket = fields(answer["ZT"].encode())
    text = base64.b64decode(ticket["AK"], validate=True).decode("latin-1")
    assert ticket["CK"] == wanted
    assert [word for word in text.split() if word in ("CLIENT", "COMMERCANT")] == copies
    assert "25,00 EUR" in text
    assert "SANS VALEUR" in text
    assert answer["AC"] in text
    assert all(len(line) <= 24 for line in text.splitlines())


async def test_meal_voucher_pays_its_days_limit_only(start: Start) -> None:
    bench = await start(auto="voucher")
    answer = fields(await bench.ask(SALE.replace(b"CB0042500", b"CB0043100")))
    assert (answer["AE"], answer["CB"], answer["CC"]) == ("10", "2500", "10E")
    assert bench.charged() == [2500]


async def test_a_refused_cheque_is_always_04(start: Start) -> None:
    bench = await start("abort")
    assert fields(await bench.ask(SALE + b"CC00300C"))["AF"] == "04"
