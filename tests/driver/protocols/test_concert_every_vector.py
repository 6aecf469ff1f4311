"""Every published message of CONCERT in every version: through the codec, over the line in pieces, and as our own.

What is not sent by this till is named with the reason; nothing else may be missing.
"""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw_driver.protocols.concert import PROTOCOLS
from hw_driver.protocols.concert.line import EnqLink, LinkSettings, unframe
from hw_driver.protocols.concert.line.frame import ACK, ENQ, NAK
from hw_driver.protocols.concert.tlv import parse
from hw_driver.protocols.concert.v2.messages import build
from hw_driver.protocols.concert.v2.tables import REQUEST
from hw_driver.protocols.link import Received
from hw_driver.protocols.machine import MalformedMessage, Request, Result, Send
from hw_driver.protocols.states import Kind, State

VECTORS = {
    vector["name"]: vector
    for vector in json.loads((Path(__file__).parents[1] / "vectors" / "concert.json").read_text())
}
#: The protocol of each version that the vectors name.
VERSIONS = {
    "V2": "concert-v2", "V2E": "concert-v2", "V2E+": "concert-v2", "V3": "concert-v3", "V3/serial": "concert-v3-serial",
}  # fmt: skip
INFOS = {info.name: info for info in PROTOCOLS}
UUID = "5d7a0b6e-0000-4000-8000-000000000001"
AT_ONCE = LinkSettings(line_turnaround=0)

GOOD = [name for name, vector in VECTORS.items() if vector["valid"]]
BAD = [name for name, vector in VECTORS.items() if not vector["valid"]]
FRAMED = [name for name, vector in VECTORS.items() if vector["hex"].startswith("02")]
GOOD_REPLIES = [name for name in GOOD if VECTORS[name]["direction"] == "terminal->till"]
REQUESTS = [name for name in GOOD if VECTORS[name]["direction"] == "till->terminal"]

HP, AK = {"ipc": "247300123456"}, {}
ZEROS = {"private": "zeros"}
#: What this till sends as it stands in the vector: the kind, amount in cents, means of payment, and the options.
SENT: dict[str, tuple[Kind, int, str, dict[str, object]]] = {
    "v2ep_debit_1250_ind1": (Kind.SALE, 1250, "card", {}),
    "v2ep_debit_1250_ind0": (Kind.SALE, 1250, "card", {"card": False}),
    "v2ep_credit_500_forced": (Kind.REFUND, 500, "card", {"forced": True}),
    "v2ep_cancel_500": (Kind.REVERSAL, 500, "card", {}),
    "v2ep_debit_1250_privzero": (Kind.SALE, 1250, "card", ZEROS),
    "v2ep_cheque_1250_privzero": (Kind.SALE, 1250, "cheque", ZEROS),
    "v2e_debit_1250": (Kind.SALE, 1250, "card", {"dialect": "E", **ZEROS}),
    "v2e_cheque_1250": (Kind.SALE, 1250, "cheque", {"dialect": "E", **ZEROS}),
    "v2ep_lrc_is_06_amount_001": (Kind.SALE, 1, "card", {}),
    "v2ep_lrc_is_04_amount_003": (Kind.SALE, 3, "card", {}),
    "v2ep_lrc_is_02_amount_005": (Kind.SALE, 5, "card", {}),
    "v3_hp_debit_12345": (Kind.SALE, 12345, "card", HP),
    "v3_doc_debit_2500": (Kind.SALE, 2500, "card", HP),
    "v3_ident_req": (Kind.IDENTIFY, 0, "card", {}),
    "v3_px_debit_2500": (
        Kind.SALE, 2500, "card", {"version": "0320", "ipc": "323540032810", "register": "1", "register_length": 1},
    ),
}  # fmt: skip
#: Sent with the same fields but in another order, which the protocol leaves free behind CZ (concert.md 2.3): a reason,
#: and the fields that this till leaves out.
ORDERED: dict[str, tuple[Kind, int, str, dict[str, object], set[str]]] = {
    "v3_ak_debit_2500": (Kind.SALE, 2500, "card", AK, {"BA"}),
    "v3_ak_credit_500": (Kind.REFUND, 500, "card", AK, {"BA"}),
    "v3_ak_cheque_1250": (Kind.SALE, 1250, "cheque", AK, {"BA"}),
    "v3_ak_debit_005": (Kind.SALE, 5, "card", AK, {"BA"}),
    "v3ser_debit_1250": (Kind.SALE, 1250, "cb", {"ipc": "345351663588"}, set()),
}
#: Never sent by this till, and why; each is read all the same.
NOT_SENT = {
    "v2ep_debit_1250_immediate": "A011 is answered at once and without a result (concert.md 1.7): no payment",
    "v2ep_cheque_1250_immediate": "the same with a cheque",
    "v3_duplicata_hp_style": "asked only about a lost payment: tests/driver/protocols/test_concert_question.py",
}


def info_of(name):
    return INFOS[VERSIONS[VECTORS[name]["version"]]]


def the_bytes(name):
    return bytes.fromhex(VECTORS[name]["hex"])


def test_nothing_is_left_out():
    assert {vector["version"] for vector in VECTORS.values()} == set(VERSIONS)
    assert set(REQUESTS) == {*SENT, *ORDERED, *NOT_SENT}
    assert len(set(REQUESTS)) == len(SENT) + len(ORDERED) + len(NOT_SENT)
    assert {*GOOD, *BAD} == set(VECTORS)


