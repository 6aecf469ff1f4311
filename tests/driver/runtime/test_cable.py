"""Terminals on a cable: real ports, real bytes, and a terminal that shares no code with the driver."""

import asyncio
import dataclasses
import subprocess
import sys
from datetime import timedelta

import pytest
from replay.cable import ACK, ENQ, EOT, NAK, Cable, framed, reply
from runtime_kit import body, ended

from hw_driver import line
from hw_driver.protocols.registry import PROTOCOLS
from hw_driver.protocols.states import State
from hw_driver.refusals import TerminalBusy
from hw_driver.terminal import Terminal

V2 = PROTOCOLS["concert-v2"]
#: Short times, so that the patience of a real line is not waited for.
QUICK = {"line_answer": 1, "line_tries": 2, "line_pause": 0.05, "line_byte": 1, "answer_timeout": 3}


@pytest.fixture
async def cable():
    async with Cable() as cable:
        yield cable


@pytest.fixture
async def terminal(cable, journal, clock):
    terminal = runner(cable.path, journal, clock)
    await terminal.recover()
    yield terminal
    await terminal.close()


def runner(path, journal, clock, **settings):
    options = QUICK | settings.pop("options", {})
    return Terminal("counter", "Counter", V2, where(path), options, journal, clock=clock, **settings)


def where(path):
    return {"kind": "serial", "device": path, "preset": "usb"}


async def sale(terminal, clock, **other):
    return await terminal.start(body(clock, **other))


async def outcome(transaction):
    await ended(transaction)
    return transaction.state, transaction.outcome.code


async def test_a_sale(cable, terminal, clock, journal):
    transaction = await sale(terminal, clock)
    assert await cable.take_request() == "0100001250110978          A010B010"
    assert journal.get(transaction.uuid).state is State.SENT
    await cable.bring(reply())
    assert await outcome(transaction) == (State.APPROVED, "approved")
    assert transaction.outcome.amount_approved == 1250


async def test_an_answer_is_durable_before_the_terminal_hears_that_it_is_safe(cable, terminal, clock, journal):
    transaction = await sale(terminal, clock)
    await cable.take_request()
    cable.say(ENQ)
    await cable.expect(ACK)
    cable.say(framed(reply()))
    await cable.expect(ACK)
    assert journal.get(transaction.uuid).state is State.APPROVED


async def test_a_refusal_then_a_sale_on_the_same_line(cable, terminal, clock):
    refused = await sale(terminal, clock)
    await cable.take_request()
    await cable.bring(reply("7"))
    assert await outcome(refused) == (State.DECLINED, "declined")
    paid = await sale(terminal, clock)
    await cable.take_request()
    await cable.bring(reply())
    assert (await outcome(paid))[0] is State.APPROVED


async def test_a_terminal_that_never_answers_charged_nothing(cable, terminal, clock):
    transaction = await sale(terminal, clock)
    for _ in range(2):
        await cable.expect(ENQ)
        await cable.expect(EOT)
    assert await outcome(transaction) == (State.FAILED, "unreachable")
    assert "busy, asleep" in transaction.outcome.text


async def test_a_busy_terminal_says_so(cable, terminal, clock):
    transaction = await sale(terminal, clock)
    for _ in range(2):
        await cable.expect(ENQ)
        cable.say(NAK)
        await cable.expect(EOT)
    assert await outcome(transaction) == (State.FAILED, "busy")


async def test_a_terminal_that_speaks_another_version_refuses_the_frame(cable, terminal, clock):
    transaction = await sale(terminal, clock)
    await cable.expect(ENQ)
    cable.say(ACK)
    for _ in range(3):
        await cable.expect(framed("0100001250110978          A010B010"))
        cable.say(NAK)
    await cable.expect(EOT)
    assert await outcome(transaction) == (State.FAILED, "message_refused")
    assert "Check its protocol" in transaction.outcome.text


async def test_a_terminal_that_goes_silent_after_the_request_is_not_known(cable, journal, clock):
    terminal = runner(cable.path, journal, clock, options={"answer_timeout": 0.3})
    transaction = await sale(terminal, clock)
    await cable.take_request()
    assert await outcome(transaction) == (State.UNKNOWN, "no_answer")
    assert "DUPLICATA" in transaction.outcome.text
    await terminal.close()


async def test_the_ack_of_the_request_is_lost_and_the_answer_still_counts(cable, terminal, clock):
    transaction = await sale(terminal, clock)
    await cable.expect(ENQ)
    cable.say(ACK)
    await cable.expect(framed("0100001250110978          A010B010"))
    await cable.expect(EOT)
    await cable.bring(reply())
    assert (await outcome(transaction))[0] is State.APPROVED


async def test_unplugged_in_mid_sale(cable, terminal, clock):
    transaction = await sale(terminal, clock)
    await cable.take_request()
    cable.unplug()
    assert await outcome(transaction) == (State.UNKNOWN, "link_lost")


