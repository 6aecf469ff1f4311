"""The TLV grammar and the messages beyond the vectors."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw_driver.protocols.concert import PROTOCOLS
from hw_driver.protocols.concert.tlv import MAX_BYTES, Reader, build, parse
from hw_driver.protocols.machine import MalformedMessage

concert_v3 = PROTOCOLS[0]

tags = st.from_regex(r"[A-Y][A-Z]", fullmatch=True).filter(lambda tag: tag not in ("CZ", "ZT"))
values = st.text(st.characters(max_codepoint=127), min_size=1, max_size=30)
messages = st.dictionaries(tags, values, max_size=8).map(lambda fields: {"CZ": "0300", **fields})


@given(messages, st.lists(st.integers(1, 40), max_size=30))
def test_any_message_survives_any_split(fields, cuts):
    data = build(fields)
    reader = Reader()
    for cut in cuts:
        reader.feed(data[:cut])
        data = data[cut:]
    reader.feed(data)
    assert reader.whole
    assert list(reader.fields.items()) == list(fields.items())


@given(st.binary(max_size=60))
def test_any_bytes_are_a_message_or_refused(data):
    try:
        decoded = concert_v3.decode(data)
    except MalformedMessage:
        return
    assert concert_v3.encode(decoded) == data


@given(messages, st.data())
def test_every_cut_is_refused(fields, data):
    whole = build(fields)
    ends = {len(build(dict(list(fields.items())[:count]))) for count in range(1, len(fields) + 1)}
    cut = data.draw(st.integers(0, len(whole) - 1).filter(lambda at: at not in ends))
    with pytest.raises(MalformedMessage):
        parse(whole[:cut])


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"CZ0040300CD0010CD0010", "CD comes twice"),
        (b"CD0010CZ0040300", "begins with CD"),
        (b"CZ0040300CD000", "length 000"),
        (b"CZ0040300cd0010", "field 2"),
        (b"CZ0040300CD0010\r\n", "field 3"),
        (b"CZ0040300CF002\xe9\xe9", "CF is not ASCII"),
        (b"CZ0040300ZT008CK00310", "middle of a field"),
        (b"CZ0040300ZT016CK003100CK003100", "CK comes twice"),
        (b"CZ0040300" + b"".join(b"%c%c999" % (65 + i // 26, 65 + i % 26) + b"x" * 999 for i in range(66)), "longer"),
    ],
)
def test_strict_grammar(data, why):
    with pytest.raises(MalformedMessage, match=why):
        parse(data)


def test_the_limit_is_64_kib():
    assert MAX_BYTES == 65536


def test_version_goes_first_whatever_the_order_given():
    assert concert_v3.encode({"fields": {"CD": "0", "CZ": "0300", "CA": "01"}}) == b"CZ0040300CD0010CA00201"


def test_values_are_never_trimmed():
    data = b"CZ0040300CF004 a \nCH003  x"
    assert concert_v3.decode(data)["fields"] == {"CZ": "0300", "CF": " a \n", "CH": "  x"}
    assert concert_v3.encode(concert_v3.decode(data)) == data


def test_a_ticket_is_an_object_of_fields():
    ticket = base64.b64encode("Carte bancaire\nÀ conserver\n".encode("latin-1")).decode()
    data = build({"CZ": "0320", "AE": "10", "ZT": {"CK": "100", "AK": ticket}})
    decoded = concert_v3.decode(data)
    assert decoded["fields"]["ZT"] == {"CK": "100", "AK": ticket}
    assert concert_v3.encode(json.loads(json.dumps(decoded))) == data


def test_unknown_tags_are_kept_with_a_warning():
    decoded = concert_v3.decode(b"CZ0040300CD001ICQ003abc")
    assert decoded["fields"]["CQ"] == "abc"
    assert decoded["warnings"] == ["CQ is not a known tag"]


def test_odd_lengths_are_told():
    assert concert_v3.decode(b"CZ0040300CE00297")["warnings"] == [
        "CE (currency) does not have the length or the characters it should"
    ]


def test_a_full_card_number_is_masked_also_inside_a_ticket():
    ticket = base64.b64encode(b"CB 4970 1012 3456 7893\n").decode()
    decoded = concert_v3.decode(build({"CZ": "0300", "AE": "10", "AA": "4970101234567893", "ZT": {"AK": ticket}}))
    assert decoded["fields"]["AA"] == "************7893"
    assert base64.b64decode(decoded["fields"]["ZT"]["AK"]) == b"CB **** **** **** 7893\n"
    assert len(decoded["warnings"]) == 2


@pytest.mark.parametrize("tag", ["AA", "AK", "CF", "CH", "XX"])
def test_a_full_card_number_is_masked_in_any_field(tag):
    decoded = concert_v3.decode(build({"CZ": "0300", tag: "4970101234567893"}))
    assert decoded["fields"][tag] == "************7893"