@pytest.mark.parametrize("name", GOOD)
def test_a_good_one_is_read_and_built_again(name):
    decoded = info_of(name).decode(the_bytes(name))
    masked = [warning for warning in decoded["warnings"] if "masked" in warning]
    assert masked or info_of(name).encode(decoded) == the_bytes(name)
    assert bool(masked) == (name in ("v2_rsp_ok_full", "v2_rsp_refused_full"))  # they hold a whole card number


@pytest.mark.parametrize("name", BAD)
def test_a_bad_one_is_refused(name):
    with pytest.raises(MalformedMessage):
        info_of(name).decode(the_bytes(name))


@pytest.mark.parametrize("name", GOOD)
def test_of_a_part_nothing_is_read(name):
    """Cut anywhere, a message is not one, except where a whole shorter one stands: fields of V3 have no end mark."""
    data = the_bytes(name)
    for end in range(len(data)):
        try:
            info_of(name).decode(data[:end])
        except MalformedMessage:
            continue
        assert VECTORS[name]["version"] == "V3"
        assert parse(data[:end]).items() < parse(data).items()


def listening():
    link = EnqLink(AT_ONCE)
    link.receive(bytes((ENQ,)))
    return link


@pytest.mark.parametrize("name", FRAMED)
@pytest.mark.parametrize("step", [1, 2, 7, 1000])
def test_over_the_line_in_pieces(name, step):
    """A good frame is heard once; the bad one is answered with NAK, and its repeat, good now, is heard."""
    link, data = listening(), the_bytes(name)
    effects = [effect for at in range(0, len(data), step) for effect in link.receive(data[at : at + step])]
    heard = [effect.message for effect in effects if isinstance(effect, Received)]
    written = b"".join(effect.data for effect in effects if isinstance(effect, Send))
    if VECTORS[name]["valid"]:
        assert (heard, written) == ([data[1:-2]], b"")
        assert Send(bytes((ACK,))) in link.acknowledge()
    else:
        assert (heard, written) == ([], bytes((NAK,)))
        good = data[:-1] + bytes((data[-1] ^ 1,))
        assert Received(unframe(good)) in link.receive(good)


def asked(name, kind, amount, means, options):
    info = info_of(name)
    machine = info.machine(options)
    machine.start(Request(UUID, kind, amount, "EUR" if amount else "", means=means))
    (message,) = [effect.data for effect in machine.connected() if isinstance(effect, Send)]
    if not info.link:
        return message
    link = info.link(options | {"line_turnaround": 0})
    link.open()
    link.receive(bytes((ACK,)))
    return b"".join(effect.data for effect in link.send(message) if isinstance(effect, Send))


@pytest.mark.parametrize("name", SENT)
def test_this_till_sends_the_same_bytes(name):
    assert asked(name, *SENT[name]) == the_bytes(name)


@pytest.mark.parametrize("name", ORDERED)
def test_this_till_sends_the_same_fields(name):
    *words, without = ORDERED[name]
    theirs = info_of(name).decode(the_bytes(name))["fields"]
    assert info_of(name).decode(asked(name, *words))["fields"] == {
        tag: value for tag, value in theirs.items() if tag not in without
    }


@pytest.mark.parametrize("name", GOOD_REPLIES)
@pytest.mark.parametrize("step", [1, 1000])
def test_what_is_expected_of_a_reply_comes_true(name, step):
    """The vectors say of each reply whether it is a payment."""
    info, data = info_of(name), the_bytes(name)
    amount = int(info.decode(data)["fields"].get("amount") or info.decode(data)["fields"].get("CB") or 1250)
    machine = info.machine({})
    machine.start(Request(UUID, Kind.SALE, amount, "EUR"))
    effects = machine.connected()
    if info.link:
        link = listening()
        heard = [effect for at in range(0, len(data), step) for effect in link.receive(data[at : at + step])]
        for effect in heard:
            if isinstance(effect, Received):
                effects += machine.receive(effect.message)
    else:
        for at in range(0, len(data), step):
            effects += machine.receive(data[at : at + step])
        effects += machine.lost("closed")
    (outcome,) = [effect.outcome for effect in effects if isinstance(effect, Result)]
    paid = VECTORS[name]["expect"] == "paid"
    assert (outcome.state is State.APPROVED) == paid
    assert outcome.amount_approved == (amount if paid else None)


PARTS = [part.name for part in REQUEST]
FIELDS = dict(zip(PARTS, ("01", "00001250", "1", "1", "0", "978", "0" * 10), strict=True))


@pytest.mark.parametrize(("left", "right"), list(pairwise(PARTS)))
def test_parts_too_long_and_too_short_do_not_make_up_for_each_other(left, right):
    assert build("request", FIELDS) == "".join(FIELDS.values()).encode()
    for moved in (
        {left: FIELDS[left] + FIELDS[right][0], right: FIELDS[right][1:]},
        {left: FIELDS[left][:-1], right: FIELDS[left][-1] + FIELDS[right]},
    ):
        with pytest.raises(MalformedMessage, match=f"^{left} must match"):
            build("request", FIELDS | moved)


@given(st.sampled_from(PARTS), st.text("0123456789A \x02\x03", max_size=11))
def test_a_request_is_built_only_of_parts_that_fit(name, value):
    fields = FIELDS | {name: value}
    fit = next(part for part in REQUEST if part.name == name).fits(value)
    try:
        message = build("request", fields)
    except MalformedMessage:
        assert not fit
    else:
        assert fit
        assert message == "".join(fields.values()).encode()
