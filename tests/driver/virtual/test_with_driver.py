"""The driver's own machine against the virtual terminal: every fault leads to a state that is true of the ledger."""

import asyncio

import pytest
from virtual_kit import Bench, Start

from hw_driver.protocols.concert import PROTOCOLS
from hw_driver.protocols.machine import Close, Open, Outcome, Persist, Request, Result, Send, StartTimer, StopTimer
from hw_driver.protocols.states import ENDED_WITHOUT_CHARGE, Kind, State
from hw_driver.transports.tcp import TcpTransport
from hw_driver.virtual.faults import faults_of

CONCERT = PROTOCOLS[0]
#: Seconds a till waits where the answer is to be missed, and where it comes however busy the machine is.
IMPATIENT, PATIENT = 0.6, 30
APPROVED, DECLINED, CANCELLED, UNKNOWN = {State.APPROVED}, {State.DECLINED}, {State.CANCELLED}, {State.UNKNOWN}

#: Faults -> the states they may lead to, and the money that the terminal took for a sale of 25.00.
CASES: dict[tuple[str, ...], tuple[set[State], list[int]]] = {
    (): (APPROVED, [2500]),
    ("decline",): (DECLINED, []),
    ("abort",): (CANCELLED, []),
    ("timeout=0",): (CANCELLED, []),
    ("busy",): (ENDED_WITHOUT_CHARGE, []),
    ("partial=700",): (APPROVED, [700]),
    ("partial=9900",): (UNKNOWN, [9900]),
    ("late=0",): (APPROVED, [2500]),
    ("late=1",): (UNKNOWN, [2500]),
    ("silent",): (UNKNOWN, []),
    ("lost",): (UNKNOWN, [2500]),
    ("restart_before=0",): (UNKNOWN, []),
    ("restart_after=0",): (UNKNOWN, [2500]),
    ("cut=40",): (UNKNOWN, [2500]),
    ("corrupt",): (UNKNOWN, [2500]),
    ("malformed",): (UNKNOWN, [2500]),
    ("duplicate",): (UNKNOWN | APPROVED, [2500]),
    ("split",): (APPROVED, [2500]),
    ("keep_open",): (APPROVED, [2500]),
    ("close_at_once",): (APPROVED, [2500]),
    ("zero_padded",): (APPROVED, [2500]),
    ("version=301",): (APPROVED, [2500]),
    ("version=320",): (APPROVED, [2500]),
    ("extra_tags",): (APPROVED, [2500]),
    ("abort", "no_amount"): (CANCELLED, []),
    ("decline", "long_reason"): (DECLINED, []),
}


class Till:
    """Runs one dialog: the machine's effects on a real connection."""

    def __init__(self, bench: Bench, answer_timeout: float = PATIENT) -> None:
        self._machine = CONCERT.machine({"answer_timeout": answer_timeout, "drain": 0.05})
        self._transport = TcpTransport({"host": "127.0.0.1", "port": bench.port}, self)
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._result: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    async def ask(self, kind: Kind, amount: int) -> Outcome:
        self._do(self._machine.start(Request("u", kind, amount, "EUR" if amount else "")))
        try:
            return await asyncio.wait_for(self._result, PATIENT)
        finally:
            for handle in self._timers.values():
                handle.cancel()

    def on_connected(self) -> None:
        self._do(self._machine.connected())

    def on_data(self, data: bytes) -> None:
        self._do(self._machine.receive(data))

    def on_lost(self, reason: str) -> None:
        self._do(self._machine.lost(reason))

    def _do(self, effects: list) -> None:
        for effect in effects:
            match effect:
                case Open():
                    self._transport.open(5)
                case Send(data):
                    self._transport.write(data)
                case StartTimer(name, seconds):
                    self._stop(name)
                    self._timers[name] = asyncio.get_running_loop().call_later(seconds, self._ring, name)
                case StopTimer(name):
                    self._stop(name)
                case Result(outcome):
                    self._result.set_result(outcome)
                case Close():
                    self._transport.close()
                case Persist():
                    pass  # the journal has its own tests

    def _stop(self, name: str) -> None:
        if name in self._timers:
            self._timers.pop(name).cancel()

    def _ring(self, name: str) -> None:
        self._do(self._machine.timer(name))


@pytest.mark.parametrize("faults", CASES, ids=lambda faults: "+".join(faults) or "none")
async def test_every_fault_leads_to_a_true_state(start: Start, faults: tuple[str, ...]) -> None:
    states, charged = CASES[faults]
    bench = await start(*faults)
    till = Till(bench, IMPATIENT if states == UNKNOWN else PATIENT)
    outcome = await till.ask(Kind.SALE, 2500)
    assert outcome.state in states, outcome
    await bench.until(lambda: bench.charged() == charged)
    hold_laws(outcome, bench)
    if outcome.state is State.APPROVED:
        assert outcome.virtual
        assert outcome.last4 == "7306"
        assert outcome.brand == bench.ledger()[0]["card"]["brand"]


async def test_no_fault_is_left_out() -> None:
    assert {fault.partition("=")[0] for faults in CASES for fault in faults} == set(faults_of({"stream", "v3"}))


async def test_a_cut_anywhere_is_never_taken_for_a_refusal(start: Start) -> None:
    bench = await start(quiet=0)
    for count in range(0, 150, 3):
        bench.faults.arm("cut", value=count)
        before = len(bench.ledger())
        outcome = await Till(bench).ask(Kind.SALE, 2500)
        assert outcome.state in UNKNOWN | APPROVED, (count, outcome)
        assert outcome.amount_approved in (None, 2500)
        assert len(bench.ledger()) == before + 1


@pytest.mark.parametrize("kind", [Kind.REFUND, Kind.IDENTIFY])
async def test_other_kinds(start: Start, kind: Kind) -> None:
    bench = await start()
    outcome = await Till(bench).ask(kind, 2500 if kind is Kind.REFUND else 0)
    assert outcome.state is State.APPROVED
    assert outcome.virtual
    assert [entry["kind"] for entry in bench.ledger()] == (["refund"] if kind is Kind.REFUND else [])


def hold_laws(outcome: Outcome, bench: Bench) -> None:
    """What is told as final is what happened."""
    if outcome.state is State.APPROVED:
        assert bench.charged() == [outcome.amount_approved]
        assert bench.ledger()[0]["auth_code"] == outcome.auth_code
    if outcome.state in ENDED_WITHOUT_CHARGE:
        assert bench.charged() == []