async def test_unplugged_before_the_sale(cable, terminal, clock):
    cable.unplug()
    transaction = await sale(terminal, clock)
    assert await outcome(transaction) == (State.FAILED, "unreachable")
    assert "cable" in transaction.outcome.text


@pytest.mark.parametrize(("exclusive", "state"), [(True, State.APPROVED), (False, State.UNKNOWN)])
async def test_a_late_answer_is_heard_while_nobody_asks(cable, journal, clock, exclusive, state):
    """Of a terminal only this driver uses it can be about its last transaction alone; of another it is evidence."""
    terminal = runner(cable.path, journal, clock, options={"answer_timeout": 0.3}, exclusive=exclusive)
    await terminal.recover()
    await previous_sale(cable, terminal, clock)
    transaction = await sale(terminal, clock, amount=990)
    await cable.take_request()
    assert (await outcome(transaction))[0] is State.UNKNOWN
    await cable.bring(reply(amount=990))
    assert journal.get(transaction.uuid).state is state
    await terminal.close()


async def test_of_two_that_are_not_known_a_late_answer_is_never_the_earlier_ones(cable, journal, clock):
    terminal = runner(cable.path, journal, clock, options={"answer_timeout": 0.3}, exclusive=True)
    await terminal.recover()
    lost = []
    for amount in (300, 990):
        lost.append(await sale(terminal, clock, amount=amount))
        await cable.take_request()
        assert (await outcome(lost[-1]))[0] is State.UNKNOWN
    await cable.bring(reply(amount=300))
    earlier, later = ([event.type for event in journal.events() if event.uuid == each.uuid] for each in lost)
    assert earlier == ["requested", "sent", "unknown"]
    assert later == ["requested", "sent", "unknown", "evidence"]
    await terminal.close()


@pytest.mark.parametrize("text", ["?" * 25, reply("3")], ids=["no answer of its", "a status nobody knows"])
async def test_what_says_nothing_of_a_payment_is_acknowledged_and_changes_nothing(
    cable, terminal, clock, journal, text
):
    before = journal.last
    await cable.bring(text)
    assert journal.last == before
    await previous_sale(cable, terminal, clock)


async def test_a_protocol_that_hears_nothing_on_its_own_still_acknowledges(cable, journal, clock):
    terminal = Terminal(
        "counter", "Counter", dataclasses.replace(V2, overheard=None), where(cable.path), QUICK, journal, clock=clock
    )
    await terminal.recover()
    await cable.bring(reply())
    await previous_sale(cable, terminal, clock)
    await terminal.close()


async def test_a_line_that_is_open_already_is_not_opened_again(cable, terminal, clock):
    await cable.bring(reply())  # it is open: the terminal is heard
    await terminal.recover()
    await previous_sale(cable, terminal, clock)


async def test_a_line_that_goes_while_it_is_written_to(cable, terminal, clock, monkeypatch):
    await previous_sale(cable, terminal, clock)
    port = terminal._line._transport

    def gone(data):
        raise ConnectionError("the cable is out")

    with monkeypatch.context() as patch:
        patch.setattr(port, "write", gone)
        transaction = await sale(terminal, clock)
        assert await outcome(transaction) == (State.FAILED, "unreachable")


class Socket:
    """A terminal of this protocol on the network: it takes a connection for each exchange."""

    def __init__(self, script):
        self._script = script
        self.connections = 0
        self.hung_up = asyncio.Event()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self._server.close()

    async def _serve(self, reader, writer):
        self.connections += 1
        for expected, answer in self._script:
            assert await reader.readexactly(len(expected)) == expected
            writer.write(answer)
        await reader.read()  # until the till hangs up
        self.hung_up.set()
        writer.close()


NETWORK = [
    ([(ENQ, ACK), (framed("0100001250110978          A010B010"), ACK), (EOT, ENQ), (ACK, framed(reply())), (ACK, EOT)],
     State.APPROVED, "approved"),
    ([(ENQ, ACK), (framed("0100001250110978          A010B010"), ACK)], State.UNKNOWN, "no_answer"),
    ([(ENQ, NAK), (EOT, b""), (ENQ, NAK), (EOT, b"")], State.FAILED, "busy"),
]  # fmt: skip


@pytest.mark.parametrize(("script", "state", "code"), NETWORK, ids=[code for _, _, code in NETWORK])
async def test_on_the_network_the_line_is_let_go_after_each_exchange(journal, clock, monkeypatch, script, state, code):
    monkeypatch.setattr(line, "LINGER", 0.1)
    async with Socket(script) as there:
        options = QUICK | {"answer_timeout": 0.3}
        address = {"kind": "tcp", "host": "127.0.0.1", "port": there.port}
        terminal = Terminal("counter", "Counter", V2, address, options, journal, clock=clock)
        await terminal.recover()
        assert there.connections == 0, "nobody listens to a network terminal between two payments"
        assert await outcome(await sale(terminal, clock)) == (state, code)
        await asyncio.wait_for(there.hung_up.wait(), 5)
        assert there.connections == 1
        await terminal.close()


