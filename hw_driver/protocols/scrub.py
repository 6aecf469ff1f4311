"""Card numbers never survive: whatever arrives as text passes here before anything else sees it.

What is kept of a number is its last four digits (PCI DSS 3.4.1 allows more; this product does not).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

MASK = "*"
_STARS = "*#\u2022"  # how terminals print the hidden part of a number

_CARD_LENGTHS = range(12, 20)  # ISO/IEC 7812-1, and Maestro's twelve
#: Track 1 and 2 (ISO/IEC 7813): number, separator, name or expiry, discretionary data. Nothing of it stays.
_track = re.compile(r"[%;]?[A-Z]?[0-9]{12,19}(?:\^[^\r\n?]*|[=D][0-9]{4,})\??")
_group = re.compile(rf"[0-9{_STARS}]+")
_gap = re.compile(r"[ \t\u00a0\u202f.-]*(?:[\r\n]+[ \t\u00a0]*)?").fullmatch
#: An EMV application identifier (registered: A, then digits) is printed on every slip and is no card number.
_aid = re.compile(r"(?<![0-9A-Za-z])A00000[0-9]{4}[0-9A-F]{0,22}(?![0-9A-Za-z])")
#: How numbers are printed in groups: by fours, American Express, Diners.
_PRINTED = {(4, 4, 4, 4), (4, 4, 4, 4, 3), (4, 4, 4, 4, 2), (4, 4, 4, 4, 1), (4, 4, 4), (4, 4, 5), (4, 6, 5), (4, 6, 4)}


def scrub(text: str) -> str:
    """Return `text` with every card number masked to its last four digits, truncated ones included.

    An unbroken run of 12 or more digits is taken for a card number, whatever its check digit. Groups of digits with blanks,
    dashes or line ends between them are, when they are grouped as on a card or their check digit is right.
    """
    return _masked(_track.sub("[track]", text), truncated=True)


def scrub_numbers(text: str) -> str:
    """Return `text`, of the same length, with only full card numbers masked; truncated ones stay as they came."""
    return _masked(text, truncated=False)


def scrub_reference(text: str) -> str:
    """Return a reference as it is, unless an unbroken run in it has a card number's length and check digit."""
    return re.sub(r"[0-9]{13,19}", lambda run: _tail(run[0]) if _check_digit_is_right(run[0]) else run[0], text)


def last_four(pan: str) -> str:
    """Return the last four digits of a card number, masked or not; '' where there are none (a token)."""
    found = re.fullmatch(rf"[0-9{_STARS}xX. -]*?([0-9]{{4}})[ ]*", pan)
    return found[1] if found else ""


def _tail(run: str) -> str:
    return MASK * (len(run) - 4) + run[-4:]


def _masked(text: str, truncated: bool) -> str:
    shown = [(found.start(), found.end()) for found in _aid.finditer(text)]
    characters = list(text)
    groups = [
        found
        for found in _group.finditer(text)
        if not any(start <= found.start() < end for start, end in shown)
        and (truncated or not set(found[0]) & set(_STARS))
        and any(map(str.isdigit, found[0]))
        or (truncated and set(found[0]) <= set(_STARS))
    ]
    for window in _windows(groups, text):
        places = [place for group in window for place in range(*group.span())]
        for place in places[:-4]:
            if characters[place].isdigit():
                characters[place] = MASK
    return "".join(characters)


def _windows(groups: list[re.Match[str]], text: str) -> Iterator[list[re.Match[str]]]:
    """Yield the runs of neighbouring groups that are card numbers."""
    for index, group in enumerate(groups):
        if len(group[0]) >= _CARD_LENGTHS.start:
            yield [group]
            continue
        window, digits, kinds = [group], group[0], set[str]()
        for following in groups[index + 1 :]:
            gap = text[window[-1].end() : following.start()]
            kinds |= {"-"} if "-" in gap else {"."} if "." in gap else {" "} if not set(gap) & set("\r\n") else set()
            digits += following[0]
            if not _gap(gap) or len(kinds) > 1 or len(digits) not in range(_CARD_LENGTHS.stop):
                break
            window.append(following)
            if len(digits) in _CARD_LENGTHS and _is_card(window, digits):
                yield list(window)


def _is_card(window: list[re.Match[str]], digits: str) -> bool:
    if not digits[-4:].isdigit() or set(digits) <= set(_STARS):
        return False
    hidden = bool(set(digits) & set(_STARS))
    return hidden or tuple(len(group[0]) for group in window) in _PRINTED or _check_digit_is_right(digits)


def _check_digit_is_right(digits: str) -> bool:
    """Luhn (ISO/IEC 7812-1, annex B)."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0
