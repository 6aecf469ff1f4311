"""Faults of the virtual ZVT terminal, any two of them at once, over TCP and on a cable; what it keeps of a payment."""

from itertools import combinations

import pytest

from hw_driver.protocols.machine import MalformedMessage, Request
from hw_driver.protocols.states import Kind
from hw_driver.protocols.zvt.apdu import Reader, build, is_answer
from hw_driver.protocols.zvt.commands import REPEAT
from hw_driver.protocols.zvt.line.frame import frame, unframe
from hw_driver.protocols.zvt.options import Options
from hw_driver.protocols.zvt.request import command, registration
from hw_driver.virtual.concert import Book, Write
from hw_driver.virtual.faults import Faults, faults_of
from hw_driver.virtual.zvt import VirtualZvt
from hw_driver.virtual.zvt_on_line import OnZvtLine
from hw_driver.virtual.zvt_talk import ZvtSettings

YES, NOT_SAFE = bytes.fromhex("800000"), bytes.fromhex("846600")
ACK, NAK = b"\x06", b"\x15"
RESULT, ABORT = b"\x04\x0f", b"\x06\x1e"


def sold(terminal, answer=YES, *, options=None, amount=1250):
    """Let a till sell that answers everything; return what the terminal said, and what it booked as charged."""
    options, said, charged, now = Options.of(options or {}), [], [], 0.0
    framed = isinstance(terminal, OnZvtLine)

    def carry_out(effects):
        for effect in effects:
            if isinstance(effect, Book) and effect.entry.outcome == "approved":
                charged.append(effect.entry.amount)
            if isinstance(effect, Write) and (data := b"".join(effect.chunks)):
                hear(data)

    def hear(data):
        try:
            message = unframe(data) if framed else data
            units = Reader().feed(message)
        except MalformedMessage:  # damaged, or an ACK
            carry_out(terminal.received(1, NAK, now) if framed and len(data) > 1 else ())
            return
        carry_out(terminal.received(1, ACK, now) if framed else ())
        for unit in units:
            said.append(build(unit.control, unit.data)[:2])
            if not is_answer(unit.control):
                say(answer if said[-1] == RESULT else YES)

    def say(data):
        carry_out(terminal.received(1, frame(data) if framed else data, now))

    say(registration(options, "EUR"))
    say(command(Request("u", Kind.SALE, amount, "EUR"), options))
    for _ in range(30):
        if (wake_at := terminal.wake_at) is not None:
            now = wake_at
            carry_out(terminal.tick(now))
    carry_out(terminal.gone(1, now))
    return said, charged


@pytest.mark.parametrize("on", [VirtualZvt, OnZvtLine])
def test_any_two_faults_at_once(on):
    known = faults_of({"zvt", "line"})
    terminal = VirtualZvt(ZvtSettings(auto="contactless"), Faults())
    assert sold(terminal if on is VirtualZvt else OnZvtLine(terminal))[1] == [1250]
    for pair in combinations(known, 2):
        faults = Faults()
        for name in pair:
            faults.arm(name, value=0 if name == "cut" else None)
        terminal = VirtualZvt(ZvtSettings(auto="contactless"), faults)
        said, charged = sold(terminal if on is VirtualZvt else OnZvtLine(terminal))
        assert said, pair
        assert len(charged) <= 1, pair


@pytest.mark.parametrize("keeps", [False, True])
def test_a_refused_result_is_taken_back(keeps):
    settings = ZvtSettings(auto="contactless", keeps_unacknowledged=keeps)
    said, charged = sold(VirtualZvt(settings, Faults()), NOT_SAFE)
    assert (said[-1], charged) == (ABORT, [])
    assert sold(VirtualZvt(settings, Faults()))[1] == [1250]


def test_damage_stays_on_the_wire():
    faults = Faults()
    faults.arm("corrupt")
    terminal = VirtualZvt(ZvtSettings(auto="contactless", keeps_unacknowledged=True), faults)
    said, charged = sold(terminal)
    assert charged == [1250]
    assert RESULT not in said
    repeated = terminal.received(2, build(REPEAT, bytes.fromhex("0000000303")), 500.0)
    assert [message[:2] for effect in repeated if isinstance(effect, Write) for message in effect.chunks][1] == RESULT


@pytest.mark.parametrize(("partial", "charged"), [(False, []), (True, [2500])])
def test_less_than_asked_only_where_the_till_knows_it(partial, charged):
    terminal = VirtualZvt(ZvtSettings(auto="voucher"), Faults())
    assert sold(terminal, options={"partial_approval": partial}, amount=4000)[1] == charged
