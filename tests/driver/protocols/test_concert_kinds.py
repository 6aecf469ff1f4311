"""What CONCERT can do besides a card sale: its bytes, its rule for "done", and what a terminal lacks."""

import pytest

from hw_driver.protocols.concert import PROTOCOLS as CONCERT
from hw_driver.protocols.concert import means
from hw_driver.protocols.concert.tlv import build
from hw_driver.protocols.machine import InvalidRequest, Persist, Progress, Request, Result, Send, StartTimer
from hw_driver.protocols.registry import PROTOCOLS
from hw_driver.protocols.states import KEPT_KINDS, Kind, State

V3, SERIAL, V2 = (PROTOCOLS[name] for name in ("concert-v3", "concert-v3-serial", "concert-v2"))
UUID = "0b6f6c4e-2d0a-4b1c-9a53-0f6a8f1d2c33"
HEAD = "CZ0040300CJ012012345678901CA00201"


def request(kind=Kind.SALE, amount=2500, currency="EUR", **other):
    return Request(UUID, kind, amount, currency, **other)


def errand(kind):
    return Request(UUID, kind)


def asked(asking, **options):
    machine = V3.machine({"drain": 0, **options})
    machine.start(asking)
    return machine, machine.connected()


def sent(asking, **options):
    return next(effect.data.decode() for effect in asked(asking, **options)[1] if isinstance(effect, Send))


def ended(effects):
    (outcome,) = [effect.outcome for effect in effects if isinstance(effect, Result)]
    return outcome


def answered(asking, reply, **options):
    return ended(asked(asking, **options)[0].receive(build({"CZ": "0300", "CA": "01", **reply})))


# -- the bytes


@pytest.mark.parametrize(
    ("asking", "options", "expected"),
    [
        (request(Kind.REVERSAL), {}, "CB0042500CD0012CE003978"),
        (request(Kind.PREAUTH), {}, "CB0042500CD0014CE003978"),
        (errand(Kind.SETTLEMENT), {"tickets": True, "private_data": "X"}, "CD001B"),
        (errand(Kind.REPRINT), {}, "CB00201CD0013CE003978"),
        (errand(Kind.REPRINT), {"tickets": True}, "CB00201CD0013CE003978CK003100"),
        (errand(Kind.IDENTIFY), {"tickets": True, "order_tag": "CH", "authorise": True}, "CD001I"),
        (request(), {"tickets": True, "ticket_copies": "merchant"}, "CB0042500CD0010CE003978CK003110"),
        (request(), {"tickets": True, "ticket_copies": "both"}, "CB0042500CD0010CE003978CK003120"),
        (request(), {"ticket_copies": "both"}, "CB0042500CD0010CE003978"),
        (request(means="cheque"), {}, "CB0042500CD0010CE003978CC00300C"),
        (request(means="conecs"), {}, "CB0042500CD0010CE003978CC00300E"),
        (request(Kind.REVERSAL, means="amex"), {}, "CB0042500CD0012CE003978CC003002"),
        (request(), {"authorise": True}, "CB0042500CD0010CE003978BB0011"),
        (request(reference="Order 17 é"), {"order_tag": "CH"}, "CB0042500CD0010CE003978CH009Order 17 "),
        (request(reference="A" * 120), {"order_tag": "CF"}, "CB0042500CD0010CE003978CF099" + "A" * 99),
        (request(), {"order_tag": "CH"}, "CB0042500CD0010CE003978"),
        (request(), {"private_data": "SHOP 9"}, "CB0042500CD0010CE003978CF006SHOP 9"),
        (
            request(reference="17"),
            {"reference_tag": "CF", "order_tag": "CH"},
            "CB0042500CD0010CE003978CF0320b6f6c4e2d0a4b1c9a530f6a8f1d2c33CH00217",
        ),
        (
            request(receipt={"email": "marie@shop.example", "phone": "+33612345678"}),
            {},
            "CB0042500CD0010CE003978BH012+33612345678BI018marie@shop.example",
        ),
    ],
)
def test_requests_on_the_wire(asking, options, expected):
    assert sent(asking, **options) == HEAD + expected


