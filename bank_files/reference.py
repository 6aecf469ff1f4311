"""A bank's own reference, by which lines and notifications are linked, without a card number in it."""

import hmac
import re

from ..hw_driver.protocols.scrub import scrub_certain

#: 13 to 19 digits that begin as card numbers do (ISO/IEC 7812 registry): Visa, Mastercard, American Express, Diners,
#: JCB, Discover, UnionPay, Maestro and girocard. A reference that begins with a date is none of them.
CARD = re.compile(
    r"(?<!\d)(?:4\d{12,18}|5[0-8]\d{11,17}|2(?:2[2-9]|[3-6]\d|7[01])\d{13}|2720\d{12}|3[47]\d{13}|3(?:0|6|8|9)\d{12,17}"
    r"|35\d{14,17}|6\d{12,18})(?!\d)"
)
#: Between the digits of a number that is printed in groups.
GROUPED = re.compile(r"(?<=\d)[ .-](?=\d)")


def hide_cards(reference: str, secret: bytes) -> str:
    """Return a reference; where it holds a card number (known beginning, right check digit), what may be shown of it.

    A tag made with the secret tells such references apart and finds them again, without their digits.
    """
    if not (shown := _masked(reference) or _masked(GROUPED.sub("", reference))):
        return reference
    tag = hmac.digest(secret, reference.encode(), "sha256").hex()[:16]
    return f"{shown} #{tag}"


def holds_cards(content: bytes) -> bool:
    """Tell whether a file holds a card number in one piece."""
    return _masked(content.decode("latin-1")) is not None


def _masked(reference):
    """Return the reference with its card numbers masked but for the last four digits; None where it holds none."""
    masked = CARD.sub(lambda found: _hidden(found[0]), reference)
    return None if masked == reference else masked


def _hidden(digits):
    """Letters keep it one word: what is left of a card number is no batch's number."""
    return digits if scrub_certain(digits) == digits else "X" * (len(digits) - 4) + digits[-4:]
