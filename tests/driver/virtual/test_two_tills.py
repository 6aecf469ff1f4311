"""One dialog at a time: what a second till gets, and what a till that hangs up leaves behind."""

import asyncio

from virtual_kit import IDENTIFY, SALE, Bench, Start, fields


async def waiting(bench: Bench) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Begin a sale and leave it waiting for the card."""
    reader, writer = await asyncio.open_connection("127.0.0.1", bench.port)
    writer.write(SALE)
    await bench.until(lambda: bench.terminal.screen.phase == "card")
    return reader, writer


def pay(bench: Bench, card: str = "contactless") -> None:
    bench.server.do(lambda now: bench.terminal.present(card, now))


async def test_a_second_till_is_refused(start: Start) -> None:
    bench = await start(auto="", authorisation=0)
    reader, writer = await waiting(bench)
    for request in (SALE, IDENTIFY):
        answer = fields(await bench.ask(request))
        assert answer["AE"] == "01"
        assert "AF" not in answer
    pay(bench)
    assert fields(await reader.read())["AE"] == "10"
    writer.close()
    assert bench.charged() == [2500]


async def test_a_second_till_can_be_left_waiting(start: Start) -> None:
    bench = await start(auto="", authorisation=0, while_busy="wait")
    reader, writer = await waiting(bench)
    second = asyncio.ensure_future(bench.ask(SALE.replace(b"CB0042500", b"CB003999")))
    await asyncio.sleep(0.05)
    assert not second.done()
    pay(bench)
    assert fields(await reader.read())["CB"] == "2500"
    writer.close()
    await bench.until(lambda: bench.terminal.screen.phase == "card")
    assert bench.terminal.screen.amount == "9,99 EUR"
    pay(bench, "amex")
    assert fields(await second)["CB"] == "999"
    assert bench.charged() == [2500, 999]


async def test_hanging_up_does_not_stop_the_sale(start: Start) -> None:
    bench = await start(auto="", authorisation=0)
    _, writer = await waiting(bench)
    writer.close()
    await writer.wait_closed()
    await asyncio.sleep(0.05)
    assert fields(await bench.ask(SALE))["AE"] == "01", "still busy with the sale of the till that left"
    pay(bench)
    assert bench.charged() == [2500]


async def test_a_result_on_the_display_does_not_hold_the_terminal(start: Start) -> None:
    bench = await start()
    assert [fields(await bench.ask(SALE))["AE"] for _ in range(3)] == ["10"] * 3
    numbers = [entry["auth_code"] for entry in bench.ledger()]
    assert len(numbers) == 3


async def test_the_chip_asks_for_four_digits(start: Start) -> None:
    bench = await start(auto="", authorisation=0)
    reader, writer = await waiting(bench)
    pay(bench, "cb")

    def press(*keys: str) -> None:
        for key in keys:
            bench.server.do(lambda now, key=key: bench.terminal.press(key, now))

    press("1", "2", "3", "green")
    assert bench.terminal.screen.phase == "pin", "three digits are no PIN"
    press("yellow", "1", "2", "3")
    assert bench.terminal.screen.pin == 3
    press("4", "5", "green")
    assert fields(await reader.read())["CI"] == "1"
    writer.close()
    assert bench.charged() == [2500]


async def test_the_red_key_gives_up(start: Start) -> None:
    bench = await start(auto="")
    reader, writer = await waiting(bench)
    bench.server.do(lambda now: bench.terminal.press("red", now))
    answer = fields(await reader.read())
    writer.close()
    assert (answer["AE"], answer["AF"]) == ("01", "11")
    pay(bench)
    assert bench.charged() == [], "a card after the end changes nothing"