@pytest.mark.parametrize("word", means.V3)
def test_every_means_of_v3_is_an_application(word):
    assert word in V3.means
    tail = f"CC003{means.V3[word]}" if means.V3[word] else ""
    assert sent(request(means=word)) == f"{HEAD}CB0042500CD0010CE003978{tail}"


@pytest.mark.parametrize("word", means.V2)
def test_every_means_of_v2_is_a_mode(word):
    assert word in V2.means
    machine = V2.machine({"means": "5"})
    machine.start(request(means=word))
    (message,) = [effect.data.decode() for effect in machine.connected() if isinstance(effect, Send)]
    assert message[11] == (means.V2[word] or "5"), "5: what the terminal's option says"


def test_the_same_over_a_cable():
    machine = SERIAL.machine({})
    machine.start(errand(Kind.SETTLEMENT))
    assert Send((HEAD + "CD001B").encode()) in machine.connected()


@pytest.mark.parametrize(
    ("asking", "code"),
    [
        (request(means="seashells"), "not_supported"),
        (request(means="moneo"), "not_supported"),
        (request(Kind.REFUND, means="cheque"), "not_supported"),
        (request(forced="123456"), "not_supported"),
        (request(Kind.REVERSAL, original={"kind": Kind.PREAUTH}), "not_supported"),
        (request(Kind.COMPLETION), "bad_kind"),
        (request(Kind.REVERSAL, amount=0), "bad_amount"),
        (request(receipt={"phone": "12"}), "malformed"),
        (request(receipt={"email": "a@b"}), "malformed"),
    ],
)
def test_what_cannot_be_said_never_leaves(asking, code):
    outcome = ended(V3.machine({}).start(asking))
    assert (outcome.state, outcome.code) == (State.FAILED, code)


@pytest.mark.parametrize(
    ("asking", "code"),
    [
        (request(means="conecs"), "not_supported"),
        (request(Kind.REFUND, means="cheque"), "not_supported"),
        (request(forced="123456"), "not_supported"),
        (request(Kind.REVERSAL, original={"kind": Kind.PREAUTH}), "not_supported"),
        (errand(Kind.SETTLEMENT), "bad_kind"),
        (request(Kind.COMPLETION), "bad_kind"),
    ],
)
def test_what_v2_cannot_say_never_leaves(asking, code):
    outcome = ended(V2.machine({}).start(asking))
    assert (outcome.state, outcome.code) == (State.FAILED, code)


# -- the rule for "done"


def echo(action, **changes):
    return {"CB": "2500", "CD": action, "CE": "978", "AE": "10", **changes}


@pytest.mark.parametrize(
    ("reply", "state", "code"),
    [
        (echo("2"), State.APPROVED, "approved"),
        (echo("2", CB="000000002500"), State.APPROVED, "approved"),
        (echo("2", CB="2400"), State.UNKNOWN, "amount_below"),
        (echo("2", CB="2600"), State.UNKNOWN, "amount_above"),
        (echo("2", CB="0"), State.UNKNOWN, "amount_zero"),
        (echo("0"), State.UNKNOWN, "reply_mismatch"),
        (echo("2", AE="01", AF="11"), State.CANCELLED, "operator_abort"),
        (echo("2", AE="01", AF="12"), State.FAILED, "not_supported"),
    ],
)
def test_a_reversal_is_the_whole_payment_or_not_known(reply, state, code):
    outcome = answered(request(Kind.REVERSAL), reply)
    assert (outcome.state, outcome.code) == (state, code)


def v2_reply(status="0", amount=1250, means="1", card=""):
    return f"01{status}{amount:08d}{means}{card:55}978          ".encode()


def v2_answered(asking, data, **options):
    machine = V2.machine(options)
    machine.start(asking)
    machine.connected()
    assert machine.connected() == [], "a line opens once"
    return ended(machine.receive(data))


def test_a_reversal_of_v2_is_the_whole_payment_or_not_known():
    back = request(Kind.REVERSAL, 1250)
    whole, part = v2_answered(back, v2_reply()), v2_answered(back, v2_reply(amount=1000))
    assert (whole.state, whole.amount_approved) == (State.APPROVED, 1250)
    assert (part.state, part.code) == (State.UNKNOWN, "amount_below")
    assert v2_answered(request(Kind.PREAUTH, 1250), v2_reply(amount=1000)).code == "partial"


