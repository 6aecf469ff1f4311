"""Card numbers never survive: whatever arrives as text passes here before anything else sees it.

What is kept of a number is its last four digits (PCI DSS would allow the first six as well; this product does not).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

_DIGITS = "0123456789"
MASK = "*"
PACKED_MASK = "\u00b7"  # never taken for a hidden digit
_DOUBLED = str.maketrans(_DIGITS, "0246813579")  # each digit twice, and of what has two digits their sum
_CARD_LENGTHS = range(12, 20)  # ISO/IEC 7812-1, and Maestro's twelve
#: How numbers are printed in groups: by fours, American Express, Diners.
_PRINTED = {(4, 4, 4), (4, 4, 5), (4, 6, 4), (4, 6, 5), (4, 4, 4, 4), *((4, 4, 4, 4, rest) for rest in (1, 2, 3))}

#: Tracks 1 and 2 (ISO/IEC 7813): number, separator, name or expiry, discretionary data. Nothing of it stays.
_long_number = re.compile(r"[0-9]{12}").search
_track = re.compile(r"[%;]?[A-Z]?[0-9]{12,19}(?:\^[^\r\n?]*|[=D][0-9]{4,})\??")
#: An EMV application identifier is printed on every slip; its digits are no card number (none begins with 00000).
_AID = r"(?<![0-9A-Za-z])A00000[0-9]{4}[0-9A-F]{0,22}(?![0-9A-Za-z])"
_digits = re.compile(rf"{_AID}|(?P<group>[0-9]+)")
_digits_and_stars = re.compile(rf"{_AID}|(?P<group>(?:[0-9*#\u2022]|[xX]{{4,}})+)")
_truncated = re.compile(r"[0-9]+[^0-9]{2,}[0-9]{4}")
#: What no text holds: where it stands, bytes have come that may be packed digits.
_unprintable = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
#: Digits two to a byte (BCD), the last half perhaps filled up; every beginning is looked at.
_packed = re.compile(r"(?=([\x00-\xff]{6,10}))", re.DOTALL)
_PACKED_SIZES = range(10, 5, -1)
_gap = re.compile(r"[ \t\u00a0\u202f.-]*(?:[\r\n]+[ \t\u00a0]*)?")

_Span = tuple[int, int]
_IsCard = Callable[[tuple[int, ...], str], bool]


def scrub(text: str) -> str:
    """Return `text` with every card number masked to its last four digits, truncated ones included.

    An unbroken run of 12 or more digits is taken for a card number, whatever its check digit. Groups of digits with
    blanks, dashes or line ends between them are, when they are grouped as on a card or their check digit is right.
    """
    return _until_settled(text, lambda text: _masked(_without_track(text), _digits_and_stars, _may_be_card))


def scrub_certain(text: str) -> str:
    """Return `text`, of the same length, masking only what is a full card number by length and check digit."""
    shortest = _CARD_LENGTHS.start
    if (len(text) < shortest or sum(map(text.count, _DIGITS)) < shortest) and not _unprintable.search(text):
        return text  # most texts hold too few digits
    return _until_settled(text, lambda text: _masked(_without_packed(text), _digits, _is_card))


def scrub_reference(text: str) -> str:
    """Return a reference as it is, but for what is printed like a card number and has its length and check digit."""
    return _until_settled(text, lambda text: _masked(_without_track(text), _digits, _is_printed_card))


def last_four(pan: str) -> str:
    """Return the last four digits of a card number, masked or not; '' where there are none (a token)."""
    found = re.fullmatch(r"[0-9*#\u2022xX. -]*?([0-9]{4}) *", pan)
    return found[1] if found else ""


def _until_settled(text: str, mask: Callable[[str], str]) -> str:
    """Mask until nothing is left to mask: what was masked can show what stands beside it."""
    while (masked := mask(text)) != text:
        text = masked
    return text


def _without_track(text: str) -> str:
    """Return `text` with packed card numbers masked, and track data taken out."""
    text = _without_packed(text)
    return _track.sub("[track]", text) if _long_number(text) else text


def _without_packed(text: str) -> str:
    """Return `text` with card numbers of packed digits masked whole.

    Only where something unprintable is among them: what is printable throughout cannot be told from words.
    """
    if not _unprintable.search(text):
        return text
    characters = list(text)
    for found in _packed.finditer(text):
        for size in _PACKED_SIZES:
            piece = found[1][:size]
            if len(piece) == size and _unprintable.search(piece) and _is_packed_card(piece):
                characters[found.start() : found.start() + size] = PACKED_MASK * size
                break
    return "".join(characters)


def _is_packed_card(piece: str) -> bool:
    digits = piece.encode("latin-1").hex().removesuffix("f").lstrip("0")
    return digits.isdigit() and len(digits) in _CARD_LENGTHS and _check_digit_is_right(digits)


def _masked(text: str, pattern: re.Pattern[str], is_card: _IsCard) -> str:
    spans = [found.span("group") for found in pattern.finditer(text) if found["group"]]
    if not spans:
        return text
    characters = list(text)
    for window in _windows(text, spans):
        sizes = tuple([end - start for start, end in window])
        if is_card(sizes, "".join([text[start:end] for start, end in window])):
            places = [place for span in window for place in range(*span)]
            for place in places[:-4]:
                characters[place] = MASK if text[place].isdigit() else text[place]
    return "".join(characters)


def _windows(text: str, spans: list[_Span]) -> Iterator[list[_Span]]:
    """Yield each group of digits, and each run of neighbours with one kind of separator and a card number's length."""
    for index, span in enumerate(spans):
        window, length, separators = [span], span[1] - span[0], set[str]()
        yield [span]
        for following in spans[index + 1 :]:
            if _is_hidden_number(text, window[-1]) or _is_hidden_number(text, following):
                break  # complete by itself: what stands beside it is another thing
            gap = text[window[-1][1] : following[0]]
            length += following[1] - following[0]
            separators |= _kind(gap)
            if length >= _CARD_LENGTHS.stop or len(separators) > 1 or not _gap.fullmatch(gap):
                break
            window.append(following)
            if length in _CARD_LENGTHS:
                yield list(window)


def _is_hidden_number(text: str, span: _Span) -> bool:
    return span[1] - span[0] in _CARD_LENGTHS and not text[span[0]].isdigit()


def _kind(gap: str) -> set[str]:
    """A line end may come anywhere in a number; dashes, dots and blanks are not mixed."""
    if "\n" in gap or "\r" in gap:
        return set()
    return {"-"} if "-" in gap else {"."} if "." in gap else {" "}


def _may_be_card(sizes: tuple[int, ...], digits: str) -> bool:
    if len(sizes) == 1:
        return len(digits) >= _CARD_LENGTHS.start or _truncated.fullmatch(digits) is not None
    if not digits.isdigit():
        return digits[-4:].isdigit()
    return _is_printed(sizes) or _check_digit_is_right(digits)


def _is_printed(sizes: tuple[int, ...]) -> bool:
    return len(sizes) == 1 or sizes in _PRINTED


def _is_card(sizes: tuple[int, ...], digits: str) -> bool:
    return len(digits) in _CARD_LENGTHS and _check_digit_is_right(digits)


def _is_printed_card(sizes: tuple[int, ...], digits: str) -> bool:
    return _is_card(sizes, digits) and _is_printed(sizes)


def _check_digit_is_right(digits: str) -> bool:
    """Luhn (ISO/IEC 7812-1, annex B)."""
    return sum(map(int, digits[-1::-2] + digits[-2::-2].translate(_DOUBLED))) % 10 == 0
