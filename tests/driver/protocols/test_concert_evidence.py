"""What is kept of a reply: never a card number or an expiry, and everything else."""

import base64
import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw_driver.protocols.concert.tables import FIELDS
from hw_driver.protocols.concert.tlv import build, parse
from hw_driver.protocols.concert.verdict import judge
from hw_driver.protocols.states import Kind, State

ASKED = {"CZ": "0300", "CJ": "012345678901", "CA": "01", "CB": "2500", "CD": "0", "CE": "978"}
PAN = "4970101234567893"


def judged(**received):
    return judge(Kind.SALE, ASKED, parse(build({"CZ": "0300", **ASKED, "AE": "10", **received})))


def ticket(text):
    return base64.b64encode(text.encode("latin-1")).decode()


@pytest.mark.parametrize("tag", sorted({*FIELDS, "XX", "CQ"} - {"ZT"}))
@pytest.mark.parametrize("card", [PAN, "4970 1012 3456 7893", f";{PAN}=27122010000012345?"])
def test_a_card_number_in_any_field_is_masked(tag, card):
    kept = json.dumps(asdict(judged(**{tag: card})))
    assert "101234" not in kept.replace(" ", "")
    assert "2712" not in kept


@pytest.mark.parametrize("card", [PAN, "4970 1012 3456 7893", "49701012\n      34567893"])
def test_a_card_number_in_a_ticket_is_masked(card):
    outcome = judged(ZT={"CK": "100", "AK": ticket(f"CB\n{card}\nMONTANT 25,00 EUR\n")})
    assert "101234" not in "".join(outcome.receipt.split())
    assert outcome.receipt.endswith("7893\nMONTANT 25,00 EUR\n")


def test_expiry_phone_and_email_are_not_kept():
    kept = json.dumps(asdict(judged(AB="2712", AM="0611223344", AN="someone@example.org", BH="0611223344")))
    assert not any(word in kept for word in ("2712", "0611223344", "example.org"))


def test_what_is_no_card_number_is_kept_as_it_came():
    received = {
        "AC": "184117",
        "AI": "A0000000421010",
        "CG": "1234567",
        "CH": "00012-003-0004",
        "AP": "2026112014032",
        "AQ": "0340011504",
        "CF": "2026-11-20 order 17",
        "XX": "anything",
    }
    outcome = judged(**received)
    assert (outcome.auth_code, outcome.aid, outcome.contract) == ("184117", "A0000000421010", "1234567")
    assert (outcome.terminal_ref, outcome.terminal_time) == ("00012-003-0004", "2026112014032")
    assert outcome.serial == "0340011504"
    assert outcome.details["private_data"] == "2026-11-20 order 17"
    assert outcome.details["XX"] == "anything"


@pytest.mark.parametrize(
    ("received", "brand", "application", "entry_mode"),
    [
        ({"CC": "00B"}, "CB", "CB contactless", "contactless"),
        ({"CC": "002", "CI": "3"}, "American Express", "American Express contact", "magstripe"),
        ({"CC": "10E"}, "CONECS", "CONECS contactless", "contactless"),
        ({"CC": "004"}, "Cetelem", "Cetelem", ""),
        ({"CC": "000", "CI": "2"}, "", "", "contactless"),
        ({"CC": "999"}, "", "", ""),
    ],
)
def test_brand_application_and_entry_mode(received, brand, application, entry_mode):
    outcome = judged(**received)
    assert (outcome.brand, outcome.application, outcome.entry_mode) == (brand, application, entry_mode)


def test_a_merchant_ticket_is_told_apart():
    outcome = judged(ZT={"CK": "110", "AK": ticket("SLIP")})
    assert (outcome.receipt, outcome.merchant_receipt) == ("", "SLIP")


SHOPS = "CARTE BANCAIRE\nMONTANT 25,00 EUR\n*** TICKET COMMERCANT ***\n    A CONSERVER\n"
CUSTOMERS = "CARTE BANCAIRE\nMONTANT 25,00 EUR\n   ticket  client\n\n***\nA CONSERVER\nMERCI\n"


@pytest.mark.parametrize(
    ("text", "customers", "shops"),
    [
        (SHOPS + CUSTOMERS, CUSTOMERS, SHOPS),
        (CUSTOMERS.removesuffix("MERCI\n") + SHOPS, CUSTOMERS.removesuffix("MERCI\n"), SHOPS),
        (SHOPS, SHOPS, SHOPS),
        (SHOPS + SHOPS, SHOPS + SHOPS, SHOPS + SHOPS),
        (SHOPS + CUSTOMERS + SHOPS, SHOPS + CUSTOMERS + SHOPS, SHOPS + CUSTOMERS + SHOPS),
        ("no word of whose", "no word of whose", "no word of whose"),
    ],
)
def test_two_slips_in_one_text(text, customers, shops):
    outcome = judged(ZT={"CK": "120", "AK": ticket(text)})
    assert (outcome.receipt, outcome.merchant_receipt) == (customers, shops)


def test_two_slips_hold_no_card_number():
    outcome = judged(ZT={"CK": "120", "AK": ticket(f"{PAN}\n{SHOPS}{PAN}\n{CUSTOMERS}")})
    assert "101234" not in outcome.receipt + outcome.merchant_receipt
    assert outcome.receipt.startswith("************7893") or "7893" in outcome.receipt


def test_a_ticket_that_is_not_base64_is_kept_as_text():
    assert judged(ZT={"AK": "not base64!"}).receipt == "not base64!"


def test_success_under_immediate_reply_is_no_payment():
    received = parse(build({**ASKED, "AE": "10"}))
    assert judge(Kind.SALE, {**ASKED, "BA": "1"}, received).state is State.UNKNOWN
    assert judge(Kind.SALE, {**ASKED, "BA": "0"}, received).state is State.APPROVED


def test_a_virtual_terminal_says_so():
    assert judged(VT="1").virtual
    assert not judged().virtual


values = st.text(st.characters(max_codepoint=127), min_size=1, max_size=20)
tags = st.one_of(st.sampled_from(sorted(FIELDS)), st.from_regex("[A-Y][A-Z]", fullmatch=True)).filter(
    lambda t: t != "ZT"
)


@given(st.dictionaries(tags, values, max_size=6), st.dictionaries(tags, values, min_size=1, max_size=3))
def test_any_well_formed_reply_gets_a_verdict_that_json_can_hold(received, inside):
    outcome = judged(**received, ZT=inside)
    assert json.loads(json.dumps(asdict(outcome)))["state"] == outcome.state
    assert (outcome.amount_approved is not None) == (outcome.state is State.APPROVED)


def test_constructed_fields_in_one_another_end():
    value = "CK003100"
    while len(value) + 5 <= 999:
        value = f"ZT{len(value):03d}{value}"
    assert judge(Kind.SALE, ASKED, parse(f"CZ0040300AE00201AF00204{value}".encode())).state is State.DECLINED
