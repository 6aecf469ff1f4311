"""ZVT's messages and frames: every vector both ways, whole and in pieces; any message, any split; what is refused."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw_driver.protocols.machine import MalformedMessage
from hw_driver.protocols.zvt import apdu, fields, messages, tlv
from hw_driver.protocols.zvt.line.frame import FrameReader, crc, frame, unframe

VECTORS = {
    vector["name"]: vector
    for vector in json.loads((Path(__file__).parents[1] / "vectors" / "zvt.json").read_text(encoding="utf-8"))
}
FRAMED = [name for name, vector in VECTORS.items() if vector.get("serial")]
WELL_FORMED = [name for name, vector in VECTORS.items() if vector["wellformed"] and name not in FRAMED]
BAD = [name for name, vector in VECTORS.items() if not vector["wellformed"]]


def octets(name):
    return bytes.fromhex(VECTORS[name]["hex"])


def decoded(text):
    return messages.decode(bytes.fromhex(text))


def through_json(message):
    return json.loads(json.dumps(message))


@pytest.mark.parametrize("name", WELL_FORMED)
def test_a_vector_both_ways(name):
    message = messages.decode(octets(name))
    assert message["warnings"] == []
    assert messages.encode(through_json(message)) == octets(name)


@pytest.mark.parametrize("name", WELL_FORMED)
def test_a_vector_byte_by_byte(name):
    reader = apdu.Reader()
    units = [unit for byte in octets(name) for unit in reader.feed(bytes((byte,)))]
    assert units == [apdu.parse(octets(name))]
    assert reader.empty


@pytest.mark.parametrize("name", BAD)
def test_a_bad_vector_is_refused(name):
    with pytest.raises(MalformedMessage):
        messages.decode(octets(name))


@pytest.mark.parametrize("name", FRAMED)
def test_a_framed_vector_both_ways(name):
    unit = unframe(octets(name))
    assert messages.encode(through_json(messages.decode(unit))) == unit
    assert frame(unit) == octets(name)


def test_the_fields_of_a_payment():
    fields_of = messages.decode(octets("status_payment_tlv_nfc"))["fields"]
    tags = {part["tag"]: part["value"] for part in fields_of.pop("tlv")}
    assert tags["1F10"] == "00"
    assert tags["1F12"] == "02"
    assert tags["43"] == "a0000000043060"
    assert tags["24"] == [{"tag": "07", "name": "line", "value": "GEN.NR.:958520"}]
    assert fields_of == {
        "result": "00",
        "amount": "000000001880",
        "trace": "000153",
        "time": "192336",
        "date": "0416",
        "card_sequence": "0001",
        "status": "70",
        "card_number": "***************4281",
        "terminal_id": "29001006",
        "contract": "100764992      ",
        "authorisation": "958520\0\0",
        "text": "GEN.NR.:958520",
        "currency": "0978",
        "receipt": "0153",
        "turnover": "000153",
        "card_type": "2e",
        "card_name": "MAESTRO\0",
    }


@pytest.mark.parametrize(
    ("text", "message", "expected"),
    [
        ("060f01dc", "status_report", {"status": "dc"}),
        ("060f01f0", "status_report", {"status": "f0"}),
        ("060f0bf0f0f7322e31342e313500", "status_report", {"software": "2.14.15", "status": "00"}),
        ("060f0100", "status_report", {"status": "00"}),
        ("060f0227e0", "completion", {"result": "e0"}),
        ("060f00", "completion", {}),
        ("061e00", "abort", {}),
        ("061e036f0978", "abort", {"result": "6f", "currency_code": "0978"}),
        ("061e04b887ffff", "abort", {"result": "b8", "receipt": "ffff"}),
        ("841e017d", "negative_answer", {"error": "1e", "result": "7d"}),
        ("849d0704000000000500", "negative_answer", {"error": "9d", "amount": "000000000500"}),
        ("04ff020a05", "intermediate_status", {"code": "0a", "minutes": "05"}),
        ("06d109ff034106041f070101", "print_line", {"attribute": "ff", "feed": "03", "text": "A"}),
        ("06d10100", "print_line", {"attribute": "00"}),
        ("06d100", "print_line", {}),
        ("060200", "log_off", {}),
        ("06d0021234", "graphic_request", {"data": "1234"}),
        ("06d000", "graphic_request", {}),
        ("060f02dc00", "status_report", {"status": "dc", "rest": "00"}),
        ("060f01fa", "status_report", {"status": "fa"}),
    ],
)
def test_messages_without_field_numbers(text, message, expected):
    found = decoded(text)
    assert found["message"] == message
    assert {name: value for name, value in found["fields"].items() if name != "tlv"} == expected
    assert messages.encode(found).hex() == text


def test_the_long_length_of_a_short_message_is_kept():
    long = decoded("061eff01006c")
    assert long["extended_length"]
    assert messages.encode(long).hex() == "061eff01006c"


@pytest.mark.parametrize("container", ["068200082f8200041f108100", "0681022400", "0600"])
def test_lengths_in_a_container_stay_as_they_were(container):
    size = len(container) // 2 + 2
    text = f"040f{size:02x}2700{container}"
    assert messages.encode(through_json(decoded(text))).hex() == text


def test_what_stands_behind_an_unknown_field_is_kept_and_said():
    found = decoded("040f062700ff123456")
    assert found["fields"] == {"result": "00", "rest": "ff123456"}
    assert "ff is not a known field" in found["warnings"][0]
    assert messages.encode(found).hex() == "040f062700ff123456"


def test_a_field_that_comes_twice_is_kept_twice():
    found = decoded("040f0427002705")
    assert found["fields"] == {"result": "00", "result#1": "05"}
    assert messages.encode(found).hex() == "040f0427002705"


@pytest.mark.parametrize(
    "text",
    [
        "040f000605240307ff00",  # objects inside that are cut
        "040f0506032401ff",  # and one whose tag is cut
        "040f0060f0f0f1aa",  # totals of another size
        "040f0022f0f1fb",  # a card number that is none
    ],
)
def test_what_cannot_be_read_inside_is_shown_as_it_is(text):
    found = decoded(f"{text[:4]}{len(text) // 2 - 3:02x}{text[6:]}")
    assert found["warnings"]
    if "card_number" not in found["fields"]:
        assert messages.encode(through_json(found)).hex()[6:] == text[6:]


def test_a_value_that_does_not_fit_is_shown_as_it_is():
    found = decoded("040f0727000d0a0b2705")
    assert found["fields"]["date"] == {"hex": "0a0b"}
    assert messages.encode(found).hex() == "040f0727000d0a0b2705"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("040f22f0f84761739001010010", "packed, nothing hidden"),
        ("040f22f1f0eeee4761739001010010ff", "packed, and not as it should be"),
        ("040f3cf0f1f634373631373339303031303130303130", "as text"),
        ("040f23f0f84761739001010010", "track 2"),
        ("040f060a4c084761739001010010", "an identifier of the card"),
        ("040f060ac2084761739001010010", "in a tag of the maker's own"),
        ("040fff4761739001010010", "behind an unknown field"),
    ],
)
def test_card_numbers_do_not_get_through(text, where):
    found = decoded(f"{text[:4]}{len(text) // 2 - 2:02x}{text[4:]}")
    assert found["warnings"], where
    assert "47617390" not in json.dumps(found)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "04",
        "040f",
        "040f02",
        "040fff",
        "040fff01",
        "0600011234",  # the password is cut
        "040f0304",  # an amount is cut
        "040f0322f1",
        "040f0322fa00",
        "040f030683ff",
        "06020100",  # log-off has no data
        "067700",
        "0000003e56455231",  # another protocol (PO#33)
        "150369",  # another one (PO#42)
        "436a",
    ],
)
def test_what_is_no_message(text):
    with pytest.raises(MalformedMessage):
        messages.decode(bytes.fromhex(text))


@pytest.mark.parametrize(
    "message",
    [
        None,
        {},
        {"message": "completion"},
        {"message": "nonsense", "fields": {}},
        {"message": "completion", "fields": {"nonsense": "1"}},
        {"message": "completion", "fields": {"amount": "12"}},
        {"message": "completion", "fields": {"amount": 12}},
        {"message": "completion", "fields": {"amount": "00000000000A"}},
        {"message": "completion", "fields": {"result": 0}},
        {"message": "completion", "fields": {"result": "0"}},
        {"message": "completion", "fields": {"tlv": "1F10"}},
        {"message": "completion", "fields": {"tlv": [{"value": "00"}]}},
        {"message": "completion", "fields": {"tlv": [{"tag": "1F", "value": "00"}]}},
        {"message": "completion", "fields": {"tlv": {"objects": [], "length_bytes": 9}}},
        {"message": "status_information", "fields": {"card_number": 1}},
        {"message": "status_information", "fields": {"track_2": "1234"}},
        {"message": "status_information", "fields": {"text": 5}},
        {"message": "status_information", "fields": {"text": "a" * 1000}},
        {"message": "status_information", "fields": {"card_name": "\u4e2d"}},
        {"message": "status_information", "fields": {"totals": {"receipts": []}}},
        {"message": "status_information", "fields": {"totals": {"receipts": ["0000", "0000"], "groups": {}}}},
        {"message": "status_information", "fields": {"tlv": [{"tag": "24", "value": [1]}]}},
        {"message": "registration", "fields": {"config": "be"}},
        {"message": "registration", "fields": {"password": "12", "config": "be"}},
        {"message": "negative_answer", "fields": {}},
        {"message": "negative_answer", "fields": {"error": ""}},
        {"message": "negative_answer", "fields": {"error": "1e00"}},
        {"message": "log_off", "fields": {"amount": "000000000100"}},
        {"message": "send_file", "fields": {}},
    ],
)
def test_what_cannot_be_said(message):
    with pytest.raises(MalformedMessage):
        messages.encode(message)


def test_totals_of_an_end_of_day():
    data = "040f3d270060f0f5f302330234" + "00" * 14 + "02000000000958" + "00" * 28
    data = f"{data[:4]}{(len(data) - 6) // 2:02x}{data[6:]}"
    found = decoded(data)
    assert found["fields"]["totals"]["receipts"] == ["0233", "0234"]
    assert found["fields"]["totals"]["groups"]["Mastercard"] == [2, "000000000958"]
    assert messages.encode(through_json(found)).hex() == data


VALUES = st.lists(
    st.sampled_from([field for field in fields.FIELDS.values() if field.size > 0]).flatmap(
        lambda field: st.tuples(st.just(field.number), st.binary(min_size=field.size, max_size=field.size))
    )
    | st.tuples(st.sampled_from((0x4C, 0x3C, 0x8B)), st.binary(max_size=99)),
    max_size=8,
)
OBJECTS = st.recursive(
    st.tuples(st.sampled_from((0x07, 0x1F10, 0x43, 0x0A, 0x1FB101)), st.binary(max_size=200)),
    lambda inner: st.tuples(
        st.sampled_from((0x24, 0x2F, 0xE9, 0xFF40)),
        st.lists(inner, max_size=3).map(lambda parts: b"".join(object_of(*part) for part in parts)),
    ),
    max_leaves=5,
)


def object_of(tag, value):
    return tag.to_bytes((tag.bit_length() + 7) // 8, "big") + fields.length_bytes(len(value)) + value


@given(VALUES, st.lists(OBJECTS, max_size=4), st.sampled_from([0x040F, 0x060F, 0x0601, 0x8000]))
def test_any_message_is_read_and_written_alike(values, objects, control):
    content = b"".join(object_of(*part) for part in objects)
    numbers = [number for number, _ in values]
    if control == 0x060F and numbers[:1] and numbers[0] not in messages.COMPLETION_FIELDS:
        numbers, values = [], []
    data = apdu.build(control, fields.join([*values, (0x06, content)]))
    message = messages.decode(data)
    hidden = any("masked" in warning or "not shown" in warning for warning in message["warnings"])
    assert hidden or messages.encode(through_json(message)) == data


@given(st.lists(st.binary(max_size=600), min_size=1, max_size=5), st.data())
def test_any_split_of_the_stream_gives_the_same_units(contents, data):
    stream = b"".join(apdu.build(0x06D1, content) for content in contents)
    reader, units, at = apdu.Reader(), [], 0
    while at < len(stream):
        size = data.draw(st.integers(1, len(stream) - at))
        units += reader.feed(stream[at : at + size])
        at += size
    assert [unit.data for unit in units] == contents
    assert reader.empty


@given(st.binary(max_size=80))
def test_garbage_is_refused_or_read_and_nothing_else(data):
    try:
        message = messages.decode(data)
    except MalformedMessage:
        return
    assert json.dumps(message)


@given(st.binary(min_size=1, max_size=400), st.data())
def test_any_unit_through_a_frame_in_any_pieces(unit, data):
    stream, reader, at = frame(unit), FrameReader(), 2
    while not reader.ended:
        size = data.draw(st.integers(1, len(stream) - at))
        assert reader.feed(stream[at : at + size], 0) == size
        at += size
    assert (reader.unit, at) == (unit, len(stream))


def test_the_check_is_kermit():
    assert crc(b"123456789") == bytes.fromhex("8921")  # the catalogue's check value 2189, low byte first


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x06",
        b"\x10\x02",
        frame(b"abc")[:-1],
        frame(b"abc") + b"a",
        frame(b"abc")[:-1] + b"x",
        b"\x10\x02a\x10a\x10\x03aa",
        b"\x10\x02\x10\x03" + crc(b"\x03"),
    ],
)
def test_what_is_no_frame(data):
    with pytest.raises(MalformedMessage):
        unframe(data)


def test_what_no_frame_or_unit_can_hold():
    with pytest.raises(MalformedMessage):
        frame(b"")
    with pytest.raises(MalformedMessage):
        apdu.build(0x0601, bytes(0x10000))
    with pytest.raises(MalformedMessage):
        fields.length_bytes(0x10000)
    reader = FrameReader()
    reader.feed(bytes(70_000), 0)
    assert (reader.ended, reader.unit) == (True, None)


def test_a_frame_that_begins_inside_another_is_read():
    assert unframe(b"\x10\x02abc" + frame(b"def")) == b"def"


def test_objects_are_found_inside_containers_and_beside_them():
    inside = tlv.split(bytes.fromhex("2f041f100101"))
    beside = tlv.split(bytes.fromhex("1f100102"))
    assert tlv.find(inside, tlv.PAYMENT, tlv.VERIFICATION) == b"\x01"
    assert tlv.find(beside, tlv.PAYMENT, tlv.VERIFICATION) == b"\x02"
    assert tlv.find(beside, tlv.AID) is None
