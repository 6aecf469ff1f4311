"""No card number gets through, and what is no card number is left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw_driver.protocols.scrub import last_four, scrub, scrub_certain, scrub_reference


def with_check_digit(payload: str) -> str:
    total = sum(sum(divmod(int(d) * (2 if i % 2 == 0 else 1), 10)) for i, d in enumerate(reversed(payload)))
    return payload + str(-total % 10)


numbers = st.text("0123456789", min_size=11, max_size=18).filter(lambda n: n[0] in "23456").map(with_check_digit)
surroundings = st.sampled_from(["", "PAN", "PAN:", "Carte no ", "\n", "TICKET 12\n", "12,50 EUR\n", "(", "N/A "])
after = st.sampled_from(["", " EUR", "\nMONTANT 12,50", ")", ";", " 12/27", "x"])


@st.composite
def printed(draw):
    """A card number cut into groups of two digits at least, with one kind of separator and line ends between them."""
    number = draw(numbers)
    separator = draw(st.sampled_from([" ", "-", ".", "  ", "\u00a0"]))
    text, rest = "", number
    while rest:
        size = draw(st.integers(2, 8))
        group, rest = rest[:size], rest[size:]
        text += group + (draw(st.sampled_from([separator, separator, "\n", "\r\n   "])) if rest else "")
    return number, text


def digits(text: str) -> str:
    return "".join(character for character in text if character.isdigit())


@given(numbers, surroundings, after)
def test_an_unbroken_number_keeps_its_last_four(number, before, behind):
    assert scrub(before + number + behind) == before + "*" * (len(number) - 4) + number[-4:] + behind


@given(st.text("0123456789", min_size=12, max_size=30))
def test_the_check_digit_of_an_unbroken_run_does_not_matter(run):
    assert scrub(f"no {run} end") == f"no {'*' * (len(run) - 4)}{run[-4:]} end"


@given(printed(), surroundings, after)
def test_a_number_in_groups_is_found(card, before, behind):
    number, text = card
    scrubbed = scrub(before + text + behind)
    assert len(scrubbed) == len(before + text + behind)
    assert digits(scrubbed[len(before) : len(before) + len(text)]) in number[-4:]
    assert number not in digits(scrubbed)


@given(st.text(st.characters(max_codepoint=255), max_size=120))
def test_scrubbing_twice_changes_nothing(text):
    once = scrub(text)
    assert scrub(once) == once


@pytest.mark.parametrize(
    "text",
    [
        "MONTANT : 123,45 EUR",
        "Le 19/12/2022 a 13:57:22",
        "20-11-2026 14:03:22",
        "NUM AUTO : 184117",
        "A0000000041010",
        "AID A0000000421010 CB",
        "D6C691E12B70AC40",
        "Tel 05 61 00 00 00",
        "************",
        "Order 00012-003-0004",
        "000123 0000045",
    ],
)
def test_amounts_dates_and_references_are_left_alone(text):
    assert scrub(text) == text


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("497010******1234", "**********1234".rjust(16, "*")),
        ("4970 10## #### 1234", "**** **## #### 1234"),
        ("4970XXXXXXXX1234", "****XXXXXXXX1234"),
        ("4970**1234", "******1234"),
        ("3782 822463 10005", "**** ****** *0005"),
        ("4111 1111 1111 1112", "**** **** **** 1112"),
        (";4970101234567893=27122010000012345?", "[track]"),
        ("%B4970101234567893^DOE/J^27122010000012345?", "[track]"),
        ("4970101234567893D27122010000012345", "[track]"),
    ],
)
def test_truncated_numbers_printed_groups_and_tracks(text, scrubbed):
    assert scrub(text) == scrubbed


def test_certain_and_reference_scrubbing_need_the_check_digit():
    assert scrub_certain("id 4970101234567893 1234567890123") == "id ************7893 1234567890123"
    assert scrub_reference("4970101234567893") == "************7893"
    assert scrub_reference("4970 1012 3456 7893") == "**** **** **** 7893"
    assert scrub_reference("4970101234567894 49701012 34567893") == "4970101234567894 49701012 34567893"
    assert scrub_reference("00012-003-0004") == "00012-003-0004"


def test_what_masking_shows_is_masked_as_well():
    text = "0421011 920421011 921 920421015 92"
    assert scrub_certain(text) == "******* ********* *** *****1015 92"


@given(st.lists(st.text("0123456789", min_size=1, max_size=9), max_size=8).map(" ".join))
def test_a_second_time_changes_nothing(text):
    for scrubber in (scrub, scrub_certain, scrub_reference):
        once = scrubber(text)
        assert scrubber(once) == once
        assert len(once) == len(text)


@pytest.mark.parametrize(
    ("pan", "last4"),
    [("596617######7903", "7903"), ("4970101234567893", "7893"), ("**** 1234", "1234"), ("tok_8fq2", ""), ("####", "")],
)
def test_last_four(pan, last4):
    assert last_four(pan) == last4


def test_what_stands_beside_a_truncated_number_stays():
    slip = "CONTRAT 0712345 C01\n************7306\n01 DEBIT"
    assert scrub(slip) == slip


def packed(number: str) -> str:
    """Return a number two digits to a byte, filled up in front or behind."""
    return bytes.fromhex(number if len(number) % 2 == 0 else f"{number}f").decode("latin-1")


@given(numbers, st.sampled_from([scrub, scrub_certain, scrub_reference]), surroundings, after)
def test_packed_digits_are_masked_whole(number, scrubber, before, behind):
    piece = packed(number)
    if any(character in piece for character in map(chr, [*range(9), *range(0x10, 0x20), *range(0x80, 0xA0)])):
        assert piece not in scrubber(f"{before}{piece}{behind}")


def test_words_are_no_packed_digits():
    text = "CARTE BANCAIRE\r\nA0000000421010\tMONTANT 12,50 EUR\nDEBIT caf\xe9 \xa4"
    assert scrub_certain(text) == text
    printable = packed(with_check_digit("497733223344556"))
    assert printable.isprintable()
    assert scrub(printable) == printable, "cannot be told from words"
