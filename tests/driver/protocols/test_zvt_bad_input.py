"""ZVT messages that are cut, unknown or wrong: read as far as they go, and named."""

import pytest

from hw_driver.protocols.machine import MalformedMessage
from hw_driver.protocols.zvt import apdu, messages, tlv
from hw_driver.protocols.zvt.messages import Taken, take
from hw_driver.protocols.zvt.values import TEXT


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ("061002 0000", "turnover_totals is cut"),
        ("040f01 22", "card_number has no length"),
        ("040f03 040000", "amount is cut"),
        ("040f02 22f1", "card_number has no length"),
        ("060202 0000", "log_off has nothing more"),
    ],
)
def test_a_message_that_is_cut_is_named(data, problem):
    unit = apdu.parse(bytes.fromhex(data))
    assert take(unit.control, unit.data).problem == problem
    with pytest.raises(MalformedMessage, match=problem):
        messages.decode(bytes.fromhex(data))


def test_a_message_that_nobody_knows_is_no_error_while_it_is_heard():
    assert take(0x0F0F, b"\x01") == Taken({}, [], b"\x01", "not a known message")


def test_a_status_report_whose_version_is_cut_has_its_first_byte_as_status():
    taken = take(0x060F, bytes.fromhex("f0f0f4"))
    assert taken.parts["status"] == b"\xf0"


@pytest.mark.parametrize("data", ["1f", "1f81", "2481", "2482ff", "240501"])
def test_objects_that_are_cut(data):
    with pytest.raises(ValueError, match=r"cut|length"):
        tlv.split(bytes.fromhex(data))
    assert tlv.lenient(bytes.fromhex(data)) == []


def test_a_tag_of_three_bytes():
    assert tlv.split(bytes.fromhex("df8101020102")) == [(0xDF8101, b"\x01\x02")]
    assert tlv.make(0xDF8101, b"\x01\x02").hex() == "df8101020102"


@pytest.mark.parametrize(
    "message",
    [
        {"message": "intermediate_status", "fields": {"code": 5}},
        {"message": "print_line", "fields": {"attribute": "00", "text": 5}},
        {"message": "status_information", "fields": {"tlv": "1f"}},
        {"message": "status_information", "fields": {"track_2": "12"}},
        {"message": "status_information", "fields": {"card_number": 4}},
        {"message": "status_information", "fields": {"text": "日本"}},
    ],
)
def test_a_message_that_cannot_be_written(message):
    with pytest.raises(MalformedMessage):
        messages.encode(message)


def test_a_container_that_could_not_be_read_is_written_as_it_came():
    data = bytes.fromhex("061e066c06031f0101")
    assert messages.encode(messages.decode(data)) == data


def test_what_is_hidden_is_written_as_long_as_it_was():
    assert (
        messages.encode({"message": "status_information", "fields": {"track_2": "***"}}).hex() == "040f0623f0f32a2a2a"
    )


def test_texts_are_those_of_the_terminals_own_set():
    assert TEXT.decode(TEXT.encode("Grüß Gott")) == "Grüß Gott"
