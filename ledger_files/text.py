"""Numbers and texts as both formats want them."""

from decimal import Decimal

CONTROL = dict.fromkeys(range(32), " ")


def comma(amount: int, digits: int = 2) -> str:
    """Return minor units with a decimal comma: 105420 -> ``1054,20``."""
    return f"{Decimal(amount).scaleb(-digits):f}".replace(".", ",")


def one_line(text: str | None) -> str:
    """Return a text without control characters or runs of spaces."""
    return " ".join((text or "").translate(CONTROL).split())
