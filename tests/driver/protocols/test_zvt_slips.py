"""Slips that a ZVT terminal sends: lines and blocks, in its character set; whose each slip is."""

import json
from pathlib import Path

import pytest

from hw_driver.protocols.zvt import apdu, messages, verdict
from hw_driver.protocols.zvt.line import LinkSettings
from hw_driver.protocols.zvt.slips import Slips
from hw_driver.protocols.zvt.values import text_of

VECTORS = {
    vector["name"]: bytes.fromhex(vector["hex"])
    for vector in json.loads((Path(__file__).parents[1] / "vectors" / "zvt.json").read_text(encoding="utf-8"))
}


def taken(message, **fields):
    unit = apdu.parse(messages.encode({"message": message, "fields": fields}))
    return messages.take(unit.control, unit.data)


def line(text, attribute="00", **more):
    return taken("print_line", attribute=attribute, **({"text": text} if text else {}), **more)


def block(*texts, whose=None, last="81"):
    objects = [{"tag": "1F07", "value": whose}] if whose else []
    parts = [part for text in texts for part in ({"tag": "09", "value": "00"}, {"tag": "07", "value": text})]
    parts += [{"tag": "09", "value": last}] if last else []
    return taken("print_block", tlv=[*objects, {"tag": "25", "value": parts}])


def slips(*lines, charset="cp437"):
    collected = Slips(charset)
    for one in lines:
        collected.line(one)
    return collected


def test_lines_until_the_last_one():
    collected = slips(
        line("Händlerbeleg"), line("", "ff", feed="02"), line("Summe", "02"), line("", "81"), line("rest")
    )
    assert collected.of("merchant") == "Händlerbeleg\n\n\n  Summe\n"
    assert collected.of("customer") == "rest\n"
    assert collected.all == "Händlerbeleg\n\n\n  Summe\n\nrest\n"


def test_a_line_in_the_middle_and_one_that_ends_with_text():
    collected = slips(line("EC", "40"), taken("print_line"), line("Ende", "81"))
    assert collected.of("customer") == f"{'EC'.center(24).rstrip()}\n\n Ende\n"


def test_the_shops_is_the_first_of_two_that_do_not_say_whose_they_are():
    collected = slips(line("eins"), line("", "81"), line("zwei"), line("", "81"))
    assert (collected.of("merchant"), collected.of("customer")) == ("eins\n", "zwei\n")
    third = slips(line("null"), line("", "81"), line("eins"), line("", "81"), line("zwei"))
    assert (third.of("merchant"), third.of("customer"), third.of("other")) == ("eins\n", "zwei\n", "null\n")


def test_empty_slips_are_none():
    assert slips(line("", "81"), line(" ", "81")).all == ""


def test_blocks_say_whose_they_are():
    collected = Slips("cp437")
    collected.block(block("für den Händler", whose="01", last=""))
    collected.block(block("zweite Hälfte", whose="01", last="ff"))
    collected.block(block("für den Kunden", whose="02", last=""))
    collected.block(block("Verwaltung", whose="03", last=""))
    assert collected.of("merchant") == "für den Händler\nzweite Hälfte\n"
    assert collected.of("customer") == "für den Kunden\n"
    assert collected.of("other") == "Verwaltung\n"


def test_the_captured_block():
    unit = apdu.parse(VECTORS["printblock_admin"])
    collected = Slips("cp437")
    collected.block(messages.take(unit.control, unit.data))
    assert "Abschluss" in collected.of("other")
    assert collected.of("customer") == ""


def test_blocks_with_blank_lines_and_without_attributes():
    collected = Slips("cp437")
    parts = [
        {"tag": "09", "value": "00"},
        {"tag": "09", "value": ""},
        {"tag": "07", "value": "a"},
        {"tag": "07", "value": "b"},
    ]
    collected.block(taken("print_block", tlv=[{"tag": "25", "value": [{"tag": "1F16", "value": "00"}, *parts]}]))
    collected.block(taken("print_block"))
    assert collected.of("customer") == "a\nb\n"


def test_card_numbers_on_slips_are_masked():
    assert "4761739001010010" not in slips(line("Nr. 4761739001010010")).all


@pytest.mark.parametrize(
    ("charset", "data"),
    [
        ("cp437", "84 81 e1"),
        ("iso-8859-1", "e4 fc df"),
        ("iso-8859-15", "e4 fc df"),
        ("utf-8", "c3a4 c3bc c39f"),
        ("7-bit", "7b 7d 7e"),
    ],
)
def test_umlauts_in_every_character_set(charset, data):
    assert text_of(bytes.fromhex(data), charset) == "äüß"


def test_text_that_is_not_of_its_character_set_costs_nothing():
    assert text_of(b"\xff", "utf-8") == "\ufffd"


def test_the_captured_payments_as_outcomes():
    unit = apdu.parse(VECTORS["status_payment_tlv_nfc"])
    said = verdict.evidence(messages.take(unit.control, unit.data), None, "cp437")
    assert said.pop("details") == {
        "trace": "000153",
        "turnover": "000153",
        "card_type": "46",
        "verification": "none",
        "text": "GEN.NR.:958520",
    }
    assert said == {
        "brand": "Maestro",
        "last4": "4281",
        "auth_code": "958520",
        "entry_mode": "contactless",
        "application": "MAESTRO",
        "aid": "a0000000043060",
        "contract": "100764992",
        "terminal_id": "29001006",
        "terminal_ref": "0153",
        "terminal_time": "04-16 19:23:36",
    }


def test_a_long_trace_takes_the_place_of_one_that_is_too_short():
    long = taken("status_information", result="00", trace="000000", tlv=[{"tag": "1F2B", "value": "0000123456"}])
    assert verdict.evidence(long, None, "cp437")["details"]["trace"] == "123456"


def test_settings_of_a_line_among_other_options():
    assert LinkSettings.of({"line_sends": 2, "password": "000000"}).line_sends == 2