def test_a_cheque_of_v2_keeps_its_line_and_no_card():
    line = "0000023 012345678901 012345678901"
    outcome = v2_answered(request(amount=1250, means="cheque"), v2_reply(means="C", card=line))
    assert (outcome.brand, outcome.last4) == ("Cheque", "")
    assert outcome.details["cheque_line"].startswith("0000023 "), "what looks like a card number in it is masked"
    assert "cheque_line" not in v2_answered(request(amount=1250), v2_reply(card="4970101234567893")).details
    short = b"01000001250C978          "
    assert "cheque_line" not in v2_answered(request(amount=1250, means="cheque"), short).details


def test_a_held_amount_may_be_lower():
    outcome = answered(request(Kind.PREAUTH), echo("4", CB="1000"))
    assert (outcome.state, outcome.code, outcome.amount_approved) == (State.APPROVED, "partial", 1000)


@pytest.mark.parametrize(
    ("reply", "state", "code"),
    [
        ({"CD": "B", "AE": "10"}, State.APPROVED, "settled"),
        ({"CD": "B", "AE": "10", "AF": "01"}, State.APPROVED, "settled"),
        ({"AE": "10"}, State.FAILED, "reply_incomplete"),
        ({"CD": "I", "AE": "10"}, State.FAILED, "reply_mismatch"),
        ({"CD": "B", "AE": "10", "BA": "1"}, State.FAILED, "not_a_result"),
        ({"CD": "B", "AE": "11"}, State.FAILED, "not_a_result"),
        ({"CD": "B", "AE": "01"}, State.FAILED, "terminal_busy"),
        ({"CD": "B", "AE": "01", "AF": "12"}, State.FAILED, "not_supported"),
        ({"CD": "B", "AE": "01", "AF": "07"}, State.DECLINED, "not_completed"),
    ],
)
def test_a_settlement(reply, state, code):
    outcome = answered(errand(Kind.SETTLEMENT), reply)
    assert (outcome.state, outcome.code, outcome.amount_approved) == (state, code, None)
    assert outcome.totals is None


def test_what_a_settlement_prints_is_the_shops():
    for asked_for in ("100", "110"):
        ticket = {"CK": asked_for, "AK": "VEVMRUNPTExFQ1RF"}
        outcome = answered(errand(Kind.SETTLEMENT), {"CD": "B", "AE": "10", "ZT": ticket})
        assert (outcome.receipt, outcome.merchant_receipt) == ("", "TELECOLLECTE")


@pytest.mark.parametrize(
    ("reply", "state", "code"),
    [
        ({"CD": "3", "AE": "10", "CB": "1250"}, State.APPROVED, "reprinted"),
        ({"CD": "0", "AE": "10"}, State.APPROVED, "reprinted"),
        ({"CD": "3", "AE": "01", "AF": "07"}, State.DECLINED, "no_copy"),
        ({"CD": "3", "AE": "01", "AF": "00"}, State.DECLINED, "no_copy"),
        ({"CD": "3", "AE": "01", "AF": "12"}, State.FAILED, "not_supported"),
        ({"CD": "3", "AE": "01"}, State.FAILED, "terminal_busy"),
        ({"CD": "3", "AE": "10", "AF": "04"}, State.FAILED, "reply_contradictory"),
    ],
)
def test_a_copy_of_the_last_slip(reply, state, code):
    outcome = answered(errand(Kind.REPRINT), reply)
    assert (outcome.state, outcome.code, outcome.amount_approved) == (state, code, None)


@pytest.mark.parametrize("kind", sorted(KEPT_KINDS))
@pytest.mark.parametrize(
    "happens",
    [
        lambda machine: machine.timer("answer"),
        lambda machine: machine.lost("closed"),
        lambda machine: machine.receive(b"CZ0"),
        lambda machine: machine.receive(b"rubbish"),
    ],
    ids=["silence", "cut", "half", "rubbish"],
)
def test_an_errand_in_doubt_is_never_unknown_and_says_where_to_look(kind, happens):
    machine, effects = asked(errand(kind))
    assert Persist(State.SENT) in effects, "it is journalled before it leaves"
    outcome = ended(happens(machine) or machine.timer("answer"))
    assert outcome.state is State.FAILED
    assert "look at the terminal's slip" in outcome.text


