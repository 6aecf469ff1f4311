"""The last result, told once more: what HiPay documents of CD 3, and sales that no till knows of."""

from virtual_kit import REFUND, SALE, Bench, Start, fields

from hw_driver.virtual.concert import Settings, VirtualConcert
from hw_driver.virtual.faults import Faults
from hw_driver.virtual.ledger import Ledger
from hw_driver.virtual.server import Server

DUPLICATE = b"CZ0040300CJ012247300123456CA00201CB003999CD0013CE003978"  # its amount is not looked at


async def told(bench: Bench) -> dict[str, str]:
    return fields(await bench.ask(DUPLICATE))


async def test_the_last_success_comes_with_its_own_amount(start: Start) -> None:
    bench = await start(auto="cb")
    sale = fields(await bench.ask(SALE + b"CF004till"))
    last = await told(bench)
    same = ("CZ", "CA", "CB", "CE", "AE", "AC", "AA", "CC", "CI", "AI", "CG", "CF", "VT")
    assert {tag: last[tag] for tag in same} == {tag: sale[tag] for tag in same}
    assert (last["CD"], last["CB"]) == ("3", "2500")
    assert bench.charged() == [2500], "asking charges nothing"
    assert bench.terminal.screen.receipt.startswith("       DUPLICATA")


async def test_a_refund_is_told_as_well(start: Start) -> None:
    bench = await start()
    await bench.ask(SALE)
    await bench.ask(REFUND.replace(b"CB0042500", b"CB003700"))
    assert (await told(bench))["CB"] == "700"


async def test_one_that_was_not_completed(start: Start) -> None:
    bench = await start("decline")
    await bench.ask(SALE)
    last = await told(bench)
    assert (last["AE"], last["AF"]) == ("01", "07")
    await bench.ask(SALE)
    assert (await told(bench))["AE"] == "10"


async def test_nothing_to_tell(start: Start) -> None:
    bench = await start()
    last = await told(bench)
    assert (last["AE"], last["AF"]) == ("01", "00")


async def test_while_a_payment_runs_it_is_busy(start: Start) -> None:
    bench = await start(auto="")
    bench.server.do(lambda now: bench.terminal.standalone(100, now))
    last = await told(bench)
    assert last["AE"] == "01"
    assert "AF" not in last


async def test_a_terminal_that_cannot(start: Start) -> None:
    bench = await start(duplicata=False)
    await bench.ask(SALE)
    last = await told(bench)
    assert (last["AE"], last["AF"]) == ("01", "12")


async def test_an_answer_that_was_lost_is_told(start: Start) -> None:
    bench = await start("lost")
    assert await bench.ask(SALE) == b""
    assert (await told(bench))["AC"] == bench.ledger()[-1]["auth_code"]


async def test_the_ledger_remembers_through_a_restart(start: Start) -> None:
    bench = await start(auto="amex")
    await bench.ask(SALE + b"CH004till")
    before = await told(bench)
    await bench.server.stop()
    bench.server.ledger.close()
    ledger = Ledger(bench.path)
    server = Server(VirtualConcert(Settings(quiet=0.01, close_after=0.02), Faults(), batch=ledger.batch()), ledger)
    await server.start()
    assert await told(Bench(server, bench.path)) == before
    await server.stop()
    ledger.close()


async def test_a_sale_without_a_till(start: Start) -> None:
    bench = await start(auto="contactless", authorisation=0)
    bench.server.do(lambda now: bench.terminal.standalone(2500, now))
    await bench.until(lambda: bench.terminal.screen.phase == "approved")
    [entry] = bench.ledger()
    assert (entry["amount"], entry["register"], entry["references"]) == (2500, "", {})
    assert (await told(bench))["AC"] == entry["auth_code"]


async def test_it_cannot_be_typed_in_while_a_till_is_served(start: Start) -> None:
    bench = await start(auto="")
    for amount in (100, 200):
        bench.server.do(lambda now, amount=amount: bench.terminal.standalone(amount, now))
    assert bench.terminal.screen.amount == "1,00 EUR"
