"""Each fault does what it says, to the bytes on the line and to the ledger."""

import asyncio
import contextlib

import pytest
from virtual_kit import IDENTIFY, SALE, Bench, Start, fields

from hw_driver.virtual.faults import FAULTS, BadFault, Faults, parse


async def test_refusals(start: Start) -> None:
    for fault, reason, outcome in (
        ("decline", "04", "declined"),
        ("abort", "11", "cancelled"),
        ("timeout=0", "08", "cancelled"),
    ):
        bench = await start(fault)
        answer = fields(await bench.ask(SALE))
        assert (answer["AE"], answer["AF"]) == ("01", reason)
        assert [(entry["outcome"], entry["amount"], entry["asked"]) for entry in bench.ledger()] == [(outcome, 0, 2500)]


async def test_busy_refuses_without_a_reason(start: Start) -> None:
    bench = await start("busy")
    answer = fields(await bench.ask(SALE))
    assert answer["AE"] == "01"
    assert "AF" not in answer
    assert bench.ledger() == []


async def test_silent_never_answers_and_charges_nothing(start: Start) -> None:
    bench = await start("silent")
    reader, writer = await asyncio.open_connection("127.0.0.1", bench.port)
    writer.write(SALE)
    await bench.until(lambda: not bench.faults.armed)
    assert fields(await bench.ask(SALE))["AE"] == "10", "the next sale is served"
    writer.write_eof()
    assert await reader.read() == b""
    writer.close()
    assert bench.charged() == [2500]


@pytest.mark.parametrize(("fault", "approved"), [("partial=700", 700), ("partial", 1250), ("partial=9900", 9900)])
async def test_another_amount_is_approved(start: Start, fault: str, approved: int) -> None:
    bench = await start(fault)
    assert int(fields(await bench.ask(SALE))["CB"]) == approved
    assert bench.charged() == [approved]


async def test_late_approval_charges_at_its_end(start: Start) -> None:
    bench = await start("late=1")
    asking = asyncio.ensure_future(bench.ask(SALE))
    await bench.until(lambda: bench.terminal.screen.phase == "authorising")
    assert bench.ledger() == []
    assert fields(await asking)["AE"] == "10"
    assert bench.charged() == [2500]


async def test_lost_answer_is_charged(start: Start) -> None:
    bench = await start("lost")
    assert await bench.ask(SALE) == b""
    assert bench.charged() == [2500]


@pytest.mark.parametrize("count", [0, 1, 40, 75])
async def test_cut_sends_so_many_bytes(start: Start, count: int) -> None:
    bench = await start(f"cut={count}")
    cut = await bench.ask(SALE)
    whole = await bench.ask(SALE)
    assert len(cut) == count
    assert whole.startswith(cut)
    assert bench.charged() == [2500, 2500]


@pytest.mark.parametrize(("fault", "charged"), [("restart_before=1", []), ("restart_after=1", [2500])])
async def test_restart_drops_everything_and_comes_back(start: Start, fault: str, charged: list[int]) -> None:
    bench = await start(fault)
    with contextlib.suppress(ConnectionError):
        assert await bench.ask(SALE) == b""
    assert bench.charged() == charged
    with pytest.raises(ConnectionRefusedError):
        await bench.ask(IDENTIFY)
    await bench.until(lambda: bench.terminal.screen.phase == "idle")
    assert fields(await _ask_when_up(bench, SALE))["AE"] == "10"


async def test_split_sends_byte_by_byte(start: Start) -> None:
    bench = await start("split")
    reader, writer = await asyncio.open_connection("127.0.0.1", bench.port)
    writer.write(SALE)
    received = []
    while chunk := await reader.read(4096):
        received.append(chunk)
    writer.close()
    assert len(received) > 20
    assert fields(b"".join(received))["AE"] == "10"


async def test_duplicate_sends_the_same_answer_twice(start: Start) -> None:
    bench = await start("duplicate")
    answer = await bench.ask(SALE)
    half = len(answer) // 2
    assert answer[:half] == answer[half:]
    assert fields(answer[:half])["AE"] == "10"
    assert bench.charged() == [2500]


@pytest.mark.parametrize(("fault", "damage"), [("corrupt", b"\xc1E00210"), ("malformed", b"AE0O210")])
async def test_damage_is_in_the_result(start: Start, fault: str, damage: bytes) -> None:
    bench = await start(fault)
    answer = await bench.ask(SALE)
    assert damage in answer
    assert b"AE002" not in answer
    assert bench.charged() == [2500]


async def test_dialects_of_an_approval(start: Start) -> None:
    bench = await start("zero_padded", "version=301", "extra_tags")
    answer = fields(await bench.ask(SALE))
    assert answer["CB"] == "000000002500"
    assert answer["CZ"] == "0301"
    assert answer["QX"] == "UNKNOWN"
    assert "ZQ" in answer
    assert next(iter(answer)) == "CZ"


async def test_dialects_of_a_refusal(start: Start) -> None:
    bench = await start("abort", "no_amount", "long_reason")
    answer = fields(await bench.ask(SALE))
    assert "CB" not in answer
    assert len(answer["AF"]) == 29
    assert answer["AF"].startswith("11")


async def test_who_closes(start: Start) -> None:
    bench = await start("keep_open")
    reader, writer = await asyncio.open_connection("127.0.0.1", bench.port)
    writer.write(SALE)
    assert fields(await reader.read(4096))["AE"] == "10"
    writer.write(IDENTIFY)
    assert fields(await reader.read(4096))["CD"] == "I", "and serves what comes next on it"
    writer.close()
    bench.faults.arm("close_at_once")
    assert fields(await bench.ask(SALE))["AE"] == "10"


async def test_once_and_always(start: Start) -> None:
    bench = await start("decline")
    assert [fields(await bench.ask(SALE))["AE"] for _ in range(2)] == ["01", "10"]
    bench = await start("decline=always")
    assert [fields(await bench.ask(SALE))["AE"] for _ in range(2)] == ["01", "01"]


@pytest.mark.parametrize("text", ["nonsense", "cut=-1", "cut=many", "version=300", "busy=3", "decline=sometimes"])
def test_bad_faults_are_refused_with_what_there_is(text: str) -> None:
    with pytest.raises(BadFault, match=r"no fault|takes|after ="):
        Faults().arm(*parse(text))


def test_a_bad_update_changes_nothing() -> None:
    faults = Faults()
    with pytest.raises(BadFault):
        faults.update({"decline": "once", "cut": {"mode": "once", "value": True}})
    assert faults.armed == {}


def test_every_fault_says_what_it_does() -> None:
    assert all(fault.title and fault.text.endswith(".") and fault.group for fault in FAULTS.values())
    assert all((fault.default is None) == (fault.unit == "") for fault in FAULTS.values())


async def _ask_when_up(bench: Bench, request: bytes) -> bytes:
    while True:
        try:
            return await bench.ask(request)
        except ConnectionError:
            await asyncio.sleep(0.01)