async def test_a_late_answer_that_collides_with_the_next_request_is_not_taken_for_its(cable, journal, clock):
    terminal = runner(
        cable.path, journal, clock, options={"answer_timeout": 0.3, "private": "reference", "private_echoed": True}
    )
    await terminal.recover()
    first = await sale(terminal, clock)
    private = (await cable.take_request())[16:26]
    assert (await outcome(first))[0] is State.UNKNOWN
    second = await sale(terminal, clock)
    await cable.expect(ENQ)
    await cable.bring(reply(private=private))
    assert journal.get(first.uuid).state is State.APPROVED
    other = (await cable.take_request())[16:26]
    await cable.bring(reply("7", private=other))
    assert await outcome(second) == (State.DECLINED, "declined")
    await terminal.close()


@pytest.mark.parametrize("exclusive", [True, False])
async def test_while_the_terminal_may_be_at_the_lost_payment_no_other_begins(cable, journal, clock, exclusive):
    """Its answer would be taken for the next one's: nothing in it says whose it is."""
    first = await left_by_a_stopped_driver(cable, journal, clock)
    terminal = runner(cable.path, journal, clock, exclusive=exclusive)
    await terminal.recover()
    await ended(terminal.transaction(first))
    with pytest.raises(TerminalBusy) as busy:
        await sale(terminal, clock, amount=990)
    assert busy.value.holder["uuid"] == first
    assert terminal.describe()["holder"]["since"] == journal.get(first).requested_at
    await cable.bring(reply())  # the first one's, after all
    second = await sale(terminal, clock, amount=990)
    await cable.take_request()
    await cable.bring(reply(amount=990))
    assert (await outcome(second))[0] is State.APPROVED
    await terminal.close()


async def test_after_the_longest_dialog_the_terminal_is_free_again(cable, journal, clock):
    await left_by_a_stopped_driver(cable, journal, clock)
    terminal = runner(cable.path, journal, clock)
    await terminal.recover()
    clock.shift = timedelta(seconds=QUICK["answer_timeout"])
    await sale(terminal, clock)
    await cable.take_request()
    await terminal.close()


async def left_by_a_stopped_driver(cable, journal, clock):
    """The uuid of a payment whose request the terminal has taken."""
    before = runner(cable.path, journal, clock)
    await before.recover()
    transaction = await sale(before, clock)
    await cable.take_request()
    await before.close()
    return transaction.uuid


async def test_a_late_answer_that_cannot_be_stored_is_not_acknowledged(cable, journal, clock, monkeypatch):
    terminal = runner(cable.path, journal, clock, options={"answer_timeout": 0.3}, exclusive=True)
    await terminal.recover()
    await previous_sale(cable, terminal, clock)
    transaction = await sale(terminal, clock, amount=990)
    await cable.take_request()
    await ended(transaction)
    with monkeypatch.context() as patch:
        patch.setattr(journal, "record", refuse)
        cable.say(ENQ)
        await cable.expect(ACK)
        cable.say(framed(reply(amount=990)))
        await asyncio.sleep(0.1)
        cable.say(EOT)
    await cable.bring(reply(amount=990))
    assert journal.get(transaction.uuid).state is State.APPROVED
    await terminal.close()


def refuse(*_):
    from hw_driver.journal import NotRecorded

    raise NotRecorded("the disk is full")


async def previous_sale(cable, terminal, clock):
    transaction = await sale(terminal, clock)
    await cable.take_request()
    await cable.bring(reply())
    await ended(transaction)


async def test_a_port_has_one_owner(cable, terminal, clock):
    """A second process gets a clear refusal."""
    owner = "import serial, sys; port = serial.Serial(sys.argv[1], exclusive=True); print('mine', flush=True); input()"
    await terminal.close()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", owner, cable.path, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert await process.stdout.readline() == b"mine\n"
    transaction = await sale(terminal, clock)
    assert (await outcome(transaction))[0] is State.FAILED
    assert terminal.describe()["link"]["state"] == "port_in_use"
    await process.communicate(b"\n")
    again = await sale(terminal, clock)
    await cable.take_request()
    await cable.bring(reply())
    assert (await outcome(again))[0] is State.APPROVED


async def test_no_such_port(journal, clock, tmp_path):
    terminal = runner(str(tmp_path / "ttyUSB9"), journal, clock)
    transaction = await sale(terminal, clock)
    assert (await outcome(transaction))[0] is State.FAILED
    assert "card-terminal ports" in terminal.describe()["link"]["text"]


async def test_a_cable_that_was_plugged_in_again_is_found(cable, journal, clock, tmp_path):
    """By its stable name, as udev gives it."""
    name = tmp_path / "usb-terminal"
    name.symlink_to(cable.path)
    terminal = runner(str(name), journal, clock)
    await terminal.recover()
    await previous_sale(cable, terminal, clock)
    cable.unplug()
    await asyncio.sleep(0.2)  # the port's thread notices
    async with Cable() as other:
        name.unlink()
        name.symlink_to(other.path)
        await previous_sale(other, terminal, clock)
    await terminal.close()