def test_how_long_each_may_take():
    def limit(asking, **options):
        effects = asked(asking, **options)[1]
        waits = [effect.seconds for effect in effects if isinstance(effect, StartTimer)]
        shown = [effect.seconds_left for effect in effects if isinstance(effect, Progress)]
        return waits, shown

    assert limit(errand(Kind.SETTLEMENT)) == ([600], [600])
    assert limit(errand(Kind.SETTLEMENT), settlement_timeout=30.0) == ([30], [30])
    assert limit(errand(Kind.REPRINT)) == ([15], [15])
    assert limit(request(Kind.REVERSAL)) == ([180], [180])


def test_the_orders_number_that_comes_back_is_not_the_terminals():
    sale = request(reference="Order 17")
    told = answered(sale, echo("0", CH="Order 17"), order_tag="CH")
    assert (told.state, told.terminal_ref) == (State.APPROVED, "")
    assert answered(sale, echo("0", CH="T-99"), order_tag="CH").terminal_ref == "T-99"


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        ("04148HOLDER INVALID       ", "Declined by the bank. (HOLDER INVALID)"),
        ("0451SOLDE INSUFFISANT     0000", "Declined by the bank. (SOLDE INSUFFISANT)"),
        ("0451                           ", "Declined by the bank."),
        ("04", "Declined by the bank."),
    ],
)
def test_the_issuers_words(reason, text):
    reason = f"{reason:29.29}" if len(reason) > 2 else reason
    outcome = answered(request(), echo("0", AE="01", AF=reason))
    assert (outcome.state, outcome.code, outcome.text) == (State.DECLINED, "declined", text)


# -- what a terminal can do


@pytest.mark.parametrize(
    ("info", "options", "kinds"),
    [
        (V3, {}, {"sale", "refund", "reversal", "identify"}),
        (V3, {"refund": False, "reversal": False}, {"sale", "identify"}),
        (V3, {"duplicata": True, "settlement": True, "preauth": True}, set(V3.kinds)),
        (SERIAL, {"duplicata": True, "settlement": True, "preauth": True}, set(V3.kinds)),
        (V2, {}, {"sale", "refund", "reversal"}),
        (V2, {"reversal": False, "refund": False, "preauth": True}, {"sale", "preauth"}),
    ],
)
def test_kinds_follow_the_options(info, options, kinds):
    info.check(options)
    assert info.kinds_with(options) == kinds
    assert info.kinds_with(options) <= info.kinds


def test_means_and_slips_follow_the_options():
    assert V3.able({}).means == ("card",)
    assert V3.able({"accepts": "cheque amex cheque"}).means == ("cheque", "amex")
    assert V2.able({"accepts": "card moneo"}).means == ("card", "moneo")
    assert [V3.able({"version": version}).e_receipts for version in ("0300", "0310", "0320")] == [False, False, True]
    assert not V2.able({}).e_receipts


@pytest.mark.parametrize("info", CONCERT)
def test_only_known_means_can_be_accepted(info):
    for word in info.means:
        info.check({"accepts": f"card {word}"})
    for wrong in ("", "seashells", "card,cheque", "card  cheque", " card", 1):
        with pytest.raises(InvalidRequest, match="accepts must be"):
            info.check({"accepts": wrong})


@pytest.mark.parametrize(
    "options",
    [
        {"reference_tag": "CF", "order_tag": "CF"},
        {"reference_tag": "CF", "private_data": "x"},
        {"order_tag": "CF", "private_data": "x"},
    ],
)
def test_no_field_carries_two_things(options):
    with pytest.raises(InvalidRequest, match="one field"):
        V3.check(options)


def test_every_presets_means_and_kinds_exist():
    for info in CONCERT:
        for preset in info.presets:
            able = info.able(preset.options)
            assert able.kinds <= info.kinds
            assert set(able.means) <= set(info.means)
